/** Who was heard of lately, and what they did wrong since: a replay ends with those, not with who left long ago. */
import {
  best,
  indexedRow,
  kindOf,
  METRICS,
  worst,
  type Kind,
  type MetricSpec,
  type Penalty,
  type Ranked,
  type State,
} from "@staunch/engine";
import { count, minute, plural, points, printable } from "./output.ts";

/** Who was not heard of for longer counts as silent. */
export const RECENT_DAYS = 30;
const DAY_MS = 86_400_000;
/** Alerts and causes that are spelt out, each. */
const LISTED_MAX = 5;

export interface TierRow {
  readonly tier: string;
  readonly subjects: number;
}

export interface Recent {
  /** Those heard of, by tier, the best first. */
  readonly tiers: readonly TierRow[];
  /** With their places among all, the silent included. */
  readonly best: readonly Ranked[];
  readonly worst: readonly Ranked[];
  /** How many were left out. */
  readonly silent: number;
}

/** @param listed most entries of `best` and `worst`, each */
export function recentRanking(kind: Kind, nowMs: number, listed: number): Recent {
  const heard = new Set<number>();
  const tiers = new Map(kind.compiled.policy.tiers.names.map((name) => [name, 0]));
  for (let row = 0; row < kind.table.count; row++) {
    const { subject, tier, lastEvidenceAt } = indexedRow(kind, row);
    if (lastEvidenceAt === null || nowMs - lastEvidenceAt > RECENT_DAYS * DAY_MS) continue;
    heard.add(subject);
    tiers.set(tier, tiers.get(tier)! + 1);
  }
  const silent = kind.table.count - heard.size;
  // However the silent stand, so many more are enough.
  const isHeard = ({ subject }: Ranked): boolean => heard.has(subject);
  return {
    tiers: [...tiers].map(([tier, subjects]) => ({ tier, subjects })),
    best: best(kind, listed + silent)
      .filter(isHeard)
      .slice(0, listed),
    worst: worst(kind, listed + silent)
      .filter(isHeard)
      .slice(0, listed),
    silent,
  };
}

/** What a subject did wrong of late: metrics beyond their alert threshold and why, and the alerts that came of it. */
export function failureLines(state: State, subject: number, nowMs: number): string[] {
  const lines = [
    ...METRICS.flatMap((spec, code) => metricLines(state, subject, spec, code, nowMs)),
    ...penaltyLines(state, subject, nowMs),
  ];
  return lines.length === 0 ? [] : [`What failed in the last ${RECENT_DAYS} days:`, ...lines];
}

/** Nothing for a metric that was never beyond its threshold. */
function metricLines(state: State, subject: number, spec: MetricSpec, code: number, nowMs: number): string[] {
  const { compiled, aggregates } = kindOf(state, subject);
  const threshold = compiled.policy.metrics[METRICS[code]!.name].alertThreshold;
  if (aggregates === null || threshold === null) return [];
  const sinceMs = nowMs - RECENT_DAYS * DAY_MS;
  const samples = aggregates.samples(state.places.rowOf(subject), code, nowMs, { sinceMs });
  const isTime = spec.shape === "time";
  const bad = samples.filter(
    ({ value, failed }) => failed || (isTime ? value > threshold : value < threshold),
  );
  if (bad.length === 0) return [];
  const mean = samples.reduce((sum, { value }) => sum + value, 0) / samples.length;
  const average = `${spec.name} ${isTime ? mean.toFixed(0) : mean.toFixed(4)} on average`;
  const where = `${isTime ? "above" : "below"} ${threshold} in ${count(bad.length)} of ${plural(samples.length, "sample")}`;
  const causes = causesOf(bad.map(({ context }) => context));
  return [`  ${average}${downtime(spec, mean)}, ${where}${causes}`];
}

function downtime({ name }: MetricSpec, mean: number): string {
  return name === "uptime" ? ` (down ${(100 * (1 - mean)).toFixed(1)} % of the time)` : "";
}

/** The most frequent first. */
function causesOf(contexts: readonly (string | null)[]): string {
  const counts = new Map<string, number>();
  for (const context of contexts) {
    if (context !== null) counts.set(context, (counts.get(context) ?? 0) + 1);
  }
  const listed = [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, LISTED_MAX)
    .map(([context, times]) => `${printable(context)}${times === 1 ? "" : ` (${count(times)} times)`}`);
  return listed.length === 0 ? "" : `: ${listed.join("; ")}`;
}

/** Those in force some time since, the newest last. */
function penaltyLines(state: State, subject: number, nowMs: number): string[] {
  const since = nowMs - RECENT_DAYS * DAY_MS;
  const recent = (state.sanctions.of(subject)?.penalties ?? []).filter(
    ({ status, endedAt }) => status !== "revoked" && (endedAt ?? nowMs) >= since,
  );
  const lines = recent.slice(-LISTED_MAX).map(penaltyLine);
  const left = recent.length - lines.length;
  return left === 0 ? lines : [`  ${count(left)} earlier, and then`, ...lines];
}

function penaltyLine({ id, alert, severity, type, at, endedAt, deduction, reason }: Penalty): string {
  const what = `${severity} ${alert === null ? "penalty" : "alert"} ${id} for ${type}`;
  const when = `from ${minute(at)} ${endedAt === null ? "until now" : `to ${minute(endedAt)}`}`;
  return `  ${what}, ${when}, ${points(deduction)} points in full: ${printable(reason)}`;
}
