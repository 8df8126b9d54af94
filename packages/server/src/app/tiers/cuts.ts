/**
 * Cuts of percentile tiers. Where they lie depends on the whole ranking, so the fold cannot know them: they are taken
 * from the ranking here and enter the log as an act.
 */
import { EMPTY_ENTRY, percentileCuts, type Kind, type TierCuts } from "@staunch/engine";
import type { Partition } from "../partition/partition.ts";

/** Cuts that moved by less, in points, are left as they are. */
const MOVE_MIN = 0.01;
/** Differences of stored scores are exact to far more than this. */
const TOLERANCE = 1e-9;

/** The act that brings the cuts of a kind up to date, or null when there is nothing to change. */
export function movedCuts(kind: Kind): TierCuts | null {
  const { tiers } = kind.compiled.policy;
  const rated = kind.rank.count;
  if (tiers.mode !== "percentile" || rated < tiers.ratedMin) return null;
  const cuts = percentileCuts(kind);
  const before = kind.cuts?.scores;
  const moved = cuts.some(
    (cut, index) => Math.abs(cut - (before?.[index] ?? Infinity)) >= MOVE_MIN - TOLERANCE,
  );
  if (before !== undefined && !moved) return null;
  const reason = `shares ${tiers.percentileCuts.join(", ")} of ${rated} rated`;
  return { type: "tier.cuts", kind: kind.name, cuts, rated, issuer: "staunch", reason };
}

export class TierCutter {
  private readonly partition: Partition;
  /** Log time at which each kind was last looked at, by the kind's index. */
  private readonly lookedAt: number[] = [];

  constructor(partition: Partition) {
    this.partition = partition;
  }

  /** Logs the cuts that have moved; each kind is looked at once in its update interval at most. */
  async update(): Promise<void> {
    const { state } = this.partition;
    const acts = state.kinds.flatMap((kind) => {
      const before = this.lookedAt[kind.index] ?? -Infinity;
      if (state.now - before < kind.compiled.policy.updateIntervalMs) return [];
      this.lookedAt[kind.index] = state.now;
      return movedCuts(kind) ?? [];
    });
    if (acts.length === 0) return;
    // A refusal needs no answer: the next look finds the cuts moved still.
    await this.partition.submit({ ...EMPTY_ENTRY, acts }, state.now);
  }
}
