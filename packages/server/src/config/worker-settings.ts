/** The settings of workers under the names of their own document, beside the policy `compute-worker` that they change. */
import { parseDuration, type Json } from "@staunch/engine";

export interface WorkerSetting {
  /** Key at the top of `staunch.yaml`. */
  readonly key: string;
  /** Field of the policy that it sets. */
  readonly field: string;
  /** The document counts scores from 0 to 1 and times in seconds: what its number is multiplied by for the policy. */
  readonly factor: number;
  readonly takes: string;
  readonly description: string;
  readonly default: number | boolean;
}

const share = "a number from 0 to 1";

export const WORKER_SETTINGS: readonly WorkerSetting[] = [
  {
    key: "health_check_interval_secs",
    field: "health.interval",
    factor: 1000,
    takes: "a number of seconds, at least 1",
    description: "Time between two health reports of a worker.",
    default: 60,
  },
  {
    key: "reputation_decay_rate",
    field: "reputation.idle_decay",
    factor: 1,
    takes: share,
    description: "Share of the distance above the initial score that an idle worker loses a day.",
    default: 0.01,
  },
  {
    key: "min_reputation_threshold",
    field: "jobs.probation.upper_below",
    factor: 100,
    takes: share,
    description: "A worker goes on probation when the upper bound of its score is below this, of 1.",
    default: 0.3,
  },
  {
    key: "max_reputation_score",
    field: "reputation.max_score",
    factor: 100,
    takes: "a number above 0",
    description: "Best score of a worker; 1 is 100 points.",
    default: 1,
  },
  {
    key: "failure_penalty_multiplier",
    field: "jobs.momentum.failure",
    factor: 1,
    takes: share,
    description: "Factor of momentum after a failed job.",
    default: 0.9,
  },
  {
    key: "success_bonus_multiplier",
    field: "jobs.momentum.success",
    factor: 1,
    takes: "a number of at least 1",
    description: "Factor of momentum after a good job; momentum is 1 at most.",
    default: 1.05,
  },
  {
    key: "timeout_penalty_severity",
    field: "jobs.timeout_penalty_fraction",
    factor: 1,
    takes: share,
    description: "Share of the best score that a time-out costs where time-outs are penalties.",
    default: 0.8,
  },
  {
    key: "malicious_penalty_severity",
    field: "misbehaviour.penalty_fraction",
    factor: 1,
    takes: share,
    description: "Share of the best score that a confirmed report of misbehaviour costs.",
    default: 0.5,
  },
  {
    key: "enable_auto_ban",
    field: "misbehaviour.auto_ban",
    factor: 1,
    takes: "true or false",
    description: "Whether the third confirmed report bans.",
    default: true,
  },
];

/** What a value of the document is in the policy; what is no number is left to the policy to judge. */
export function policyValueOf({ factor }: WorkerSetting, value: unknown): unknown {
  // Rounded, so that .29 of 1 is 29 points.
  return typeof value === "number" ? Math.round(value * factor * 1e9) / 1e9 : value;
}

/** The same the other way; the policy writes times as durations. */
export function documentValueOf({ factor }: WorkerSetting, value: Json): Json {
  const duration = typeof value === "string" ? parseDuration(value) : null;
  const number = duration?.type === "ok" ? duration.ms : value;
  return typeof number === "number" ? number / factor : number;
}
