/**
 * The presets: policies that reproduce the four documents. `storage-provider` is the policy everything else
 * starts from; the others are documents over it and become available when their components exist.
 */
import { METRIC_NAMES, METRICS, type MetricName } from "../event/metrics.ts";
import { SELECTION_DEFAULTS } from "../select/rules.ts";
import type { MetricPolicy, Policy } from "./policy.ts";
import { PENALTY_TYPES, type PenaltyType } from "./vocabulary.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Value with utility one half, by the shape of the metric; a fraction is its own utility and has none. */
const REFERENCES = { bounded: 1, time: 1000, rate: 12.5e6 } as const;

const METRIC_WEIGHTS: { readonly [name in MetricName]: number } = {
  uptime: 1,
  response_time: 0.8,
  throughput: 0.9,
  availability: 1,
  data_integrity: 1.2,
  network_latency: 0.7,
  storage_reliability: 1.1,
  service_quality: 0.9,
};

const ALERT_THRESHOLDS: { readonly [name in MetricName]?: number } = {
  uptime: 0.95,
  response_time: 1000,
  availability: 0.98,
  data_integrity: 0.999,
  network_latency: 500,
};

const PENALTY_WEIGHTS: { readonly [type in PenaltyType]?: number } = {
  downtime: 1,
  slow_response: 0.5,
  data_loss: 2,
  unavailability: 1.5,
  contract_breach: 3,
  fraud: 5,
  malicious_behavior: 4,
  poor_performance: 0.8,
};

const TRUST_IMPACTS: { readonly [type in PenaltyType]?: number } = {
  fraud: 0.8,
  malicious_behavior: 0.7,
  data_loss: 0.6,
  contract_breach: 0.5,
  unavailability: 0.4,
  downtime: 0.3,
  poor_performance: 0.3,
  slow_response: 0.2,
};

/** How long a ban lasts that is given without an end. */
export const BAN_MS = 30 * DAY_MS;

/** The types of the worker document: a week, and fading all the while. A ban is final only where a person says so. */
const PENALTY_DURATIONS_MS: { readonly [type in PenaltyType]?: number } = {
  ban: BAN_MS,
  job_timeout: 7 * DAY_MS,
  job_failure: 7 * DAY_MS,
  network_issues: 7 * DAY_MS,
  resource_abuse: 7 * DAY_MS,
  invalid_result: 7 * DAY_MS,
  spam: 7 * DAY_MS,
};

