/**
 * The network of one kind in numbers, kept by the fold: each row says how it was counted last, and what changes moves
 * the totals by whole numbers, so that they are exact whatever the order.
 */
import { CLIENT_FAULT, DECLINED, SUCCESS } from "../event/jobs.ts";
import { exp } from "../num/exp.ts";
import type { Sanctions } from "../sanction/sanction.ts";
import { newHealthReading, readHealth } from "../score/health.ts";
import { isSilent, silentInstant } from "../score/silence.ts";
import {
  FLAGS,
  HAS_SANCTIONS,
  IN_MAINTENANCE,
  IS_BANNED,
  IS_SUSPENDED,
  LAST_AT,
  FIRST_AT,
  NUMBER,
  SCORE,
  type Chunk,
} from "../state/row-table.ts";
import type { Kind, State } from "../state/state.ts";
import {
  COUNTED,
  COUNTED_SCORE,
  COUNTED_UTILITY,
  HEALTH_VALUES,
  HEALTH_PRESENT,
  SILENT_AT,
  workStart,
} from "../state/work-row.ts";

/** Whole units of a score and of a utility in the totals. */
export const SCORE_UNIT = 100;
export const UTILITY_UNIT = 1e6;

/** Bits of `COUNTED`. */
const RATED = 1;
const ACTIVE = 2;
const HEALTHY = 4;
const SUSPENDED = 8;
const BANNED = 16;
const ANSWERING = 32;
/** Once silent, only a sign of life ends it: without the bit a restart would announce it again. */
const SILENT = 64;

/** Totals of one kind. */
export interface Network {
  rated: number;
  active: number;
  healthy: number;
  suspended: number;
  banned: number;
  /** Scores of the active, in hundredths. */
  scoreSum: number;
  /** Of the active that report a response time: how many, and their utility in millionths. */
  answering: number;
  utilitySum: number;
  /** Finished jobs and the good ones among them, decayed to `outcomesAt`. */
  finished: number;
  succeeded: number;
  outcomesAt: number;
}

export function newNetwork(): Network {
  return {
    rated: 0,
    active: 0,
    healthy: 0,
    suspended: 0,
    banned: 0,
    scoreSum: 0,
    answering: 0,
    utilitySum: 0,
    finished: 0,
    succeeded: 0,
    outcomesAt: 0,
  };
}

const reading = newHealthReading();

/** Counts a row as it is now; called whenever it is evaluated. */
export function countRow(state: State, kind: Kind, chunk: Chunk, start: number): void {
  const work = chunk.work!;
  const from = workStart(start);
  const ints = from * 2;
  const before = work.u32[ints + COUNTED]!;
  const after = standingBits(state, kind, chunk, start, from);
  const score = (after & ACTIVE) === 0 ? 0 : scoreUnits(chunk, start);
  const utility = (after & ANSWERING) === 0 ? 0 : responseUtility(kind, chunk, from);
  const { network } = kind;
  if (before !== after) moveTotals(network, before, after);
  network.scoreSum += score - work.u32[ints + COUNTED_SCORE]!;
  network.utilitySum += utility - work.u32[ints + COUNTED_UTILITY]!;
  work.u32[ints + COUNTED] = after;
  work.u32[ints + COUNTED_SCORE] = score;
  work.u32[ints + COUNTED_UTILITY] = utility;
  announce(state, kind, chunk, start, before, after);
}

/** Counts restored rows into totals that start at nothing. */
export function recount(kind: Kind, chunk: Chunk, start: number): void {
  const work = chunk.work!;
  const ints = workStart(start) * 2;
  moveTotals(kind.network, 0, work.u32[ints + COUNTED]!);
  kind.network.scoreSum += work.u32[ints + COUNTED_SCORE]!;
  kind.network.utilitySum += work.u32[ints + COUNTED_UTILITY]!;
}

/** The row's score was carried over to another scale: the totals follow. */
export function recountScore(kind: Kind, chunk: Chunk, start: number): void {
  const { u32 } = chunk.work!;
  const ints = workStart(start) * 2;
  if ((u32[ints + COUNTED]! & ACTIVE) === 0) return;
  const score = scoreUnits(chunk, start);
  kind.network.scoreSum += score - u32[ints + COUNTED_SCORE]!;
  u32[ints + COUNTED_SCORE] = score;
}

/** A window was cancelled: the subject may fall silent sooner than the queue knows. */
export function advanceSilence(state: State, kind: Kind, chunk: Chunk, start: number): void {
  const { f64 } = chunk.work!;
  const from = workStart(start);
  const silentAt = silentInstant(
    chunk.f64[start + LAST_AT]!,
    kind.compiled,
    sanctionsOf(state, chunk, start),
  );
  if (silentAt >= f64[from + SILENT_AT]!) return;
  f64[from + SILENT_AT] = silentAt;
  state.deadlines.push(silentAt, chunk.u32[start * 2 + NUMBER]!);
}

