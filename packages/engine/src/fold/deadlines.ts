/**
 * Deadlines: what must announce itself when time passes. The queue may hold entries that no longer apply; an entry
 * counts only while the subject's row or one of its sanctions still names that instant, so the queue can be built
 * again from the state alone.
 */
import type { Deadline } from "../deadline/deadline-queue.ts";
import { nextTurn } from "../sanction/maintenance.ts";
import { silentInstant } from "../score/silence.ts";
import { DEADLINE, LAST_AT, rowStart } from "../state/row-table.ts";
import { SILENT_AT, workStart } from "../state/work-row.ts";
import { isAheadOfLog, kindOf, type State } from "../state/state.ts";
import { BY_TIME } from "./effects.ts";
import { queueMaintenance } from "./ending.ts";
import { evaluateSubject } from "./evaluate.ts";

/**
 * Standing deadlines that one batch drains; the next batch continues. Others are not counted: a queue that was built
 * again has none of those that apply no longer, and has to come to the same instants with the same batch.
 */
export const DEADLINES_PER_BATCH_MAX = 10_000;
/** Entries beside them that one batch looks at: withdrawn ones, and those that follow an instant which was put off. */
const PASSED_PER_BATCH_MAX = 1 << 16;

export function drainDeadlines(state: State): void {
  if (state.deadlines.isCrowded) dropWithdrawn(state);
  const ahead: Deadline[] = [];
  let drained = 0;
  let passed = 0;
  while (drained < DEADLINES_PER_BATCH_MAX && passed < PASSED_PER_BATCH_MAX) {
    const due = state.deadlines.popDue(state.now);
    if (due === null) break;
    // Its turn comes when the log is there.
    const isAhead = isAheadOfLog(state, due.subject);
    if (isAhead) ahead.push(due);
    if (!isAhead && drain(state, due)) drained += 1;
    else passed += 1;
  }
  for (const { dueAtMs, subject } of ahead) state.deadlines.push(dueAtMs, subject);
}

/**
 * Drops what is in the queue for nothing: entries that do not stand and that nothing will follow. So the queue grows
 * with what waits, and not with what was announced and withdrawn.
 */
export function dropWithdrawn(state: State): void {
  state.deadlines.retain((dueAtMs, subject) => {
    if (isStanding(state, subject, dueAtMs)) return true;
    const sanctions = state.sanctions.of(subject);
    if (sanctions === undefined) return false;
    if (sanctions.maintenanceQueuedAt === dueAtMs) return true;
    return sanctions.penalties.some(
      ({ status, alert }) => status === "active" && alert?.queuedUntil === dueAtMs,
    );
  });
}

/** Evaluates the subject if the deadline stands, and says whether it does. */
function drain(state: State, { dueAtMs, subject }: Deadline): boolean {
  followExtended(state, subject, dueAtMs);
  followLife(state, subject, dueAtMs);
  followMaintenance(state, subject, dueAtMs);
  if (!isStanding(state, subject, dueAtMs)) return false;
  const row = state.places.rowOf(subject);
  const { f64 } = kindOf(state, subject).table.chunkOf(row);
  // Passed, so that a queue that is built again does not announce it a second time.
  if (f64[rowStart(row) + DEADLINE] === dueAtMs) f64[rowStart(row) + DEADLINE] = 0;
  if (silentAtOf(state, subject) === dueAtMs) setSilentAt(state, subject, 0);
  evaluateSubject(state, subject, BY_TIME);
  return true;
}

/** Queues when a restored row with a part for jobs falls silent. */
export function queueSilence(state: State, subject: number): void {
  const silentAt = silentAtOf(state, subject);
  if (silentAt > 0) state.deadlines.push(silentAt, subject);
}

