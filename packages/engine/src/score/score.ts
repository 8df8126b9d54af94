/** score = clamp(min(max, base + rewards) - penalties, min, max), base = sum of weight x component (`scoring.md`, 1). */
import { DAY_MS, type CompiledPolicy, type ComponentRule } from "../policy/compile.ts";
import { rewardSharesAt, sharesAt, type Sanctions } from "../sanction/sanction.ts";
import { LAST_AT, MEANS, STALE_MEANS, type Chunk } from "../state/row-table.ts";
import { newComponentSums, sumComponent } from "./component.ts";
import { trustOf } from "./trust.ts";

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
  const lost = inactivityLoss(chunk, start, compiled, nowMs);
  let base = 0;
  for (const rule of components)
    base += rule.weight * componentScore(chunk, start, rule, compiled, lost, nowMs);
  const rewards = sanctions === undefined ? 0 : rewardSharesAt(sanctions.rewards, policy, nowMs, shares);
  const penalties = sanctions === undefined ? 0 : sharesAt(sanctions.penalties, policy, nowMs, shares);
  const credited = Math.min(policy.maxScore, base + rewards) - penalties;
  return Math.max(policy.minScore, Math.min(policy.maxScore, credited));
}

/** One component, minScore..maxScore, with the loss by inactivity taken off; trust is not lost by silence. */
export function componentScore(
  chunk: Chunk,
  start: number,
  rule: ComponentRule,
  compiled: CompiledPolicy,
  inactivityPoints: number,
  nowMs: number,
): number {
  const { policy } = compiled;
  if (rule.name === "trust") return trustOf(chunk, start, policy, nowMs);
  return Math.max(policy.minScore, policy.maxScore * meanOf(chunk, start, rule, compiled) - inactivityPoints);
}

/**
 * Takes the means of components that have new evidence. A mean moves with evidence only, never with time, so it is
 * kept in the row, and a sample costs the components it feeds and no others.
 */
export function freshenMeans(chunk: Chunk, start: number, compiled: CompiledPolicy): void {
  const stale = chunk.u32[start * 2 + STALE_MEANS]!;
  if (stale === 0) return;
  for (const rule of compiled.components) {
    if ((stale & (1 << rule.place)) !== 0)
      chunk.f64[start + MEANS + rule.place] = meanOf(chunk, start, rule, compiled);
  }
  chunk.u32[start * 2 + STALE_MEANS] = 0;
}

function meanOf(chunk: Chunk, start: number, rule: ComponentRule, compiled: CompiledPolicy): number {
  const stale = (chunk.u32[start * 2 + STALE_MEANS]! & (1 << rule.place)) !== 0;
  if (!stale) return chunk.f64[start + MEANS + rule.place]!;
  sumComponent(chunk, start, rule, compiled, sums);
  return sums.mean;
}

/** Points each component but trust has lost by silence: decayRate a day since the newest evidence. */
export function inactivityLoss(chunk: Chunk, start: number, compiled: CompiledPolicy, nowMs: number): number {
  const silentMs = Math.max(0, nowMs - chunk.f64[start + LAST_AT]!);
  // The rate is both an exponential rate and points a day; as points it is written for a maximum of 100.
  const pointsPerDay = (compiled.policy.decayRatePerDay * compiled.policy.maxScore) / 100;
  return (pointsPerDay * silentMs) / DAY_MS;
}
