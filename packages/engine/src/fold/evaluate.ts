/**
 * Evaluating a subject: its score now, what ranks, and whether it crossed a tier or a threshold. Done once per run
 * of samples, after an act, at a deadline and in the rolling refresh; never by a reader.
 */
import { freshenMeans, scoreRow } from "../score/score.ts";
import { recoveredOf } from "../score/trust.ts";
import {
  CHANGE_STAMP,
  EVALUATED_AT,
  FLAGS,
  HAS_SANCTIONS,
  IMPACT,
  isFolded,
  IS_LOW,
  NUMBER,
  RECOVERED,
  rowStart,
  SCORE,
  type Chunk,
} from "../state/row-table.ts";
import { kindOf, type Kind, type State } from "../state/state.ts";
import { BY_TIME, CHANGES_MAX, REASON } from "./effects.ts";
import { earnRewards } from "./earn.ts";
import { endSanctions } from "./ending.ts";
import { indexRow } from "./index-row.ts";
import { watchProbation } from "./momentum.ts";
import { countRow } from "./network.ts";
import { evaluateTier } from "./tier.ts";

/** Evaluates row `row`, whose memory starts at double `start` of `chunk`. */
export function evaluate(
  state: State,
  kind: Kind,
  row: number,
  chunk: Chunk,
  start: number,
  reason: number,
): void {
  const { f64, u32 } = chunk;
  const { policy } = kind.compiled;
  const ints = start * 2;
  earnRewards(state, kind, chunk, start);
  const sanctioned = (u32[ints + FLAGS]! & HAS_SANCTIONS) !== 0;
  const subject = u32[ints + NUMBER]!;
  const ended = sanctioned ? endSanctions(state, subject) : -1;
  if (f64[start + IMPACT]! > 0) f64[start + RECOVERED] = recoveredOf(chunk, start, policy, state.now);
  const before = f64[start + SCORE]!;
  const byPolicy = reason === BY_TIME && f64[start + EVALUATED_AT]! <= kind.policyAt;
  const sanctions = sanctioned ? state.sanctions.of(subject) : undefined;
  freshenMeans(chunk, start, kind.compiled);
  const score = scoreRow(chunk, start, kind.compiled, sanctions, state.now);
  f64[start + SCORE] = score;
  f64[start + EVALUATED_AT] = state.now;
  indexRow(kind, row);
  evaluateTier(state, kind, chunk, start, score);
  watchThreshold(state, kind, chunk, start, score);
  if (kind.compiled.hasWork) {
    watchProbation(state, kind, chunk, start);
    countRow(state, kind, chunk, start);
  }
  if (score !== before)
    note(state, chunk, start, before, score, ended === -1 ? (byPolicy ? REASON.policy : reason) : ended);
}

/** Evaluates one subject unless its restored chunk already holds this batch. */
export function evaluateSubject(state: State, subject: number, reason: number): void {
  const kind = kindOf(state, subject);
  const row = state.places.rowOf(subject);
  const chunk = kind.table.chunkOf(row);
  if (isFolded(chunk, row, state.position)) return;
  evaluate(state, kind, row, chunk, rowStart(row), reason);
}

export function beginChanges(state: State): void {
  const { changes } = state.effects;
  changes.count = 0;
  changes.batch = (changes.batch + 1) % STAMP_BATCHES;
}

/** Drops changes that show no difference: what ranks and what is announced is the score rounded to .01. */
export function endChanges(state: State): void {
  const { changes } = state.effects;
  let kept = 0;
  for (let index = 0; index < changes.count; index++) {
    const before = changes.before[index]!;
    const after = changes.after[index]!;
    if (Math.floor(before * 100 + 0.5) === Math.floor(after * 100 + 0.5)) continue;
    const reason = changes.reason[index]!;
    changes.subject[kept] = changes.subject[index]!;
    changes.before[kept] = before;
    changes.after[kept] = after;
    changes.reason[kept] = reason === BY_TIME ? (after < before ? REASON.decay : REASON.recovery) : reason;
    kept++;
  }
  changes.count = kept;
}

/** A row's stamp is the place of its newest change in the list, and above it the batch, counted modulo this. */
const STAMP_BATCHES = 0x1_0000;

/** One change per subject and batch: the first old score, the last new one, the last reason. */
function note(
  state: State,
  chunk: Chunk,
  start: number,
  before: number,
  after: number,
  reason: number,
): void {
  const { changes } = state.effects;
  const ints = start * 2;
  const subject = chunk.u32[ints + NUMBER]!;
  const stamp = chunk.u32[ints + CHANGE_STAMP]!;
  let index = stamp & 0xffff;
  // The batch spares most rows a look at the list; after many of them it comes round, and the list decides.
  const isListed =
    stamp >>> 16 === changes.batch && index < changes.count && changes.subject[index] === subject;
  if (!isListed) {
    if (changes.count === CHANGES_MAX) return;
    index = changes.count++;
    changes.subject[index] = subject;
    changes.before[index] = before;
    chunk.u32[ints + CHANGE_STAMP] = ((changes.batch << 16) | index) >>> 0;
  }
  changes.after[index] = after;
  changes.reason[index] = reason;
}

function watchThreshold(state: State, kind: Kind, chunk: Chunk, start: number, score: number): void {
  const { u32 } = chunk;
  const ints = start * 2;
  const threshold = kind.compiled.policy.lowThreshold;
  const low = score < threshold;
  if (low === ((u32[ints + FLAGS]! & IS_LOW) !== 0)) return;
  u32[ints + FLAGS]! ^= IS_LOW;
  const subject = u32[ints + NUMBER]!;
  state.effects.list.push({ type: low ? "score.low" : "score.recovered", subject, score, threshold });
}
