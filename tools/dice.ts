/** Numbers that are the same for the same seed: Marsaglia's xorshift with 32 bits, shifts 13, 17, 5. */
export class Dice {
  private state: number;

  constructor(seed: number) {
    // The state must not be zero; the multiplication parts neighbouring seeds.
    this.state = Math.imul(seed + 1, 0x9e37_79b1) | 1;
  }

  /** In [0, 1). */
  share(): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 up to, not including, the limit. */
  below(limit: number): number {
    return Math.floor(this.share() * limit);
  }

  chance(probability: number): boolean {
    return this.share() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }
}
