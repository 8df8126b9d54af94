/** Whether a subject takes part in the ordinary draw of selections, and if not, why. */
import { goodJobsNeeded, momentumOf } from "../fold/momentum.ts";
import { newHealthReading, readHealth, type HealthReading } from "../score/health.ts";
import { scoreRow } from "../score/score.ts";
import type { Sanctions } from "../sanction/sanction.ts";
import { BANNED, LOW_HEALTH, MAINTENANCE, PROBATION, SILENT, SUSPENDED } from "../select/candidates.ts";
import { flagsOf } from "../select/flags.ts";
import { CONDITION_MAX, conditionFactor } from "../select/value.ts";
import { LAST_AT, rowStart, type WorkChunk } from "../state/row-table.ts";
import { kindOf, type Kind, type State } from "../state/state.ts";
import { GOOD_RUN, PROBATION_SINCE, workStart } from "../state/work-row.ts";

/** Why not, in the words of a selection's exclusions; times in ms since 1970. */
export type IneligibilityReason =
  | {
      readonly code: "banned";
      readonly penaltyId: string;
      /** Null until somebody revokes it. */
      readonly until: number | null;
      readonly reason: string;
    }
  | {
      readonly code: "suspended";
      readonly suspensionId: string;
      /** Null until somebody lifts it. */
      readonly until: number | null;
      readonly reason: string;
    }
  | {
      readonly code: "maintenance";
      readonly windowId: string;
      readonly until: number;
      readonly reason: string;
    }
  | { readonly code: "silent"; readonly since: number }
  /** On the scale 0..100. */
  | { readonly code: "low_health"; readonly health: number; readonly floor: number }
  | {
      readonly code: "probation";
      readonly since: number;
      readonly goodInARow: number;
      readonly goodNeeded: number;
    }
  /** Score x momentum on the scale 0..100, at or under the floor from which a bid is worth nothing. */
  | { readonly code: "condition"; readonly condition: number; readonly floor: number };

export interface Eligibility {
  readonly subject: number;
  readonly id: string;
  readonly kind: string;
  /** True when there is no reason against it. */
  readonly eligible: boolean;
  /** The gravest first. */
  readonly reasons: readonly IneligibilityReason[];
  readonly asOf: number;
}

/** @param subject dense number, registered */
export function eligibility(state: State, subject: number, nowMs: number): Eligibility {
  const kind = kindOf(state, subject);
  const reasons = reasonsOf(state, kind, subject, nowMs);
  const id = state.ids.at(subject);
  return { subject, id, kind: kind.name, eligible: reasons.length === 0, reasons, asOf: nowMs };
}

function reasonsOf(state: State, kind: Kind, subject: number, nowMs: number): IneligibilityReason[] {
  const row = state.places.rowOf(subject);
  const chunk = kind.table.chunkOf(row);
  const start = rowStart(row);
  const from = workStart(start);
  const reading = newHealthReading();
  if (chunk.work !== null) readHealth(chunk.work, from, kind.compiled, nowMs, reading);
  const sanctions = state.sanctions.of(subject);
  const flags = flagsOf(kind, chunk, start, reading, sanctions, nowMs);
  const reasons: IneligibilityReason[] = [];
  if ((flags & BANNED) !== 0) reasons.push(banOf(state, subject));
  if ((flags & SUSPENDED) !== 0) reasons.push(suspensionOf(state, subject));
  if ((flags & MAINTENANCE) !== 0) reasons.push(maintenanceOf(sanctions!));
  if ((flags & SILENT) !== 0) reasons.push({ code: "silent", since: chunk.f64[start + LAST_AT]! });
  if ((flags & LOW_HEALTH) !== 0) reasons.push(lowHealthOf(kind, reading));
  if (chunk.work === null) return reasons;
  if ((flags & PROBATION) !== 0) reasons.push(probationOf(kind, chunk.work, from));
  const { maxScore, selection } = kind.compiled.policy;
  const score = scoreRow(chunk, start, kind.compiled, sanctions, nowMs) / maxScore;
  const condition = CONDITION_MAX * score * momentumOf(chunk.work, from);
  if (conditionFactor(condition, selection) === 0)
    reasons.push({ code: "condition", condition, floor: selection.conditionFloor });
  return reasons;
}

/** The ban that ends last. */
function banOf(state: State, subject: number): IneligibilityReason {
  const bans = state.sanctions
    .of(subject)!
    .penalties.filter(({ type, status }) => type === "ban" && status === "active");
  const endOf = ({ expiresAt }: { readonly expiresAt: number | null }): number => expiresAt ?? Infinity;
  const ban = bans.reduce((last, one) => (endOf(one) > endOf(last) ? one : last));
  return { code: "banned", penaltyId: ban.id, until: ban.expiresAt, reason: ban.reason };
}

function suspensionOf(state: State, subject: number): IneligibilityReason {
  const { id, expiresAt, reason } = state.sanctions.suspended.get(subject)!;
  return { code: "suspended", suspensionId: id, until: expiresAt, reason };
}

function maintenanceOf({ maintenance }: Sanctions): IneligibilityReason {
  const { id, to, reason } = maintenance.find(({ status }) => status === "running")!;
  return { code: "maintenance", windowId: id, until: to, reason };
}

function lowHealthOf(kind: Kind, { score }: HealthReading): IneligibilityReason {
  return { code: "low_health", health: score, floor: kind.compiled.policy.health.floor };
}

function probationOf(kind: Kind, work: WorkChunk, from: number): IneligibilityReason {
  return {
    code: "probation",
    since: work.f64[from + PROBATION_SINCE]!,
    goodInARow: work.u32[from * 2 + GOOD_RUN]!,
    goodNeeded: goodJobsNeeded(kind, work, from),
  };
}
