/** Events that become acts: what they mean once their subject has a number. */
import {
  penaltyTerm,
  type Act,
  type Attributes,
  type Context,
  type Penalty,
  type PenaltyType,
  type Policy,
  type RewardType,
  type Severity,
  type State,
  type SubjectUpdated,
} from "@staunch/engine";
import { hasNoRoom, NO_ROOM_DETAIL } from "../misbehaviour/misbehaviour.ts";
import type { CheckedEvent } from "./event-fields.ts";
import type { Flaw } from "./rejection.ts";
import { durationMs, timeMs } from "./values.ts";

/** Reason of changes that say nothing but what is so. */
const SUBJECT_REASON = "reported by a subject event";

/** What is wrong between the fields of an event whose fields are right on their own. */
export function flawOfAct(event: CheckedEvent, nowMs: number): Flaw | null {
  if (event.type !== "penalty") return null;
  const has = (field: string): boolean => event[field] !== undefined;
  const end = event["expires_at"] ?? null;
  const evidence = (event["evidence"] ?? []) as readonly string[];
  if (has("points") && has("fraction")) return conflict("fraction", "give points or fraction, not both");
  if (!has("points") && !has("fraction") && event["penalty"] !== "ban") {
    return {
      code: "missing_field",
      field: "points",
      detail: "give points, or fraction of the maximum score",
    };
  }
  if (event["penalty"] === "ban" && event["expires_at"] === null && evidence.length === 0) {
    const detail = "a ban until revoked needs evidence; without expires_at it ends by policy";
    return { code: "missing_field", field: "evidence", detail };
  }
  if (has("expires_at") && has("duration"))
    return conflict("duration", "give expires_at or duration, not both");
  if (event["fade"] === "linear" && end === null && !has("duration")) {
    return conflict("fade", "a penalty that fades needs an end: add expires_at or duration");
  }
  if (end !== null && timeMs(end) <= nowMs) {
    return { code: "out_of_range", field: "expires_at", detail: "expires_at must lie in the future" };
  }
  return null;
}

/** A report that finds no room is not written: how many wait is known before it is applied. */
export function flawOfReports(event: CheckedEvent, state: State): Flaw | null {
  if (event.type !== "misbehaviour" || !hasNoRoom(state)) return null;
  return { code: "too_many_waiting_reports", field: null, detail: NO_ROOM_DETAIL };
}

/** Text that names the subject; null for revocations, which name a sanction instead. */
export function subjectOf(event: CheckedEvent): string | null {
  return (event["subject"] as string | undefined) ?? null;
}

/** The act of a checked event; null for a subject event that only registers. `policy` is that of the subject. */
export function actOf(
  event: CheckedEvent,
  subject: number,
  policy: Policy | null,
  issuer: string,
  nowMs: number,
): Act | null {
  const reason = event["reason"] as string;
  switch (event.type) {
    case "penalty":
      return penaltyOf(event, subject, policy!, issuer, nowMs);
    case "penalty_revoked":
      return { type: "penalty.revoked", issuer, reason, penaltyId: event["penalty_id"] as string };
    case "reward":
      return {
        type: "reward.granted",
        issuer,
        reason,
        subject,
        reward: event["reward"] as RewardType,
        points: event["points"] as number,
        at: atOf(event, nowMs),
        context: (event["context"] ?? {}) as Context,
      };
    case "misbehaviour":
      return {
        type: "misbehaviour.reported",
        issuer,
        reason,
        subject,
        evidence: event["evidence"] as readonly string[],
        context: (event["context"] ?? {}) as Context,
        at: atOf(event, nowMs),
        jobId: (event["job_id"] ?? null) as string | null,
      };
    case "reward_revoked":
      return { type: "reward.revoked", issuer, reason, rewardId: event["reward_id"] as string };
    case "subject":
      return updateOf(event, subject, issuer);
    case "metric":
    case "job":
    case "health":
      throw new Error(`a ${event.type} event is evidence, not an act`);
  }
}

function penaltyOf(event: CheckedEvent, subject: number, policy: Policy, issuer: string, nowMs: number): Act {
  const atMs = atOf(event, nowMs);
  const type = event["penalty"] as PenaltyType;
  // A term starts where the deduction does: when the penalty is given, or when it happened if that is ahead.
  const fromMs = Math.max(atMs, nowMs);
  const asked = { expiresAt: endOf(event, fromMs), fade: event["fade"] as Penalty["fade"] | undefined };
  return {
    type: "penalty.applied",
    issuer,
    reason: event["reason"] as string,
    subject,
    penalty: type,
    severity: (event["severity"] ?? "minor") as Severity,
    points: (event["points"] ?? null) as number | null,
    fraction: (event["fraction"] ?? null) as number | null,
    at: atMs,
    ...penaltyTerm(policy, type, asked, fromMs),
    evidence: (event["evidence"] ?? []) as readonly string[],
    context: (event["context"] ?? {}) as Context,
    jobId: (event["job_id"] ?? null) as string | null,
  };
}

/** The end that was asked for; undefined leaves it to the policy, null is none. */
function endOf(event: CheckedEvent, fromMs: number): number | null | undefined {
  const { expires_at: expiresAt, duration } = event;
  if (expiresAt !== undefined) return expiresAt === null ? null : timeMs(expiresAt);
  return duration === undefined ? undefined : fromMs + durationMs(duration);
}

function updateOf(event: CheckedEvent, subject: number, issuer: string): SubjectUpdated | null {
  const { operator, attributes } = event;
  if (operator === undefined && attributes === undefined) return null;
  return {
    type: "subject.updated",
    issuer,
    reason: SUBJECT_REASON,
    subject,
    ...(operator === undefined ? {} : { operator: operator as string | null }),
    ...(attributes === undefined
      ? {}
      : { attributes: attributes as { [name: string]: Attributes[string] | null } }),
  };
}

function atOf(event: CheckedEvent, nowMs: number): number {
  return event["at"] === undefined ? nowMs : timeMs(event["at"]);
}

function conflict(field: string, detail: string): Flaw {
  return { code: "conflicting_fields", field, detail };
}
