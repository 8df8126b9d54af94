/**
 * Samples that name their monitor: measured at once, counted when their window has closed, and not at all when it was
 * voided (`state/provisional.ts`).
 *
 * What a monitor saw of a subject in a window by a correlated metric counts as one sample, its mean over the time, so
 * that a burst of probes says no more than one of them. Samples of other metrics count one by one.
 */
import type { Act, WindowVoided } from "../event/acts.ts";
import type { Batch, SampleColumns } from "../event/batch.ts";
import { BATCH_EVENTS_MAX } from "../event/columns.ts";
import { samplesByMonitor, windowOf, type MonitorWindow } from "../state/monitor-window.ts";
import { EVENT_COUNT, isFolded, rowStart } from "../state/row-table.ts";
import { kindOf, type State } from "../state/state.ts";
import { excusedRows } from "./maintenance.ts";
import { aggregateSamples, foldSamples } from "./samples.ts";

/** Observations that one batch releases; the next continues. No batch brings more samples. */
const RELEASED_PER_BATCH_MAX = BATCH_EVENTS_MAX;

/**
 * Takes the samples of an entry: those without a monitor count at once, and so do those whose window has closed. What
 * announced maintenance excuses is measured and counts never.
 */
export function takeSamples(state: State, samples: SampleColumns): void {
  state.eventCount += samples.count;
  const excused = excusedRows(state, samples);
  if (samples.monitor === null && excused === null) {
    foldSamples(state, samples, true);
    return;
  }
  aggregateSamples(state, samples);
  const counting: number[] = [];
  for (let row = 0; row < samples.count; row++) {
    if (excused?.has(row) === true) continue;
    const monitor = samples.monitor?.[row] ?? null;
    if (monitor === null || countsAtOnce(state, samples, row, monitor)) counting.push(row);
  }
  if (counting.length > 0) foldSamples(state, onlyRows(samples, counting), false);
}

/**
 * Windows that are over close when the log's time moves on. A batch that brings a verdict closes none: a verdict
 * always comes in time, whatever the clock has done since it was found.
 */
export function closeWindows(state: State, next: Batch): void {
  if (next.loggedAt === state.now || state.provisional.count === 0) return;
  const isVerdict = ({ type }: Act): boolean => type === "window.voided";
  if (!next.entries.some(({ acts }) => acts.some(isVerdict))) state.provisional.close(state.now);
}

/** Lets closed windows into the fold, oldest first. */
export function releaseWindows(state: State): void {
  const { provisional } = state;
  if (provisional.oldestIndex() > provisional.closedTo) return;
  let left = RELEASED_PER_BATCH_MAX;
  for (const window of provisional.sorted()) {
    if (left === 0 || window.index > provisional.closedTo) return;
    left -= releaseSome(state, window, left);
    if (window.released === window.observations) provisional.windows.delete(window.index);
  }
}

/** A window that is not held any more was judged too late: then nothing happens. */
export function voidWindow(state: State, act: WindowVoided): void {
  const { provisional } = state;
  const { monitor, from, to, evidence } = act;
  const index = windowOf(from);
  const window = provisional.windows.get(index);
  if (window === undefined || index <= provisional.closedTo || provisional.isVoid(monitor, index)) return;
  const samples = samplesByMonitor(window)[window.codes.get(monitor) ?? -1] ?? 0;
  provisional.addVoid({ act, samples, position: state.position, loggedAt: state.now });
  const { metric, operators, failing, subjects } = evidence;
  state.effects.list.push({ type: "window.voided", monitor, from, to, metric, operators, failing, samples });
  for (const subject of subjects)
    state.effects.list.push({ type: "evidence.voided", subject, monitor, from, to, metric });
}

/** Holds the sample, or drops it with its window; true when it is neither. */
function countsAtOnce(state: State, samples: SampleColumns, row: number, monitor: string): boolean {
  const { provisional } = state;
  const at = samples.at[row]!;
  const index = windowOf(at);
  if (provisional.isVoid(monitor, index)) return false;
  if (index <= provisional.closedTo) return true;
  const weight = samples.weight === null ? 1 : samples.weight[row]!;
  return !provisional.hold(
    monitor,
    at,
    samples.value[row]!,
    weight,
    samples.subject[row]!,
    samples.kind[row]!,
  );
}

/** Releases the next observations of a window, `countMax` at most, and says how many. */
function releaseSome(state: State, window: MonitorWindow, countMax: number): number {
  const { provisional } = state;
  const first = window.released;
  const end = Math.min(window.observations, first + countMax);
  const isVoid = window.monitors.map((monitor) => provisional.isVoid(monitor, window.index));
  const counting: Observation[] = [];
  for (let place = first; place < end; place++) {
    const observation = observationAt(window, place);
    provisional.count -= observation.samples;
    if (!isVoid[window.monitor(observation.row)]!) counting.push(observation);
  }
  window.released = end;
  for (const { row, samples } of counting)
    if (samples > 1) countEvents(state, window.subject(row), samples - 1);
  foldSamples(state, columnsOf(window, counting), false);
  return end - first;
}

/** A sample, or the samples of a series as one: its newest row says when and whose it is. */
interface Observation {
  readonly row: number;
  readonly value: number;
  readonly weight: number;
  readonly samples: number;
}

function observationAt(window: MonitorWindow, place: number): Observation {
  const { singles } = window;
  if (place < singles.length) {
    const row = singles[place]!;
    return { row, value: window.value(row), weight: window.weight(row), samples: 1 };
  }
  const series = place - singles.length;
  const rows = window.rowsOf(series);
  const weight = rows.reduce((sum, row) => sum + window.weight(row), 0) / rows.length;
  return { row: rows.at(-1)!, value: window.meanOf(series), weight, samples: rows.length };
}

function columnsOf(window: MonitorWindow, observations: readonly Observation[]): SampleColumns {
  return {
    count: observations.length,
    at: Float64Array.from(observations, ({ row }) => window.at(row)),
    value: Float64Array.from(observations, ({ value }) => value),
    subject: Uint32Array.from(observations, ({ row }) => window.subject(row)),
    kind: Uint8Array.from(observations, ({ row }) => window.kind(row)),
    weight: Float64Array.from(observations, ({ weight }) => weight),
    monitor: null,
    context: null,
  };
}

/** Samples that are folded as part of another. */
function countEvents(state: State, subject: number, samples: number): void {
  const row = state.places.rowOf(subject);
  const chunk = kindOf(state, subject).table.chunkOf(row);
  if (!isFolded(chunk, row, state.position)) chunk.u32[rowStart(row) * 2 + EVENT_COUNT]! += samples;
}

/** Some rows, in order; what is only kept with the raw sample is left out. */
function onlyRows(samples: SampleColumns, rows: readonly number[]): SampleColumns {
  const { at, value, subject, kind, weight } = samples;
  return {
    count: rows.length,
    at: Float64Array.from(rows, (row) => at[row]!),
    value: Float64Array.from(rows, (row) => value[row]!),
    subject: Uint32Array.from(rows, (row) => subject[row]!),
    kind: Uint8Array.from(rows, (row) => kind[row]!),
    weight: weight === null ? null : Float64Array.from(rows, (row) => weight[row]!),
    monitor: null,
    context: null,
  };
}
