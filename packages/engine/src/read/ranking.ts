/** Rankings: the best and the worst of a kind, and the place of one, without sorting the fleet. */
import { halfWidthOf } from "../score/interval.ts";
import { NUMBER, rowStart, SCORE, TIER } from "../state/row-table.ts";
import type { Kind } from "../state/state.ts";

export interface Ranked {
  readonly subject: number;
  /** Ties share the place: 1 + how many are strictly better. */
  readonly place: number;
  /** As indexed: what ranks is the score rounded to .01 of a hundredth of the scale. */
  readonly score: number;
  readonly tier: string;
}

/** The `count` best, best first; ties are listed by their lower bound, then by number. */
export function best(kind: Kind, count: number, nowMs: number): Ranked[] {
  return list(kind, kind.rank.topK(count, byLowerBound(kind, nowMs)));
}

/** The `count` worst, worst first. */
export function worst(kind: Kind, count: number, nowMs: number): Ranked[] {
  return list(kind, kind.rank.bottomK(count, byLowerBound(kind, nowMs)));
}

/**
 * The next `count` behind a subject in rank order, for paging: ties by number.
 *
 * @param bucket,row where the page before ended; see {@link rankCursor}
 */
export function rankPage(kind: Kind, bucket: number, row: number, count: number): Ranked[] {
  return list(kind, kind.rank.page(bucket, row, count));
}

/** Bucket and row of a subject, to continue behind it. */
export function rankCursor(kind: Kind, row: number): { bucket: number; row: number } {
  return { bucket: kind.rank.bucketOf(row), row };
}

/** Scores at which the policy's percentile cuts lie now, best first. */
export function percentileCuts(kind: Kind): number[] {
  const { tiers, maxScore } = kind.compiled.policy;
  return tiers.percentileCuts.map((share) => (kind.rank.bucketOfTopShare(share) / 10_000) * maxScore);
}

function list(kind: Kind, rows: readonly number[]): Ranked[] {
  const { names } = kind.compiled.policy.tiers;
  return rows.map((row) => {
    const chunk = kind.table.chunkOf(row);
    const start = rowStart(row);
    return {
      subject: chunk.u32[start * 2 + NUMBER]!,
      place: kind.rank.place(row),
      score: chunk.f64[start + SCORE]!,
      tier: names[chunk.u32[start * 2 + TIER]!]!,
    };
  });
}

function byLowerBound(kind: Kind, nowMs: number): (a: number, b: number) => number {
  const lower = (row: number): number => {
    const chunk = kind.table.chunkOf(row);
    const start = rowStart(row);
    return chunk.f64[start + SCORE]! - halfWidthOf(chunk, start, kind.compiled, nowMs);
  };
  return (a, b) => lower(b) - lower(a);
}