/** Storage providers, complete: `scoring.md` sections 2 to 4 and 8, figures of the provider document. */
export const STORAGE_PROVIDER: Policy = {
  name: "storage-provider",
  sources: METRIC_NAMES,
  components: { reliability: 0.25, performance: 0.2, uptime: 0.2, response: 0.15, trust: 0.2 },
  initialScore: 75,
  maxScore: 100,
  minScore: 0,
  decayRatePerDay: 0.1,
  idleDecayPerDay: null,
  priorWeight: 10,
  operatorShrinkage: 50,
  maxGapMs: 3 * DAY_MS,
  effectiveSizeMax: 1000,
  updateIntervalMs: MINUTE_MS,
  historyRetentionMs: 720 * HOUR_MS,
  recoveryEnabled: true,
  recoveryRatePerDay: 0.5,
  trustThreshold: 80,
  performanceThreshold: 85,
  lowThreshold: 60,
  blockMs: 6 * HOUR_MS,
  slotMs: 5 * MINUTE_MS,
  windowMs: 60 * SECOND_MS,
  metrics: byMetric((name, reference) => ({
    weight: METRIC_WEIGHTS[name],
    reference,
    alertThreshold: ALERT_THRESHOLDS[name] ?? null,
  })),
  penaltyWeights: byPenalty((type) => PENALTY_WEIGHTS[type] ?? 1),
  penaltyDurationsMs: byPenalty((type) => PENALTY_DURATIONS_MS[type] ?? null),
  trustImpacts: byPenalty((type) => TRUST_IMPACTS[type] ?? 0.1),
  severityMultipliers: [1, 2, 4, 8],
  rewardMultipliers: {
    high_uptime: 1.2,
    fast_response: 1.1,
    data_integrity: 1.5,
    long_term_service: 1.3,
    exceptional_performance: 1.4,
    community_contribution: 1.1,
  },
  rewardPointsMax: 20,
  // A lower bound is reached by evidence: four blocks a day for weeks for .9 of uptime, and a year of days.
  rewardRules: {
    days: 7,
    points: 2,
    thresholds: {
      high_uptime: 90,
      fast_response: 85,
      data_integrity: 90,
      long_term_service: 365,
      exceptional_performance: 85,
    },
  },
  alerts: {
    mode: "mean",
    opensAfter: 3,
    closesAfter: 3,
    durationMs: 24 * HOUR_MS,
    pointsMax: 40,
    incidentMs: HOUR_MS,
    fade: "linear",
  },
  tiers: {
    mode: "percentile",
    names: ["platinum", "gold", "silver", "bronze", "basic"],
    scoreCuts: [95, 85, 75, 65],
    percentileCuts: [0.05, 0.2, 0.5, 0.8],
    ratedMin: 20,
    evidenceMin: 10,
  },
  momentum: { success: 1.05, failure: 0.9, floor: 0.25, burstMs: 500 },
  probation: {
    momentumBelow: 0.85,
    failuresInRow: 3,
    recentFailedAbove: 0.3,
    recentJobs: 30,
    upperBelow: 30,
    successUpperBelow: 0.8,
    jobsMin: 20,
    leaveMomentum: 0.95,
    goodJobs: 5,
    goodJobsMax: 320,
    forgivenAfter: 500,
  },
  timeouts: { penalize: false, penaltyFraction: 0.8 },
  misbehaviour: {
    confirm: "operator",
    penaltyFraction: 0.5,
    autoBan: true,
    autoBanAfter: 3,
    autoBanDurationMs: BAN_MS,
  },
  maintenance: { longestMs: 8 * HOUR_MS, allowanceMs: 24 * HOUR_MS, noticeMs: 0, horizonMs: 30 * DAY_MS },
  suspension: {
    enabled: false,
    upperBelow: 60,
    evidenceMin: 20,
    firstMs: HOUR_MS,
    factor: 2,
    longestMs: 7 * DAY_MS,
    forgivenAfterMs: 30 * DAY_MS,
    poolShare: 0.1,
  },
  health: {
    intervalMs: 60 * SECOND_MS,
    silentAfter: 3,
    healthyFrom: 60,
    floor: 30,
    parts: {
      response_time: { good: 500, bad: 5000, idleOnly: false },
      cpu_usage: { good: 70, bad: 100, idleOnly: true },
      memory_usage: { good: 75, bad: 98, idleOnly: false },
      disk_usage: { good: 80, bad: 98, idleOnly: false },
      network_latency: { good: 100, bad: 1000, idleOnly: false },
      // 100 and 10 Mbit/s.
      bandwidth: { good: 12.5e6, bad: 1.25e6, idleOnly: false },
      temperature: { good: 75, bad: 95, idleOnly: false },
      gpu_utilization: { good: 70, bad: 100, idleOnly: true },
      gpu_temperature: { good: 80, bad: 95, idleOnly: false },
      error_rate: { good: 1, bad: 20, idleOnly: false },
    },
  },
  selection: {
    ...SELECTION_DEFAULTS,
    explorationFirstWaitMs: 20 * SECOND_MS,
    explorationWaitFactor: 4,
    explorationLongestWaitMs: 15 * MINUTE_MS,
    outcomeTimeoutMs: HOUR_MS,
  },
  metricRetentionMs: 24 * HOUR_MS,
  aggregateIntervalMs: HOUR_MS,
  sampleSize: 1000,
};

/** One preset as it is offered: its name, what it scores, and its document over `storage-provider`. */
export interface PresetDocument {
  readonly name: string;
  readonly title: string;
  readonly document: { readonly [key: string]: unknown };
}

/** All four presets, in the order in which they are shown. */
export const PRESET_DOCUMENTS: readonly PresetDocument[] = [
  { name: "storage-provider", title: "Providers of storage services", document: {} },
  {
    name: "compute-worker",
    title: "Workers that run jobs",
    document: {
      name: "compute-worker",
      reputation: {
        sources: ["jobs", "health"],
        initial_score: 60,
        idle_decay: 0.01,
        // Jobs are many and each is a trial: at 1,000 a failure rate of .5 % could not be told from one of 1 %.
        effective_size_max: 25_000,
        components: { success: 0.4, reliability: 0.25, efficiency: 0.2, consistency: 0.15 },
        penalty_weights: { malicious_behavior: 1, poor_performance: 1 },
        penalty_durations: { malicious_behavior: "168h", poor_performance: "168h" },
      },
      suspension: { enabled: true },
    },
  },
  {
    name: "marketplace-provider",
    title: "Providers of a compute marketplace",
    document: {
      name: "marketplace-provider",
      reputation: {
        sources: [...METRIC_NAMES, "jobs"],
        initial_score: 75,
        components: {
          completion: 0.25,
          efficiency: 0.2,
          uptime: 0.2,
          response: 0.15,
          sla: 0.12,
          errors: 0.08,
        },
      },
      suspension: { enabled: true },
    },
  },
  {
    name: "api-client",
    title: "Clients of a rate-limited interface",
    document: {
      name: "api-client",
      reputation: { initial_score: 50, low_threshold: 30, components: { conduct: 1 } },
    },
  },
];

function byMetric(make: (name: MetricName, reference: number) => MetricPolicy): Policy["metrics"] {
  const entries = METRICS.map(({ name, shape }) => [name, make(name, REFERENCES[shape])] as const);
  return Object.fromEntries(entries) as { [name in MetricName]: MetricPolicy };
}

function byPenalty<Value>(valueOf: (type: PenaltyType) => Value): { readonly [type in PenaltyType]: Value } {
  const entries = PENALTY_TYPES.map((type) => [type, valueOf(type)] as const);
  return Object.fromEntries(entries) as { [type in PenaltyType]: Value };
}
