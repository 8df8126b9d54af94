/** Effects as rows: crossings by their place in the log, sanctions by their id. */
import {
  endOf,
  type Effect,
  type MaintenanceWindow,
  type MisbehaviourReport,
  type Penalty,
  type Reward,
  type Suspension,
} from "@staunch/engine";
import type { CrossingRow, SanctionRow } from "../../ports/store.ts";

/** The crossing an effect is; null for what has no subject or is no news. */
export function crossingOf(effect: Effect, position: number, place: number, at: number): CrossingRow | null {
  if (!isNews(effect)) return null;
  const { type, subject } = effect;
  return { position, place, subject, at, type, detail: JSON.stringify(detailOf(effect)) };
}

type SubjectEffect = Exclude<Effect, { type: "policy.activated" | "window.voided" | "subject.registered" }>;

/** Whether an effect is something that happened to a subject and is told. */
export function isNews(effect: Effect): effect is SubjectEffect {
  const { type } = effect;
  return type !== "policy.activated" && type !== "window.voided" && type !== "subject.registered";
}

/** What there is to say about an effect beside subject and time, flat, in the engine's names. */
export interface EffectDetail {
  readonly [name: string]: string | number | null;
}

/** As it was at that moment. */
export function detailOf(effect: SubjectEffect): EffectDetail {
  if ("penalty" in effect) return penaltyDetail(effect.penalty);
  if ("reward" in effect) return rewardDetail(effect.reward);
  if ("report" in effect) return reportDetail(effect);
  if ("suspension" in effect) return suspensionDetail(effect.suspension);
  if ("window" in effect) return windowDetail(effect);
  if (effect.type === "tier.changed") return { from: effect.from, to: effect.to, score: effect.score };
  if (effect.type === "probation.started") return { reason: effect.reason, level: effect.level };
  if (effect.type === "probation.ended") return { level: effect.level };
  if (effect.type === "subject.silent") return { lastSeenAt: effect.since };
  if (effect.type === "subject.heard") return {};
  if (effect.type === "evidence.voided") return voidDetail(effect);
  return { score: effect.score, threshold: effect.threshold };
}

/** The detail as it is told outside: names in snake case, instants in ISO 8601. */
export function toldDetail(detail: EffectDetail): EffectDetail {
  const entries = Object.entries(detail).map(([name, value]): [string, string | number | null] => {
    const snake = name.replace(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`);
    const isInstant = (name.endsWith("At") || name === "incident") && typeof value === "number";
    return [snake, isInstant ? new Date(value).toISOString() : value];
  });
  return Object.fromEntries(entries);
}

function voidDetail({
  monitor,
  metric,
  from,
  to,
}: Extract<Effect, { type: "evidence.voided" }>): EffectDetail {
  return { monitor, metric, startsAt: from, endsAt: to };
}

function penaltyDetail(penalty: Penalty): EffectDetail {
  const { id, type: penaltyType, severity, deduction, reason, expiresAt, alert } = penalty;
  const facts = { id, penaltyType, severity, deduction, reason, expiresAt };
  if (alert === null) return facts;
  return {
    ...facts,
    metric: alert.metric,
    value: alert.value,
    threshold: alert.threshold,
    incident: alert.incident,
  };
}

function rewardDetail(reward: Reward): EffectDetail {
  const { id, type: rewardType, value, reason, expiresAt } = reward;
  return { id, rewardType, value, reason, expiresAt };
}

/** Why it was reported, or who decided and why: who reported is shown to operators only, at the report. */
function reportDetail({ type, report }: Extract<Effect, { report: MisbehaviourReport }>): EffectDetail {
  const { id, jobId, confirmation, dismissal } = report;
  const reported = { issuer: null, reason: report.reason };
  const decision = type === "misbehaviour.confirmed" ? confirmation : dismissal;
  const { issuer, reason } = type === "misbehaviour.reported" ? reported : decision!;
  return { id, issuer, reason, jobId };
}

function windowDetail({ type, window }: Extract<Effect, { window: MaintenanceWindow }>): EffectDetail {
  const { id, from, cancellation } = window;
  const { issuer, reason } = type === "maintenance.cancelled" ? cancellation! : window;
  return { id, issuer, reason, startsAt: from, endsAt: endOf(window) };
}

function suspensionDetail(suspension: Suspension): EffectDetail {
  const { id, issuer, reason, level, expiresAt, status } = suspension;
  return { id, issuer, reason, level, expiresAt, status };
}

/** The sanction an effect changed, as it is now; null when it changed none. */
export function sanctionOf(effect: Effect): SanctionRow | null {
  if ("penalty" in effect) return sanctionRow("penalty", effect.penalty);
  if ("reward" in effect) return sanctionRow("reward", effect.reward);
  if ("report" in effect) return reportRow(effect.report);
  if ("suspension" in effect) return suspensionRow(effect.suspension);
  return null;
}

export function reportRow(report: MisbehaviourReport): SanctionRow {
  const { id, subject, status, reportedAt: appliedAt, confirmation, dismissal } = report;
  const endedAt = dismissal?.at ?? confirmation?.at ?? null;
  return { id, subject, kind: "misbehaviour", status, appliedAt, endedAt, facts: JSON.stringify(report) };
}

export function suspensionRow(suspension: Suspension): SanctionRow {
  const { id, subject, status, startedAt: appliedAt, endedAt } = suspension;
  return { id, subject, kind: "suspension", status, appliedAt, endedAt, facts: JSON.stringify(suspension) };
}

export function sanctionRow(kind: "penalty" | "reward", sanction: Penalty | Reward): SanctionRow {
  const { id, subject, status, appliedAt, endedAt } = sanction;
  return { id, subject, kind, status, appliedAt, endedAt, facts: JSON.stringify(sanction) };
}
