/**
 * The policy document's one table: every key that may be written, where its value sits in a {@link Policy}, what
 * is valid there, and what it means. Reading, printing, comparing and the documentation all go through it.
 *
 * The keys of the provider document (`reputation` and `tracking`) stand as it prints them; the rest is added
 * beside them.
 */
import { HEALTH_PARTS_MAX } from "../event/jobs.ts";
import { SELECTION_POLICIES } from "../event/selection.ts";
import { METRICS, type MetricSpec } from "../event/metrics.ts";
import { WINDOW_DECISIONS_MAX } from "../select/decision-window.ts";
import { DURATION_MAX_MS, formatDuration } from "./duration.ts";
import { COMPONENTS, SOURCES } from "./policy.ts";
import { EARNED_REWARDS, PENALTY_TYPES, REWARD_TYPES, SEVERITIES, type EarnedReward } from "./vocabulary.ts";

export interface NumberRule {
  readonly type: "number";
  readonly min: number;
  readonly max: number;
  /** True when `min` itself is refused. */
  readonly above?: true;
  readonly integer?: true;
  /** True when null may be written for "never". */
  readonly nullable?: true;
}

export interface DurationRule {
  readonly type: "duration";
  readonly min: number;
  readonly max: number;
  /** What null means, in words, where it may be written. */
  readonly nullMeans?: string;
}

export type FieldRule =
  | NumberRule
  | DurationRule
  | { readonly type: "boolean" }
  | { readonly type: "choice"; readonly values: readonly string[] }
  /** A short name in lower case, as the policy and its tiers have one. */
  | { readonly type: "name" }
  | { readonly type: "names" }
  /** A strictly monotone list of numbers. */
  | { readonly type: "cuts"; readonly order: "falling" | "rising"; readonly max: number }
  /** Components by name; a document that names any names all, for they must sum to 1. */
  | { readonly type: "components" }
  /** Weights of all the names, 0 or more, that sum to 1. */
  | { readonly type: "weights"; readonly names: readonly string[] }
  /** A list of sources: metrics, jobs, health. */
  | { readonly type: "sources" }
  /** Parts of a health report by name; those that are named are laid over the base's, null takes one away. */
  | { readonly type: "healthParts" };

export interface PolicyField {
  /** Keys in the document, outermost first, joined by dots. */
  readonly path: string;
  /** Keys in a {@link Policy}, outermost first. */
  readonly at: readonly string[];
  readonly rule: FieldRule;
  /** True for points: a document with another `max_score` scales the inherited value with it. */
  readonly scales: boolean;
  /** One sentence for the reference page. */
  readonly description: string;
}

/** Most tiers a policy may have; a subject's tier is stored in a byte. */
export const TIERS_MAX = 16;
/** Largest score a policy may work with. */
export const SCORE_MAX = 1e6;
const WEIGHT_MAX = 1000;
/** A streak is kept in six bits. */
const STREAK_DAYS_MAX = 60;
const SAMPLE_SIZE_MAX = 100_000;
const SECOND_MS = 1000;
/** A ban names the reports that it rests on. */
const EVIDENCE_MAX = 32;
const BID_PARTS = ["reputation", "health", "price", "time"] as const;

const points: FieldRule = { type: "number", min: 0, max: SCORE_MAX };
const weight: FieldRule = { type: "number", min: 0, above: true, max: WEIGHT_MAX };
const length: FieldRule = { type: "duration", min: SECOND_MS, max: DURATION_MAX_MS };
const count = (min: number, max: number): FieldRule => ({ type: "number", integer: true, min, max });

/** All fields, in the order in which a document is printed. */
export const POLICY_FIELDS: readonly PolicyField[] = [
  field("name", "name", { type: "name" }, "Name of the policy."),
  ...scoreFields(),
  ...evidenceFields(),
  ...metricFields(),
  ...trustFields(),
  ...sanctionFields(),
  ...tierFields(),
  ...momentumFields(),
  ...probationFields(),
  ...timeoutFields(),
  ...misbehaviourFields(),
  ...suspensionFields(),
  ...maintenanceFields(),
  ...healthFields(),
  ...selectionFields(),
  ...trackingFields(),
];

