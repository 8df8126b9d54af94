/** Workers that come while a snapshot is written: restored and replayed, they are and count as in the live state. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Act } from "../event/acts.ts";
import { apply } from "../fold/apply.ts";
import { parsePolicy } from "../policy/parse.ts";
import type { Policy } from "../policy/policy.ts";
import { stateHash } from "../read/digest.ts";
import { networkStanding } from "../read/network.ts";
import type { State } from "../state/state.ts";
import {
  activation,
  ban,
  DAY_MS,
  HOUR_MS,
  Lab,
  metric,
  MINUTE_MS,
  penalty,
  reward,
  suspended,
  T0,
  type Parts,
} from "../testing/lab.ts";
import { partsOf, partsWhile, restored, whileRowsAreWritten } from "../testing/restart.ts";
import { HEADER } from "./format.ts";
import { healthOf, jobsOf } from "../testing/work.ts";

const WORKER = policyOf({ extends: "compute-worker" });
/** Measured by probes alone: rows without a part for jobs. */
const PROBED = policyOf({ extends: "storage-provider" });

/** More than a unit of rows, so that a snapshot holds them as of several positions. */
const EARLY = 40;
const NO_RECORD = new Uint8Array(0);

function policyOf(document: object): Policy {
  const parsed = parsePolicy(document);
  if (parsed.type === "invalid") throw new Error(JSON.stringify(parsed.problems));
  return parsed.policy;
}

function labOf(policy: Policy): Lab {
  const lab = new Lab(policy, { aggregates: true });
  for (let subject = 0; subject < EARLY; subject++) lab.register(`early-${subject}`);
  lab.apply(T0);
  return lab;
}

function ownedBy(subject: number, operator: string | null): Act {
  return { type: "subject.updated", subject, operator, issuer: "key:test", reason: "test" };
}

function expectSame(state: State, live: State): void {
  expect(stateHash(state)).toBe(stateHash(live));
  expect(state.kinds.map(networkStanding)).toEqual(live.kinds.map(networkStanding));
}

test("a worker that is registered while the snapshot is written counts in the network", () => {
  const lab = labOf(WORKER);
  const parts = partsWhile(lab.state, ({ type }) => {
    if (type !== HEADER) return;
    const late = lab.register("late");
    lab.apply(T0 + 1, { health: healthOf([{ subject: late, at: T0 + 1, parts: { memory_usage: 40 } }]) });
  });
  expect(networkStanding(lab.state.kinds[0]!)).toMatchObject({ known: EARLY + 1, active: 1 });
  expectSame(restored(parts, lab), lab.state);
});

test("the owner of a worker that is registered later is nobody else's when a policy begins to read jobs", () => {
  const lab = labOf(PROBED);
  const parts = whileRowsAreWritten(lab, () => {
    lab.apply(T0 + 1, { acts: [activation(WORKER)] });
    const late = lab.register("late");
    lab.apply(T0 + 2, { acts: [ownedBy(late, "acme")] });
  });
  expectSame(restored(parts, lab), lab.state);
});

test("jobs count from the policy on that reads them, though later rows say already how they went", () => {
  const lab = labOf(PROBED);
  const parts = whileRowsAreWritten(lab, () => {
    lab.sample(0, "uptime", 1, T0 + 1);
    const health = { ...WORKER.health, intervalMs: 2 * WORKER.health.intervalMs };
    lab.apply(T0 + 2, { acts: [activation({ ...WORKER, health })] });
  });
  expectSame(restored(parts, lab), lab.state);
});

test("what grows with the network lies in parts of their own, and the header stays as it is", () => {
  const lab = labOf(WORKER);
  const headerBytes = (): number => partsOf(lab.state).find(({ type }) => type === HEADER)!.bytes.length;
  const before = headerBytes();
  const selections = Array.from({ length: 20_000 }, (_, place) => {
    const chosen = place % EARLY;
    return { kind: "provider", chosen, operator: place % 3, exploring: place % 7 === 0, record: NO_RECORD };
  });
  lab.apply(T0 + 1, { selections });
  for (let place = 0; place < 100; place++) {
    const end = { subject: 0, at: T0 + 2, outcome: "success", durationMs: place + 1 } as const;
    const acts = [ownedBy(place % EARLY, `operator-${place}`)];
    const jobs = jobsOf([{ ...end, jobClass: `class-${place}` }]);
    lab.apply(T0 + 2, { jobs, acts, producer: `producer-${place}`, sequence: 1 });
  }
  // Counts have more digits.
  expect(headerBytes() - before).toBeLessThan(100);
  expectSame(restored(partsOf(lab.state), lab), lab.state);
});

