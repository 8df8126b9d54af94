/** The provider document: its three tests, and every constant of its tables, through `apply`. */
import { describe, expect, test } from "vitest";
import { METRICS, type MetricName } from "../event/metrics.ts";
import { STORAGE_PROVIDER } from "../policy/presets.ts";
import { PENALTY_TYPES, SEVERITIES, type PenaltyType, type RewardType } from "../policy/vocabulary.ts";
import { penaltyTerm, type Penalty } from "../sanction/sanction.ts";
import {
  ban,
  DAY_MS,
  HOUR_MS,
  Lab,
  metric,
  MINUTE_MS,
  penalty,
  policyWith,
  reward,
  T0,
} from "../testing/lab.ts";

const DOCUMENT_ALERTS = policyWith({ alerts: { ...STORAGE_PROVIDER.alerts, mode: "document" } });

describe("TestReputationManager", () => {
  test("a good metric raises uptime above the initial score, a penalty lowers the overall score", () => {
    const lab = new Lab();
    const provider = lab.register("test_provider");
    lab.sample(provider, "uptime", 0.99, T0, { weight: 1 });
    const before = lab.standing(provider);
    expect(lab.component(provider, "uptime").score).toBeGreaterThan(75);
    // (.99 + 10 x .75) / 11 of the maximum.
    expect(lab.component(provider, "uptime").score).toBeCloseTo((100 * (0.99 + 7.5)) / 11, 10);

    lab.apply(T0, {
      acts: [penalty(provider, { severity: "major", points: 20, reason: "Extended downtime" })],
    });
    expect(lab.score(provider)).toBeLessThan(before.score);
    // 20 points x 4 for major x 1 for downtime are more than it has; trust falls by 20 x .3.
    expect(lab.standing(provider).penalties[0]!.points).toBe(80);
    expect(lab.score(provider)).toBe(0);
    expect(lab.component(provider, "trust").score).toBeCloseTo(75 + 20 / 30 - 6, 10);
  });
});

describe("TestScoreCalculator", () => {
  /** The uptime component after samples that lie one slot apart. */
  function uptimeOf(values: readonly number[]): number {
    const lab = new Lab();
    const provider = lab.register("p");
    values.forEach((value, index) => lab.sample(provider, "uptime", value, T0 + index * 5 * MINUTE_MS));
    return lab.component(provider, "uptime").score;
  }

  test("high uptime gives more than the initial score, poor uptime less than that", () => {
    const score = uptimeOf([0.99, 0.98, 0.995]);
    const poor = uptimeOf([0.5, 0.6]);
    expect(score).toBeGreaterThan(75);
    expect(poor).toBeLessThan(score);
    expect(poor).toBeLessThan(75);
    // Slots of one block are one observation: their mean.
    expect(score).toBeCloseTo((100 * ((0.99 + 0.98 + 0.995) / 3 + 7.5)) / 11, 10);
  });
});

describe("TestPerformanceTracker", () => {
  test("ten metrics make an aggregate, and one below the threshold a penalty", () => {
    const lab = new Lab(DOCUMENT_ALERTS, { aggregates: true });
    const provider = lab.register("test_provider");
    const samples = Array.from({ length: 10 }, (_, i) =>
      metric(provider, "uptime", 0.98 + i * 0.001, T0 + (20 - i) * MINUTE_MS),
    );
    lab.apply(T0 + 20 * MINUTE_MS, { samples });
    const aggregate = lab.state.kinds[0]!.aggregates!.read(0, 0, lab.state.now)!;
    expect(aggregate.count).toBe(10);
    expect(aggregate.average).toBeCloseTo(0.9845, 12);
    expect(aggregate.min).toBe(0.98);
    expect(aggregate.max).toBeCloseTo(0.989, 12);
    expect(aggregate.percentiles![50]).toBeCloseTo(0.984, 12);
    expect(lab.standing(provider).penalties).toEqual([]);

    lab.sample(provider, "uptime", 0.8, T0 + 21 * MINUTE_MS);
    const [inForce, ...others] = lab.standing(provider).penalties;
    expect(others).toEqual([]);
    expect(inForce!.penalty).toMatchObject({
      type: "downtime",
      severity: "minor",
      points: 5,
      expiresAt: lab.state.now + 24 * HOUR_MS,
      context: { metric_type: "uptime", metric_value: 0.8, threshold: 0.95 },
    });
  });
});

