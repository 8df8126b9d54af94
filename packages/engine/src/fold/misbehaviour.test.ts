/** Reports of misbehaviour: what scoring.md, section 4, promises of confirming, banning and overturning. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Act } from "../event/acts.ts";
import type { JobOutcome } from "../event/jobs.ts";
import { parsePolicy } from "../policy/parse.ts";
import type { Policy } from "../policy/policy.ts";
import {
  REPORTS_DECIDED_MAX,
  REPORTS_PENDING_MAX,
  REPORTS_PENDING_OF_ONE_MAX,
} from "../sanction/misbehaviour.ts";
import { SANCTIONS_ACTIVE_MAX } from "../sanction/sanction.ts";
import { activation, DAY_MS, HOUR_MS, Lab, penalty, report, T0 } from "../testing/lab.ts";
import { jobsOf } from "../testing/work.ts";
import type { ActResult } from "./effects.ts";

const WEEK_MS = 7 * DAY_MS;
const judge = { issuer: "key:judge", reason: "seen" };
const confirmed = (reportId: string): Act => ({ type: "misbehaviour.confirmed", reportId, ...judge });
const dismissed = (reportId: string): Act => ({ type: "misbehaviour.dismissed", reportId, ...judge });
const revoked = (penaltyId: string): Act => ({ type: "penalty.revoked", penaltyId, ...judge });

function policyOf(document: { readonly [key: string]: unknown }): Policy {
  const parsed = parsePolicy({ extends: "compute-worker", ...document });
  if (parsed.type === "invalid") throw new Error(JSON.stringify(parsed.problems));
  return parsed.policy;
}

function labOf(document: { readonly [key: string]: unknown } = {}): {
  lab: Lab;
  worker: number;
  twin: number;
} {
  const lab = new Lab(policyOf(document));
  const worker = lab.register("worker");
  const twin = lab.register("twin");
  lab.apply(T0);
  return { lab, worker, twin };
}

function act(lab: Lab, one: Act, at = lab.state.now + 1000): ActResult {
  const [result] = lab.apply(at, { acts: [one] }).results;
  if (result?.type !== "applied") throw new Error("not applied");
  return result.acts[0]!;
}

function reported(lab: Lab, subject: number): string {
  const result = act(lab, report(subject, { at: lab.state.now }));
  if (result.type !== "done") throw new Error(result.type);
  return result.id!;
}

/** Reports and confirms so many times. */
function convict(lab: Lab, subject: number, times: number): string[] {
  return Array.from({ length: times }, () => {
    const id = reported(lab, subject);
    expect(act(lab, confirmed(id))).toEqual({ type: "done", id });
    return id;
  });
}

const penaltiesOf = (lab: Lab, subject: number) => lab.state.sanctions.of(subject)?.penalties ?? [];
const isBanned = (lab: Lab, subject: number): boolean => lab.standing(subject).banned;

describe("a report", () => {
  test("changes nothing before somebody confirms it", () => {
    const { lab, worker, twin } = labOf();
    const id = reported(lab, worker);
    expect(lab.score(worker)).toBe(lab.score(twin));
    expect(lab.state.sanctions.report(id)).toMatchObject({
      subject: worker,
      reporter: "key:test",
      evidence: ["trace-1"],
      status: "pending",
    });
  });

  test("that is confirmed takes half the scale, fading over a week, and the penalty names it", () => {
    const { lab, worker, twin } = labOf();
    const id = reported(lab, worker);
    const { list } = lab.apply(lab.state.now + 1000, { acts: [confirmed(id)] });
    expect(list.map(({ type }) => type)).toEqual(
      expect.arrayContaining(["misbehaviour.confirmed", "penalty.applied"]),
    );
    const now = lab.state.now;
    expect(penaltiesOf(lab, worker)).toMatchObject([
      {
        id: id.replace("mis", "pen"),
        type: "malicious_behavior",
        fraction: 0.5,
        evidence: [`misbehaviour:${id}`],
        issuer: "key:judge",
        expiresAt: now + WEEK_MS,
        fade: "linear",
      },
    ]);
    expect(lab.score(worker)).toBeCloseTo(lab.score(twin) - 50, 9);
    expect(lab.score(worker, now + WEEK_MS / 2)).toBeCloseTo(lab.score(twin, now + WEEK_MS / 2) - 25, 9);
  });

  test("is decided by somebody else than who reported, and once", () => {
    const { lab, worker } = labOf();
    const id = reported(lab, worker);
    const own = { issuer: "key:test", reason: "trust me" };
    expect(act(lab, { type: "misbehaviour.confirmed", reportId: id, ...own })).toEqual({
      type: "report_is_own",
      id,
    });
    expect(act(lab, { type: "misbehaviour.dismissed", reportId: id, ...own })).toEqual({
      type: "report_is_own",
      id,
    });
    expect(act(lab, dismissed(id))).toEqual({ type: "done", id });
    expect(act(lab, dismissed(id))).toEqual({ type: "report_decided", id, status: "dismissed" });
    expect(act(lab, confirmed(id))).toEqual({ type: "report_decided", id, status: "dismissed" });
    expect(act(lab, confirmed("mis_0_0"))).toEqual({ type: "report_not_found", id: "mis_0_0" });
    expect(penaltiesOf(lab, worker)).toEqual([]);
  });

  test("counts at once where nobody has to confirm", () => {
    const { lab, worker } = labOf({ misbehaviour: { confirm: "none" } });
    const id = reported(lab, worker);
    expect(lab.state.sanctions.report(id)).toMatchObject({
      status: "confirmed",
      confirmation: { issuer: "rule:misbehaviour" },
    });
    expect(penaltiesOf(lab, worker)).toMatchObject([{ type: "malicious_behavior", deduction: 50 }]);
  });
});

