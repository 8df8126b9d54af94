/** Step blocks: what is known of one series (a subject's metric) in one step of time, in 104 bytes and seldom more. */
import type { ByteReader, ByteWriter } from "../snapshot/bytes.ts";
import { PagePool } from "./page-pool.ts";
import { BLOCK_WORDS, StepSketches } from "./step-sketch.ts";
import type { Summary } from "./summary.ts";

/** Word 1: start of the step, seconds since 1970. */
const START = 1;
/** Doubles 1..4, meaningless while the sketch is empty. The second moment is the sum of squared deviations. */
const SUM = 1;
const MOMENT = 2;
const MIN = 3;
const MAX = 4;
const BLOCK_DOUBLES = BLOCK_WORDS / 2;

const CHUNK_SHIFT = 16;

/** A block is known by its number; 0 is none. `next` is the caller's to chain blocks by. */
export class StepBlocks {
  private readonly pool = new PagePool(BLOCK_WORDS, CHUNK_SHIFT);
  private readonly sketches = new StepSketches();

  get bytesUsed(): number {
    return this.pool.bytesUsed + this.sketches.bytesUsed;
  }

  /** An empty block of the step that starts at `startSeconds`. */
  open(startSeconds: number): number {
    const block = this.pool.allocate();
    const chunk = this.pool.chunks[block >>> CHUNK_SHIFT]!;
    const word = (block & this.pool.mask) * BLOCK_WORDS;
    chunk.words[word + START] = startSeconds;
    this.sketches.clear(chunk, word);
    return block;
  }

  release(block: number): void {
    this.sketches.release(this.pool.chunks[block >>> CHUNK_SHIFT]!, (block & this.pool.mask) * BLOCK_WORDS);
    this.pool.release(block);
  }

  startSeconds(block: number): number {
    return this.pool.chunks[block >>> CHUNK_SHIFT]!.words[(block & this.pool.mask) * BLOCK_WORDS + START]!;
  }

  next(block: number): number {
    return this.pool.next(block);
  }

  setNext(block: number, next: number): void {
    this.pool.setNext(block, next);
  }

  /**
   * Counts a value, `bucket` being where it (or what stands for it in the sketch) belongs.
   *
   * The second moment follows Welford: with the means before and after, M2 grows by (x - before)(x - after).
   */
  addValue(block: number, value: number, bucket: number): void {
    const chunk = this.pool.chunks[block >>> CHUNK_SHIFT]!;
    const page = block & this.pool.mask;
    const { doubles } = chunk;
    const double = page * BLOCK_DOUBLES;
    const count = this.sketches.count(chunk, page * BLOCK_WORDS);
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
    this.sketches.add(chunk, page * BLOCK_WORDS, bucket);
  }

  addFailed(block: number): void {
    this.sketches.addFailed(this.pool.chunks[block >>> CHUNK_SHIFT]!, (block & this.pool.mask) * BLOCK_WORDS);
  }

  /** Adds what the block holds to `summary`. */
  collect(block: number, summary: Summary): void {
    const chunk = this.pool.chunks[block >>> CHUNK_SHIFT]!;
    const page = block & this.pool.mask;
    const double = page * BLOCK_DOUBLES;
    summary.failedCount += this.sketches.failedCount(chunk, page * BLOCK_WORDS);
    const count = this.sketches.count(chunk, page * BLOCK_WORDS);
    if (count === 0) return;
    const { doubles } = chunk;
    const min = doubles[double + MIN]!;
    const max = doubles[double + MAX]!;
    summary.merge(count, doubles[double + SUM]!, doubles[double + MOMENT]!, min, max);
    this.sketches.collect(chunk, page * BLOCK_WORDS, summary.counts);
  }

  encode(block: number, writer: ByteWriter): void {
    const chunk = this.pool.chunks[block >>> CHUNK_SHIFT]!;
    const page = block & this.pool.mask;
    writer.u32(chunk.words[page * BLOCK_WORDS + START]!);
    this.sketches.encode(chunk, page * BLOCK_WORDS, writer);
    if (this.sketches.count(chunk, page * BLOCK_WORDS) === 0) return;
    const double = page * BLOCK_DOUBLES;
    for (let index = SUM; index <= MAX; index++) writer.f64(chunk.doubles[double + index]!);
  }

  decode(reader: ByteReader): number {
    const block = this.open(reader.u32());
    const chunk = this.pool.chunks[block >>> CHUNK_SHIFT]!;
    const page = block & this.pool.mask;
    this.sketches.decode(chunk, page * BLOCK_WORDS, reader);
    if (this.sketches.count(chunk, page * BLOCK_WORDS) === 0) return block;
    const double = page * BLOCK_DOUBLES;
    for (let index = SUM; index <= MAX; index++) chunk.doubles[double + index] = reader.f64();
    return block;
  }
}
