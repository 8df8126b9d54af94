/** Selections among bids as they are logged. */

/** Bids in one selection. */
export const BIDS_MAX = 10_000;

export const SELECTION_POLICIES = ["power-of-two", "greedy", "proportional", "thompson"] as const;
export type SelectionPolicy = (typeof SELECTION_POLICIES)[number];

/** No subject: nobody could be chosen. */
export const NOBODY = 0xffff_ffff;

/**
 * A choice that was made. It is logged as made and not made again at replay, because it looked at many subjects at
 * once; who doubts it computes it again from the record.
 */
export interface SelectionMade {
  /** Kind of subject that bid. */
  readonly kind: string;
  /** Number of the subject that was chosen, or {@link NOBODY}. */
  readonly chosen: number;
  /** Number of the operator that the choice counts for, see `Operators`. */
  readonly operator: number;
  /** True when the choice came out of the exploration share. */
  readonly exploring: boolean;
  /** Bids, draw, values and reasons as they were, in the form in which they are kept; the fold does not read it. */
  readonly record: Uint8Array;
}

/** Places of selections in one batch: its number is position x this + place, exact for positions below 2^39. */
const PLACES = 16_384;
const POSITIONS = 549_755_813_888;

/** The number that names a selection: from its log position and its place in the batch. */
export function selectionNumber(position: number, place: number): number {
  return position * PLACES + place;
}

/** `sel_<position>_<place>`. */
export function selectionId(number: number): string {
  return `sel_${Math.floor(number / PLACES)}_${number % PLACES}`;
}

const ID = /^sel_([1-9][0-9]{0,11})_(0|[1-9][0-9]{0,4})$/u;

/** The number of an id, or -1 for a text that is none. */
export function parseSelectionId(id: string): number | -1 {
  const match = ID.exec(id);
  if (match === null) return -1;
  const position = Number(match[1]);
  const place = Number(match[2]);
  return place < PLACES && position < POSITIONS ? selectionNumber(position, place) : -1;
}