describe("the third confirmed report", () => {
  test("bans for thirty days and names the three", () => {
    const { lab, worker } = labOf();
    const ids = convict(lab, worker, 2);
    expect(isBanned(lab, worker)).toBe(false);
    ids.push(...convict(lab, worker, 1));
    expect(isBanned(lab, worker)).toBe(true);
    const ban = penaltiesOf(lab, worker).find(({ type }) => type === "ban")!;
    expect(ban).toMatchObject({
      issuer: "rule:misbehaviour",
      expiresAt: lab.state.now + 30 * DAY_MS,
      evidence: ids.map((id) => `misbehaviour:${id}`),
    });
    lab.apply(ban.expiresAt!);
    expect(isBanned(lab, worker)).toBe(false);
  });

  test("bans nobody where the policy says so, or where one of the three was dismissed", () => {
    const off = labOf({ misbehaviour: { auto_ban: false } });
    convict(off.lab, off.worker, 4);
    expect(isBanned(off.lab, off.worker)).toBe(false);
    const { lab, worker } = labOf();
    const [first] = convict(lab, worker, 2);
    act(lab, dismissed(first!));
    convict(lab, worker, 1);
    expect(isBanned(lab, worker)).toBe(false);
    convict(lab, worker, 1);
    expect(isBanned(lab, worker)).toBe(true);
  });

  test("and each one after it bans again; the ban ends with the last of them", () => {
    const { lab, worker } = labOf();
    convict(lab, worker, 3);
    const before = lab.state.now;
    lab.apply(before + 20 * DAY_MS);
    convict(lab, worker, 1);
    lab.apply(before + 30 * DAY_MS);
    expect(isBanned(lab, worker)).toBe(true);
    lab.apply(lab.state.now + 30 * DAY_MS);
    expect(isBanned(lab, worker)).toBe(false);
  });
});

describe("overturning", () => {
  const outcomes = fc.array(fc.constantFrom<JobOutcome>("success", "success", "failure", "timeout"), {
    maxLength: 20,
  });
  const ways = fc.constantFrom("dismiss", "revoke");

  test("every report restores the score exactly and lifts the ban", () => {
    fc.assert(
      fc.property(outcomes, fc.integer({ min: 1, max: 5 }), ways, (jobs, times, way) => {
        const { lab, worker, twin } = labOf();
        for (const outcome of jobs) {
          const at = lab.state.now + 1000;
          lab.apply(at, { jobs: jobsOf([worker, twin].map((subject) => ({ subject, at, outcome }))) });
        }
        const ids = convict(lab, worker, times);
        lab.apply(lab.state.now + HOUR_MS);
        for (const id of ids) act(lab, way === "dismiss" ? dismissed(id) : revoked(id.replace("mis", "pen")));
        expect(lab.score(worker)).toBe(lab.score(twin));
        expect(isBanned(lab, worker)).toBe(false);
        expect(ids.map((id) => lab.state.sanctions.report(id)!.status)).toEqual(ids.map(() => "dismissed"));
      }),
      { numRuns: 50 },
    );
  });

  test("one of three lifts their ban, one of four leaves the later ban standing", () => {
    const { lab, worker } = labOf();
    const [first, second] = convict(lab, worker, 4);
    act(lab, dismissed(first!));
    expect(isBanned(lab, worker)).toBe(true);
    act(lab, dismissed(second!));
    expect(isBanned(lab, worker)).toBe(false);
  });

  test("of a report that a ban does not rest on leaves it, whatever the policy asks for by then", () => {
    const { lab, worker } = labOf();
    convict(lab, worker, 3);
    const unrelated = reported(lab, worker);
    act(lab, activation(policyOf({ misbehaviour: { auto_ban_after: 5 } })));
    act(lab, dismissed(unrelated));
    expect(isBanned(lab, worker)).toBe(true);
    const [later] = convict(lab, worker, 1);
    act(lab, dismissed(later!));
    expect(isBanned(lab, worker)).toBe(true);
  });

  test("lifts a ban by the number that made it, not by a lower one of today", () => {
    const { lab, worker } = labOf();
    const [first] = convict(lab, worker, 3);
    act(lab, activation(policyOf({ misbehaviour: { auto_ban_after: 1 } })));
    act(lab, dismissed(first!));
    expect(isBanned(lab, worker)).toBe(false);
  });

  test("leaves a ban given by hand alone", () => {
    const { lab, worker } = labOf();
    const ids = convict(lab, worker, 3);
    act(lab, penalty(worker, { penalty: "ban", points: 0, expiresAt: null }));
    for (const id of ids) act(lab, dismissed(id));
    expect(isBanned(lab, worker)).toBe(true);
  });
});

