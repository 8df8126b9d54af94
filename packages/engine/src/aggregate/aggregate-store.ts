/**
 * Aggregates and raw samples of every subject and metric over the metric retention (`scoring.md`, section 10).
 *
 * A series (one subject's metric) is a ring of step blocks, one per aggregate interval that saw a sample, and a ring
 * of pages with its newest raw samples. Steps that left the retention go when their series opens a new one, so no
 * sample pays for more than one. Nothing here reads a clock: `nowMs` is the log's time and never falls.
 */
import { METRIC_COUNT, METRICS } from "../event/metrics.ts";
import type { ByteReader, ByteWriter } from "../snapshot/bytes.ts";
import { bucketOf } from "./geometric-buckets.ts";
import { RAW_SAMPLES_MAX, RAW_TEXT_MAX, RawSamples } from "./raw-samples.ts";
import type { RawSample } from "./raw-samples.ts";
import { StepBlocks } from "./step-blocks.ts";
import { StepGrid } from "./step-grid.ts";
import { Summary } from "./summary.ts";
import type { Percentiles } from "./summary.ts";

export interface AggregateOptions {
  /** How far back samples are kept and counted, more than 0. */
  readonly metricRetentionMs: number;
  /** Length of a step, a whole number of seconds. */
  readonly aggregateIntervalMs: number;
  /** Newest raw samples kept per series; 0 keeps none. */
  readonly sampleSize: number;
  /** Raw samples kept over all series; {@link RAW_SAMPLES_MAX} when absent. */
  readonly rawSamplesMax?: number;
  /** UTF-16 units of monitors and contexts kept over all series; {@link RAW_TEXT_MAX} when absent. */
  readonly rawTextMax?: number;
}

/**
 * What is known of a window, in the metric's unit. It covers exactly the samples that happened from `startTime` on
 * and before `endTime`; the end of the step that is still open lies ahead.
 */
export interface Aggregate {
  /** Values in the statistics. Failed calls of time metrics are none. */
  readonly count: number;
  /** Samples of failed calls; for metrics that are no times they are in `count` as well. */
  readonly failedCount: number;
  readonly sum: number;
  /** This and what follows is null when `count` is 0. */
  readonly average: number | null;
  readonly min: number | null;
  readonly max: number | null;
  /** Population standard deviation. */
  readonly stdDev: number | null;
  readonly percentiles: Percentiles | null;
  /** True when the percentiles come from the samples themselves; else they are within 1 % (bounded: of 1 - value). */
  readonly exact: boolean;
  readonly periodMs: number;
  /** Milliseconds since 1970. */
  readonly startTime: number;
  readonly endTime: number;
}

/** Both ends are moved outward to ends of steps; the answer names the window that results. */
export interface WindowOptions {
  readonly fromMs?: number;
  readonly toMs?: number;
}

export interface SampleOptions {
  /** Only samples that happened after it. */
  readonly sinceMs?: number;
  /** At most this many, the newest. */
  readonly limit?: number;
}

/** A series' header: its newest step (followed in the ring by the oldest), a step where a late search may start ... */
const NEWEST = 0;
const HINT = 1;
/** ... and two words of `raw-samples.ts`. */
const HEADER_WORDS = 4;
const ROW_WORDS = METRIC_COUNT * HEADER_WORDS;

const ROWS_SHIFT = 14;
const ROWS_MASK = (1 << ROWS_SHIFT) - 1;

const BOUNDED: readonly boolean[] = METRICS.map((metric) => metric.shape === "bounded");
const TIMED: readonly boolean[] = METRICS.map((metric) => metric.shape === "time");

