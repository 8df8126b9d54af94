/**
 * The sketch inside a step block: which buckets its values fell into, in one of three forms, the smallest that fits.
 *
 * | form | state | values |
 * |---|---|---|
 * | inline | 0..60: their number | a byte each in the block |
 * | listed | 64 + 0..55: those inline | those that a byte cannot say, and those beyond 55, as 16 bits in list pages |
 * | counted | 255 | a 32-bit counter per bucket in counter pages, found by a hash of 13 chains in the block |
 *
 * An inline byte is 0 for bucket 0, else 1 + bucket - base: it reaches 255 buckets from the base, a factor of 156.
 * One sample a minute is inline or, where its values spread further, listed; more than {@link LIST_MAX} listed
 * values become counters, whose size no longer grows with the number of values.
 */
import type { ByteReader, ByteWriter } from "../num/bytes.ts";
import { PagePool } from "./page-pool.ts";
import type { PageChunk } from "./page-pool.ts";

/** Words of a block: 0 next, 1 start, 2..9 statistics (`step-blocks.ts`), then the sketch from here on. */
export const BLOCK_WORDS = 26;
/** Bits 0..7 the state, 8..15 failed calls of the inline and the listed form, 16..31 the base (0: none yet). */
const STATE = 10;
/** The inline bytes, or the heads of the counter chains. */
const VALUES = 11;
/** Listed: the newest list page, and before it, as a byte, the number of values in the list. */
const LIST = 25;
const LISTED_COUNT_BYTE = LIST * 4 - 1;
/** Counted: failed calls and values. */
const FAILED = 24;
const COUNT = 25;

const INLINE_MAX = 60;
const LISTED = 64;
const LISTED_INLINE_MAX = 55;
const COUNTED = 255;
/** Buckets that an inline byte reaches, from the base on. */
const REACH = 255;
const FAILED_BYTE_MAX = 255;

