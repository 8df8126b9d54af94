/** Sanctions taking effect: what the fold does to the book, the row and the deadline queue. */
import type { PenaltyApplied, RewardGranted } from "../event/acts.ts";
import { fullDeduction, SANCTIONS_ACTIVE_MAX, type Penalty, type Reward } from "../sanction/sanction.ts";
import {
  EVENT_COUNT,
  FLAGS,
  HAS_SANCTIONS,
  IMPACT,
  isFolded,
  IS_BANNED,
  RECOVERED,
  rowStart,
  type Chunk,
} from "../state/row-table.ts";
import { isAheadOfLog, kindOf, type Kind, type State } from "../state/state.ts";
import { BY_TIME, REASON, type ActResult } from "./effects.ts";
import { endPenalty } from "./ending.ts";
import { evaluateSubject } from "./evaluate.ts";
import { enterReward } from "./reward.ts";

export const tooMany: ActResult = { type: "too_many_sanctions", limit: SANCTIONS_ACTIVE_MAX };

export function applyPenalty(state: State, act: PenaltyApplied): ActResult {
  const id = nextId(state, "pen");
  const row = state.places.rowOf(act.subject);
  const kind = kindOf(state, act.subject);
  if (isFolded(kind.table.chunkOf(row), row, state.position)) {
    // It was refused when it was live, or the restored book would hold it.
    return state.sanctions.penalty(id) === undefined ? tooMany : { type: "done", id };
  }
  if (isFull(state, act.subject)) return tooMany;
  givePenalty(state, id, act);
  return { type: "done", id };
}

/** Gives a penalty under an id; the caller has checked that there is room. */
export function givePenalty(state: State, id: string, act: PenaltyApplied): void {
  const { policy } = kindOf(state, act.subject).compiled;
  // What recovered until now did not heal the impact that comes now.
  evaluateSubject(state, act.subject, BY_TIME);
  const deduction = fullDeduction(policy, act.penalty, act.severity, act.points, act.fraction);
  const points = act.fraction === null ? (act.points ?? 0) : act.fraction * policy.maxScore;
  enterPenalty(state, {
    id,
    subject: act.subject,
    type: act.penalty,
    severity: act.severity,
    points: act.points,
    fraction: act.fraction,
    deduction,
    trustImpact: points * policy.trustImpacts[act.penalty],
    reason: act.reason,
    issuer: act.issuer,
    evidence: act.evidence,
    context: act.context,
    jobId: act.jobId ?? null,
    at: act.at,
    appliedAt: state.now,
    position: state.position,
    policy: policy.name,
    expiresAt: act.expiresAt,
    fade: act.fade,
    fadesFrom: Math.max(act.at, state.now),
    status: "active",
    endedAt: null,
    alert: null,
  });
  evaluateSubject(state, act.subject, REASON.penalty);
}

/** Enters a penalty in the book, the row and the queue; the caller evaluates the subject. */
export function enterPenalty(state: State, penalty: Penalty): void {
  state.sanctions.addPenalty(penalty);
  const { chunk, start } = rowOf(state, penalty.subject);
  chunk.u32[start * 2 + FLAGS]! |= HAS_SANCTIONS;
  chunk.f64[start + IMPACT]! += penalty.trustImpact;
  if (penalty.expiresAt !== null) state.deadlines.push(penalty.expiresAt, penalty.subject);
  const { list } = state.effects;
  list.push({ type: "penalty.applied", subject: penalty.subject, penalty });
  if (penalty.type !== "ban") return;
  chunk.u32[start * 2 + FLAGS]! |= IS_BANNED;
  list.push({ type: "ban.started", subject: penalty.subject, penalty });
}

export function revokePenalty(state: State, id: string): ActResult {
  const penalty = state.sanctions.penalty(id);
  if (penalty === undefined) return { type: "penalty_not_found", id };
  if (isAheadOfLog(state, penalty.subject) && (penalty.status === "active" || wasActive(state, penalty)))
    return { type: "done", id };
  if (penalty.status === "revoked") return { type: "penalty_not_active", id, status: penalty.status };
  takeBack(state, penalty);
  return { type: "done", id };
}

