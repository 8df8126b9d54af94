/** The newest samples of every series as they came, in pages of 16 from a pool with a total budget. */
import type { ByteReader, ByteWriter } from "../num/bytes.ts";
import { PagePool } from "./page-pool.ts";

/** Samples kept raw over all series, by default: 264 MB. */
export const RAW_SAMPLES_MAX = 16 * 1024 * 1024;
/** UTF-16 units of monitors and contexts kept with them over all series, by default: at most 128 MB. */
export const RAW_TEXT_MAX = 64 * 1024 * 1024;

/** A sample as it came. */
export interface RawSample {
  readonly atMs: number;
  readonly value: number;
  readonly weight: number;
  readonly failed: boolean;
  readonly monitor: string | null;
  readonly context: string | null;
}

/** Two words of a series belong to its raw samples, wherever the caller has them: the newest page ... */
const NEWEST = 0;
/** ... and in bits 0..3 the place of the oldest sample in its page, in bits 4..31 the number of samples. */
const EXTENT = 1;
/** A series keeps at most this many, so that their number fits the extent. */
const SAMPLE_SIZE_MAX = 1_000_000;

/** A page: the next page, one bit per sample whose call failed, then 16 pairs of time and value. */
const PAGE_SAMPLES = 16;
const PAGE_WORDS = 2 + PAGE_SAMPLES * 4;
const PAGE_DOUBLES = PAGE_WORDS / 2;
const FAILED = 1;

const CHUNK_SHIFT = 14;

/** Monitor and context of each sample of a page. */
type Texts = (string | null)[];
const NO_TEXTS: Texts = Array.from({ length: PAGE_SAMPLES * 2 }, () => null);

/**
 * Each series' pages form a ring: the newest is followed by the oldest. Weights other than 1 and texts are rare, so
 * weights have columns only in chunks that saw one, and texts a list only in pages that have one.
 */
export class RawSamples {
  /** Samples given up or not kept because the pool was empty. */
  droppedSamples = 0;
  /** Samples kept without their monitor and context because the text budget was spent. */
  droppedTexts = 0;
  private readonly pool = new PagePool(PAGE_WORDS, CHUNK_SHIFT);
  private readonly weights: (Float64Array | undefined)[] = [];
  /** By page, a map for each chunk so that none grows large. */
  private readonly texts: (Map<number, Texts> | undefined)[] = [];
  private textUnits = 0;
  private pagesMax = 0;
  private textMax = 0;
  private sampleSize = 0;

  constructor(sampleSize: number, samplesMax: number, textMax: number) {
    this.limit(sampleSize, samplesMax, textMax);
  }

  get bytesUsed(): number {
    const weightColumns = this.weights.reduce((sum, column) => sum + (column?.byteLength ?? 0), 0);
    return this.pool.bytesUsed + weightColumns + 2 * this.textUnits;
  }

  /** New limits; what is over them goes when its series is next added to. */
  limit(sampleSize: number, samplesMax: number, textMax: number): void {
    if (!Number.isInteger(sampleSize) || sampleSize < 0 || sampleSize > SAMPLE_SIZE_MAX) {
      throw new RangeError(`a series keeps 0 to ${SAMPLE_SIZE_MAX} raw samples, not ${sampleSize}`);
    }
    this.sampleSize = sampleSize;
    this.pagesMax = Math.floor(samplesMax / PAGE_SAMPLES);
    this.textMax = textMax;
  }

  /** Keeps a sample of the series whose two words start at `series` in `words`. */
  // oxlint-disable-next-line max-params -- an object per sample would be an allocation per event.
  append(
    words: Uint32Array,
    series: number,
    atMs: number,
    value: number,
    weight: number,
    failed: boolean,
    monitor: string | null,
    context: string | null,
    keptFromMs: number,
  ): void {
    while (words[series + EXTENT]! >>> 4 >= this.sampleSize) {
      const extent = words[series + EXTENT]!;
      if (extent === 0) return;
      this.dropOldest(words, series);
    }
    if (needsPage(words, series) && !this.makeRoom(words, series, keptFromMs)) return;
    const units = (monitor?.length ?? 0) + (context?.length ?? 0);
    const roomForText = this.textUnits + units <= this.textMax;
    if (!roomForText) this.droppedTexts += 1;
    this.put(
      words,
      series,
      atMs,
      value,
      weight,
      failed,
      roomForText ? monitor : null,
      roomForText ? context : null,
    );
  }