/** Rows are the dense numbers of subjects; metrics are codes of `METRICS`. */
export class AggregateStore {
  private readonly headers: Uint32Array[] = [];
  private readonly blocks = new StepBlocks();
  private readonly raw: RawSamples;
  private readonly grid: StepGrid;
  private retentionMs: number;
  private sampleSize: number;
  /** Nothing before it is complete, because an earlier and shorter retention dropped it. */
  private floorMs = 0;
  /** The last `nowMs` and the start of the retention that belongs to it. */
  private nowMs = -1;
  private keptFromMs = 0;

  constructor(options: AggregateOptions) {
    this.raw = new RawSamples(
      options.sampleSize,
      options.rawSamplesMax ?? RAW_SAMPLES_MAX,
      options.rawTextMax ?? RAW_TEXT_MAX,
    );
    this.grid = new StepGrid(options.aggregateIntervalMs);
    this.retentionMs = options.metricRetentionMs;
    this.sampleSize = options.sampleSize;
  }

  /** Memory held, in bytes, free pages included. */
  get bytesUsed(): number {
    const headers = this.headers.length * (ROWS_MASK + 1) * ROW_WORDS * 4;
    return headers + this.blocks.bytesUsed + this.raw.bytesUsed;
  }

  /** Raw samples given up early or never kept, because the pool was empty. */
  get droppedRawSamples(): number {
    return this.raw.droppedSamples;
  }

  /** Raw samples kept without monitor and context, because the text budget was spent. */
  get droppedRawTexts(): number {
    return this.raw.droppedTexts;
  }

  /** Makes room for rows 0..count - 1. */
  ensureRows(count: number): void {
    while (this.headers.length << ROWS_SHIFT < count)
      this.headers.push(new Uint32Array((ROWS_MASK + 1) * ROW_WORDS));
  }

  /**
   * Counts a sample in the step in which it happened, late or not; older than the retention it is ignored. The row
   * has room and the value is in the metric's range.
   */
  // oxlint-disable-next-line max-params -- an object per sample would be an allocation per event.
  add(
    row: number,
    metric: number,
    atMs: number,
    value: number,
    weight: number,
    failed: boolean,
    monitor: string | null,
    context: string | null,
    nowMs: number,
  ): void {
    this.setNow(nowMs);
    if (atMs < this.keptFromMs) return;
    const headers = this.headers[row >>> ROWS_SHIFT]!;
    const series = (row & ROWS_MASK) * ROW_WORDS + metric * HEADER_WORDS;
    const startSeconds = this.grid.startOf(atMs) / 1000;
    const newest = headers[series + NEWEST]!;
    const block =
      newest !== 0 && this.blocks.startSeconds(newest) === startSeconds
        ? newest
        : this.otherStep(headers, series, startSeconds);
    if (failed) this.blocks.addFailed(block);
    if (!failed || !TIMED[metric]!) {
      this.blocks.addValue(block, value, bucketOf(BOUNDED[metric]! ? 1 - value : value));
    }
    this.raw.append(headers, series, atMs, value, weight, failed, monitor, context, this.keptFromMs);
  }

  /**
   * Reads what the next {@link add} to this series will read, so that the memory of a run of samples is fetched at
   * once and not one after the other. The result means nothing; use it somewhere or the read may be left out.
   */
  touch(row: number, metric: number): number {
    const headers = this.headers[row >>> ROWS_SHIFT]!;
    const series = (row & ROWS_MASK) * ROW_WORDS + metric * HEADER_WORDS;
    const newest = headers[series + NEWEST]!;
    return newest === 0 ? 0 : this.blocks.startSeconds(newest) + this.raw.touch(headers, series);
  }

  /** The aggregate of a window, by default all that is kept; null when it has no samples. */
  read(row: number, metric: number, nowMs: number, options: WindowOptions = {}): Aggregate | null {
    const series = this.seriesOf(row, metric, nowMs);
    if (series === -1) return null;
    const headers = this.headers[row >>> ROWS_SHIFT]!;
    const newestMs = this.blocks.startSeconds(headers[series + NEWEST]!) * 1000;
    const keptToMs = this.grid.endOf(Math.max(nowMs, newestMs));
    const fromMs = Math.max(this.keptFromMs, this.grid.startOf(Math.max(0, options.fromMs ?? 0)));
    const toMs = Math.min(keptToMs, this.endAfter(options.toMs ?? keptToMs));
    return fromMs < toMs ? this.summarise(headers, series, metric, fromMs, toMs) : null;
  }

