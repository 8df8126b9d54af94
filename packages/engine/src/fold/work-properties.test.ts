/** Laws of workers that hold for every history: bounds, intervals, bans and repeatable decisions. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JOB_OUTCOMES } from "../event/jobs.ts";
import { NOBODY, SELECTION_POLICIES, type SelectionPolicy } from "../event/selection.ts";
import { Random } from "../num/random.ts";
import { parsePolicy } from "../policy/parse.ts";
import type { Policy } from "../policy/policy.ts";
import { workStanding } from "../read/work.ts";
import { Candidates } from "../select/candidates.ts";
import { gather } from "../select/gather.ts";
import { select } from "../select/select.ts";
import { Selection, type SelectionMode } from "../select/selection.ts";
import { createState, kindNamed, type State } from "../state/state.ts";
import { ban, DAY_MS, Lab, penalty, T0, type Parts } from "../testing/lab.ts";
import { healthOf, jobsOf, type Job } from "../testing/work.ts";
import { apply } from "./apply.ts";

const SECOND_MS = 1000;
const KIND = "provider";
const WORKERS = 5;

function policyOf(document: { readonly [key: string]: unknown }): Policy {
  const parsed = parsePolicy({ extends: "compute-worker", ...document });
  if (parsed.type === "invalid") throw new Error(JSON.stringify(parsed.problems));
  return parsed.policy;
}

function labOf(policy = policyOf({})): Lab {
  const lab = new Lab(policy);
  for (let worker = 0; worker < WORKERS; worker++) lab.register(`worker-${worker}`);
  lab.apply(T0);
  return lab;
}

const subject = fc.nat(WORKERS - 1);
const afterMs = fc.constantFrom(0, 100, SECOND_MS, SECOND_MS, 60 * SECOND_MS, 3600 * SECOND_MS, 3 * DAY_MS);
const job = fc.record({
  type: fc.constant("job" as const),
  afterMs,
  subject,
  outcome: fc.constantFrom(...JOB_OUTCOMES),
  lateMs: fc.constantFrom(0, 0, 0, 20 * SECOND_MS, DAY_MS),
  durationMs: fc.constantFrom(1, 700, 1000, 5000, 86_400_000),
  usedShare: fc.constantFrom(0, 0.4, 1),
  quality: fc.constantFrom(0, 0.5, 1),
});
const report = fc.record({
  type: fc.constant("report" as const),
  afterMs,
  subject,
  memory: fc.double({ min: 0, max: 100, noNaN: true }),
  temperature: fc.double({ min: -40, max: 150, noNaN: true }),
});
const punished = fc.record({
  type: fc.constant("penalty" as const),
  afterMs,
  subject,
  fraction: fc.constantFrom(0.1, 0.5, 1),
});
const event = fc.oneof({ weight: 8, arbitrary: job }, report, punished);
type Event = typeof event extends fc.Arbitrary<infer Of> ? Of : never;

function partsOf(one: Event, at: number): Parts {
  if (one.type === "report") {
    const { memory, temperature } = one;
    const parts = { memory_usage: memory, temperature };
    return { health: healthOf([{ subject: one.subject, at, parts }]) };
  }
  if (one.type === "penalty") {
    const { fraction } = one;
    const expiresAt = at + 7 * DAY_MS;
    const act = { penalty: "invalid_result", points: null, fraction, at, expiresAt, fade: "linear" } as const;
    return { acts: [penalty(one.subject, act)] };
  }
  const { outcome, durationMs, usedShare, quality } = one;
  const ended: Job = { subject: one.subject, at: at - one.lateMs, outcome, durationMs, usedShare, quality };
  return { jobs: jobsOf([{ ...ended, expectedMs: 1000 }]) };
}

/** Lets events happen one after the other, a batch each. */
function happen(lab: Lab, events: readonly Event[]): void {
  for (const one of events) {
    const at = lab.state.now + one.afterMs;
    lab.apply(at, partsOf(one, at));
  }
}

test("a failed job never raises the score, however long the worker was idle before", () => {
  const idleDays = fc.constantFrom(0, 0.5, 2, 10, 40, 200);
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), fc.array(idleDays, { minLength: 1 }), (events, idles) => {
      const lab = labOf();
      happen(lab, events);
      for (const days of idles) {
        const at = lab.state.now + days * DAY_MS;
        lab.apply(at);
        for (const outcome of ["failure", "timeout", "invalid_result"] as const) {
          const before = lab.score(0);
          lab.apply(at, { jobs: jobsOf([{ subject: 0, at, outcome }]) });
          expect(lab.score(0)).toBeLessThanOrEqual(before + 1e-9);
        }
        lab.apply(at, { health: healthOf([{ subject: 0, at, parts: { memory_usage: 10 } }]) });
      }
    }),
    { numRuns: 150 },
  );
});

