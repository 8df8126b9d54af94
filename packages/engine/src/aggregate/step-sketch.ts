/**
 * The sketch inside a step block: which buckets its values fell into, in one of three forms, the smallest that fits.
 *
 * | form | state | values |
 * |---|---|---|
 * | inline | 0..60: their number | a byte each in the block |
 * | listed | 64 + 0..48: those inline | those that a byte cannot say, and those beyond 48, as 16 bits in list pages |
 * | counted | 255 | a 32-bit counter per bucket in counter pages, found by a hash of 12 chains in the block |
 *
 * An inline byte is 0 for bucket 0, else 1 + bucket - base: it reaches 255 buckets from the base, a factor of 156.
 * One sample a minute is inline or, where its values spread further, listed; more than {@link LIST_MAX} listed
 * values become counters, whose size no longer grows with the number of values.
 */
import type { ByteReader, ByteWriter } from "../snapshot/bytes.ts";
import { PagePool } from "./page-pool.ts";
import type { PageChunk } from "./page-pool.ts";

/** Words of a block: 0 next, 1 start, 2..9 statistics (`step-blocks.ts`), then the sketch from here on. */
export const BLOCK_WORDS = 26;
/** Bits 0..7 the state, 8..15 failed calls of the inline form, 16..31 the base (0: none yet). */
const STATE = 10;
/** The inline bytes, or the heads of the counter chains. */
const VALUES = 11;
/** Listed and counted: failed calls, values, and the newest list page. They lie where inline bytes 48..59 were. */
const FAILED = 23;
const COUNT = 24;
const LIST = 25;

const INLINE_MAX = 60;
const LISTED = 64;
const LISTED_INLINE_MAX = 48;
const COUNTED = 255;
/** Buckets that an inline byte reaches, from the base on. */
const REACH = 255;
const FAILED_INLINE_MAX = 255;

/** A list page: next, then 14 values of 16 bits. */
const LIST_WORDS = 8;
const LIST_VALUES = 14;
/** Values that may be listed before they are counted: four pages. */
export const LIST_MAX = 4 * LIST_VALUES;

/** A counter page: next, its bucket range, then 16 counters. */
const COUNTER_WORDS = 18;
const COUNTERS = 16;
const CHAINS = FAILED - VALUES;

const CHUNK_SHIFT = 14;

/** `chunk` and `word` say where a block lies: its words are `chunk.words[word]` and on. */
export class StepSketches {
  private readonly lists = new PagePool(LIST_WORDS, CHUNK_SHIFT);
  private readonly counters = new PagePool(COUNTER_WORDS, CHUNK_SHIFT);
  /** Values of one block on their way from one form to the next. */
  private readonly moved = new Uint16Array(LISTED_INLINE_MAX + LIST_MAX + 1);

  get bytesUsed(): number {
    return this.lists.bytesUsed + this.counters.bytesUsed;
  }

  /** Empties the sketch of a fresh block. */
  clear(chunk: PageChunk, word: number): void {
    chunk.words[word + STATE] = 0;
  }

  /** Values in the sketch. */
  count(chunk: PageChunk, word: number): number {
    const state = chunk.words[word + STATE]! & 0xff;
    return state <= INLINE_MAX ? state : chunk.words[word + COUNT]!;
  }

  failedCount(chunk: PageChunk, word: number): number {
    const head = chunk.words[word + STATE]!;
    return (head & 0xff) <= INLINE_MAX ? (head >>> 8) & 0xff : chunk.words[word + FAILED]!;
  }

  /** Counts a value by its bucket. */
  add(chunk: PageChunk, word: number, bucket: number): void {
    const head = chunk.words[word + STATE]!;
    const state = head & 0xff;
    const code = codeOf(head, bucket);
    if (state < INLINE_MAX && code >= 0) {
      chunk.bytes[(word + VALUES) * 4 + state] = code;
      chunk.words[word + STATE] = head + 1;
      return;
    }
    if (state === COUNTED) this.increment(chunk, word, bucket, 1);
    else this.addUnusual(chunk, word, bucket);
  }

  /** Counts a failed call, which need not be a value. */
  addFailed(chunk: PageChunk, word: number): void {
    const head = chunk.words[word + STATE]!;
    const inline = (head & 0xff) <= INLINE_MAX;
    if (inline && ((head >>> 8) & 0xff) < FAILED_INLINE_MAX) {
      chunk.words[word + STATE] = head + 0x100;
      return;
    }
    if (inline) this.toListed(chunk, word);
    chunk.words[word + FAILED]! += 1;
  }

  /** Gives back the pages outside the block. */
  release(chunk: PageChunk, word: number): void {
    const state = chunk.words[word + STATE]! & 0xff;
    if (state <= INLINE_MAX) return;
    if (state !== COUNTED) return releaseChain(this.lists, chunk.words[word + LIST]!);
    for (let chain = 0; chain < CHAINS; chain++) releaseChain(this.counters, chunk.words[word + VALUES + chain]!);
  }

