/** The newest score changes and crossings in the order of the log, for the next frame and for those who come back. */
import type { Effect, Effects } from "@staunch/engine";

/** Score changes kept. A power of two. */
export const RING_CHANGES = 65_536;
/** Crossings and acts kept. */
const RING_CROSSINGS = 8_192;

/** One subject's change over some time: the first old score and the last new one. */
export interface Change {
  readonly subject: number;
  readonly before: number;
  after: number;
  /** Place in `CHANGE_REASONS`. */
  reason: number;
  /** Time of the newest batch that changed it. */
  at: number;
}

/** An effect with its place in the log. What the fold goes on changing is copied. */
export interface Crossing {
  readonly position: number;
  readonly place: number;
  readonly at: number;
  readonly effect: Effect;
}

export class ChangeRing {
  private readonly position = new Float64Array(RING_CHANGES);
  private readonly at = new Float64Array(RING_CHANGES);
  private readonly subject = new Uint32Array(RING_CHANGES);
  private readonly before = new Float64Array(RING_CHANGES);
  private readonly after = new Float64Array(RING_CHANGES);
  private readonly reason = new Uint8Array(RING_CHANGES);
  /** Changes ever taken in; the newest has the number `count - 1`. */
  private count = 0;
  private crossings: Crossing[] = [];
  /** Changes and crossings up to here may be forgotten, all behind it are kept. */
  private changesForgottenTo: number;
  private crossingsForgottenTo: number;

  /** @param position log position of the state when the ring begins */
  constructor(position: number) {
    this.changesForgottenTo = position;
    this.crossingsForgottenTo = position;
  }

  push(effects: Effects): void {
    const { changes, list, position, loggedAt } = effects;
    const dropped = this.count + changes.count - RING_CHANGES;
    // The newest of those that are written over.
    if (dropped > 0) {
      const last = dropped - 1;
      const lost = last < this.count ? this.position[last & (RING_CHANGES - 1)]! : position;
      this.changesForgottenTo = Math.max(this.changesForgottenTo, lost);
    }
    for (let index = 0; index < changes.count; index++) {
      const slot = this.count++ & (RING_CHANGES - 1);
      this.position[slot] = position;
      this.at[slot] = loggedAt;
      this.subject[slot] = changes.subject[index]!;
      this.before[slot] = changes.before[index]!;
      this.after[slot] = changes.after[index]!;
      this.reason[slot] = changes.reason[index]!;
    }
    for (const [place, effect] of list.entries()) {
      this.crossings.push({ position, place, at: loggedAt, effect: frozen(effect) });
    }
    // Cut when twice too long, so that a crossing is moved once on average.
    if (this.crossings.length < 2 * RING_CROSSINGS) return;
    const cut = this.crossings.splice(0, this.crossings.length - RING_CROSSINGS);
    this.crossingsForgottenTo = Math.max(this.crossingsForgottenTo, cut.at(-1)!.position);
  }

  /**
   * Changes after `position`, one a subject, oldest subject first.
   *
   * @param changesMax looks at no more than the newest so many
   */
  changesAfter(
    position: number,
    changesMax: number = RING_CHANGES,
  ): { changes: Change[]; complete: boolean } {
    const oldest = Math.max(0, this.count - RING_CHANGES);
    const wanted = this.firstAfter(position, oldest);
    const first = Math.max(wanted, this.count - changesMax);
    const bySubject = new Map<number, Change>();
    for (let number = first; number < this.count; number++) {
      const slot = number & (RING_CHANGES - 1);
      const subject = this.subject[slot]!;
      noteChange(
        bySubject,
        subject,
        this.before[slot]!,
        this.after[slot]!,
        this.reason[slot]!,
        this.at[slot]!,
      );
    }
    return {
      changes: [...bySubject.values()],
      complete: first === wanted && position >= this.changesForgottenTo,
    };
  }

  /** Crossings after `position`, oldest first. */
  crossingsAfter(position: number): { crossings: readonly Crossing[]; complete: boolean } {
    let first = this.crossings.length;
    while (first > 0 && this.crossings[first - 1]!.position > position) first--;
    return { crossings: this.crossings.slice(first), complete: position >= this.crossingsForgottenTo };
  }

  /** Number of the first change behind `position`: positions rise, so halving finds it. */
  private firstAfter(position: number, oldest: number): number {
    let low = oldest;
    let high = this.count;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.position[middle & (RING_CHANGES - 1)]! <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Adds one change to what is known of its subject. */
export function noteChange(
  into: Map<number, Change>,
  subject: number,
  before: number,
  after: number,
  reason: number,
  at: number,
): void {
  const known = into.get(subject);
  if (known === undefined) {
    into.set(subject, { subject, before, after, reason, at });
    return;
  }
  known.after = after;
  known.reason = reason;
  known.at = at;
}

/** The fold changes sanctions in place; what is told must stay as it was. */
function frozen(effect: Effect): Effect {
  if ("penalty" in effect) {
    const { alert } = effect.penalty;
    return { ...effect, penalty: { ...effect.penalty, alert: alert === null ? null : { ...alert } } };
  }
  if ("suspension" in effect) return { ...effect, suspension: { ...effect.suspension } };
  if ("window" in effect) return { ...effect, window: { ...effect.window } };
  if ("report" in effect) return { ...effect, report: { ...effect.report } };
  return "reward" in effect ? { ...effect, reward: { ...effect.reward } } : effect;
}