interface Step {
  readonly afterMs: number;
  readonly act: "register" | "own" | "job" | "health" | "probe" | "select" | "activate" | "sanction" | "undo";
  /** Picks who, what and how. */
  readonly pick: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  afterMs: fc.constantFrom(0, 300, 70_000, 40 * MINUTE_MS, 7 * HOUR_MS, 3 * DAY_MS),
  act: fc.constantFrom(
    "register",
    "register",
    "own",
    "job",
    "job",
    "health",
    "probe",
    "select",
    "activate",
    "sanction",
    "undo",
  ),
  pick: fc.nat(1000),
});

function contentOf(lab: Lab, { afterMs, act, pick }: Step): Parts {
  const at = lab.state.now + afterMs;
  const subject = pick % lab.state.places.count;
  if (act === "register") {
    const late = lab.register(`late-${lab.state.places.count}`);
    return { acts: [ownedBy(late, `operator-${pick % 5}`)] };
  }
  if (act === "own") return { acts: [ownedBy(subject, pick % 3 === 0 ? null : `operator-${pick % 5}`)] };
  if (act === "health") return { health: healthOf([{ subject, at, parts: { memory_usage: pick % 100 } }]) };
  if (act === "probe") return { samples: [metric(subject, "uptime", (pick % 10) / 10, at)] };
  if (act === "sanction") return { acts: [sanctionOf(subject, at, pick)] };
  if (act === "undo") return { acts: [undoing(lab, subject)] };
  if (act === "activate") return { acts: [activation(pick % 2 === 0 ? WORKER : PROBED)] };
  if (act === "job") {
    const outcome = pick % 3 === 0 ? "failure" : "success";
    return { jobs: jobsOf([{ subject, at, outcome, durationMs: 900, expectedMs: 1000, jobClass: "a" }]) };
  }
  const made = { kind: "provider", chosen: subject, operator: pick % 5, exploring: pick % 2 === 0 };
  return { selections: [{ ...made, record: NO_RECORD }] };
}

function sanctionOf(subject: number, at: number, pick: number): Act {
  const expiresAt = pick % 3 === 0 ? null : at + (pick % 50) * HOUR_MS;
  const signed = { issuer: "key:test", reason: "test" };
  if (pick % 5 === 0) return ban(subject, expiresAt);
  if (pick % 5 === 1) return suspended(subject, { isAutomatic: pick % 2 === 0, expiresAt });
  if (pick % 5 === 2) return reward(subject, { at });
  const [from, to] = [at + HOUR_MS, at + 2 * HOUR_MS];
  if (pick % 5 === 3) return { type: "maintenance.announced", subject, from, to, ...signed };
  return penalty(subject, { at, expiresAt, fade: pick % 2 === 0 ? "linear" : "none" });
}

/** Takes back the first sanction of the subject. */
function undoing(lab: Lab, subject: number): Act {
  const sanctions = lab.state.sanctions.of(subject);
  const signed = { issuer: "key:judge", reason: "test" };
  const [window] = sanctions?.maintenance ?? [];
  if (window !== undefined) return { type: "maintenance.cancelled", windowId: window.id, ...signed };
  const [suspension] = sanctions?.suspensions ?? [];
  if (suspension !== undefined) return { type: "suspension.lifted", suspensionId: suspension.id, ...signed };
  return { type: "penalty.revoked", penaltyId: sanctions?.penalties[0]?.id ?? "pen_unknown", ...signed };
}

function happen(lab: Lab, one: Step | undefined): void {
  if (one !== undefined) lab.apply(lab.state.now + one.afterMs, contentOf(lab, one));
}

test("workers that come, go to other owners and are scored by other policies meanwhile are as in the live state", () => {
  const some = fc.array(step, { maxLength: 30 });
  fc.assert(
    fc.property(fc.boolean(), some, some, some, (working, before, during, after) => {
      const lab = labOf(working ? WORKER : PROBED);
      for (const one of before) happen(lab, one);
      const meanwhile = [...during];
      const parts = partsWhile(lab.state, () => {
        for (let count = 0; count < 3; count++) happen(lab, meanwhile.shift());
      });
      const state = restored(parts, lab);
      expectSame(state, lab.state);
      for (const one of after) {
        happen(lab, one);
        const { list, results } = apply(state, lab.log.at(-1)!);
        expect({ list, results }).toEqual({
          list: lab.state.effects.list,
          results: lab.state.effects.results,
        });
      }
      expectSame(state, lab.state);
    }),
    { numRuns: 60 },
  );
});
