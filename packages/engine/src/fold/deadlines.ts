/**
 * Deadlines: what must announce itself when time passes. The queue may hold entries that no longer apply; an entry
 * counts only while the subject's row or one of its sanctions still names that instant, so the queue can be built
 * again from the state alone.
 */
import { DEADLINE_CROSSING, DEADLINE_SANCTION } from "../deadline/deadline-kind.ts";
import { DEADLINE, isFolded, rowStart } from "../state/row-table.ts";
import { kindOf, type State } from "../state/state.ts";
import { BY_TIME, evaluateSubject } from "./evaluate.ts";

/** Deadlines that one batch drains; the next batch continues. */
export const DEADLINES_PER_BATCH_MAX = 10_000;

export function drainDeadlines(state: State): void {
  const later: { dueAtMs: number; subject: number; kind: number }[] = [];
  for (let drained = 0; drained < DEADLINES_PER_BATCH_MAX; drained++) {
    const due = state.deadlines.popDue(state.now);
    if (due === null) break;
    const { dueAtMs, subject, kind } = due;
    if (!isStanding(state, subject, dueAtMs)) continue;
    const row = state.places.rowOf(subject);
    if (isFolded(kindOf(state, subject).table.chunkOf(row), row, state.position)) later.push({ dueAtMs, subject, kind });
    else evaluateSubject(state, subject, BY_TIME);
  }
  for (const { dueAtMs, subject, kind } of later) state.deadlines.push(dueAtMs, subject, kind);
}

/** Builds the queue from restored rows and sanctions. */
export function rebuildDeadlines(state: State): void {
  for (let subject = 0; subject < state.places.count; subject++) {
    const row = state.places.rowOf(subject);
    const crossing = kindOf(state, subject).table.chunkOf(row).f64[rowStart(row) + DEADLINE]!;
    if (crossing > 0) state.deadlines.push(crossing, subject, DEADLINE_CROSSING);
    for (const dueAtMs of sanctionEnds(state, subject)) state.deadlines.push(dueAtMs, subject, DEADLINE_SANCTION);
  }
}

function isStanding(state: State, subject: number, dueAtMs: number): boolean {
  const row = state.places.rowOf(subject);
  if (kindOf(state, subject).table.chunkOf(row).f64[rowStart(row) + DEADLINE] === dueAtMs) return true;
  return sanctionEnds(state, subject).includes(dueAtMs);
}

function sanctionEnds(state: State, subject: number): number[] {
  const sanctions = state.sanctions.of(subject);
  if (sanctions === undefined) return [];
  return [...sanctions.penalties, ...sanctions.rewards]
    .filter((sanction) => sanction.status === "active" && sanction.expiresAt !== null)
    .map((sanction) => sanction.expiresAt!);
}