/** What a field takes, in words: for messages and for the reference page. */
export function describeRule(rule: FieldRule): string {
  switch (rule.type) {
    case "number":
      return describeNumber(rule);
    case "duration":
      return describeDuration(rule);
    case "boolean":
      return "true or false";
    case "choice":
      return `one of ${rule.values.join(", ")}`;
    case "name":
      return "a name of lower-case letters, digits, - and _";
    case "names":
      return `a list of 2 to ${TIERS_MAX} different names`;
    case "cuts":
      return `a strictly ${rule.order} list of numbers above 0 and up to ${rule.max}`;
    case "components":
      return `weights above 0 that sum to 1, of ${COMPONENTS.join(", ")}`;
    case "weights":
      return `weights from 0 that sum to 1, of all of ${rule.names.join(", ")}`;
    case "sources":
      return `a list of different sources, of ${SOURCES.join(", ")}`;
    case "healthParts":
      return `at most ${HEALTH_PARTS_MAX} parts by name, each null or { good, bad, idle_only } with two different numbers`;
  }
}

function describeNumber(rule: NumberRule): string {
  const kind = rule.integer === true ? "a whole number" : "a number";
  const range =
    rule.above === true ? `above ${rule.min} and up to ${rule.max}` : `from ${rule.min} to ${rule.max}`;
  return `${kind} ${range}${rule.nullable === true ? ", or null for never" : ""}`;
}

function describeDuration({ min, nullMeans }: DurationRule): string {
  const range = `a duration from ${formatDuration(min)}, such as 1m or 720h`;
  return nullMeans === undefined ? range : `${range}, or null: ${nullMeans}`;
}

function scoreFields(): PolicyField[] {
  return [
    field(
      "reputation.sources",
      "sources",
      { type: "sources" },
      "What is reported; components that none of it feeds are left out, the other weights rescaled.",
    ),
    field(
      "reputation.components",
      "components",
      { type: "components" },
      "Parts of the score with their weights; they sum to 1.",
    ),
    pointField("reputation.initial_score", "initialScore", "Score of a subject nothing is known about."),
    field(
      "reputation.max_score",
      "maxScore",
      { type: "number", min: 0, above: true, max: SCORE_MAX },
      "Best score; points that are not written in the document scale with it.",
    ),
    pointField("reputation.min_score", "minScore", "Worst score."),
  ];
}

function evidenceFields(): PolicyField[] {
  return [
    field(
      "reputation.decay_rate",
      "decayRatePerDay",
      { type: "number", min: 0, max: 100 },
      "Per day: decay of the weight of evidence, and the points a silent subject loses.",
    ),
    field(
      "reputation.idle_decay",
      "idleDecayPerDay",
      { type: "number", min: 0, max: 0.99, nullable: true },
      "Share of what is above the initial score that a silent subject loses a day, instead of points.",
    ),
    field(
      "reputation.prior_weight",
      "priorWeight",
      { type: "number", min: 0, max: SCORE_MAX },
      "Observations at the initial score that a component starts with.",
    ),
    field(
      "reputation.operator_shrinkage",
      "operatorShrinkage",
      { type: "number", min: 0, max: SCORE_MAX, nullable: true },
      "A new subject of a known operator starts from its record, shrunk by so many observations at the initial score.",
    ),
    field(
      "reputation.max_gap",
      "maxGapMs",
      length,
      "Most time that counts as decay between two pieces of evidence.",
    ),
    field(
      "reputation.effective_size_max",
      "effectiveSizeMax",
      { type: "number", min: 1, max: 1e9 },
      "Effective sample size is read as at most this, so that a long past does not outweigh the present.",
    ),
    field(
      "reputation.update_interval",
      "updateIntervalMs",
      length,
      "Every score is evaluated anew at least this often.",
    ),
    field(
      "reputation.history_retention",
      "historyRetentionMs",
      length,
      "How long score history is kept and rewards count.",
    ),
    field(
      "reputation.block",
      "blockMs",
      length,
      "Correlated metrics count one observation per block; a multiple of the slot.",
    ),
    field(
      "reputation.slot",
      "slotMs",
      length,
      "Samples of a correlated metric are averaged over slots of this length.",
    ),
    field(
      "reputation.window",
      "windowMs",
      length,
      "Other metrics count one observation per window of this length.",
    ),
  ];
}

function metricFields(): PolicyField[] {
  return [
    ...METRICS.map(({ name }) =>
      field(
        `reputation.metric_weights.${name}`,
        `metrics.${name}.weight`,
        weight,
        `Weight of ${name} inside its components.`,
      ),
    ),
    ...METRICS.filter(({ shape }) => shape !== "bounded").map(({ name, unit, max }) =>
      field(
        `reputation.metric_references.${name}`,
        `metrics.${name}.reference`,
        { type: "number", min: 0, above: true, max },
        `Value of ${name} that is worth one half, in ${unit}.`,
      ),
    ),
  ];
}