  /** Adds the number of values in each bucket to `counts[bucket]`. */
  collect(chunk: PageChunk, word: number, counts: Float64Array): void {
    if ((chunk.words[word + STATE]! & 0xff) !== COUNTED) {
      const size = this.gather(chunk, word);
      for (let index = 0; index < size; index++) counts[this.moved[index]!]! += 1;
      return;
    }
    for (const page of this.counterPages(chunk, word)) {
      for (let place = 0; place < COUNTERS; place++) counts[page.range * COUNTERS + place]! += page.counters[place]!;
    }
  }

  encode(chunk: PageChunk, word: number, writer: ByteWriter): void {
    const { words, bytes } = chunk;
    const head = words[word + STATE]!;
    const state = head & 0xff;
    writer.u32(head);
    const first = (word + VALUES) * 4;
    if (state <= INLINE_MAX) return writer.raw(bytes.subarray(first, first + state));
    writer.u32(words[word + FAILED]!);
    writer.u32(words[word + COUNT]!);
    if (state === COUNTED) return this.encodeCounters(chunk, word, writer);
    const size = this.gather(chunk, word);
    writer.raw(bytes.subarray(first, first + state - LISTED));
    for (let index = state - LISTED; index < size; index++) writer.u16(this.moved[index]!);
  }

  decode(chunk: PageChunk, word: number, reader: ByteReader): void {
    const head = reader.u32();
    const state = head & 0xff;
    const { words, bytes } = chunk;
    words[word + STATE] = head;
    const first = (word + VALUES) * 4;
    if (state <= INLINE_MAX) return bytes.set(reader.raw(state), first);
    const failed = reader.u32();
    const count = reader.u32();
    words.fill(0, word + VALUES, word + BLOCK_WORDS);
    words[word + FAILED] = failed;
    if (state === COUNTED) return this.decodeCounters(chunk, word, reader);
    bytes.set(reader.raw(state - LISTED), first);
    words[word + COUNT] = state - LISTED;
    while (words[word + COUNT]! < count) this.list(chunk, word, reader.u16());
  }

  /** Inline or listed, and the value is out of reach or the place is full. */
  private addUnusual(chunk: PageChunk, word: number, bucket: number): void {
    const code = this.reach(chunk, word, bucket);
    const inline = (chunk.words[word + STATE]! & 0xff) <= INLINE_MAX;
    if (inline && code >= 0 && inlineCount(chunk, word) < INLINE_MAX) {
      chunk.bytes[(word + VALUES) * 4 + inlineCount(chunk, word)] = code;
      chunk.words[word + STATE]! += 1;
      return;
    }
    if (inline) this.toListed(chunk, word);
    if (code >= 0 && inlineCount(chunk, word) < LISTED_INLINE_MAX) {
      chunk.bytes[(word + VALUES) * 4 + inlineCount(chunk, word)] = code;
      chunk.words[word + STATE]! += 1;
      chunk.words[word + COUNT]! += 1;
      return;
    }
    this.list(chunk, word, bucket);
    if (chunk.words[word + COUNT]! - inlineCount(chunk, word) > LIST_MAX) this.toCounted(chunk, word);
  }

  /** The byte for a bucket, after moving the base where that brings all inline values and this one into reach; or -1. */
  private reach(chunk: PageChunk, word: number, bucket: number): number {
    const head = chunk.words[word + STATE]!;
    const code = codeOf(head, bucket);
    if (code >= 0) return code;
    const base = head >>> 16;
    const first = (word + VALUES) * 4;
    const end = first + inlineCount(chunk, word);
    let low = bucket;
    let high = bucket;
    for (let at = first; at < end; at++) {
      const value = chunk.bytes[at]!;
      if (value === 0) continue;
      low = Math.min(low, base + value - 1);
      high = Math.max(high, base + value - 1);
    }
    if (high - low >= REACH) return -1;
    const moved = Math.max(1, low - ((REACH - 1 - (high - low)) >> 1));
    for (let at = first; at < end; at++) {
      const value = chunk.bytes[at]!;
      if (value !== 0) chunk.bytes[at] = value + base - moved;
    }
    chunk.words[word + STATE] = ((head & 0xffff) | (moved << 16)) >>> 0;
    return bucket - moved + 1;
  }

  private toListed(chunk: PageChunk, word: number): void {
    const { words } = chunk;
    const head = words[word + STATE]!;
    const count = this.gather(chunk, word);
    const kept = Math.min(count, LISTED_INLINE_MAX);
    words[word + STATE] = ((head & 0xffff0000) | (LISTED + kept)) >>> 0;
    words[word + FAILED] = (head >>> 8) & 0xff;
    words[word + COUNT] = kept;
    words[word + LIST] = 0;
    for (let index = kept; index < count; index++) this.list(chunk, word, this.moved[index]!);
  }

  private list(chunk: PageChunk, word: number, bucket: number): void {
    const { words } = chunk;
    const place = (words[word + COUNT]! - inlineCount(chunk, word)) % LIST_VALUES;
    if (place === 0) {
      const page = this.lists.allocate();
      this.lists.setNext(page, words[word + LIST]!);
      words[word + LIST] = page;
    }
    const page = words[word + LIST]!;
    const { halves } = this.lists.chunks[page >>> CHUNK_SHIFT]!;
    halves[(page & this.lists.mask) * LIST_WORDS * 2 + 2 + place] = bucket;
    words[word + COUNT]! += 1;
  }

