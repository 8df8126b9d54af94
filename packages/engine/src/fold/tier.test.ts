/** Tiers (`scoring.md`, section 8), through `apply`. */
import { describe, expect, test } from "vitest";
import { METRICS } from "../event/metrics.ts";
import type { Policy } from "../policy/policy.ts";
import { STORAGE_PROVIDER } from "../policy/presets.ts";
import { percentileCuts } from "../read/ranking.ts";
import {
  activation,
  DAY_MS,
  Lab,
  metric,
  MINUTE_MS,
  penalty,
  policyWith,
  T0,
  type Sample,
} from "../testing/lab.ts";

const SCORE_MODE = policyWith({ tiers: { ...STORAGE_PROVIDER.tiers, mode: "score" } });

/** A policy under which the score is the mean of uptime, and a sample each five minutes an observation. */
function direct(change: Partial<Policy> = {}): Policy {
  return policyWith({
    components: { uptime: 1 },
    priorWeight: 0,
    blockMs: 5 * MINUTE_MS,
    trustThreshold: 0,
    tiers: SCORE_MODE.tiers,
    metrics: {
      ...STORAGE_PROVIDER.metrics,
      availability: { ...STORAGE_PROVIDER.metrics.availability, alertThreshold: null },
    },
    ...change,
  });
}

function fill(lab: Lab, subject: number, value: number, count: number, from = lab.state.now): void {
  for (let step = 1; step <= count; step++)
    lab.sample(subject, "availability", value, from + step * 5 * MINUTE_MS);
}

describe("a newcomer", () => {
  test("is in the last tier until there is minimum evidence, then placed by point score", () => {
    const lab = new Lab(direct());
    const subject = lab.register("p");
    lab.apply(T0);
    expect(lab.standing(subject).tier).toBe("basic");
    fill(lab, subject, 0.99, 9);
    expect(lab.standing(subject)).toMatchObject({ tier: "basic", score: expect.closeTo(99, 6) });
    const { list } = lab.sample(subject, "availability", 0.99, lab.state.now + 5 * MINUTE_MS);
    expect(list).toContainEqual({
      type: "tier.changed",
      subject,
      from: "basic",
      to: "platinum",
      score: expect.closeTo(99, 6),
    });
    expect(lab.standing(subject).tier).toBe("platinum");
  });

  test("is placed whatever its trust: only who has been placed is held back", () => {
    const lab = new Lab(direct({ trustThreshold: 99 }));
    const subject = lab.register("p");
    fill(lab, subject, 0.99, 10, T0);
    expect(lab.standing(subject).tier).toBe("platinum");
  });

  test.each([
    [0.95, "platinum"],
    [0.949, "gold"],
    [0.85, "gold"],
    [0.75, "silver"],
    [0.65, "bronze"],
    [0.649, "basic"],
  ])("with %d is placed as %s", (value, tier) => {
    const lab = new Lab(direct());
    const subject = lab.register("p");
    // Adding equal numbers rounds; a hair above the cut is at the cut.
    fill(lab, subject, value + 1e-9, 10, T0);
    expect(lab.standing(subject).tier).toBe(tier);
  });
});

