/** Selections among bids as they are logged: what was asked. The choice is made when the entry is applied. */

/** Bids in one selection. */
export const BIDS_MAX = 10_000;

export const SELECTION_POLICIES = ["power-of-two", "greedy", "proportional", "thompson"] as const;
export type SelectionPolicy = (typeof SELECTION_POLICIES)[number];

export interface SelectionRequested {
  /** Kind of subject that bids; all bidders are of it. */
  readonly kind: string;
  /** 32 bits from which all draws follow. */
  readonly seed: number;
  /** How to choose; null leaves it to the kind's policy. */
  readonly policy: SelectionPolicy | null;
  /** Price and time worth one half; null takes the median of the eligible bids. */
  readonly priceReference: number | null;
  readonly timeReferenceMs: number | null;
  /** The asker's own id of the job and its class, or "". */
  readonly jobId: string;
  readonly jobClass: string;
  /** Bidders, each once, with the price each asks (0 or more) and the time each estimates (ms, more than 0). */
  readonly subject: Uint32Array;
  readonly price: Float64Array;
  readonly timeMs: Float64Array;
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
