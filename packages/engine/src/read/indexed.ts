/** What a row says without evaluating it: cheap enough to look through a whole kind. */
import { EVENT_COUNT, FIRST_AT, LAST_AT, NUMBER, rowStart, SCORE, TIER } from "../state/row-table.ts";
import type { Kind } from "../state/state.ts";

/** A subject as last evaluated, at most the policy's update interval ago. */
export interface Indexed {
  readonly subject: number;
  readonly score: number;
  readonly tier: string;
  /** Samples folded. */
  readonly eventCount: number;
  /** Ms since 1970; null before any evidence. */
  readonly lastEvidenceAt: number | null;
}

/** @param row of the kind, 0 to `kind.table.count` - 1; rows are in the order of registration */
export function indexedRow(kind: Kind, row: number): Indexed {
  const { f64, u32 } = kind.table.chunkOf(row);
  const start = rowStart(row);
  return {
    subject: u32[start * 2 + NUMBER]!,
    score: f64[start + SCORE]!,
    tier: kind.compiled.policy.tiers.names[u32[start * 2 + TIER]!]!,
    eventCount: u32[start * 2 + EVENT_COUNT]!,
    lastEvidenceAt: f64[start + FIRST_AT] === 0 ? null : f64[start + LAST_AT]!,
  };
}
