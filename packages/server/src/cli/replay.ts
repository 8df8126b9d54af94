/** `staunch replay`: a data set through the whole pipeline, and what came out. */
import type { Policy, Ranked, State } from "@staunch/engine";
import type { Command } from "commander";
import type { ImportSource } from "../app/import/import-source.ts";
import { exampleNames, loadExample } from "../examples.ts";
import { explainReplayed, replay, type Replayed } from "../replay.ts";
import { clockOption, loadSettings, readPolicy, readText, type JsonOption } from "./command.ts";
import { eventSource } from "./event-file.ts";
import { CliError, EXIT } from "./exit-codes.ts";
import { bold, count, minute, plural, points, Progress, seconds, table, type Io } from "./output.ts";
import { failureLines, RECENT_DAYS, recentRanking, type Recent, type TierRow } from "./recent.ts";
import { explanationLines, largestKind } from "./words.ts";

/** Nodes listed at each end of the ranking. */
const LISTED = 10;

interface ReplayFlags extends JsonOption {
  readonly clock: "shifted" | "recorded";
  readonly policy?: string;
  readonly data?: string;
}

export function addReplay(program: Command, io: Io): void {
  const command = program
    .command("replay")
    .argument("<source>", "lanl, seattle or a file of events, one JSON object a line");
  command
    .description("replay a data set through the whole pipeline and show who is best and worst, and why")
    .addOption(clockOption(command))
    .option("--policy <file>", "score by this policy (YAML) instead of the configured one")
    .option("--data <directory>", "keep the log in this empty directory")
    .option("--json", "print JSON")
    .action(async (name: string, flags: ReplayFlags) => {
      const { config } = loadSettings(io, {});
      const forced = flags.policy === undefined ? null : readPolicy(flags.policy);
      const configured = new Map(Object.entries(config.policies));
      const { title, source } = await openSource(name, (kind) => forced ?? configured.get(kind) ?? null);
      const shiftMs = flags.clock === "recorded" ? 0 : Date.now() - Math.floor(source.lastAt);
      const progress = new Progress(io, `replaying ${source.name}`);
      const replayed = await replay({
        source,
        shiftMs,
        policy: forced ?? config.policies.provider,
        isForced: forced !== null,
        commitEventsMax: config.storage.commitEventsMax,
        directory: flags.data ?? null,
        onProgress: ({ events, eventsTotal, atMs }) => progress.show(events, eventsTotal, minute(atMs)),
      });
      progress.end();
      const recent = recentRanking(largestKind(replayed.state), replayed.nowMs, LISTED);
      if (flags.json === true) io.out(JSON.stringify(asJson(source, replayed, recent)));
      else for (const line of asText(io, title, replayed, recent)) io.out(line);
    });
}

/** An example by its name, or a file of events, whose kinds are scored by the policies given. */
async function openSource(
  name: string,
  policyOf: (kind: string) => Policy | null,
): Promise<{ title: string; source: ImportSource }> {
  const example = await loadExample(name);
  if (example !== null) return example;
  if (/[./\\-]/u.test(name)) return { title: name, source: eventSource(name, readText(name), policyOf) };
  const known = (await exampleNames()).join(", ");
  const advice = known === "" ? "this installation has no examples" : `the examples are ${known}`;
  throw new CliError(
    "source_not_found",
    EXIT.notFound,
    `There is no data set ${name}: ${advice}; or name a file of events.`,
  );
}

function asJson(source: ImportSource, replayed: Replayed, recent: Recent): object {
  const { state, nowMs, subjects, events, records, elapsedMs } = replayed;
  const named = (list: readonly Ranked[]): object[] =>
    list.map(({ subject, place, score, tier }) => ({ id: state.ids.at(subject), place, score, tier }));
  const last = recent.worst[0];
  return {
    source: source.name,
    subjects,
    events,
    records,
    elapsed_ms: Math.round(elapsedMs),
    events_per_second: rateOf(replayed),
    as_of: new Date(nowMs).toISOString(),
    tiers: recent.tiers,
    silent: recent.silent,
    best: named(recent.best),
    worst: named(recent.worst),
    worst_explained: last === undefined ? null : explainReplayed(replayed, last.subject),
    worst_failures: last === undefined ? [] : failureLines(state, last.subject, nowMs),
  };
}

function rateOf({ events, elapsedMs }: Replayed): number {
  return Math.round(events / Math.max(0.001, elapsedMs / 1000));
}

function asText(io: Io, title: string, replayed: Replayed, recent: Recent): string[] {
  const { state, nowMs, subjects, events, records, elapsedMs } = replayed;
  const written = `${count(events)} events about ${plural(subjects, "subject")} in ${plural(records, "record")}`;
  const lines = [
    bold(io, title),
    `${written}, durable and scored in ${seconds(elapsedMs)}: ${count(rateOf(replayed))} events/s`,
    "",
    ...tierTable(recent.tiers),
    ...silentLine(recent.silent),
    "",
    bold(io, "Best"),
    ...rankTable(state, recent.best),
    "",
    bold(io, "Worst"),
    ...rankTable(state, recent.worst),
  ];
  const last = recent.worst[0];
  if (last === undefined) return lines;
  return [
    ...lines,
    "",
    bold(io, "Why the last is last"),
    ...failureLines(state, last.subject, nowMs),
    ...explanationLines(explainReplayed(replayed, last.subject)),
  ];
}

function silentLine(silent: number): string[] {
  return silent === 0 ? [] : [`${count(silent)} silent for more than ${RECENT_DAYS} days, not listed`];
}

function tierTable(tiers: readonly TierRow[]): string[] {
  const all = tiers.reduce((sum, { subjects }) => sum + subjects, 0);
  const rows = tiers.map(({ tier, subjects }) => [
    tier,
    count(subjects),
    `${((100 * subjects) / Math.max(1, all)).toFixed(1)} %`,
  ]);
  const columns = [
    ["tier", "left"],
    ["subjects", "right"],
    ["share", "right"],
  ] as const;
  return table(columns, rows);
}

function rankTable(state: State, list: readonly Ranked[]): string[] {
  const rows = list.map(({ subject, place, score, tier }) => [
    count(place),
    state.ids.at(subject),
    points(score),
    tier,
  ]);
  return table(
    [
      ["place", "right"],
      ["subject", "left"],
      ["score", "right"],
      ["tier", "left"],
    ],
    rows,
  );
}
