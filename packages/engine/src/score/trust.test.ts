/** Trust and inactivity (`scoring.md`, sections 2 and 3), through `apply`. */
import { describe, expect, test } from "vitest";
import { METRICS } from "../event/metrics.ts";
import type { Policy } from "../policy/policy.ts";
import { STORAGE_PROVIDER } from "../policy/presets.ts";
import type { TrustEvidence } from "../read/explain.ts";
import { DAY_MS, HOUR_MS, Lab, metric, penalty, policyWith, T0, type Sample } from "../testing/lab.ts";

function trustOf(
  lab: Lab,
  subject: number,
  nowMs = lab.state.now,
): TrustEvidence & { readonly score: number } {
  const { trust, score } = lab.explain(subject, nowMs).components.find(({ name }) => name === "trust")!;
  return { ...trust!, score };
}

/** Every metric at its best, so that the score is above the performance threshold within days. */
function perfect(subject: number, at: number): Sample[] {
  return METRICS.map(({ name, shape }) =>
    metric(subject, name, shape === "bounded" ? 1 : shape === "time" ? 10 : 1e9, at),
  );
}

/** A subject that served well, a sample of each metric every six hours. */
function served(days: number, policy: Policy = STORAGE_PROVIDER): { lab: Lab; subject: number; now: number } {
  const lab = new Lab(policy);
  const subject = lab.register("p");
  let now = T0;
  for (; now < T0 + days * DAY_MS; now += 6 * HOUR_MS) lab.apply(now, { samples: perfect(subject, now) });
  return { lab, subject, now: lab.state.now };
}

describe("trust", () => {
  test("of an empty history is the initial score", () => {
    const lab = new Lab();
    const subject = lab.register("p");
    lab.apply(T0);
    expect(trustOf(lab, subject)).toEqual({
      score: 75,
      evidenceDays: 0,
      averageScore: 75,
      impact: 0,
      recovered: 0,
    });
  });

  test("grows with days of evidence, not with days: 30 of them give full tenure", () => {
    const lab = new Lab();
    const subject = lab.register("p");
    // Two samples on one day are one day; ten silent days are none.
    for (const day of [0, 0.5, 10]) lab.sample(subject, "service_quality", 0.75, T0 + day * DAY_MS);
    const { evidenceDays, averageScore, score } = trustOf(lab, subject);
    expect(evidenceDays).toBe(2);
    expect(score).toBeCloseTo(75 + ((averageScore - 75) * 2) / 30 + (0.2 * 100 * 2) / 30, 10);
    const { lab: long, subject: old } = served(45);
    const full = trustOf(long, old);
    expect(full.evidenceDays).toBe(45);
    expect(full.score).toBeCloseTo(Math.min(100, full.averageScore + 20), 10);
  });

  test("averages the score over the time with evidence, at most max_gap of each silence", () => {
    const lab = new Lab(
      policyWith({ priorWeight: 0, components: { uptime: 0.999, trust: 0.001 }, decayRatePerDay: 0 }),
    );
    const subject = lab.register("p");
    lab.sample(subject, "availability", 1, T0);
    lab.sample(subject, "availability", 0, T0 + DAY_MS);
    lab.sample(subject, "availability", 0, T0 + 11 * DAY_MS);
    // Of the ten silent days three count: a day at 100 and three at 50 (one good and one bad block), with trust's thousandth beside.
    expect(trustOf(lab, subject).averageScore).toBeCloseTo((100 + 3 * 50) / 4, 0);
  });

  test("reaches back over the history retention only", () => {
    const policy = policyWith({
      priorWeight: 0,
      components: { uptime: 0.999, trust: 0.001 },
      historyRetentionMs: 12 * DAY_MS,
    });
    const lab = new Lab(policy);
    const subject = lab.register("p");
    for (let day = 0; day < 20; day++) lab.sample(subject, "availability", 0, T0 + day * DAY_MS);
    expect(trustOf(lab, subject).averageScore).toBeLessThan(1);
    const scores: number[] = [];
    for (let day = 20; day < 40; day++) {
      lab.sample(subject, "availability", 1, T0 + day * DAY_MS);
      scores.push(lab.score(subject));
    }
    // The last twelve days, each with the score it had until the next sample.
    const mean = scores.slice(-13, -1).reduce((sum, score) => sum + score, 0) / 12;
    expect(trustOf(lab, subject).averageScore).toBeCloseTo(mean, 0);
  });

  test("waiting changes no average", () => {
    const { lab, subject, now } = served(5);
    const { averageScore, score } = trustOf(lab, subject);
    for (let day = 1; day < 50; day++) lab.apply(now + day * DAY_MS);
    expect(trustOf(lab, subject)).toMatchObject({ averageScore, score });
  });
});