describe("moving", () => {
  test("takes two evaluations past the cut by the margin, an update interval apart", () => {
    const lab = new Lab(direct({ updateIntervalMs: DAY_MS }));
    const subject = lab.register("p");
    fill(lab, subject, 0.9, 10, T0);
    expect(lab.standing(subject).tier).toBe("gold");
    const placedAt = lab.state.now;
    // Far below the cut of 85, but within the first interval nothing is evaluated.
    fill(lab, subject, 0, 20);
    expect(lab.score(subject)).toBeLessThan(65);
    expect(lab.standing(subject).tier).toBe("gold");
    lab.sample(subject, "availability", 0, placedAt + DAY_MS);
    expect(lab.standing(subject).tier).toBe("gold");
    lab.sample(subject, "availability", 0, placedAt + 2 * DAY_MS - 1);
    expect(lab.standing(subject).tier).toBe("gold");
    lab.sample(subject, "availability", 0, placedAt + 2 * DAY_MS);
    expect(lab.standing(subject).tier).toBe("basic");
  });

  test("does not happen within a quarter of the distance to the next cut", () => {
    const lab = new Lab(direct());
    const subject = lab.register("p");
    fill(lab, subject, 0.9, 50, T0);
    expect(lab.standing(subject).tier).toBe("gold");
    // Between 85 - 2.5 and 85: past the cut, inside the margin.
    while (lab.score(subject) > 84) fill(lab, subject, 0, 1);
    fill(lab, subject, 0.84, 20);
    expect(lab.score(subject)).toBeGreaterThan(82.5);
    expect(lab.score(subject)).toBeLessThan(85);
    expect(lab.standing(subject).tier).toBe("gold");
    while (lab.score(subject) > 82) fill(lab, subject, 0.5, 1);
    fill(lab, subject, 0.8, 2);
    expect(lab.standing(subject).tier).toBe("silver");
    const above = lab.explain(subject).thresholds.find(({ direction }) => direction === "above")!;
    expect(above).toMatchObject({ name: "gold", score: expect.closeTo(87.5, 6) });
    expect(above.distance).toBeCloseTo(87.5 - lab.score(subject), 10);
  });

  test("up is held back below the trust threshold", () => {
    const up = (trustThreshold: number): string => {
      const lab = new Lab(direct({ trustThreshold }));
      const subject = lab.register("p");
      fill(lab, subject, 0.7, 10, T0);
      fill(lab, subject, 1, 400);
      expect(lab.score(subject)).toBeGreaterThan(97);
      return lab.standing(subject).tier;
    };
    expect(up(0)).toBe("platinum");
    // Trust of two days of evidence is far below 99.
    expect(up(99)).toBe("bronze");
  });

  test("by time alone comes at the instant, not at the next sample", () => {
    const lab = new Lab();
    const subject = lab.register("p");
    const acts = [penalty(subject, { points: 30, at: T0, expiresAt: T0 + DAY_MS, fade: "linear" })];
    lab.apply(T0, { samples: [metric(subject, "uptime", 1, T0)], acts });
    let found = 0;
    for (let now = T0 + MINUTE_MS; found === 0 && now < T0 + DAY_MS; ) {
      const { list, loggedAt } = lab.apply(now);
      if (list.some(({ type }) => type === "score.recovered")) found = loggedAt;
      now = Math.min(lab.state.deadlines.peekDueAt(), now + MINUTE_MS);
    }
    expect(lab.score(subject, found)).toBeGreaterThanOrEqual(60);
    expect(lab.score(subject, found - 1)).toBeLessThan(60);
  });
});