function trustFields(): PolicyField[] {
  return [
    field(
      "reputation.recovery_enabled",
      "recoveryEnabled",
      { type: "boolean" },
      "Whether trust recovers with time.",
    ),
    pointField("reputation.recovery_rate", "recoveryRatePerDay", "Trust points that come back a day."),
    pointField(
      "reputation.trust_threshold",
      "trustThreshold",
      "Trust below it earns no automatic reward and no higher tier.",
    ),
    pointField(
      "reputation.performance_threshold",
      "performanceThreshold",
      "Trust recovers while the score is at least this.",
    ),
    pointField(
      "reputation.low_threshold",
      "lowThreshold",
      "A score below it is announced before a sanction follows.",
    ),
    ...PENALTY_TYPES.map((type) =>
      field(
        `reputation.trust_impacts.${type}`,
        `trustImpacts.${type}`,
        { type: "number", min: 0, max: WEIGHT_MAX },
        `Trust points lost per point of ${type} penalties.`,
      ),
    ),
  ];
}

function sanctionFields(): PolicyField[] {
  const span = { type: "duration", min: SECOND_MS, max: DURATION_MAX_MS } as const;
  const untilRevoked: FieldRule = { ...span, nullMeans: "until revoked" };
  return [
    ...PENALTY_TYPES.map((type) =>
      field(
        `reputation.penalty_weights.${type}`,
        `penaltyWeights.${type}`,
        weight,
        `Weight of ${type} penalties.`,
      ),
    ),
    ...PENALTY_TYPES.map((type) =>
      field(
        `reputation.penalty_durations.${type}`,
        `penaltyDurationsMs.${type}`,
        type === "ban" ? span : untilRevoked,
        type === "ban"
          ? "How long a ban lasts that is given without an end; it does not fade."
          : `How long a ${type} penalty lasts, fading, that is given without an end.`,
      ),
    ),
    ...SEVERITIES.map((severity, index) =>
      field(
        `reputation.severity_multipliers.${severity}`,
        `severityMultipliers.${index}`,
        weight,
        `Multiplier of the points of ${severity} penalties.`,
      ),
    ),
    ...REWARD_TYPES.map((type) =>
      field(
        `reputation.reward_weights.${type}`,
        `rewardMultipliers.${type}`,
        weight,
        `Multiplier of ${type} rewards.`,
      ),
    ),
    pointField("reputation.reward_points_max", "rewardPointsMax", "Most points that rewards add together."),
    field(
      "reputation.reward_rules.days",
      "rewardRules.days",
      count(1, STREAK_DAYS_MAX),
      "Days in a row on which a rule's threshold must be reached.",
    ),
    pointField("reputation.reward_rules.points", "rewardRules.points", "Points of an earned reward."),
    ...EARNED_REWARDS.map((type) => rewardRuleField(type)),
  ];
}

function rewardRuleField(type: EarnedReward): PolicyField {
  const path = `reputation.reward_rules.thresholds.${type}`;
  const at = `rewardRules.thresholds.${type}`;
  const threshold: FieldRule = { type: "number", min: 0, max: SCORE_MAX, nullable: true };
  return type === "long_term_service"
    ? field(path, at, threshold, "Days with evidence that earn it.")
    : { ...field(path, at, threshold, "Lower bound of the component that earns it."), scales: true };
}

function tierFields(): PolicyField[] {
  return [
    field(
      "reputation.tiers.mode",
      "tiers.mode",
      { type: "choice", values: ["percentile", "score"] },
      "Whether places in the ranking or fixed scores separate the tiers.",
    ),
    field(
      "reputation.tiers.names",
      "tiers.names",
      { type: "names" },
      "Tiers, best first; everybody starts in the last.",
    ),
    {
      ...field(
        "reputation.tiers.score_cuts",
        "tiers.scoreCuts",
        { type: "cuts", order: "falling", max: SCORE_MAX },
        "Score at which each tier but the last starts.",
      ),
      scales: true,
    },
    field(
      "reputation.tiers.percentile_cuts",
      "tiers.percentileCuts",
      { type: "cuts", order: "rising", max: 1 },
      "Share of the rated subjects that is in each tier or a better one.",
    ),
    field(
      "reputation.tiers.rated_min",
      "tiers.ratedMin",
      count(1, 1e9),
      "Rated subjects from which on percentiles are used.",
    ),
    field(
      "reputation.tiers.evidence_min",
      "tiers.evidenceMin",
      count(0, 1e9),
      "Windows of evidence a subject needs to leave the last tier.",
    ),
  ];
}