describe("the impact of penalties on trust", () => {
  test("outlives the penalty and is worked off at .5 points a day while the score is at least 85", () => {
    const { lab, subject, now } = served(60);
    expect(lab.score(subject)).toBeGreaterThan(90);
    lab.apply(now, { acts: [penalty(subject, { penalty: "fraud", points: 1, expiresAt: now + DAY_MS })] });
    expect(trustOf(lab, subject)).toMatchObject({ impact: 0.8, recovered: 0 });
    lab.apply(now + DAY_MS, { samples: perfect(subject, now + DAY_MS) });
    expect(lab.standing(subject).penalties).toEqual([]);
    const { impact, recovered } = trustOf(lab, subject);
    expect(impact).toBe(0.8);
    expect(recovered).toBeGreaterThan(0.4);
    // Read between evaluations as well, and never beyond the impact.
    expect(trustOf(lab, subject, now + 1.5 * DAY_MS).recovered).toBeCloseTo(recovered + 0.25, 10);
    expect(trustOf(lab, subject, now + 20 * DAY_MS).recovered).toBe(0.8);
  });

  test("does not heal below the performance threshold, nor when recovery is off", () => {
    const lab = new Lab();
    const subject = lab.register("p");
    lab.apply(T0, { acts: [penalty(subject, { expiresAt: T0 + DAY_MS })] });
    for (let day = 1; day < 20; day++) lab.sample(subject, "service_quality", 0.8, T0 + day * DAY_MS);
    expect(lab.score(subject)).toBeLessThan(85);
    expect(trustOf(lab, subject)).toMatchObject({ impact: 1.5, recovered: 0 });
    const off = served(60, policyWith({ recoveryEnabled: false }));
    off.lab.apply(off.now, { acts: [penalty(off.subject, { points: 1, expiresAt: off.now + 1 })] });
    for (let day = 1; day < 5; day++)
      off.lab.apply(off.now + day * DAY_MS, { samples: perfect(off.subject, off.now + day * DAY_MS) });
    expect(trustOf(off.lab, off.subject).recovered).toBe(0);
  });

  test("days that were good before a penalty heal nothing of it", () => {
    const { lab, subject, now } = served(60);
    // Ten days without a batch, then the penalty.
    lab.apply(now + 10 * DAY_MS, {
      acts: [penalty(subject, { penalty: "fraud", points: 1, expiresAt: now + 30 * DAY_MS })],
    });
    expect(trustOf(lab, subject)).toMatchObject({ impact: 0.8, recovered: 0 });
  });

  test("goes with a revoked penalty, and what was worked off of it pays for no other", () => {
    const { lab, subject, now } = served(60);
    const acts = [penalty(subject, { penalty: "fraud", points: 10, expiresAt: now + 1 })];
    lab.apply(now, { acts: [penalty(subject, { penalty: "spam", points: 10 })] });
    const [spam] = lab.standing(subject).penalties;
    lab.apply(now + 4 * DAY_MS, { samples: perfect(subject, now + 4 * DAY_MS) });
    const healed = trustOf(lab, subject);
    expect(healed.impact).toBe(1);
    const act = {
      type: "penalty.revoked",
      penaltyId: spam!.penalty.id,
      issuer: "key:test",
      reason: "appeal",
    } as const;
    lab.apply(now + 4 * DAY_MS, { acts: [act] });
    expect(trustOf(lab, subject)).toMatchObject({ impact: 0, recovered: 0 });
    lab.apply(now + 4 * DAY_MS, { acts });
    expect(trustOf(lab, subject)).toMatchObject({ impact: 8, recovered: 0 });
  });
});

describe("inactivity", () => {
  test("takes .1 points a day off each component but trust, down to the minimum, and no more once heard again", () => {
    const { lab, subject, now } = served(40);
    const before = lab.standing(subject, now);
    const silent = lab.standing(subject, now + 10 * DAY_MS);
    for (const [index, component] of silent.components.entries()) {
      const lost = component.name === "trust" ? 0 : 1;
      expect(before.components[index]!.score - component.score).toBeCloseTo(lost, 9);
    }
    // What was earned hides the base below the maximum, so the base is compared.
    const baseOf = ({ components }: typeof before): number =>
      components.reduce((sum, { weight, score }) => sum + weight * score, 0);
    expect(baseOf(before) - baseOf(silent)).toBeCloseTo(0.8, 9);
    const gone = lab.standing(subject, now + 2000 * DAY_MS);
    expect(gone.components.filter(({ name }) => name !== "trust").map(({ score }) => score)).toEqual([
      0, 0, 0, 0,
    ]);
    lab.apply(now + 10 * DAY_MS, { samples: perfect(subject, now + 10 * DAY_MS) });
    expect(lab.score(subject)).toBeGreaterThanOrEqual(before.score - 0.5);
  });

  test("counts from the registration for a subject nobody ever heard of", () => {
    const lab = new Lab();
    const subject = lab.register("p");
    lab.apply(T0);
    expect(lab.score(subject, T0 + 10 * DAY_MS)).toBeCloseTo(75 - 0.8, 10);
  });
});
