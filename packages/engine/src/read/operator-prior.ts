/**
 * What the record of an operator says of a subject that has none yet: leaving under a bad name and coming back under a
 * new one with the same owner gains nothing, and a good owner does not begin as a stranger.
 */
import { FIRST_AT, FLAGS, IS_BANNED, rowStart, SCORE, WINDOW_COUNT } from "../state/row-table.ts";
import { priorUtilityOf } from "../score/prior.ts";
import { kindOf, type Kind, type State } from "../state/state.ts";

/** Subjects of an operator that are looked at. */
const SUBJECTS_MAX = 1000;
/** One subject counts as at most so many observations, so that an operator is more than its oldest node. */
const SUBJECT_EVIDENCE_MAX = 100;

export interface OperatorPrior {
  /** Utility 0..1 that takes the place of the policy's initial one. */
  readonly prior: number;
  /** Subjects with evidence, their mean utility, and the observations behind it. */
  readonly subjects: number;
  readonly mean: number;
  readonly observations: number;
}

/**
 * The mean of the scores of the operator's subjects of the kind, as last evaluated, penalties included, by their
 * evidence, shrunk toward the policy's initial score by `operatorShrinkage` pseudo-observations. A banned subject
 * counts as 0. Null where no subject has evidence, or the policy does not ask for it.
 */
export function operatorPrior(state: State, kind: Kind, operator: string): OperatorPrior | null {
  const { compiled } = kind;
  const { operatorShrinkage, maxScore } = compiled.policy;
  if (operatorShrinkage === null) return null;
  let subjects = 0;
  let sum = 0;
  let observations = 0;
  let looked = 0;
  for (const subject of state.profiles.ofOperator(operator)) {
    if (kindOf(state, subject) !== kind) continue;
    if (++looked > SUBJECTS_MAX) break;
    const row = state.places.rowOf(subject);
    const { f64, u32 } = kind.table.chunkOf(row);
    const start = rowStart(row);
    const weight = Math.min(SUBJECT_EVIDENCE_MAX, u32[start * 2 + WINDOW_COUNT]!);
    if (weight === 0) continue;
    const isBanned = (u32[start * 2 + FLAGS]! & IS_BANNED) !== 0;
    subjects += 1;
    observations += weight;
    sum += isBanned ? 0 : (weight * f64[start + SCORE]!) / maxScore;
  }
  if (observations === 0) return null;
  const prior = (operatorShrinkage * compiled.priorUtility + sum) / (operatorShrinkage + observations);
  return { prior, subjects, mean: sum / observations, observations };
}

/** Whether a registered subject has evidence of its own. */
export function hasRecord(state: State, subject: number): boolean {
  const row = state.places.rowOf(subject);
  return kindOf(state, subject).table.chunkOf(row).f64[rowStart(row) + FIRST_AT]! > 0;
}

/** Utility 0..1 that the prior of a registered subject stands for. */
export function rowPrior(state: State, subject: number): number {
  const { table, compiled } = kindOf(state, subject);
  const row = state.places.rowOf(subject);
  return priorUtilityOf(table.chunkOf(row).f64, rowStart(row), compiled);
}
