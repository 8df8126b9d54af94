import { DURATION_MAX_MS } from "./duration.ts";
import type { Policy } from "./policy.ts";
import { BAN_MS, STORAGE_PROVIDER } from "./presets.ts";

/**
 * A policy as an older log holds it, with the keys that were added since: they take the values that leave what the
 * policy decides as it was.
 */
export function completePolicy(policy: Policy): Policy {
  const missing = (Object.keys(STORAGE_PROVIDER) as (keyof Policy)[]).some(
    (key) => policy[key] === undefined,
  );
  const complete = missing ? { ...UNSAID, ...policy } : policy;
  const { probation, maintenance, penaltyDurationsMs } = complete;
  const isOlder = probation.recentJobs === undefined || maintenance.horizonMs === undefined;
  if (!isOlder && penaltyDurationsMs.ban !== null) return complete;
  return {
    ...complete,
    probation: { ...NO_RUNS, ...probation },
    maintenance: { ...NO_HORIZON, ...maintenance },
    // Bans in the log say themselves when they end; those to come are final only where a person says so.
    penaltyDurationsMs: { ...penaltyDurationsMs, ban: penaltyDurationsMs.ban ?? BAN_MS },
  };
}

/**
 * Whole parts of a policy that were added. The storage provider leaves suspensions and time-outs to people, as was; no
 * operator lent a newcomer its record. Reports of misbehaviour and maintenance are in no log that is older than their
 * rules, so there any value leaves the past as it was.
 */
const UNSAID: Policy = { ...STORAGE_PROVIDER, operatorShrinkage: null };
/** Neither a run of failures nor many of late put on probation. */
const NO_RUNS = { failuresInRow: 1e9, recentFailedAbove: 1, recentJobs: 30 };
/** Maintenance may begin as far ahead as a policy can say. */
const NO_HORIZON = { horizonMs: DURATION_MAX_MS };
