/**
 * Aggregates and raw samples of every subject and metric over the metric retention (`scoring.md`, section 10).
 *
 * A series (one subject's metric) is a step block for each aggregate interval that saw a sample, and a ring of pages
 * with its newest raw samples. The newest step lies in the subject's row, side by side for all metrics, so that a
 * sample needs no search and touches little memory; when the next step begins it moves to a ring of older ones.
 * Steps that left the retention go when their series opens a new one, so no sample pays for more than one. Nothing
 * here reads a clock: `nowMs` is the log's time and never falls.
 */
import { METRICS } from "../event/metrics.ts";
import type { ByteReader, ByteWriter } from "../num/bytes.ts";
import { bucketOf } from "./geometric-buckets.ts";
import { newChunk } from "./page-pool.ts";
import type { PageChunk } from "./page-pool.ts";
import { RAW_SAMPLES_MAX, RAW_TEXT_MAX, RawSamples } from "./raw-samples.ts";
import type { RawSample } from "./raw-samples.ts";
import { StepBlocks } from "./step-blocks.ts";
import { BLOCK_WORDS } from "./step-sketch.ts";
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

/** Words of a series in its row: the two of `raw-samples.ts`, an older step where a late search may start ... */
const RAW = 0;
const HINT = 2;
/** ... and, after a word that keeps doubles aligned, the newest step, whose first word is the newest of the older ones. */
const BLOCK = 4;
const OLDER = BLOCK;
const SERIES_WORDS = BLOCK + BLOCK_WORDS;

const ROWS_SHIFT = 14;
const ROWS_MASK = (1 << ROWS_SHIFT) - 1;

/** What a series holds. */
export interface SeriesKind {
  /** Fractions near 1, sketched by what they lack to it. */
  readonly isBounded: boolean;
  /** Times, of which those of failed calls say nothing. */
  readonly isTime: boolean;
}

/** One series a metric, by the codes of `METRICS`. */
export const METRIC_SERIES: readonly SeriesKind[] = METRICS.map(({ shape }) => ({
  isBounded: shape === "bounded",
  isTime: shape === "time",
}));
/** How long jobs took: one series. */
export const DURATION_SERIES: readonly SeriesKind[] = [{ isBounded: false, isTime: true }];

/** Rows are those of a kind; metrics are places in the list of series. */
export class AggregateStore {
  private readonly bounded: readonly boolean[];
  private readonly timed: readonly boolean[];
  private readonly seriesCount: number;
  private readonly rowWords: number;
  private readonly rows: PageChunk[] = [];
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

  constructor(options: AggregateOptions, series = METRIC_SERIES) {
    this.bounded = series.map(({ isBounded }) => isBounded);
    this.timed = series.map(({ isTime }) => isTime);
    this.seriesCount = series.length;
    this.rowWords = series.length * SERIES_WORDS;
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
    const rows = this.rows.length * (ROWS_MASK + 1) * this.rowWords * 4;
    return rows + this.blocks.bytesUsed + this.raw.bytesUsed;
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
    while (this.rows.length << ROWS_SHIFT < count) this.rows.push(newChunk((ROWS_MASK + 1) * this.rowWords));
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
    const chunk = this.rows[row >>> ROWS_SHIFT]!;
    const series = this.seriesOf(row, metric);
    const startSeconds = this.grid.startOf(atMs) / 1000;
    const { blocks } = this;
    if (blocks.startSecondsAt(chunk, series + BLOCK) > startSeconds) {
      const page = this.lateStep(chunk, series, startSeconds);
      this.count(blocks.chunkOf(page), blocks.wordOf(page), metric, value, failed);
    } else {
      if (blocks.startSecondsAt(chunk, series + BLOCK) < startSeconds)
        this.nextStep(chunk, series, startSeconds);
      this.count(chunk, series + BLOCK, metric, value, failed);
    }
    const { keptFromMs } = this;
    this.raw.append(chunk.words, series + RAW, atMs, value, weight, failed, monitor, context, keptFromMs);
  }

