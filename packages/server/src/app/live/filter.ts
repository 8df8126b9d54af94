/** What a subscriber wants to hear of. */
import { kindOf, rowStart, TIER, type Effect, type State } from "@staunch/engine";

/** The type of a score change; the other types are those of effects, for example `tier.changed`. */
export const SCORE_CHANGED = "score.changed";

/** The type of what a network has come to. */
export const NETWORK_CHANGED = "network.changed";

/** What a subscriber can choose from. */
export type LiveType = typeof SCORE_CHANGED | typeof NETWORK_CHANGED | Effect["type"];

/** All that are given must fit; null fits everything. */
export interface LiveFilter {
  /** Id of the one subject. */
  readonly subject: string | null;
  readonly kind: string | null;
  readonly operator: string | null;
  /** Tier now, by name. */
  readonly tier: string | null;
  /** Never empty. */
  readonly types: readonly LiveType[] | null;
}

/** Equal for filters that let the same through. */
export function filterKey(filter: LiveFilter): string {
  const { subject, kind, operator, tier, types } = filter;
  return JSON.stringify([subject, kind, operator, tier, types === null ? null : [...new Set(types)].sort()]);
}

export function letsType(filter: LiveFilter, type: LiveType): boolean {
  return filter.types === null || filter.types.includes(type);
}

/** Whether a registered subject is one of those that are wanted; its id is the caller's to compare. */
export function letsSubject(filter: LiveFilter, state: State, subject: number): boolean {
  const { kind, operator, tier } = filter;
  if (kind !== null && kindOf(state, subject).name !== kind) return false;
  if (operator !== null && state.profiles.get(subject)?.operator !== operator) return false;
  return tier === null || tierOf(state, subject) === tier;
}

export function tierOf(state: State, subject: number): string {
  const { compiled, table } = kindOf(state, subject);
  const row = state.places.rowOf(subject);
  return compiled.policy.tiers.names[table.chunkOf(row).u32[rowStart(row) * 2 + TIER]!]!;
}
