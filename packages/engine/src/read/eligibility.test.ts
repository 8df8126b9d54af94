import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JOB_OUTCOMES } from "../event/jobs.ts";
import { parsePolicy } from "../policy/parse.ts";
import { Candidates } from "../select/candidates.ts";
import { DecisionWindow } from "../select/decision-window.ts";
import { gather } from "../select/gather.ts";
import { select } from "../select/select.ts";
import { EXCLUSIONS, Selection, SLOW_START } from "../select/selection.ts";
import { ban, HOUR_MS, Lab, metric, MINUTE_MS, T0 } from "../testing/lab.ts";
import { healthOf, jobsOf } from "../testing/work.ts";
import { eligibility } from "./eligibility.ts";

const SECOND_MS = 1000;

function workerLab(): { lab: Lab; worker: number; steady: number } {
  const parsed = parsePolicy({ extends: "compute-worker" });
  if (parsed.type === "invalid") throw new Error("the preset is no policy");
  const lab = new Lab(parsed.policy);
  const worker = lab.register("worker-1");
  const steady = lab.register("worker-2");
  lab.apply(T0);
  return { lab, worker, steady };
}

const reasonsOf = (lab: Lab, subject: number, nowMs = lab.state.now) =>
  eligibility(lab.state, subject, nowMs).reasons;

describe("eligibility", () => {
  test("a subject that nothing speaks against is eligible, whatever its kind", () => {
    const { lab, worker } = workerLab();
    expect(eligibility(lab.state, worker, T0)).toEqual({
      subject: worker,
      id: "worker-1",
      kind: "provider",
      eligible: true,
      reasons: [],
      asOf: T0,
    });
    const providers = new Lab();
    const provider = providers.register("provider-1");
    providers.apply(T0, { samples: [metric(provider, "uptime", 0, T0)] });
    expect(eligibility(providers.state, provider, T0 + HOUR_MS)).toMatchObject({ eligible: true });
  });

  test("of several bans the one that ends last is told", () => {
    const { lab, worker } = workerLab();
    lab.apply(T0 + 1, { acts: [ban(worker, T0 + HOUR_MS)] });
    lab.apply(T0 + 2, { acts: [ban(worker, null), ban(worker, T0 + 2 * HOUR_MS)] });
    expect(reasonsOf(lab, worker)).toEqual([
      { code: "banned", penaltyId: "pen_3_0", until: null, reason: "test" },
    ]);
  });

  test("probation says how many good jobs are to go", () => {
    const { lab, worker } = workerLab();
    for (let second = 1; second <= 2; second++) {
      const at = T0 + second * SECOND_MS;
      lab.apply(at, { jobs: jobsOf([{ subject: worker, at, outcome: "failure" }]) });
    }
    expect(reasonsOf(lab, worker)).toEqual([
      { code: "probation", since: T0 + 2 * SECOND_MS, goodInARow: 0, goodNeeded: 5 },
    ]);
  });

  test("low health, and silence once reports stay out", () => {
    const { lab, worker } = workerLab();
    const at = T0 + SECOND_MS;
    lab.apply(at, { health: healthOf([{ subject: worker, at, parts: { memory_usage: 98 } }]) });
    expect(reasonsOf(lab, worker)).toEqual([{ code: "low_health", health: 0, floor: 30 }]);
    const later = at + 3 * MINUTE_MS;
    // Falling silent makes nobody well.
    expect(reasonsOf(lab, worker, later)).toEqual([
      { code: "silent", since: at },
      { code: "low_health", health: 0, floor: 30 },
    ]);
  });

  test("is what selections decide: the first reason is the exclusion of the bid", () => {
    fc.assert(
      fc.property(fc.array(happening(), { maxLength: 30 }), fc.nat(10 * MINUTE_MS), (happenings, laterMs) => {
        const { lab, worker, steady } = workerLab();
        for (const { afterMs, kind, outcome, memory } of happenings) {
          const at = lab.state.now + afterMs;
          if (kind === "job") lab.apply(at, { jobs: jobsOf([{ subject: worker, at, outcome }]) });
          if (kind === "ban") lab.apply(at, { acts: [ban(worker, at + HOUR_MS)] });
          if (kind === "health")
            lab.apply(at, { health: healthOf([{ subject: worker, at, parts: { memory_usage: memory } }]) });
        }
        const now = lab.state.now + laterMs;
        const [first] = reasonsOf(lab, worker, now);
        expect(first?.code ?? null).toBe(exclusionOf(lab, [worker, steady], now));
      }),
      { numRuns: 100 },
    );
  });
});

interface Happening {
  readonly afterMs: number;
  readonly kind: "job" | "health" | "ban";
  readonly outcome: (typeof JOB_OUTCOMES)[number];
  readonly memory: number;
}

function happening(): fc.Arbitrary<Happening> {
  return fc.record({
    afterMs: fc.constantFrom(1000, 30_000, 90_000, 50 * MINUTE_MS),
    kind: fc.constantFrom("job", "job", "job", "health", "ban"),
    outcome: fc.constantFrom(...JOB_OUTCOMES, "failure"),
    memory: fc.integer({ min: 0, max: 100 }),
  });
}

/** Why the first of the bidders is out of the draw; the second has nothing against it, so that the pool is not empty. */
function exclusionOf(lab: Lab, bidders: readonly number[], nowMs: number): string | null {
  const kind = lab.state.kinds[0]!;
  const candidates = new Candidates();
  const columns = { price: Float64Array.of(1, 1), timeMs: Float64Array.of(1, 1) };
  gather(lab.state, kind, { subject: Uint32Array.from(bidders), ...columns }, nowMs, candidates);
  const request = { nowMs, seed: 1, priceReference: null, timeReferenceMs: null };
  const rules = kind.compiled.policy.selection;
  const { exclusion } = select(candidates, { ...request, rules }, new DecisionWindow(10), new Selection());
  // Load is a matter of the moment, not of the subject.
  if (exclusion[0] === SLOW_START) return null;
  return EXCLUSIONS.find(([bit]) => bit === exclusion[0])?.[1] ?? null;
}
