/** `network`, `worker` and `selection`: how those who run jobs are doing, and why one was chosen. */
import type { AnswerOf } from "@staunch/client";
import type { Command } from "commander";
import { serviceClient } from "./client.ts";
import { addServiceOptions, type ServiceOptions } from "./command.ts";
import { count, points, printable, table, type Io } from "./output.ts";

export function addWork(program: Command, io: Io): void {
  addServiceOptions(program.command("network"))
    .description("how many are active and healthy, and how well jobs go")
    .option("--kind <kind>", "kind of subjects", "worker")
    .action(async (flags: ServiceOptions & { readonly kind: string }) => {
      const network = await serviceClient(io, flags).network.get({ kind: flags.kind });
      if (flags.json === true) io.out(JSON.stringify(network));
      else for (const line of networkLines(network)) io.out(line);
    });
  addServiceOptions(program.command("worker").argument("<id>", "id of the worker"))
    .description("condition, health and jobs of one worker, and whether it may be chosen")
    .action(async (id: string, flags: ServiceOptions) => {
      const client = serviceClient(io, flags);
      const [work, eligibility] = await Promise.all([
        client.workers.get({ id }),
        client.workers.eligibility({ id }),
      ]);
      if (flags.json === true) io.out(JSON.stringify({ ...work, eligibility }));
      else for (const line of [...workLines(work), ...eligibilityLines(eligibility)]) io.out(line);
    });
  addServiceOptions(program.command("selection").argument("<id>", "id of the selection, such as sel_4711_0"))
    .description("who bid, what each bid was worth, why one was chosen, and what became of it")
    .action(async (id: string, flags: ServiceOptions) => {
      const made = await serviceClient(io, flags).selections.get({ id });
      if (flags.json === true) io.out(JSON.stringify(made));
      else for (const line of selectionLines(made)) io.out(line);
    });
}

function selectionLines(made: AnswerOf<"selections", "get">): string[] {
  const { id, kind, method, mode, chosen, made_at: madeAt, seed, outcome, regret, bids } = made;
  const rows = bids.map((bid) => [
    printable(bid.id),
    bid.value.toFixed(4),
    ...[bid.parts.reputation, bid.parts.health, bid.parts.price, bid.parts.time].map((part) =>
      part.toFixed(3),
    ),
    bid.condition_factor.toFixed(2),
    String(bid.in_flight),
    bid.excluded ?? "",
  ]);
  const right = ["value", "reputation", "health", "price", "time", "condition", "in flight"] as const;
  const columns = [
    ["bid", "left"],
    ...right.map((name) => [name, "right"] as const),
    ["out for", "left"],
  ] as const;
  const choice = chosen === null ? "nobody was chosen" : `${printable(chosen)} was chosen`;
  const pair = made.pair.length === 2 ? [`drawn: ${made.pair.map(printable).join(" and ")}`] : [];
  const end = outcome === null ? "no outcome yet" : `outcome ${outcome}, regret ${(regret ?? 0).toFixed(4)}`;
  return [
    `${id}: ${choice} among ${count(bids.length)} bids of ${printable(kind)}, ${method} (${mode}), seed ${seed}, ${madeAt}`,
    ...pair,
    ...table(columns, rows),
    end,
  ];
}

function networkLines(network: AnswerOf<"network", "get">): string[] {
  const { kind, known, active, healthy, suspended, banned, health, parts } = network;
  const rows = parts.map(({ name, value, weight }) => [name, shareText(value), shareText(weight)]);
  const columns = [
    ["part", "left"],
    ["value", "right"],
    ["weight", "right"],
  ] as const;
  return [
    `network ${printable(kind)}: health ${health === null ? "unknown" : points(health)}`,
    `${count(known)} known, ${count(active)} active, ${count(healthy)} healthy, ${count(suspended)} suspended, ${count(banned)} banned`,
    `${count(network.open_selections)} jobs out without an outcome; of the finished ${percent(network.success_rate)} are good`,
    `mean score of the active ${network.average_score === null ? "unknown" : points(network.average_score)}, response ${milliseconds(network.average_response_ms)}`,
    ...table(columns, rows),
  ];
}

function workLines(work: AnswerOf<"workers", "get">): string[] {
  const { id, kind, condition, momentum, state, probation, health, jobs } = work;
  const lines = [
    `${printable(id)} (${printable(kind)}) is ${state}, condition ${points(condition)}, momentum ${points(momentum)}`,
  ];
  if (probation !== null)
    lines.push(
      `on probation since ${probation.since}: ${count(probation.good_in_a_row)} of ${count(probation.good_needed)} good jobs in a row`,
    );
  return [...lines, ...healthLines(health), ...jobLines(jobs)];
}

function healthLines(health: AnswerOf<"workers", "get">["health"]): string[] {
  if (health === null) return ["no health is known"];
  const { score, lower, upper, reported_at: reportedAt, parts } = health;
  const worst = parts
    .toSorted((a, b) => a.score - b.score)
    .map(
      (part) => `${printable(part.name)} ${part.value} (${points(part.score)}${part.counts ? "" : ", busy"})`,
    );
  return [
    `health ${points(score)} (${points(lower)} to ${points(upper)}), reported ${reportedAt}: ${worst.join(", ")}`,
  ];
}

function jobLines(jobs: AnswerOf<"workers", "get">["jobs"]): string[] {
  const { completed, failed, timed_out: timedOut, invalid, declined, client_faults: clientFaults } = jobs;
  const lines = [
    `${count(completed)} jobs completed, ${count(failed)} failed, ${count(timedOut)} timed out, ${count(invalid)} invalid: ${percent(jobs.success_rate)} good`,
    `${count(declined)} declined, ${count(clientFaults)} failed by the client's fault, ${count(jobs.in_flight)} in flight; earned ${jobs.earnings}`,
  ];
  const percentiles = jobs.durations?.percentiles ?? null;
  const spread =
    percentiles === null
      ? ""
      : `, lately half within ${milliseconds(percentiles.p50)} and 95 % within ${milliseconds(percentiles.p95)}`;
  if (jobs.mean_duration_ms !== null)
    lines.push(`a completed job takes ${milliseconds(jobs.mean_duration_ms)} in the mean${spread}`);
  return lines;
}

function eligibilityLines({ eligible, reasons }: AnswerOf<"workers", "eligibility">): string[] {
  if (eligible) return ["eligible for selection"];
  return ["not eligible for selection:", ...reasons.map(({ detail }) => `  ${printable(detail)}`)];
}

function percent(share: number | null): string {
  return share === null ? "an unknown share" : `${(100 * share).toFixed(1)} %`;
}

function milliseconds(ms: number | null): string {
  return ms === null ? "unknown" : `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

function shareText(share: number | null): string {
  return share === null ? "unknown" : share.toFixed(3);
}
