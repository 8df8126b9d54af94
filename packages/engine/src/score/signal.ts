/**
 * Running means of what jobs and health reports say: each job outcome is a trial of its own, each report one.
 *
 * All signals of a stream (jobs, or reports) are decayed together to the newest event, by at most `maxGap` between
 * two, as the windows of metrics are (`evidence.ts`). Every trial weighs 1, so the sum of weights is the decayed
 * number of trials.
 */
import { exp } from "../num/exp.ts";
import { SIGNALS, type CompiledPolicy, type Signal } from "../policy/compile.ts";
import type { WorkChunk } from "../state/row-table.ts";
import {
  HEALTH_SPAN_MS,
  JOB_AT,
  JOB_SPAN_MS,
  PUNCTUAL_AT,
  SIGNAL_SIZE,
  SIGNAL_SUMS,
} from "../state/work-row.ts";

/** Signals from this place on come with health reports, those before with jobs. */
export const FIRST_OF_REPORTS = SIGNALS.indexOf("punctual");

/** Where a stream keeps its newest event and the evidence time behind it, and which signals it feeds. */
export interface Stream {
  readonly at: number;
  readonly spanMs: number;
  readonly first: number;
  readonly end: number;
}

export const JOBS: Stream = { at: JOB_AT, spanMs: JOB_SPAN_MS, first: 0, end: FIRST_OF_REPORTS };
export const REPORTS: Stream = {
  at: PUNCTUAL_AT,
  spanMs: HEALTH_SPAN_MS,
  first: FIRST_OF_REPORTS,
  end: SIGNALS.length,
};

/** Decayed sums of one signal, as of the newest event of its stream. */
export interface SignalSums {
  /** Decayed number of trials. */
  w: number;
  wv: number;
  wvv: number;
}

export function newSums(): SignalSums {
  return { w: 0, wv: 0, wvv: 0 };
}

/** Place of a signal in the row. */
export const PLACE: { readonly [name in Signal]: number } = Object.fromEntries(
  SIGNALS.map((name, place) => [name, place]),
) as { [name in Signal]: number };

/**
 * Makes room for an event at `atMs`: ages what came before it, or, when it comes late, says how much it has aged
 * itself.
 *
 * @returns the weight that the event's trials have, 1 unless it is late
 */
export function advance(
  work: WorkChunk,
  start: number,
  stream: Stream,
  compiled: CompiledPolicy,
  atMs: number,
): number {
  const { f64 } = work;
  const newest = f64[start + stream.at]!;
  const { maxGapMs } = compiled.policy;
  if (newest === 0) {
    f64[start + stream.at] = atMs;
    return 1;
  }
  const gapMs = atMs - newest;
  if (gapMs <= 0) {
    const ageMs = Math.min(-gapMs, f64[start + stream.spanMs]! + maxGapMs);
    if (ageMs > f64[start + stream.spanMs]!) f64[start + stream.spanMs] = ageMs;
    return gapMs === 0 ? 1 : exp(-compiled.decayPerMs * ageMs);
  }
  const countedMs = Math.min(gapMs, maxGapMs);
  const left = exp(-compiled.decayPerMs * countedMs);
  const end = start + SIGNAL_SUMS + stream.end * SIGNAL_SIZE;
  for (let at = start + SIGNAL_SUMS + stream.first * SIGNAL_SIZE; at < end; at++) f64[at]! *= left;
  f64[start + stream.at] = atMs;
  f64[start + stream.spanMs]! += countedMs;
  return 1;
}

/** Adds a trial of `value` to the signal at `place`. */
export function addTrial(work: WorkChunk, start: number, place: number, value: number, weight: number): void {
  const { f64 } = work;
  const at = start + SIGNAL_SUMS + place * SIGNAL_SIZE;
  f64[at]! += weight;
  f64[at + 1]! += weight * value;
  f64[at + 2]! += weight * value * value;
}

export function readSignal(work: WorkChunk, start: number, place: number, into: SignalSums): void {
  const at = start + SIGNAL_SUMS + place * SIGNAL_SIZE;
  into.w = work.f64[at]!;
  into.wv = work.f64[at + 1]!;
  into.wvv = work.f64[at + 2]!;
}

/** The stream that feeds the signal at `place`. */
export function streamOf(place: number): Stream {
  return place < FIRST_OF_REPORTS ? JOBS : REPORTS;
}
