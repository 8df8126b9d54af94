/** Component estimators (`scoring.md`, section 2), through `apply`. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { METRICS, type MetricName } from "../event/metrics.ts";
import { utilityOf } from "../policy/compile.ts";
import type { Policy } from "../policy/policy.ts";
import { STORAGE_PROVIDER } from "../policy/presets.ts";
import { randomFrom } from "../testing/history.ts";
import {
  activation,
  DAY_MS,
  HOUR_MS,
  Lab,
  metric,
  MINUTE_MS,
  policyWith,
  T0,
  type Sample,
} from "../testing/lab.ts";

/** Alerts never open: what is looked at here are the means. */
const QUIET = policyWith({ alerts: { ...STORAGE_PROVIDER.alerts, opensAfter: 60_000 } });

const SLOT_MS = 5 * MINUTE_MS;
const BLOCK_MS = 6 * HOUR_MS;

/** A component after samples, each in a batch of its own. */
function scoreOf(component: string, samples: readonly Sample[], policy: Policy = STORAGE_PROVIDER): number {
  const lab = new Lab(policy);
  const subject = lab.register("p");
  for (const sample of samples)
    lab.apply(Math.max(lab.state.now, sample.at), { samples: [{ ...sample, subject }] });
  return lab.component(subject, component).score;
}

function availability(value: number, at: number, more: Partial<Sample> = {}): Sample {
  return metric(0, "availability", value, at, more);
}

describe("utility", () => {
  test("1000 ms is worth half, 12.5 MB/s is worth half, a fraction is its own utility", () => {
    const lab = new Lab();
    const rule = (name: MetricName): Parameters<typeof utilityOf>[0] =>
      lab.state.kinds[0]!.compiled.metrics.find(({ code }) => METRICS[code]!.name === name)!;
    expect(utilityOf(rule("response_time"), 1000)).toBe(0.5);
    expect(utilityOf(rule("response_time"), 0)).toBe(1);
    expect(utilityOf(rule("network_latency"), 3000)).toBe(0.25);
    expect(utilityOf(rule("throughput"), 12.5e6)).toBe(0.5);
    expect(utilityOf(rule("throughput"), 37.5e6)).toBe(0.75);
    expect(utilityOf(rule("uptime"), 0.37)).toBe(0.37);
  });

  test("failing fast is not fast: a failed call leaves its component alone but is counted and aggregated", () => {
    const lab = new Lab(STORAGE_PROVIDER, { aggregates: true });
    const subject = lab.register("p");
    lab.sample(subject, "response_time", 1, T0, { failed: true });
    expect(lab.standing(subject)).toMatchObject({
      score: 75,
      eventCount: 1,
      firstEvidenceAt: null,
      ranked: 0,
    });
    expect(lab.state.kinds[0]!.aggregates!.read(0, 1, T0)).toMatchObject({ count: 0, failedCount: 1 });
    // A failed call of a fraction is evidence as any other.
    lab.sample(subject, "availability", 0, T0, { failed: true });
    expect(lab.component(subject, "uptime").score).toBeLessThan(75);
  });
});

