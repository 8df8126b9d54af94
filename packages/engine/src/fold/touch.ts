/**
 * Reads what a run of events will read before the first of them is folded, so that the memory of all their rows
 * arrives together instead of one after another.
 */
import { HEADER_SIZE, rowStart } from "../state/row-table.ts";
import type { State } from "../state/state.ts";
import { HEALTH_VALUES, workStart } from "../state/work-row.ts";

/** Events whose rows are touched together. */
export const RUN_LENGTH = 16;
/** A cache line is 64 bytes. */
export const WORDS_PER_LINE = 16;
/** Kept in the module so that touching is not optimised away. */
let touched = 0;

/** Places of the run, so that looking them up does not wait for the rows. */
const runKind = new Uint8Array(RUN_LENGTH);
const runRow = new Uint32Array(RUN_LENGTH);

/** Touches header and work row of the subjects from `first` to, not including, `end`: {@link RUN_LENGTH} at most. */
export function touchWorkRows(state: State, subjects: Uint32Array, first: number, end: number): void {
  const { places, kinds } = state;
  const length = end - first;
  for (let place = 0; place < length; place++) {
    const subject = subjects[first + place]!;
    runKind[place] = places.kindOf(subject);
    runRow[place] = places.rowOf(subject);
  }
  for (let place = 0; place < length; place++) {
    const kind = kinds[runKind[place]!]!;
    const { u32, work } = kind.table.chunkOf(runRow[place]!);
    touched = (touched + kind.rank.touch(runRow[place]!)) | 0;
    const start = rowStart(runRow[place]!);
    touchLines(u32, start * 2, HEADER_SIZE * 2);
    if (work !== null) touchLines(work.u32, workStart(start) * 2, HEALTH_VALUES * 2);
  }
}

function touchLines(words: Uint32Array, from: number, count: number): void {
  let sum = 0;
  for (let word = from; word < from + count; word += WORDS_PER_LINE) sum += words[word]!;
  touched = (touched + sum) | 0;
}