  private toCounted(chunk: PageChunk, word: number): void {
    const { words } = chunk;
    const size = this.gather(chunk, word);
    releaseChain(this.lists, words[word + LIST]!);
    words[word + STATE] = COUNTED;
    words[word + COUNT] = 0;
    words.fill(0, word + VALUES, word + FAILED);
    for (let index = 0; index < size; index++) this.increment(chunk, word, this.moved[index]!, 1);
  }

  private increment(chunk: PageChunk, word: number, bucket: number, by: number): void {
    const range = Math.floor(bucket / COUNTERS);
    const chain = word + VALUES + (range % CHAINS);
    const { chunks, mask } = this.counters;
    let page = chunk.words[chain]!;
    while (page !== 0) {
      const { words } = chunks[page >>> CHUNK_SHIFT]!;
      const at = (page & mask) * COUNTER_WORDS;
      if (words[at + 1] === range) break;
      page = words[at]!;
    }
    if (page === 0) page = this.addCounters(chunk, chain, range);
    const { words } = chunks[page >>> CHUNK_SHIFT]!;
    words[(page & mask) * COUNTER_WORDS + 2 + (bucket % COUNTERS)]! += by;
    chunk.words[word + COUNT]! += by;
  }

  private addCounters(chunk: PageChunk, chain: number, range: number): number {
    const page = this.counters.allocate();
    const { words } = this.counters.chunks[page >>> CHUNK_SHIFT]!;
    const at = (page & this.counters.mask) * COUNTER_WORDS;
    words.fill(0, at, at + COUNTER_WORDS);
    words[at] = chunk.words[chain]!;
    words[at + 1] = range;
    chunk.words[chain] = page;
    return page;
  }

  /** Puts the buckets of an inline or listed sketch into `moved`, in the order they came, and returns their number. */
  private gather(chunk: PageChunk, word: number): number {
    const head = chunk.words[word + STATE]!;
    const inline = inlineCount(chunk, word);
    const first = (word + VALUES) * 4;
    for (let index = 0; index < inline; index++) {
      const value = chunk.bytes[first + index]!;
      this.moved[index] = value === 0 ? 0 : (head >>> 16) + value - 1;
    }
    const count = this.count(chunk, word);
    if (count === inline) return count;
    let page = chunk.words[word + LIST]!;
    let place = (count - inline - 1) % LIST_VALUES;
    for (let index = count - 1; index >= inline; index--) {
      const { halves } = this.lists.chunks[page >>> CHUNK_SHIFT]!;
      this.moved[index] = halves[(page & this.lists.mask) * LIST_WORDS * 2 + 2 + place]!;
      place -= 1;
      if (place >= 0) continue;
      place = LIST_VALUES - 1;
      page = this.lists.next(page);
    }
    return count;
  }

  /** In ascending order, so that equal sketches are written as equal bytes. */
  private encodeCounters(chunk: PageChunk, word: number, writer: ByteWriter): void {
    const pages = this.counterPages(chunk, word).sort((left, right) => left.range - right.range);
    writer.u16(pages.length);
    for (const page of pages) {
      writer.u16(page.range);
      for (const counter of page.counters) writer.u32(counter);
    }
  }

  private decodeCounters(chunk: PageChunk, word: number, reader: ByteReader): void {
    for (let pages = reader.u16(); pages > 0; pages--) {
      const range = reader.u16();
      for (let place = 0; place < COUNTERS; place++) {
        const by = reader.u32();
        if (by > 0) this.increment(chunk, word, range * COUNTERS + place, by);
      }
    }
  }

  private counterPages(chunk: PageChunk, word: number): { range: number; counters: Uint32Array }[] {
    const pages: { range: number; counters: Uint32Array }[] = [];
    for (let chain = 0; chain < CHAINS; chain++) {
      for (let page = chunk.words[word + VALUES + chain]!; page !== 0; page = this.counters.next(page)) {
        const { words } = this.counters.chunks[page >>> CHUNK_SHIFT]!;
        const at = (page & this.counters.mask) * COUNTER_WORDS;
        pages.push({ range: words[at + 1]!, counters: words.subarray(at + 2, at + COUNTER_WORDS) });
      }
    }
    return pages;
  }
}

/** The inline byte of a bucket under the base in `head`, or -1 when it is out of reach or there is no base yet. */
function codeOf(head: number, bucket: number): number {
  if (bucket === 0) return 0;
  const base = head >>> 16;
  const code = bucket - base + 1;
  return base !== 0 && code > 0 && code <= REACH ? code : -1;
}

function inlineCount(chunk: PageChunk, word: number): number {
  const state = chunk.words[word + STATE]! & 0xff;
  return state <= INLINE_MAX ? state : state - LISTED;
}

function releaseChain(pool: PagePool, newest: number): void {
  let page = newest;
  while (page !== 0) {
    const next = pool.next(page);
    pool.release(page);
    page = next;
  }
}