  /** Gives back the pages whose samples are all older than `keptFromMs`, oldest first. */
  dropExpired(words: Uint32Array, series: number, keptFromMs: number): void {
    while (words[series + NEWEST]! !== 0) {
      const newest = words[series + NEWEST]!;
      const oldest = this.pool.next(newest);
      const extent = words[series + EXTENT]!;
      const first = extent & 15;
      const end = oldest === newest ? first + (extent >>> 4) : PAGE_SAMPLES;
      for (let place = end - 1; place >= first; place--) {
        if (this.atMs(oldest, place) >= keptFromMs) return;
      }
      this.dropOldestPage(words, series);
    }
  }

  /** Calls `visit` for every sample in the order they came, with its time, value, failed flag, page and place. */
  forEach(
    words: Uint32Array,
    series: number,
    visit: (atMs: number, value: number, failed: boolean, page: number, place: number) => void,
  ): void {
    const extent = words[series + EXTENT]!;
    if (extent >>> 4 === 0) return;
    let page = this.pool.next(words[series + NEWEST]!);
    let place = extent & 15;
    for (let left = extent >>> 4; left > 0; left--) {
      const chunk = this.pool.chunks[page >>> CHUNK_SHIFT]!;
      const double = (page & this.pool.mask) * PAGE_DOUBLES + 1 + place * 2;
      const failed = (chunk.words[(page & this.pool.mask) * PAGE_WORDS + FAILED]! >>> place) & 1;
      visit(chunk.doubles[double]!, chunk.doubles[double + 1]!, failed === 1, page, place);
      place += 1;
      if (place < PAGE_SAMPLES) continue;
      place = 0;
      page = this.pool.next(page);
    }
  }

  weight(page: number, place: number): number {
    return this.weights[page >>> CHUNK_SHIFT]?.[(page & this.pool.mask) * PAGE_SAMPLES + place] ?? 1;
  }

  monitor(page: number, place: number): string | null {
    return this.texts[page >>> CHUNK_SHIFT]?.get(page)?.[place * 2] ?? null;
  }

  context(page: number, place: number): string | null {
    return this.texts[page >>> CHUNK_SHIFT]?.get(page)?.[place * 2 + 1] ?? null;
  }

  encode(words: Uint32Array, series: number, writer: ByteWriter): void {
    writer.u32(words[series + EXTENT]!);
    this.forEach(words, series, (atMs, value, failed, page, place) => {
      const weight = this.weight(page, place);
      const monitor = this.monitor(page, place);
      const context = this.context(page, place);
      writer.f64(atMs);
      writer.f64(value);
      writer.u8(
        (failed ? 1 : 0) | (weight === 1 ? 0 : 2) | (monitor === null ? 0 : 4) | (context === null ? 0 : 8),
      );
      if (weight !== 1) writer.f64(weight);
      if (monitor !== null) writer.text(monitor);
      if (context !== null) writer.text(context);
    });
  }

  /**
   * The series is empty. Its pages are filled from the same place as before, so that they end where they did, and
   * whatever the limits are now: what was kept when the snapshot was taken is kept.
   */
  decode(words: Uint32Array, series: number, reader: ByteReader): void {
    const extent = reader.u32();
    if ((extent & 15) > 0) this.addPage(words, series);
    words[series + EXTENT] = extent & 15;
    for (let left = extent >>> 4; left > 0; left--) {
      const atMs = reader.f64();
      const value = reader.f64();
      const flags = reader.u8();
      const weight = (flags & 2) === 0 ? 1 : reader.f64();
      const monitor = (flags & 4) === 0 ? null : reader.text();
      const context = (flags & 8) === 0 ? null : reader.text();
      this.put(words, series, atMs, value, weight, (flags & 1) === 1, monitor, context);
    }
  }

  /** Whether the pool has a page for the series; if need be in exchange for its own oldest. */
  private makeRoom(words: Uint32Array, series: number, keptFromMs: number): boolean {
    this.dropExpired(words, series, keptFromMs);
    if (this.pool.used < this.pagesMax) return true;
    this.droppedSamples += this.dropOldestPage(words, series);
    if (this.pool.used < this.pagesMax) return true;
    this.droppedSamples += 1;
    return false;
  }