test("probation begins where a limit is passed, and nowhere else", () => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 40 }), (events) => {
      const lab = labOf();
      for (const one of events) {
        const at = lab.state.now + one.afterMs;
        lab.apply(at, partsOf(one, at));
        const { probation, probationLimits } = workStanding(lab.state, one.subject, at)!;
        const passed = probationLimits.filter(({ value, limit, begins }) =>
          begins === "below" ? value < limit : value > limit,
        );
        if (probation === null) expect(passed).toEqual([]);
      }
    }),
    { numRuns: 60 },
  );
});

test("good jobs work idleness off, and health reports do not", () => {
  const lab = labOf();
  const good = (at: number): void =>
    void lab.apply(at, { jobs: jobsOf([{ subject: 0, at, outcome: "success" }]) });
  for (let second = 1; second <= 200; second++) good(T0 + second * SECOND_MS);
  const before = lab.score(0);
  const back = lab.state.now + 60 * DAY_MS;
  lab.apply(back, { health: healthOf([{ subject: 0, at: back, parts: { memory_usage: 10 } }]) });
  const idle = lab.score(0);
  expect(before - idle).toBeGreaterThan(10);
  let newest = idle;
  // Each works off three days of the sixty.
  for (let jobs = 1; jobs <= 20; jobs++) {
    good(back + jobs * SECOND_MS);
    expect(lab.score(0)).toBeGreaterThan(newest);
    newest = lab.score(0);
  }
  // Reports that did not come weigh in reliability still.
  expect(newest).toBeGreaterThan(before - 3);
});

/** Bids of all, alike. */
const bids = {
  subject: Uint32Array.from({ length: WORKERS }, (_, worker) => worker),
  price: new Float64Array(WORKERS).fill(1),
  timeMs: new Float64Array(WORKERS).fill(1000),
};
const candidates = new Candidates();
const selection = new Selection();

/** Who is chosen among all, and logged as the choice; {@link NOBODY} for nobody. */
function choose(lab: Lab, seed: number, method: SelectionPolicy = "power-of-two"): number {
  const { chosen, mode } = decide(lab.state, seed, method);
  const worker = chosen < 0 ? NOBODY : chosen;
  const exploring = mode === "exploration";
  const operator = chosen < 0 ? 0 : candidates.operator[chosen]!;
  const record = new Uint8Array(0);
  lab.apply(lab.state.now, { selections: [{ kind: KIND, chosen: worker, operator, exploring, record }] });
  return worker;
}

function decide(
  state: State,
  seed: number,
  method: SelectionPolicy = "power-of-two",
): { readonly chosen: number; readonly mode: SelectionMode } {
  const kind = kindNamed(state, KIND)!;
  const { selection: ruled } = kind.compiled.policy;
  // Exploration is half of the decisions, so that it is met.
  const rules = { ...ruled, policy: method, explorationShare: 0.5, explorationFairShare: 10 };
  gather(state, kind, bids, state.now, candidates);
  const request = { nowMs: state.now, seed, priceReference: null, timeReferenceMs: null, rules };
  const { chosen, mode } = select(candidates, request, kind.selections.window, selection);
  return { chosen, mode };
}

