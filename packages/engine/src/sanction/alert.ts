/**
 * When a metric is an alert (`scoring.md`, section 4): the hour's mean is judged at each sample; breaches in a row
 * open an alert, good samples in a row close it. In mode `document` each sample is judged by itself.
 */
import type { MetricRule } from "../policy/compile.ts";
import type { AlertPolicy } from "../policy/policy.ts";
import type { AlertSeverity, PenaltyType } from "../policy/vocabulary.ts";
import type { MetricName } from "../event/metrics.ts";
import {
  ALERT_COUNTERS,
  ALERT_COUNTS,
  ALERT_HOUR,
  ALERT_PREVIOUS_SUM,
  ALERT_SUM,
  type Chunk,
} from "../state/row-table.ts";

const HOUR_MS = 3_600_000;
/** Counters are 16 bits wide and stop there. */
const COUNTER_MAX = 0xffff;
/** Samples of an hour after which its count and sum are halved: the mean goes on, in single precision. */
const HOUR_COUNT_MAX = 0x8000;

export type Verdict = "good" | "breach" | "opens" | "closes";

/** Mean that the newest verdict judged; valid until the next call. */
export const judged = { value: 0 };

/**
 * Judges a sample and counts it.
 *
 * @returns `opens` at the breach that completes the row, and at every further breach (which extends or escalates);
 * `closes` at the good sample that completes its row.
 */
export function judge(
  chunk: Chunk,
  slot: number,
  rule: MetricRule,
  alerts: AlertPolicy,
  atMs: number,
  value: number,
): Verdict {
  const threshold = rule.alertThreshold!;
  const document = alerts.mode === "document";
  judged.value = document ? value : hourMean(chunk, slot, threshold, atMs, value);
  const breach = rule.shape === "time" ? judged.value > threshold : judged.value < threshold;
  const { u32 } = chunk;
  const at = slot * 2 + ALERT_COUNTERS;
  const breaches = breach ? Math.min((u32[at]! >>> 16) + 1, COUNTER_MAX) : 0;
  const goods = breach ? 0 : Math.min((u32[at]! & COUNTER_MAX) + 1, COUNTER_MAX);
  u32[at] = ((breaches << 16) | goods) >>> 0;
  if (breach) return document || breaches >= alerts.opensAfter ? "opens" : "breach";
  return goods === alerts.closesAfter ? "closes" : "good";
}

/** Ratio to the threshold as the document grades it: up to 1.2 low, 2 medium, 4 high, above critical; 0 is critical. */
export function alertSeverity(rule: MetricRule, value: number, threshold: number): AlertSeverity {
  if (rule.shape !== "time" && value === 0) return "critical";
  const ratio = rule.shape === "time" ? value / threshold : threshold / value;
  if (ratio <= 1.2) return "low";
  if (ratio <= 2) return "medium";
  return ratio <= 4 ? "high" : "critical";
}

/** Points of an alert by severity, before the type's weight. */
export const ALERT_POINTS = { low: 5, medium: 10, high: 20, critical: 40 } as const;

/** Severity of the penalty that an alert becomes. */
export const ALERT_TO_PENALTY = {
  low: "minor",
  medium: "moderate",
  high: "major",
  critical: "critical",
} as const;

/** Type of the penalty that an alert becomes. */
export function alertPenaltyType(metric: MetricName): PenaltyType {
  switch (metric) {
    case "uptime":
    case "availability":
      return "downtime";
    case "response_time":
    case "network_latency":
      return "slow_response";
    case "data_integrity":
      return "data_loss";
    case "storage_reliability":
    case "service_quality":
    case "throughput":
      return "poor_performance";
  }
}

/**
 * Mean over the last hour: the clock hour of the sample, and of the hour before it the share that the last 60
 * minutes still cover. Samples older than both are not counted.
 *
 * The sums are of deviations from the threshold: a sample that lies exactly on it adds exactly nothing, whatever the
 * precision, and does not breach.
 */
function hourMean(chunk: Chunk, slot: number, threshold: number, atMs: number, value: number): number {
  const { f32, u32 } = chunk;
  const ints = slot * 2;
  const hour = Math.floor(atMs / HOUR_MS) + 1;
  const newest = u32[ints + ALERT_HOUR]!;
  if (hour > newest) {
    const follows = hour === newest + 1;
    f32[ints + ALERT_PREVIOUS_SUM] = follows ? f32[ints + ALERT_SUM]! : 0;
    f32[ints + ALERT_SUM] = 0;
    u32[ints + ALERT_COUNTS] = follows ? u32[ints + ALERT_COUNTS]! >>> 16 : 0;
    u32[ints + ALERT_HOUR] = hour;
  }
  let counts = u32[ints + ALERT_COUNTS]!;
  if (hour >= newest) {
    if (counts >>> 16 === HOUR_COUNT_MAX) {
      counts -= (HOUR_COUNT_MAX / 2) * 0x10000;
      f32[ints + ALERT_SUM]! /= 2;
    }
    counts = (counts + 0x10000) >>> 0;
    f32[ints + ALERT_SUM]! += value - threshold;
  } else if (hour === newest - 1 && (counts & COUNTER_MAX) < COUNTER_MAX) {
    counts += 1;
    f32[ints + ALERT_PREVIOUS_SUM]! += value - threshold;
  }
  u32[ints + ALERT_COUNTS] = counts;
  const share = 1 - (atMs - (hour - 1) * HOUR_MS) / HOUR_MS;
  const weight = (counts >>> 16) + share * (counts & COUNTER_MAX);
  // One sample is its own mean, to the last bit.
  if (weight === 0 || counts === 0x10000) return value;
  return Math.max(0, threshold + (f32[ints + ALERT_SUM]! + share * f32[ints + ALERT_PREVIOUS_SUM]!) / weight);
}
