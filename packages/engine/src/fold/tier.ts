/**
 * Tiers (`scoring.md`, section 8). A subject starts in the last tier; with enough evidence it is placed by its score,
 * and moves from then on only when it is past a cut by a margin in two evaluations, so that tiers do not flap.
 */
import { rankBucket, rankScore } from "../rank/rank-index.ts";
import { halfWidthOf } from "../score/interval.ts";
import { trustOf } from "../score/trust.ts";
import { NUMBER, TIER, TIER_AT, TIER_CANDIDATE, WINDOW_COUNT, type Chunk } from "../state/row-table.ts";
import type { Kind, State } from "../state/state.ts";

/** Evaluations past the cut, an update interval apart, that move a subject. */
const EVALUATIONS_TO_MOVE = 2;
/**
 * The margin is the interval's half-width, but at most this share of the distance to the nearer neighbouring cut.
 * The ends of the scale are no cuts: where scores bunch far from an end, a margin measured to it would keep
 * everybody out of the outermost tiers.
 */
const MARGIN_SHARE = 0.25;
/** The candidate field holds the tier in its low byte and the count above. */
const COUNT_SHIFT = 8;

/** Cuts in force, best first: the ranking's percentiles once enough subjects are rated, else the policy's scores. */
export function cutsOf(kind: Kind): readonly number[] {
  const { tiers } = kind.compiled.policy;
  const percentile = tiers.mode === "percentile" && kind.cuts !== null && kind.cuts.rated >= tiers.ratedMin;
  return percentile ? kind.cuts!.scores : tiers.scoreCuts;
}

/** Tier that the score alone asks for; the last one until there is enough evidence. */
export function wantedTier(kind: Kind, chunk: Chunk, start: number, score: number): number {
  const cuts = cutsOf(kind);
  if (chunk.u32[start * 2 + WINDOW_COUNT]! < kind.compiled.policy.tiers.evidenceMin) return cuts.length;
  const ranked = asRanked(kind, score);
  for (let tier = 0; tier < cuts.length; tier++) if (ranked >= cuts[tier]!) return tier;
  return cuts.length;
}

export function evaluateTier(state: State, kind: Kind, chunk: Chunk, start: number, score: number): void {
  const { f64, u32 } = chunk;
  const ints = start * 2;
  const { policy } = kind.compiled;
  if (f64[start + TIER_AT] === 0) {
    if (u32[ints + WINDOW_COUNT]! < policy.tiers.evidenceMin) return;
    f64[start + TIER_AT] = state.now;
    move(state, kind, chunk, start, score, wantedTier(kind, chunk, start, score));
    return;
  }
  const tier = u32[ints + TIER]!;
  if (wantedTier(kind, chunk, start, score) === tier) {
    u32[ints + TIER_CANDIDATE] = 0;
    return;
  }
  if (state.now - f64[start + TIER_AT]! < policy.updateIntervalMs) return;
  f64[start + TIER_AT] = state.now;
  const target = tierPastMargin(state, kind, chunk, start, score, tier);
  const held = target < tier && trustOf(chunk, start, policy, state.now) < policy.trustThreshold;
  if (target === tier || held) {
    u32[ints + TIER_CANDIDATE] = 0;
    return;
  }
  const pending = u32[ints + TIER_CANDIDATE]!;
  const count = (pending & 0xff) === target ? (pending >>> COUNT_SHIFT) + 1 : 1;
  u32[ints + TIER_CANDIDATE] = (count << COUNT_SHIFT) | target;
  if (count < EVALUATIONS_TO_MOVE) return;
  u32[ints + TIER_CANDIDATE] = 0;
  move(state, kind, chunk, start, score, target);
}

/** Margin by which the score must be past cut `cut` to move across it, in either direction. */
export function marginAt(kind: Kind, cut: number, halfWidth: number): number {
  const cuts = cutsOf(kind);
  const { minScore, maxScore } = kind.compiled.policy;
  const above = (cuts[cut - 1] ?? maxScore) - cuts[cut]!;
  const below = cuts[cut]! - (cuts[cut + 1] ?? minScore);
  return Math.min(halfWidth, MARGIN_SHARE * Math.max(0, Math.min(above, below)));
}

/** Farthest tier that the score has reached with its margin, or the tier it is in. */
function tierPastMargin(
  state: State,
  kind: Kind,
  chunk: Chunk,
  start: number,
  score: number,
  tier: number,
): number {
  const cuts = cutsOf(kind);
  const half = halfWidthOf(chunk, start, kind.compiled, state.now);
  const ranked = asRanked(kind, score);
  for (let up = 0; up < tier; up++) {
    if (ranked >= cuts[up]! + marginAt(kind, up, half)) return up;
  }
  let down = tier;
  while (down < cuts.length && ranked < cuts[down]! - marginAt(kind, down, half)) down++;
  return down;
}

/** Cuts are compared with the score that ranks, the one rounded to .01, so that equals stand in one tier. */
function asRanked(kind: Kind, score: number): number {
  const { maxScore } = kind.compiled.policy;
  return rankScore(rankBucket(score, maxScore), maxScore);
}

function move(state: State, kind: Kind, chunk: Chunk, start: number, score: number, to: number): void {
  const ints = start * 2;
  const from = chunk.u32[ints + TIER]!;
  if (from === to) return;
  chunk.u32[ints + TIER] = to;
  const { names } = kind.compiled.policy.tiers;
  const subject = chunk.u32[ints + NUMBER]!;
  state.effects.list.push({ type: "tier.changed", subject, from: names[from]!, to: names[to]!, score });
}
