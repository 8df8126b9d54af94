/**
 * A policy: the declarative rules by which one kind of subject is scored. Plain data, complete (every key
 * present), validated when loaded; what is in the log and in a snapshot is exactly this.
 *
 * Durations are milliseconds, scores lie between `minScore` and `maxScore`, weights are pure numbers.
 */
import type { SelectionRules } from "../select/rules.ts";
import { METRIC_NAMES, type MetricName } from "../event/metrics.ts";
import type { EarnedReward, PenaltyType, RewardType } from "./vocabulary.ts";

/** Components that exist in this build; a policy that names another is refused. The order is part of the row's layout. */
export const COMPONENTS = [
  "reliability",
  "performance",
  "uptime",
  "response",
  "trust",
  "success",
  "efficiency",
  "consistency",
  "completion",
  "sla",
  "errors",
] as const;
export type ComponentName = (typeof COMPONENTS)[number];

/** What is reported of a kind: metrics, job outcomes, health reports. A component that no source feeds is left out. */
export const SOURCES = [...METRIC_NAMES, "jobs", "health"] as const;
export type Source = MetricName | "jobs" | "health";

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

/** A multiplier that says how it goes right now: selection and probation look at score x momentum. */
export interface MomentumPolicy {
  /** Factor of a success, 1 or more, and of a failure, 1 or less; momentum stays between `floor` and 1. */
  readonly success: number;
  readonly failure: number;
  readonly floor: number;
  /** Failures that end within this time of each other move it once. */
  readonly burstMs: number;
}

export interface ProbationPolicy {
  /** Entered below this momentum, */
  readonly momentumBelow: number;
  /** or when so many jobs failed in a row, or as many as run still if those are more, */
  readonly failuresInRow: number;
  /** or when more than this share of the recent jobs failed, each weighing one in `recentJobs`, */
  readonly recentFailedAbove: number;
  readonly recentJobs: number;
  /** or when the upper bound of score x momentum is below this, in points, */
  readonly upperBelow: number;
  /** or when the upper bound of the success rate, 0..1, is below this after at least `jobsMin` jobs. */
  readonly successUpperBelow: number;
  readonly jobsMin: number;
  /** Left at this momentum after so many good jobs in a row, doubled with each entry up to the most. */
  readonly leaveMomentum: number;
  readonly goodJobs: number;
  readonly goodJobsMax: number;
  /** Jobs outside probation after which one entry is forgiven. */
  readonly forgivenAfter: number;
}

/** What follows from reports of misbehaviour (`scoring.md`, section 4). */
export interface MisbehaviourPolicy {
  /** Who confirms a report: an operator, or nobody, so that it counts at once. */
  readonly confirm: "operator" | "none";
  /** Share of the maximum score, 0..1, that a confirmed report takes. */
  readonly penaltyFraction: number;
  /** Whether so many confirmed reports ban, and for how long. */
  readonly autoBan: boolean;
  readonly autoBanAfter: number;
  readonly autoBanDurationMs: number;
}

/** How much maintenance a subject may announce. */
export interface MaintenancePolicy {
  readonly longestMs: number;
  /** In any 30 days. */
  readonly allowanceMs: number;
  /** How long before it begins it has to be announced. */
  readonly noticeMs: number;
  /** How far ahead it may begin. */
  readonly horizonMs: number;
}

/** When the rule suspends, and for how long (`scoring.md`, section 4). */
export interface SuspensionPolicy {
  readonly enabled: boolean;
  /** Upper bound of the score below which, in points, */
  readonly upperBelow: number;
  /** after so many windows of evidence since the last suspension. */
  readonly evidenceMin: number;
  /** Length of the first, growth with each in a row, and the longest. */
  readonly firstMs: number;
  readonly factor: number;
  readonly longestMs: number;
  /** Time after its end from which one counts no longer for the next. */
  readonly forgivenAfterMs: number;
  /** Share of the active pool that the rule suspends at once at most; one of a pool it always may. */
  readonly poolShare: number;
}

/** Whether a job that times out is a penalty beside what it costs in reliability. */
export interface TimeoutPolicy {
  readonly penalize: boolean;
  /** Share of the maximum score, 0..1. */
  readonly penaltyFraction: number;
}

/** One part of a health report: 100 up to `good`, 0 from `bad` on, linear between; `good` above `bad` where more is better. */
export interface HealthPartPolicy {
  readonly good: number;
  readonly bad: number;
  /** True where the part says nothing while a job is assigned: working is not ill. Such a part is never the worst. */
  readonly idleOnly: boolean;
}

export interface HealthPolicy {
  /** Time between two reports, and after how many of them without one a subject is silent. */
  readonly intervalMs: number;
  readonly silentAfter: number;
  /** Healthy from here, 0..100; below the floor it gets no jobs. */
  readonly healthyFrom: number;
  readonly floor: number;
  /** At most `HEALTH_PARTS_MAX`, by name. */
  readonly parts: { readonly [name: string]: HealthPartPolicy };
}

/** How a bid is chosen (`scoring.md`, section 7), and what outcomes change about it. */
export interface SelectionRulesOfPolicy extends SelectionRules {
  /** Wait of exploration after an incident, its growth with each in a row, and its end. */
  readonly explorationFirstWaitMs: number;
  readonly explorationWaitFactor: number;
  readonly explorationLongestWaitMs: number;
  /** A selection whose outcome has not come by then is forgotten. */
  readonly outcomeTimeoutMs: number;
}

export interface Policy {
  readonly name: string;
  /** In the order of {@link SOURCES}. */
  readonly sources: readonly Source[];
  /** Components with their weights; the weights sum to 1. */
  readonly components: { readonly [name in ComponentName]?: number };
  readonly initialScore: number;
  readonly maxScore: number;
  readonly minScore: number;
  /** Per day: decay of evidence weight, and points a silent subject loses. */
  readonly decayRatePerDay: number;
  /** Share of the distance above the initial score that a silent subject loses a day; null: `decayRatePerDay` points. */
  readonly idleDecayPerDay: number | null;
  /** Pseudo-observations at `initialScore` that a component starts with. */
  readonly priorWeight: number;
  /**
   * Observations at the initial score that the record of an operator is shrunk by, before a new subject of it starts
   * there; null: every subject starts at the initial score.
   */
  readonly operatorShrinkage: number | null;
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
  readonly momentum: MomentumPolicy;
  readonly probation: ProbationPolicy;
  readonly timeouts: TimeoutPolicy;
  readonly misbehaviour: MisbehaviourPolicy;
  readonly suspension: SuspensionPolicy;
  readonly maintenance: MaintenancePolicy;
  readonly health: HealthPolicy;
  readonly selection: SelectionRulesOfPolicy;
  /** Aggregates: window, step, and raw samples kept per subject and metric. */
  readonly metricRetentionMs: number;
  readonly aggregateIntervalMs: number;
  readonly sampleSize: number;
}
