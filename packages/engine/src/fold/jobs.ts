/** Job outcomes into rows: trials of the signals, momentum, probation, and the closing of selections. */
import {
  CLIENT_FAULT,
  DECLINED,
  FAILURE,
  OUTCOME_MASK,
  SLA_MET,
  SLA_MISSED,
  SUCCESS,
  TIMEOUT,
  type JobColumns,
} from "../event/jobs.ts";
import { penaltyTerm } from "../sanction/sanction.ts";
import { workOff } from "../score/silence.ts";
import { signalMean } from "../score/work-component.ts";
import { addTrial, advance, JOBS, PLACE } from "../score/signal.ts";
import {
  EVENT_COUNT,
  FLAGS,
  HAS_SANCTIONS,
  isFolded,
  rowStart,
  WINDOW_COUNT,
  type Chunk,
  type WorkChunk,
} from "../state/row-table.ts";
import { kindOf, type Kind, type State } from "../state/state.ts";
import {
  CLIENT_FAULTS,
  COMPLETED,
  DECLINED_COUNT,
  DURATION_COUNT,
  DURATION_SUM,
  EARNINGS,
  FAILED,
  INVALID,
  TIMED_OUT,
  workStart,
} from "../state/work-row.ts";
import { REASON, type RefusedJob } from "./effects.ts";
import { evaluate } from "./evaluate.ts";
import { moveMomentum } from "./momentum.ts";
import { countOutcome } from "./network.ts";
import { eventPenaltyId, givePenalty, isFull } from "./sanctions.ts";
import { closeSelection } from "./selections.ts";
import { stampEvidence } from "./stamp.ts";
import { RUN_LENGTH, touchWorkRows } from "./touch.ts";

/** The issuer of penalties for jobs that timed out. */
export const TIMEOUT_ISSUER = "rule:timeouts";
/** Counter of each outcome, by its code. */
const COUNTERS = [COMPLETED, FAILED, TIMED_OUT, INVALID, DECLINED_COUNT, CLIENT_FAULTS] as const;
/** A job that took longer than so many times what was expected says no more; squares of it still are numbers. */
const RATIO_MAX = 1e6;
/** A plain failure is half an answer: in time, but without a result. */
const HALF_ANSWER = 0.5;

/** @returns rows that were refused because their selection is not open, in order */
export function foldJobs(state: State, jobs: JobColumns): RefusedJob[] {
  const refused: RefusedJob[] = [];
  state.eventCount += jobs.count;
  for (let index = 0; index < jobs.count; index++) {
    if (index % RUN_LENGTH === 0)
      touchWorkRows(state, jobs.subject, index, Math.min(jobs.count, index + RUN_LENGTH));
    const subject = jobs.subject[index]!;
    const kind = kindOf(state, subject);
    const number = jobs.selection[index]!;
    const outcome = jobs.outcome[index]! & OUTCOME_MASK;
    if (number !== 0) {
      const code = closeSelection(state, kind, number, subject, outcome);
      if (code !== null) {
        refused.push({ row: index, code });
        continue;
      }
    }
    countOutcome(kind, outcome, state.now);
    if (outcome === SUCCESS) countClass(state, kind, jobs, index);
    foldOutcome(state, kind, jobs, index, outcome);
  }
  return refused;
}

function foldOutcome(state: State, kind: Kind, jobs: JobColumns, index: number, outcome: number): void {
  const subject = jobs.subject[index]!;
  const row = state.places.rowOf(subject);
  const chunk = kind.table.chunkOf(row);
  const { work } = chunk;
  if (work === null || isFolded(chunk, row, state.position)) return;
  const start = rowStart(row);
  const from = workStart(start);
  work.u32[from * 2 + COUNTERS[outcome]!]! += 1;
  chunk.u32[start * 2 + EVENT_COUNT]! += 1;
  if (outcome === DECLINED || outcome === CLIENT_FAULT) return;
  const at = jobs.at[index]!;
  const sanctioned = (chunk.u32[start * 2 + FLAGS]! & HAS_SANCTIONS) !== 0;
  const sanctions = sanctioned ? state.sanctions.of(subject) : undefined;
  workOff(work, from, kind.compiled, sanctions, at, outcome === SUCCESS);
  stampEvidence(state, kind, chunk, start, at);
  chunk.u32[start * 2 + WINDOW_COUNT]! += 1;
  const weight = advance(work, from, JOBS, kind.compiled, at);
  addTrial(work, from, PLACE.answered, answeredBy(kind, chunk, start, outcome), weight);
  addOutcome(kind, work, from, jobs, index, weight);
  if (outcome === SUCCESS) addDuration(state, kind, row, jobs, index);
  const isIncident = moveMomentum(state, kind, chunk, start, outcome === SUCCESS, at);
  evaluate(state, kind, row, chunk, start, REASON.metric);
  if (outcome === TIMEOUT && isIncident) penaliseTimeout(state, kind, jobs, index);
}

