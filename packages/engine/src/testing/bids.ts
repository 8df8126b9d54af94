/** Candidates from readable parts, and selections among them, for tests. */
import { Candidates, HEALTH_UNKNOWN } from "../select/candidates.ts";
import { DecisionWindow } from "../select/decision-window.ts";
import { SELECTION_DEFAULTS, type SelectionRequest, type SelectionRules } from "../select/rules.ts";
import { select } from "../select/select.ts";
import { Selection } from "../select/selection.ts";
import { T0 } from "./lab.ts";

export interface Bid {
  readonly price: number;
  readonly timeMs: number;
  readonly reputation: number;
  readonly condition: number;
  readonly health: number;
  readonly inFlight: number;
  readonly recent: number;
  readonly operator: number;
  readonly jobs: number;
  readonly completed: number;
  readonly failing: boolean;
  readonly successes: number;
  readonly failures: number;
  readonly flags: number;
  readonly explorationInFlight: number;
  readonly exploreNotBeforeMs: number;
}

/** A bid of a worker that has shown for long that it is good; its operator is its own unless named. */
export type SomeOfBid = Partial<Bid>;

export function candidatesOf(bids: readonly SomeOfBid[], candidates = new Candidates()): Candidates {
  candidates.reset(bids.length);
  for (const [place, bid] of bids.entries()) {
    const reputation = bid.reputation ?? 0.95;
    candidates.subject[place] = place;
    candidates.price[place] = bid.price ?? 1;
    candidates.timeMs[place] = bid.timeMs ?? 1000;
    candidates.reputation[place] = reputation;
    candidates.condition[place] = bid.condition ?? 100 * reputation;
    candidates.health[place] = bid.health ?? HEALTH_UNKNOWN;
    candidates.inFlight[place] = bid.inFlight ?? 0;
    candidates.recent[place] = bid.recent ?? 0;
    candidates.operator[place] = bid.operator ?? 1000 + place;
    candidates.jobs[place] = bid.jobs ?? 1000;
    candidates.completed[place] = bid.completed ?? candidates.jobs[place];
    candidates.failing[place] = bid.failing === true ? 1 : 0;
    candidates.successes[place] = bid.successes ?? 1000 * reputation;
    candidates.failures[place] = bid.failures ?? 1000 * (1 - reputation);
    candidates.flags[place] = bid.flags ?? 0;
    candidates.explorationInFlight[place] = bid.explorationInFlight ?? 0;
    candidates.exploreNotBeforeMs[place] = bid.exploreNotBeforeMs ?? 0;
  }
  return candidates;
}

export function requestOf(
  seed: number,
  rules: Partial<SelectionRules> = {},
  more: Partial<SelectionRequest> = {},
): SelectionRequest {
  return {
    nowMs: T0,
    seed,
    priceReference: null,
    timeReferenceMs: null,
    rules: { ...SELECTION_DEFAULTS, ...rules },
    ...more,
  };
}

/** One selection, before which nothing was decided. */
export function selectAmong(
  bids: readonly SomeOfBid[],
  rules: Partial<SelectionRules> = {},
  more: Partial<SelectionRequest> = {},
): Selection {
  const window = new DecisionWindow(1000);
  return select(candidatesOf(bids), requestOf(1, rules, more), window, new Selection());
}

/**
 * As many decisions on the same bids, each with a seed of its own, none entering the window; `seen` is called with
 * each. Returns how often each bid was chosen, and as the last number how often none was.
 */
export function choicesOf(
  decisions: number,
  bids: readonly SomeOfBid[],
  rules: Partial<SelectionRules> = {},
  window = new DecisionWindow(1000),
  seen: (selection: Selection) => void = () => undefined,
): number[] {
  const candidates = candidatesOf(bids);
  const selection = new Selection();
  const choices = Array.from({ length: bids.length + 1 }, () => 0);
  for (let seed = 0; seed < decisions; seed++) {
    select(candidates, requestOf(seed, rules), window, selection);
    const place = selection.chosen < 0 ? bids.length : selection.chosen;
    choices[place]! += 1;
    seen(selection);
  }
  return choices;
}
