/** The closed lists of words of the interface. A test of the server holds them to the engine's. */

export const METRIC_NAMES = [
  "uptime",
  "response_time",
  "throughput",
  "availability",
  "data_integrity",
  "network_latency",
  "storage_reliability",
  "service_quality",
] as const;

export const COMPONENT_NAMES = [
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

export const PENALTY_TYPES = [
  "downtime",
  "slow_response",
  "data_loss",
  "unavailability",
  "contract_breach",
  "fraud",
  "malicious_behavior",
  "poor_performance",
  "job_timeout",
  "job_failure",
  "network_issues",
  "resource_abuse",
  "invalid_result",
  "spam",
  "ban",
  "rate_limit",
] as const;

export const SEVERITIES = ["minor", "moderate", "major", "critical"] as const;

export const REWARD_TYPES = [
  "high_uptime",
  "fast_response",
  "data_integrity",
  "long_term_service",
  "exceptional_performance",
  "community_contribution",
] as const;

export const JOB_OUTCOMES = [
  "success",
  "failure",
  "timeout",
  "invalid_result",
  "declined",
  "client_fault",
] as const;

/** Parts of a health report that every policy knows. */
export const HEALTH_PARTS = [
  "response_time",
  "cpu_usage",
  "memory_usage",
  "disk_usage",
  "network_latency",
  "bandwidth",
  "temperature",
  "gpu_utilization",
  "gpu_temperature",
  "error_rate",
] as const;

/** Running means of what jobs and health reports say. */
export const SIGNAL_NAMES = [
  "success",
  "answered",
  "speed",
  "use",
  "ratio",
  "completed",
  "sla",
  "flawless",
  "punctual",
] as const;

export const SELECTION_METHODS = ["power-of-two", "greedy", "proportional", "thompson"] as const;

/** Roles contain each other, the first the least. */
export const ROLES = ["viewer", "ingest", "operator", "admin"] as const;

/** What a subscriber of live updates can choose from. */
export const LIVE_TYPES = [
  "score.changed",
  "network.changed",
  "subject.registered",
  "tier.changed",
  "score.low",
  "score.recovered",
  "alert.opened",
  "alert.extended",
  "alert.closed",
  "penalty.applied",
  "penalty.ended",
  "penalty.revoked",
  "reward.granted",
  "reward.ended",
  "reward.revoked",
  "misbehaviour.reported",
  "misbehaviour.confirmed",
  "misbehaviour.dismissed",
  "suspension.started",
  "suspension.ended",
  "maintenance.announced",
  "maintenance.started",
  "maintenance.ended",
  "maintenance.cancelled",
  "ban.started",
  "ban.ended",
  "probation.started",
  "probation.ended",
  "subject.silent",
  "subject.heard",
  "policy.activated",
  "window.voided",
  "evidence.voided",
] as const;