  // oxlint-disable-next-line max-params -- an object per sample would be an allocation per event.
  private put(
    words: Uint32Array,
    series: number,
    atMs: number,
    value: number,
    weight: number,
    failed: boolean,
    monitor: string | null,
    context: string | null,
  ): void {
    if (needsPage(words, series)) this.addPage(words, series);
    const place = endPlace(words, series);
    words[series + EXTENT]! += 16;
    const page = words[series + NEWEST]!;
    const chunk = this.pool.chunks[page >>> CHUNK_SHIFT]!;
    const double = (page & this.pool.mask) * PAGE_DOUBLES + 1 + place * 2;
    chunk.doubles[double] = atMs;
    chunk.doubles[double + 1] = value;
    if (failed) chunk.words[(page & this.pool.mask) * PAGE_WORDS + FAILED]! |= 1 << place;
    if (weight !== 1 || this.weights[page >>> CHUNK_SHIFT] !== undefined) this.setWeight(page, place, weight);
    if (monitor !== null || context !== null) this.setTexts(page, place, monitor, context);
  }

  private addPage(words: Uint32Array, series: number): void {
    const page = this.pool.allocate();
    const newest = words[series + NEWEST]!;
    this.pool.setNext(page, newest === 0 ? page : this.pool.next(newest));
    if (newest !== 0) this.pool.setNext(newest, page);
    words[series + NEWEST] = page;
    this.pool.chunks[page >>> CHUNK_SHIFT]!.words[(page & this.pool.mask) * PAGE_WORDS + FAILED] = 0;
  }

  /** A series without samples has no page. */
  private dropOldest(words: Uint32Array, series: number): void {
    const extent = words[series + EXTENT]!;
    if (extent >>> 4 === 1 || (extent & 15) === PAGE_SAMPLES - 1) {
      this.dropOldestPage(words, series);
      return;
    }
    this.dropTexts(this.pool.next(words[series + NEWEST]!), extent & 15);
    words[series + EXTENT] = extent + 1 - 16;
  }

  /** Returns how many samples went with it, 0 when there is no page. */
  private dropOldestPage(words: Uint32Array, series: number): number {
    const newest = words[series + NEWEST]!;
    if (newest === 0) return 0;
    const oldest = this.pool.next(newest);
    const extent = words[series + EXTENT]!;
    const dropped = Math.min(extent >>> 4, PAGE_SAMPLES - (extent & 15));
    words[series + EXTENT] = ((extent >>> 4) - dropped) << 4;
    if (oldest === newest) words[series + NEWEST] = 0;
    else this.pool.setNext(newest, this.pool.next(oldest));
    for (let place = 0; place < PAGE_SAMPLES; place++) this.dropTexts(oldest, place);
    this.texts[oldest >>> CHUNK_SHIFT]?.delete(oldest);
    this.pool.release(oldest);
    return dropped;
  }

  private atMs(page: number, place: number): number {
    const { doubles } = this.pool.chunks[page >>> CHUNK_SHIFT]!;
    return doubles[(page & this.pool.mask) * PAGE_DOUBLES + 1 + place * 2]!;
  }

  private setWeight(page: number, place: number, weight: number): void {
    const chunk = page >>> CHUNK_SHIFT;
    const column = (this.weights[chunk] ??= new Float64Array((this.pool.mask + 1) * PAGE_SAMPLES).fill(1));
    column[(page & this.pool.mask) * PAGE_SAMPLES + place] = weight;
  }

  private setTexts(page: number, place: number, monitor: string | null, context: string | null): void {
    this.textUnits += (monitor?.length ?? 0) + (context?.length ?? 0);
    const pages = (this.texts[page >>> CHUNK_SHIFT] ??= new Map());
    const texts = pages.get(page) ?? NO_TEXTS.slice();
    pages.set(page, texts);
    texts[place * 2] = monitor;
    texts[place * 2 + 1] = context;
  }

  private dropTexts(page: number, place: number): void {
    const texts = this.texts[page >>> CHUNK_SHIFT]?.get(page);
    if (texts === undefined) return;
    this.textUnits -= (texts[place * 2]?.length ?? 0) + (texts[place * 2 + 1]?.length ?? 0);
    texts[place * 2] = null;
    texts[place * 2 + 1] = null;
  }
}

/** Where the next sample goes in its page. */
function endPlace(words: Uint32Array, series: number): number {
  const extent = words[series + EXTENT]!;
  return ((extent & 15) + (extent >>> 4)) & 15;
}

/** Whether the newest page, if there is one, is full. */
function needsPage(words: Uint32Array, series: number): boolean {
  return endPlace(words, series) === 0;
}
