/** The prior of a subject that has no record of its own, from that of its operator: a fact about others, so it is logged. */
import { hasRecord, operatorPrior, type Kind, type PriorSet, type State } from "@staunch/engine";

/** The act that goes with `subject` getting `operator`, or null where nothing is known or it has a record itself. */
export function priorOf(
  state: State,
  kind: Kind,
  subject: number,
  operator: string | null | undefined,
): PriorSet | null {
  if (operator === null || operator === undefined) return null;
  if (subject < state.places.count && hasRecord(state, subject)) return null;
  const found = operatorPrior(state, kind, operator);
  if (found === null) return null;
  const { prior, ...evidence } = found;
  const reason = `${found.subjects} subjects of the operator are known`;
  return {
    type: "prior.set",
    subject,
    prior,
    evidence: { operator, ...evidence },
    issuer: "staunch",
    reason,
  };
}
