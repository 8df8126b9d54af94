/** Owners of subjects as dense numbers, in the order in which the log first names them. */

/** Operators that can be told apart; the log is refused none, later ones count as one. */
export const OPERATORS_MAX = 1 << 20;
/** A subject without an operator is its own: a number that no named one has. */
const OWN = 0x8000_0000;

export class Operators {
  private readonly numbers = new Map<string, number>();

  /** Number of an operator, given on first mention. */
  numberOf(name: string): number {
    const known = this.numbers.get(name);
    if (known !== undefined) return known;
    const number = Math.min(this.numbers.size, OPERATORS_MAX);
    if (number < OPERATORS_MAX) this.numbers.set(name, number);
    return number;
  }

  /** Names in the order of their numbers. */
  dump(): string[] {
    return [...this.numbers.keys()];
  }

  restore(names: readonly string[]): void {
    for (const name of names) this.numberOf(name);
  }
}

/** Number under which a subject without an operator counts. */
export function ownOperator(subject: number): number {
  return (OWN + subject) >>> 0;
}
