/** Step blocks: what is known of one series (a subject's metric) in one step of time, in 104 bytes and seldom more. */
import type { ByteReader, ByteWriter } from "../num/bytes.ts";
import { PagePool } from "./page-pool.ts";
import type { PageChunk } from "./page-pool.ts";
import { BLOCK_WORDS, StepSketches } from "./step-sketch.ts";
import type { Summary } from "./summary.ts";

/** Word 1: start of the step, seconds since 1970. */
const START = 1;
/** Doubles 1..4, meaningless while the sketch is empty. The second moment is the sum of squared deviations. */
const SUM = 1;
const MOMENT = 2;
const MIN = 3;
const MAX = 4;

const CHUNK_SHIFT = 16;

/**
 * A block lies at word `word` (even) of a chunk. The block of the newest step lies in the row of its subject, where
 * samples find it without a search; older ones are pages of `pool`, chained by their first word.
 */
export class StepBlocks {
  readonly pool = new PagePool(BLOCK_WORDS, CHUNK_SHIFT);
  private readonly sketches = new StepSketches();

  get bytesUsed(): number {
    return this.pool.bytesUsed + this.sketches.bytesUsed;
  }

  /** The chunk of a page of the pool ... */
  chunkOf(page: number): PageChunk {
    return this.pool.chunks[page >>> CHUNK_SHIFT]!;
  }

  /** ... and its first word there. */
  wordOf(page: number): number {
    return (page & this.pool.mask) * BLOCK_WORDS;
  }

  startSeconds(page: number): number {
    return this.chunkOf(page).words[this.wordOf(page) + START]!;
  }

  startSecondsAt(chunk: PageChunk, word: number): number {
    return chunk.words[word + START]!;
  }

  /** Makes the place an empty block of the step that starts at `startSeconds`, whatever it held. */
  open(chunk: PageChunk, word: number, startSeconds: number): void {
    chunk.words[word + START] = startSeconds;
    this.sketches.clear(chunk, word);
  }

  /** Whether nothing was counted here, as in memory that was never written. */
  isEmpty(chunk: PageChunk, word: number): boolean {
    return this.sketches.isEmpty(chunk, word);
  }

  /** Gives back what the block holds elsewhere; the place holds nothing afterwards. */
  empty(chunk: PageChunk, word: number): void {
    this.sketches.release(chunk, word);
    this.open(chunk, word, 0);
  }

  /** Moves a block into a page of the pool, which is returned; the place holds nothing afterwards. */
  moveToPage(chunk: PageChunk, word: number): number {
    const page = this.pool.allocate();
    const { words } = this.chunkOf(page);
    const first = this.wordOf(page);
    for (let index = 0; index < BLOCK_WORDS; index++) words[first + index] = chunk.words[word + index]!;
    this.open(chunk, word, 0);
    return page;
  }

  release(page: number): void {
    this.sketches.release(this.chunkOf(page), this.wordOf(page));
    this.pool.release(page);
  }

  /**
   * Counts a value, `bucket` being where it (or what stands for it in the sketch) belongs.
   *
   * The second moment follows Welford: with the means before and after, M2 grows by (x - before)(x - after).
   */
  addValue(chunk: PageChunk, word: number, value: number, bucket: number): void {
    const { doubles } = chunk;
    const double = word / 2;
    const count = this.sketches.count(chunk, word);
    if (count === 0) {
      doubles[double + SUM] = value;
      doubles[double + MOMENT] = 0;
      doubles[double + MIN] = value;
      doubles[double + MAX] = value;
    } else {
      const before = doubles[double + SUM]!;
      const after = before + value;
      doubles[double + SUM] = after;
      doubles[double + MOMENT]! += (value - before / count) * (value - after / (count + 1));
      if (value < doubles[double + MIN]!) doubles[double + MIN] = value;
      if (value > doubles[double + MAX]!) doubles[double + MAX] = value;
    }
    this.sketches.add(chunk, word, bucket);
  }

  addFailed(chunk: PageChunk, word: number): void {
    this.sketches.addFailed(chunk, word);
  }

  /** Adds what the block holds to `summary`. */
  collect(chunk: PageChunk, word: number, summary: Summary): void {
    summary.failedCount += this.sketches.failedCount(chunk, word);
    const count = this.sketches.count(chunk, word);
    if (count === 0) return;
    const { doubles } = chunk;
    const double = word / 2;
    const min = doubles[double + MIN]!;
    const max = doubles[double + MAX]!;
    summary.merge(count, doubles[double + SUM]!, doubles[double + MOMENT]!, min, max);
    this.sketches.collect(chunk, word, summary.counts);
  }

  encode(chunk: PageChunk, word: number, writer: ByteWriter): void {
    writer.u32(chunk.words[word + START]!);
    this.sketches.encode(chunk, word, writer);
    if (this.sketches.count(chunk, word) === 0) return;
    for (let index = SUM; index <= MAX; index++) writer.f64(chunk.doubles[word / 2 + index]!);
  }

  decode(chunk: PageChunk, word: number, reader: ByteReader): void {
    this.open(chunk, word, reader.u32());
    this.sketches.decode(chunk, word, reader);
    if (this.sketches.count(chunk, word) === 0) return;
    for (let index = SUM; index <= MAX; index++) chunk.doubles[word / 2 + index] = reader.f64();
  }
}