describe("the tables of the document", () => {
  test("severities multiply the points of a penalty", () => {
    for (const [severity, multiplier] of [
      ["minor", 1],
      ["moderate", 2],
      ["major", 4],
      ["critical", 8],
    ] as const) {
      const lab = new Lab();
      const provider = lab.register("p");
      lab.apply(T0, { acts: [penalty(provider, { severity, points: 2 })] });
      expect(lab.standing(provider).penalties[0]!.points).toBe(2 * multiplier);
    }
    expect(SEVERITIES).toHaveLength(4);
  });

  test("types weigh the points of a penalty, and lower trust by their own factor of the points", () => {
    const table: Readonly<Record<PenaltyType, readonly [weight: number, trust: number]>> = {
      downtime: [1, 0.3],
      slow_response: [0.5, 0.2],
      data_loss: [2, 0.6],
      unavailability: [1.5, 0.4],
      contract_breach: [3, 0.5],
      fraud: [5, 0.8],
      malicious_behavior: [4, 0.7],
      poor_performance: [0.8, 0.3],
      job_timeout: [1, 0.1],
      job_failure: [1, 0.1],
      network_issues: [1, 0.1],
      resource_abuse: [1, 0.1],
      invalid_result: [1, 0.1],
      spam: [1, 0.1],
      ban: [1, 0.1],
      rate_limit: [1, 0.1],
    };
    for (const type of PENALTY_TYPES) {
      const lab = new Lab();
      const provider = lab.register("p");
      lab.apply(T0, { acts: [penalty(provider, { penalty: type, severity: "moderate", points: 3 })] });
      const [weight, trust] = table[type];
      expect(lab.standing(provider).penalties[0]!.points).toBeCloseTo(3 * 2 * weight, 12);
      expect(lab.component(provider, "trust").score).toBeCloseTo(75 - 3 * trust, 12);
    }
  });

  test("a fraction is a share of the maximum, times the type's weight, whatever the severity", () => {
    const lab = new Lab();
    const provider = lab.register("p");
    lab.apply(T0, {
      acts: [penalty(provider, { points: null, fraction: 0.05, severity: "critical", penalty: "data_loss" })],
    });
    expect(lab.standing(provider).penalties[0]!.points).toBe(0.05 * 100 * 2);
    expect(lab.component(provider, "trust").score).toBe(75 - 5 * 0.6);
  });

  test("types multiply the points of a reward, which lasts for the history retention", () => {
    const table: Readonly<Record<RewardType, number>> = {
      high_uptime: 1.2,
      fast_response: 1.1,
      data_integrity: 1.5,
      long_term_service: 1.3,
      exceptional_performance: 1.4,
      community_contribution: 1.1,
    };
    for (const [type, multiplier] of Object.entries(table)) {
      const lab = new Lab();
      const provider = lab.register("p");
      lab.apply(T0, { acts: [reward(provider, { reward: type as RewardType, points: 4 })] });
      const [inForce] = lab.standing(provider).rewards;
      expect(inForce!.points).toBeCloseTo(4 * multiplier, 12);
      expect(lab.score(provider)).toBeCloseTo(75 + 4 * multiplier, 12);
      expect(inForce!.reward.expiresAt - T0).toBe(720 * HOUR_MS);
      const effects = lab.apply(T0 + 720 * HOUR_MS);
      expect(effects.list.map((effect) => effect.type)).toContain("reward.ended");
      expect(lab.standing(provider).rewards).toEqual([]);
    }
  });

  test("components weigh .25, .20, .20, .15 and .20 and start at 75", () => {
    const lab = new Lab();
    const provider = lab.register("p");
    lab.apply(T0);
    const { components, score } = lab.standing(provider);
    expect(score).toBe(75);
    expect(components.map(({ name, weight, score: own }) => [name, weight, own])).toEqual([
      ["reliability", 0.25, 75],
      ["performance", 0.2, 75],
      ["uptime", 0.2, 75],
      ["response", 0.15, 75],
      ["trust", 0.2, 75],
    ]);
  });

  test("each metric feeds its components with its weight", () => {
    const feeds: Readonly<Record<MetricName, readonly [weight: number, components: readonly string[]]>> = {
      uptime: [1, ["uptime"]],
      response_time: [0.8, ["performance", "response"]],
      throughput: [0.9, ["performance"]],
      availability: [1, ["uptime"]],
      data_integrity: [1.2, ["reliability"]],
      network_latency: [0.7, ["response"]],
      storage_reliability: [1.1, ["reliability"]],
      service_quality: [0.9, ["performance"]],
    };
    for (const { name, shape } of METRICS) {
      const lab = new Lab(policyWith({ alerts: { ...STORAGE_PROVIDER.alerts, opensAfter: 1000 } }));
      const provider = lab.register("p");
      // A utility of 1, or of nearly 1 for throughput.
      const value = shape === "bounded" ? 1 : shape === "time" ? 0 : 1e12;
      lab.sample(provider, name, value, T0);
      const [weight, components] = feeds[name];
      for (const { name: component, score } of lab.standing(provider).components) {
        if (component === "trust") continue;
        const expected = components.includes(component) ? (100 * (weight + 7.5)) / (weight + 10) : 75;
        expect(score, `${name} in ${component}`).toBeCloseTo(expected, 2);
      }
    }
  });
});

