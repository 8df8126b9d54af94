/** One bid out of a list, by each of the policies. Lists hold places among the candidates and are not empty. */
import { sqrt } from "../num/sqrt.ts";
import type { Candidates } from "./candidates.ts";
import type { SelectionRules } from "./rules.ts";
import type { Selection } from "./selection.ts";
import { valueVariance } from "./value.ts";

/** Draws from the first `count` bids of a list. */
export function drawFrom(
  list: Uint32Array,
  count: number,
  candidates: Candidates,
  rules: SelectionRules,
  selection: Selection,
): number {
  switch (rules.policy) {
    case "power-of-two":
      return betterOfTwo(list, count, candidates, rules, selection);
    case "greedy":
      return best(list, count, selection.value, candidates);
    case "proportional":
      return inProportion(list, count, selection);
    case "thompson":
      return byThompson(list, count, candidates, selection);
  }
}

/**
 * Of two different bids the better: nearly the success of the best, nearly the load of an even spread. Bids that
 * differ by less than the margin count as equal, and the less busy is taken; without it the best of equals would be
 * drawn twice as often as the mean, and the last never.
 */
function betterOfTwo(
  list: Uint32Array,
  count: number,
  candidates: Candidates,
  rules: SelectionRules,
  selection: Selection,
): number {
  const place = Math.floor(selection.draw() * count);
  const first = list[place]!;
  selection.pairFirst = first;
  selection.pairSecond = -1;
  if (count === 1) return first;
  const other = Math.floor(selection.draw() * (count - 1));
  const second = list[other < place ? other : other + 1]!;
  selection.pairSecond = second;

  const lead = selection.value[first]! - selection.value[second]!;
  const margin = marginBetween(first, second, candidates, rules, selection);
  selection.pairMargin = margin;
  if (Math.abs(lead) > margin) return lead > 0 ? first : second;
  return isBusier(first, second, candidates) ? second : first;
}

/**
 * How far two values must be apart to count as different: a share of the larger, and as many standard deviations of
 * their difference as make it more than chance. A prior below the mean would otherwise keep down for ever whoever has
 * had few jobs, because he gets no more.
 */
function marginBetween(
  first: number,
  second: number,
  candidates: Candidates,
  rules: SelectionRules,
  selection: Selection,
): number {
  const { value } = selection;
  const variance =
    valueVariance(first, candidates, rules.weights, selection) +
    valueVariance(second, candidates, rules.weights, selection);
  return (
    rules.indifference * Math.max(value[first]!, value[second]!) + rules.doubtDeviations * sqrt(variance)
  );
}

/** The highest value; of equals the least busy, then the first. */
function best(list: Uint32Array, count: number, value: Float64Array, candidates: Candidates): number {
  let chosen = list[0]!;
  for (let place = 1; place < count; place++) {
    const bid = list[place]!;
    if (value[bid]! < value[chosen]!) continue;
    if (value[bid]! > value[chosen]! || isBusier(chosen, bid, candidates)) chosen = bid;
  }
  return chosen;
}

/** Each with a chance in proportion to its value; evenly where nothing has a value. */
function inProportion(list: Uint32Array, count: number, selection: Selection): number {
  const { value } = selection;
  let total = 0;
  for (let place = 0; place < count; place++) total += value[list[place]!]!;
  if (total === 0) return list[Math.floor(selection.draw() * count)]!;
  // The same additions in the same order: the sum comes to the total, which is above what is sought.
  const sought = selection.draw() * total;
  let sum = 0;
  let place = 0;
  for (; place < count - 1; place++) {
    sum += value[list[place]!]!;
    if (sum > sought) break;
  }
  return list[place]!;
}

/**
 * The highest value times a success rate drawn from what is known of it, so that who is little known is tried at times.
 * The best value goes first: whoever is worth less than its product cannot win with any rate, and need not draw.
 */
function byThompson(list: Uint32Array, count: number, candidates: Candidates, selection: Selection): number {
  const { successes, failures } = candidates;
  const { random, rate, value } = selection;
  const drawRate = (bid: number): number => (rate[bid] = random.beta(successes[bid]!, failures[bid]!));
  const leader = best(list, count, value, candidates);
  let chosen = leader;
  let most = value[leader]! * drawRate(leader);
  for (let place = 0; place < count; place++) {
    const bid = list[place]!;
    if (bid === leader || value[bid]! <= most) continue;
    const product = value[bid]! * drawRate(bid);
    if (product <= most) continue;
    most = product;
    chosen = bid;
  }
  return chosen;
}

function isBusier(bid: number, than: number, candidates: Candidates): boolean {
  const { inFlight, recent } = candidates;
  return inFlight[bid] === inFlight[than] ? recent[bid]! > recent[than]! : inFlight[bid]! > inFlight[than]!;
}
