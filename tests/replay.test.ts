/** What the README of an example tells is what its replay ends with. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { staunch } from "./staunch.ts";

const README = readFileSync(new URL("../examples/lanl/README.md", import.meta.url), "utf8");

interface Report {
  readonly tiers: readonly { readonly tier: string; readonly subjects: number }[];
  readonly silent: number;
  readonly worst: readonly { readonly id: string; readonly score: number }[];
  readonly worst_failures: readonly string[];
}

// All ten years, 4.7 million samples: a quarter of a minute, and more while other tests run.
test("lanl: the tiers, the silent and the worst node are those of the README", async () => {
  const { code, out } = await staunch(["replay", "lanl", "--clock", "recorded", "--json"]);
  expect(code).toBe(0);
  const { tiers, silent, worst, worst_failures: failures } = JSON.parse(out) as Report;
  const rows = README.matchAll(/^\| (platinum|gold|silver|bronze|basic) +\| ([\d,]+) +\|$/gmu);
  expect([...rows].map(([, tier, nodes]) => ({ tier, subjects: numberOf(nodes!) }))).toEqual(tiers);
  const [, inService] = /At the end ([\d,]+) nodes are in service/u.exec(README)!;
  expect(numberOf(inService!)).toBe(tiers.reduce((sum, { subjects }) => sum + subjects, 0));
  const [, silentTold] = /The other ([\d,]+) were\sdecommissioned/u.exec(README)!;
  expect(numberOf(silentTold!)).toBe(silent);
  const [, id, score, down] =
    /Worst of them is `([^`]+)` with (\d+) points, which was (down for [\d.]+ %)/u.exec(README)!;
  expect([id, score]).toEqual([worst[0]!.id, worst[0]!.score.toFixed(0)]);
  expect(failures.join("\n")).toContain(down!.replace("for ", ""));
  expect(failures.join("\n")).toContain("hardware: CPU, 1440 min");
  expect(failures.join("\n")).toMatch(/critical alert pen_\w+ for downtime/u);
}, 180_000);

function numberOf(text: string): number {
  return Number(text.replaceAll(",", ""));
}