function momentumFields(): PolicyField[] {
  const share: FieldRule = { type: "number", min: 0, above: true, max: 1 };
  return [
    field(
      "jobs.momentum.success",
      "momentum.success",
      { type: "number", min: 1, max: 10 },
      "Factor of a success.",
    ),
    field("jobs.momentum.failure", "momentum.failure", share, "Factor of a failure."),
    field("jobs.momentum.floor", "momentum.floor", share, "Momentum never falls below it."),
    field(
      "jobs.momentum.burst",
      "momentum.burstMs",
      { type: "duration", min: 0, max: DURATION_MAX_MS },
      "Failures that end within this time of each other move momentum once.",
    ),
  ];
}

function probationFields(): PolicyField[] {
  const share: FieldRule = { type: "number", min: 0, max: 1 };
  const at = (key: string): string => `jobs.probation.${key}`;
  return [
    field(at("momentum_below"), "probation.momentumBelow", share, "Entered below this momentum."),
    field(
      at("failures_in_row"),
      "probation.failuresInRow",
      count(1, 1e9),
      "Entered when so many jobs failed in a row, or as many as run still if those are more.",
    ),
    field(
      at("recent_failed_above"),
      "probation.recentFailedAbove",
      share,
      "Entered when a larger share of the recent jobs failed, and not left before it is no larger.",
    ),
    field(
      at("recent_jobs"),
      "probation.recentJobs",
      count(1, 1e6),
      "A job weighs one in so many of the recent ones, or in three times those in flight if that is more.",
    ),
    pointField(
      at("upper_below"),
      "probation.upperBelow",
      "Entered when the upper bound of score x momentum is below it.",
    ),
    field(
      at("success_upper_below"),
      "probation.successUpperBelow",
      share,
      "Entered when the upper bound of the success rate is below it.",
    ),
    field(at("jobs_min"), "probation.jobsMin", count(0, 1e9), "Jobs before the success rate is judged."),
    field(at("leave_momentum"), "probation.leaveMomentum", share, "Left at this momentum or above."),
    field(at("good_jobs"), "probation.goodJobs", count(1, 1e6), "Good jobs in a row needed to leave."),
    field(
      at("good_jobs_max"),
      "probation.goodJobsMax",
      count(1, 1e6),
      "They double with each entry up to this.",
    ),
    field(
      at("forgiven_after"),
      "probation.forgivenAfter",
      count(1, 1e9),
      "Jobs outside probation after which one entry is forgiven.",
    ),
  ];
}

function timeoutFields(): PolicyField[] {
  return [
    field(
      "jobs.penalize_timeouts",
      "timeouts.penalize",
      { type: "boolean" },
      "Whether a job that times out is a penalty beside what it costs in reliability, one per burst.",
    ),
    field(
      "jobs.timeout_penalty_fraction",
      "timeouts.penaltyFraction",
      { type: "number", min: 0, max: 1 },
      "Share of the maximum score that such a penalty takes.",
    ),
  ];
}

function misbehaviourFields(): PolicyField[] {
  return [
    field(
      "misbehaviour.confirm",
      "misbehaviour.confirm",
      { type: "choice", values: ["operator", "none"] },
      "operator: a report counts once an operator confirms it; none: at once.",
    ),
    field(
      "misbehaviour.penalty_fraction",
      "misbehaviour.penaltyFraction",
      { type: "number", min: 0, max: 1 },
      "Share of the maximum score that a confirmed report takes.",
    ),
    field(
      "misbehaviour.auto_ban",
      "misbehaviour.autoBan",
      { type: "boolean" },
      "Whether enough confirmed reports ban.",
    ),
    field(
      "misbehaviour.auto_ban_after",
      "misbehaviour.autoBanAfter",
      count(1, EVIDENCE_MAX),
      "Confirmed reports that are enough.",
    ),
    field(
      "misbehaviour.auto_ban_duration",
      "misbehaviour.autoBanDurationMs",
      length,
      "How long such a ban lasts.",
    ),
  ];
}

