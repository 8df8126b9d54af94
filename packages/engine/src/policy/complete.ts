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
  return missing ? { ...STORAGE_PROVIDER, ...policy } : policy;
}