  /**
   * Reads what the next {@link add} to this series will read, so that the memory of a run of samples is fetched at
   * once and not one after the other. The result means nothing; use it somewhere or the reads may be left out.
   */
  touch(row: number, metric: number): number {
    const { words } = this.rows[row >>> ROWS_SHIFT]!;
    const series = this.seriesOf(row, metric);
    return words[series]! + words[series + 16]! + words[series + SERIES_WORDS - 1]!;
  }

  /** The aggregate of a window, by default all that is kept; null when it has no samples. */
  read(row: number, metric: number, nowMs: number, options: WindowOptions = {}): Aggregate | null {
    const chunk = this.chunkAt(row, metric, nowMs);
    if (chunk === null) return null;
    const newestMs = this.blocks.startSecondsAt(chunk, this.seriesOf(row, metric) + BLOCK) * 1000;
    const keptToMs = this.grid.endOf(Math.max(nowMs, newestMs));
    const fromMs = Math.max(this.keptFromMs, this.grid.startOf(Math.max(0, options.fromMs ?? 0)));
    const toMs = Math.min(keptToMs, this.endAfter(options.toMs ?? keptToMs));
    return fromMs < toMs ? this.summarise(chunk, row, metric, fromMs, toMs) : null;
  }

  /** One aggregate for each step that has samples, oldest first. */
  steps(row: number, metric: number, nowMs: number): Aggregate[] {
    const chunk = this.chunkAt(row, metric, nowMs);
    if (chunk === null) return [];
    const starts = this.older(chunk, this.seriesOf(row, metric)).map((page) =>
      this.blocks.startSeconds(page),
    );
    starts.push(this.blocks.startSecondsAt(chunk, this.seriesOf(row, metric) + BLOCK));
    const steps: Aggregate[] = [];
    for (const startSeconds of starts) {
      const startMs = startSeconds * 1000;
      if (startMs < this.keptFromMs) continue;
      const step = this.summarise(chunk, row, metric, startMs, this.grid.endOf(startMs));
      if (step !== null) steps.push(step);
    }
    return steps;
  }

