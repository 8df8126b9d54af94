import type { Policy } from "./policy.ts";
import { STORAGE_PROVIDER } from "./presets.ts";

/**
 * A policy as an older log holds it, with the keys that were added since: they take the values that leave what the
 * policy decides as it was.
 */
export function completePolicy(policy: Policy): Policy {
  const missing = (Object.keys(STORAGE_PROVIDER) as (keyof Policy)[]).some(
    (key) => policy[key] === undefined,
  );
  const complete = missing ? { ...STORAGE_PROVIDER, ...policy } : policy;
  const { probation } = complete;
  return probation.recentJobs === undefined
    ? { ...complete, probation: { ...NO_RUNS, ...probation } }
    : complete;
}

/** Neither a run of failures nor many of late put on probation. */
const NO_RUNS = { failuresInRow: 1e9, recentFailedAbove: 1, recentJobs: 30 };
