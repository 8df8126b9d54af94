/** Suspensions: what scoring.md, sections 4 and 5, promises of length, back-off, evidence, warning and the pool. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Act } from "../event/acts.ts";
import type { JobOutcome } from "../event/jobs.ts";
import {
  dueSuspensions,
  searchSuspensions,
  suspensionsOf,
  SUSPENSION_SEARCH_MAX,
} from "../guard/suspension.ts";
import { parsePolicy } from "../policy/parse.ts";
import { networkStanding } from "../read/network.ts";
import { Candidates } from "../select/candidates.ts";
import { DecisionWindow } from "../select/decision-window.ts";
import { gather } from "../select/gather.ts";
import { select } from "../select/select.ts";
import { Selection } from "../select/selection.ts";
import { ban, DAY_MS, HOUR_MS, Lab, suspended, T0 } from "../testing/lab.ts";
import { jobsOf } from "../testing/work.ts";
import type { ActResult } from "./effects.ts";

const SECOND_MS = 1000;
const lifted = (suspensionId: string): Act => ({
  type: "suspension.lifted",
  suspensionId,
  issuer: "key:test",
  reason: "mended",
});

function labOf(count: number, suspension: object = {}): { lab: Lab; workers: number[] } {
  const parsed = parsePolicy({ extends: "compute-worker", suspension });
  if (parsed.type === "invalid") throw new Error(JSON.stringify(parsed.problems));
  const lab = new Lab(parsed.policy);
  const workers = Array.from({ length: count }, (_, index) => lab.register(`worker-${index}`));
  lab.apply(T0);
  return { lab, workers };
}

/** So many jobs of each, ten seconds apart. */
function work(lab: Lab, workers: readonly number[], outcome: JobOutcome, times: number): void {
  for (let job = 0; job < times; job++) {
    const at = lab.state.now + 10 * SECOND_MS;
    lab.apply(at, { jobs: jobsOf(workers.map((subject) => ({ subject, at, outcome }))) });
  }
}

function act(lab: Lab, one: Act): ActResult {
  const [result] = lab.apply(lab.state.now + SECOND_MS, { acts: [one] }).results;
  if (result?.type !== "applied") throw new Error("not applied");
  return result.acts[0]!;
}

const kindOf = (lab: Lab) => lab.state.kinds[0]!;
const foundActs = ({ state }: Lab) => {
  const kind = state.kinds[0]!;
  return suspensionsOf(state, kind, searchSuspensions(state, kind, null).subjects);
};
const dueActs = (lab: Lab) => dueSuspensions(lab.state, kindOf(lab), foundActs(lab));
const due = (lab: Lab): number[] => dueActs(lab).map(({ subject }) => subject);
const isSuspended = (lab: Lab, subject: number): boolean => lab.standing(subject).suspended;
const suspensionOf = (lab: Lab, subject: number) => lab.state.sanctions.of(subject)!.suspensions.at(-1)!;

