import { HEALTH_PARTS } from "../event/jobs.ts";
import type { HealthPartPolicy, HealthPolicy } from "./policy.ts";

/**
 * Parts of a health report in their one order: those every policy knows, then the others by name. The order of the
 * keys says nothing, because the log gives them back in another one, and it is the order of a row's columns.
 */
export function orderedParts(parts: HealthPolicy["parts"]): (readonly [string, HealthPartPolicy])[] {
  const known = HEALTH_PARTS.filter((name) => parts[name] !== undefined);
  const added = Object.keys(parts).filter((name) => !HEALTH_PARTS.some((part) => part === name));
  return [...known, ...added.toSorted()].map((name) => [name, parts[name]!]);
}
