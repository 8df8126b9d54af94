/** What a verdict about the mean just judged does: open, extend, escalate or close the alert, and the penalty it is. */
import { DEADLINE_SANCTION } from "../deadline/deadline-kind.ts";
import { METRICS } from "../event/metrics.ts";
import type { MetricRule } from "../policy/compile.ts";
import {
  ALERT_POINTS,
  ALERT_TO_PENALTY,
  alertPenaltyType,
  alertSeverity,
  judged,
  type Verdict,
} from "../sanction/alert.ts";
import { fullDeduction, SANCTIONS_ACTIVE_MAX, type AlertFacts, type Penalty } from "../sanction/sanction.ts";
import type { AlertSeverity } from "../policy/vocabulary.ts";
import type { Kind, State } from "../state/state.ts";
import { addPenalty, nextId } from "./sanctions.ts";

/** The issuer of what the rules themselves decide. */
export const ALERT_ISSUER = "rule:alerts";

export function onVerdict(
  state: State,
  kind: Kind,
  subject: number,
  rule: MetricRule,
  verdict: Verdict,
  at: number,
): void {
  const { name } = METRICS[rule.code]!;
  const open = state.sanctions.of(subject)?.penalties.find((one) => one.alert?.open === true && one.alert.metric === name);
  if (verdict === "closes") {
    if (open === undefined) return;
    open.alert!.open = false;
    state.effects.list.push({ type: "alert.closed", subject, penalty: open });
  } else if (open === undefined) {
    openAlert(state, kind, subject, rule, judged.value, at);
  } else {
    extend(state, kind, open, rule, judged.value);
  }
}

function openAlert(state: State, kind: Kind, subject: number, rule: MetricRule, value: number, at: number): void {
  const standing = state.sanctions.of(subject)?.penalties ?? [];
  if (standing.length >= SANCTIONS_ACTIVE_MAX) return;
  const { policy } = kind.compiled;
  const metric = METRICS[rule.code]!.name;
  const threshold = rule.alertThreshold!;
  const severity = alertSeverity(rule, value, threshold);
  const type = alertPenaltyType(metric);
  const alert: AlertFacts = { metric, incident: incidentOf(standing, policy.alerts.incidentMs, state.now), value, threshold, open: true };
  const penalty: Penalty = {
    id: nextId(state, "pen"),
    subject,
    type,
    severity: ALERT_TO_PENALTY[severity],
    points: alertPoints(kind, severity),
    fraction: null,
    deduction: alertDeduction(kind, rule, value),
    trustImpact: 0,
    reason: alertMessage(rule, metric, value, threshold),
    issuer: ALERT_ISSUER,
    evidence: [`metric:${metric}`],
    context: { metric_type: metric, metric_value: value, threshold },
    at,
    appliedAt: state.now,
    position: state.position,
    policy: policy.name,
    expiresAt: state.now + policy.alerts.durationMs,
    fade: policy.alerts.fade,
    fadesFrom: state.now,
    status: "active",
    endedAt: null,
    alert,
  };
  addPenalty(state, penalty);
  state.effects.list.push({ type: "alert.opened", subject, penalty });
}

/** A repeat lasts longer, starts its fading over, and may become worse; it never stacks and never becomes milder. */
function extend(state: State, kind: Kind, penalty: Penalty, rule: MetricRule, value: number): void {
  const deduction = alertDeduction(kind, rule, value);
  const escalates = deduction > penalty.deduction;
  const until = state.now + kind.compiled.policy.alerts.durationMs;
  if (!escalates && penalty.expiresAt === until) return;
  penalty.expiresAt = until;
  penalty.fadesFrom = state.now;
  state.deadlines.push(until, penalty.subject, DEADLINE_SANCTION);
  if (!escalates) return;
  const severity = alertSeverity(rule, value, rule.alertThreshold!);
  penalty.severity = ALERT_TO_PENALTY[severity];
  penalty.points = alertPoints(kind, severity);
  penalty.deduction = deduction;
  penalty.alert!.value = value;
  state.effects.list.push({ type: "alert.extended", subject: penalty.subject, penalty });
}

/** Points by severity x type weight; as the document prints it, the severity multiplier counts a second time. */
function alertDeduction(kind: Kind, rule: MetricRule, value: number): number {
  const { policy } = kind.compiled;
  const severity = alertSeverity(rule, value, rule.alertThreshold!);
  const type = alertPenaltyType(METRICS[rule.code]!.name);
  const points = alertPoints(kind, severity);
  if (policy.alerts.mode === "document") return fullDeduction(policy, type, ALERT_TO_PENALTY[severity], points, null);
  return points * policy.penaltyWeights[type];
}

/** Points are written for a maximum of 100. */
function alertPoints(kind: Kind, severity: AlertSeverity): number {
  return (ALERT_POINTS[severity] * kind.compiled.policy.maxScore) / 100;
}

/** Alerts that opened within `incidentMs` of each other are one incident, named by the time of its first. */
function incidentOf(penalties: readonly Penalty[], incidentMs: number, nowMs: number): number {
  for (const penalty of penalties) {
    if (penalty.alert !== null && nowMs - penalty.appliedAt <= incidentMs) return penalty.alert.incident;
  }
  return nowMs;
}

function alertMessage(rule: MetricRule, metric: string, value: number, threshold: number): string {
  const side = rule.shape === "time" ? "above" : "below";
  return `${metric} ${side} its threshold: ${round(value)} against ${threshold}`;
}

function round(value: number): number {
  return Math.floor(value * 1000 + 0.5) / 1000;
}
