/** Cuts of percentile tiers: where they lie depends on the whole ranking. */
import { percentileCuts, type Kind, type TierCuts } from "@staunch/engine";

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
