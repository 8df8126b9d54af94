/** A policy with another maximum: the scale moves, and nobody on it. */
import { expect, test } from "vitest";
import { STORAGE_PROVIDER } from "../policy/presets.ts";
import { rankBucket } from "../rank/rank-index.ts";
import { worst } from "../read/ranking.ts";
import { rowStart, SCORE } from "../state/row-table.ts";
import { applyAct } from "./act.ts";
import type { Explanation } from "../read/explain.ts";
import {
  activation,
  DAY_MS,
  HOUR_MS,
  Lab,
  metric,
  onScale,
  penalty,
  policyWith,
  reward,
  T0,
} from "../testing/lab.ts";

const SUBJECTS = 40;
/** Under which trust that a penalty has cost recovers soon, and whose network is counted. */
const POLICY = policyWith({ performanceThreshold: 60, sources: [...STORAGE_PROVIDER.sources, "jobs"] });

test("scores, trust and what sanctions take or give stay the same share of the maximum, at once and later", () => {
  const here = historyOf();
  const there = historyOf();
  expect(here.explain(2).components.at(-1)!.trust!.recovered).toBeGreaterThan(0);
  const at = here.state.now;
  there.apply(at, { acts: [activation(onScale(POLICY, 1_000))] });
  here.apply(at);
  for (const laterMs of [0, HOUR_MS, 2 * DAY_MS]) {
    for (const lab of [here, there])
      lab.apply(at + laterMs, { samples: [metric(3, "uptime", 0.9, at + laterMs)] });
    for (let subject = 0; subject < SUBJECTS; subject++) {
      expectClose(sharesOf(there.explain(subject), 1_000), sharesOf(here.explain(subject), 100));
    }
  }
});

test("nobody is told of a change, and places, tiers and percentile cuts stay", () => {
  const lab = historyOf();
  const { rank } = lab.state.kinds[0]!;
  const cuts = [90, 80, 70, 60];
  lab.apply(lab.state.now, {
    acts: [{ type: "tier.cuts", kind: "provider", cuts, rated: SUBJECTS, issuer: "staunch", reason: "test" }],
  });
  const facts = () =>
    worst(lab.state.kinds[0]!, SUBJECTS).map(({ subject, place, tier }) => [subject, place, tier]);
  const before = facts();
  const buckets = Array.from({ length: SUBJECTS }, (_, row) => rank.bucketOf(row));
  const { changes } = lab.apply(lab.state.now, { acts: [activation(onScale(POLICY, 1_000))] });
  expect(changes.count).toBe(0);
  expect(facts()).toEqual(before);
  expect(Array.from({ length: SUBJECTS }, (_, row) => rank.bucketOf(row))).toEqual(buckets);
  expect(lab.state.kinds[0]!.cuts!.scores).toEqual([900, 800, 700, 600]);
});

test("what stands indexed is right before anybody is evaluated again", () => {
  const { state } = historyOf();
  const { table, network, rank } = state.kinds[0]!;
  const scoreOf = (row: number) => table.chunkOf(row).f64[rowStart(row) + SCORE]!;
  const rows = Array.from({ length: SUBJECTS }, (_, row) => row);
  const before = { scores: rows.map(scoreOf), mean: network.scoreSum / network.active };
  applyAct(state, activation(onScale(POLICY, 1_000)));
  expectClose(
    rows.map((row) => scoreOf(row) / 10),
    before.scores,
  );
  expect(rows.map((row) => rank.bucketOf(row))).toEqual(rows.map((row) => rankBucket(scoreOf(row), 1_000)));
  // Totals are of scores rounded to .01.
  expect(Math.abs(network.scoreSum / network.active - 10 * before.mean)).toBeLessThanOrEqual(5);
});

test("a revoked penalty gives back what it took on the scale that is now in force", () => {
  const lab = new Lab(POLICY);
  const subject = lab.register("a");
  lab.apply(T0, { samples: [metric(subject, "uptime", 1, T0)] });
  const before = lab.explain(subject);
  lab.apply(T0, { acts: [penalty(subject, { penalty: "fraud", points: 10 })] });
  lab.apply(T0, { acts: [activation(onScale(POLICY, 1_000))] });
  const [given] = lab.standing(subject).penalties;
  expect(given).toMatchObject({ penalty: { points: 100, deduction: 500, trustImpact: 80 }, points: 500 });
  lab.apply(T0, {
    acts: [{ type: "penalty.revoked", penaltyId: given!.penalty.id, issuer: "key:test", reason: "test" }],
  });
  expectClose(sharesOf(lab.explain(subject), 1_000), sharesOf(before, 100));
});

/** Forty subjects of different quality over ten days, some with sanctions of every kind. */
function historyOf(): Lab {
  const lab = new Lab(POLICY);
  for (let subject = 0; subject < SUBJECTS; subject++) lab.register(`node-${subject}`);
  lab.apply(T0, { acts: [penalty(2, { penalty: "data_loss", points: 7, expiresAt: T0 + HOUR_MS })] });
  for (let hour = 0; hour < 10 * 24; hour += 3) {
    const at = T0 + hour * HOUR_MS;
    const samples = Array.from({ length: SUBJECTS }, (_, subject) =>
      metric(subject, "uptime", 1 - subject / (2 * SUBJECTS), at),
    );
    lab.apply(at, { samples });
  }
  const at = lab.state.now;
  lab.apply(at, {
    acts: [
      penalty(0, { penalty: "fraud", points: 12, at, expiresAt: at + 3 * DAY_MS, fade: "linear" }),
      penalty(1, { points: null, fraction: 0.2, at }),
      reward(5, { points: 9, at }),
    ],
  });
  return lab;
}

/** Everything in points, as shares of the maximum. */
function sharesOf({ standing, contributions, components }: Explanation, maxScore: number): number[] {
  const points = [
    standing.score,
    standing.lower,
    standing.upper,
    ...contributions.map((one) => one.points),
    ...standing.penalties.flatMap(({ penalty: { deduction, trustImpact } }) => [deduction, trustImpact]),
    ...standing.rewards.map(({ reward: { value } }) => value),
    ...components.flatMap(({ score, trust }) =>
      trust === null ? [score] : [score, trust.averageScore, trust.impact, trust.recovered],
    ),
  ];
  return points.map((one) => one / maxScore);
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.map((share) => share.toFixed(10))).toEqual(expected.map((share) => share.toFixed(10)));
}
