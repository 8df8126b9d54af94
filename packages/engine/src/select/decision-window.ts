/** Most decisions that a window may remember. */
export const WINDOW_DECISIONS_MAX = 100_000;

/** The operators of the last decisions, and how many of them each had: exact, a ring and counts. */
export class DecisionWindow {
  private readonly ring: Uint32Array;
  /** Place of the oldest once the ring is full, and of the next before. */
  private next = 0;
  private filled = 0;
  private readonly counts = new Map<number, number>();

  /** Remembers `size` decisions, 1 to {@link WINDOW_DECISIONS_MAX}. */
  constructor(size: number) {
    if (!(Number.isInteger(size) && size >= 1 && size <= WINDOW_DECISIONS_MAX))
      throw new RangeError(`a window has 1 to ${WINDOW_DECISIONS_MAX} decisions, not ${size}`);
    this.ring = new Uint32Array(size);
  }

  get size(): number {
    return this.ring.length;
  }

  /** A decision for a bid of this operator; the oldest is forgotten when there are more than `size`. */
  add(operator: number): void {
    if (this.filled === this.ring.length) this.forget(this.ring[this.next]!);
    else this.filled += 1;
    this.ring[this.next] = operator;
    this.counts.set(operator, (this.counts.get(operator) ?? 0) + 1);
    this.next = this.next + 1 === this.ring.length ? 0 : this.next + 1;
  }

  /** Share of the operator in the decisions remembered, 0..1. */
  share(operator: number): number {
    return this.filled === 0 ? 0 : (this.counts.get(operator) ?? 0) / this.filled;
  }

  /** Its share if the next decision were for it too. The only decision it has is no share yet: 0. */
  shareWithNext(operator: number): number {
    const isFull = this.filled === this.ring.length;
    const forgotten = isFull && this.ring[this.next] === operator ? 1 : 0;
    const count = (this.counts.get(operator) ?? 0) - forgotten + 1;
    return count === 1 ? 0 : count / (isFull ? this.filled : this.filled + 1);
  }

  /** The operators remembered, oldest first. */
  dump(): Uint32Array {
    const dumped = new Uint32Array(this.filled);
    const oldest = this.filled === this.ring.length ? this.next : 0;
    for (let index = 0; index < this.filled; index++)
      dumped[index] = this.ring[(oldest + index) % this.ring.length]!;
    return dumped;
  }

  /** Remembers what was dumped and nothing else; of a longer window the newest. */
  restore(operators: Uint32Array): void {
    this.counts.clear();
    this.next = 0;
    this.filled = 0;
    for (const operator of operators.subarray(-this.ring.length)) this.add(operator);
  }

  private forget(operator: number): void {
    const left = this.counts.get(operator)! - 1;
    if (left === 0) this.counts.delete(operator);
    else this.counts.set(operator, left);
  }
}