describe("cuts", () => {
  const accountable = { issuer: "network", reason: "daily" };
  test("are the ranking's percentiles from 20 rated subjects on, the policy's scores before", () => {
    const tiers = { ...STORAGE_PROVIDER.tiers, mode: "percentile" as const };
    for (const [rated, tier] of [
      [19, "bronze"],
      [20, "platinum"],
    ] as const) {
      const lab = new Lab(direct({ tiers }));
      const subject = lab.register("p");
      lab.apply(T0, {
        acts: [{ type: "tier.cuts", kind: "provider", cuts: [60, 50, 40, 30], rated, ...accountable }],
      });
      fill(lab, subject, 0.7, 10, T0);
      expect(lab.standing(subject).tier).toBe(tier);
    }
    const fixed = new Lab(direct());
    const subject = fixed.register("p");
    fixed.apply(T0, {
      acts: [{ type: "tier.cuts", kind: "provider", cuts: [60, 50, 40, 30], rated: 100, ...accountable }],
    });
    fill(fixed, subject, 0.7, 10, T0);
    expect(fixed.standing(subject).tier).toBe("bronze");
  });

  test("are where the top 5, 20, 50 and 80 % start", () => {
    const lab = new Lab(direct());
    const subjects = Array.from({ length: 100 }, (_, index) => lab.register(`p${index}`));
    lab.apply(T0, {
      samples: subjects.map((subject) => metric(subject, "availability", (subject + 1) / 100, T0)),
    });
    expect(percentileCuts(lab.state.kinds[0]!)).toEqual([96, 81, 51, 21]);
  });

  test("outlast a policy that changes something else, and fall with one that cuts otherwise", () => {
    const tiers = { ...STORAGE_PROVIDER.tiers, mode: "percentile" as const };
    const lab = new Lab(direct({ tiers }));
    lab.apply(T0, {
      acts: [{ type: "tier.cuts", kind: "provider", cuts: [60, 50, 40, 30], rated: 30, ...accountable }],
    });
    lab.apply(T0, { acts: [activation(direct({ tiers, lowThreshold: 40 }))] });
    expect(lab.state.kinds[0]!.cuts).toEqual({ scores: [60, 50, 40, 30], rated: 30 });
    const percentileCutsMoved = { ...tiers, percentileCuts: [0.1, 0.2, 0.5, 0.8] };
    lab.apply(T0, { acts: [activation(direct({ tiers: percentileCutsMoved }))] });
    expect(lab.state.kinds[0]!.cuts).toBeNull();
  });

  test("of another number of tiers are left out", () => {
    const lab = new Lab(direct({ tiers: { ...STORAGE_PROVIDER.tiers, mode: "percentile" } }));
    const subject = lab.register("p");
    lab.apply(T0, {
      acts: [{ type: "tier.cuts", kind: "provider", cuts: [60], rated: 100, ...accountable }],
    });
    fill(lab, subject, 0.1, 10, T0);
    expect(lab.standing(subject).tier).toBe("basic");
  });
});

describe("a policy with other tiers", () => {
  test("keeps tiers by name and places everybody anew", () => {
    const lab = new Lab(direct());
    const subject = lab.register("p");
    fill(lab, subject, 0.7, 12, T0);
    expect(lab.standing(subject).tier).toBe("bronze");
    const tiers = { ...SCORE_MODE.tiers, names: ["good", "bronze"], scoreCuts: [60], percentileCuts: [0.5] };
    const { list } = lab.apply(lab.state.now + MINUTE_MS, { acts: [activation(direct({ tiers }))] });
    expect(list).toContainEqual({ type: "policy.activated", kind: "provider", policy: "storage-provider" });
    const moved = [...list, ...lab.apply(lab.state.now + MINUTE_MS).list].filter(
      ({ type }) => type === "tier.changed",
    );
    expect(moved).toEqual([
      { type: "tier.changed", subject, from: "bronze", to: "good", score: expect.closeTo(70, 3) },
    ]);
    expect(lab.standing(subject).tier).toBe("good");
    const fewer = { ...SCORE_MODE.tiers, names: ["only"], scoreCuts: [], percentileCuts: [] };
    lab.apply(lab.state.now + MINUTE_MS, { acts: [activation(direct({ tiers: fewer }))] });
    expect(lab.standing(subject).tier).toBe("only");
  });
});

describe("the low threshold", () => {
  test("is announced when crossed, once in each direction", () => {
    const lab = new Lab();
    const subject = lab.register("p");
    const types = (samples: Sample[], acts: Parameters<Lab["apply"]>[1]["acts"] = []): string[] =>
      lab.apply(lab.state.now + 1, { samples, acts: acts }).list.map(({ type }) => type);
    lab.apply(T0, { samples: [METRICS[0]].map(({ name }) => metric(subject, name, 1, T0)) });
    expect(types([], [penalty(subject, { points: 20 })])).toContain("score.low");
    expect(types([], [penalty(subject, { points: 1 })])).not.toContain("score.low");
    const [first] = lab.standing(subject).penalties;
    const act = {
      type: "penalty.revoked",
      penaltyId: first!.penalty.id,
      issuer: "key:test",
      reason: "appeal",
    } as const;
    expect(types([], [act])).toContain("score.recovered");
  });
});
