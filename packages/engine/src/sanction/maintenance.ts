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

/** What is left of the allowance for a window: of any 30 days that it lies in, those with the most counts. */
export function allowanceLeftMs(
  windows: readonly MaintenanceWindow[],
  asked: { readonly from: number; readonly to: number },
  allowanceMs: number,
): number {
  const ends = [asked.to, ...windows.map(endOf)].filter(
    (end) => end >= asked.to && end - ALLOWANCE_SPAN_MS < asked.from,
  );
  const used = ends.map((end) => maintainedMs(windows, end - ALLOWANCE_SPAN_MS, end));
  return Math.max(0, allowanceMs - Math.max(...used));
}
