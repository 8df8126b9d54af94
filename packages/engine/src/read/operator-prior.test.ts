/** What a new subject of a known operator starts from. */
import { expect, test } from "vitest";
import { parsePolicy } from "../policy/parse.ts";
import type { Policy } from "../policy/policy.ts";
import { standing } from "./standing.ts";
import { operatorPrior } from "./operator-prior.ts";
import { ban, DAY_MS, Lab, T0 } from "../testing/lab.ts";
import { jobsOf, type Job } from "../testing/work.ts";

const why = { issuer: "key:test", reason: "test" };

test("a good operator's new node starts higher, a bad one's lower, both shrunk toward the initial score", () => {
  for (const [outcome, jobs] of [
    ["success", 40],
    ["failure", 40],
    ["success", 4000],
  ] as const) {
    const { lab, first } = labOf(outcome, jobs);
    const { score } = standing(lab.state, first, lab.state.now);
    const known = operatorPrior(lab.state, lab.state.kinds[0]!, "acme")!;
    // One subject counts as a hundred observations at most.
    const observations = Math.min(100, jobs);
    expect(known).toMatchObject({ subjects: 1, observations });
    expect(known.prior).toBeCloseTo((50 * 0.6 + (observations * score) / 100) / (50 + observations), 9);
    const next = join(lab, "second", known.prior);
    expect(lab.component(next, "success").score).toBeCloseTo(100 * known.prior, 9);
    expect(lab.component(next, "efficiency").score).toBe(60);
    for (const { prior, weight, score: points } of lab.explain(next).components)
      expect(prior.points).toBeCloseTo(weight * points, 9);
    expect(known.prior > 0.6).toBe(outcome === "success");
  }
});

test.each([
  ["that say how long they took", 900],
  ["that do not", undefined],
])("own jobs %s wear the operator's record away, as they do the policy's prior", (_, durationMs) => {
  const { lab } = labOf("failure", 200);
  const known = operatorPrior(lab.state, lab.state.kinds[0]!, "acme")!;
  const next = join(lab, "second", known.prior);
  const stranger = lab.register("stranger");
  lab.apply(lab.state.now + 1);
  const scores = (): number[] =>
    [next, stranger].map((subject) => standing(lab.state, subject, lab.state.now).score);
  expect(scores()[1]! - scores()[0]!).toBeGreaterThan(9);
  work(lab, [next, stranger], "success", 400, 60 * DAY_MS, durationMs);
  expect(scores()[1]! - scores()[0]!).toBeLessThan(0.5);
});

test("a record of one's own is not replaced, and a ban counts as nothing good", () => {
  const { lab, first } = labOf("success", 100);
  const before = standing(lab.state, first, lab.state.now).score;
  const evidence = { operator: "acme", subjects: 1, mean: 0, observations: 1 };
  lab.apply(lab.state.now, { acts: [{ type: "prior.set", subject: first, prior: 0, evidence, ...why }] });
  expect(standing(lab.state, first, lab.state.now).score).toBe(before);
  const good = operatorPrior(lab.state, lab.state.kinds[0]!, "acme")!.prior;
  lab.apply(lab.state.now + 1, { acts: [ban(first, null)] });
  const bad = operatorPrior(lab.state, lab.state.kinds[0]!, "acme")!;
  expect(bad.mean).toBe(0);
  expect(bad.prior).toBeCloseTo((50 * 0.6) / 150, 12);
  expect(good).toBeGreaterThan(0.6);
});

test("strangers, operators without evidence and policies without shrinkage have none", () => {
  const { lab } = labOf("success", 10);
  const kind = lab.state.kinds[0]!;
  expect(operatorPrior(lab.state, kind, "nobody")).toBeNull();
  join(lab, "second", null, "other");
  expect(operatorPrior(lab.state, kind, "other")).toBeNull();
  const off = labOf("success", 10, policyOf({ reputation: { operator_shrinkage: null } }));
  expect(operatorPrior(off.lab.state, off.lab.state.kinds[0]!, "acme")).toBeNull();
});

function labOf(outcome: Job["outcome"], jobs: number, policy = policyOf({})): { lab: Lab; first: number } {
  const lab = new Lab(policy);
  lab.apply(T0);
  const first = join(lab, "first", null);
  work(lab, [first], outcome, jobs, 0);
  return { lab, first };
}

/** Registers a subject of the operator, with the prior that was found for it. */
function join(lab: Lab, id: string, prior: number | null, operator = "acme"): number {
  const subject = lab.register(id);
  const evidence = { operator, subjects: 1, mean: 0, observations: 1 };
  const updated = { type: "subject.updated", subject, operator, ...why } as const;
  const set = prior === null ? [] : [{ type: "prior.set", subject, prior, evidence, ...why } as const];
  lab.apply(lab.state.now + 1, { acts: [updated, ...set] });
  return subject;
}

/** Jobs of each subject, spread over some time. */
function work(
  lab: Lab,
  subjects: readonly number[],
  outcome: Job["outcome"],
  count: number,
  overMs: number,
  durationMs?: number,
): void {
  const begin = lab.state.now + 1;
  for (let job = 0; job < count; job++) {
    const at = begin + (job * overMs) / count;
    const timed = durationMs === undefined ? {} : { durationMs, expectedMs: durationMs };
    lab.apply(at, { jobs: jobsOf(subjects.map((subject) => ({ subject, at, outcome, ...timed }))) });
  }
}

function policyOf(document: object): Policy {
  const parsed = parsePolicy({ extends: "compute-worker", ...document });
  if (parsed.type === "invalid") throw new Error(JSON.stringify(parsed.problems));
  return parsed.policy;
}
