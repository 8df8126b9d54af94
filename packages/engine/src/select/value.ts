/** What a bid is worth. */
import { clamp } from "../num/round.ts";
import { median } from "../num/median.ts";
import { HEALTH_UNKNOWN, type Candidates } from "./candidates.ts";
import type { SelectionRequest, SelectionRules } from "./rules.ts";
import type { Selection } from "./selection.ts";

/** Condition is told on this scale whatever the policy's maximum. */
export const CONDITION_MAX = 100;

/**
 * The factor by which condition scales each value: 0 up to the floor, 1 from floor + span on. A sum of parts alone
 * cannot starve a dead worker, whose price and time stay as good as they were.
 */
export function weighConditions(candidates: Candidates, rules: SelectionRules, selection: Selection): void {
  const { condition } = candidates;
  const factor = selection.condition;
  for (let bid = 0; bid < candidates.count; bid++) factor[bid] = conditionFactor(condition[bid]!, rules);
}

export function conditionFactor(condition: number, rules: SelectionRules): number {
  return clamp((condition - rules.conditionFloor) / rules.conditionSpan, 0, 1);
}

/**
 * value = condition x (sum of weight x part) x load, the parts being
 *
 *     reputation, health                     as they are, 0..1
 *     price  = 1 / (price / reference + 1)   so the unit of the currency does not matter
 *     time   = 1 / (time / reference + 1)
 *
 * and load = 1 / (1 + factor x jobs in flight). Where no health was ever reported its weight goes to the others:
 * what is missing is left out, never perfect.
 */
export function appraise(candidates: Candidates, request: SelectionRequest, selection: Selection): void {
  const { rules } = request;
  const { weights } = rules;
  const referenceOf = rules.relative === "median" ? medianOfPool : lowestOfPool;
  selection.priceReference = request.priceReference ?? referenceOf(candidates.price, selection);
  selection.timeReferenceMs = request.timeReferenceMs ?? referenceOf(candidates.timeMs, selection);
  const scaleKnown = weightScale(weights, true);
  const scaleUnknown = weightScale(weights, false);

  const { price, timeMs, reputation, health, inFlight } = candidates;
  const { priceReference, timeReferenceMs, value, condition, load } = selection;
  const { reputation: reputationPart, health: healthPart, price: pricePart, time: timePart } = selection;
  for (let bid = 0; bid < candidates.count; bid++) {
    const isKnown = health[bid]! !== HEALTH_UNKNOWN;
    const scale = isKnown ? scaleKnown : scaleUnknown;
    const ofReputation = scale * weights.reputation * reputation[bid]!;
    const ofHealth = isKnown ? scale * weights.health * health[bid]! : 0;
    const ofPrice = scale * weights.price * cheapness(price[bid]!, priceReference);
    const ofTime = scale * weights.time * cheapness(timeMs[bid]!, timeReferenceMs);
    const ofLoad = 1 / (1 + rules.loadFactor * inFlight[bid]!);
    reputationPart[bid] = ofReputation;
    healthPart[bid] = ofHealth;
    pricePart[bid] = ofPrice;
    timePart[bid] = ofTime;
    load[bid] = ofLoad;
    value[bid] = condition[bid]! * (ofReputation + ofHealth + ofPrice + ofTime) * ofLoad;
  }
}

/**
 * Variance of a value that comes from how little is known of the bidder: of a success rate under Beta(s, f), n = s + f,
 * it is s f / (n^2 (n + 1)), and a reputation is taken to be as uncertain as its success rate. Where nothing is known
 * at all it is that of any rate between 0 and 1.
 */
export function valueVariance(
  bid: number,
  candidates: Candidates,
  weights: SelectionRules["weights"],
  selection: Selection,
): number {
  const s = candidates.successes[bid]!;
  const f = candidates.failures[bid]!;
  const n = s + f;
  const rateVariance = n > 0 ? (s * f) / (n * n * (n + 1)) : 1 / 12;
  const scale = weightScale(weights, candidates.health[bid]! !== HEALTH_UNKNOWN);
  const slope = scale * weights.reputation * selection.condition[bid]! * selection.load[bid]!;
  return slope * slope * rateVariance;
}

/** What makes the weights of the known parts sum to 1. */
function weightScale(weights: SelectionRules["weights"], isHealthKnown: boolean): number {
  const sum = weights.reputation + weights.price + weights.time + (isHealthKnown ? weights.health : 0);
  return sum > 0 ? 1 / sum : 0;
}

/** 1 for what costs nothing, whatever the reference, one half at the reference, toward 0 beyond. */
function cheapness(cost: number, reference: number): number {
  return cost === 0 ? 1 : reference / (reference + cost);
}

/** The median over the pool, so that nobody moves it who could not be chosen. */
export function medianOfPool(costs: Float64Array, selection: Selection): number {
  const { pool, poolCount, scratch } = selection;
  for (let place = 0; place < poolCount; place++) scratch[place] = costs[pool[place]!]!;
  return median(scratch, poolCount);
}

function lowestOfPool(costs: Float64Array, { pool, poolCount }: Selection): number {
  let lowest = Infinity;
  for (let place = 0; place < poolCount; place++) lowest = Math.min(lowest, costs[pool[place]!]!);
  return poolCount === 0 ? 0 : lowest;
}