function suspensionFields(): PolicyField[] {
  const share: FieldRule = { type: "number", min: 0, max: 1 };
  const at = (key: string): string => `suspension.${key}`;
  return [
    field(
      at("enabled"),
      "suspension.enabled",
      { type: "boolean" },
      "Whether who is surely bad is suspended by rule.",
    ),
    pointField(
      at("upper_below"),
      "suspension.upperBelow",
      "Suspended when the upper bound of the score is below it.",
    ),
    field(
      at("evidence_min"),
      "suspension.evidenceMin",
      count(1, 1e9),
      "Windows of evidence, or jobs, since the last suspension before the next.",
    ),
    field(at("first"), "suspension.firstMs", length, "How long the first one lasts."),
    field(
      at("factor"),
      "suspension.factor",
      { type: "number", min: 1, max: 100 },
      "Growth with each one in a row.",
    ),
    field(at("longest"), "suspension.longestMs", length, "Longest one."),
    field(
      at("forgiven_after"),
      "suspension.forgivenAfterMs",
      length,
      "Time after its end from which one counts no longer for the next.",
    ),
    field(
      at("pool_share"),
      "suspension.poolShare",
      share,
      "Share of the active pool that is suspended by rule at once at most; one may always be.",
    ),
  ];
}

function maintenanceFields(): PolicyField[] {
  const span: FieldRule = { type: "duration", min: 0, max: DURATION_MAX_MS };
  return [
    field(
      "maintenance.longest",
      "maintenance.longestMs",
      span,
      "Longest maintenance that is announced at once.",
    ),
    field("maintenance.per_30_days", "maintenance.allowanceMs", span, "Most maintenance in any 30 days."),
    field(
      "maintenance.notice",
      "maintenance.noticeMs",
      span,
      "How long before it begins it has to be announced.",
    ),
    field("maintenance.horizon", "maintenance.horizonMs", span, "How far ahead maintenance may begin."),
  ];
}

function healthFields(): PolicyField[] {
  const percent: FieldRule = { type: "number", min: 0, max: 100 };
  return [
    field("health.interval", "health.intervalMs", length, "Time between two health reports."),
    field(
      "health.silent_after",
      "health.silentAfter",
      count(1, 1000),
      "Intervals without a report after which a subject is silent.",
    ),
    field("health.healthy_from", "health.healthyFrom", percent, "Health from which a subject is healthy."),
    field("health.floor", "health.floor", percent, "Health below which a subject gets no jobs."),
    field(
      "health.parts",
      "health.parts",
      { type: "healthParts" },
      "Parts of a report: 100 up to good, 0 from bad on; idle_only parts count only while no job is assigned.",
    ),
  ];
}

function selectionFields(): PolicyField[] {
  const share: FieldRule = { type: "number", min: 0, max: 1 };
  const percent: FieldRule = { type: "number", min: 0, max: 100 };
  return [
    selectionField(
      "policy",
      "policy",
      { type: "choice", values: SELECTION_POLICIES },
      "How a bid is chosen.",
    ),
    selectionField(
      "weights",
      "weights",
      { type: "weights", names: BID_PARTS },
      "Parts of a bid's value; they sum to 1.",
    ),
    selectionField(
      "relative",
      "relative",
      { type: "choice", values: ["median", "cheapest"] },
      "What prices and times are compared with where the request names no reference.",
    ),
    selectionField(
      "condition_floor",
      "conditionFloor",
      percent,
      "Condition 0..100 up to which a bid is worth nothing.",
    ),
    selectionField(
      "condition_span",
      "conditionSpan",
      { type: "number", min: 0, above: true, max: 100 },
      "Points above the floor from which condition takes nothing off.",
    ),
    selectionField(
      "load_factor",
      "loadFactor",
      { type: "number", min: 0, max: 10 },
      "Load of one job in flight.",
    ),
    selectionField(
      "indifference",
      "indifference",
      share,
      "Values within this share of the larger are equal.",
    ),
    selectionField(
      "doubt_deviations",
      "doubtDeviations",
      { type: "number", min: 0, max: 10 },
      "So are values within this many standard deviations of their difference.",
    ),
    selectionField("slow_start", "slowStart", count(1, 1e6), "Jobs at once of who has done none well yet."),
    ...explorationFields(),
    ...operatorCapFields(),
    selectionField(
      "outcome_timeout",
      "outcomeTimeoutMs",
      length,
      "Time after which a selection without an outcome is forgotten.",
    ),
  ];
}

