/** Selections that were made: jobs in flight, what was assigned of late, and the exploration each subject is in. */
import { NOBODY, selectionNumber, type SelectionMade } from "../event/selection.ts";
import { exp } from "../num/exp.ts";
import { isFolded, rowStart, type WorkChunk } from "../state/row-table.ts";
import { kindNamed, kindOf, type Kind, type State } from "../state/state.ts";
import {
  EXPLORE_LEVEL,
  EXPLORE_NOT_BEFORE,
  EXPLORING,
  IN_FLIGHT,
  RECENT,
  RECENT_AT,
  workStart,
} from "../state/work-row.ts";
import type { RefusedJob } from "./effects.ts";

/** Selections of a kind whose outcome is open; with one more the oldest counts as forgotten. */
export const OPEN_SELECTIONS_MAX = 1_000_000;
/** What was assigned counts half after this time. */
const RECENT_HALF_LIFE_MS = 60_000;
const RECENT_PER_MS = 0.6931471805599453 / RECENT_HALF_LIFE_MS;

/** A selection whose outcome has not come yet. */
export interface OpenSelection {
  readonly subject: number;
  readonly madeAt: number;
  readonly exploring: boolean;
}

/** Applies a selection and returns its number. */
export function applySelection(state: State, made: SelectionMade): number {
  const number = selectionNumber(state.position, state.effects.selections.length);
  state.effects.selections.push({ number, made });
  const kind = kindNamed(state, made.kind);
  if (kind === undefined || made.chosen === NOBODY) return number;
  kind.selections.open.set(number, {
    subject: made.chosen,
    madeAt: state.now,
    exploring: made.exploring,
  });
  if (kind.selections.open.size > OPEN_SELECTIONS_MAX) forgetOldest(state, kind);
  kind.selections.window.add(made.operator);
  assign(state, kind, made.chosen, made.exploring);
  return number;
}

/** Forgets selections whose outcome never came, so that a reporter's silence keeps nobody busy for ever. */
export function forgetSelections(state: State): void {
  for (const kind of state.kinds) {
    const { outcomeTimeoutMs } = kind.compiled.policy.selection;
    for (const { madeAt } of kind.selections.open.values()) {
      if (madeAt + outcomeTimeoutMs > state.now) break;
      forgetOldest(state, kind);
    }
  }
}

/** Closes the selection that an outcome names, or says why the outcome is refused. */
export function closeSelection(
  state: State,
  kind: Kind,
  number: number,
  subject: number,
  outcome: number,
): RefusedJob["code"] | null {
  const open = kind.selections.open.get(number);
  if (open === undefined) return "selection_not_open";
  if (open.subject !== subject) return "selection_of_another";
  kind.selections.open.delete(number);
  state.effects.closings.push({ number, outcome });
  release(state, subject, open.exploring);
  return null;
}

/** After an incident the next exploration job waits, so many times as long with each incident in a row. */
export function postponeExploration(kind: Kind, work: WorkChunk, from: number, nowMs: number): void {
  const { explorationFirstWaitMs, explorationWaitFactor, explorationLongestWaitMs } =
    kind.compiled.policy.selection;
  let waitMs = explorationFirstWaitMs;
  for (
    let level = work.u32[from * 2 + EXPLORE_LEVEL]!;
    level > 0 && waitMs < explorationLongestWaitMs;
    level--
  )
    waitMs *= explorationWaitFactor;
  work.u32[from * 2 + EXPLORE_LEVEL]! += 1;
  work.f64[from + EXPLORE_NOT_BEFORE] = nowMs + Math.min(waitMs, explorationLongestWaitMs);
}

/** Assignments of late, each halved every minute. */
export function recentAt(work: WorkChunk, from: number, nowMs: number): number {
  const recent = work.f64[from + RECENT]!;
  if (recent === 0) return 0;
  return recent * exp(-RECENT_PER_MS * Math.max(0, nowMs - work.f64[from + RECENT_AT]!));
}

function forgetOldest(state: State, kind: Kind): void {
  const [number, { subject, exploring }] = kind.selections.open.entries().next().value!;
  kind.selections.open.delete(number);
  state.effects.closings.push({ number, outcome: null });
  release(state, subject, exploring);
}

function assign(state: State, kind: Kind, subject: number, exploring: boolean): void {
  const row = state.places.rowOf(subject);
  const chunk = kind.table.chunkOf(row);
  if (chunk.work === null || isFolded(chunk, row, state.position)) return;
  const from = workStart(rowStart(row));
  const { f64, u32 } = chunk.work;
  f64[from + RECENT] = recentAt(chunk.work, from, state.now) + 1;
  f64[from + RECENT_AT] = state.now;
  u32[from * 2 + IN_FLIGHT]! += 1;
  if (exploring) u32[from * 2 + EXPLORING]! += 1;
}

function release(state: State, subject: number, exploring: boolean): void {
  const row = state.places.rowOf(subject);
  const chunk = kindOf(state, subject).table.chunkOf(row);
  if (chunk.work === null || isFolded(chunk, row, state.position)) return;
  const ints = workStart(rowStart(row)) * 2;
  chunk.work.u32[ints + IN_FLIGHT]! -= 1;
  if (exploring) chunk.work.u32[ints + EXPLORING]! -= 1;
}