  /** One aggregate for each step that has samples, oldest first. */
  steps(row: number, metric: number, nowMs: number): Aggregate[] {
    const series = this.seriesOf(row, metric, nowMs);
    if (series === -1) return [];
    const headers = this.headers[row >>> ROWS_SHIFT]!;
    const steps: Aggregate[] = [];
    for (const block of this.ring(headers, series)) {
      const startMs = this.blocks.startSeconds(block) * 1000;
      if (startMs < this.keptFromMs) continue;
      const step = this.summarise(headers, series, metric, startMs, this.grid.endOf(startMs));
      if (step !== null) steps.push(step);
    }
    return steps;
  }

  /** Raw samples inside the retention, by the time when they happened, newest last. */
  samples(row: number, metric: number, nowMs: number, options: SampleOptions = {}): RawSample[] {
    const series = this.seriesOf(row, metric, nowMs);
    if (series === -1) return [];
    const sinceMs = options.sinceMs ?? -1;
    const samples: RawSample[] = [];
    this.raw.forEach(this.headers[row >>> ROWS_SHIFT]!, series, (atMs, value, failed, page, place) => {
      if (atMs < this.keptFromMs || atMs <= sinceMs) return;
      const weight = this.raw.weight(page, place);
      const monitor = this.raw.monitor(page, place);
      const context = this.raw.context(page, place);
      samples.push({ atMs, value, weight, failed, monitor, context });
    });
    const limit = Math.min(options.limit ?? this.sampleSize, this.sampleSize);
    samples.sort((left, right) => left.atMs - right.atMs);
    return samples.slice(Math.max(0, samples.length - limit));
  }

  /** Gives back what left the retention, also of series that nobody adds to any more. */
  expire(row: number, nowMs: number): void {
    const headers = this.headers[row >>> ROWS_SHIFT];
    if (headers === undefined) return;
    this.setNow(nowMs);
    for (let metric = 0; metric < METRIC_COUNT; metric++) {
      const series = (row & ROWS_MASK) * ROW_WORDS + metric * HEADER_WORDS;
      this.dropExpiredSteps(headers, series);
      this.raw.dropExpired(headers, series, this.keptFromMs);
    }
  }

  /**
   * Takes over changed options. A new interval holds from the end of the step that is open; a longer retention fills
   * with time; smaller limits of raw samples hold for a series when it is next added to.
   */
  reconfigure(options: AggregateOptions, nowMs: number): void {
    this.setNow(nowMs);
    this.floorMs = this.grid.change(options.aggregateIntervalMs, nowMs, this.keptFromMs);
    this.retentionMs = options.metricRetentionMs;
    this.sampleSize = options.sampleSize;
    this.raw.limit(
      options.sampleSize,
      options.rawSamplesMax ?? RAW_SAMPLES_MAX,
      options.rawTextMax ?? RAW_TEXT_MAX,
    );
    this.nowMs = -1;
  }

  /** What belongs to no row: the cut of time and the counters. Written and read before the rows. */
  encodeHeader(writer: ByteWriter): void {
    this.grid.encode(writer);
    writer.f64(this.floorMs);
    writer.f64(this.raw.droppedSamples);
    writer.f64(this.raw.droppedTexts);
  }

  /** The store was made with the options that were in force when the header was written. */
  decodeHeader(reader: ByteReader): void {
    this.grid.decode(reader);
    this.floorMs = reader.f64();
    this.raw.droppedSamples = reader.f64();
    this.raw.droppedTexts = reader.f64();
    this.nowMs = -1;
  }

