/**
 * Ids become dense numbers 0, 1, 2 ... in order of insertion.
 *
 * The table is made to be large and never to pause: keys lie in chunks that are added and never copied, and the hash
 * table is 1,024 small tables, each of which doubles on its own (at 1 M ids each holds about a thousand).
 */
import { type ByteReader, type ByteWriter, readUtf8, writeUtf8 } from "../num/bytes.ts";
import { keyedHash } from "./keyed-hash.ts";

/** Longest id in bytes of UTF-8. */
export const ID_BYTES_MAX = 256;
/** Most ids of one table; with the length of the id a number fills one word. */
export const IDS_MAX = 1 << 24;

const SEGMENT_BITS = 10;
const SEGMENTS = 1 << SEGMENT_BITS;
const SEGMENT_SLOTS_MIN = 16;
/** One chunk of keys has 256 KiB. */
const CHUNK_WORD_BITS = 16;
const CHUNK_WORDS = 1 << CHUNK_WORD_BITS;
/** How many ids are looked up side by side. */
const GROUP = 64;
const POSITION_BITS = 14;
const POSITIONS_PER_CHUNK = 1 << POSITION_BITS;

/** Keys as they lie in memory: words for hashing and comparing, bytes for reading and writing. */
interface KeyChunk {
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
}

/**
 * Ids are 1..{@link ID_BYTES_MAX} bytes of UTF-8 (others throw RangeError; validate before). Lone surrogates count as
 * U+FFFD.
 *
 * A key's record is a header word (number x 256 + length - 1) and the bytes, filled up with zeros to a whole word; its
 * position counts words from the start of the first chunk. A record does not cross chunks. Word 0 belongs to no
 * record, so position 0 marks a free slot. A slot is two words, hash and position: a foreign key is nearly
 * always told by its hash, without a look at its record.
 */
export class IdTable {
  private readonly keyLow: number;
  private readonly keyHigh: number;
  private readonly segments: Uint32Array[];
  private readonly used = new Uint32Array(SEGMENTS);
  private readonly chunks: KeyChunk[] = [];
  private readonly positions: Uint32Array[] = [];
  private slotCount = 0;
  private nextPosition = 1;
  private count = 0;
  /** Keys in hand: a group as records would hold them, with room for three bytes a code unit in the last. */
  private readonly staged = newKeyChunk((GROUP * ID_BYTES_MAX + 3 * ID_BYTES_MAX) / 4);
  private readonly group = {
    starts: new Uint32Array(GROUP),
    lengths: new Uint32Array(GROUP),
    hashes: new Uint32Array(GROUP),
    touched: new Uint32Array(GROUP),
  };

  /** `seed`: a whole number 0..2^53 - 1 that senders of ids do not know, so that they cannot aim at one slot. */
  constructor(seed: number) {
    this.keyLow = (seed % 4294967296) | 0;
    this.keyHigh = Math.floor(seed / 4294967296) ^ 0x5bd1e995;
    // One slot that stays free: a segment gets memory with its first id.
    this.segments = Array.from({ length: SEGMENTS }, () => NO_SLOTS);
  }

  /** How many ids have a number. */
  get size(): number {
    return this.count;
  }

  /** Bytes of typed arrays held. */
  get bytesUsed(): number {
    const slots = this.slotCount * 8;
    return slots + this.chunks.length * CHUNK_WORDS * 4 + this.positions.length * POSITIONS_PER_CHUNK * 4;
  }

  /** The number of an id, or -1. Allocates nothing. */
  find(id: string): number {
    const length = this.stage(id, 0);
    return this.numberOf(this.hashStaged(0, length), 0, length);
  }

  /**
   * The numbers of many ids, or -1 each, at the same places of `numbers`. In a large table a lookup mostly waits for
   * memory; here the waits of a group overlap, because slots and records are touched in loops of their own before
   * they are needed.
   */
  findAll(ids: readonly string[], numbers: Int32Array): void {
    const { starts, lengths, hashes } = this.group;
    for (let first = 0; first < ids.length; first += GROUP) {
      const size = Math.min(GROUP, ids.length - first);
      let start = 0;
      for (let index = 0; index < size; index++) {
        const length = this.stage(ids[first + index]!, start);
        starts[index] = start;
        lengths[index] = length;
        hashes[index] = this.hashStaged(start, length);
        start += (length + 3) >>> 2;
      }
      this.touch(size);
      for (let index = 0; index < size; index++) {
        numbers[first + index] = this.numberOf(hashes[index]!, starts[index]!, lengths[index]!);
      }
    }
  }

  /** Gives the id the next number. An id that has one already, or one too many, throws. */
  insert(id: string): number {
    return this.insertStaged(this.stage(id, 0));
  }

