/** A restart in memory: parts of a snapshot, and the log behind them. */
import { apply } from "../fold/apply.ts";
import { ROWS, type Part } from "../snapshot/format.ts";
import { endReplay, restoreParts } from "../snapshot/restore.ts";
import { snapshotParts } from "../snapshot/write.ts";
import type { State, StateOptions } from "../state/state.ts";
import type { Lab } from "./lab.ts";

const OPTIONS: StateOptions = { seed: 99, policies: {}, aggregates: true };

/** All parts at one position. */
export function partsOf(state: State): Part[] {
  return Array.from(snapshotParts(state), kept);
}

/** All parts, the smallest there can be; `between` is told the part it follows and may apply batches. */
export function partsWhile(state: State, between: (part: Part) => void): Part[] {
  const parts: Part[] = [];
  for (const part of snapshotParts(state, 1)) {
    parts.push(kept(part));
    between(part);
  }
  return parts;
}

/** The same, where `meanwhile` happens when the first unit of rows is written and the others are not. */
export function whileRowsAreWritten(lab: Lab, meanwhile: () => void): Part[] {
  let hasRows = false;
  return partsWhile(lab.state, ({ type }) => {
    if (type === ROWS && !hasRows) meanwhile();
    hasRows ||= type === ROWS;
  });
}

/** The part beyond the next step, which writes to the same memory. */
export function kept(part: Part): Part {
  return { ...part, bytes: part.bytes.slice() };
}

/** Restores the parts and replays the log behind them. */
export function restored(parts: readonly Part[], lab: Lab, options: StateOptions = OPTIONS): State {
  const restore = restoreParts(options);
  for (const part of parts) restore.part(part);
  restore.finish();
  const { state } = restore;
  for (const batch of lab.log) if (batch.position > state.position) apply(state, batch);
  endReplay(state);
  return state;
}
