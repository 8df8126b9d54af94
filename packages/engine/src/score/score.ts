/** score = clamp(min(max, base + rewards) - penalties, min, max), base = sum of weight x component (`scoring.md`, 1). */
import { exp } from "../num/exp.ts";
import { DAY_MS, type CompiledPolicy, type ComponentRule } from "../policy/compile.ts";
import { rewardSharesAt, sharesAt, type Sanctions } from "../sanction/sanction.ts";
import { MEANS, STALE_MEANS, type Chunk } from "../state/row-table.ts";
import { workStart } from "../state/work-row.ts";
import { priorUtilityOf } from "./prior.ts";
import { newComponentSums, sumComponent } from "./component.ts";
import { idleMs } from "./silence.ts";
import { trustOf } from "./trust.ts";
import { workMean } from "./work-component.ts";

const sums = newComponentSums();
const shares: number[] = [];

/** Score of the row that starts at double `start`, at `nowMs`. Reads only. */
export function scoreRow(
  chunk: Chunk,
  start: number,
  compiled: CompiledPolicy,
  sanctions: Sanctions | undefined,
  nowMs: number,
): number {
  const { policy, components } = compiled;
  const silenceMs = idleMs(chunk, start, compiled, sanctions, nowMs);
  let base = 0;
  for (let index = 0; index < components.length; index++) {
    const rule = components[index]!;
    base += rule.weight * componentScore(chunk, start, rule, compiled, silenceMs, nowMs);
  }
  const rewards = sanctions === undefined ? 0 : rewardSharesAt(sanctions.rewards, policy, nowMs, shares);
  const penalties = sanctions === undefined ? 0 : sharesAt(sanctions.penalties, policy, nowMs, shares);
  const credited = Math.min(policy.maxScore, base + rewards) - penalties;
  return Math.max(policy.minScore, Math.min(policy.maxScore, credited));
}

/** One component, minScore..maxScore, with what silence takes off; trust is not lost by silence. */
export function componentScore(
  chunk: Chunk,
  start: number,
  rule: ComponentRule,
  compiled: CompiledPolicy,
  silenceMs: number,
  nowMs: number,
): number {
  if (rule.name === "trust") return trustOf(chunk, start, compiled.policy, nowMs);
  const mean = compiled.policy.maxScore * meanOf(chunk, start, rule, compiled);
  return afterSilence(mean, compiled, silenceMs);
}

/**
 * What silence leaves of a component that stands at `points`: either it loses points, down to the minimum, or what
 * it has above the initial score shrinks by a share a day, and what lies below stays.
 */
export function afterSilence(points: number, compiled: CompiledPolicy, silenceMs: number): number {
  const { minScore, maxScore, initialScore, decayRatePerDay } = compiled.policy;
  if (compiled.idlePerMs > 0) {
    if (points <= initialScore || silenceMs === 0) return points;
    return initialScore + (points - initialScore) * idleLeft(compiled.idlePerMs * silenceMs);
  }
  // The rate is both an exponential rate and points a day; as points it is written for a maximum of 100.
  const lost = (((decayRatePerDay * maxScore) / 100) * silenceMs) / DAY_MS;
  return Math.max(minScore, points - lost);
}

/** All components of a subject have been silent as long: the newest answer is kept for the next of them. */
let knownFolds = 0;
let knownLeft = 1;

function idleLeft(folds: number): number {
  if (folds !== knownFolds) {
    knownLeft = exp(-folds);
    knownFolds = folds;
  }
  return knownLeft;
}

/**
 * Takes the means of metrics in components that have new evidence. A mean moves with evidence only, never with time, so it is
 * kept in the row, and a sample costs the components it feeds and no others.
 */
export function freshenMeans(chunk: Chunk, start: number, compiled: CompiledPolicy): void {
  const stale = chunk.u32[start * 2 + STALE_MEANS]!;
  if (stale === 0) return;
  for (const rule of compiled.components) {
    if (rule.metrics.length > 0 && (stale & (1 << rule.place)) !== 0)
      chunk.f64[start + MEANS + rule.place] = metricMean(chunk, start, rule, compiled);
  }
  chunk.u32[start * 2 + STALE_MEANS] = 0;
}

function meanOf(chunk: Chunk, start: number, rule: ComponentRule, compiled: CompiledPolicy): number {
  const prior = priorUtilityOf(chunk.f64, start, compiled);
  if (rule.metrics.length === 0)
    return chunk.work === null ? prior : workMean(chunk.work, workStart(start), rule, compiled, prior);
  const metrics = metricMean(chunk, start, rule, compiled);
  if (rule.signals.length === 0 || chunk.work === null) return metrics;
  // Where metrics and jobs both feed a component, each says half.
  return (metrics + workMean(chunk.work, workStart(start), rule, compiled, prior)) / 2;
}

function metricMean(chunk: Chunk, start: number, rule: ComponentRule, compiled: CompiledPolicy): number {
  const isStale = (chunk.u32[start * 2 + STALE_MEANS]! & (1 << rule.place)) !== 0;
  if (!isStale) return chunk.f64[start + MEANS + rule.place]!;
  sumComponent(chunk, start, rule, compiled, sums);
  return sums.mean;
}