  /** Writes the rows from `firstRow` to `lastRow`, both included, which {@link ensureRows} made room for. */
  encodeRows(firstRow: number, lastRow: number, writer: ByteWriter): void {
    writer.u32(firstRow);
    writer.u32(lastRow);
    for (let row = firstRow; row <= lastRow; row++) this.encodeRow(row, writer);
  }

  /** Reads what {@link encodeRows} wrote into rows that are empty; all answers are as before. */
  decodeRows(reader: ByteReader): void {
    const firstRow = reader.u32();
    const lastRow = reader.u32();
    this.ensureRows(lastRow + 1);
    for (let row = firstRow; row <= lastRow; row++) this.decodeRow(row, reader);
  }

  private setNow(nowMs: number): void {
    if (nowMs === this.nowMs) return;
    this.nowMs = nowMs;
    this.keptFromMs = Math.max(this.floorMs, this.grid.startOf(Math.max(0, nowMs - this.retentionMs)));
  }

  /** The block of a step that is not the newest: a later one, or an earlier one for a late sample. */
  private otherStep(headers: Uint32Array, series: number, startSeconds: number): number {
    const newest = headers[series + NEWEST]!;
    if (newest !== 0 && startSeconds < this.blocks.startSeconds(newest)) {
      return this.lateStep(headers, series, startSeconds);
    }
    this.dropExpiredSteps(headers, series);
    const before = headers[series + NEWEST]!;
    const block = this.blocks.open(startSeconds);
    this.blocks.setNext(block, before === 0 ? block : this.blocks.next(before));
    if (before !== 0) this.blocks.setNext(before, block);
    headers[series + NEWEST] = block;
    headers[series + HINT] = before;
    return block;
  }

  /** Late samples come close together, so the search goes on from where the last one ended if it can. */
  private lateStep(headers: Uint32Array, series: number, startSeconds: number): number {
    const { blocks } = this;
    const hint = headers[series + HINT]!;
    const hinted = hint !== 0 && blocks.startSeconds(hint) <= startSeconds;
    // The newest precedes the oldest in the ring; it starts later than the sample, so the search ends there.
    let block = hinted ? hint : headers[series + NEWEST]!;
    while (blocks.startSeconds(blocks.next(block)) <= startSeconds) block = blocks.next(block);
    if (blocks.startSeconds(block) === startSeconds) {
      headers[series + HINT] = block;
      return block;
    }
    const opened = blocks.open(startSeconds);
    blocks.setNext(opened, blocks.next(block));
    blocks.setNext(block, opened);
    headers[series + HINT] = opened;
    return opened;
  }

  private dropExpiredSteps(headers: Uint32Array, series: number): void {
    while (headers[series + NEWEST]! !== 0) {
      const newest = headers[series + NEWEST]!;
      const oldest = this.blocks.next(newest);
      if (this.blocks.startSeconds(oldest) * 1000 >= this.keptFromMs) return;
      if (oldest === newest) headers[series + NEWEST] = 0;
      else this.blocks.setNext(newest, this.blocks.next(oldest));
      const hint = headers[series + HINT]!;
      if (hint === oldest) headers[series + HINT] = 0;
      this.blocks.release(oldest);
    }
  }

  /** Where the header of a series that has steps starts, or -1. */
  private seriesOf(row: number, metric: number, nowMs: number): number {
    const headers = this.headers[row >>> ROWS_SHIFT];
    if (headers === undefined) return -1;
    this.setNow(nowMs);
    const series = (row & ROWS_MASK) * ROW_WORDS + metric * HEADER_WORDS;
    const newest = headers[series + NEWEST]!;
    return newest === 0 ? -1 : series;
  }

  private endAfter(toMs: number): number {
    if (toMs <= 0) return 0;
    return this.grid.startOf(toMs) === toMs ? toMs : this.grid.endOf(toMs);
  }