function explorationFields(): PolicyField[] {
  const share: FieldRule = { type: "number", min: 0, max: 1 };
  return [
    selectionField(
      "exploration.share",
      "explorationShare",
      share,
      "Share of the decisions that finds out about newcomers and those on probation.",
    ),
    selectionField(
      "exploration.fair_share",
      "explorationFairShare",
      share,
      "One of them gets at most this share of a fair share.",
    ),
    selectionField(
      "exploration.in_flight_max",
      "explorationInFlightMax",
      count(1, 255),
      "Exploration jobs at once.",
    ),
    selectionField(
      "exploration.cost_max",
      "explorationCostMax",
      { type: "number", min: 1, max: 1e6 },
      "An explored bid asks at most this many times the median price and time.",
    ),
    selectionField(
      "exploration.newcomer_jobs",
      "newcomerJobs",
      count(0, 1e6),
      "Finished jobs under which a subject is a newcomer.",
    ),
    selectionField(
      "exploration.first_wait",
      "explorationFirstWaitMs",
      length,
      "Wait of exploration after an incident.",
    ),
    selectionField(
      "exploration.wait_factor",
      "explorationWaitFactor",
      { type: "number", min: 1, max: 100 },
      "Growth of the wait with each incident in a row.",
    ),
    selectionField("exploration.longest_wait", "explorationLongestWaitMs", length, "Longest such wait."),
  ];
}

function operatorCapFields(): PolicyField[] {
  const share: FieldRule = { type: "number", min: 0, max: 1 };
  const capShare: FieldRule = { type: "number", min: 0, above: true, max: 1 };
  return [
    selectionField(
      "operator_cap.share",
      "operatorCap",
      capShare,
      "Most that one operator gets of the last decisions.",
    ),
    selectionField(
      "operator_cap.window",
      "operatorWindow",
      count(1, WINDOW_DECISIONS_MAX),
      "How many decisions those are.",
    ),
    selectionField(
      "operator_cap.fair_share",
      "operatorCapFairShare",
      { type: "number", min: 1, max: 100 },
      "But at least this over the number of operators that bid.",
    ),
    selectionField(
      "operator_cap.yield",
      "capYield",
      share,
      "The cap gives way rather than take less than this of the best.",
    ),
  ];
}

function selectionField(key: string, at: string, rule: FieldRule, description: string): PolicyField {
  return field(`selection.${key}`, `selection.${at}`, rule, description);
}

function trackingFields(): PolicyField[] {
  return [
    field(
      "tracking.metric_retention",
      "metricRetentionMs",
      length,
      "Time that aggregates and raw samples cover.",
    ),
    field("tracking.aggregate_interval", "aggregateIntervalMs", length, "Step of the aggregates."),
    field(
      "tracking.sample_size",
      "sampleSize",
      count(1, SAMPLE_SIZE_MAX),
      "Raw samples kept per subject and metric; up to it percentiles are exact.",
    ),
    ...METRICS.map(alertThreshold),
    field(
      "tracking.alerts.mode",
      "alerts.mode",
      { type: "choice", values: ["mean", "document"] },
      "mean: the mean of the last hour decides and severity counts once; document: one sample decides and it counts twice.",
    ),
    field(
      "tracking.alerts.opens_after",
      "alerts.opensAfter",
      count(1, 255),
      "Breaches in a row that open an alert (mode mean).",
    ),
    field(
      "tracking.alerts.closes_after",
      "alerts.closesAfter",
      count(1, 255),
      "Good samples in a row that close it.",
    ),
    field(
      "tracking.alerts.duration",
      "alerts.durationMs",
      length,
      "How long its penalty lasts after the last breach.",
    ),
    pointField(
      "tracking.alerts.points_max",
      "alerts.pointsMax",
      "Most points that all alerts of a subject take together.",
    ),
    field(
      "tracking.alerts.incident",
      "alerts.incidentMs",
      length,
      "Alerts opened within this time are one incident; only the largest deduction counts.",
    ),
    field(
      "tracking.alerts.fade",
      "alerts.fade",
      { type: "choice", values: ["none", "linear"] },
      "Whether the deduction shrinks to zero at its end.",
    ),
  ];
}

function alertThreshold({ name, shape, unit, max }: MetricSpec): PolicyField {
  const side = shape === "time" ? "above" : "below";
  return field(
    `tracking.alert_thresholds.${name}`,
    `metrics.${name}.alertThreshold`,
    { type: "number", min: 0, above: true, max, nullable: true },
    `Samples of ${name} ${side} it are breaches, in ${unit === "fraction" ? "0..1" : unit}.`,
  );
}

function pointField(path: string, at: string, description: string): PolicyField {
  return { ...field(path, at, points, description), scales: true };
}

function field(path: string, at: string, rule: FieldRule, description: string): PolicyField {
  return { path, at: at.split("."), rule, scales: false, description };
}