describe("alerts as the document has them", () => {
  /** Opens the alert of one sample and returns the penalty, or null when there is none. */
  function alertOf(name: MetricName, value: number, thresholds = STORAGE_PROVIDER): Penalty | null {
    const lab = new Lab({ ...thresholds, alerts: { ...thresholds.alerts, mode: "document" } });
    const provider = lab.register("p");
    lab.sample(provider, name, value, T0);
    return lab.standing(provider).penalties[0]?.penalty ?? null;
  }

  test.each([
    ["uptime", 0.95, 0.949, "downtime"],
    ["availability", 0.98, 0.979, "downtime"],
    ["data_integrity", 0.999, 0.9989, "data_loss"],
    ["response_time", 1000, 1001, "slow_response"],
    ["network_latency", 500, 501, "slow_response"],
  ] as const)("%s: %d is no breach, %d is one, of type %s", (name, at, past, type) => {
    expect(alertOf(name, at)).toBeNull();
    expect(alertOf(name, past)).toMatchObject({ type, severity: "minor", points: 5 });
  });

  test("metrics without a threshold never alert; with one they are poor performance", () => {
    for (const name of ["storage_reliability", "service_quality", "throughput"] as const) {
      expect(alertOf(name, 0)).toBeNull();
      const metrics = {
        ...STORAGE_PROVIDER.metrics,
        [name]: { ...STORAGE_PROVIDER.metrics[name], alertThreshold: 0.9 },
      };
      expect(alertOf(name, 0.89, policyWith({ metrics }))).toMatchObject({
        type: "poor_performance",
        severity: "minor",
      });
    }
  });

  test.each([
    [1001, "minor", 5, 5],
    [1200, "minor", 5, 5],
    [1201, "moderate", 10, 20],
    [2000, "moderate", 10, 20],
    [2001, "major", 20, 80],
    [4000, "major", 20, 80],
    [4001, "critical", 40, 320],
  ] as const)(
    "%d ms against 1000 is %s: %d points, %d with the severity's multiplier",
    (value, severity, points, product) => {
      const alert = alertOf("response_time", value)!;
      expect(alert).toMatchObject({ severity, points });
      expect(alert.deduction).toBe(product * 0.5);
    },
  );

  test.each([
    [0.94, "minor"],
    [0.95 / 1.21, "moderate"],
    [0.95 / 2.01, "major"],
    [0.95 / 4.01, "critical"],
    [0, "critical"],
  ] as const)("uptime of %d against .95 is %s", (value, severity) => {
    expect(alertOf("uptime", value)!.severity).toBe(severity);
  });

  test("one critical sample costs 320 points of downtime or 640 of data loss and holds a provider at 0 for 17 hours", () => {
    expect(alertOf("uptime", 0)!.deduction).toBe(320);
    expect(alertOf("data_integrity", 0)!.deduction).toBe(640);
    const lab = new Lab(DOCUMENT_ALERTS);
    const provider = lab.register("p");
    // A provider at about 93 before it fails.
    for (let hour = 0; hour < 40 * 24; hour++) {
      const at = T0 + hour * HOUR_MS;
      const good = METRICS.map(({ name, shape }) =>
        metric(provider, name, shape === "bounded" ? 1 : shape === "time" ? 30 : 2e8, at),
      );
      lab.apply(at, { samples: good });
    }
    const failedAt = T0 + 40 * DAY_MS;
    lab.sample(provider, "uptime", 0, failedAt);
    expect(lab.score(provider, failedAt + 16 * HOUR_MS)).toBe(0);
    expect(lab.score(provider, failedAt + 17.5 * HOUR_MS)).toBeGreaterThan(0);
  });
});