describe("the decayed mean", () => {
  test("has a half-life of 6.93 days", () => {
    const policy = policyWith({ priorWeight: 0, maxGapMs: 30 * DAY_MS, blockMs: SLOT_MS });
    const halfLifeMs = Math.round(6.931471805599453 * DAY_MS);
    const score = scoreOf("uptime", [availability(0, T0), availability(1, T0 + halfLifeMs)], policy);
    // One observation of weight 1/2 at 0 and one of weight 1 at 1.
    expect(score).toBeCloseTo(100 / 1.5, 2);
  });

  test("weighs a sample by its own weight and by the metric's", () => {
    const policy = policyWith({ priorWeight: 0 });
    const samples = [
      metric(0, "data_integrity", 1, T0, { weight: 3 }),
      metric(0, "storage_reliability", 0, T0, { weight: 2 }),
    ];
    expect(scoreOf("reliability", samples, policy)).toBeCloseTo((100 * 3 * 1.2) / (3 * 1.2 + 2 * 1.1), 10);
    const same = [metric(0, "uptime", 1, T0, { weight: 10 }), metric(0, "uptime", 0, T0 + 1, { weight: 1 })];
    expect(scoreOf("uptime", same, policy)).toBeCloseTo(100 * (10 / 11), 10);
  });

  test("starts as ten observations at the initial score, which age with the evidence", () => {
    expect(scoreOf("uptime", [availability(1, T0)])).toBeCloseTo((100 * (1 + 10 * 0.75)) / 11, 10);
    const later = [availability(1, T0), availability(1, T0 + DAY_MS)];
    const left = Math.exp(-0.1);
    expect(scoreOf("uptime", later)).toBeCloseTo(
      (100 * (1 + left + 10 * left * 0.75)) / (1 + left + 10 * left),
      8,
    );
    expect(scoreOf("uptime", [availability(1, T0)], policyWith({ priorWeight: 0 }))).toBe(100);
  });

  test("waiting does not launder: one good sample after 60 bad and 60 silent days gives 11.5", () => {
    const bad = Array.from({ length: 60 }, (_, day) => availability(0, T0 + day * DAY_MS));
    const good = availability(1, T0 + 119 * DAY_MS);
    expect(Math.abs(scoreOf("uptime", [...bad, good]) - 11.5)).toBeLessThan(0.1);
    // Under plain decay the one sample decides.
    expect(scoreOf("uptime", [...bad, good], policyWith({ maxGapMs: 365 * DAY_MS }))).toBeGreaterThan(77);
    // And silence by itself raises nothing.
    expect(scoreOf("uptime", bad)).toBeLessThan(1);
  });
});

describe("correlated probes", () => {
  test.each([1, 200])("an outage seen by %d probes in one slot weighs the same", (probes) => {
    const outage = Array.from({ length: probes }, (_, probe) => availability(0, T0 + HOUR_MS + probe));
    const rest = [availability(1, T0), ...outage, availability(1, T0 + 2 * HOUR_MS)];
    expect(scoreOf("uptime", rest)).toBeCloseTo((100 * (2 / 3 + 7.5)) / 11, 10);
  });

  test("a block is one observation, the mean of its slots, however many there are", () => {
    const slots = Array.from({ length: 72 }, (_, slot) =>
      availability(slot < 18 ? 0 : 1, T0 + slot * SLOT_MS),
    );
    expect(scoreOf("uptime", slots)).toBeCloseTo((100 * (0.75 + 7.5)) / 11, 10);
    const lab = new Lab();
    const subject = lab.register("p");
    for (const sample of slots) lab.apply(sample.at, { samples: [sample] });
    expect(
      lab.explain(subject, T0).components.find(({ name }) => name === "uptime")!.metrics[0]!.observations,
    ).toBeCloseTo(1, 12);
    lab.sample(subject, "availability", 1, T0 + BLOCK_MS);
    const { metrics } = lab.explain(subject).components.find(({ name }) => name === "uptime")!;
    expect(metrics[0]!.observations).toBeCloseTo(1 + Math.exp(-0.1 / 4), 10);
  });

  test("other metrics count a minute of samples as one", () => {
    const burst = Array.from({ length: 50 }, (_, second) =>
      metric(0, "response_time", 1000, T0 + second * 1000),
    );
    expect(scoreOf("response", burst)).toBeCloseTo((100 * (0.8 * 0.5 + 7.5)) / 10.8, 10);
  });
});

describe("a window with more samples than its counter holds", () => {
  test("keeps mean and weight", () => {
    const lab = new Lab();
    const subject = lab.register("p");
    const twin = lab.register("q");
    const batch = Array.from({ length: 16_000 }, () =>
      metric(subject, "service_quality", 0.9, T0, { weight: 2 }),
    );
    for (let round = 0; round < 5; round++) lab.apply(T0, { samples: batch });
    lab.sample(twin, "service_quality", 0.9, T0, { weight: 2 });
    for (const later of [subject, twin]) lab.sample(later, "service_quality", 0.1, T0 + 60_000);
    const [crowded, single] = [subject, twin].map((one) => lab.component(one, "performance"));
    expect(crowded!.score).toBeCloseTo(single!.score, 9);
    expect(crowded!.effectiveSize).toBeCloseTo(single!.effectiveSize, 9);
  });
});

