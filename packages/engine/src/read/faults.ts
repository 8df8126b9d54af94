/** What cannot be true of a state, however it came about: damage that no checksum sees. */
import { EVALUATED_AT, NUMBER, rowStart, SCORE, TIER } from "../state/row-table.ts";
import { kindOf, type Kind, type State } from "../state/state.ts";

/** Faults that are told; a state with one of them is wrong, however many there are. */
export const FAULTS_MAX = 20;

/** Sentences about what contradicts itself, at most {@link FAULTS_MAX}; none when every row is possible. */
export function stateFaults(state: State): string[] {
  const rows = state.kinds.reduce((sum, { table }) => sum + table.count, 0);
  if (rows !== state.places.count) return [`${state.places.count} subjects have ${rows} rows`];
  const faults: string[] = [];
  for (let subject = 0; subject < state.places.count && faults.length < FAULTS_MAX; subject++) {
    const fault = rowFault(kindOf(state, subject), state.places.rowOf(subject), subject);
    if (fault !== null) faults.push(`${state.ids.at(subject)}: ${fault}`);
  }
  return faults;
}

function rowFault(kind: Kind, row: number, subject: number): string | null {
  if (row >= kind.table.count) return `row ${row} of ${kind.table.count}`;
  const { f64, u32 } = kind.table.chunkOf(row);
  const start = rowStart(row);
  const number = u32[start * 2 + NUMBER]!;
  if (number !== subject) return `its row is that of subject ${number}`;
  const { tiers, minScore, maxScore } = kind.compiled.policy;
  const tier = u32[start * 2 + TIER]!;
  if (tier >= tiers.names.length) return `tier ${tier} of ${tiers.names.length}`;
  const score = f64[start + SCORE]!;
  // What was last evaluated under an earlier policy may lie outside the range of this one.
  const isCurrent = f64[start + EVALUATED_AT]! > kind.policyAt;
  const isPossible = isCurrent ? score >= minScore && score <= maxScore : Number.isFinite(score);
  return isPossible ? null : `score ${score} outside ${minScore} to ${maxScore}`;
}
