/** A window of five minutes in which monitors measured: its samples, and which of them are one observation. */
import { SAMPLE_METRIC_MASK } from "../event/batch.ts";
import { METRIC_COUNT, METRICS } from "../event/metrics.ts";
import { clamp } from "../num/round.ts";

/** A monitor sees subjects of several kinds, so its window belongs to the slots of none of their policies. */
export const MONITOR_WINDOW_MS = 300_000;
/** A window takes samples this much longer. */
export const MONITOR_GRACE_MS = 30_000;
/** Monitors of a window that can be told apart; samples of further ones count at once. */
export const MONITORS_PER_WINDOW_MAX = 0x1_0000;

/** Rows of a block; the first of a window starts small and doubles up to this. */
const BLOCK_SHIFT = 12;
const BLOCK_ROWS = 1 << BLOCK_SHIFT;
const BLOCK_ROWS_MIN = 64;

/** Samples as columns. */
interface Block {
  at: Float64Array;
  value: Float64Array;
  weight: Float64Array;
  subject: Uint32Array;
  kind: Uint8Array;
  /** Place in the window's `monitors`. */
  monitor: Uint16Array;
  /** Row + 1 of the sample before it in its series, 0 for none. */
  before: Uint32Array;
}

/** The samples of a window in the order of the log, and which of them are one observation. */
export class MonitorWindow {
  /** `at` / {@link MONITOR_WINDOW_MS} of its samples, rounded down. */
  readonly index: number;
  readonly monitors: string[] = [];
  readonly codes = new Map<string, number>();
  /** Rows of metrics of which each sample stands for itself. */
  readonly singles: number[] = [];
  /**
   * Newest row of each series: what one monitor saw of one subject by one correlated metric. Beside it how many samples
   * the series has.
   */
  readonly newest: number[] = [];
  readonly sizes: number[] = [];
  /** Singles and then series that are released already. */
  released = 0;
  private rows = 0;
  private readonly blocks: Block[] = [];
  private readonly series: (Map<number, number> | undefined)[] = [];

  constructor(index: number) {
    this.index = index;
  }

  /** Samples taken in. */
  get count(): number {
    return this.rows;
  }

  /** Singles and series. */
  get observations(): number {
    return this.singles.length + this.newest.length;
  }

  /** The first instant behind it, ms since 1970. */
  get end(): number {
    return (this.index + 1) * MONITOR_WINDOW_MS;
  }

  /** Takes a sample in; false when the window knows too many monitors. */
  // oxlint-disable-next-line max-params -- an object per sample would be an allocation per event.
  add(monitor: string, at: number, value: number, weight: number, subject: number, kind: number): boolean {
    const code = this.codeOf(monitor);
    if (code === -1) return false;
    const row = this.rows++;
    const block = this.blockFor(row);
    const place = row & (BLOCK_ROWS - 1);
    block.at[place] = at;
    block.value[place] = value;
    block.weight[place] = weight;
    block.subject[place] = subject;
    block.kind[place] = kind;
    block.monitor[place] = code;
    const metric = kind & SAMPLE_METRIC_MASK;
    if (METRICS[metric]!.correlated) block.before[place] = this.chain(code, metric, subject, row);
    else this.singles.push(row);
    return true;
  }

  at(row: number): number {
    return this.blocks[row >>> BLOCK_SHIFT]!.at[row & (BLOCK_ROWS - 1)]!;
  }

  value(row: number): number {
    return this.blocks[row >>> BLOCK_SHIFT]!.value[row & (BLOCK_ROWS - 1)]!;
  }

  weight(row: number): number {
    return this.blocks[row >>> BLOCK_SHIFT]!.weight[row & (BLOCK_ROWS - 1)]!;
  }

  subject(row: number): number {
    return this.blocks[row >>> BLOCK_SHIFT]!.subject[row & (BLOCK_ROWS - 1)]!;
  }

  kind(row: number): number {
    return this.blocks[row >>> BLOCK_SHIFT]!.kind[row & (BLOCK_ROWS - 1)]!;
  }

