/** How sure the score is: the overall half-width is the weighted sum of the components', because outages hit several. */
import type { CompiledPolicy, ComponentRule } from "../policy/compile.ts";
import { EVIDENCE_DAYS, type Chunk } from "../state/row-table.ts";
import {
  effectiveSize,
  ends,
  evidenceSize,
  intervalEnds,
  newComponentSums,
  spread,
  sumComponent,
} from "./component.ts";
import { trustOf } from "./trust.ts";
import { newWorkReading, readWork } from "./work-component.ts";

const sums = newComponentSums();
const work = newWorkReading();

/** A component's interval on the score's scale, its effective size with and without the prior. */
export interface ComponentInterval {
  lower: number;
  upper: number;
  effectiveSize: number;
  evidenceSize: number;
}

/** Half-width of the score's 95 % interval, in points. */
export function halfWidthOf(chunk: Chunk, start: number, compiled: CompiledPolicy, nowMs: number): number {
  let half = 0;
  for (const rule of compiled.components) {
    const interval = componentInterval(chunk, start, rule, compiled, nowMs);
    half += (rule.weight * (interval.upper - interval.lower)) / 2;
  }
  return half;
}

export function componentInterval(
  chunk: Chunk,
  start: number,
  rule: ComponentRule,
  compiled: CompiledPolicy,
  nowMs: number,
): ComponentInterval {
  const { maxScore, priorWeight, effectiveSizeMax } = compiled.policy;
  if (rule.name === "trust") {
    // Trust is a formula over days, so each day with evidence counts as one observation beside the prior.
    const days = chunk.u32[start * 2 + EVIDENCE_DAYS]!;
    const size = Math.min(effectiveSizeMax, priorWeight + days);
    const mean = trustOf(chunk, start, compiled.policy, nowMs) / maxScore;
    intervalEnds(mean, mean * (1 - mean), size);
    return {
      lower: ends.lower * maxScore,
      upper: ends.upper * maxScore,
      effectiveSize: size,
      evidenceSize: days,
    };
  }
  if (rule.signals.length === 0) return metricInterval(chunk, start, rule, compiled, nowMs);
  readWork(chunk, start, rule, compiled, nowMs, work);
  const ofWork = {
    lower: work.lower * maxScore,
    upper: work.upper * maxScore,
    effectiveSize: work.size,
    evidenceSize: work.trials,
  };
  if (rule.metrics.length === 0) return ofWork;
  const ofMetrics = metricInterval(chunk, start, rule, compiled, nowMs);
  return {
    lower: (ofMetrics.lower + ofWork.lower) / 2,
    upper: (ofMetrics.upper + ofWork.upper) / 2,
    effectiveSize: (ofMetrics.effectiveSize + ofWork.effectiveSize) / 2,
    evidenceSize: (ofMetrics.evidenceSize + ofWork.evidenceSize) / 2,
  };
}

function metricInterval(
  chunk: Chunk,
  start: number,
  rule: ComponentRule,
  compiled: CompiledPolicy,
  nowMs: number,
): ComponentInterval {
  const { maxScore } = compiled.policy;
  sumComponent(chunk, start, rule, compiled, sums);
  const size = effectiveSize(sums, compiled, nowMs);
  intervalEnds(sums.mean, spread(sums), size);
  const lower = ends.lower * maxScore;
  const upper = ends.upper * maxScore;
  return { lower, upper, effectiveSize: size, evidenceSize: evidenceSize(sums, compiled, nowMs) };
}
