/** What the engine knows, as the contract says it. */
import {
  METRIC_NAMES,
  METRICS,
  penaltyIdOf,
  type Decision,
  type Explanation,
  type MaintenanceWindow,
  type MetricCode,
  type MisbehaviourReport,
  type Penalty,
  type Reward,
  type Standing,
  type Suspension,
} from "@staunch/engine";
import type * as contract from "@staunch/contract";
import type { z } from "zod";
import type { Counting } from "../app/sanctions/sanctions.ts";
import type { Aggregate, RawSample } from "../app/subjects/subjects.ts";
import { time, timeOrNull } from "./route.ts";

export function presentSummary(one: Standing): z.output<typeof contract.SubjectSummary> {
  const { id, kind, operator, score, lower, upper, tier, banned, suspended, place } = one;
  const last = timeOrNull(one.lastEvidenceAt);
  const base = { id, kind, operator, score, lower, upper, tier, banned, suspended, place };
  return { ...base, event_count: one.eventCount, last_evidence_at: last };
}

export function presentStanding(one: Standing, position: number): contract.Standing {
  const { id, kind, operator, policy, score, lower, upper, tier, banned, place, ranked, percentile } = one;
  return {
    id,
    kind,
    operator,
    attributes: presentAttributes(one.attributes),
    policy,
    score,
    lower,
    upper,
    tier,
    components: one.components.map(presentComponent),
    penalties: one.penalties.map(({ penalty, points }) => presentPenalty({ sanction: penalty, points }, id)),
    rewards: one.rewards.map(({ reward, points }) => presentReward({ sanction: reward, points }, id)),
    banned,
    suspended: one.suspended,
    place,
    ranked,
    percentile,
    event_count: one.eventCount,
    evidence_days: one.evidenceDays,
    registered_at: time(one.registeredAt),
    first_evidence_at: timeOrNull(one.firstEvidenceAt),
    last_evidence_at: timeOrNull(one.lastEvidenceAt),
    position,
    as_of: time(one.asOf),
  };
}

export function presentExplanation(
  one: Explanation,
  position: number,
): z.output<typeof contract.Explanation> {
  return {
    standing: presentStanding(one.standing, position),
    contributions: one.contributions.map(({ source, name, points }) => ({ source, name, points })),
    components: one.components.map((component) => ({
      ...presentComponent(component),
      metrics: component.metrics.map(({ metric, mean, share, points, observations }) => {
        return { metric, mean, share, points, observations };
      }),
      signals: component.signals.map(({ signal, mean, lower, upper, share, points, trials }) => {
        return { signal, mean, lower, upper, share, points, trials };
      }),
      prior: { share: component.prior.share, points: component.prior.points },
      inactivity_points: component.inactivityPoints,
      trust: component.trust && {
        evidence_days: component.trust.evidenceDays,
        average_score: component.trust.averageScore,
        impact: component.trust.impact,
        recovered: component.trust.recovered,
      },
    })),
    improvements: one.improvements.map(({ action, name, gain, at }) => ({
      action,
      name,
      gain,
      at: timeOrNull(at),
    })),
    thresholds: one.thresholds.map(({ name, direction, score, distance, isPast, blockedBy, missing }) => ({
      name,
      direction,
      score,
      distance,
      is_past: isPast,
      blocked_by: blockedBy,
      missing,
    })),
  };
}

export function presentPenalty({ sanction, points }: Counting<Penalty>, subject: string): contract.Penalty {
  const { id, type, severity, fraction, deduction, reason, issuer, evidence, context, position, policy } =
    sanction;
  const { fade, status, alert } = sanction;
  return {
    id,
    subject,
    type,
    severity,
    points: sanction.points,
    fraction,
    deduction,
    current_points: points,
    trust_impact: sanction.trustImpact,
    reason,
    issuer,
    evidence: [...evidence],
    context: { ...context },
    job_id: sanction.jobId,
    at: time(sanction.at),
    applied_at: time(sanction.appliedAt),
    position,
    policy,
    expires_at: timeOrNull(sanction.expiresAt),
    fade,
    status,
    ended_at: timeOrNull(sanction.endedAt),
    alert: alert && {
      metric: alert.metric,
      incident: time(alert.incident),
      value: alert.value,
      threshold: alert.threshold,
      open: alert.open,
    },
  };
}