  /** The id of a number 0..size - 1; others throw RangeError. */
  at(number: number): string {
    const position = this.positionOf(number);
    const chunk = this.chunks[position >>> CHUNK_WORD_BITS]!;
    const start = ((position & (CHUNK_WORDS - 1)) + 1) * 4;
    return readUtf8(chunk.bytes, start, start + lengthIn(this.headerAt(position)));
  }

  /** Withdraws the newest ids until `size` are left. Memory is kept for the next. */
  truncate(size: number): void {
    if (!(size >= 0 && size <= this.count)) throw new RangeError(`cannot keep ${size} of ${this.count} ids`);
    while (this.count > size) {
      const position = this.positionOf(this.count - 1);
      this.removeSlot(position);
      this.nextPosition = position;
      this.count -= 1;
    }
  }

  /** Writes the ids of numbers `start` to `end` (exclusive), in order. */
  encode(writer: ByteWriter, start = 0, end: number = this.count): void {
    writer.u32(start);
    writer.u32(end - start);
    for (let number = start; number < end; number++) {
      const position = this.positionOf(number);
      const length = lengthIn(this.headerAt(position));
      const from = ((position & (CHUNK_WORDS - 1)) + 1) * 4;
      writer.u8(length - 1);
      writer.raw(this.chunks[position >>> CHUNK_WORD_BITS]!.bytes.subarray(from, from + length));
    }
  }

  /** Adds ids that {@link encode} wrote, possibly under another seed; they must follow those at hand (else throws). */
  decode(reader: ByteReader): void {
    const start = reader.u32();
    if (start !== this.count) throw new RangeError(`ids from ${start} on do not follow ${this.count} ids`);
    const end = start + reader.u32();
    while (this.count < end) {
      const length = reader.u8() + 1;
      this.staged.words[(length - 1) >>> 2] = 0;
      this.staged.bytes.set(reader.raw(length));
      this.insertStaged(length);
    }
  }

  /** Puts an id's bytes, filled up with zeros to a whole word, where they can be hashed and compared by words. */
  private stage(id: string, start: number): number {
    const bytes = this.staged.bytes;
    const units = id.length;
    if (units === 0 || units > ID_BYTES_MAX) throw lengthError(units);
    const from = start * 4;
    let end = from;
    for (let index = 0; index < units; index++) {
      const unit = id.charCodeAt(index);
      if (unit >= 0x80) {
        end = writeUtf8(id, bytes, from);
        if (end - from > ID_BYTES_MAX) throw lengthError(end - from);
        break;
      }
      bytes[end++] = unit;
    }
    for (let at = end; (at & 3) !== 0; at++) bytes[at] = 0;
    return end - from;
  }

  private hashStaged(start: number, length: number): number {
    return keyedHash(this.staged.words, start, length, this.keyLow, this.keyHigh);
  }

  private numberOf(hash: number, start: number, length: number): number {
    const segment = this.segments[hash >>> (32 - SEGMENT_BITS)]!;
    const position = segment[this.slotOf(segment, hash, start, length) + 1]!;
    return position === 0 ? -1 : this.headerAt(position) >>> 8;
  }

  /** Reads the first slot of each of a group's hashes, then each record named there. */
  private touch(size: number): void {
    const { hashes, touched } = this.group;
    for (let index = 0; index < size; index++) {
      const hash = hashes[index]!;
      const segment = this.segments[hash >>> (32 - SEGMENT_BITS)]!;
      touched[index] = segment[home(segment, hash) + 1]!;
    }
    for (let index = 0; index < size; index++) {
      const position = touched[index]!;
      if (position !== 0) touched[index] = this.headerAt(position);
    }
  }

  private insertStaged(length: number): number {
    if (this.count >= IDS_MAX) throw new RangeError(`more than ${IDS_MAX} ids`);
    const hash = this.hashStaged(0, length);
    const segment = this.segmentWithRoom(hash >>> (32 - SEGMENT_BITS));
    const slot = this.slotOf(segment, hash, 0, length);
    if (segment[slot + 1] !== 0) throw new RangeError("the id has a number already");

    const number = this.count;
    const position = this.writeRecord(number, length);
    segment[slot] = hash;
    segment[slot + 1] = position;
    this.used[hash >>> (32 - SEGMENT_BITS)]! += 1;
    if (number >>> POSITION_BITS === this.positions.length) {
      this.positions.push(new Uint32Array(POSITIONS_PER_CHUNK));
    }
    this.positions[number >>> POSITION_BITS]![number & (POSITIONS_PER_CHUNK - 1)] = position;
    this.count += 1;
    return number;
  }

