/**
 * Samples that name their monitor, held back until the window in which they were taken is over: only then can be told
 * whether the monitor failed, or what it measured.
 *
 * A window is 5 minutes of event time. It is over once the log has reached its end and a grace for late samples; it
 * closes when the log's time moves on from there, and its samples are released into the fold. So there is always an
 * instant at which a window is over, everything in it is applied and nothing of it is released: that is when it is
 * judged, and voided if need be.
 */
import type { WindowVoided } from "../event/acts.ts";
import { lastOver, MONITOR_GRACE_MS, MONITOR_WINDOW_MS, MonitorWindow, windowOf } from "./monitor-window.ts";

/** Samples held in all, about 50 bytes each; beyond it they count at once, unguarded. */
export const PROVISIONAL_MAX = 1 << 20;
/** Voided windows remembered beside those that are still held, for late samples and for readers. */
export const VOIDS_MAX = 1_000;
/** A window that was voided, as the act said it. */
export interface VoidedWindow {
  readonly act: WindowVoided;
  /** Samples that were held of it; late ones are dropped as well. */
  readonly samples: number;
  readonly position: number;
  readonly loggedAt: number;
}

export class Provisional {
  readonly windows = new Map<number, MonitorWindow>();
  /** Newest last. */
  readonly voids: VoidedWindow[] = [];
  /** Samples held. */
  count = 0;
  /** Newest window that is closed; a late sample of it or of one before counts at once. */
  closedTo = -1;
  /** Samples that counted at once for want of room. */
  unheld = 0;
  private readonly voided = new Map<number, Set<string>>();

  /** Closes what was over when the log's time was `nowMs`. */
  close(nowMs: number): void {
    this.closedTo = Math.max(this.closedTo, lastOver(nowMs));
  }

  /** Holds a sample; false when there is no room for it. */
  // oxlint-disable-next-line max-params -- an object per sample would be an allocation per event.
  hold(monitor: string, at: number, value: number, weight: number, subject: number, kind: number): boolean {
    const hasRoom =
      this.count < PROVISIONAL_MAX &&
      this.windowAt(windowOf(at)).add(monitor, at, value, weight, subject, kind);
    if (hasRoom) this.count += 1;
    else this.unheld += 1;
    return hasRoom;
  }

  windowAt(index: number): MonitorWindow {
    const known = this.windows.get(index);
    if (known !== undefined) return known;
    const window = new MonitorWindow(index);
    this.windows.set(index, window);
    return window;
  }

  /** Windows held, oldest first. */
  sorted(): MonitorWindow[] {
    return [...this.windows.values()].toSorted((a, b) => a.index - b.index);
  }

  /** Windows that are over at `nowMs` and not closed yet, oldest first: those to be judged. */
  over(nowMs: number): MonitorWindow[] {
    const last = lastOver(nowMs);
    if (this.oldestIndex() > last) return [];
    return this.sorted().filter(({ index }) => index <= last && index > this.closedTo);
  }

  /** Number of the oldest window held; Infinity while nothing is held. There are few at a time. */
  oldestIndex(): number {
    let oldest = Infinity;
    for (const index of this.windows.keys()) if (index < oldest) oldest = index;
    return oldest;
  }

  /** When the oldest window held is over, ms since 1970; Infinity while nothing is held. */
  nextOverAt(): number {
    return (this.oldestIndex() + 1) * MONITOR_WINDOW_MS + MONITOR_GRACE_MS;
  }

  isVoid(monitor: string, index: number): boolean {
    return this.voided.size > 0 && this.voided.get(index)?.has(monitor) === true;
  }

  /** Remembers a voided window; what is held of it is dropped when it is released. */
  addVoid(voided: VoidedWindow): void {
    this.voids.push(voided);
    const index = windowOf(voided.act.from);
    const monitors = this.voided.get(index);
    if (monitors === undefined) this.voided.set(index, new Set([voided.act.monitor]));
    else monitors.add(voided.act.monitor);
    // What is still held must be known to be void, however much that is.
    while (this.voids.length > VOIDS_MAX && !this.windows.has(windowOf(this.voids[0]!.act.from)))
      this.forgetOldestVoid();
  }

  private forgetOldestVoid(): void {
    const { act } = this.voids.shift()!;
    const index = windowOf(act.from);
    const monitors = this.voided.get(index)!;
    monitors.delete(act.monitor);
    if (monitors.size === 0) this.voided.delete(index);
  }
}
