/**
 * Components that jobs and health reports feed: a mixture of signals by fixed shares, each under the prior, so that a
 * part with few trials says little and cannot be drowned by one with many.
 */
import { exp } from "../num/exp.ts";
import { sqrt } from "../num/sqrt.ts";
import { SIGNALS, type CompiledPolicy, type ComponentRule, type SignalShare } from "../policy/compile.ts";
import type { Chunk, WorkChunk } from "../state/row-table.ts";
import { HEALTH_SPAN_MS, JOB_SPAN_MS, SIGNAL_SIZE, SIGNAL_SUMS, workStart } from "../state/work-row.ts";
import { ends, intervalEnds } from "./component.ts";
import { priorUtilityOf } from "./prior.ts";
import { FIRST_OF_REPORTS, PLACE, readSignal, streamOf, type SignalSums } from "./signal.ts";

/** One signal inside a component. */
export interface SignalReading {
  /** Utility of the prior. */
  priorUtility: number;
  /** Share of the component after the shares of what was never reported are given to the others. */
  share: number;
  /** Mean under the prior, 0..1, and the part of it that is evidence. */
  mean: number;
  evidenceMean: number;
  /** Share of the prior in the mean. */
  priorShare: number;
  lower: number;
  upper: number;
  /** Decayed number of trials as of `nowMs`, with and without what is left of the prior. */
  size: number;
  trials: number;
}

/** No component has more signals. */
const SIGNALS_PER_COMPONENT_MAX = 2;
const PRIOR_FOLDS_MAX = 40;

const sums: SignalSums = { w: 0, wv: 0, wvv: 0 };

/** What the signals of a component say together. Reused; valid until the next read. */
export interface WorkReading {
  mean: number;
  lower: number;
  upper: number;
  size: number;
  trials: number;
  readonly signals: readonly SignalReading[];
}

export function newWorkReading(): WorkReading {
  const signals = Array.from({ length: SIGNALS_PER_COMPONENT_MAX }, () => ({
    priorUtility: 0,
    share: 0,
    mean: 0,
    evidenceMean: 0,
    priorShare: 1,
    lower: 0,
    upper: 1,
    size: 0,
    trials: 0,
  }));
  return { mean: 0, lower: 0, upper: 1, size: 0, trials: 0, signals };
}

/**
 * Mean of the component alone, for scoring. It is taken with every event, so it reads the row without an object in
 * between.
 */
export function workMean(
  { f64 }: WorkChunk,
  from: number,
  rule: ComponentRule,
  compiled: CompiledPolicy,
  priorUtility: number,
): number {
  const { signals } = rule;
  let mean = 0;
  let reported = 0;
  for (let index = 0; index < signals.length; index++) {
    const { place, share } = signals[index]!;
    const at = from + SIGNAL_SUMS + place * SIGNAL_SIZE;
    const w = f64[at]!;
    if (!isReported(place, w)) continue;
    const prior = priorLeft(f64, from, place, compiled);
    const sum = place === PLACE.ratio ? w * steadiness(w, f64[at + 1]!, f64[at + 2]!) : f64[at + 1]!;
    mean += share * underPrior(sum, w, prior, signalPrior(place, compiled, priorUtility));
    reported += share;
  }
  return reported === 0 ? priorMean(signals, compiled, priorUtility) : mean / reported;
}

/** Mean of one signal, none that tells a ratio, under its prior. */
export function signalMean(chunk: Chunk, start: number, place: number, compiled: CompiledPolicy): number {
  const { f64 } = chunk.work!;
  const from = workStart(start);
  const at = from + SIGNAL_SUMS + place * SIGNAL_SIZE;
  const ofPrior = signalPrior(place, compiled, priorUtilityOf(chunk.f64, start, compiled));
  const prior = priorLeft(f64, from, place, compiled);
  return underPrior(f64[at + 1]!, f64[at]!, prior, ofPrior);
}

/** One signal, none that tells a ratio, from its trials alone; trials 0 where there are none. */
export function signalRate(
  work: WorkChunk,
  from: number,
  place: number,
  compiled: CompiledPolicy,
  nowMs: number,
): { readonly mean: number; readonly lower: number; readonly upper: number; readonly trials: number } {
  const reading = newWorkReading().signals[0]!;
  readOne(work, from, place, compiled, nowMs, reading);
  intervalEnds(reading.evidenceMean, varianceOf(place, sums, reading.evidenceMean), reading.trials);
  return { mean: reading.evidenceMean, ...ends, trials: reading.trials };
}

/** The component before any trial: its signals are at their priors, and their shares are as written. */
function priorMean(signals: readonly SignalShare[], compiled: CompiledPolicy, priorUtility: number): number {
  const shares = sharesOf(signals);
  if (shares === 0) return priorUtility;
  let mean = 0;
  for (const { place, share } of signals)
    mean += (share / shares) * signalPrior(place, compiled, priorUtility);
  return mean;
}

/** Signals that every finished job feeds. */
const OF_EVERY_JOB = Uint8Array.from(SIGNALS, (signal) =>
  ["success", "answered", "completed", "flawless"].includes(signal) ? 1 : 0,
);

/**
 * What is never reported is left out; but what every job will tell counts at its prior before the first: else the first
 * failure of one that was late with its reports would raise its score, by what the prior says of answers.
 */
function isReported(place: number, w: number): boolean {
  return w > 0 || OF_EVERY_JOB[place] === 1;
}

/**
 * Prior of a signal in a row whose prior is `priorUtility`. What an operator is known for stands where every job takes
 * its place; in what may never be reported it would stand for ever.
 */
function signalPrior(place: number, compiled: CompiledPolicy, priorUtility: number): number {
  return OF_EVERY_JOB[place] === 1 ? priorUtility : compiled.priorUtility;
}

