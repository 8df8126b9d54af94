/** The largest share of the last decisions that one operator may have. */
import type { Candidates } from "./candidates.ts";
import type { DecisionWindow } from "./decision-window.ts";
import type { SelectionRules } from "./rules.ts";
import { NEWCOMER, OPERATOR_CAP, type Selection } from "./selection.ts";

/** The cap among the bids of the pool, 0..1 or more where one operator may have all. */
export function operatorCap(candidates: Candidates, rules: SelectionRules, selection: Selection): number {
  // From so many operators on their number no longer lifts the cap.
  const enough = Math.ceil(rules.operatorCapFairShare / rules.operatorCap);
  return Math.max(
    rules.operatorCap,
    rules.operatorCapFairShare / countOperators(candidates, selection, enough),
  );
}

/**
 * Lists the bids that may take the place of one whose operator is at its cap: of operators that are not, and worth at
 * least `capYield` of the best of the pool, slow start or not, but no newcomers. Returns their number and notes whom the cap excludes;
 * with nobody listed it excludes nobody.
 */
export function listOthers(
  cap: number,
  candidates: Candidates,
  rules: SelectionRules,
  window: DecisionWindow,
  selection: Selection,
): number {
  const { operator } = candidates;
  const { pool, poolCount, value, list, exclusion } = selection;
  let most = 0;
  for (let place = 0; place < poolCount; place++) most = Math.max(most, value[pool[place]!]!);
  const least = rules.capYield * most;
  let count = 0;
  for (let place = 0; place < poolCount; place++) {
    const bid = pool[place]!;
    if (value[bid]! < least || exclusion[bid] === NEWCOMER) continue;
    if (window.shareWithNext(operator[bid]!) <= cap) list[count++] = bid;
  }
  if (count === 0) return 0;
  for (let place = 0; place < poolCount; place++) {
    const bid = pool[place]!;
    if (window.shareWithNext(operator[bid]!) > cap) exclusion[bid] = OPERATOR_CAP;
  }
  for (let place = 0; place < count; place++) exclusion[list[place]!] = 0;
  return count;
}

/** Different operators in the pool, counted up to `enough`. */
function countOperators(candidates: Candidates, selection: Selection, enough: number): number {
  const { operator } = candidates;
  const { pool, poolCount, list: met } = selection;
  let count = 0;
  for (let place = 0; place < poolCount && count < enough; place++) {
    const one = operator[pool[place]!]!;
    let index = 0;
    while (index < count && met[index] !== one) index++;
    if (index === count) met[count++] = one;
  }
  return count;
}
