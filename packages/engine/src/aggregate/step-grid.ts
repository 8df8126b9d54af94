/**
 * How the axis of time is cut into steps. A step starts at a whole multiple of the interval in force; when a policy
 * changes the interval, steps that exist keep their ends and the new interval holds from the end of the open one.
 */
import type { ByteReader, ByteWriter } from "../num/bytes.ts";

/** Samples come at most this far ahead of the log's time; later ones are refused before the fold. */
const AHEAD_MAX_MS = 300_000;
/** Changes of the interval that are remembered; with more inside the retention the oldest steps are given up. */
export const GRIDS_MAX = 64;

interface Grid {
  readonly fromMs: number;
  readonly intervalMs: number;
}

/** Times are milliseconds since 1970, at least 0; intervals are whole seconds. */
export class StepGrid {
  /** Oldest first. */
  private grids: Grid[];
  private newestFromMs = 0;
  private newestIntervalMs: number;

  constructor(intervalMs: number) {
    assertInterval(intervalMs);
    this.grids = [{ fromMs: 0, intervalMs }];
    this.newestIntervalMs = intervalMs;
  }

  /** Start of the step that holds `atMs`. */
  startOf(atMs: number): number {
    if (atMs < this.newestFromMs) return this.olderStartOf(atMs);
    const start = Math.floor(atMs / this.newestIntervalMs) * this.newestIntervalMs;
    return start < this.newestFromMs ? this.newestFromMs : start;
  }

  /** End of the step that holds `atMs`, which is the start of the next. A new grid starts at an end of the one before. */
  endOf(atMs: number): number {
    const { intervalMs } = this.grids[this.indexOf(atMs)]!;
    return (Math.floor(atMs / intervalMs) + 1) * intervalMs;
  }

  /**
   * Cuts with `intervalMs` from the end of the step that a sample may be in now. Forgets what lies before `keptFromMs`;
   * returns from when on steps are still known, `keptFromMs` or later.
   */
  change(intervalMs: number, nowMs: number, keptFromMs: number): number {
    assertInterval(intervalMs);
    const aheadMs = nowMs + AHEAD_MAX_MS;
    const pending = this.grids.length > 1 && this.newestFromMs > aheadMs;
    if (pending) this.grids.pop();
    if (this.grids.at(-1)!.intervalMs !== intervalMs)
      this.grids.push({ fromMs: this.endOf(aheadMs), intervalMs });
    while (this.grids.length > 1 && (this.grids[1]!.fromMs <= keptFromMs || this.grids.length > GRIDS_MAX))
      this.grids.shift();
    this.rememberNewest();
    return Math.max(keptFromMs, this.grids[0]!.fromMs);
  }

  encode(writer: ByteWriter): void {
    writer.u8(this.grids.length);
    for (const grid of this.grids) {
      writer.f64(grid.fromMs);
      writer.f64(grid.intervalMs);
    }
  }

  decode(reader: ByteReader): void {
    this.grids = Array.from({ length: reader.u8() }, () => ({
      fromMs: reader.f64(),
      intervalMs: reader.f64(),
    }));
    this.rememberNewest();
  }

  private olderStartOf(atMs: number): number {
    const { fromMs, intervalMs } = this.grids[this.indexOf(atMs)]!;
    return Math.max(fromMs, Math.floor(atMs / intervalMs) * intervalMs);
  }

  private indexOf(atMs: number): number {
    let index = this.grids.length - 1;
    while (index > 0 && atMs < this.grids[index]!.fromMs) index -= 1;
    return index;
  }

  private rememberNewest(): void {
    const newest = this.grids.at(-1)!;
    this.newestFromMs = newest.fromMs;
    this.newestIntervalMs = newest.intervalMs;
  }
}

function assertInterval(intervalMs: number): void {
  if (intervalMs >= 1000 && intervalMs % 1000 === 0) return;
  throw new RangeError(`an aggregate interval is a whole number of seconds, not ${intervalMs} ms`);
}
