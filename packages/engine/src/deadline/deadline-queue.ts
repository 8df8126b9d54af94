/** Whom time will change, and when, soonest first. */

/** Most deadlines that may be pending at once: four for each subject that there can be. */
export const DEADLINES_MAX = 1 << 26;
/** From so many on, and at twice what was wanted last, those that no longer stand are dropped. */
const CROWDED_MIN = 1 << 20;

const CHUNK_BITS = 13;
const CHUNK_ENTRIES = 1 << CHUNK_BITS;

export interface Deadline {
  /** Milliseconds since 1970. */
  readonly dueAtMs: number;
  /** Dense number of the subject, 0..2^32 - 1. */
  readonly subject: number;
}

/**
 * Binary heap in the order of due time, then subject: the same pushes give the same pops, in whatever order they came.
 * Whether a deadline still stands is for the caller to know; the queue withdraws none by itself.
 *
 * An entry is two doubles side by side, the due time and the subject; the entries lie in chunks that are added, never
 * copied.
 */
export class DeadlineQueue {
  private readonly chunks: Float64Array[] = [];
  private count = 0;
  private crowdedAt = CROWDED_MIN;

  get size(): number {
    return this.count;
  }

  /** Adds a deadline; one too many and a time that is no finite number throw RangeError. */
  push(dueAtMs: number, subject: number): void {
    if (!Number.isFinite(dueAtMs)) throw new RangeError(`a deadline cannot be due at ${dueAtMs}`);
    if (this.count >= DEADLINES_MAX) throw new RangeError(`more than ${DEADLINES_MAX} deadlines`);
    if (this.count >>> CHUNK_BITS === this.chunks.length)
      this.chunks.push(new Float64Array(CHUNK_ENTRIES * 2));
    this.count += 1;
    this.rise(this.count - 1, dueAtMs, subject);
  }

  /** Whether it is time to {@link retain} what still stands: so much less often than entries come, the more there are. */
  get isCrowded(): boolean {
    return this.count >= this.crowdedAt;
  }

  /** Drops every deadline that is not wanted. */
  retain(isWanted: (dueAtMs: number, subject: number) => boolean): void {
    const { count } = this;
    this.count = 0;
    // What is kept moves to the front, behind which the others are still read.
    for (let index = 0; index < count; index++) {
      const dueAtMs = this.dueAt(index);
      const subject = this.subject(index);
      if (!isWanted(dueAtMs, subject)) continue;
      this.count += 1;
      this.rise(this.count - 1, dueAtMs, subject);
    }
    this.crowdedAt = Math.max(CROWDED_MIN, 2 * this.count);
  }

  /** When the soonest is due, ms since 1970; Infinity when there is none. */
  peekDueAt(): number {
    return this.count === 0 ? Infinity : this.dueAt(0);
  }

  /** Takes out the soonest deadline if it is due at `nowMs`, else returns null. */
  popDue(nowMs: number): Deadline | null {
    if (this.count === 0 || this.dueAt(0) > nowMs) return null;
    const dueAtMs = this.dueAt(0);
    const subject = this.subject(0);
    this.count -= 1;
    if (this.count > 0) this.sink(this.dueAt(this.count), this.subject(this.count));
    return { dueAtMs, subject };
  }

  /** Puts an entry in at the free place `index` or at an ancestor's; later ancestors move down. */
  private rise(index: number, dueAtMs: number, subject: number): void {
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      if (!isBefore(dueAtMs, subject, this.dueAt(parent), this.subject(parent))) break;
      this.place(index, this.dueAt(parent), this.subject(parent));
      index = parent;
    }
    this.place(index, dueAtMs, subject);
  }

  /** Puts an entry in at the free root or below; sooner children move up. */
  private sink(dueAtMs: number, subject: number): void {
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this.count) break;
      const right = child + 1;
      if (
        right < this.count &&
        isBefore(this.dueAt(right), this.subject(right), this.dueAt(child), this.subject(child))
      ) {
        child = right;
      }
      if (!isBefore(this.dueAt(child), this.subject(child), dueAtMs, subject)) break;
      this.place(index, this.dueAt(child), this.subject(child));
      index = child;
    }
    this.place(index, dueAtMs, subject);
  }

  private dueAt(index: number): number {
    return this.chunks[index >>> CHUNK_BITS]![(index & (CHUNK_ENTRIES - 1)) * 2]!;
  }

  private subject(index: number): number {
    return this.chunks[index >>> CHUNK_BITS]![(index & (CHUNK_ENTRIES - 1)) * 2 + 1]!;
  }

  private place(index: number, dueAtMs: number, subject: number): void {
    const chunk = this.chunks[index >>> CHUNK_BITS]!;
    const at = (index & (CHUNK_ENTRIES - 1)) * 2;
    chunk[at] = dueAtMs;
    chunk[at + 1] = subject;
  }
}

function isBefore(dueAtMs: number, subject: number, otherDueAtMs: number, otherSubject: number): boolean {
  return dueAtMs < otherDueAtMs || (dueAtMs === otherDueAtMs && subject < otherSubject);
}
