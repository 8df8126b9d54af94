/** The share of the decisions that finds out about those whom the ordinary draw would not try. */
import { BIDS_MAX } from "../event/selection.ts";
import { PROBATION, type Candidates } from "./candidates.ts";
import type { DecisionWindow } from "./decision-window.ts";
import { operatorCap } from "./operator-cap.ts";
import type { SelectionRequest } from "./rules.ts";
import { CONDITION, type Selection } from "./selection.ts";
import { medianOfPool } from "./value.ts";

/**
 * The bid to explore, or -1 for an ordinary draw.
 *
 * Every operator with somebody to explore has one slot, so that many identities bring no more than one. All slots are
 * equally likely, and so are the bids of one. With k slots among n bids the chance of exploring is the smaller of the
 * share and k times half a fair share 1/n, so that no slot gets more than half of what is fair.
 */
export function explore(
  candidates: Candidates,
  request: SelectionRequest,
  window: DecisionWindow,
  selection: Selection,
): number {
  const { rules } = request;
  const chance = selection.draw();
  if (chance >= rules.explorationShare) return -1;
  const count = listByOperator(candidates, request, window, selection);
  const { scratch: keys } = selection;
  let slots = 0;
  for (let place = 0; place < count; place++) if (startsSlot(keys, place)) slots += 1;
  const fair = 1 / countEligible(selection);
  if (chance >= slots * rules.explorationFairShare * fair) return -1;

  let skipped = Math.floor(selection.draw() * slots);
  let start = 0;
  for (; skipped > 0; skipped--) start = endOfSlot(keys, start, count);
  const length = endOfSlot(keys, start, count) - start;
  return keys[start + Math.floor(selection.draw() * length)]! % BIDS_MAX;
}

/** Sorts whom to explore by operator, and returns how many they are; a key is operator x BIDS_MAX + bid. */
function listByOperator(
  candidates: Candidates,
  request: SelectionRequest,
  window: DecisionWindow,
  selection: Selection,
): number {
  const { rules } = request;
  const { operator, price, timeMs } = candidates;
  const { scratch: keys } = selection;
  // To learn about somebody is worth no price: who asks twice the usual waits.
  const priceMax = rules.explorationCostMax * medianOfPool(candidates.price, selection);
  const timeMaxMs = rules.explorationCostMax * medianOfPool(candidates.timeMs, selection);
  const cap = operatorCap(candidates, rules, selection);
  let count = 0;
  for (let bid = 0; bid < candidates.count; bid++) {
    if (!isToExplore(bid, candidates, request, selection)) continue;
    if (price[bid]! > priceMax || timeMs[bid]! > timeMaxMs) continue;
    if (window.shareWithNext(operator[bid]!) > cap) continue;
    keys[count++] = operator[bid]! * BIDS_MAX + bid;
  }
  keys.subarray(0, count).sort();
  return count;
}

/** A newcomer, or out of the draw for its record alone, and neither busy exploring nor waiting after a failure. */
function isToExplore(
  bid: number,
  candidates: Candidates,
  { nowMs, rules }: SelectionRequest,
  selection: Selection,
): boolean {
  const reason = selection.exclusion[bid];
  const isNewcomer = reason === 0 && candidates.jobs[bid]! < rules.newcomerJobs;
  // Of one that is known to be in trouble a single job tells enough.
  const atOnce = isNewcomer ? rules.explorationInFlightMax : 1;
  return (
    (isNewcomer || reason === PROBATION || reason === CONDITION) &&
    candidates.explorationInFlight[bid]! < atOnce &&
    candidates.exploreNotBeforeMs[bid]! <= nowMs
  );
}

/** Bids that could be chosen one way or the other. */
function countEligible({ exclusion, count }: Selection): number {
  let eligible = 0;
  for (let bid = 0; bid < count; bid++) {
    const reason = exclusion[bid];
    if (reason === 0 || reason === PROBATION || reason === CONDITION) eligible += 1;
  }
  return eligible;
}

function startsSlot(keys: Float64Array, place: number): boolean {
  return place === 0 || operatorOf(keys[place]!) !== operatorOf(keys[place - 1]!);
}

function endOfSlot(keys: Float64Array, start: number, count: number): number {
  let end = start + 1;
  while (end < count && !startsSlot(keys, end)) end += 1;
  return end;
}

function operatorOf(key: number): number {
  return Math.floor(key / BIDS_MAX);
}
