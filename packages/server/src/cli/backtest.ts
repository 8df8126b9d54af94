/** `staunch backtest`: what another policy would have made of what is in the log. */
import type { Command } from "commander";
import { backtest, type BacktestReport, type Mover } from "../app/backtest/backtest.ts";
import { restoreCheck, withStorage } from "../offline.ts";
import { corrupt } from "../storage.ts";
import { addDataOptions, directoryOf, readPolicy, type Flags, type JsonOption } from "./command.ts";
import { CliError, EXIT } from "./exit-codes.ts";
import { bold, count, plural, points, Progress, signed, table, type Io } from "./output.ts";
import { largestKind } from "./words.ts";

type BacktestFlags = JsonOption & Flags & { readonly kind?: string };

export function addBacktest(program: Command, io: Io): void {
  addDataOptions(program.command("backtest").argument("<policy>", "policy as YAML"))
    .description("replay the log under another policy and show who would move; the service must not run")
    .option("--kind <kind>", "kind of subjects; the one with the most unless given")
    .action(async (file: string, flags: BacktestFlags) => {
      const policy = readPolicy(file);
      const directory = directoryOf(io, flags);
      const progress = new Progress(io, "replaying");
      const result = await withStorage(directory, async (storage) => {
        const { state } = (await restoreCheck(storage, "snapshot")).restored;
        const kind = flags.kind ?? largestKind(state).name;
        const onProgress = (done: number): void => progress.show(done, state.eventCount);
        return backtest(storage.log, { kind, policy, onProgress });
      });
      progress.end();
      if (result.type === "corrupt") throw corrupt(directory, result.position, result.detail);
      if (result.type === "unknown_kind") {
        const known = result.known.join(", ") || "none";
        throw new CliError(
          "kind_not_found",
          EXIT.notFound,
          `There is no such kind in ${directory}; the kinds are: ${known}.`,
        );
      }
      if (flags.json === true) io.out(JSON.stringify(result.report));
      else for (const line of reportLines(io, result.report)) io.out(line);
    });
}

function reportLines(io: Io, report: BacktestReport): string[] {
  const { subjects, events, up, down, tierChanged, samplesMissingTo } = report;
  const still = subjects - up - down;
  const lines = [
    `${plural(subjects, "subject")} by ${count(events)} events: ${count(up)} up, ${count(down)} down, ${count(still)} as before; ${count(tierChanged)} change tier`,
  ];
  if (samplesMissingTo > 0) {
    lines.push(
      `Samples up to record ${samplesMissingTo} were trimmed: both sides are replayed from record ${samplesMissingTo + 1} on.`,
    );
  }
  return [
    ...lines,
    "",
    bold(io, "Tiers: from (down) to (across)"),
    ...flowTable(report),
    "",
    bold(io, "Change of score"),
    ...changeTable(report),
    ...moverLines(io, "Up most", report.raised),
    ...moverLines(io, "Down most", report.lowered),
  ];
}

function flowTable({ flows, tiers }: BacktestReport): string[] {
  const from = tiers.filter((tier) => flows.some((flow) => flow.from === tier));
  const to = tiers.filter((tier) => flows.some((flow) => flow.to === tier));
  const cell = (row: string, column: string): string =>
    count(flows.find((flow) => flow.from === row && flow.to === column)?.subjects ?? 0);
  const columns = [["", "left"] as const, ...to.map((name) => [name, "right"] as const)];
  return table(
    columns,
    from.map((row) => [row, ...to.map((column) => cell(row, column))]),
  );
}

function changeTable({ changes }: BacktestReport): string[] {
  const name = (value: number): string => (value > 0 ? `+${value}` : `${value}`);
  const rows = changes.map(({ from, to, subjects }) => {
    if (from === null) return [`below ${name(to!)}`, count(subjects)];
    return [to === null ? `${name(from)} and more` : `${name(from)} to ${name(to)}`, count(subjects)];
  });
  return table(
    [
      ["points", "left"],
      ["subjects", "right"],
    ],
    rows,
  );
}

function moverLines(io: Io, title: string, movers: readonly Mover[]): string[] {
  if (movers.length === 0) return [];
  const place = (value: number | null): string => (value === null ? "-" : count(value));
  const rows = movers.map(({ id, score, tier, place: places }) => [
    id,
    `${points(score.before)} -> ${points(score.after)}`,
    signed(score.after - score.before),
    `${tier.before} -> ${tier.after}`,
    `${place(places.before)} -> ${place(places.after)}`,
  ]);
  const columns = [
    ["subject", "left"],
    ["score", "right"],
    ["change", "right"],
    ["tier", "left"],
    ["place", "right"],
  ] as const;
  return ["", bold(io, title), ...table(columns, rows)];
}