  /** A segment doubles before it is three quarters full; its slots carry their hashes, so no key is read. */
  private segmentWithRoom(index: number): Uint32Array {
    const old = this.segments[index]!;
    const slots = old.length / 2;
    if ((this.used[index]! + 1) * 4 <= slots * 3) return old;
    const grown = new Uint32Array(Math.max(SEGMENT_SLOTS_MIN, slots * 2) * 2);
    for (let slot = 0; slot < old.length; slot += 2) {
      const position = old[slot + 1]!;
      if (position === 0) continue;
      const hash = old[slot]!;
      let free = home(grown, hash);
      while (grown[free + 1] !== 0) free = after(grown, free);
      grown[free] = hash;
      grown[free + 1] = position;
    }
    this.slotCount += (grown.length - (old === NO_SLOTS ? 0 : old.length)) / 2;
    this.segments[index] = grown;
    return grown;
  }

  /** Where the staged key is in its segment, or the free slot where it would be. */
  private slotOf(segment: Uint32Array, hash: number, start: number, length: number): number {
    let slot = home(segment, hash);
    for (;;) {
      const position = segment[slot + 1]!;
      if (position === 0) return slot;
      if (segment[slot] === hash && this.isStaged(position, start, length)) return slot;
      slot = after(segment, slot);
    }
  }

  private isStaged(position: number, start: number, length: number): boolean {
    const words = this.chunks[position >>> CHUNK_WORD_BITS]!.words;
    const record = position & (CHUNK_WORDS - 1);
    if (lengthIn(words[record]!) !== length) return false;
    const staged = this.staged.words;
    for (let at = 0; at * 4 < length; at++) {
      if (staged[start + at] !== words[record + 1 + at]) return false;
    }
    return true;
  }

  private writeRecord(number: number, length: number): number {
    const keyWords = (length + 3) >>> 2;
    const room = CHUNK_WORDS - (this.nextPosition & (CHUNK_WORDS - 1));
    const position = room > keyWords ? this.nextPosition : this.nextPosition + room;
    if (position >>> CHUNK_WORD_BITS === this.chunks.length) this.chunks.push(newKeyChunk(CHUNK_WORDS));
    const words = this.chunks[position >>> CHUNK_WORD_BITS]!.words;
    const start = position & (CHUNK_WORDS - 1);
    words[start] = number * 256 + length - 1;
    for (let at = 0; at < keyWords; at++) words[start + 1 + at] = this.staged.words[at]!;
    this.nextPosition = position + 1 + keyWords;
    return position;
  }

  /**
   * Frees the slot of a record and closes the gap: every slot behind it, up to the next free one, moves into the gap
   * unless its home lies between the gap and itself, where it would no longer be found.
   */
  private removeSlot(position: number): void {
    const words = this.chunks[position >>> CHUNK_WORD_BITS]!.words;
    const start = position & (CHUNK_WORDS - 1);
    const hash = keyedHash(words, start + 1, lengthIn(words[start]!), this.keyLow, this.keyHigh);
    const segment = this.segments[hash >>> (32 - SEGMENT_BITS)]!;
    const mask = segment.length - 1;
    let gap = home(segment, hash);
    while (segment[gap + 1] !== position) {
      if (segment[gap + 1] === 0) throw new Error("a record of the id table has lost its slot");
      gap = after(segment, gap);
    }
    for (let slot = after(segment, gap); segment[slot + 1] !== 0; slot = after(segment, slot)) {
      const fromHome = (slot - home(segment, segment[slot]!)) & mask;
      const fromGap = (slot - gap) & mask;
      if (fromHome < fromGap) continue;
      segment[gap] = segment[slot]!;
      segment[gap + 1] = segment[slot + 1]!;
      gap = slot;
    }
    segment[gap] = 0;
    segment[gap + 1] = 0;
    this.used[hash >>> (32 - SEGMENT_BITS)]! -= 1;
  }

  private positionOf(number: number): number {
    if (!(number >= 0 && number < this.count)) throw new RangeError(`no id has number ${number}`);
    return this.positions[number >>> POSITION_BITS]![number & (POSITIONS_PER_CHUNK - 1)]!;
  }

  private headerAt(position: number): number {
    return this.chunks[position >>> CHUNK_WORD_BITS]!.words[position & (CHUNK_WORDS - 1)]!;
  }
}

const NO_SLOTS = new Uint32Array(2);

function newKeyChunk(words: number): KeyChunk {
  const buffer = new ArrayBuffer(words * 4);
  return { words: new Uint32Array(buffer), bytes: new Uint8Array(buffer) };
}

function lengthIn(header: number): number {
  return (header & 0xff) + 1;
}

/** The upper bits of a hash choose the segment, the lower ones the first slot; both count two words a slot. */
function home(segment: Uint32Array, hash: number): number {
  return (hash << 1) & (segment.length - 1);
}

function after(segment: Uint32Array, slot: number): number {
  return (slot + 2) & (segment.length - 1);
}

function lengthError(length: number): RangeError {
  return new RangeError(`an id has 1 to ${ID_BYTES_MAX} bytes, not ${length}`);
}
