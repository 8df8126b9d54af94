/** A selection as it is kept: everything that was looked at, so that it can be explained and checked later. */
import { EXCLUSIONS, rankBids, type Candidates, type Selection, type State } from "@staunch/engine";

export interface RecordedBid {
  readonly id: string;
  readonly price: number;
  readonly timeMs: number;
  /** 0..1, and what it is made of: the sum of the parts x condition factor x load factor. */
  readonly value: number;
  readonly parts: {
    readonly reputation: number;
    readonly health: number;
    readonly price: number;
    readonly time: number;
  };
  readonly conditionFactor: number;
  readonly loadFactor: number;
  /** As they were: score 0..1, condition 0..100, health 0..1 or null, jobs in flight. */
  readonly reputation: number;
  readonly condition: number;
  readonly health: number | null;
  readonly inFlight: number;
  /** With `thompson` the success rate that was drawn for it; null where none was. */
  readonly rate: number | null;
  /** Why it took no part; null for a bid of the pool. */
  readonly excluded: string | null;
}

export interface SelectionRecord {
  readonly kind: string;
  readonly policy: string;
  readonly method: string;
  readonly seed: number;
  readonly jobId: string | null;
  readonly jobClass: string | null;
  readonly mode: Selection["mode"];
  readonly chosen: string | null;
  readonly priceReference: number | null;
  readonly timeReferenceMs: number | null;
  /** Numbers drawn, in order, and the two bids that were compared last. */
  readonly draws: readonly number[];
  readonly pair: readonly string[];
  /** By how much the values of the two had to differ to count as different; null where no pair was drawn. */
  readonly pairMargin: number | null;
  /** The bid that was drawn although its operator had its share, and whether it was taken all the same. */
  readonly capped: string | null;
  readonly capYielded: boolean;
  /** The chosen first, then the pool, then the excluded, each by value; at most {@link RECORDED_BIDS_MAX}. */
  readonly bids: readonly RecordedBid[];
  /** Bids behind those. */
  readonly bidsOmitted: number;
}

/** Bids of a record, which goes into the log with the choice and has at most a megabyte. */
export const RECORDED_BIDS_MAX = 1_000;

export function bidsOf(state: State, candidates: Candidates, selection: Selection): RecordedBid[] {
  return [...rankBids(selection).subarray(0, RECORDED_BIDS_MAX)].map((bid) => ({
    id: state.ids.at(candidates.subject[bid]!),
    price: candidates.price[bid]!,
    timeMs: candidates.timeMs[bid]!,
    value: selection.value[bid]!,
    parts: {
      reputation: selection.reputation[bid]!,
      health: selection.health[bid]!,
      price: selection.price[bid]!,
      time: selection.time[bid]!,
    },
    conditionFactor: selection.condition[bid]!,
    loadFactor: selection.load[bid]!,
    reputation: candidates.reputation[bid]!,
    condition: candidates.condition[bid]!,
    health: candidates.health[bid]! < 0 ? null : candidates.health[bid]!,
    inFlight: candidates.inFlight[bid]!,
    rate: selection.rate[bid] === 0 ? null : selection.rate[bid]!,
    excluded: exclusionName(selection.exclusion[bid]!),
  }));
}

function exclusionName(reason: number): string | null {
  return EXCLUSIONS.find(([code]) => code === reason)?.[1] ?? null;
}
