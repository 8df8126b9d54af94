/** Workers that are accused, suspended and away, across a restart: a snapshot and the log behind it are the live state. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Act } from "../event/acts.ts";
import type { JobOutcome } from "../event/jobs.ts";
import { parsePolicy } from "../policy/parse.ts";
import { stateHash } from "../read/digest.ts";
import { networkStanding } from "../read/network.ts";
import type { Part } from "../snapshot/format.ts";
import { endReplay, restoreParts } from "../snapshot/restore.ts";
import { snapshotParts } from "../snapshot/write.ts";
import { createState, type State } from "../state/state.ts";
import { Lab, metric, MINUTE_MS, penalty, report, suspended, T0, type Parts } from "../testing/lab.ts";
import { healthOf, jobsOf } from "../testing/work.ts";
import { apply } from "./apply.ts";

/** More than a unit of rows, so that a snapshot holds them as of several positions. */
const WORKERS = 40;
const signed = { issuer: "key:judge", reason: "test" };

interface Step {
  readonly afterMs: number;
  readonly subject: number;
  readonly kind: "jobs" | "health" | "probe" | "accuse" | "judge" | "suspend" | "announce" | "take back";
  readonly outcome: JobOutcome;
  readonly coin: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  afterMs: fc.constantFrom(0, 300, 1000, 70_000, 40 * MINUTE_MS, 300 * MINUTE_MS),
  // A few have most of the trouble, so that reports add up and windows meet evidence.
  subject: fc.oneof(fc.constantFrom(0, 17, 39), fc.nat(WORKERS - 1)),
  kind: fc.constantFrom(
    "jobs",
    "health",
    "probe",
    "accuse",
    "judge",
    "judge",
    "suspend",
    "announce",
    "take back",
  ),
  outcome: fc.constantFrom("success", "failure", "timeout"),
  coin: fc.boolean(),
});
const steps = fc.array(step, { minLength: 10, maxLength: 60 });

test("a snapshot that is written meanwhile, and the log behind it, give the same bits and go on in the same way", () => {
  fc.assert(
    fc.property(steps, fc.nat(59), fc.boolean(), (history, begin, banFast) => {
      const lab = labOf(banFast ? { misbehaviour: { auto_ban_after: 1 } } : {});
      const parts: Part[] = [];
      let writer: Generator<Part, void, void> | null = null;
      for (const [index, one] of history.entries()) {
        if (index === begin % history.length) writer = snapshotParts(lab.state, 1);
        const next = writer?.next();
        if (next !== undefined && next.done !== true) parts.push(copyOf(next.value));
        lab.apply(lab.state.now + one.afterMs, partsOf(lab, one));
      }
      for (const part of writer ?? []) parts.push(copyOf(part));
      const state = restored(parts, lab);
      expectSame(state, lab.state);
      // Whatever is due comes at the same time: the queue was built anew.
      for (const laterMs of [1000, MINUTE_MS, 60 * MINUTE_MS, 600 * MINUTE_MS, 40 * 1440 * MINUTE_MS]) {
        const { list } = lab.apply(lab.state.now + laterMs);
        const told = list.map(({ type }) => type);
        const { list: again } = apply(state, lab.log.at(-1)!);
        expect(again.map(({ type }) => type)).toEqual(told);
        expectSame(state, lab.state);
      }
    }),
    { numRuns: 30 },
  );
});

function labOf(change: object): Lab {
  const policy = parsePolicy({
    extends: "compute-worker",
    jobs: { penalize_timeouts: true },
    reputation: { sources: ["jobs", "health", "uptime"], components: { success: 0.5, uptime: 0.5 } },
    ...change,
  });
  if (policy.type === "invalid") throw new Error(JSON.stringify(policy.problems));
  const lab = new Lab(policy.policy, { aggregates: true });
  for (let worker = 0; worker < WORKERS; worker++) lab.register(`worker-${worker}`);
  lab.apply(T0);
  return lab;
}

function partsOf(lab: Lab, { afterMs, subject, kind, outcome, coin }: Step): Parts {
  const at = lab.state.now + afterMs;
  if (kind === "jobs") return { jobs: jobsOf([0, 1].map((late) => ({ subject, at: at - late, outcome }))) };
  if (kind === "health")
    return { health: healthOf([{ subject, at, parts: { memory_usage: coin ? 99 : 10 } }]) };
  // Some clocks are ahead, so that a sample may lie in a window that is announced after it.
  if (kind === "probe") {
    const monitor = coin ? {} : { monitor: "probe" };
    return { samples: [metric(subject, "uptime", coin ? 1 : 0, coin ? at : at + 4 * MINUTE_MS, monitor)] };
  }
  const act = actOf(lab, subject, kind, coin, at);
  return { acts: act === null ? [] : [act], key: `${lab.state.position}`, requestHash: "same", answer: "" };
}

function actOf(lab: Lab, subject: number, kind: Step["kind"], coin: boolean, at: number): Act | null {
  const book = lab.state.sanctions.of(subject);
  if (kind === "accuse") return report(subject, { at });
  if (kind === "suspend")
    return suspended(subject, { isAutomatic: coin, expiresAt: coin ? null : at + MINUTE_MS });
  if (kind === "announce")
    return {
      type: "maintenance.announced",
      subject,
      from: coin ? at : at + 30 * MINUTE_MS,
      to: at + 90 * MINUTE_MS,
      ...signed,
    };
  if (kind === "judge") {
    const reportId = book?.reports.at(coin ? -1 : 0)?.id ?? "mis_0_0";
    return { type: coin ? "misbehaviour.confirmed" : "misbehaviour.dismissed", reportId, ...signed };
  }
  const window = book?.maintenance.at(-1);
  const suspension = book?.suspensions.at(-1);
  if (coin && window !== undefined) return { type: "maintenance.cancelled", windowId: window.id, ...signed };
  if (suspension !== undefined) return { type: "suspension.lifted", suspensionId: suspension.id, ...signed };
  const convicted = book?.penalties.at(0);
  return convicted === undefined
    ? penalty(subject)
    : { type: "penalty.revoked", penaltyId: convicted.id, ...signed };
}

function restored(parts: readonly Part[], lab: Lab): State {
  if (parts.length === 0) {
    const { options } = lab.state;
    const state = createState({ ...options, seed: 8 });
    for (const batch of lab.log) apply(state, batch);
    return state;
  }
  const restore = restoreParts({ seed: 99, policies: {}, aggregates: true });
  for (const part of parts) restore.part(part);
  restore.finish();
  for (const batch of lab.log) if (batch.position > restore.state.position) apply(restore.state, batch);
  endReplay(restore.state);
  return restore.state;
}

function expectSame(state: State, live: State): void {
  expect(stateHash(state)).toBe(stateHash(live));
  expect(networkStanding(state.kinds[0]!)).toEqual(networkStanding(live.kinds[0]!));
}

/** Parts share one piece of memory, which the next one takes. */
function copyOf(part: Part): Part {
  return { ...part, bytes: part.bytes.slice() };
}