  /** Place in `monitors`. */
  monitor(row: number): number {
    return this.blocks[row >>> BLOCK_SHIFT]!.monitor[row & (BLOCK_ROWS - 1)]!;
  }

  /** Rows of a series in the order of their times, and of the log where those are equal. */
  rowsOf(series: number): number[] {
    const rows: number[] = [];
    for (let row = this.newest[series]! + 1; row > 0; row = this.before(row - 1)) rows.push(row - 1);
    return rows.toSorted((a, b) => this.at(a) - this.at(b) || a - b);
  }

  /**
   * What a series says of its window: the mean over the time, each sample standing for the time up to the next one and
   * the last for the rest of the window. So 200 probes of one outage say what one says.
   */
  meanOf(series: number): number {
    if (this.sizes[series] === 1) return this.value(this.newest[series]!);
    const rows = this.rowsOf(series);
    let sum = 0;
    for (const [place, row] of rows.entries()) {
      const next = rows[place + 1];
      sum += this.value(row) * ((next === undefined ? this.end : this.at(next)) - this.at(row));
    }
    return clamp(sum / (this.end - this.at(rows[0]!)), 0, 1);
  }

  private before(row: number): number {
    return this.blocks[row >>> BLOCK_SHIFT]!.before[row & (BLOCK_ROWS - 1)]!;
  }

  private codeOf(monitor: string): number {
    const known = this.codes.get(monitor);
    if (known !== undefined) return known;
    const code = this.monitors.length;
    if (code === MONITORS_PER_WINDOW_MAX) return -1;
    this.monitors.push(monitor);
    this.codes.set(monitor, code);
    return code;
  }

  /** Makes the row the newest of its series; the one before + 1, or 0. */
  private chain(code: number, metric: number, subject: number, row: number): number {
    const bySubject = (this.series[code * METRIC_COUNT + metric] ??= new Map());
    const series = bySubject.get(subject);
    if (series === undefined) {
      bySubject.set(subject, this.newest.length);
      this.newest.push(row);
      this.sizes.push(1);
      return 0;
    }
    const before = this.newest[series]!;
    this.newest[series] = row;
    this.sizes[series]! += 1;
    return before + 1;
  }

  private blockFor(row: number): Block {
    const place = row & (BLOCK_ROWS - 1);
    const last = this.blocks.at(-1);
    if (place === 0 || last === undefined) {
      const block = newBlock(row === 0 ? BLOCK_ROWS_MIN : BLOCK_ROWS);
      this.blocks.push(block);
      return block;
    }
    if (place === last.at.length) grow(last);
    return last;
  }
}

/** Number of the window that an instant lies in. */
export function windowOf(atMs: number): number {
  return Math.floor(atMs / MONITOR_WINDOW_MS);
}

/** Number of the newest window that is over at `nowMs`. */
export function lastOver(nowMs: number): number {
  return windowOf(nowMs - MONITOR_GRACE_MS) - 1;
}

/** Samples that a window has of each of its monitors. */
export function samplesByMonitor(window: MonitorWindow): Uint32Array {
  const counts = new Uint32Array(window.monitors.length);
  for (let row = 0; row < window.count; row++) counts[window.monitor(row)]! += 1;
  return counts;
}

function newBlock(rows: number): Block {
  return {
    at: new Float64Array(rows),
    value: new Float64Array(rows),
    weight: new Float64Array(rows),
    subject: new Uint32Array(rows),
    kind: new Uint8Array(rows),
    monitor: new Uint16Array(rows),
    before: new Uint32Array(rows),
  };
}

function grow(block: Block): void {
  const larger = newBlock(block.at.length * 2);
  larger.at.set(block.at);
  larger.value.set(block.value);
  larger.weight.set(block.weight);
  larger.subject.set(block.subject);
  larger.kind.set(block.kind);
  larger.monitor.set(block.monitor);
  larger.before.set(block.before);
  Object.assign(block, larger);
}
