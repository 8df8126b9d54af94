/** The prior of a subject that has no record of its own, from that of its operator: a fact about others, so it is logged. */
import { hasRecord, operatorPrior, rowPrior, type Kind, type PriorSet, type State } from "@staunch/engine";

/** A change of a subject's operator. */
export interface OperatorClaim {
  readonly subject: number;
  /** Undefined leaves it as it is. */
  readonly operator: string | null | undefined;
  /** Whether the claim is to be believed where it would help: anybody could name an operator of good repute. */
  readonly isTrusted: boolean;
}

/**
 * The act that goes with the claim; null where it changes nothing, or the subject has a record itself. Whoever leaves an
 * operator before its first evidence leaves its name as well.
 */
export function priorOf(
  state: State,
  kind: Kind,
  { subject, operator, isTrusted }: OperatorClaim,
): PriorSet | null {
  if (operator === undefined) return null;
  const isKnown = subject < state.places.count;
  if (isKnown && hasRecord(state, subject)) return null;
  const initial = kind.compiled.priorUtility;
  const found = operator === null ? null : operatorPrior(state, kind, operator);
  const told = found?.prior ?? initial;
  const prior = isTrusted ? told : Math.min(told, initial);
  if (prior === (isKnown ? rowPrior(state, subject) : initial)) return null;
  const { subjects, mean, observations } = found ?? { subjects: 0, mean: initial, observations: 0 };
  const evidence = { operator, subjects, mean, observations };
  const reason = `${subjects} subjects of the operator are known`;
  return { type: "prior.set", subject, prior, evidence, issuer: "staunch", reason };
}
