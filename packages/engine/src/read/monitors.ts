/** Monitors: what of their samples is held back, and which of their windows were voided. */
import {
  MONITOR_GRACE_MS,
  MONITOR_WINDOW_MS,
  samplesByMonitor,
  type MonitorWindow,
} from "../state/monitor-window.ts";
import type { Provisional, VoidedWindow } from "../state/provisional.ts";

/** Voided windows shown of a monitor, the newest. */
export const VOIDS_SHOWN_MAX = 20;

export interface PendingWindow {
  /** The window, ms since 1970; its end is not part of it. */
  readonly from: number;
  readonly to: number;
  /** When its samples count. */
  readonly countsFrom: number;
  readonly samples: number;
  readonly isVoid: boolean;
}

export interface MonitorStanding {
  readonly monitor: string;
  /** Oldest first. */
  readonly pending: readonly PendingWindow[];
  /** Newest first. */
  readonly voided: readonly VoidedWindow[];
}

/** Monitors of which something is held or voided, from the name behind `after` on, by name in UTF-16 order. */
export function monitors(provisional: Provisional, after: string | null, limit: number): MonitorStanding[] {
  const windows = provisional.sorted();
  const names = new Set(windows.flatMap((window) => window.monitors));
  for (const { act } of provisional.voids) names.add(act.monitor);
  const shown = [...names]
    .filter((name) => after === null || name > after)
    .toSorted()
    .slice(0, limit);
  const held = windows.map((window) => ({ window, samples: samplesByMonitor(window) }));
  return shown.map((monitor) => ({
    monitor,
    pending: held.flatMap(({ window, samples }) => pendingOf(provisional, window, samples, monitor)),
    voided: provisional.voids
      .filter(({ act }) => act.monitor === monitor)
      .slice(-VOIDS_SHOWN_MAX)
      .toReversed(),
  }));
}

function pendingOf(
  provisional: Provisional,
  window: MonitorWindow,
  samples: Uint32Array,
  monitor: string,
): PendingWindow[] {
  const held = samples[window.codes.get(monitor) ?? -1] ?? 0;
  if (held === 0) return [];
  const from = window.index * MONITOR_WINDOW_MS;
  const to = from + MONITOR_WINDOW_MS;
  const isVoid = provisional.isVoid(monitor, window.index);
  return [{ from, to, countsFrom: to + MONITOR_GRACE_MS, samples: held, isVoid }];
}
