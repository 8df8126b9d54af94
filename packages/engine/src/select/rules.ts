import type { SelectionPolicy } from "../event/selection.ts";

/** How one kind chooses among bids; shares and weights are pure numbers. */
export interface SelectionRules {
  readonly policy: SelectionPolicy;
  /** Weights of the parts of a value, together 1. */
  readonly weights: {
    readonly reputation: number;
    readonly health: number;
    readonly price: number;
    readonly time: number;
  };
  /** What is worth one half: the median of the pool, or its lowest price and time. */
  readonly relative: "median" | "cheapest";
  /** Condition (0..100) up to which a bid is worth nothing, and points above it until condition takes nothing off. */
  readonly conditionFloor: number;
  readonly conditionSpan: number;
  /** By how much the divisor of a value grows with each job in flight. */
  readonly loadFactor: number;
  /** Two values count as equal within this share of the larger and this many standard deviations of their difference. */
  readonly indifference: number;
  readonly doubtDeviations: number;
  /** Jobs at once of a bidder that has done none well yet; who has done more gets as many as it has done. */
  readonly slowStart: number;
  /** Share of the decisions that goes to those whom the ordinary draw would not try. */
  readonly explorationShare: number;
  /** One of them gets at most this share of a fair share, which is one over the number of bids. */
  readonly explorationFairShare: number;
  readonly explorationInFlightMax: number;
  /** An explored bid asks at most this many times the median price and time of the pool. */
  readonly explorationCostMax: number;
  /** Finished jobs up to which a subject is a newcomer. */
  readonly newcomerJobs: number;
  /** Most that one operator gets of the last `operatorWindow` decisions. */
  readonly operatorCap: number;
  /** But at least this over the number of operators: where few bid, a low cap could not be kept. */
  readonly operatorCapFairShare: number;
  readonly operatorWindow: number;
  /** The cap gives way rather than take a bid under this share of the best value. */
  readonly capYield: number;
}

export const SELECTION_DEFAULTS: SelectionRules = {
  policy: "power-of-two",
  weights: { reputation: 0.35, health: 0.25, price: 0.25, time: 0.15 },
  relative: "median",
  conditionFloor: 30,
  conditionSpan: 40,
  loadFactor: 0.02,
  indifference: 0.02,
  doubtDeviations: 1.96,
  slowStart: 2,
  explorationShare: 0.02,
  explorationFairShare: 0.5,
  explorationInFlightMax: 2,
  explorationCostMax: 2,
  newcomerJobs: 20,
  operatorCap: 0.35,
  operatorCapFairShare: 1.5,
  operatorWindow: 1000,
  capYield: 0.9,
};

/** One selection: when, by which draws, against which references, by which rules. */
export interface SelectionRequest {
  readonly nowMs: number;
  /** 32 bits from which all draws follow. */
  readonly seed: number;
  /** Price and time worth one half, more than 0; null takes them from the pool. */
  readonly priceReference: number | null;
  readonly timeReferenceMs: number | null;
  readonly rules: SelectionRules;
}
