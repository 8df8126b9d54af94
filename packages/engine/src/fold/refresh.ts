/**
 * Rolling refresh: scores move with time alone, so every indexed score is evaluated again at least once per
 * `update_interval`, a slice with each batch, so that no batch has to pay for all.
 */
import { EVALUATED_AT, rowStart } from "../state/row-table.ts";
import { kindOf, type State } from "../state/state.ts";
import { watchCrossing } from "./crossing.ts";
import { BY_TIME } from "./effects.ts";
import { evaluateSubject } from "./evaluate.ts";

/** Subjects evaluated with one batch at most; at 1 M subjects and ten batches a second a round takes 10 s. */
export const REFRESH_MAX = 10_000;

/** Whom events have kept fresh for half an interval is passed over, and looked at again half an interval later. */
const ROUNDS_PER_INTERVAL = 2;

export function refreshSlice(state: State, elapsedMs: number): void {
  const count = state.places.count;
  if (count === 0) return;
  const intervalMs = shortestInterval(state);
  state.refreshOwed = Math.min(
    count,
    state.refreshOwed + (elapsedMs / intervalMs) * ROUNDS_PER_INTERVAL * count,
  );
  const due = Math.min(Math.floor(state.refreshOwed), REFRESH_MAX);
  state.refreshOwed -= due;
  for (let step = 0; step < due; step++) {
    if (state.refreshNext >= count) state.refreshNext = 0;
    const subject = state.refreshNext++;
    const at = evaluatedAt(state, subject);
    const isFresh = state.now - at < intervalMs / ROUNDS_PER_INTERVAL && at > kindOf(state, subject).policyAt;
    if (isFresh) continue;
    evaluateSubject(state, subject, BY_TIME);
    watchCrossing(state, subject, intervalMs);
    // Nobody else gives back the memory of a subject that has fallen silent.
    const { aggregates, durations } = kindOf(state, subject);
    const row = state.places.rowOf(subject);
    aggregates?.expire(row, state.now);
    durations?.expire(row, state.now);
  }
}

/** One round serves all kinds, so the most eager policy sets its pace. */
function shortestInterval(state: State): number {
  let shortest = Infinity;
  for (const { compiled } of state.kinds) shortest = Math.min(shortest, compiled.policy.updateIntervalMs);
  return shortest;
}

function evaluatedAt(state: State, subject: number): number {
  const row = state.places.rowOf(subject);
  return kindOf(state, subject).table.chunkOf(row).f64[rowStart(row) + EVALUATED_AT]!;
}
