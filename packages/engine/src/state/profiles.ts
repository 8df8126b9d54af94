/** What subjects say of themselves, and whose they are. */
import type { Attributes } from "../event/acts.ts";

/** What a subject says of itself; subjects that say nothing have no entry. */
export interface Profile {
  readonly operator: string | null;
  readonly attributes: Attributes;
}

export class Profiles {
  private readonly bySubject = new Map<number, Profile>();
  private readonly byOperator = new Map<string, Set<number>>();

  get(subject: number): Profile | undefined {
    return this.bySubject.get(subject);
  }

  set(subject: number, profile: Profile): void {
    const before = this.bySubject.get(subject)?.operator ?? null;
    this.bySubject.set(subject, profile);
    if (before === profile.operator) return;
    if (before !== null) this.leave(before, subject);
    if (profile.operator === null) return;
    const subjects = this.byOperator.get(profile.operator);
    if (subjects === undefined) this.byOperator.set(profile.operator, new Set([subject]));
    else subjects.add(subject);
  }

  /** Subjects of an operator, in no order that is the same everywhere. */
  ofOperator(operator: string): ReadonlySet<number> {
    return this.byOperator.get(operator) ?? NONE;
  }

  [Symbol.iterator](): MapIterator<[number, Profile]> {
    return this.bySubject.entries();
  }

  private leave(operator: string, subject: number): void {
    const subjects = this.byOperator.get(operator)!;
    subjects.delete(subject);
    if (subjects.size === 0) this.byOperator.delete(operator);
  }
}

const NONE: ReadonlySet<number> = new Set();
