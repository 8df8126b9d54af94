/** What a component stands at before evidence: the policy's initial score, or what is known of the subject's operator. */
import type { CompiledPolicy } from "../policy/compile.ts";
import { PRIOR_SHIFT } from "../state/row-table.ts";

/** Utility 0..1 of the prior of the row that starts at double `start`. */
export function priorUtilityOf(f64: Float64Array, start: number, compiled: CompiledPolicy): number {
  const shift = f64[start + PRIOR_SHIFT]!;
  if (shift === 0) return compiled.priorUtility;
  // Kept as a difference, so that a row of zeros is at the policy's own, and a later policy may lie near an end.
  return Math.max(0, Math.min(1, compiled.priorUtility + shift));
}