/** A list page: next, then 10 values of 16 bits, enough for an hour of 60 values with 5 out of reach. */
const LIST_WORDS = 6;
const LIST_VALUES = 10;
/** Values that may be listed before they are counted: five pages. */
const LIST_MAX = 5 * LIST_VALUES;

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
  private readonly moved = new Uint16Array(LISTED_INLINE_MAX + LIST_MAX);

  get bytesUsed(): number {
    return this.lists.bytesUsed + this.counters.bytesUsed;
  }

  /** An empty sketch, whatever was there. */
  clear(chunk: PageChunk, word: number): void {
    chunk.words[word + STATE] = 0;
  }

  /** Whether neither values nor failed calls were counted. */
  isEmpty(chunk: PageChunk, word: number): boolean {
    return (chunk.words[word + STATE]! & 0xffff) === 0;
  }

  /** Values in the sketch. */
  count(chunk: PageChunk, word: number): number {
    const state = chunk.words[word + STATE]! & 0xff;
    if (state <= INLINE_MAX) return state;
    return state === COUNTED ? chunk.words[word + COUNT]! : state - LISTED + listedCount(chunk, word);
  }

  failedCount(chunk: PageChunk, word: number): number {
    const head = chunk.words[word + STATE]!;
    return (head & 0xff) === COUNTED ? chunk.words[word + FAILED]! : (head >>> 8) & 0xff;
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
    const counted = (head & 0xff) === COUNTED;
    if (!counted && ((head >>> 8) & 0xff) < FAILED_BYTE_MAX) {
      chunk.words[word + STATE] = head + 0x100;
      return;
    }
    if (!counted) this.toCounted(chunk, word);
    chunk.words[word + FAILED]! += 1;
  }

  /** Gives back the pages outside the block. */
  release(chunk: PageChunk, word: number): void {
    const state = chunk.words[word + STATE]! & 0xff;
    if (state <= INLINE_MAX) return;
    if (state !== COUNTED) return releaseChain(this.lists, chunk.words[word + LIST]!);
    for (let chain = 0; chain < CHAINS; chain++) {
      releaseChain(this.counters, chunk.words[word + VALUES + chain]!);
    }
  }

  /** Adds the number of values in each bucket to `counts[bucket]`. */
  collect(chunk: PageChunk, word: number, counts: Float64Array): void {
    if ((chunk.words[word + STATE]! & 0xff) !== COUNTED) {
      const size = this.gather(chunk, word);
      for (let index = 0; index < size; index++) counts[this.moved[index]!]! += 1;
      return;
    }
    for (const page of this.counterPages(chunk, word)) {
      const first = page.range * COUNTERS;
      for (let place = 0; place < COUNTERS; place++) counts[first + place]! += page.counters[place]!;
    }
  }

  encode(chunk: PageChunk, word: number, writer: ByteWriter): void {
    const head = chunk.words[word + STATE]!;
    writer.u32(head);
    if ((head & 0xff) === COUNTED) return this.encodeCounters(chunk, word, writer);
    const first = (word + VALUES) * 4;
    const inline = inlineCount(head);
    writer.raw(chunk.bytes.subarray(first, first + inline));
    if ((head & 0xff) <= INLINE_MAX) return;
    const size = this.gather(chunk, word);
    writer.u8(size - inline);
    for (let index = inline; index < size; index++) writer.u16(this.moved[index]!);
  }

  decode(chunk: PageChunk, word: number, reader: ByteReader): void {
    const head = reader.u32();
    chunk.words[word + STATE] = head;
    if ((head & 0xff) === COUNTED) return this.decodeCounters(chunk, word, reader);
    chunk.bytes.set(reader.raw(inlineCount(head)), (word + VALUES) * 4);
    if ((head & 0xff) <= INLINE_MAX) return;
    this.startList(chunk, word);
    for (let left = reader.u8(); left > 0; left--) this.list(chunk, word, reader.u16());
  }

  /** Inline or listed, and the value is out of reach or the place is full. */
  private addUnusual(chunk: PageChunk, word: number, bucket: number): void {
    const code = this.reach(chunk, word, bucket);
    if (code >= 0 && this.addInline(chunk, word, code)) return;
    if ((chunk.words[word + STATE]! & 0xff) <= INLINE_MAX) this.toListed(chunk, word);
    if (code >= 0 && this.addInline(chunk, word, code)) return;
    if (listedCount(chunk, word) === LIST_MAX) {
      this.toCounted(chunk, word);
      this.increment(chunk, word, bucket, 1);
    } else this.list(chunk, word, bucket);
  }

  private addInline(chunk: PageChunk, word: number, code: number): boolean {
    const head = chunk.words[word + STATE]!;
    const inline = inlineCount(head);
    if (inline >= ((head & 0xff) <= INLINE_MAX ? INLINE_MAX : LISTED_INLINE_MAX)) return false;
    chunk.bytes[(word + VALUES) * 4 + inline] = code;
    chunk.words[word + STATE] = head + 1;
    return true;
  }

  /** The byte for a bucket, after moving the base where that brings all inline values and this one into reach; or -1. */
  private reach(chunk: PageChunk, word: number, bucket: number): number {
    const head = chunk.words[word + STATE]!;
    const code = codeOf(head, bucket);
    if (code >= 0) return code;
    const base = head >>> 16;
    const first = (word + VALUES) * 4;
    const end = first + inlineCount(head);
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
    const head = chunk.words[word + STATE]!;
    const count = this.gather(chunk, word);
    const kept = Math.min(count, LISTED_INLINE_MAX);
    chunk.words[word + STATE] = ((head & 0xffffff00) | (LISTED + kept)) >>> 0;
    this.startList(chunk, word);
    for (let index = kept; index < count; index++) this.list(chunk, word, this.moved[index]!);
  }

  private startList(chunk: PageChunk, word: number): void {
    chunk.words[word + LIST] = 0;
    chunk.bytes[word * 4 + LISTED_COUNT_BYTE] = 0;
  }

  private list(chunk: PageChunk, word: number, bucket: number): void {
    const listed = listedCount(chunk, word);
    if (listed % LIST_VALUES === 0) {
      const fresh = this.lists.allocate();
      this.lists.setNext(fresh, chunk.words[word + LIST]!);
      chunk.words[word + LIST] = fresh;
    }
    this.setListed(chunk.words[word + LIST]!, listed % LIST_VALUES, bucket);
    chunk.bytes[word * 4 + LISTED_COUNT_BYTE] = listed + 1;
  }

  private toCounted(chunk: PageChunk, word: number): void {
    const { words } = chunk;
    const failed = this.failedCount(chunk, word);
    const size = this.gather(chunk, word);
    this.release(chunk, word);
    words.fill(0, word + VALUES, word + BLOCK_WORDS);
    words[word + STATE] = COUNTED;
    words[word + FAILED] = failed;
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
    const inline = inlineCount(head);
    const first = (word + VALUES) * 4;
    for (let index = 0; index < inline; index++) {
      const value = chunk.bytes[first + index]!;
      this.moved[index] = value === 0 ? 0 : (head >>> 16) + value - 1;
    }
    if ((head & 0xff) <= INLINE_MAX) return inline;
    const listed = listedCount(chunk, word);
    let page = chunk.words[word + LIST]!;
    for (let index = listed - 1; index >= 0; index--) {
      this.moved[inline + index] = this.listedAt(page, index % LIST_VALUES);
      if (index % LIST_VALUES === 0) page = this.lists.next(page);
    }
    return inline + listed;
  }

  private listedAt(page: number, place: number): number {
    return this.lists.chunks[page >>> CHUNK_SHIFT]!.halves[
      (page & this.lists.mask) * LIST_WORDS * 2 + 2 + place
    ]!;
  }

  private setListed(page: number, place: number, bucket: number): void {
    const { halves } = this.lists.chunks[page >>> CHUNK_SHIFT]!;
    halves[(page & this.lists.mask) * LIST_WORDS * 2 + 2 + place] = bucket;
  }

  /** In ascending order, so that equal sketches are written as equal bytes. */
  private encodeCounters(chunk: PageChunk, word: number, writer: ByteWriter): void {
    const pages = this.counterPages(chunk, word).sort((left, right) => left.range - right.range);
    writer.u32(chunk.words[word + FAILED]!);
    writer.u16(pages.length);
    for (const page of pages) {
      writer.u16(page.range);
      for (const counter of page.counters) writer.u32(counter);
    }
  }

  private decodeCounters(chunk: PageChunk, word: number, reader: ByteReader): void {
    chunk.words.fill(0, word + VALUES, word + BLOCK_WORDS);
    chunk.words[word + FAILED] = reader.u32();
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

/** Inline values of the inline and the listed form. */
function inlineCount(head: number): number {
  const state = head & 0xff;
  return state <= INLINE_MAX ? state : state - LISTED;
}

function listedCount(chunk: PageChunk, word: number): number {
  return chunk.bytes[word * 4 + LISTED_COUNT_BYTE]!;
}

function releaseChain(pool: PagePool, newest: number): void {
  let page = newest;
  while (page !== 0) {
    const next = pool.next(page);
    pool.release(page);
    page = next;
  }
}
