/**
 * The choice among bids. A pure function of the candidates, the rules, the seed and the last decisions: whoever has
 * them can repeat it.
 */
import {
  BANNED,
  LOW_HEALTH,
  MAINTENANCE,
  PROBATION,
  SILENT,
  SUSPENDED,
  type Candidates,
} from "./candidates.ts";
import type { DecisionWindow } from "./decision-window.ts";
import { drawFrom } from "./draw.ts";
import { explore } from "./explore.ts";
import { listOthers, operatorCap } from "./operator-cap.ts";
import type { SelectionRequest, SelectionRules } from "./rules.ts";
import { CONDITION, Selection } from "./selection.ts";
import { listForDraw } from "./slow-start.ts";
import { appraise, weighConditions } from "./value.ts";

/**
 * Chooses one of the candidates into `selection`, which it returns. The window is read; the caller adds the decision
 * to it when it counts.
 */
export function select(
  candidates: Candidates,
  request: SelectionRequest,
  window: DecisionWindow,
  selection: Selection,
): Selection {
  const { rules } = request;
  selection.reset(candidates.count);
  selection.random.reseed(request.seed);
  weighConditions(candidates, rules, selection);
  const isDegraded = admit(candidates, selection);
  appraise(candidates, request, selection);
  if (selection.poolCount === 0) return selection;

  const explored = isDegraded ? -1 : explore(candidates, request, window, selection);
  if (explored >= 0) {
    selection.mode = "exploration";
    selection.chosen = explored;
  } else {
    selection.mode = isDegraded ? "degraded" : "draw";
    const count = listForDraw(candidates, rules, selection);
    const drawn = drawFrom(selection.list, count, candidates, rules, selection);
    selection.chosen = withinCap(drawn, candidates, rules, window, selection);
  }
  return selection;
}

/** True when the same candidates, request and window give this selection again, number by number. */
export function verifySelection(
  candidates: Candidates,
  request: SelectionRequest,
  window: DecisionWindow,
  selection: Selection,
): boolean {
  const again = select(candidates, request, window, new Selection());
  const { count, numberCount } = again;
  return (
    again.chosen === selection.chosen &&
    again.mode === selection.mode &&
    again.count === selection.count &&
    again.pairFirst === selection.pairFirst &&
    again.pairSecond === selection.pairSecond &&
    again.capped === selection.capped &&
    again.capYielded === selection.capYielded &&
    again.numberCount === selection.numberCount &&
    isSame(again.numbers, selection.numbers, numberCount) &&
    isSame(again.value, selection.value, count) &&
    isSame(again.rate, selection.rate, count) &&
    isSame(again.exclusion, selection.exclusion, count)
  );
}

const OUT_FOR_GOOD = BANNED | SUSPENDED;
const OUT_OF_DRAW = OUT_FOR_GOOD | MAINTENANCE | SILENT | LOW_HEALTH | PROBATION;

/**
 * Fills the pool. Were it empty, all but the banned and suspended are let in after all, and if even their condition
 * leaves them nothing, regardless of that: a poor choice is better than none. Returns whether that was so.
 */
function admit(candidates: Candidates, selection: Selection): boolean {
  fillPool(candidates, OUT_OF_DRAW, true, selection);
  if (selection.poolCount > 0) return false;
  fillPool(candidates, OUT_FOR_GOOD, true, selection);
  if (selection.poolCount === 0) fillPool(candidates, OUT_FOR_GOOD, false, selection);
  return true;
}

function fillPool(
  { flags, count }: Candidates,
  outFlags: number,
  needsCondition: boolean,
  selection: Selection,
): void {
  const { exclusion, condition, pool } = selection;
  let pooled = 0;
  for (let bid = 0; bid < count; bid++) {
    const out = flags[bid]! & outFlags;
    // The lowest bit is the gravest reason.
    const reason = out !== 0 ? out & -out : needsCondition && condition[bid] === 0 ? CONDITION : 0;
    exclusion[bid] = reason;
    if (reason === 0) pool[pooled++] = bid;
  }
  selection.poolCount = pooled;
}

/**
 * The bid drawn, or another if its operator is at its cap. Only a draw that would break the cap is drawn again, and
 * only among bids nearly as good as the best; so the cap moves no decision that it does not have to.
 */
function withinCap(
  drawn: number,
  candidates: Candidates,
  rules: SelectionRules,
  window: DecisionWindow,
  selection: Selection,
): number {
  const share = window.shareWithNext(candidates.operator[drawn]!);
  // The usual case, which need not know how many operators there are.
  if (share <= rules.operatorCap) return drawn;
  const cap = operatorCap(candidates, rules, selection);
  if (share <= cap) return drawn;
  selection.capped = drawn;
  const count = listOthers(cap, candidates, rules, window, selection);
  selection.capYielded = count === 0;
  return count === 0 ? drawn : drawFrom(selection.list, count, candidates, rules, selection);
}

function isSame(one: ArrayLike<number>, other: ArrayLike<number>, count: number): boolean {
  for (let index = 0; index < count; index++) if (one[index] !== other[index]) return false;
  return true;
}