  /** Both ends are ends of steps. */
  private summarise(
    headers: Uint32Array,
    series: number,
    metric: number,
    fromMs: number,
    toMs: number,
  ): Aggregate | null {
    const summary = new Summary();
    for (const block of this.ring(headers, series)) {
      const startMs = this.blocks.startSeconds(block) * 1000;
      if (startMs >= fromMs && startMs < toMs) this.blocks.collect(block, summary);
    }
    const { count, failedCount, sum, min, max } = summary;
    if (count + failedCount === 0) return null;
    const window = { periodMs: toMs - fromMs, startTime: fromMs, endTime: toMs };
    if (count === 0) {
      const nothing = { average: null, min: null, max: null, stdDev: null, percentiles: null };
      return { count, failedCount, sum, ...nothing, exact: true, ...window };
    }
    const values = this.rawValues(headers, series, metric, fromMs, toMs);
    const exact = values.length === count;
    const percentiles = exact
      ? summary.exactPercentiles(values)
      : summary.estimatedPercentiles(BOUNDED[metric]!);
    const statistics = { average: sum / count, min, max, stdDev: summary.stdDev, percentiles };
    return { count, failedCount, sum, ...statistics, exact, ...window };
  }

  /** The values of the window that are still there raw: all of them when they are as many as were counted. */
  private rawValues(
    headers: Uint32Array,
    series: number,
    metric: number,
    fromMs: number,
    toMs: number,
  ): Float64Array {
    const values: number[] = [];
    this.raw.forEach(headers, series, (atMs, value, failed) => {
      if (atMs >= fromMs && atMs < toMs && !(failed && TIMED[metric]!)) values.push(value);
    });
    return Float64Array.from(values);
  }

  /** The blocks of a series, oldest first. */
  private ring(headers: Uint32Array, series: number): number[] {
    const newest = headers[series + NEWEST]!;
    if (newest === 0) return [];
    const blocks: number[] = [];
    let block = newest;
    do {
      block = this.blocks.next(block);
      blocks.push(block);
    } while (block !== newest);
    return blocks;
  }

  /** A bit for each metric that has a series, then each series: its steps, oldest first, and its raw samples. */
  private encodeRow(row: number, writer: ByteWriter): void {
    const headers = this.headers[row >>> ROWS_SHIFT]!;
    const first = (row & ROWS_MASK) * ROW_WORDS;
    let present = 0;
    for (let metric = 0; metric < METRIC_COUNT; metric++) {
      if (headers[first + metric * HEADER_WORDS + NEWEST]! !== 0) present |= 1 << metric;
    }
    writer.u32(present);
    for (let metric = 0; metric < METRIC_COUNT; metric++) {
      if (((present >>> metric) & 1) === 0) continue;
      const series = first + metric * HEADER_WORDS;
      const ring = this.ring(headers, series);
      writer.u32(ring.length);
      for (const block of ring) this.blocks.encode(block, writer);
      this.raw.encode(headers, series, writer);
    }
  }

  private decodeRow(row: number, reader: ByteReader): void {
    const headers = this.headers[row >>> ROWS_SHIFT]!;
    const present = reader.u32();
    for (let metric = 0; metric < METRIC_COUNT; metric++) {
      if (((present >>> metric) & 1) === 0) continue;
      const series = (row & ROWS_MASK) * ROW_WORDS + metric * HEADER_WORDS;
      for (let steps = reader.u32(); steps > 0; steps--) this.decodeStep(headers, series, reader);
      this.raw.decode(headers, series, reader);
    }
  }

  private decodeStep(headers: Uint32Array, series: number, reader: ByteReader): void {
    const block = this.blocks.decode(reader);
    const before = headers[series + NEWEST]!;
    this.blocks.setNext(block, before === 0 ? block : this.blocks.next(before));
    if (before !== 0) this.blocks.setNext(before, block);
    headers[series + NEWEST] = block;
  }
}