describe("the order of arrival", () => {
  /** Scores and evidence of a component for samples in a given order, all logged at one time. */
  function outcome(component: string, samples: readonly Sample[]): number[] {
    const lab = new Lab();
    const subject = lab.register("p");
    const loggedAt = T0 + 40 * DAY_MS;
    for (let from = 0; from < samples.length; from += 50)
      lab.apply(loggedAt, { samples: samples.slice(from, from + 50) });
    const { score, lower, upper, effectiveSize, evidenceSize } = lab.component(subject, component);
    return [subject, score, lower, upper, effectiveSize, evidenceSize];
  }

  function expectClose(actual: readonly number[], wanted: readonly number[]): void {
    actual.forEach((value, index) => {
      const relative = Math.abs(value - wanted[index]!) / Math.max(1, Math.abs(wanted[index]!));
      expect(relative).toBeLessThan(1e-9);
    });
  }

  function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
    const random = randomFrom(seed);
    return items
      .map((item) => ({ item, key: random() }))
      .sort((a, b) => a.key - b.key)
      .map(({ item }) => item);
  }

  /** Some samples, never two neighbours, come later than they should: at any place behind their own. */
  function withLate<Item>(items: readonly Item[], seed: number): Item[] {
    const random = randomFrom(seed);
    const order = items.map((item, index) => ({
      item,
      place: index + (index % 2 === 1 ? random() * items.length : 0),
    }));
    return order.sort((a, b) => a.place - b.place).map(({ item }) => item);
  }

  test("changes nothing with one sample per window and no gap over max_gap, in any order within it and late over weeks", () => {
    const fraction = fc.double({ min: 0, max: 1, noNaN: true });
    const hours = fc.integer({ min: 6, max: 35 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(hours, fraction), { minLength: 2, maxLength: 60 }),
        fc.integer(),
        (steps, seed) => {
          let at = T0;
          const samples = steps.map(([after, value]) =>
            metric(0, "service_quality", value, (at += after * HOUR_MS)),
          );
          const blocks = samples.map((sample) => ({ ...sample, metric: "availability" as const }));
          const near = samples.map((sample, index) => ({ ...sample, at: T0 + index * HOUR_MS }));
          expectClose(outcome("performance", shuffled(near, seed)), outcome("performance", near));
          expectClose(outcome("performance", withLate(samples, seed)), outcome("performance", samples));
          expectClose(outcome("uptime", withLate(blocks, seed)), outcome("uptime", blocks));
        },
      ),
      { numRuns: 25 },
    );
  });

  test("changes nothing inside the two newest windows and slots, however many samples they hold", () => {
    const offset = fc.integer({ min: 0, max: 2 * SLOT_MS - 1 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(offset, fc.double({ min: 0, max: 1, noNaN: true })), {
          minLength: 1,
          maxLength: 40,
        }),
        fc.integer(),
        (pairs, seed) => {
          const before = availability(0.5, T0 + 5 * HOUR_MS + 50 * MINUTE_MS);
          // The two slots on either side of a block's end.
          const slots = pairs.map(([ms, value]) => availability(value, T0 + BLOCK_MS - SLOT_MS + ms));
          expectClose(
            outcome("uptime", [before, ...shuffled(slots, seed)]),
            outcome("uptime", [before, ...slots]),
          );
          const windows = pairs.map(([ms, value]) =>
            metric(0, "service_quality", value, T0 + Math.floor(ms / 5)),
          );
          expectClose(outcome("performance", shuffled(windows, seed)), outcome("performance", windows));
        },
      ),
      { numRuns: 25 },
    );
  });

  test("a late sample for a closed window counts alone, with the age it has", () => {
    const newest = Array.from({ length: 40 }, (_, day) =>
      metric(0, "service_quality", 0, T0 + (10 + day / 2) * DAY_MS),
    );
    const late = metric(0, "service_quality", 1, T0 + 11 * DAY_MS + HOUR_MS);
    const [, inOrder] = outcome(
      "performance",
      [...newest, late].sort((a, b) => a.at - b.at),
    );
    const [, lateScore] = outcome("performance", [...newest, late]);
    expect(lateScore).toBeCloseTo(inOrder!, 9);
  });
});

