/** What was chosen, and all that shows why. */
import { Random } from "../num/random.ts";
import { BANNED, capacityFor, LOW_HEALTH, MAINTENANCE, PROBATION, SILENT, SUSPENDED } from "./candidates.ts";

/** Reasons beside the flags of candidates. Condition takes everything off the value. */
export const CONDITION = 0x40;
/** Another bid of this operator was drawn, and it holds its share already. */
export const OPERATOR_CAP = 0x80;
/** As many jobs in flight as a bidder of its few good ones gets at once. */
export const SLOW_START = 0x100;
/** It has finished few jobs, and others have proven themselves: it is explored. */
export const NEWCOMER = 0x200;

/** Names of the reasons that stand in {@link Selection.exclusion}. */
export const EXCLUSIONS: readonly (readonly [reason: number, name: string])[] = [
  [BANNED, "banned"],
  [SUSPENDED, "suspended"],
  [MAINTENANCE, "maintenance"],
  [SILENT, "silent"],
  [LOW_HEALTH, "low_health"],
  [PROBATION, "probation"],
  [CONDITION, "condition"],
  [OPERATOR_CAP, "operator_cap"],
  [SLOW_START, "slow_start"],
  [NEWCOMER, "newcomer"],
];

/**
 * `draw`: by value from the pool; `exploration`: from those whom the draw would not try; `degraded`: by value, but from
 * bids that would be out of the pool were anybody in it; `none`: nobody may be chosen.
 */
export type SelectionMode = "draw" | "exploration" | "degraded" | "none";

/** A selection draws at most this many single numbers; Thompson's draws stand in {@link Selection.rate}. */
const NUMBERS_MAX = 8;

/**
 * The outcome of one selection. It is filled anew by each and keeps its memory; a bid is named by its place among the
 * candidates, and columns may be longer than `count`.
 */
export class Selection {
  count = 0;
  /** The bid chosen, -1 for none. */
  chosen = -1;
  mode: SelectionMode = "none";
  /** (reputation + health + price + time) x condition x load of each bid, 0..1. */
  value = new Float64Array(0);
  /** What each part adds, its weight included. */
  reputation = new Float64Array(0);
  health = new Float64Array(0);
  price = new Float64Array(0);
  time = new Float64Array(0);
  /** Factors, 0..1. */
  condition = new Float64Array(0);
  load = new Float64Array(0);
  /** Thompson only: the success rate drawn for a bid; 0 where none was, because no rate would have won. */
  rate = new Float64Array(0);
  /** Why a bid is out of the draw, see {@link EXCLUSIONS}; 0: it is in the pool. */
  exclusion = new Uint16Array(0);
  /** Price and time that were worth one half. */
  priceReference = 0;
  timeReferenceMs = 0;
  /** The numbers drawn, in order, each in the open interval from 0 to 1. */
  readonly numbers = new Float64Array(NUMBERS_MAX);
  numberCount = 0;
  /** The two bids of the last power-of-two draw, -1 where there was none, and how far apart counted as different. */
  pairFirst = -1;
  pairSecond = -1;
  pairMargin = 0;
  /** The bid that was drawn first although its operator is at its cap, -1 for none. */
  capped = -1;
  /** There was such a bid, and it was chosen all the same for want of another as good. */
  capYielded = false;

  /** Bids in the pool, by place. */
  pool = new Uint32Array(0);
  poolCount = 0;
  /** Memory to work in. */
  readonly random = new Random(0);
  list = new Uint32Array(0);
  scratch = new Float64Array(0);

  /** Forgets the selection before and makes room for `count` bids. */
  reset(count: number): void {
    this.count = count;
    this.chosen = -1;
    this.mode = "none";
    this.numberCount = 0;
    this.pairFirst = -1;
    this.pairSecond = -1;
    this.pairMargin = 0;
    this.capped = -1;
    this.capYielded = false;
    this.poolCount = 0;
    if (count > this.value.length) this.grow(capacityFor(count));
    this.rate.fill(0, 0, count);
  }

  /** The next number of the stream, noted down. */
  draw(): number {
    const number = this.random.next();
    this.numbers[this.numberCount++] = number;
    return number;
  }

  private grow(capacity: number): void {
    this.value = new Float64Array(capacity);
    this.reputation = new Float64Array(capacity);
    this.health = new Float64Array(capacity);
    this.price = new Float64Array(capacity);
    this.time = new Float64Array(capacity);
    this.condition = new Float64Array(capacity);
    this.load = new Float64Array(capacity);
    this.rate = new Float64Array(capacity);
    this.exclusion = new Uint16Array(capacity);
    this.pool = new Uint32Array(capacity);
    this.list = new Uint32Array(capacity);
    this.scratch = new Float64Array(capacity);
  }
}

/** All bids for showing them: the chosen first, then the pool and then the excluded, each by value, best first. */
export function rankBids(selection: Selection): Uint32Array {
  const group = (bid: number): number =>
    bid === selection.chosen ? 0 : selection.exclusion[bid] === 0 ? 1 : 2;
  return Uint32Array.from({ length: selection.count }, (_, bid) => bid).sort(
    (a, b) => group(a) - group(b) || selection.value[b]! - selection.value[a]! || a - b,
  );
}
