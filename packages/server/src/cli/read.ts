/** `rank`, `show`, `explain` and `watch`: what a running service knows. */
import type { AnswerOf, Client } from "@staunch/client";
import type { Command } from "commander";
import { serviceClient } from "./client.ts";
import { addServiceOptions, wholeNumber, type ServiceOptions } from "./command.ts";
import { count, points, printable, table, type Io } from "./output.ts";
import { explanationLines, headline, why } from "./words.ts";
import { watchLines } from "./watch.ts";

interface RankFlags extends ServiceOptions {
  readonly kind?: string;
  readonly limit: number;
  readonly worst?: boolean;
}

export function addReads(program: Command, io: Io): void {
  addServiceOptions(program.command("rank"))
    .description("the best of a kind, or the worst")
    .option("--kind <kind>", "kind of subjects; the one with the most unless given")
    .option("--limit <count>", "how many", wholeNumber("--limit", 1, 500), 20)
    .option("--worst", "the worst first")
    .action(async (flags: RankFlags) => {
      const client = serviceClient(io, flags);
      const kind = flags.kind ?? (await largestKind(client));
      const order = flags.worst === true ? "worst" : "best";
      const page = await client.rankings.list({ kind, order, limit: flags.limit });
      if (flags.json === true) io.out(JSON.stringify(page));
      else for (const line of rankLines(page)) io.out(line);
    });
  addServiceOptions(program.command("show").argument("<id>", "id of the subject"))
    .description("score, tier and place of a subject, and what holds it down")
    .action(async (id: string, flags: ServiceOptions) => {
      const explanation = await explanationOf(io, id, flags);
      if (flags.json === true) io.out(JSON.stringify(explanation.standing));
      else for (const line of [headline(explanation.standing), ...why(explanation)]) io.out(line);
    });
  addServiceOptions(program.command("explain").argument("<id>", "id of the subject"))
    .description("the score as a sum, the evidence behind it, and what would change it")
    .action(async (id: string, flags: ServiceOptions) => {
      const explanation = await explanationOf(io, id, flags);
      if (flags.json === true) io.out(JSON.stringify(explanation));
      else for (const line of explanationLines(explanation)) io.out(line);
    });
  addServiceOptions(program.command("watch"))
    .description("changes as they happen, until Ctrl-C")
    .option("--kind <kind>", "only this kind")
    .option("--subject <id>", "only this subject")
    .action((flags: ServiceOptions & { kind?: string; subject?: string }) => watchLines(io, flags));
}

async function largestKind(client: Client): Promise<string> {
  const { kinds } = await client.service.status();
  return kinds.reduce((largest, one) => (one.subjects > largest.subjects ? one : largest), kinds[0]!).kind;
}

function explanationOf(io: Io, id: string, flags: ServiceOptions): Promise<AnswerOf<"subjects", "explain">> {
  return serviceClient(io, flags).subjects.explain({ id });
}

function rankLines({ items, ranked, kind }: AnswerOf<"rankings", "list">): string[] {
  const rows = items.map(({ place, id, score, lower, upper, tier }) => [
    count(place),
    id,
    points(score),
    `${points(lower)} to ${points(upper)}`,
    tier,
  ]);
  const columns = [
    ["place", "right"],
    ["subject", "left"],
    ["score", "right"],
    ["interval", "right"],
    ["tier", "left"],
  ] as const;
  return [...table(columns, rows), `${count(ranked)} ranked of kind ${printable(kind)}`];
}
