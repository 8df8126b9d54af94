/** What a verdict about the mean just judged does: open, extend, escalate or close the alert, and the penalty it is. */
import { METRICS } from "../event/metrics.ts";
import { roundHalfUp } from "../num/round.ts";
import type { MetricRule } from "../policy/compile.ts";
import type { AlertSeverity } from "../policy/vocabulary.ts";
import {
  ALERT_POINTS,
  ALERT_TO_PENALTY,
  alertPenaltyType,
  alertSeverity,
  judged,
  type Verdict,
} from "../sanction/alert.ts";
import { fullDeduction, type AlertFacts, type Penalty } from "../sanction/sanction.ts";
import type { Kind, State } from "../state/state.ts";
import { REASON } from "./effects.ts";
import { evaluateSubject } from "./evaluate.ts";
import { enterPenalty, eventPenaltyId, isFull } from "./sanctions.ts";

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
  // At most one of a metric is active; it may have closed and be fading.
  const active = state.sanctions
    .of(subject)
    ?.penalties.find((one) => one.status === "active" && one.alert?.metric === name);
  const open = active?.alert?.open === true ? active : undefined;
  if (verdict === "closes") {
    if (open === undefined) return;
    open.alert!.open = false;
    state.effects.list.push({ type: "alert.closed", subject, penalty: open });
  } else if (active !== undefined && open === undefined) {
    reopen(state, kind, active, rule);
  } else if (open === undefined) {
    openAlert(state, kind, subject, rule, judged.value, at);
  } else {
    extend(state, kind, open, rule, judged.value);
  }
}

function openAlert(
  state: State,
  kind: Kind,
  subject: number,
  rule: MetricRule,
  value: number,
  at: number,
): void {
  const standing = state.sanctions.of(subject)?.penalties ?? [];
  if (isFull(state, subject)) return;
  const { policy } = kind.compiled;
  const until = state.now + policy.alerts.durationMs;
  const metric = METRICS[rule.code]!.name;
  const threshold = rule.alertThreshold!;
  const severity = alertSeverity(rule, value, threshold);
  const type = alertPenaltyType(metric);
  const incident = incidentOf(standing, policy.alerts.incidentMs, state.now);
  const alert: AlertFacts = { metric, incident, value, threshold, open: true, queuedUntil: until };
  const penalty: Penalty = {
    id: eventPenaltyId(state, kind, subject),
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
    jobId: null,
    at,
    appliedAt: state.now,
    position: state.position,
    policy: policy.name,
    expiresAt: until,
    fade: policy.alerts.fade,
    fadesFrom: state.now,
    status: "active",
    endedAt: null,
    alert,
  };
  enterPenalty(state, penalty);
  state.effects.list.push({ type: "alert.opened", subject, penalty });
  evaluateSubject(state, subject, REASON.alert);
}

/** The metric breaches again before its penalty has run out: the same alert opens again, so flapping does not stack. */
function reopen(state: State, kind: Kind, penalty: Penalty, rule: MetricRule): void {
  penalty.alert!.open = true;
  state.effects.list.push({ type: "alert.opened", subject: penalty.subject, penalty });
  extend(state, kind, penalty, rule, judged.value);
  evaluateSubject(state, penalty.subject, REASON.alert);
}

/** A repeat lasts longer, starts its fading over, and may become worse; it never stacks and never becomes milder. */
function extend(state: State, kind: Kind, penalty: Penalty, rule: MetricRule, value: number): void {
  const deduction = alertDeduction(kind, rule, value);
  const escalates = deduction > penalty.deduction;
  const until = Math.max(penalty.expiresAt!, state.now + kind.compiled.policy.alerts.durationMs);
  if (!escalates && penalty.expiresAt === until) return;
  penalty.expiresAt = until;
  penalty.fadesFrom = state.now;
  if (!escalates) return;
  const severity = alertSeverity(rule, value, rule.alertThreshold!);
  penalty.severity = ALERT_TO_PENALTY[severity];
  penalty.points = alertPoints(kind, severity);
  penalty.deduction = deduction;
  penalty.alert!.value = value;
  state.effects.list.push({ type: "alert.extended", subject: penalty.subject, penalty });
  evaluateSubject(state, penalty.subject, REASON.alert);
}

/** Points by severity x type weight; as the document prints it, the severity multiplier counts a second time. */
function alertDeduction(kind: Kind, rule: MetricRule, value: number): number {
  const { policy } = kind.compiled;
  const severity = alertSeverity(rule, value, rule.alertThreshold!);
  const type = alertPenaltyType(METRICS[rule.code]!.name);
  const points = alertPoints(kind, severity);
  if (policy.alerts.mode === "document")
    return fullDeduction(policy, type, ALERT_TO_PENALTY[severity], points, null);
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
  return `${metric} ${side} its threshold: ${roundHalfUp(value, 3)} against ${threshold}`;
}
