/** What is not written into a snapshot, because a restored row says it: ranking, network totals, deadlines. */
import { NUMBER, rowStart } from "../state/row-table.ts";
import type { Kind, State } from "../state/state.ts";
import { queueDeadlines, queueSilence } from "./deadlines.ts";
import { indexRow } from "./index-row.ts";
import { recount } from "./network.ts";

/**
 * A restored row takes its place: when the snapshot has been read, or at its registration for a subject that came
 * while the snapshot was written.
 */
export function takeUp(state: State, kind: Kind, row: number): void {
  const { u32, work } = kind.table.chunkOf(row);
  indexRow(kind, row);
  queueDeadlines(state, u32[rowStart(row) * 2 + NUMBER]!);
  if (work !== null) takeUpWork(state, kind, row);
}

/** The part for jobs and health comes later where a policy began to read them while the snapshot was written. */
export function takeUpWork(state: State, kind: Kind, row: number): void {
  const chunk = kind.table.chunkOf(row);
  const start = rowStart(row);
  recount(kind, chunk, start);
  queueSilence(state, chunk.u32[start * 2 + NUMBER]!);
}
