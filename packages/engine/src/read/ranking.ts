/** Rankings: the best and the worst of a kind, and where percentiles lie, without sorting the fleet. */
import { rankScore } from "../rank/rank-index.ts";
import { halfWidthOf } from "../score/interval.ts";
import { EVALUATED_AT, NUMBER, rowStart, SCORE, TIER } from "../state/row-table.ts";
import type { Kind } from "../state/state.ts";

export interface Ranked {
  readonly subject: number;
  /** Ties share the place: 1 + how many are strictly better. */
  readonly place: number;
  /** As last evaluated; what ranks is the score rounded to .01. */
  readonly score: number;
  readonly tier: string;
}

/** The `count` best, best first; ties are listed by their lower bound, then by number. */
export function best(kind: Kind, count: number): Ranked[] {
  return list(kind, kind.rank.topK(count, byLowerBound(kind)));
}

/** The `count` worst, worst first. */
export function worst(kind: Kind, count: number): Ranked[] {
  return list(kind, kind.rank.bottomK(count, byLowerBound(kind)));
}

/** Scores at which the policy's percentile cuts lie now, best first. */
export function percentileCuts(kind: Kind): number[] {
  const { tiers, maxScore } = kind.compiled.policy;
  return tiers.percentileCuts.map((share) => rankScore(kind.rank.bucketOfTopShare(share), maxScore));
}

function list(kind: Kind, rows: readonly number[]): Ranked[] {
  const { names } = kind.compiled.policy.tiers;
  let bucket = -1;
  let place = 0;
  return rows.map((row) => {
    const chunk = kind.table.chunkOf(row);
    const start = rowStart(row);
    const own = kind.rank.bucketOf(row);
    // Ties share the place, so it is looked up once for each bucket.
    if (own !== bucket) place = kind.rank.place(row);
    bucket = own;
    return {
      subject: chunk.u32[start * 2 + NUMBER]!,
      place,
      score: chunk.f64[start + SCORE]!,
      tier: names[chunk.u32[start * 2 + TIER]!]!,
    };
  });
}

/**
 * Lower bounds as of the subject's newest evaluation, kept while that is the newest: the same few subjects stand at
 * the ends of a ranking from one question to the next. Not part of the state: it can be computed again.
 */
const lowerBounds = new WeakMap<
  Kind,
  Map<number, { readonly evaluatedAt: number; readonly lower: number }>
>();
const LOWER_BOUNDS_MAX = 8_192;

function byLowerBound(kind: Kind): (a: number, b: number) => number {
  let known = lowerBounds.get(kind);
  if (known === undefined || known.size > LOWER_BOUNDS_MAX) {
    known = new Map();
    lowerBounds.set(kind, known);
  }
  const bounds = known;
  const lower = (row: number): number => {
    const chunk = kind.table.chunkOf(row);
    const start = rowStart(row);
    const evaluatedAt = chunk.f64[start + EVALUATED_AT]!;
    const found = bounds.get(row);
    if (found?.evaluatedAt === evaluatedAt) return found.lower;
    const bound = chunk.f64[start + SCORE]! - halfWidthOf(chunk, start, kind.compiled, evaluatedAt);
    bounds.set(row, { evaluatedAt, lower: bound });
    return bound;
  };
  return (a, b) => lower(b) - lower(a);
}
