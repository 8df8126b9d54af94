import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePolicy } from "../policy/parse.ts";
import { STORAGE_PROVIDER } from "../policy/presets.ts";
import { History } from "../testing/history.ts";
import { DAY_MS, HOUR_MS, Lab, metric, penalty, policyWith, reward, T0 } from "../testing/lab.ts";
import { healthOf, jobsOf } from "../testing/work.ts";

describe("an explanation", () => {
  test("has contributions that sum to the score to the last bit, whatever happened and whenever it is read", () => {
    const scale = fc.constantFrom(
      STORAGE_PROVIDER,
      policyWith({ minScore: 0.1, initialScore: 33.3 }),
      policyWith({ maxScore: 1, minScore: 0, initialScore: 0.7, rewardPointsMax: 0.2, lowThreshold: 0.6 }),
    );
    fc.assert(
      fc.property(
        fc.integer(),
        scale,
        fc.double({ min: 0, max: 40 * DAY_MS, noNaN: true }),
        (seed, policy, laterMs) => {
          const history = new History(new Lab(policy), seed, { subjectsMax: 6, policies: [] });
          for (let step = 0; step < 25; step++) history.step();
          const { lab } = history;
          for (let subject = 0; subject < lab.state.places.count; subject++) {
            for (const nowMs of [lab.state.now, lab.state.now + Math.floor(laterMs)]) {
              const { contributions, standing } = lab.explain(subject, nowMs);
              expect(contributions.reduce((sum, { points }) => sum + points, 0)).toBe(standing.score);
            }
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test("of a sample with next to no weight has numbers only", () => {
    const lab = new Lab();
    const subject = lab.register("p");
    lab.apply(T0, { samples: [{ ...metric(subject, "uptime", 1, T0), weight: 5e-324 }] });
    const evidence = lab.explain(subject).components.flatMap(({ metrics }) => metrics);
    expect(evidence.length).toBeGreaterThan(0);
    for (const { mean, share, points, observations } of evidence)
      expect([mean, share, points, observations].every(Number.isFinite)).toBe(true);
  });

  test("names what the ends of the scale cut off", () => {
    const lab = new Lab(policyWith({ initialScore: 99 }));
    const subject = lab.register("p");
    lab.apply(T0, { acts: [reward(subject, { points: 10 })] });
    expect(lab.explain(subject).contributions.find(({ source }) => source === "limit")!.points).toBeCloseTo(
      -11,
      9,
    );
    lab.apply(T0, { acts: [penalty(subject, { severity: "critical", points: 50 })] });
    expect(lab.score(subject)).toBe(0);
    const { contributions } = lab.explain(subject);
    expect(contributions.filter(({ source }) => source === "penalty")).toMatchObject([{ points: -400 }]);
  });

  test("shares each component's points between its metrics, the prior and silence", () => {
    const lab = new Lab();
    const subject = lab.register("p");
    lab.apply(T0, {
      samples: [metric(subject, "response_time", 500, T0), metric(subject, "service_quality", 0.4, T0)],
    });
    for (const nowMs of [T0, T0 + 5 * DAY_MS]) {
      for (const component of lab.explain(subject, nowMs).components) {
        if (component.trust !== null) continue;
        const points = component.metrics.reduce((sum, one) => sum + one.points, component.prior.points);
        expect(points - component.inactivityPoints).toBeCloseTo(component.weight * component.score, 9);
        const shares = component.metrics.reduce((sum, { share }) => sum + share, component.prior.share);
        expect(shares).toBeCloseTo(1, 12);
      }
    }
  });

  test("shares the points of a worker's components between jobs, health reports, metrics and the prior", () => {
    const sources = ["jobs", "health", "response_time"];
    const weights = { success: 0.4, reliability: 0.2, efficiency: 0.2, response: 0.2 };
    const parsed = parsePolicy({ extends: "compute-worker", reputation: { sources, components: weights } });
    if (parsed.type === "invalid") throw new Error("not a policy");
    const lab = new Lab(parsed.policy);
    const subject = lab.register("w");
    const job = { subject, at: T0, durationMs: 2000, expectedMs: 1000 };
    lab.apply(T0, {
      samples: [metric(subject, "response_time", 500, T0)],
      jobs: jobsOf([
        { ...job, outcome: "success" },
        { ...job, outcome: "success", quality: 0.5 },
        { ...job, outcome: "failure" },
      ]),
      health: healthOf([{ subject, at: T0, parts: { memory_usage: 10 } }]),
    });
    const signals = new Map<string, number>();
    for (const nowMs of [T0, T0 + 20 * DAY_MS]) {
      const { components, improvements } = lab.explain(subject, nowMs);
      for (const component of components) {
        const evidence = [...component.metrics, ...component.signals];
        const points = evidence.reduce((sum, one) => sum + one.points, component.prior.points);
        expect(points - component.inactivityPoints).toBeCloseTo(component.weight * component.score, 9);
        expect(evidence.reduce((sum, { share }) => sum + share, component.prior.share)).toBeCloseTo(1, 12);
        for (const { signal, mean } of component.signals) signals.set(signal, mean);
      }
      expect(improvements[0]).toMatchObject({ action: "improve_jobs" });
    }
    expect(signals.get("success")).toBeCloseTo((1 + 0.5 + 0) / 3, 12);
    expect(signals.get("answered")).toBeCloseTo((1 + 1 + 0.5) / 3, 12);
    expect(signals.get("speed")).toBeCloseTo(0.5, 12);
    expect(signals.get("punctual")).toBe(1);
    expect(signals.has("use")).toBe(false);
  });

  test("says what would help, the largest gain first, and nothing that would not", () => {
    const lab = new Lab();
    const subject = lab.register("p");
    const acts = [penalty(subject, { points: 9, expiresAt: T0 + DAY_MS })];
    lab.apply(T0, { samples: [metric(subject, "uptime", 0, T0)], acts });
    const { improvements } = lab.explain(subject);
    const gains = improvements.map(({ gain }) => gain);
    expect(gains).toEqual([...gains].sort((a, b) => b - a));
    expect(improvements).toContainEqual({
      action: "penalty_ends",
      name: expect.any(String),
      gain: 9,
      at: T0 + DAY_MS,
    });
    expect(improvements.find(({ name }) => name === "uptime")).toMatchObject({ action: "improve_metric" });
    expect(improvements.find(({ name }) => name === "throughput")).toMatchObject({ action: "report_metric" });
    // Heard of just now: resuming to report gains nothing.
    expect(improvements.some(({ action }) => action === "resume_reporting")).toBe(false);
    const silent = lab
      .explain(subject, T0 + 10 * DAY_MS)
      .improvements.find(({ action }) => action === "resume_reporting");
    expect(silent!.gain).toBeCloseTo(0.8, 9);
  });

  test("never offers silence as a reason right after evidence", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 }),
        (values) => {
          const lab = new Lab();
          const subject = lab.register("p");
          values.forEach((value, index) =>
            lab.sample(subject, "service_quality", value, T0 + index * HOUR_MS),
          );
          const { improvements } = lab.explain(subject);
          expect(improvements.some(({ action }) => action === "resume_reporting")).toBe(false);
        },
      ),
      { numRuns: 15 },
    );
  });

  test("says what holds a higher tier back whatever the score", () => {
    const lab = new Lab(policyWith({ tiers: { ...STORAGE_PROVIDER.tiers, mode: "score" } }));
    const subject = lab.register("p");
    const next = () => lab.explain(subject).thresholds.find(({ direction }) => direction === "above")!;
    lab.sample(subject, "uptime", 1, T0);
    expect(next()).toMatchObject({ blockedBy: "evidence", missing: STORAGE_PROVIDER.tiers.evidenceMin - 1 });
    for (let block = 1; block < 40; block++) lab.sample(subject, "uptime", 1, T0 + block * 6 * HOUR_MS);
    lab.apply(lab.state.now + 1, {
      acts: [penalty(subject, { penalty: "fraud", points: 30, severity: "minor" })],
    });
    expect(next().blockedBy).toBe("trust");
    expect(next().missing).toBeCloseTo(80 - lab.component(subject, "trust").score, 9);
    expect(lab.explain(subject).thresholds.every(({ distance }) => distance >= 0)).toBe(true);
  });
});
