/**
 * The fold: `apply(state, batch) -> effects`. Time enters only as the batch's `loggedAt` and each event's `at`, so
 * the same log gives the same bits on every machine.
 */
import type { Act } from "../event/acts.ts";
import type { Batch, Entry, Registration } from "../event/batch.ts";
import { kindNamed, type State } from "../state/state.ts";
import {
  EVALUATED_AT,
  isFolded,
  LAST_AT,
  NUMBER,
  REGISTERED_AT,
  rowStart,
  SCORE,
  TIER,
  STALE_MEANS,
  ALL_STALE,
} from "../state/row-table.ts";
import { applyAct } from "./act.ts";
import { drainDeadlines } from "./deadlines.ts";
import type { ActResult, Effects, RefusedJob } from "./effects.ts";
import { beginChanges, endChanges } from "./evaluate.ts";
import { closeWindows, releaseWindows, takeSamples } from "./monitored.ts";
import { refreshSlice } from "./refresh.ts";
import { foldHealth } from "./health.ts";
import { foldJobs } from "./jobs.ts";
import { applySelection, forgetSelections } from "./selections.ts";
import { takeUp } from "./take-up.ts";

const NONE_REFUSED: readonly RefusedJob[] = [];

/**
 * Applies one batch and says what happened. The effects are reused: read them before the next batch.
 *
 * @throws RangeError when the batch does not follow the state (an older position or an earlier time): a driver's
 * mistake, never a user's.
 */
export function apply(state: State, batch: Batch): Effects {
  if (batch.position <= state.position) {
    throw new RangeError(`batch ${batch.position} does not follow position ${state.position}`);
  }
  if (batch.loggedAt < state.now)
    throw new RangeError(`batch ${batch.position} is logged before the one before it`);
  const { effects } = state;
  const elapsedMs = state.now === 0 ? 0 : batch.loggedAt - state.now;
  closeWindows(state, batch);
  state.position = batch.position;
  state.now = batch.loggedAt;
  state.idsGiven = 0;
  effects.position = batch.position;
  effects.loggedAt = batch.loggedAt;
  effects.list.length = 0;
  effects.results.length = 0;
  effects.selections.length = 0;
  effects.closings.length = 0;
  beginChanges(state);
  releaseWindows(state);
  forgetSelections(state);
  drainDeadlines(state);
  for (const entry of batch.entries) applyEntry(state, entry);
  refreshSlice(state, elapsedMs);
  endChanges(state);
  return effects;
}

function applyEntry(state: State, entry: Entry): void {
  const repeat = state.memory.recall(entry);
  // Ids that a repeat was the first to name are registered all the same: what follows in the log counts on them.
  for (const registration of entry.registrations) register(state, registration);
  if (repeat !== null) {
    state.effects.results.push(repeat);
    return;
  }
  const acts: ActResult[] = [];
  // Whose a subject is decides what it starts from, so it is known before its first evidence.
  applyActs(state, entry.acts, acts, true);
  if (entry.samples !== null) takeSamples(state, entry.samples);
  if (entry.health !== null) foldHealth(state, entry.health);
  const refusedJobs = entry.jobs === null ? NONE_REFUSED : foldJobs(state, entry.jobs);
  applyActs(state, entry.acts, acts, false);
  const selections = entry.selections.map((made) => applySelection(state, made));
  const decided = { acts, refusedJobs, selections };
  state.memory.remember(entry, decided, state.now);
  state.effects.results.push({ type: "applied", ...decided });
}

/** Applies the acts that say who a subject is, or the others; results stand in the order of the entry. */
function applyActs(state: State, acts: readonly Act[], results: ActResult[], isIdentity: boolean): void {
  for (const [place, act] of acts.entries()) {
    const saysWho = act.type === "subject.updated" || act.type === "prior.set";
    if (saysWho === isIdentity) results[place] = applyAct(state, act);
  }
}

/** Numbers are given in order, so a registration either is the next one or was made by an earlier entry. */
function register(state: State, registration: Registration): void {
  const { number, id } = registration;
  if (number < state.places.count) return;
  if (number > state.places.count)
    throw new RangeError(`subject ${number} registered before ${state.places.count}`);
  if (state.ids.size === number) state.ids.insert(id);
  const kind = kindNamed(state, registration.kind);
  if (kind === undefined) throw new RangeError(`subject ${number} of the unknown kind ${registration.kind}`);
  const row = kind.table.add();
  state.places.add(kind.index, row);
  kind.aggregates?.ensureRows(row + 1);
  kind.durations?.ensureRows(row + 1);
  const chunk = kind.table.chunkOf(row);
  if (isFolded(chunk, row, state.position)) {
    takeUp(state, kind, row);
    return;
  }
  const start = rowStart(row);
  chunk.f64[start + REGISTERED_AT] = state.now;
  chunk.f64[start + LAST_AT] = state.now;
  chunk.f64[start + EVALUATED_AT] = state.now;
  chunk.f64[start + SCORE] = kind.compiled.policy.initialScore;
  chunk.u32[start * 2 + NUMBER] = number;
  chunk.u32[start * 2 + TIER] = kind.compiled.policy.tiers.names.length - 1;
  chunk.u32[start * 2 + STALE_MEANS] = ALL_STALE;
  state.effects.list.push({ type: "subject.registered", subject: number });
}
