/**
 * Where time alone is about to change a subject's tier or carry it over the low threshold, the instant goes into the
 * deadline queue. It is looked for in the refresh, one interval and a half ahead, so a subject costs nothing here
 * while events keep it busy.
 */
import { scoreRow } from "../score/score.ts";
import { DEADLINE, FLAGS, isFolded, IS_LOW, rowStart, TIER } from "../state/row-table.ts";
import { kindOf, type State } from "../state/state.ts";
import { wantedTier } from "./tier.ts";

/** The refresh looks this far ahead, in intervals: past the next one, so that no instant falls between two. */
const LOOKAHEAD_INTERVALS = 1.5;

export function watchCrossing(state: State, subject: number, intervalMs: number): void {
  const kind = kindOf(state, subject);
  const row = state.places.rowOf(subject);
  const chunk = kind.table.chunkOf(row);
  if (isFolded(chunk, row, state.position)) return;
  const start = rowStart(row);
  const sanctions = state.sanctions.of(subject);
  const differsAt = (atMs: number): boolean => {
    const score = scoreRow(chunk, start, kind.compiled, sanctions, atMs);
    const low = (chunk.u32[start * 2 + FLAGS]! & IS_LOW) !== 0;
    if (score < kind.compiled.policy.lowThreshold !== low) return true;
    return wantedTier(kind, chunk, start, score) !== chunk.u32[start * 2 + TIER]!;
  };
  const until = state.now + Math.ceil(intervalMs * LOOKAHEAD_INTERVALS);
  const queuedAt = chunk.f64[start + DEADLINE]!;
  chunk.f64[start + DEADLINE] = 0;
  if (differsAt(state.now) || !differsAt(until)) return;
  const dueAt = firstDifference(differsAt, state.now, until);
  chunk.f64[start + DEADLINE] = dueAt;
  // What the row named already has its entry: another for each round would be one too many.
  if (dueAt !== queuedAt) state.deadlines.push(dueAt, subject);
}

/** First millisecond in (same, differs] at which the predicate holds, by halving: the score is monotone in between. */
function firstDifference(differsAt: (atMs: number) => boolean, sameMs: number, differsMs: number): number {
  let same = sameMs;
  let differs = differsMs;
  while (differs - same > 1) {
    const middle = Math.floor((same + differs) / 2);
    if (differsAt(middle)) differs = middle;
    else same = middle;
  }
  return differs;
}
