/** `reports`: what subjects are accused of and nobody has decided. */
import type { AnswerOf } from "@staunch/client";
import type { Command } from "commander";
import { serviceClient } from "./client.ts";
import { addServiceOptions, wholeNumber, type ServiceOptions } from "./command.ts";
import { minute, plural, table, type Io } from "./output.ts";

export function addReports(program: Command, io: Io): void {
  addServiceOptions(program.command("reports"))
    .description("reports of misbehaviour that wait for an operator, oldest first")
    .option("--limit <count>", "how many", wholeNumber("--limit", 1, 500), 20)
    .action(async (flags: ServiceOptions & { readonly limit: number }) => {
      const page = await serviceClient(io, flags).misbehaviour.pending({ limit: flags.limit });
      if (flags.json === true) io.out(JSON.stringify(page));
      else for (const line of reportLines(page)) io.out(line);
    });
}

function reportLines({ items, next }: AnswerOf<"misbehaviour", "pending">): string[] {
  if (items.length === 0) return ["no report waits for a decision"];
  const rows = items.map(({ id, subject, reported_at: at, evidence, reason }) => [
    id,
    subject,
    minute(Date.parse(at)),
    plural(evidence.length, "piece"),
    reason,
  ]);
  const columns = [
    ["report", "left"],
    ["subject", "left"],
    ["reported", "left"],
    ["evidence", "right"],
    ["reason", "left"],
  ] as const;
  return [...table(columns, rows), ...(next === null ? [] : ["and more; --limit shows up to 500"])];
}
