/** What the state says of the bidders, into the columns of {@link Candidates}. Reads only. */
import { readHealth, newHealthReading, HEALTH_MAX } from "../score/health.ts";
import { momentumOf } from "../fold/momentum.ts";
import { recentAt } from "../fold/selections.ts";
import { RUN_LENGTH, touchWorkRows } from "../fold/touch.ts";
import { priorUtilityOf } from "../score/prior.ts";
import { PLACE, readSignal, type SignalSums } from "../score/signal.ts";
import { FLAGS, HAS_SANCTIONS, rowStart, SCORE } from "../state/row-table.ts";
import type { Kind, State } from "../state/state.ts";
import {
  COMPLETED,
  EXPLORE_NOT_BEFORE,
  EXPLORING,
  FAILED_AT,
  finishedJobs,
  GOOD_RUN,
  IN_FLIGHT,
  OPERATOR,
  workStart,
} from "../state/work-row.ts";
import { ownOperator } from "../state/operators.ts";
import { HEALTH_UNKNOWN, type Candidates } from "./candidates.ts";
import { flagsOf } from "./flags.ts";
import { CONDITION_MAX } from "./value.ts";

/** Bids as columns: each subject once, of the kind, registered. */
export interface Bids {
  readonly subject: Uint32Array;
  readonly price: Float64Array;
  readonly timeMs: Float64Array;
}

/**
 * A failure says for so long that somebody may be failing. Whoever waits for the outcome of another job waits no longer
 * for it: outcomes get lost, and are forgotten after an hour only.
 */
const FAILING_MS = 60_000;

const reading = newHealthReading();
const sums: SignalSums = { w: 0, wv: 0, wvv: 0 };

/**
 * Fills the columns as of `nowMs`. Scores are those of the last evaluation: with every event, act and deadline, and
 * within `update_interval` anyhow, so that choosing among thousands does not score thousands.
 */
export function gather(state: State, kind: Kind, bids: Bids, nowMs: number, into: Candidates): void {
  const { maxScore, priorWeight } = kind.compiled.policy;
  into.reset(bids.subject.length);
  for (let bid = 0; bid < bids.subject.length; bid++) {
    if (bid % RUN_LENGTH === 0)
      touchWorkRows(state, bids.subject, bid, Math.min(bids.subject.length, bid + RUN_LENGTH));
    const subject = bids.subject[bid]!;
    const row = state.places.rowOf(subject);
    const chunk = kind.table.chunkOf(row);
    const start = rowStart(row);
    const work = chunk.work!;
    const from = workStart(start);
    const ints = from * 2;
    const sanctioned = (chunk.u32[start * 2 + FLAGS]! & HAS_SANCTIONS) !== 0;
    const sanctions = sanctioned ? state.sanctions.of(subject) : undefined;
    const score = chunk.f64[start + SCORE]! / maxScore;
    readHealth(work, from, kind.compiled, nowMs, reading);
    readSignal(work, from, PLACE.success, sums);
    into.subject[bid] = subject;
    into.price[bid] = bids.price[bid]!;
    into.timeMs[bid] = bids.timeMs[bid]!;
    into.reputation[bid] = score;
    into.condition[bid] = CONDITION_MAX * score * momentumOf(work, from);
    into.health[bid] = reading.known ? reading.score / HEALTH_MAX : HEALTH_UNKNOWN;
    into.inFlight[bid] = work.u32[ints + IN_FLIGHT]!;
    into.recent[bid] = recentAt(work, from, nowMs);
    into.operator[bid] =
      work.u32[ints + OPERATOR] === 0 ? ownOperator(subject) : work.u32[ints + OPERATOR]! - 1;
    into.completed[bid] = work.u32[ints + COMPLETED]!;
    into.jobs[bid] = finishedJobs(work.u32, ints);
    const failedLast = into.jobs[bid]! > 0 && work.u32[ints + GOOD_RUN] === 0;
    into.failing[bid] = failedLast && nowMs < work.f64[from + FAILED_AT]! + FAILING_MS ? 1 : 0;
    const prior = priorUtilityOf(chunk.f64, start, kind.compiled);
    into.successes[bid] = sums.wv + priorWeight * prior;
    into.failures[bid] = sums.w - sums.wv + priorWeight * (1 - prior);
    into.flags[bid] = flagsOf(kind, chunk, start, reading, sanctions, nowMs);
    into.explorationInFlight[bid] = work.u32[ints + EXPLORING]!;
    into.exploreNotBeforeMs[bid] = work.f64[from + EXPLORE_NOT_BEFORE]!;
  }
}
