/**
 * Momentum and probation (`scoring.md`, section 6). Momentum says "in trouble now", not "how good": it breaks even at
 * 68 % success, so it enters neither score nor ranks, only selection and probation. Failures that end together move it
 * once, so it alone would let somebody fail most of its jobs at the same instants. What is counted beside it, failures
 * in a row and the share of the recent jobs that failed, takes each for itself.
 */
import { halfWidthOf } from "../score/interval.ts";
import { PLACE } from "../score/signal.ts";
import { newWorkReading, readWork, signalMean } from "../score/work-component.ts";
import { FLAGS, NUMBER, ON_PROBATION, SCORE, type Chunk, type WorkChunk } from "../state/row-table.ts";
import type { Kind, State } from "../state/state.ts";
import {
  BAD_RUN,
  EXPLORE_LEVEL,
  FAILED_AT,
  finishedJobs,
  GOOD_RUN,
  IN_FLIGHT,
  MOMENTUM_LOST,
  OUTSIDE_RUN,
  PROBATION_LEVEL,
  PROBATION_SINCE,
  RECENT_FAILED,
  workStart,
} from "../state/work-row.ts";
import type { ProbationReason } from "./effects.ts";
import { postponeExploration } from "./selections.ts";

/** Entries into probation that are counted; the jobs it takes to leave stop doubling long before. */
const LEVEL_MAX = 20;
/** So many times the jobs in flight are recent, where that is more than the policy says. */
const RECENT_PER_IN_FLIGHT = 3;
const reading = newWorkReading();

/** Momentum of a work row, floor..1. */
export function momentumOf(work: WorkChunk, from: number): number {
  return 1 - work.f64[from + MOMENTUM_LOST]!;
}

/**
 * A finished job moves momentum, and may end probation. Returns whether it is an incident: a failure that no other
 * one came just before.
 */
export function moveMomentum(
  state: State,
  kind: Kind,
  chunk: Chunk,
  start: number,
  isGood: boolean,
  at: number,
): boolean {
  const work = chunk.work!;
  const from = workStart(start);
  countRecent(kind, work, from, isGood);
  if (isGood) {
    work.u32[from * 2 + EXPLORE_LEVEL] = 0;
    onGood(state, kind, chunk, start, work, from);
    return false;
  }
  const isOnProbation = (chunk.u32[start * 2 + FLAGS]! & ON_PROBATION) !== 0;
  const isIncident = onBad(kind, work, from, at, isOnProbation);
  if (isIncident) postponeExploration(kind, work, from, state.now);
  return isIncident;
}

/** Good jobs in a row that end the probation the row is in. */
export function goodJobsNeeded(kind: Kind, work: WorkChunk, from: number): number {
  const { goodJobs, goodJobsMax } = kind.compiled.policy.probation;
  const doublings = Math.max(0, work.u32[from * 2 + PROBATION_LEVEL]! - 1);
  let needed = goodJobs;
  for (let step = 0; step < doublings && needed < goodJobsMax; step++) needed *= 2;
  return Math.min(needed, goodJobsMax);
}

/**
 * Puts a row on probation that has come to deserve it. Called when the row is evaluated: jobs, penalties and time can
 * all be the reason.
 */
export function watchProbation(state: State, kind: Kind, chunk: Chunk, start: number): void {
  const work = chunk.work!;
  if ((chunk.u32[start * 2 + FLAGS]! & ON_PROBATION) !== 0) return;
  const from = workStart(start);
  const reason = probationReason(state, kind, chunk, start, work, from);
  if (reason === null) return;
  chunk.u32[start * 2 + FLAGS]! |= ON_PROBATION;
  work.f64[from + PROBATION_SINCE] = state.now;
  work.u32[from * 2 + GOOD_RUN] = 0;
  work.u32[from * 2 + OUTSIDE_RUN] = 0;
  const level = Math.min(LEVEL_MAX, work.u32[from * 2 + PROBATION_LEVEL]! + 1);
  work.u32[from * 2 + PROBATION_LEVEL] = level;
  const subject = chunk.u32[start * 2 + NUMBER]!;
  state.effects.list.push({ type: "probation.started", subject, reason, level });
}

/** Of one that runs many jobs at once more are recent, so that a hiccup is not most of them. */
function countRecent(kind: Kind, work: WorkChunk, from: number, isGood: boolean): void {
  const { recentJobs } = kind.compiled.policy.probation;
  const ints = from * 2;
  const recent = Math.max(recentJobs, RECENT_PER_IN_FLIGHT * work.u32[ints + IN_FLIGHT]!);
  const share = work.f64[from + RECENT_FAILED]!;
  work.f64[from + RECENT_FAILED] = share + ((isGood ? 0 : 1) - share) / recent;
  work.u32[ints + BAD_RUN] = isGood ? 0 : work.u32[ints + BAD_RUN]! + 1;
}

function onGood(state: State, kind: Kind, chunk: Chunk, start: number, work: WorkChunk, from: number): void {
  const { momentum, probation } = kind.compiled.policy;
  const ints = from * 2;
  work.f64[from + MOMENTUM_LOST] = 1 - Math.min(1, momentumOf(work, from) * momentum.success);
  work.u32[ints + GOOD_RUN]! += 1;
  if ((chunk.u32[start * 2 + FLAGS]! & ON_PROBATION) === 0) {
    forgive(kind, work, ints);
    return;
  }
  if (momentumOf(work, from) < probation.leaveMomentum) return;
  if (work.f64[from + RECENT_FAILED]! > probation.recentFailedAbove) return;
  if (work.u32[ints + GOOD_RUN]! < goodJobsNeeded(kind, work, from)) return;
  // It would be on probation again with its next evaluation, and twice as long.
  if (probationReason(state, kind, chunk, start, work, from) !== null) return;
  chunk.u32[start * 2 + FLAGS]! &= ~ON_PROBATION;
  work.f64[from + PROBATION_SINCE] = 0;
  const subject = chunk.u32[start * 2 + NUMBER]!;
  state.effects.list.push({ type: "probation.ended", subject, level: work.u32[ints + PROBATION_LEVEL]! });
}

