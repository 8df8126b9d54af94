/**
 * Settings of capabilities that this build does not have. They are known, so that a configuration written for
 * them is refused with the reason: a key that is accepted has an effect.
 */

export interface UnavailableCapability {
  readonly name: string;
  /** Keys at the top of `staunch.yaml`; whatever stands below them belongs to it too. */
  readonly keys: readonly string[];
  /** Environment variables without our prefix. */
  readonly variables: readonly string[];
}

export const UNAVAILABLE: readonly UnavailableCapability[] = [
  {
    name: "provider analytics",
    keys: ["performance_weights", "ranking_tiers", "forecasting"],
    variables: ["ANALYTICS_INTERVAL", "MIN_DATA_POINTS", "TREND_ANALYSIS_WINDOW", "FORECAST_HORIZON"],
  },
  {
    name: "adaptive rate limits",
    keys: [
      "throttle",
      "cpu_thresholds",
      "memory_thresholds",
      "goroutine_thresholds",
      "multipliers",
      "sampling_interval",
      "recovery_cooldown",
    ],
    variables: [],
  },
  {
    name: "notifications",
    keys: [
      "notifications",
      "enable_tier_notifications",
      "enable_violation_alerts",
      "enable_vip_notifications",
      "preferred_channels",
      "notify_on_violation",
      "notify_on_decay",
      "aggregate_daily",
    ],
    variables: [],
  },
];

/** The missing capability that a key of `staunch.yaml` belongs to, by its outermost part. */
export function missingByKey(path: string): UnavailableCapability | null {
  const key = path.split(".")[0]!;
  return UNAVAILABLE.find(({ keys }) => keys.includes(key)) ?? null;
}

/** The missing capability that an environment variable belongs to: by its own name, or `STAUNCH_` and a key. */
export function missingByVariable(variable: string): UnavailableCapability | null {
  const ours = (key: string): boolean => `${variable}_`.startsWith(`STAUNCH_${key.toUpperCase()}_`);
  return UNAVAILABLE.find(({ keys, variables }) => variables.includes(variable) || keys.some(ours)) ?? null;
}