describe("another policy", () => {
  test("with other windows keeps what was seen, and goes on without a jump", () => {
    const widths = fc.constantFrom(
      { blockMs: HOUR_MS, slotMs: SLOT_MS },
      { blockMs: 12 * HOUR_MS, slotMs: 10 * MINUTE_MS },
      { blockMs: 5 * MINUTE_MS, slotMs: MINUTE_MS },
      { blockMs: BLOCK_MS, slotMs: MINUTE_MS },
    );
    const windows = fc.constantFrom(1000, 5 * MINUTE_MS, HOUR_MS);
    fc.assert(
      fc.property(fc.integer(), widths, windows, fc.nat(24 * 60), (seed, width, windowMs, minutes) => {
        const random = randomFrom(seed);
        const lab = new Lab(QUIET);
        const subject = lab.register("p");
        let at = T0;
        const samples = (): Sample[] => [
          availability(random(), at),
          metric(0, "service_quality", random(), at),
        ];
        for (let step = 0; step < 100; step++) lab.apply((at += 7 * MINUTE_MS), { samples: samples() });
        at += minutes * MINUTE_MS;
        lab.apply(at, { samples: samples() });
        const before = lab.standing(subject);
        lab.apply(at, { acts: [activation({ ...QUIET, ...width, windowMs })] });
        const after = lab.standing(subject);
        expect(after.score).toBeCloseTo(before.score, 6);
        for (let step = 0; step < 30; step++) {
          const { score } = lab.standing(subject);
          lab.apply((at += 3 * MINUTE_MS), { samples: samples() });
          const next = lab.standing(subject);
          expect(Number.isFinite(next.score)).toBe(true);
          // One observation among ten and more cannot move a score of five components by more.
          expect(Math.abs(next.score - score)).toBeLessThan(5);
        }
      }),
      { numRuns: 40 },
    );
  });

  test("with shorter blocks goes on inside the slot that was open", () => {
    const lab = new Lab(QUIET);
    const subject = lab.register("p");
    const at = T0 + 5 * HOUR_MS + 50 * MINUTE_MS;
    lab.sample(subject, "availability", 1, at);
    lab.apply(at, { acts: [activation({ ...QUIET, blockMs: HOUR_MS })] });
    const observations = (): number =>
      lab.explain(subject).components.find(({ name }) => name === "uptime")!.metrics[0]!.observations;
    expect(observations()).toBe(1);
    lab.sample(subject, "availability", 0, at + MINUTE_MS);
    expect(observations()).toBe(2);
    lab.sample(subject, "availability", 0, at + HOUR_MS);
    expect(observations()).toBeCloseTo(1 + 2 * Math.exp(-0.1 / 24), 10);
  });

  test("with another history retention keeps the average score", () => {
    const lab = new Lab();
    const subject = lab.register("p");
    for (let day = 0; day < 50; day++)
      lab.sample(subject, "availability", day % 3 === 0 ? 0 : 1, T0 + day * DAY_MS);
    const average = (): number =>
      lab.explain(subject).components.find(({ name }) => name === "trust")!.trust!.averageScore;
    const before = average();
    for (const historyRetentionMs of [5 * DAY_MS, 90 * DAY_MS, 7 * DAY_MS + 1]) {
      lab.apply(lab.state.now, { acts: [activation(policyWith({ historyRetentionMs }))] });
      expect(average()).toBeCloseTo(before, 9);
    }
  });
});