export function presentReward({ sanction, points }: Counting<Reward>, subject: string): contract.Reward {
  const { id, type, value, reason, issuer, context, position, status } = sanction;
  return {
    id,
    subject,
    type,
    points: sanction.points,
    value,
    current_points: points,
    reason,
    issuer,
    context: { ...context },
    at: time(sanction.at),
    applied_at: time(sanction.appliedAt),
    position,
    expires_at: time(sanction.expiresAt),
    status,
    ended_at: timeOrNull(sanction.endedAt),
  };
}

/** Who accuses, and with which evidence, is not for everybody who may read standings. */
export function presentReport(
  report: MisbehaviourReport,
  subject: string,
  showsReporter: boolean,
): contract.MisbehaviourReport {
  const { id, status, reason, position, confirmation, dismissal } = report;
  const { evidence, context, reporter } = showsReporter ? report : UNSHOWN;
  return {
    id,
    subject,
    status,
    reason,
    evidence: [...evidence],
    context: { ...context },
    job_id: report.jobId,
    reporter,
    at: time(report.at),
    reported_at: time(report.reportedAt),
    position,
    confirmation: confirmation && presentDecision(confirmation),
    dismissal: dismissal && presentDecision(dismissal),
    penalty_id: confirmation === null ? null : penaltyIdOf(report),
  };
}

const UNSHOWN = { evidence: [], context: {}, reporter: null };

export function presentSuspension(one: Suspension, subject: string): contract.Suspension {
  const { id, reason, issuer, evidence, context, level, position, policy, status } = one;
  return {
    id,
    subject,
    reason,
    issuer,
    evidence: [...evidence],
    context: { ...context },
    level,
    started_at: time(one.startedAt),
    position,
    policy,
    expires_at: timeOrNull(one.expiresAt),
    status,
    ended_at: timeOrNull(one.endedAt),
  };
}

export function presentWindow(window: MaintenanceWindow, subject: string): contract.MaintenanceWindow {
  const { id, reason, issuer, position, policy, status, cancellation } = window;
  return {
    id,
    subject,
    reason,
    issuer,
    announced_at: time(window.announcedAt),
    position,
    policy,
    from: time(window.from),
    to: time(window.to),
    status,
    cancelled_at: timeOrNull(cancellation?.at ?? null),
  };
}

function presentDecision({ issuer, reason, at }: Decision) {
  return { issuer, reason, at: time(at) };
}

export function presentAggregate(one: Aggregate): z.output<typeof contract.Aggregate> {
  const { count, sum, average, min, max, percentiles, exact } = one;
  return {
    count,
    failed_count: one.failedCount,
    sum,
    average,
    min,
    max,
    std_dev: one.stdDev,
    percentiles: percentiles && {
      p50: percentiles[50],
      p90: percentiles[90],
      p95: percentiles[95],
      p99: percentiles[99],
    },
    exact,
    period_ms: one.periodMs,
    start_time: time(one.startTime),
    end_time: time(one.endTime),
  };
}

export function presentMetric(code: MetricCode, aggregate: Aggregate | null) {
  const metric = METRIC_NAMES[code]!;
  return { metric, unit: METRICS[code]!.unit, aggregate: aggregate && presentAggregate(aggregate) };
}

export function presentSample({ atMs, value, weight, failed, monitor, context }: RawSample) {
  return { at: time(atMs), value, weight, ok: !failed, monitor, context };
}

function presentComponent(one: Standing["components"][number]): z.output<typeof contract.ComponentStanding> {
  const { name, weight, score, lower, upper, effectiveSize, evidenceSize } = one;
  return { name, weight, score, lower, upper, effective_size: effectiveSize, evidence_size: evidenceSize };
}

/** Lists are read-only inside. */
function presentAttributes(attributes: Standing["attributes"]): contract.Standing["attributes"] {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, typeof value === "object" ? [...value] : value]),
  );
}
