/**
 * Components: decayed means of their metrics under a prior, with an interval that says how sure they are.
 */
import { exp } from "../num/exp.ts";
import { sqrt } from "../num/sqrt.ts";
import { decayAfter, type CompiledPolicy, type ComponentRule } from "../policy/compile.ts";
import { SLOT_OFFSETS, type Chunk } from "../state/row-table.ts";
import { priorUtilityOf } from "./prior.ts";
import { newReading, readEvidence, type Reading } from "./evidence.ts";

/** 97.5 % point of the normal distribution: intervals are 95 %. */
export const Z95 = 1.959964;

/** Evidence of a component, metric weights and prior included. */
export interface ComponentSums {
  /** Mean utility 0..1 under the prior. */
  mean: number;
  /** Weight of the evidence as of its newest unit, metric weights applied. */
  w: number;
  wv: number;
  wvv: number;
  ww: number;
  /** What is left of the prior's weight, and the utility it stands for. */
  prior: number;
  priorUtility: number;
  /** Start of the newest unit, ms since 1970; 0 without evidence. */
  newestMs: number;
  /** Readings of the metrics in the rule's order, with the decay that brings each to the newest unit. */
  readonly readings: readonly Reading[];
  readonly left: Float64Array;
}

/** No component has more metrics. */
const METRICS_PER_COMPONENT_MAX = 4;

export function newComponentSums(): ComponentSums {
  const readings = Array.from({ length: METRICS_PER_COMPONENT_MAX }, () => newReading());
  const left = new Float64Array(METRICS_PER_COMPONENT_MAX);
  return { mean: 0, w: 0, wv: 0, wvv: 0, ww: 0, prior: 0, priorUtility: 0, newestMs: 0, readings, left };
}

/**
 * Reads a component of the row that starts at double `row` of the chunk.
 *
 * mean = (sum w v + prior x p0) / (sum w + prior). The metrics are compared as of the component's newest evidence,
 * not as of now: waiting multiplies all of them by the same factor and so moves no mean. The prior has aged by the
 * evidence time that has passed since the first observation.
 */
export function sumComponent(
  chunk: Chunk,
  row: number,
  rule: ComponentRule,
  compiled: CompiledPolicy,
  into: ComponentSums,
): void {
  const { metrics } = rule;
  let newest = 0;
  for (let m = 0; m < metrics.length; m++) {
    const reading = into.readings[m]!;
    const metric = metrics[m]!;
    readEvidence(chunk, row + SLOT_OFFSETS[metric.code]!, metric, reading);
    if (reading.newestUnit > newest) newest = reading.newestUnit;
  }
  into.w = 0;
  into.wv = 0;
  into.wvv = 0;
  into.ww = 0;
  let spanMs = 0;
  for (let m = 0; m < metrics.length; m++) {
    const reading = into.readings[m]!;
    if (reading.newestUnit === 0) continue;
    const metric = metrics[m]!;
    const units = newest - reading.newestUnit;
    const left = units === 0 ? 1 : decayAfter(metric, units);
    into.left[m] = left;
    const factor = left * metric.weight;
    into.w += factor * reading.w;
    into.wv += factor * reading.wv;
    into.wvv += factor * reading.wvv;
    into.ww += factor * metric.weight * reading.ww;
    const reach = reading.spanMs + Math.min(units * metric.unitMs, metric.maxGapMs);
    if (reach > spanMs) spanMs = reach;
  }
  into.newestMs = newest === 0 ? 0 : (newest - 1) * metrics[0]!.unitMs;
  into.prior = priorLeft(compiled, spanMs);
  const weight = into.w + into.prior;
  into.priorUtility = priorUtilityOf(chunk.f64, row, compiled);
  into.mean = weight === 0 ? into.priorUtility : (into.wv + into.prior * into.priorUtility) / weight;
}

/** Forty e-foldings leave less of the prior than a double can show beside an observation. */
const PRIOR_FOLDS_MAX = 40;

function priorLeft(compiled: CompiledPolicy, spanMs: number): number {
  const folds = compiled.decayPerMs * spanMs;
  if (folds === 0) return compiled.policy.priorWeight;
  return folds > PRIOR_FOLDS_MAX ? 0 : compiled.policy.priorWeight * exp(-folds);
}

/**
 * Effective sample size at `nowMs`, prior included: Kish's (sum w)^2 / sum w^2, aged by the silence since the newest
 * evidence and read as at most `effectiveSizeMax`, so that a long good past cannot fund misbehaviour.
 */
export function effectiveSize(sums: ComponentSums, compiled: CompiledPolicy, nowMs: number): number {
  const weight = sums.w + sums.prior;
  const squares = sums.ww + sums.prior;
  if (squares === 0) return 0;
  const size = ((weight * weight) / squares) * silence(sums, compiled, nowMs);
  return Math.min(size, compiled.policy.effectiveSizeMax);
}

/** Effective size of the evidence alone: what a reader wants to know of a subject. */
export function evidenceSize(sums: ComponentSums, compiled: CompiledPolicy, nowMs: number): number {
  if (sums.ww === 0) return 0;
  const size = ((sums.w * sums.w) / sums.ww) * silence(sums, compiled, nowMs);
  return Math.min(size, compiled.policy.effectiveSizeMax);
}

/** Ends of the newest interval computed; valid until the next call. */
export const ends = { lower: 0, upper: 1 };

/**
 * The wider of Wilson's interval and mean +- 1.96 standard errors, clamped to 0..1 and written to {@link ends}.
 *
 * Wilson, J. Am. Stat. Assoc. 22 (1927): centre (p + z^2/2n) / (1 + z^2/n), half-width
 * z sqrt(p(1-p)/n + z^2/4n^2) / (1 + z^2/n).
 */
export function intervalEnds(mean: number, variance: number, size: number): void {
  ends.lower = 0;
  ends.upper = 1;
  if (size === 0) return;
  const z2 = Z95 * Z95;
  const scale = 1 / (1 + z2 / size);
  const centre = (mean + z2 / (2 * size)) * scale;
  const wilson = Z95 * sqrt(Math.max(0, mean * (1 - mean)) / size + z2 / (4 * size * size)) * scale;
  const normal = Z95 * sqrt(variance / size);
  if (normal > wilson) {
    ends.lower = Math.max(0, mean - normal);
    ends.upper = Math.min(1, mean + normal);
  } else {
    ends.lower = Math.max(0, Math.min(centre - wilson, mean));
    ends.upper = Math.min(1, Math.max(centre + wilson, mean));
  }
}

/** Variance of the observations, prior included. */
export function spread(sums: ComponentSums): number {
  const weight = sums.w + sums.prior;
  if (weight === 0) return 0;
  const p0 = sums.priorUtility;
  return Math.max(0, (sums.wvv + sums.prior * p0 * p0) / weight - sums.mean * sums.mean);
}

function silence(sums: ComponentSums, compiled: CompiledPolicy, nowMs: number): number {
  if (sums.newestMs === 0) return 1;
  const silentMs = Math.min(Math.max(0, nowMs - sums.newestMs), compiled.policy.maxGapMs);
  return exp(-compiled.decayPerMs * silentMs);
}
