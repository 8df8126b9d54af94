/**
 * `npm run sim -- [scenario ...] [--seed N | --seeds N] [--json]`: runs scenarios and says what they reached. With
 * `--write` the table of `docs/scenarios.md` is made anew.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Figure, Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios/index.ts";

/** The figures hold for the mean of so many seeds. */
const SEEDS = 20;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: String(SEEDS) },
    json: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});
const wanted = positionals.length === 0 ? SCENARIOS : SCENARIOS.filter(({ name }) => matches(name));
if (wanted.length === 0) {
  console.error(
    `no scenario ${positionals.join(", ")}; there are ${SCENARIOS.map(({ name }) => name).join(", ")}`,
  );
  process.exit(2);
}
if (values.write && positionals.length > 0) {
  console.error("--write makes the whole page: name no scenario");
  process.exit(2);
}
const seeds =
  values.seed === undefined
    ? Array.from({ length: Number(values.seeds) }, (_, index) => index + 1)
    : [Number(values.seed)];
let missed = 0;
const rows: string[] = [];
const remarks: string[] = [];
for (const scenario of wanted) report(scenario);
if (values.write) writeFileSync(new URL("../docs/scenarios.md", import.meta.url), page());
process.exitCode = missed > 0 ? 1 : 0;

function matches(name: string): boolean {
  return positionals.some((prefix) => name === prefix || name.startsWith(`${prefix}-`));
}

function report(scenario: Scenario): void {
  const runs = seeds.map((seed) => scenario.run(seed, 1));
  const missedBefore = missed;
  for (const [place, figure] of scenario.figures.entries()) {
    const measured = runs.map((run) => run[place]!);
    // Shares are ratios, and adding them up may leave a bit behind the bound.
    const mean = Number((measured.reduce((sum, value) => sum + value, 0) / measured.length).toPrecision(12));
    const isReached = figure.must === "at most" ? mean <= figure.bound : mean >= figure.bound;
    if (!isReached) missed += 1;
    const [least, most] = [Math.min(...measured), Math.max(...measured)];
    const { name, must, bound, unit } = figure;
    rows.push(
      `| \`${scenario.name}\` | ${scenario.title} | ${name} | ${must} ${bound} ${unit} | ${text(mean)} (${text(least)} to ${text(most)}) | ${isReached ? "yes" : "**no**"} |`,
    );
    print(scenario, figure, mean, least, most, isReached);
  }
  if (missed > missedBefore)
    remarks.push(
      `- \`${scenario.name}\`: ${(scenario.remark ?? "not understood yet").replaceAll("\n", "\n  ")}`,
    );
}

function text(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function page(): string {
  const head = [
    "# Scenarios",
    "",
    "Made by `npm run sim -- --write`: the real engine and the real selection in fake time, seeded. A scenario offers",
    "20 jobs a second of 1 s each, to workers that nothing is known about, unless its title says otherwise. Figures are",
    `means over ${seeds.length} seeds, with the least and the most of them. Where somebody cheats, honest work costs .7 of its pay, a`,
    "cheat costs nothing, half of the cheats are detected, and what is detected is reported as misbehaviour.",
    "",
    "| scenario | what happens | figure | must be | measured | reached |",
    "|---|---|---|---|---|---|",
  ];
  const why = remarks.length === 0 ? [] : ["", "## Why some are missed", "", ...remarks];
  return [...head, ...rows, ...why, ""].join("\n");
}

function print(
  scenario: Scenario,
  figure: Figure,
  mean: number,
  least: number,
  most: number,
  isReached: boolean,
): void {
  if (values.json) {
    const { name, must, bound, unit } = figure;
    console.log(
      JSON.stringify({
        scenario: scenario.name,
        figure: name,
        mean,
        least,
        most,
        must,
        bound,
        unit,
        seeds,
        isReached,
      }),
    );
    return;
  }
  const mark = isReached ? "ok    " : "MISSED";
  const numbers = `${mean.toPrecision(4)} (${least.toPrecision(3)} to ${most.toPrecision(3)})`;
  console.log(
    `${mark} ${scenario.name.padEnd(34)} ${figure.name.padEnd(30)} ${numbers.padEnd(30)} ${figure.must} ${figure.bound} ${figure.unit}`,
  );
}