/** Queues what else a restored row and its sanctions wait for. */
export function queueDeadlines(state: State, subject: number): void {
  const row = state.places.rowOf(subject);
  const crossing = kindOf(state, subject).table.chunkOf(row).f64[rowStart(row) + DEADLINE]!;
  if (crossing > 0) state.deadlines.push(crossing, subject);
  const sanctions = state.sanctions.of(subject);
  if (sanctions === undefined) return;
  for (const { status, alert, expiresAt } of sanctions.penalties) {
    const dueAtMs = alert?.queuedUntil ?? expiresAt;
    if (status === "active" && dueAtMs !== null) state.deadlines.push(dueAtMs, subject);
  }
  for (const { status, expiresAt } of sanctions.rewards) {
    if (status === "active") state.deadlines.push(expiresAt, subject);
  }
  for (const { status, expiresAt } of sanctions.suspensions) {
    if (status === "active" && expiresAt !== null) state.deadlines.push(expiresAt, subject);
  }
  queueMaintenance(state, subject);
}

/**
 * An alert that repeats ends later each time. It keeps one entry in the queue, which follows its end when it comes up:
 * an entry per repeat would be one per sample of a long outage.
 */
function followExtended(state: State, subject: number, dueAtMs: number): void {
  for (const { status, alert, expiresAt } of state.sanctions.of(subject)?.penalties ?? []) {
    if (status !== "active" || alert === null || alert.queuedUntil !== dueAtMs || expiresAt === dueAtMs)
      continue;
    alert.queuedUntil = expiresAt!;
    state.deadlines.push(expiresAt!, subject);
  }
}

/** Each sign of life puts silence off. As with alerts, the one entry follows when it comes up. */
function followLife(state: State, subject: number, dueAtMs: number): void {
  if (silentAtOf(state, subject) !== dueAtMs) return;
  const kind = kindOf(state, subject);
  const row = state.places.rowOf(subject);
  const chunk = kind.table.chunkOf(row);
  const lastAt = chunk.f64[rowStart(row) + LAST_AT]!;
  const silentAt = silentInstant(lastAt, kind.compiled, state.sanctions.of(subject));
  if (silentAt <= dueAtMs) return;
  setSilentAt(state, subject, silentAt);
  state.deadlines.push(silentAt, subject);
}

/** Windows share one entry; that of one which was cancelled is followed by the next turn. */
function followMaintenance(state: State, subject: number, dueAtMs: number): void {
  const sanctions = state.sanctions.of(subject);
  if (sanctions === undefined || sanctions.maintenance.length === 0) return;
  if (sanctions.maintenanceQueuedAt <= dueAtMs) sanctions.maintenanceQueuedAt = Infinity;
  // A turn that has come is followed when the subject is evaluated.
  if (nextTurn(sanctions.maintenance) > dueAtMs) queueMaintenance(state, subject);
}

function silentAtOf(state: State, subject: number): number {
  const row = state.places.rowOf(subject);
  const { work } = kindOf(state, subject).table.chunkOf(row);
  return work === null ? 0 : work.f64[workStart(rowStart(row)) + SILENT_AT]!;
}

function setSilentAt(state: State, subject: number, silentAt: number): void {
  const row = state.places.rowOf(subject);
  kindOf(state, subject).table.chunkOf(row).work!.f64[workStart(rowStart(row)) + SILENT_AT] = silentAt;
}

function isStanding(state: State, subject: number, dueAtMs: number): boolean {
  const row = state.places.rowOf(subject);
  if (kindOf(state, subject).table.chunkOf(row).f64[rowStart(row) + DEADLINE] === dueAtMs) return true;
  if (silentAtOf(state, subject) === dueAtMs) return true;
  const sanctions = state.sanctions.of(subject);
  if (sanctions === undefined) return false;
  const ends = ({ status, expiresAt }: { status: string; expiresAt: number | null }): boolean =>
    status === "active" && expiresAt === dueAtMs;
  return (
    sanctions.penalties.some(ends) ||
    sanctions.rewards.some(ends) ||
    sanctions.suspensions.some(ends) ||
    nextTurn(sanctions.maintenance) === dueAtMs
  );
}