describe("the rule", () => {
  test("suspends who is surely bad, not who may be: the upper bound counts, and there must be evidence", () => {
    const { lab, workers } = labOf(2);
    work(lab, [workers[0]!], "failure", 19);
    expect(due(lab)).toEqual([]);
    work(lab, [workers[0]!], "failure", 60);
    expect(lab.standing(workers[0]!).upper).toBeLessThan(60);
    expect(due(lab)).toEqual([workers[0]]);
    const [one] = foundActs(lab);
    expect(one).toMatchObject({
      issuer: "rule:suspension",
      reason: "the score is surely below 60",
      evidence: [expect.stringContaining("upper bound"), "79 observations"],
    });
  });

  test("suspends nobody where the policy has it off", () => {
    const { lab, workers } = labOf(1, { enabled: false });
    work(lab, workers, "failure", 80);
    expect(due(lab)).toEqual([]);
  });

  test("the low score is announced long before it suspends", () => {
    const { lab, workers } = labOf(1);
    const types: string[] = [];
    for (let job = 0; job < 80 && due(lab).length === 0; job++) {
      const at = lab.state.now + 10 * SECOND_MS;
      const { list } = lab.apply(at, { jobs: jobsOf([{ subject: workers[0]!, at, outcome: "timeout" }]) });
      types.push(...list.map(({ type }) => type));
    }
    expect(due(lab)).toEqual(workers);
    expect(types).toContain("score.low");
  });

  test("takes at most a tenth of the active pool at once, the worst first, and one of a small pool", () => {
    const { lab, workers } = labOf(30);
    work(lab, workers.slice(0, 2), "failure", 20);
    work(lab, workers, "failure", 60);
    expect(networkStanding(kindOf(lab))).toMatchObject({ active: 30 });
    expect(due(lab)).toHaveLength(3);
    expect(due(lab).slice(0, 2)).toEqual(workers.slice(0, 2));
    lab.apply(lab.state.now, { acts: dueActs(lab).slice(0, 2) });
    expect(due(lab)).toHaveLength(1);
    act(lab, suspended(workers[29]!));
    // What a person suspends takes no room.
    expect(due(lab)).toHaveLength(1);
    const small = labOf(3);
    work(small.lab, small.workers, "failure", 60);
    expect(due(small.lab)).toHaveLength(1);
  });
});

describe("the search", () => {
  test("meets everybody below the bound in a round, however many of the worse cannot be suspended", () => {
    const { lab, workers } = labOf(SUSPENSION_SEARCH_MAX + 50);
    const hopeless = workers.slice(0, -1);
    // Too little evidence to be suspended, and all of it bad.
    work(lab, hopeless, "failure", 19);
    work(lab, workers.slice(-1), "failure", 60);
    const first = searchSuspensions(lab.state, kindOf(lab), null);
    const second = searchSuspensions(lab.state, kindOf(lab), first.next);
    expect([...first.subjects, ...second.subjects]).toEqual(workers.slice(-1));
    expect(first.next).not.toBeNull();
    expect(second.next).toBeNull();
  });
});

