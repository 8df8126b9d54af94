/** Sanctions running out or being taken back. */
import { nextTurn, type MaintenanceWindow } from "../sanction/maintenance.ts";
import { nextEnd, type Penalty } from "../sanction/sanction.ts";
import type { Suspension } from "../sanction/suspension.ts";
import { FLAGS, IN_MAINTENANCE, IS_BANNED, IS_SUSPENDED, rowStart } from "../state/row-table.ts";
import { kindOf, type State } from "../state/state.ts";
import { REASON } from "./effects.ts";

/** Ends what has run out by now, begins the maintenance that has come, and returns the reason for a change of score, or -1. */
export function endSanctions(state: State, subject: number): number {
  const sanctions = state.sanctions.of(subject);
  if (sanctions === undefined || sanctions.nextEndAt > state.now) return -1;
  let reason = -1;
  for (const penalty of sanctions.penalties) {
    if (penalty.status !== "active" || penalty.expiresAt === null || penalty.expiresAt > state.now) continue;
    endPenalty(state, penalty, "ended", penalty.expiresAt);
    state.effects.list.push({ type: "penalty.ended", subject, penalty });
    reason = REASON.penaltyEnded;
  }
  for (const reward of sanctions.rewards) {
    if (reward.status !== "active" || reward.expiresAt > state.now) continue;
    reward.status = "ended";
    reward.endedAt = reward.expiresAt;
    state.effects.list.push({ type: "reward.ended", subject, reward });
    reason = REASON.rewardEnded;
  }
  for (const suspension of sanctions.suspensions) {
    const { status, expiresAt } = suspension;
    if (status === "active" && expiresAt !== null && expiresAt <= state.now)
      endSuspension(state, suspension, "ended", expiresAt);
  }
  for (const window of sanctions.maintenance) {
    if (window.status === "announced" && window.from <= state.now) beginMaintenance(state, window);
    if (window.status === "running" && window.to <= state.now) endMaintenance(state, window, "ended");
  }
  sanctions.nextEndAt = nextEnd(sanctions);
  if (sanctions.maintenance.length > 0) queueMaintenance(state, subject);
  return reason;
}

/**
 * Queues the next turn of a subject's windows, unless an entry stands for it or for an earlier instant: that one comes
 * up first and is followed by the next. So a subject has one entry for all its windows, and one more for each time
 * that a window was announced before the one it waited for.
 */
export function queueMaintenance(state: State, subject: number): void {
  const sanctions = state.sanctions.of(subject)!;
  const turnAt = nextTurn(sanctions.maintenance);
  if (turnAt >= sanctions.maintenanceQueuedAt) return;
  sanctions.maintenanceQueuedAt = turnAt;
  state.deadlines.push(turnAt, subject);
}

/** Ends a penalty, its alert, and the ban it may be. */
export function endPenalty(state: State, penalty: Penalty, status: "ended" | "revoked", atMs: number): void {
  penalty.status = status;
  penalty.endedAt = atMs;
  if (penalty.alert !== null && penalty.alert.open) {
    penalty.alert.open = false;
    state.effects.list.push({ type: "alert.closed", subject: penalty.subject, penalty });
  }
  if (penalty.type !== "ban" || isBanned(state, penalty.subject)) return;
  const row = state.places.rowOf(penalty.subject);
  kindOf(state, penalty.subject).table.chunkOf(row).u32[rowStart(row) * 2 + FLAGS]! &= ~IS_BANNED;
  state.effects.list.push({ type: "ban.ended", subject: penalty.subject, penalty });
}

export function endSuspension(
  state: State,
  suspension: Suspension,
  status: "ended" | "revoked",
  atMs: number,
): void {
  suspension.status = status;
  suspension.endedAt = atMs;
  const { subject } = suspension;
  state.sanctions.suspensionEnded(subject);
  const row = state.places.rowOf(subject);
  kindOf(state, subject).table.chunkOf(row).u32[rowStart(row) * 2 + FLAGS]! &= ~IS_SUSPENDED;
  state.effects.list.push({ type: "suspension.ended", subject, suspension });
}

function beginMaintenance(state: State, window: MaintenanceWindow): void {
  const { subject } = window;
  window.status = "running";
  const row = state.places.rowOf(subject);
  kindOf(state, subject).table.chunkOf(row).u32[rowStart(row) * 2 + FLAGS]! |= IN_MAINTENANCE;
  state.effects.list.push({ type: "maintenance.started", subject, window });
}

export function endMaintenance(state: State, window: MaintenanceWindow, status: "ended" | "cancelled"): void {
  const { subject } = window;
  window.status = status;
  state.effects.list.push({ type: `maintenance.${status}`, subject, window });
  // One may follow at once, and then it has begun already.
  if (state.sanctions.of(subject)!.maintenance.some((other) => other.status === "running")) return;
  const row = state.places.rowOf(subject);
  kindOf(state, subject).table.chunkOf(row).u32[rowStart(row) * 2 + FLAGS]! &= ~IN_MAINTENANCE;
}

function isBanned(state: State, subject: number): boolean {
  return state.sanctions
    .of(subject)!
    .penalties.some(({ type, status }) => type === "ban" && status === "active");
}
