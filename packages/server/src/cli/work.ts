/** `network` and `worker`: how those who run jobs are doing. */
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
    `${count(network.open_selections)} jobs out without an outcome`,
    ...table(columns, rows),
  ];
}

function workLines(work: AnswerOf<"workers", "get">): string[] {
  const { id, kind, condition, momentum, state, health, jobs } = work;
  const lines = [
    `${printable(id)} (${printable(kind)}) is ${state}, condition ${points(condition)}, momentum ${points(momentum)}`,
  ];
  if (health === null) lines.push("no health was reported");
  else
    lines.push(
      `health ${points(health.score)} (${points(health.lower)} to ${points(health.upper)}), reported ${health.reported_at}`,
    );
  lines.push(
    `${count(jobs.completed)} jobs completed, ${count(jobs.failed)} failed, ${count(jobs.timed_out)} timed out, ${count(jobs.invalid)} invalid, ${count(jobs.in_flight)} in flight`,
  );
  return lines;
}

function eligibilityLines({ eligible, reasons }: AnswerOf<"workers", "eligibility">): string[] {
  if (eligible) return ["eligible for selection"];
  return ["not eligible for selection:", ...reasons.map(({ detail }) => `  ${printable(detail)}`)];
}

function shareText(share: number | null): string {
  return share === null ? "unknown" : share.toFixed(3);
}