describe("a suspension", () => {
  test("lasts an hour, then two and so on up to a week; each needs new evidence; after 30 days one is forgiven", () => {
    const { lab, workers } = labOf(1);
    work(lab, workers, "failure", 80);
    const hours: number[] = [];
    for (let time = 0; time < 10; time++) {
      lab.apply(lab.state.now, { acts: dueActs(lab) });
      const { startedAt, expiresAt, level } = suspensionOf(lab, workers[0]!);
      expect(level).toBe(time + 1);
      hours.push((expiresAt! - startedAt) / HOUR_MS);
      lab.apply(expiresAt!);
      expect(isSuspended(lab, workers[0]!)).toBe(false);
      expect(due(lab)).toEqual([]);
      work(lab, workers, "failure", 20);
    }
    expect(hours).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 168, 168]);
    lab.apply(lab.state.now + 40 * DAY_MS);
    work(lab, workers, "failure", 20);
    lab.apply(lab.state.now, { acts: dueActs(lab) });
    expect(suspensionOf(lab, workers[0]!).level).toBe(1);
  });

  test("asks for new evidence before the next, and the explanation says how much is missing", () => {
    const { lab, workers } = labOf(1);
    work(lab, workers, "failure", 80);
    lab.apply(lab.state.now, { acts: dueActs(lab) });
    lab.apply(suspensionOf(lab, workers[0]!).expiresAt!);
    const warning = () => lab.explain(workers[0]!).thresholds.find(({ name }) => name === "suspension");
    expect(warning()).toMatchObject({ isPast: true, blockedBy: "evidence", missing: 20 });
    work(lab, workers, "failure", 19);
    expect(warning()).toMatchObject({ blockedBy: "evidence", missing: 1 });
    expect(due(lab)).toEqual([]);
    work(lab, workers, "failure", 1);
    expect(warning()).toMatchObject({ blockedBy: null });
    expect(due(lab)).toEqual(workers);
  });

  test("ends at its instant with an effect, and can be lifted before", () => {
    const { lab, workers } = labOf(1);
    const until = T0 + HOUR_MS;
    expect(act(lab, suspended(workers[0]!, { expiresAt: until }))).toMatchObject({ type: "done" });
    expect(act(lab, suspended(workers[0]!))).toEqual({ type: "already_suspended" });
    lab.apply(until - 1);
    expect(isSuspended(lab, workers[0]!)).toBe(true);
    const { list } = lab.apply(until);
    expect(list).toMatchObject([
      { type: "suspension.ended", suspension: { status: "ended", endedAt: until } },
    ]);
    const again = act(lab, suspended(workers[0]!));
    const id = again.type === "done" ? again.id! : "";
    expect(act(lab, lifted(id))).toEqual({ type: "done", id });
    expect(isSuspended(lab, workers[0]!)).toBe(false);
    expect(act(lab, lifted(id))).toEqual({ type: "suspension_not_active", id, status: "revoked" });
    expect(act(lab, lifted("sus_0_0"))).toEqual({ type: "suspension_not_found", id: "sus_0_0" });
  });

  test("that was lifted does not lengthen the next", () => {
    const { lab, workers } = labOf(1);
    for (let time = 0; time < 3; time++) {
      act(lab, suspended(workers[0]!, { isAutomatic: true }));
      expect(suspensionOf(lab, workers[0]!).level).toBe(1);
      act(lab, lifted(suspensionOf(lab, workers[0]!).id));
    }
  });

  test("changes no score, and the network counts it", () => {
    const { lab, workers } = labOf(2);
    work(lab, workers, "success", 5);
    act(lab, suspended(workers[0]!));
    work(lab, workers, "failure", 3);
    expect(lab.score(workers[0]!)).toBe(lab.score(workers[1]!));
    expect(networkStanding(kindOf(lab))).toMatchObject({ suspended: 1, active: 2, healthy: 1 });
  });

  test("or a ban leaves no share of the selections until it ends, whatever the pool is like", () => {
    const reasons = fc.constantFrom("suspension", "ban");
    const outcomes = fc.array(fc.constantFrom<JobOutcome>("success", "failure"), { maxLength: 12 });
    fc.assert(
      fc.property(reasons, outcomes, outcomes, fc.nat(0xffff), (reason, own, others, seed) => {
        const { lab, workers } = labOf(4);
        for (const outcome of own) work(lab, workers.slice(0, 1), outcome, 1);
        for (const outcome of others) work(lab, workers.slice(1), outcome, 1);
        const until = lab.state.now + HOUR_MS;
        act(lab, reason === "ban" ? ban(workers[0]!, until) : suspended(workers[0]!, { expiresAt: until }));
        lab.apply(until - 1);
        expect(sharesOf(lab, workers, seed)[0]).toBe(0);
        expect(sharesOf(lab, workers.slice(0, 1), seed)).toEqual([0]);
        lab.apply(until);
        expect(sharesOf(lab, workers.slice(0, 1), seed)).toEqual([1]);
      }),
      { numRuns: 40 },
    );
  });
});

/** Share of 200 selections that each worker gets, all bidding the same. */
function sharesOf(lab: Lab, workers: readonly number[], seed: number): number[] {
  const kind = kindOf(lab);
  const candidates = new Candidates();
  const columns = {
    price: new Float64Array(workers.length).fill(1),
    timeMs: new Float64Array(workers.length).fill(1),
  };
  gather(lab.state, kind, { subject: Uint32Array.from(workers), ...columns }, lab.state.now, candidates);
  const rules = kind.compiled.policy.selection;
  const given = workers.map(() => 0);
  const selection = new Selection();
  const rounds = 200;
  for (let round = 0; round < rounds; round++) {
    const request = {
      nowMs: lab.state.now,
      seed: seed + round,
      priceReference: null,
      timeReferenceMs: null,
      rules,
    };
    const { chosen } = select(candidates, request, new DecisionWindow(10), selection);
    if (chosen >= 0) given[chosen]! += 1 / rounds;
  }
  return given.map((share) => Number(share.toFixed(6)));
}
