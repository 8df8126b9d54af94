/** A row's place in the ranking, from what the row says. */
import { rankBucket } from "../rank/rank-index.ts";
import { FIRST_AT, FLAGS, IS_BANNED, rowStart, SCORE } from "../state/row-table.ts";
import type { Kind } from "../state/state.ts";

/** Subjects with evidence rank by their score as last evaluated; the banned and the unheard do not. */
export function indexRow(kind: Kind, row: number): void {
  const { f64, u32 } = kind.table.chunkOf(row);
  const start = rowStart(row);
  const rated = f64[start + FIRST_AT]! > 0 && (u32[start * 2 + FLAGS]! & IS_BANNED) === 0;
  if (rated) kind.rank.set(row, rankBucket(f64[start + SCORE]!, kind.compiled.policy.maxScore));
  else kind.rank.remove(row);
}