/** The component with intervals: its half-width is the weighted sum of the signals', as the score's is. */
export function readWork(
  chunk: Chunk,
  start: number,
  rule: ComponentRule,
  compiled: CompiledPolicy,
  nowMs: number,
  into: WorkReading,
): void {
  const work = chunk.work!;
  const from = workStart(start);
  const reported = reportedShare(work, from, rule.signals);
  const priorUtility = priorUtilityOf(chunk.f64, start, compiled);
  into.mean = 0;
  into.lower = 0;
  into.upper = 0;
  into.size = 0;
  into.trials = 0;
  for (let place = 0; place < rule.signals.length; place++) {
    const { place: signal, share } = rule.signals[place]!;
    const reading = into.signals[place]!;
    reading.priorUtility = signalPrior(signal, compiled, priorUtility);
    readOne(work, from, signal, compiled, nowMs, reading);
    // Before any trial every signal is at the prior, and the shares are as written.
    if (reported === 0) reading.share = share / sharesOf(rule.signals);
    else reading.share = isReported(signal, sums.w) ? share / reported : 0;
    into.mean += reading.share * reading.mean;
    into.lower += reading.share * reading.lower;
    into.upper += reading.share * reading.upper;
    into.size += reading.share * reading.size;
    into.trials += reading.share * reading.trials;
  }
}

function reportedShare(work: WorkChunk, from: number, signals: readonly SignalShare[]): number {
  let reported = 0;
  for (const { place, share } of signals) {
    readSignal(work, from, place, sums);
    if (isReported(place, sums.w)) reported += share;
  }
  return reported;
}

function sharesOf(signals: readonly SignalShare[]): number {
  return signals.reduce((sum, { share }) => sum + share, 0);
}

/** Leaves the signal's sums in {@link sums}. */
function readOne(
  work: WorkChunk,
  from: number,
  place: number,
  compiled: CompiledPolicy,
  nowMs: number,
  into: SignalReading,
): void {
  const { priorUtility } = into;
  readSignal(work, from, place, sums);
  const priorWeight = priorLeft(work.f64, from, place, compiled);
  const total = sums.w + priorWeight;
  const { effectiveSizeMax, maxGapMs } = compiled.policy;
  const stream = streamOf(place);
  const newest = work.f64[from + stream.at]!;
  const silentMs = newest === 0 ? 0 : Math.min(Math.max(0, nowMs - newest), maxGapMs);
  const silence = silentMs === 0 ? 1 : exp(-compiled.decayPerMs * silentMs);
  const { w, wv, wvv } = sums;
  const sum = place === PLACE.ratio && w > 0 ? w * steadiness(w, wv, wvv) : wv;
  into.evidenceMean = w === 0 ? 0 : sum / w;
  into.priorShare = total === 0 ? 1 : priorWeight / total;
  into.mean = total === 0 ? priorUtility : underPrior(sum, w, priorWeight, priorUtility);
  into.size = Math.min(total * silence, effectiveSizeMax);
  into.trials = Math.min(sums.w * silence, effectiveSizeMax);
  // The prior pulls the mean, and would pull the interval off the truth: it is of the trials alone, so that it holds.
  intervalEnds(into.evidenceMean, varianceOf(place, sums, into.evidenceMean), into.trials);
  into.lower = Math.min(into.mean, ends.lower);
  into.upper = Math.max(into.mean, ends.upper);
}

/** Mean of trials that weigh `w` and come to `sum`, and of what is left of the prior. */
function underPrior(sum: number, w: number, prior: number, priorUtility: number): number {
  return w + prior === 0 ? priorUtility : (sum + prior * priorUtility) / (w + prior);
}

/** For the ratio of actual to expected durations: 1 - its coefficient of variation, floored at 0. */
function steadiness(w: number, wv: number, wvv: number): number {
  const mean = wv / w;
  const variance = Math.max(0, wvv / w - mean * mean);
  return mean === 0 ? 0 : Math.max(0, 1 - sqrt(variance) / mean);
}

/**
 * Variance of one trial. The coefficient of variation c of n values has the standard error c sqrt((1/2 + c^2) / n)
 * (McKay's approximation, J. R. Stat. Soc. 95, 1932), so one trial counts c^2 (1/2 + c^2).
 */
function varianceOf(place: number, { w, wvv }: SignalSums, value: number): number {
  if (w === 0) return 0;
  if (place !== PLACE.ratio) return Math.max(0, wvv / w - value * value);
  const variation = 1 - value;
  return variation * variation * (0.5 + variation * variation);
}

// The signals of a stream have aged together: the newest answer of each stream is kept for the next of them.
let jobFolds = 0;
let jobLeft = 1;
let reportFolds = 0;
let reportLeft = 1;

/** What is left of the prior of the signal at `place`. */
function priorLeft(f64: Float64Array, from: number, place: number, compiled: CompiledPolicy): number {
  const { priorWeight } = compiled.policy;
  if (place < FIRST_OF_REPORTS) {
    const folds = compiled.decayPerMs * f64[from + JOB_SPAN_MS]!;
    if (folds !== jobFolds) {
      jobLeft = leftAfter(folds);
      jobFolds = folds;
    }
    return priorWeight * jobLeft;
  }
  const folds = compiled.decayPerMs * f64[from + HEALTH_SPAN_MS]!;
  if (folds !== reportFolds) {
    reportLeft = leftAfter(folds);
    reportFolds = folds;
  }
  return priorWeight * reportLeft;
}

function leftAfter(folds: number): number {
  return folds > PRIOR_FOLDS_MAX ? 0 : exp(-folds);
}