describe("a worker's score", () => {
  test("and everything about it stays within the scale, finite, with the interval around it", () => {
    const policies = fc.constantFrom(
      policyOf({}),
      policyOf({ reputation: { min_score: 20 } }),
      policyOf({ reputation: { prior_weight: 0 } }),
      policyOf({ reputation: { effective_size_max: 10 } }),
    );
    const some = fc.array(event, { maxLength: 60 });
    fc.assert(
      fc.property(policies, some, fc.nat(60), (policy, events, days) => {
        const lab = labOf(policy);
        happen(lab, events);
        const nowMs = lab.state.now + days * DAY_MS;
        for (let worker = 0; worker < WORKERS; worker++) {
          const { score, lower, upper, components } = lab.standing(worker, nowMs);
          for (const one of [{ score, lower, upper }, ...components]) {
            expect(one.score).toBeGreaterThanOrEqual(policy.minScore);
            expect(one.score).toBeLessThanOrEqual(policy.maxScore);
            expect(one.lower).toBeLessThanOrEqual(one.score);
            expect(one.upper).toBeGreaterThanOrEqual(one.score);
          }
          const { condition, momentum } = workStanding(lab.state, worker, nowMs)!;
          expect(momentum).toBeGreaterThanOrEqual(policy.momentum.floor);
          expect(momentum).toBeLessThanOrEqual(1);
          expect(condition).toBeGreaterThanOrEqual(0);
          expect(condition).toBeLessThanOrEqual(score);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("is not raised by more failures, however many at once and however late", () => {
    const failures = fc.array(
      fc.record({
        outcome: fc.constantFrom("failure", "timeout", "invalid_result"),
        lateMs: fc.constantFrom(0, SECOND_MS, DAY_MS),
      }),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), failures, (events, more) => {
        const lab = labOf();
        happen(lab, events);
        const { now } = lab.state;
        const before = lab.standing(0).score;
        lab.apply(now, { jobs: jobsOf(more.map((one) => ({ ...one, subject: 0, at: now - one.lateMs }))) });
        expect(lab.standing(0).score).toBeLessThanOrEqual(before + 1e-9);
      }),
      { numRuns: 60 },
    );
  });

  test("has an interval of success that narrows at a constant rate until the cap, and no further", () => {
    const cap = 200;
    const policy = policyOf({ reputation: { effective_size_max: cap } });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), (good) => {
        const lab = labOf(policy);
        let width = Infinity;
        for (let round = 1; round <= 2 * (cap / 10); round++) {
          const at = T0 + round * SECOND_MS;
          const outcomeOf = (place: number) => (place < good ? "success" : "failure") as Job["outcome"];
          const jobs = Array.from({ length: 10 }, (_, place) => ({
            subject: 0,
            at,
            outcome: outcomeOf(place),
          }));
          lab.apply(at, { jobs: jobsOf(jobs) });
          const { lower, upper, effectiveSize } = lab.component(0, "success");
          // The mean still moves away from the prior when the trials are as many as count.
          if (effectiveSize < cap) expect(upper - lower).toBeLessThan(width);
          else expect(upper - lower).toBeLessThanOrEqual(width + 1e-9);
          width = upper - lower;
        }
        expect(lab.component(0, "success").effectiveSize).toBe(cap);
      }),
    );
  });
});

describe("a banned worker", () => {
  test("gets no job until the ban expires, by no policy, and may be chosen from then on", () => {
    const choices = { seed: fc.nat(0xffffffff), method: fc.constantFrom(...SELECTION_POLICIES) };
    const tries = fc.array(fc.record({ ...choices, event }), { minLength: 1, maxLength: 40 });
    const hours = fc.integer({ min: 1, max: 1000 });
    fc.assert(
      fc.property(tries, hours, fc.array(event, { maxLength: 20 }), (some, lastsHours, before) => {
        const lab = labOf();
        happen(lab, before);
        const expiresAt = lab.state.now + lastsHours * 3600 * SECOND_MS;
        lab.apply(lab.state.now, { acts: [ban(0, expiresAt)] });
        for (const { seed, method, event: one } of some) {
          if (lab.state.now + one.afterMs >= expiresAt) break;
          happen(lab, [one]);
          expect(choose(lab, seed, method)).not.toBe(0);
        }
        lab.apply(expiresAt);
        // Everybody else is gone, so the choice is between it and nobody.
        for (let worker = 1; worker < WORKERS; worker++) lab.apply(expiresAt, { acts: [ban(worker, null)] });
        expect(choose(lab, 1)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});

describe("decisions", () => {
  test("are the same again from the same log and the same seeds", () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 40 }), fc.nat(0xffffffff), (events, seed) => {
        const lab = labOf();
        const random = new Random(seed);
        const made: { position: number; seed: number; chosen: number; mode: SelectionMode }[] = [];
        for (const one of events) {
          happen(lab, [one]);
          const draw = Math.floor(random.next() * 0xffffffff);
          made.push({ position: lab.state.position, seed: draw, ...decide(lab.state, draw) });
          choose(lab, draw);
        }
        const again = createState({ seed: 7, policies: { [KIND]: policyOf({}) }, aggregates: false });
        for (const batch of lab.log) {
          apply(again, batch);
          for (const { position, seed: draw, chosen, mode } of made)
            if (position === batch.position) expect(decide(again, draw)).toEqual({ chosen, mode });
        }
      }),
      { numRuns: 40 },
    );
  });
});