/** Undoes a penalty that is not revoked yet: its points, and what it cost in trust. */
export function takeBack(state: State, penalty: Penalty): void {
  if (penalty.status === "active") {
    endPenalty(state, penalty, "revoked", state.now);
  } else {
    // It takes no points any more, but what it cost in trust outlives it and is given back.
    penalty.status = "revoked";
    penalty.endedAt = state.now;
  }
  const { chunk, start } = rowOf(state, penalty.subject);
  const impact = Math.max(0, chunk.f64[start + IMPACT]! - penalty.trustImpact);
  chunk.f64[start + IMPACT] = impact;
  // What was worked off of this impact must not pay for the next one.
  chunk.f64[start + RECOVERED] = Math.min(chunk.f64[start + RECOVERED]!, impact);
  state.effects.list.push({ type: "penalty.revoked", subject: penalty.subject, penalty });
  evaluateSubject(state, penalty.subject, REASON.revoked);
}

export function grantReward(state: State, act: RewardGranted): ActResult {
  const id = nextId(state, "rew");
  const kind = kindOf(state, act.subject);
  const row = state.places.rowOf(act.subject);
  if (isFolded(kind.table.chunkOf(row), row, state.position)) {
    return state.sanctions.reward(id) === undefined ? tooMany : { type: "done", id };
  }
  if (isFull(state, act.subject)) return tooMany;
  const { subject, reward: type, points, reason, issuer, context, at } = act;
  enterReward(state, { id, subject, type, points, reason, issuer, context, at });
  evaluateSubject(state, act.subject, REASON.reward);
  return { type: "done", id };
}

export function revokeReward(state: State, id: string): ActResult {
  const reward = state.sanctions.reward(id);
  if (reward === undefined) return { type: "reward_not_found", id };
  if (isAheadOfLog(state, reward.subject) && (reward.status === "active" || wasActive(state, reward)))
    return { type: "done", id };
  if (reward.status !== "active") return { type: "reward_not_active", id, status: reward.status };
  reward.status = "revoked";
  reward.endedAt = state.now;
  state.effects.list.push({ type: "reward.revoked", subject: reward.subject, reward });
  evaluateSubject(state, reward.subject, REASON.revoked);
  return { type: "done", id };
}

/** `pen_<position>_<place>`: the log position and the place among the batch's ids, so a replay gives the same id. */
export function nextId(state: State, prefix: string): string {
  return `${prefix}_${state.position}_${state.idsGiven++}`;
}

/**
 * `pen_<position>_<subject>_<event>`, the event being the sample or outcome that it is for, counted over the subject's
 * life. It depends on this subject alone: a replay leaves out the events of subjects that a snapshot holds, and what
 * others get must not change by that.
 */
export function eventPenaltyId(state: State, kind: Kind, subject: number): string {
  const row = state.places.rowOf(subject);
  const event = kind.table.chunkOf(row).u32[rowStart(row) * 2 + EVENT_COUNT]!;
  return `pen_${state.position}_${subject}_${event}`;
}

/** A restored sanction that was revoked at this very time was so by the act that is replayed. */
function wasActive(state: State, sanction: Penalty | Reward): boolean {
  return sanction.status === "revoked" && sanction.endedAt === state.now;
}

/** Whether there is no room for so many more. */
export function isFull(state: State, subject: number, places = 1): boolean {
  const sanctions = state.sanctions.of(subject);
  if (sanctions === undefined) return false;
  const active = (list: readonly { status: string }[]): number =>
    list.filter((one) => one.status === "active").length;
  return active(sanctions.penalties) + active(sanctions.rewards) + places > SANCTIONS_ACTIVE_MAX;
}

function rowOf(state: State, subject: number): { chunk: Chunk; start: number } {
  const row = state.places.rowOf(subject);
  return { chunk: kindOf(state, subject).table.chunkOf(row), start: rowStart(row) };
}
