/** What must happen when time passes, soonest first. */
import type { ByteReader, ByteWriter } from "../snapshot/bytes.ts";

/** Most deadlines that may be pending at once. */
export const DEADLINES_MAX = 1 << 24;

const CHUNK_BITS = 13;
const CHUNK_ENTRIES = 1 << CHUNK_BITS;
const KINDS = 256;

export interface Deadline {
  /** Milliseconds since 1970. */
  readonly dueAtMs: number;
  /** Dense number of the subject, 0..2^32 - 1. */
  readonly subject: number;
  /** What is due, 0..255; the caller gives it its meaning. */
  readonly kind: number;
}

/**
 * Binary heap in the order of due time, then subject, then kind: the same pushes give the same pops, in whatever
 * order they came. Whether a deadline still stands is for the caller to know; the queue withdraws none.
 *
 * An entry is two doubles side by side, the due time and subject x 256 + kind (below 2^40, so exact); the entries lie
 * in chunks that are added, never copied.
 */
export class DeadlineQueue {
  private readonly chunks: Float64Array[] = [];
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** Adds a deadline; one too many and a time that is no finite number throw RangeError. */
  push(dueAtMs: number, subject: number, kind: number): void {
    if (!Number.isFinite(dueAtMs)) throw new RangeError(`a deadline cannot be due at ${dueAtMs}`);
    if (this.count >= DEADLINES_MAX) throw new RangeError(`more than ${DEADLINES_MAX} deadlines`);
    if (this.count >>> CHUNK_BITS === this.chunks.length)
      this.chunks.push(new Float64Array(CHUNK_ENTRIES * 2));
    this.count += 1;
    this.rise(this.count - 1, dueAtMs, subject * KINDS + kind);
  }

  /** When the soonest is due, ms since 1970; Infinity when there is none. */
  peekDueAt(): number {
    return this.count === 0 ? Infinity : this.dueAt(0);
  }

  /** Takes out the soonest deadline if it is due at `nowMs`, else returns null. */
  popDue(nowMs: number): Deadline | null {
    if (this.count === 0 || this.dueAt(0) > nowMs) return null;
    const dueAtMs = this.dueAt(0);
    const key = this.key(0);
    this.count -= 1;
    if (this.count > 0) this.sink(this.dueAt(this.count), this.key(this.count));
    return { dueAtMs, subject: Math.floor(key / KINDS), kind: key % KINDS };
  }

  /** Writes all deadlines, 13 bytes each. */
  encode(writer: ByteWriter): void {
    writer.u32(this.count);
    for (let index = 0; index < this.count; index++) {
      const key = this.key(index);
      writer.f64(this.dueAt(index));
      writer.u32(Math.floor(key / KINDS));
      writer.u8(key % KINDS);
    }
  }

  /** Adds what {@link encode} wrote. */
  decode(reader: ByteReader): void {
    for (let left = reader.u32(); left > 0; left--) this.push(reader.f64(), reader.u32(), reader.u8());
  }

  /** Puts an entry in at the free place `index` or at an ancestor's; later ancestors move down. */
  private rise(index: number, dueAtMs: number, key: number): void {
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      if (!isBefore(dueAtMs, key, this.dueAt(parent), this.key(parent))) break;
      this.place(index, this.dueAt(parent), this.key(parent));
      index = parent;
    }
    this.place(index, dueAtMs, key);
  }

  /** Puts an entry in at the free root or below; sooner children move up. */
  private sink(dueAtMs: number, key: number): void {
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this.count) break;
      const right = child + 1;
      if (
        right < this.count &&
        isBefore(this.dueAt(right), this.key(right), this.dueAt(child), this.key(child))
      ) {
        child = right;
      }
      if (!isBefore(this.dueAt(child), this.key(child), dueAtMs, key)) break;
      this.place(index, this.dueAt(child), this.key(child));
      index = child;
    }
    this.place(index, dueAtMs, key);
  }

  private dueAt(index: number): number {
    return this.chunks[index >>> CHUNK_BITS]![(index & (CHUNK_ENTRIES - 1)) * 2]!;
  }

  private key(index: number): number {
    return this.chunks[index >>> CHUNK_BITS]![(index & (CHUNK_ENTRIES - 1)) * 2 + 1]!;
  }

  private place(index: number, dueAtMs: number, key: number): void {
    const chunk = this.chunks[index >>> CHUNK_BITS]!;
    const at = (index & (CHUNK_ENTRIES - 1)) * 2;
    chunk[at] = dueAtMs;
    chunk[at + 1] = key;
  }
}

function isBefore(dueAtMs: number, key: number, otherDueAtMs: number, otherKey: number): boolean {
  return dueAtMs < otherDueAtMs || (dueAtMs === otherDueAtMs && key < otherKey);
}
