/**
 * A policy: the declarative rules by which one kind of subject is scored. Plain data, complete (every key
 * present), validated when loaded; what is in the log and in a snapshot is exactly this.
 *
 * Durations are milliseconds, scores lie between `minScore` and `maxScore`, weights are pure numbers.
 */
import type { MetricName } from "../event/metrics.ts";
import type { EarnedReward, PenaltyType, RewardType } from "./vocabulary.ts";

/** Components that exist in this build; a policy that names another is refused. */
export const COMPONENTS = ["reliability", "performance", "uptime", "response", "trust"] as const;
export type ComponentName = (typeof COMPONENTS)[number];

export interface MetricPolicy {
  /** Weight of the metric inside its components, more than 0. */
  readonly weight: number;
  /** Value with utility one half: ms for times, bytes per second for throughput; unused for fractions. */
  readonly reference: number;
  /** Below it (fractions, throughput) or above it (times) a sample is a breach; null: never. */
  readonly alertThreshold: number | null;
}

export interface AlertPolicy {
  /** `document`: a single sample decides and severity counts twice, as 000 prints it; `mean`: the default here. */
  readonly mode: "mean" | "document";
  /** Breaches in a row that open an alert in mode `mean`. */
  readonly opensAfter: number;
  /** Good samples in a row that close it. */
  readonly closesAfter: number;
  /** How long the penalty of an alert lasts after the last breach. */
  readonly durationMs: number;
  /** Most points all alerts of one subject may take together. */
  readonly pointsMax: number;
  /** Alerts opened within this time of each other are one incident; only its largest deduction counts. */
  readonly incidentMs: number;
  readonly fade: "none" | "linear";
}

/** Daily rules that grant rewards. */
export interface RewardRules {
  /** Days in a row on which the threshold must be reached. */
  readonly days: number;
  /** Points of such a reward before the multiplier of its type. */
  readonly points: number;
  /**
   * Lower bound that the component must reach, in points; for `long_term_service` the days with evidence. Null: the
   * rule grants nothing.
   */
  readonly thresholds: { readonly [type in EarnedReward]: number | null };
}

export interface TierPolicy {
  /** `percentile`: cuts come from the ranking once `ratedMin` subjects are rated; `score`: fixed scores. */
  readonly mode: "percentile" | "score";
  /** Names, best first; the last is where everybody starts. */
  readonly names: readonly string[];
  /** Score at which each tier but the last starts, best first, strictly falling. */
  readonly scoreCuts: readonly number[];
  /** Share of the rated subjects in or above each tier but the last, best first, rising, 0..1. */
  readonly percentileCuts: readonly number[];
  readonly ratedMin: number;
  /** Windows of evidence below which a subject stays in the last tier. */
  readonly evidenceMin: number;
}

export interface Policy {
  readonly name: string;
  /** Components with their weights; the weights sum to 1. */
  readonly components: { readonly [name in ComponentName]?: number };
  readonly initialScore: number;
  readonly maxScore: number;
  readonly minScore: number;
  /** Per day: decay of evidence weight, and points a silent subject loses. */
  readonly decayRatePerDay: number;
  /** Pseudo-observations at `initialScore` that a component starts with. */
  readonly priorWeight: number;
  /** Decay counts at most this much between two pieces of evidence. */
  readonly maxGapMs: number;
  /** Effective sample size is read as at most this. */
  readonly effectiveSizeMax: number;
  /** Every indexed score is re-evaluated at least this often. */
  readonly updateIntervalMs: number;
  readonly historyRetentionMs: number;
  readonly recoveryEnabled: boolean;
  /** Trust points a day. */
  readonly recoveryRatePerDay: number;
  /** Below it no automatic reward and no tier-up. */
  readonly trustThreshold: number;
  /** At or above it trust recovers. */
  readonly performanceThreshold: number;
  /** Standing below it is announced before a sanction follows. */
  readonly lowThreshold: number;
  /** Correlated metrics count one observation per block of this length, made of slots. */
  readonly blockMs: number;
  readonly slotMs: number;
  /** Other metrics count one observation per window of this length. */
  readonly windowMs: number;
  readonly metrics: { readonly [name in MetricName]: MetricPolicy };
  readonly penaltyWeights: { readonly [type in PenaltyType]: number };
  /** How long a penalty lasts that is given without an end, and then fades; null: until it is revoked. */
  readonly penaltyDurationsMs: { readonly [type in PenaltyType]: number | null };
  /** Trust points lost per penalty point, by type. */
  readonly trustImpacts: { readonly [type in PenaltyType]: number };
  /** Multiplier of points by severity, minor to critical. */
  readonly severityMultipliers: readonly [number, number, number, number];
  readonly rewardMultipliers: { readonly [type in RewardType]: number };
  /** Rewards add at most this many points together. */
  readonly rewardPointsMax: number;
  readonly rewardRules: RewardRules;
  readonly alerts: AlertPolicy;
  readonly tiers: TierPolicy;
  /** Aggregates: window, step, and raw samples kept per subject and metric. */
  readonly metricRetentionMs: number;
  readonly aggregateIntervalMs: number;
  readonly sampleSize: number;
}