/** Returns false where the failure belongs to an incident that has been counted: one fails many jobs at once. */
function onBad(kind: Kind, work: WorkChunk, from: number, at: number, isOnProbation: boolean): boolean {
  const { momentum } = kind.compiled.policy;
  work.u32[from * 2 + GOOD_RUN] = 0;
  if (!isOnProbation) forgive(kind, work, from * 2);
  const sinceMs = at - work.f64[from + FAILED_AT]!;
  if (work.f64[from + FAILED_AT] !== 0 && sinceMs < momentum.burstMs && sinceMs > -momentum.burstMs)
    return false;
  if (sinceMs > 0) work.f64[from + FAILED_AT] = at;
  work.f64[from + MOMENTUM_LOST] = 1 - Math.max(momentum.floor, momentumOf(work, from) * momentum.failure);
  return true;
}

/** Every so many jobs outside probation one entry is forgiven. */
function forgive(kind: Kind, work: WorkChunk, ints: number): void {
  if (work.u32[ints + PROBATION_LEVEL] === 0) return;
  work.u32[ints + OUTSIDE_RUN]! += 1;
  if (work.u32[ints + OUTSIDE_RUN]! < kind.compiled.policy.probation.forgivenAfter) return;
  work.u32[ints + OUTSIDE_RUN] = 0;
  work.u32[ints + PROBATION_LEVEL]! -= 1;
}

/** How near a row is to what would put it on probation. */
export interface ProbationLimit {
  readonly reason: ProbationReason;
  readonly value: number;
  /** Probation begins where the value is beyond it: above for failures, below for everything else. */
  readonly limit: number;
  readonly begins: "above" | "below";
}

/** The same as {@link probationReason} looks at, each with its value; what has too little evidence is left out. */
export function probationLimits(kind: Kind, chunk: Chunk, start: number, nowMs: number): ProbationLimit[] {
  const { probation } = kind.compiled.policy;
  const work = chunk.work!;
  const from = workStart(start);
  const momentum = momentumOf(work, from);
  const condition = chunk.f64[start + SCORE]! * momentum;
  const upper = condition + halfWidthOf(chunk, start, kind.compiled, nowMs) * momentum;
  const limits: ProbationLimit[] = [
    { reason: "momentum", value: momentum, limit: probation.momentumBelow, begins: "below" },
    {
      reason: "run",
      value: work.u32[from * 2 + BAD_RUN]!,
      limit: runLimit(kind, work, from) - 1,
      begins: "above",
    },
    {
      reason: "recent",
      value: work.f64[from + RECENT_FAILED]!,
      limit: probation.recentFailedAbove,
      begins: "above",
    },
    { reason: "score", value: upper, limit: probation.upperBelow, begins: "below" },
  ];
  const success = successUpper(kind, chunk, start, nowMs);
  if (success !== null)
    limits.push({ reason: "success", value: success, limit: probation.successUpperBelow, begins: "below" });
  return limits;
}

function probationReason(
  state: State,
  kind: Kind,
  chunk: Chunk,
  start: number,
  work: WorkChunk,
  from: number,
): ProbationReason | null {
  const { probation } = kind.compiled.policy;
  const momentum = momentumOf(work, from);
  if (momentum < probation.momentumBelow) return "momentum";
  if (work.u32[from * 2 + BAD_RUN]! >= runLimit(kind, work, from)) return "run";
  if (work.f64[from + RECENT_FAILED]! > probation.recentFailedAbove) return "recent";
  const condition = chunk.f64[start + SCORE]! * momentum;
  // The upper bound costs an interval, so it is taken only where the mean is below already.
  if (condition < probation.upperBelow) {
    const half = halfWidthOf(chunk, start, kind.compiled, state.now);
    if (condition + half * momentum < probation.upperBelow) return "score";
  }
  // As with the score, the mean is cheaper than its bound.
  if (signalMean(chunk, start, PLACE.success, kind.compiled) >= probation.successUpperBelow) return null;
  const success = successUpper(kind, chunk, start, state.now);
  return success !== null && success < probation.successUpperBelow ? "success" : null;
}

/** What still runs may end well: of one that runs many at once, a few that fail one after the other say little. */
function runLimit(kind: Kind, work: WorkChunk, from: number): number {
  return Math.max(kind.compiled.policy.probation.failuresInRow, work.u32[from * 2 + IN_FLIGHT]!);
}

/** Upper bound of the success rate, 0..1; null before there are enough jobs, or where it is no component. */
function successUpper(kind: Kind, chunk: Chunk, start: number, nowMs: number): number | null {
  const finished = finishedJobs(chunk.work!.u32, workStart(start) * 2);
  if (finished < kind.compiled.policy.probation.jobsMin) return null;
  const rule = kind.compiled.components.find(({ name }) => name === "success");
  if (rule === undefined) return null;
  readWork(chunk, start, rule, kind.compiled, nowMs, reading);
  return reading.upper;
}
