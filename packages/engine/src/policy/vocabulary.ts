/** The closed lists of words that penalties, rewards and alerts use. Their order is part of the log format. */

/** 000's eight, then 001's, then the manual rate-limit penalty (`scoring.md`, section 4). */
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
export type PenaltyType = (typeof PENALTY_TYPES)[number];

export const SEVERITIES = ["minor", "moderate", "major", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

export const REWARD_TYPES = [
  "high_uptime",
  "fast_response",
  "data_integrity",
  "long_term_service",
  "exceptional_performance",
  "community_contribution",
] as const;
export type RewardType = (typeof REWARD_TYPES)[number];

/** Rewards that the daily rules grant; the others are granted by hand. The order is part of the row's layout. */
export const EARNED_REWARDS = [
  "high_uptime",
  "fast_response",
  "data_integrity",
  "long_term_service",
  "exceptional_performance",
] as const satisfies readonly RewardType[];
export type EarnedReward = (typeof EARNED_REWARDS)[number];

export const ALERT_SEVERITIES = ["low", "medium", "high", "critical"] as const;
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

/** Why a score moved; the first five are the document's. */
export const CHANGE_REASONS = [
  "metric_update",
  "penalty_applied",
  "reward_granted",
  "score_decay",
  "score_recovery",
  "penalty_ended",
  "penalty_revoked",
  "reward_ended",
  "policy_activated",
  "alert_opened",
  "prior_set",
] as const;
export type ChangeReason = (typeof CHANGE_REASONS)[number];