describe("limits", () => {
  test("a subject has so many undecided reports and no more", () => {
    const { lab, worker } = labOf();
    const acts = Array.from({ length: REPORTS_PENDING_MAX + 1 }, (_, index) =>
      report(worker, { issuer: `key:${Math.floor(index / REPORTS_PENDING_OF_ONE_MAX)}` }),
    );
    const [result] = lab.apply(T0 + 1000, { acts }).results;
    if (result?.type !== "applied") throw new Error("not applied");
    expect(result.acts.at(-2)).toMatchObject({ type: "done" });
    expect(result.acts.at(-1)).toEqual({ type: "too_many_reports", limit: REPORTS_PENDING_MAX });
  });

  test("of which one reporter has so many about a subject, and others find room", () => {
    const { lab, worker, twin } = labOf();
    const ids = Array.from({ length: REPORTS_PENDING_OF_ONE_MAX }, () => reported(lab, worker));
    const full = { type: "too_many_own_reports", limit: REPORTS_PENDING_OF_ONE_MAX };
    expect(act(lab, report(worker))).toEqual(full);
    expect(act(lab, report(worker, { issuer: "key:other" }))).toMatchObject({ type: "done" });
    expect(act(lab, report(twin))).toMatchObject({ type: "done" });
    act(lab, dismissed(ids[0]!));
    expect(act(lab, report(worker))).toMatchObject({ type: "done" });
  });

  test("of the decided the newest are kept, the confirmed before the dismissed", () => {
    const { lab, worker } = labOf();
    const [kept] = convict(lab, worker, 1);
    const ids = Array.from({ length: REPORTS_DECIDED_MAX }, () => {
      const id = reported(lab, worker);
      act(lab, dismissed(id));
      return id;
    });
    const { reports } = lab.state.sanctions.of(worker)!;
    // The last one is of the newest batch.
    expect(reports.map(({ id }) => id)).toEqual([kept, ...ids]);
    act(lab, dismissed(reported(lab, worker)));
    expect(lab.state.sanctions.report(kept!)).toBeDefined();
    expect(lab.state.sanctions.report(ids[0]!)).toBeUndefined();
  });

  test("a decision never drops its own report, nor one of the same batch: its answer is still to be given", () => {
    const { lab, worker } = labOf();
    const old = [reported(lab, worker), reported(lab, worker)];
    const ids = convict(lab, worker, REPORTS_DECIDED_MAX);
    lab.apply(lab.state.now + 1000, { acts: old.map(dismissed) });
    for (const id of old) expect(lab.state.sanctions.report(id)).toMatchObject({ status: "dismissed" });
    const next = reported(lab, worker);
    act(lab, confirmed(next));
    expect(old.map((id) => lab.state.sanctions.report(id))).toEqual([undefined, undefined]);
    expect(lab.state.sanctions.of(worker)!.reports.map(({ id }) => id)).toEqual([...ids, next]);
  });

  test("a report is not confirmed where its penalty and a ban have no room", () => {
    const { lab, worker } = labOf();
    const id = reported(lab, worker);
    const crowd = Array.from({ length: SANCTIONS_ACTIVE_MAX - 1 }, () => penalty(worker, { points: 0 }));
    lab.apply(lab.state.now + 1000, { acts: crowd });
    expect(act(lab, confirmed(id))).toMatchObject({ type: "too_many_sanctions" });
    expect(lab.state.sanctions.report(id)).toMatchObject({ status: "pending" });
  });
});

describe("jobs that time out", () => {
  const timeouts = (lab: Lab, subject: number, ats: readonly number[]): void => {
    lab.apply(Math.max(...ats), {
      jobs: jobsOf(
        ats.map((at): Parameters<typeof jobsOf>[0][number] => ({ subject, at, outcome: "timeout" })),
      ),
    });
  };

  test("are no penalty, unless the policy penalises them: then one for each burst", () => {
    const off = labOf();
    timeouts(off.lab, off.worker, [T0 + 1000]);
    expect(penaltiesOf(off.lab, off.worker)).toEqual([]);
    const { lab, worker } = labOf({ jobs: { penalize_timeouts: true } });
    timeouts(lab, worker, [T0 + 1000, T0 + 1100, T0 + 1499]);
    expect(penaltiesOf(lab, worker)).toMatchObject([
      { type: "job_timeout", deduction: 80, issuer: "rule:timeouts", expiresAt: T0 + 1499 + WEEK_MS },
    ]);
    timeouts(lab, worker, [T0 + 9000]);
    expect(penaltiesOf(lab, worker)).toHaveLength(2);
    expect(new Set(penaltiesOf(lab, worker).map(({ id }) => id)).size).toBe(2);
  });
});