/** Where the policy has it so: the document's penalty for a job that came to nothing in time. */
function penaliseTimeout(state: State, kind: Kind, jobs: JobColumns, index: number): void {
  const { policy } = kind.compiled;
  const subject = jobs.subject[index]!;
  if (!policy.timeouts.penalize || isFull(state, subject)) return;
  const penalty = "job_timeout";
  givePenalty(state, eventPenaltyId(state, kind, subject), {
    type: "penalty.applied",
    subject,
    penalty,
    severity: "major",
    points: null,
    fraction: policy.timeouts.penaltyFraction,
    at: jobs.at[index]!,
    ...penaltyTerm(policy, penalty, { expiresAt: undefined, fade: undefined }, state.now),
    evidence: [],
    context: {},
    jobId: jobs.jobId?.[index] ?? null,
    issuer: TIMEOUT_ISSUER,
    reason: "the job timed out",
  });
}

function addOutcome(
  kind: Kind,
  work: WorkChunk,
  from: number,
  jobs: JobColumns,
  index: number,
  weight: number,
): void {
  const outcome = jobs.outcome[index]! & OUTCOME_MASK;
  const good = outcome === SUCCESS ? 1 : 0;
  const quality = jobs.quality[index]!;
  addTrial(work, from, PLACE.success, Number.isNaN(quality) ? good : good * quality, weight);
  addTrial(work, from, PLACE.completed, good, weight);
  // A time-out shows no error and no result without one.
  if (outcome !== TIMEOUT) addTrial(work, from, PLACE.flawless, good, weight);
  const said = jobs.outcome[index]! & (SLA_MET | SLA_MISSED);
  if (said !== 0) addTrial(work, from, PLACE.sla, said === SLA_MET ? 1 : 0, weight);
  const earned = jobs.earnings[index]!;
  if (!Number.isNaN(earned)) work.f64[from + EARNINGS]! += earned;
  // Failing fast is not fast: what a failure took and used says nothing.
  if (good === 0) return;
  const used = jobs.usedShare[index]!;
  if (!Number.isNaN(used)) addTrial(work, from, PLACE.use, used, weight);
  const durationMs = jobs.durationMs[index]!;
  if (Number.isNaN(durationMs)) return;
  work.f64[from + DURATION_SUM]! += durationMs;
  work.u32[from * 2 + DURATION_COUNT]! += 1;
  const expectedMs = expectedOf(kind, jobs, index);
  if (Number.isNaN(expectedMs)) return;
  addTrial(work, from, PLACE.speed, Math.min(1, expectedMs / durationMs), weight);
  addTrial(work, from, PLACE.ratio, Math.min(RATIO_MAX, durationMs / expectedMs), weight);
}

/**
 * How far an outcome is an answer: in time with a valid result 1, a plain failure half, else nothing. But where most was
 * not even half an answer, a failure is worth no more than the mean: a failure never raises a score.
 */
function answeredBy(kind: Kind, chunk: Chunk, start: number, outcome: number): number {
  if (outcome === SUCCESS) return 1;
  if (outcome !== FAILURE) return 0;
  return Math.min(HALF_ANSWER, signalMean(chunk, start, PLACE.answered, kind.compiled));
}

/** What was expected of the job, or the median of its class; NaN where neither is known. */
function expectedOf({ jobClasses }: Kind, { expectedMs, jobClass }: JobColumns, index: number): number {
  const told = expectedMs[index]!;
  return Number.isNaN(told) && jobClass !== null ? jobClasses.expectedMs(jobClass[index]!) : told;
}

function countClass({ now }: State, kind: Kind, { jobClass, durationMs }: JobColumns, index: number): void {
  const name = jobClass?.[index] ?? null;
  if (name === null || Number.isNaN(durationMs[index]!)) return;
  kind.jobClasses.count(name, durationMs[index]!, kind.compiled.decayPerMs, now);
}

function addDuration({ now }: State, kind: Kind, row: number, jobs: JobColumns, index: number): void {
  const durationMs = jobs.durationMs[index]!;
  if (kind.durations === null || Number.isNaN(durationMs)) return;
  kind.durations.add(row, 0, jobs.at[index]!, durationMs, 1, false, null, null, now);
}
