/**
 * Rolling refresh: scores move with time alone, so every indexed score is evaluated again at least once per
 * `update_interval`, a slice with each batch, so that no batch has to pay for all.
 */
import type { State } from "../state/state.ts";
import { watchCrossing } from "./crossing.ts";
import { BY_TIME, evaluateSubject } from "./evaluate.ts";

/** Subjects evaluated with one batch at most; at 1 M subjects and ten batches a second a round takes 10 s. */
export const REFRESH_MAX = 10_000;

export function refreshSlice(state: State, elapsedMs: number): void {
  const count = state.places.count;
  if (count === 0) return;
  const intervalMs = state.kinds[0]!.compiled.policy.updateIntervalMs;
  state.refreshOwed = Math.min(count, state.refreshOwed + (elapsedMs / intervalMs) * count);
  const due = Math.min(Math.floor(state.refreshOwed), REFRESH_MAX);
  state.refreshOwed -= due;
  for (let step = 0; step < due; step++) {
    if (state.refreshNext >= count) state.refreshNext = 0;
    const subject = state.refreshNext++;
    evaluateSubject(state, subject, BY_TIME);
    watchCrossing(state, subject, intervalMs);
  }
}
