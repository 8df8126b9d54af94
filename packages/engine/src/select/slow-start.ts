/**
 * Slow start: who has done few jobs well gets few at once, as many as it has done, so that a bidder whose jobs hang is
 * not given a hundred before the first of them fails. Whose newest job failed gets none while others of it run: the next of
 * them tells whether it was that job or all of them. Who has only failed so far waits for exploration, and so do
 * newcomers where others have proven themselves: a new name costs nothing, so it must not bring a fair share.
 */
import type { Candidates } from "./candidates.ts";
import type { SelectionRules } from "./rules.ts";
import { NEWCOMER, SLOW_START, type Selection } from "./selection.ts";

/** Proven bidders from which on newcomers leave the draw to them: as many as an operator cap of a third asks for. */
const PROVEN_MIN = 3;
/** Proven is who has finished so many times a newcomer's jobs: of equals that begin together none is left behind. */
const PROVEN_TIMES = 5;

/**
 * Lists the bids of the pool that take part in the draw, notes the others as excluded, and returns the number listed;
 * where all are at their limit the least loaded are listed, where all have only failed, all.
 */
export function listForDraw(candidates: Candidates, rules: SelectionRules, selection: Selection): number {
  const { inFlight, completed, failing, jobs } = candidates;
  const { pool, poolCount, list, exclusion } = selection;
  const { slowStart } = rules;
  const jobsMin = isProven(candidates, rules, selection) ? rules.newcomerJobs : 0;
  let count = 0;
  for (let place = 0; place < poolCount; place++) {
    const bid = pool[place]!;
    const done = completed[bid]!;
    const limit = failing[bid] === 1 ? 1 : done > slowStart ? done : slowStart;
    if (jobs[bid]! < jobsMin) exclusion[bid] = NEWCOMER;
    else if (inFlight[bid]! < limit && (done > 0 || jobs[bid] === 0)) list[count++] = bid;
    else exclusion[bid] = SLOW_START;
  }
  return count > 0 ? count : listLeastLoaded(candidates, rules, selection);
}

/** Whether enough of the pool have proven themselves. */
function isProven({ jobs }: Candidates, rules: SelectionRules, { pool, poolCount }: Selection): boolean {
  let proven = 0;
  for (let place = 0; place < poolCount && proven < PROVEN_MIN; place++)
    if (jobs[pool[place]!]! >= PROVEN_TIMES * rules.newcomerJobs) proven += 1;
  return proven === PROVEN_MIN;
}

function listLeastLoaded(candidates: Candidates, rules: SelectionRules, selection: Selection): number {
  const { pool, poolCount, list, exclusion } = selection;
  let least = Infinity;
  for (let place = 0; place < poolCount; place++) {
    const bid = pool[place]!;
    if (exclusion[bid] !== NEWCOMER) least = Math.min(least, loadOf(bid, candidates, rules));
  }
  let count = 0;
  for (let place = 0; place < poolCount; place++) {
    const bid = pool[place]!;
    if (exclusion[bid] === NEWCOMER || loadOf(bid, candidates, rules) > least) continue;
    list[count++] = bid;
    exclusion[bid] = 0;
  }
  return count;
}

/** Jobs in flight over the limit; Infinity where the limit is none. */
function loadOf(
  bid: number,
  { inFlight, completed, jobs }: Candidates,
  { slowStart }: SelectionRules,
): number {
  if (completed[bid] === 0 && jobs[bid]! > 0) return Infinity;
  return inFlight[bid]! / Math.max(slowStart, completed[bid]!);
}