describe("sanctions in force", () => {
  test("a penalty without expiry lasts until revoked, one with expiry until then, at full weight without fading", () => {
    const lab = new Lab();
    const provider = lab.register("p");
    lab.apply(T0, { acts: [penalty(provider), penalty(provider, { points: 7, expiresAt: T0 + DAY_MS })] });
    const [lasting] = lab.standing(provider).penalties;
    expect(lab.standing(provider, T0 + DAY_MS - 1).penalties.map(({ points }) => points)).toEqual([5, 7]);
    expect(lab.standing(provider, T0 + DAY_MS).penalties.map(({ points }) => points)).toEqual([5]);
    const ended = lab.apply(T0 + DAY_MS).list;
    expect(ended.map(({ type }) => type)).toContain("penalty.ended");
    expect(lab.standing(provider, T0 + 1000 * DAY_MS).penalties).toHaveLength(1);
    const accountable = { issuer: "key:test", reason: "appeal" };
    const { results } = lab.apply(T0 + 2 * DAY_MS, {
      acts: [{ type: "penalty.revoked", penaltyId: lasting!.penalty.id, ...accountable }],
    });
    expect(results.at(-1)).toMatchObject({ type: "applied", acts: [{ type: "done" }] });
    expect(lab.standing(provider).penalties).toEqual([]);
  });

  test("a fading penalty shrinks in a straight line to nothing at its expiry", () => {
    const lab = new Lab();
    const provider = lab.register("p");
    lab.apply(T0, { acts: [penalty(provider, { points: 8, expiresAt: T0 + DAY_MS, fade: "linear" })] });
    const points = [0, 6, 12, 18].map(
      (hour) => lab.standing(provider, T0 + hour * HOUR_MS).penalties[0]!.points,
    );
    expect(points).toEqual([8, 6, 4, 2]);
    expect(lab.standing(provider, T0 + DAY_MS).penalties).toEqual([]);
  });

  test("a worker's penalty without an end lasts a week and fades, a provider's until revoked", () => {
    const nothing = { expiresAt: undefined, fade: undefined };
    const term = (type: PenaltyType, asked = {}): object =>
      penaltyTerm(STORAGE_PROVIDER, type, { ...nothing, ...asked }, T0);
    expect(term("job_timeout")).toEqual({ expiresAt: T0 + 7 * DAY_MS, fade: "linear" });
    expect(term("job_timeout", { fade: "none" })).toEqual({ expiresAt: T0 + 7 * DAY_MS, fade: "none" });
    expect(term("job_timeout", { expiresAt: T0 + 1 })).toEqual({ expiresAt: T0 + 1, fade: "linear" });
    expect(term("job_timeout", { expiresAt: null })).toEqual({ expiresAt: null, fade: "none" });
    expect(term("fraud")).toEqual({ expiresAt: null, fade: "none" });
    expect(term("fraud", { expiresAt: T0 + 1 })).toEqual({ expiresAt: T0 + 1, fade: "none" });
  });

  test("rewards add at most 20 together and never buffer a penalty", () => {
    const lab = new Lab();
    const provider = lab.register("p");
    lab.apply(T0, {
      acts: Array.from({ length: 3 }, () => reward(provider, { reward: "data_integrity", points: 8 })),
    });
    expect(lab.standing(provider).rewards.map(({ points }) => points)).toEqual([12, 8, 0]);
    expect(lab.score(provider)).toBe(95);
    const rich = new Lab(policyWith({ initialScore: 99 }));
    const best = rich.register("p");
    rich.apply(T0, { acts: [reward(best, { points: 10 })] });
    expect(rich.score(best)).toBe(100);
    rich.apply(T0, { acts: [penalty(best, { penalty: "downtime", points: 3 })] });
    // min(100, 99 + 12) - 3: the reward's surplus over the maximum pays for nothing.
    expect(rich.score(best)).toBeCloseTo(97, 10);
  });

  test("a ban takes a provider out of the ranking until it expires or is revoked", () => {
    const lab = new Lab();
    const provider = lab.register("p");
    lab.apply(T0, { samples: [metric(provider, "uptime", 1, T0)] });
    expect(lab.standing(provider)).toMatchObject({ banned: false, place: 1 });
    const started = lab.apply(T0 + 1, { acts: [ban(provider, T0 + DAY_MS), ban(provider, null)] });
    expect(started.list.map(({ type }) => type)).toContain("ban.started");
    expect(lab.standing(provider)).toMatchObject({ banned: true, place: null, ranked: 0 });
    // The first ends, the second goes on.
    expect(lab.apply(T0 + DAY_MS).list.map(({ type }) => type)).not.toContain("ban.ended");
    const lasting = lab.standing(provider).penalties[0]!.penalty;
    const act = {
      type: "penalty.revoked",
      penaltyId: lasting.id,
      issuer: "key:test",
      reason: "appeal",
    } as const;
    expect(lab.apply(T0 + DAY_MS + 1, { acts: [act] }).list.map(({ type }) => type)).toContain("ban.ended");
    expect(lab.standing(provider)).toMatchObject({ banned: false, place: 1, ranked: 1 });
  });

  test("what cannot be done is a result", () => {
    const lab = new Lab();
    const provider = lab.register("p");
    lab.apply(T0, { acts: [penalty(provider, { expiresAt: T0 + 1 }), reward(provider)] });
    const penaltyId = lab.standing(provider).penalties[0]!.penalty.id;
    const rewardId = lab.standing(provider).rewards[0]!.reward.id;
    lab.apply(T0 + 1);
    const accountable = { issuer: "key:test", reason: "test" };
    const { results } = lab.apply(T0 + 2, {
      acts: [
        { type: "penalty.revoked", penaltyId: "pen_0_0", ...accountable },
        { type: "penalty.revoked", penaltyId, ...accountable },
        { type: "penalty.revoked", penaltyId, ...accountable },
        { type: "reward.revoked", rewardId: "rew_0_0", ...accountable },
        { type: "reward.revoked", rewardId, ...accountable },
        { type: "reward.revoked", rewardId, ...accountable },
      ],
    });
    expect(results[0]).toEqual({
      type: "applied",
      acts: [
        { type: "penalty_not_found", id: "pen_0_0" },
        { type: "done", id: penaltyId },
        { type: "penalty_not_active", id: penaltyId, status: "revoked" },
        { type: "reward_not_found", id: "rew_0_0" },
        { type: "done", id: rewardId },
        { type: "reward_not_active", id: rewardId, status: "revoked" },
      ],
      refusedJobs: [],
      selections: [],
    });
  });

  test("a penalty that has ended is undone all the same: its cost in trust is given back", () => {
    const lab = new Lab();
    const provider = lab.register("p");
    lab.apply(T0);
    const trust = (): number => lab.component(provider, "trust").score;
    const before = trust();
    lab.apply(T0 + 1, { acts: [penalty(provider, { penalty: "fraud", points: 20, expiresAt: T0 + 2 })] });
    const { id } = lab.standing(provider, T0 + 1).penalties[0]!.penalty;
    lab.apply(T0 + 3);
    expect(trust()).toBeCloseTo(before - 16, 9);
    const undone = {
      type: "penalty.revoked",
      penaltyId: id,
      issuer: "key:judge",
      reason: "appeal upheld",
    } as const;
    expect(lab.apply(T0 + 4, { acts: [undone] }).list.map(({ type }) => type)).toContain("penalty.revoked");
    expect(trust()).toBeCloseTo(before, 9);
  });
});
