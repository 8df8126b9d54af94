/** Errors in the documents that are not to be copied (`scoring.md`, section 12), each as a test of what happens here. */
import { describe, expect, test } from "vitest";
import { parsePolicy } from "../policy/parse.ts";
import { STORAGE_PROVIDER } from "../policy/presets.ts";
import { HOUR_MS, Lab, metric, MINUTE_MS, penalty, policyWith, T0 } from "../testing/lab.ts";

const AVAILABILITY = 3;

describe("errors of the document", () => {
  test("a reader sees what was just recorded, and reading changes nothing", () => {
    const lab = new Lab();
    const subject = lab.register("p");
    lab.sample(subject, "uptime", 1, T0);
    const seen = lab.standing(subject);
    expect(seen.eventCount).toBe(1);
    expect(seen.score).toBeGreaterThan(75);
    expect(lab.standing(subject)).toEqual(seen);
  });

  test("no event is lost, however many come at once", () => {
    const lab = new Lab(STORAGE_PROVIDER, { aggregates: true });
    const subject = lab.register("p");
    lab.apply(T0, { samples: Array.from({ length: 5000 }, () => metric(subject, "availability", 1, T0)) });
    expect(lab.standing(subject).eventCount).toBe(5000);
    expect(lab.state.kinds[0]!.aggregates!.read(0, AVAILABILITY, T0)!.count).toBe(5000);
  });

  test("trust of an empty history is the initial score, not an error", () => {
    const lab = new Lab();
    const subject = lab.register("p");
    lab.apply(T0);
    expect(lab.component(subject, "trust").score).toBe(75);
  });

  test("an empty configuration has the defaults, not a maximum of 0", () => {
    const parsed = parsePolicy({});
    if (parsed.type !== "ok") throw new Error("invalid");
    const lab = new Lab(parsed.policy);
    const subject = lab.register("p");
    lab.sample(subject, "uptime", 1, T0);
    expect(lab.score(subject)).toBeGreaterThan(75);
  });

  test("percentiles are the nearest rank: half of ten values lie at or below the 50th", () => {
    const lab = new Lab(STORAGE_PROVIDER, { aggregates: true });
    const subject = lab.register("p");
    const samples = Array.from({ length: 10 }, (_, index) =>
      metric(subject, "response_time", (index + 1) * 10, T0),
    );
    lab.apply(T0, { samples });
    const { percentiles } = lab.state.kinds[0]!.aggregates!.read(0, 1, T0)!;
    // The document's index, 10 x .5 = 5 from 0, is the sixth value.
    expect(percentiles).toMatchObject({ 50: 50, 90: 90, 95: 100, 99: 100 });
  });

  test("penalty weights, metric weights and the sample's own weight count", () => {
    const fine = (weight: number): number => {
      const lab = new Lab(
        policyWith({ penaltyWeights: { ...STORAGE_PROVIDER.penaltyWeights, downtime: weight } }),
      );
      const subject = lab.register("p");
      lab.apply(T0, { acts: [penalty(subject)] });
      return lab.standing(subject).penalties[0]!.points;
    };
    expect([fine(1), fine(3)]).toEqual([5, 15]);
    const uptime = (own: number, weight: number): number => {
      const metrics = { ...STORAGE_PROVIDER.metrics, uptime: { ...STORAGE_PROVIDER.metrics.uptime, weight } };
      const lab = new Lab(policyWith({ metrics }));
      const subject = lab.register("p");
      lab.sample(subject, "uptime", 1, T0, { weight: own });
      return lab.component(subject, "uptime").score;
    };
    expect(uptime(1, 1)).toBeLessThan(uptime(2, 1));
    expect(uptime(1, 2)).toBeCloseTo(uptime(2, 1), 12);
  });

  test("sample_size and aggregate_interval count", () => {
    const lab = new Lab(policyWith({ sampleSize: 3, aggregateIntervalMs: 10 * MINUTE_MS }), {
      aggregates: true,
    });
    const subject = lab.register("p");
    for (let step = 0; step < 6; step++) lab.sample(subject, "availability", 1, T0 + step * 5 * MINUTE_MS);
    const aggregates = lab.state.kinds[0]!.aggregates!;
    expect(aggregates.samples(0, AVAILABILITY, lab.state.now)).toHaveLength(3);
    expect(
      aggregates.steps(0, AVAILABILITY, lab.state.now).map(({ count, periodMs }) => [count, periodMs]),
    ).toEqual([
      [2, 10 * MINUTE_MS],
      [2, 10 * MINUTE_MS],
      [2, 10 * MINUTE_MS],
    ]);
  });

  test("counts shrink as samples leave the window they are counted over", () => {
    const lab = new Lab(STORAGE_PROVIDER, { aggregates: true });
    const subject = lab.register("p");
    for (let hour = 0; hour < 60; hour++)
      lab.sample(subject, "availability", hour < 30 ? 0 : 1, T0 + hour * HOUR_MS);
    const aggregate = lab.state.kinds[0]!.aggregates!.read(0, AVAILABILITY, lab.state.now)!;
    expect(aggregate).toMatchObject({ count: 25, sum: 25, min: 1, stdDev: 0 });
    expect(aggregate.endTime - aggregate.startTime).toBe(25 * HOUR_MS);
  });

  test("points and severity of an alert do not both scale with the same ratio, unless one asks for it", () => {
    const deduction = (mode: "mean" | "document"): number => {
      const lab = new Lab(policyWith({ alerts: { ...STORAGE_PROVIDER.alerts, mode, opensAfter: 1 } }));
      const subject = lab.register("p");
      lab.sample(subject, "uptime", 0, T0);
      return lab.standing(subject).penalties[0]!.penalty.deduction;
    };
    expect(deduction("mean")).toBe(40);
    expect(deduction("document")).toBe(320);
  });
});