/** A finished job of the network, whoever ran it. */
export function countOutcome(kind: Kind, outcome: number, nowMs: number): void {
  if (outcome === DECLINED || outcome === CLIENT_FAULT) return;
  const { network } = kind;
  const ageMs = network.outcomesAt === 0 ? 0 : nowMs - network.outcomesAt;
  const left = ageMs === 0 ? 1 : exp(-kind.compiled.decayPerMs * ageMs);
  network.finished = network.finished * left + 1;
  network.succeeded = network.succeeded * left + (outcome === SUCCESS ? 1 : 0);
  network.outcomesAt = nowMs;
}

function scoreUnits({ f64 }: Chunk, start: number): number {
  return Math.floor(f64[start + SCORE]! * SCORE_UNIT + 0.5);
}

function standingBits(state: State, kind: Kind, chunk: Chunk, start: number, from: number): number {
  const { f64, u32 } = chunk;
  const flags = u32[start * 2 + FLAGS]!;
  let bits = 0;
  if ((flags & IS_BANNED) !== 0) bits |= BANNED;
  if ((flags & IS_SUSPENDED) !== 0) bits |= SUSPENDED;
  if (f64[start + FIRST_AT] === 0) return bits;
  bits |= RATED;
  const sanctions = sanctionsOf(state, chunk, start);
  if (isSilent(chunk, start, kind.compiled, sanctions, state.now)) return bits | SILENT;
  bits |= ACTIVE;
  readHealth(chunk.work!, from, kind.compiled, state.now, reading);
  const { healthyFrom } = kind.compiled.policy.health;
  // Who reports no health is taken for healthy while it works and is not shut out.
  const isWell = reading.known ? reading.score >= healthyFrom : true;
  if (isWell && (flags & (IS_BANNED | IS_SUSPENDED | IN_MAINTENANCE)) === 0) bits |= HEALTHY;
  const { responsePart } = kind.compiled;
  if (responsePart >= 0 && (chunk.work!.u32[from * 2 + HEALTH_PRESENT]! & (1 << responsePart)) !== 0)
    bits |= ANSWERING;
  return bits;
}

/** Most rows have none, and are not looked up. */
function sanctionsOf(state: State, { u32 }: Chunk, start: number): Sanctions | undefined {
  const hasAny = (u32[start * 2 + FLAGS]! & HAS_SANCTIONS) !== 0;
  return hasAny ? state.sanctions.of(u32[start * 2 + NUMBER]!) : undefined;
}

/** reference / (reference + response time), in millionths; the reference is the metric's, 1 s. */
function responseUtility(kind: Kind, chunk: Chunk, from: number): number {
  const { reference } = kind.compiled.policy.metrics.response_time;
  const valueMs = chunk.work!.f64[from + HEALTH_VALUES + kind.compiled.responsePart]!;
  return Math.floor((UTILITY_UNIT * reference) / (reference + valueMs) + 0.5);
}

function moveTotals(network: Network, before: number, after: number): void {
  network.rated += has(after, RATED) - has(before, RATED);
  network.active += has(after, ACTIVE) - has(before, ACTIVE);
  network.healthy += has(after, HEALTHY) - has(before, HEALTHY);
  network.suspended += has(after, SUSPENDED) - has(before, SUSPENDED);
  network.banned += has(after, BANNED) - has(before, BANNED);
  network.answering += has(after, ANSWERING) - has(before, ANSWERING);
}

function has(bits: number, bit: number): 0 | 1 {
  return (bits & bit) === 0 ? 0 : 1;
}

/** Says that a subject fell silent or was heard again, and keeps the instant of its silence in the queue. */
function announce(
  state: State,
  kind: Kind,
  chunk: Chunk,
  start: number,
  before: number,
  after: number,
): void {
  const subject = chunk.u32[start * 2 + NUMBER]!;
  const { f64 } = chunk.work!;
  const from = workStart(start);
  if (has(after, ACTIVE) === 1) {
    if (has(before, SILENT) === 1) state.effects.list.push({ type: "subject.heard", subject });
    if (f64[from + SILENT_AT] !== 0) return;
    const lastAt = chunk.f64[start + LAST_AT]!;
    f64[from + SILENT_AT] = silentInstant(lastAt, kind.compiled, sanctionsOf(state, chunk, start));
    state.deadlines.push(f64[from + SILENT_AT]!, subject);
    return;
  }
  if (has(after, SILENT) === 1 && has(before, ACTIVE) === 1)
    state.effects.list.push({ type: "subject.silent", subject, since: chunk.f64[start + LAST_AT]! });
}