  /** Raw samples inside the retention, by the time when they happened, newest last. */
  samples(row: number, metric: number, nowMs: number, options: SampleOptions = {}): RawSample[] {
    const chunk = this.chunkAt(row, metric, nowMs);
    if (chunk === null) return [];
    const sinceMs = options.sinceMs ?? -1;
    const samples: RawSample[] = [];
    this.raw.forEach(chunk.words, this.seriesOf(row, metric) + RAW, (atMs, value, failed, page, place) => {
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
    const chunk = this.rows[row >>> ROWS_SHIFT];
    if (chunk === undefined) return;
    this.setNow(nowMs);
    for (let metric = 0; metric < this.seriesCount; metric++) {
      const series = this.seriesOf(row, metric);
      if (this.blocks.isEmpty(chunk, series + BLOCK)) continue;
      this.raw.dropExpired(chunk.words, series + RAW, this.keptFromMs);
      this.dropExpiredSteps(chunk, series);
      const newestMs = this.blocks.startSecondsAt(chunk, series + BLOCK) * 1000;
      if (newestMs < this.keptFromMs) this.blocks.empty(chunk, series + BLOCK);
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

  private count(chunk: PageChunk, block: number, metric: number, value: number, failed: boolean): void {
    if (failed) this.blocks.addFailed(chunk, block);
    if (failed && this.timed[metric]!) return;
    this.blocks.addValue(chunk, block, value, bucketOf(this.bounded[metric]! ? 1 - value : value));
  }

  /** The newest step becomes an older one, or goes when it left the retention meanwhile; a later one takes its place. */
  private nextStep(chunk: PageChunk, series: number, startSeconds: number): void {
    const { blocks } = this;
    this.dropExpiredSteps(chunk, series);
    if (blocks.startSecondsAt(chunk, series + BLOCK) * 1000 < this.keptFromMs) {
      blocks.empty(chunk, series + BLOCK);
    } else if (!blocks.isEmpty(chunk, series + BLOCK)) {
      const newest = chunk.words[series + OLDER]!;
      chunk.words[series + OLDER] = this.insertAfter(newest, blocks.moveToPage(chunk, series + BLOCK));
    }
    blocks.open(chunk, series + BLOCK, startSeconds);
  }

  /** The page of an older step. Late samples come close together, so a search goes on from where the last one ended. */
  private lateStep(chunk: PageChunk, series: number, startSeconds: number): number {
    const { blocks } = this;
    const newest = chunk.words[series + OLDER]!;
    if (newest === 0 || blocks.startSeconds(newest) < startSeconds) {
      return (chunk.words[series + OLDER] = this.insertAfter(newest, this.openPage(startSeconds)));
    }
    if (blocks.startSeconds(newest) === startSeconds) return newest;
    const hint = chunk.words[series + HINT]!;
    const hinted = hint !== 0 && blocks.startSeconds(hint) <= startSeconds;
    // The newest precedes the oldest in the ring; it starts later than the sample, so the search ends before it.
    let page = hinted ? hint : newest;
    while (blocks.startSeconds(blocks.pool.next(page)) <= startSeconds) page = blocks.pool.next(page);
    if (blocks.startSeconds(page) !== startSeconds)
      page = this.insertAfter(page, this.openPage(startSeconds));
    chunk.words[series + HINT] = page;
    return page;
  }

  private openPage(startSeconds: number): number {
    const page = this.blocks.pool.allocate();
    this.blocks.open(this.blocks.chunkOf(page), this.blocks.wordOf(page), startSeconds);
    return page;
  }

  /** Puts a page into the ring behind another, or alone into an empty one (0), and returns it. */
  private insertAfter(before: number, page: number): number {
    const { pool } = this.blocks;
    pool.setNext(page, before === 0 ? page : pool.next(before));
    if (before !== 0) pool.setNext(before, page);
    return page;
  }

  private dropExpiredSteps(chunk: PageChunk, series: number): void {
    const { words } = chunk;
    const { pool } = this.blocks;
    while (words[series + OLDER]! !== 0) {
      const newest = words[series + OLDER]!;
      const oldest = pool.next(newest);
      if (this.blocks.startSeconds(oldest) * 1000 >= this.keptFromMs) return;
      if (oldest === newest) words[series + OLDER] = 0;
      else pool.setNext(newest, pool.next(oldest));
      const hint = words[series + HINT]!;
      if (hint === oldest) words[series + HINT] = 0;
      this.blocks.release(oldest);
    }
  }

  /** The chunk of a series that has samples; null for one that has none. */
  private chunkAt(row: number, metric: number, nowMs: number): PageChunk | null {
    const chunk = this.rows[row >>> ROWS_SHIFT];
    if (chunk === undefined || this.blocks.isEmpty(chunk, this.seriesOf(row, metric) + BLOCK)) return null;
    this.setNow(nowMs);
    return chunk;
  }

  private endAfter(toMs: number): number {
    if (toMs <= 0) return 0;
    return this.grid.startOf(toMs) === toMs ? toMs : this.grid.endOf(toMs);
  }

  /** Both ends are ends of steps. */
  private summarise(
    chunk: PageChunk,
    row: number,
    metric: number,
    fromMs: number,
    toMs: number,
  ): Aggregate | null {
    const summary = this.gather(chunk, this.seriesOf(row, metric), fromMs, toMs);
    const { count, failedCount, sum, min, max } = summary;
    if (count + failedCount === 0) return null;
    const window = { periodMs: toMs - fromMs, startTime: fromMs, endTime: toMs };
    if (count === 0) {
      const nothing = { average: null, min: null, max: null, stdDev: null, percentiles: null };
      return { count, failedCount, sum, ...nothing, exact: true, ...window };
    }
    const values = this.rawValues(chunk, row, metric, fromMs, toMs);
    const exact = values.length === count;
    const percentiles = exact
      ? summary.exactPercentiles(values)
      : summary.estimatedPercentiles(this.bounded[metric]!);
    const statistics = { average: sum / count, min, max, stdDev: summary.stdDev, percentiles };
    return { count, failedCount, sum, ...statistics, exact, ...window };
  }

  private gather(chunk: PageChunk, series: number, fromMs: number, toMs: number): Summary {
    const { blocks } = this;
    const summary = new Summary();
    for (const page of this.older(chunk, series)) {
      const startMs = blocks.startSeconds(page) * 1000;
      if (startMs >= fromMs && startMs < toMs)
        blocks.collect(blocks.chunkOf(page), blocks.wordOf(page), summary);
    }
    const newestMs = blocks.startSecondsAt(chunk, series + BLOCK) * 1000;
    if (newestMs >= fromMs && newestMs < toMs) blocks.collect(chunk, series + BLOCK, summary);
    return summary;
  }

  /** The values of the window that are still there raw: all of them when they are as many as were counted. */
  private rawValues(
    chunk: PageChunk,
    row: number,
    metric: number,
    fromMs: number,
    toMs: number,
  ): Float64Array {
    const values: number[] = [];
    this.raw.forEach(chunk.words, this.seriesOf(row, metric) + RAW, (atMs, value, failed) => {
      if (atMs >= fromMs && atMs < toMs && !(failed && this.timed[metric]!)) values.push(value);
    });
    return Float64Array.from(values);
  }

  /** The pages of the steps before the newest, oldest first. */
  private older(chunk: PageChunk, series: number): number[] {
    const newest = chunk.words[series + OLDER]!;
    const pages: number[] = [];
    if (newest === 0) return pages;
    let page = newest;
    do {
      page = this.blocks.pool.next(page);
      pages.push(page);
    } while (page !== newest);
    return pages;
  }

  /** A bit for each metric that has samples, then each series: its steps, oldest first, and its raw samples. */
  private encodeRow(row: number, writer: ByteWriter): void {
    const chunk = this.rows[row >>> ROWS_SHIFT]!;
    const { blocks } = this;
    let present = 0;
    for (let metric = 0; metric < this.seriesCount; metric++) {
      if (!blocks.isEmpty(chunk, this.seriesOf(row, metric) + BLOCK)) present |= 1 << metric;
    }
    writer.u32(present);
    for (let metric = 0; metric < this.seriesCount; metric++) {
      if (((present >>> metric) & 1) === 0) continue;
      const series = this.seriesOf(row, metric);
      const older = this.older(chunk, series);
      writer.u32(older.length + 1);
      for (const page of older) blocks.encode(blocks.chunkOf(page), blocks.wordOf(page), writer);
      blocks.encode(chunk, series + BLOCK, writer);
      this.raw.encode(chunk.words, series + RAW, writer);
    }
  }

  private decodeRow(row: number, reader: ByteReader): void {
    const chunk = this.rows[row >>> ROWS_SHIFT]!;
    const { blocks } = this;
    const present = reader.u32();
    for (let metric = 0; metric < this.seriesCount; metric++) {
      if (((present >>> metric) & 1) === 0) continue;
      const series = this.seriesOf(row, metric);
      for (let older = reader.u32() - 1; older > 0; older--) {
        const page = this.insertAfter(chunk.words[series + OLDER]!, blocks.pool.allocate());
        blocks.decode(blocks.chunkOf(page), blocks.wordOf(page), reader);
        chunk.words[series + OLDER] = page;
      }
      blocks.decode(chunk, series + BLOCK, reader);
      this.raw.decode(chunk.words, series + RAW, reader);
    }
  }

  /** Where a series starts in the chunk of its row. */
  private seriesOf(row: number, metric: number): number {
    return (row & ROWS_MASK) * this.rowWords + metric * SERIES_WORDS;
  }
}
