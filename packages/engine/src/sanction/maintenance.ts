/** Announced maintenance: windows in which silence and downtime of a subject say nothing about it. */
import type { Decision } from "./decision.ts";

export interface MaintenanceWindow {
  readonly id: string;
  readonly subject: number;
  readonly reason: string;
  readonly issuer: string;
  readonly announcedAt: number;
  readonly position: number;
  readonly policy: string;
  /** Its end is not part of it. */
  readonly from: number;
  readonly to: number;
  status: "announced" | "running" | "ended" | "cancelled";
  cancellation: Decision | null;
}

/** Windows of a subject that are kept: those to come, and those that still matter; one more is refused. */
export const WINDOWS_MAX = 100;
/** The allowance is for any time of this length. */
export const ALLOWANCE_SPAN_MS = 30 * 86_400_000;

/** When it ended, or will: one that was cancelled ends then, if it had begun. */
export function endOf({ from, to, cancellation }: MaintenanceWindow): number {
  return cancellation === null ? to : Math.max(from, Math.min(to, cancellation.at));
}

/**
 * Whether `atMs` lies in a window, as windows were when the log was at `nowMs`: what was announced or cancelled then or
 * later does not count yet, because a row that was restored knows what came later.
 */
export function isExcused(windows: readonly MaintenanceWindow[], atMs: number, nowMs: number): boolean {
  return windows.some((window) => {
    if (window.announcedAt >= nowMs || atMs < window.from) return false;
    const { cancellation, to } = window;
    return atMs < (cancellation !== null && cancellation.at < nowMs ? endOf(window) : to);
  });
}

/** How much of a time lay in windows. */
export function maintainedMs(windows: readonly MaintenanceWindow[], fromMs: number, toMs: number): number {
  let sum = 0;
  for (const window of windows)
    sum += Math.max(0, Math.min(toMs, endOf(window)) - Math.max(fromMs, window.from));
  return sum;
}

/** When `lengthMs` after `fromMs` have passed outside of windows. */
export function reachedOutside(
  windows: readonly MaintenanceWindow[],
  fromMs: number,
  lengthMs: number,
): number {
  let reached = fromMs + lengthMs;
  for (const window of windows.toSorted((a, b) => a.from - b.from)) {
    if (window.from >= reached) break;
    reached += Math.max(0, endOf(window) - Math.max(fromMs, window.from));
  }
  return reached;
}

/**
 * How long a window that begins at `fromMs` may be, so that no 30 days hold more than the allowance. The windows of
 * any 30 days fit into 30 days that begin with one of them, so those are looked at that reach beyond `fromMs`.
 */
export function allowanceLeftMs(
  windows: readonly MaintenanceWindow[],
  fromMs: number,
  allowanceMs: number,
): number {
  let leftMs = allowanceMs;
  for (const start of [fromMs, ...windows.map(({ from }) => from)]) {
    const end = start + ALLOWANCE_SPAN_MS;
    if (start > fromMs || end <= fromMs) continue;
    const roomMs = allowanceMs - maintainedMs(windows, start, end);
    // A window may end after the span, of which it takes no more than is left of it.
    if (roomMs < end - fromMs) leftMs = Math.min(leftMs, roomMs);
  }
  return Math.max(0, leftMs);
}

/** When the next one begins or the running one ends; Infinity when none will. */
export function nextTurn(windows: readonly MaintenanceWindow[]): number {
  let next = Infinity;
  for (const { status, from, to } of windows) {
    if (status === "announced" && from < next) next = from;
    if (status === "running" && to < next) next = to;
  }
  return next;
}
