/** The README's table of tiers is what a replay through the engine ends with. */
import { readFileSync } from "node:fs";
import { apply, createState, EMPTY_ENTRY, kindNamed, parsePolicy, type State } from "@staunch/engine";
import { expect, test } from "vitest";
import { mergeBatches } from "../../packages/server/src/app/import/merge-batches.ts";
import { RECENT_DAYS, recentRanking } from "../../packages/server/src/cli/recent.ts";
import { LANL_FILE, LANL_KIND, lanlSource } from "./lanl.ts";
import { LANL_POLICY } from "./policy.ts";

const README = readFileSync(new URL("README.md", import.meta.url), "utf8");

// Four and a half million samples are folded: half a minute on a busy machine.
test("the README tells in which tiers the nodes end, how many are silent, and who is worst", () => {
  const state = replayed();
  const { tiers, silent, worst } = recentRanking(kindNamed(state, LANL_KIND)!, state.now, 1);
  const rows = README.matchAll(/^\| (platinum|gold|silver|bronze|basic) +\| ([\d,]+) +\|$/gmu);
  const told = [...rows].map(([, tier, nodes]) => ({ tier, subjects: numberOf(nodes!) }));
  expect(told).toEqual(tiers);
  const [, inService] = /At the end ([\d,]+) nodes are in service/u.exec(README)!;
  expect(numberOf(inService!)).toBe(tiers.reduce((sum, { subjects }) => sum + subjects, 0));
  const [, silentTold] = /The other ([\d,]+) were\sdecommissioned/u.exec(README)!;
  expect(numberOf(silentTold!)).toBe(silent);
  const [, id, score] = /Worst of them is `([^`]+)` with (\d+) points/u.exec(README)!;
  expect([id, score]).toEqual([state.ids.at(worst[0]!.subject), worst[0]!.score.toFixed(0)]);
  expect(README).toContain(`silent for more than ${RECENT_DAYS} days`);
}, 120_000);

/** As `staunch replay lanl --clock recorded` does it, without the log. */
function replayed(): State {
  const parsed = parsePolicy(LANL_POLICY);
  if (parsed.type !== "ok") throw new Error(JSON.stringify(parsed.problems));
  const state = createState({ seed: 1, policies: { [LANL_KIND]: parsed.policy }, aggregates: false });
  const source = lanlSource(readFileSync(LANL_FILE));
  let introduced = 0;
  let position = 0;
  for (const { loggedAt, subjects, samples } of mergeBatches(source.batches())) {
    const registrations = subjects.map(({ id, kind }) => ({ number: introduced++, kind, id }));
    position += 1;
    apply(state, { position, loggedAt, entries: [{ ...EMPTY_ENTRY, registrations, samples }] });
  }
  return state;
}

function numberOf(text: string): number {
  return Number(text.replaceAll(",", ""));
}
