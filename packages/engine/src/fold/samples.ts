/**
 * Samples into rows: the hot path. No allocation per event; a batch is folded in runs whose rows are touched first,
 * so that their memory arrives together instead of one after another.
 */
import { SAMPLE_FAILED, SAMPLE_METRIC_MASK, type SampleColumns } from "../event/batch.ts";
import { METRICS, metricCode } from "../event/metrics.ts";
import { COMPONENT_SOURCES, utilityOf } from "../policy/compile.ts";
import { judge } from "../sanction/alert.ts";
import { addEvidence } from "../score/evidence.ts";
import {
  EVENT_COUNT,
  HEADER_SIZE,
  isFolded,
  NUMBER,
  rowStart,
  SLOT_OFFSETS,
  STALE_MEANS,
  WINDOW_COUNT,
} from "../state/row-table.ts";
import type { Kind, State } from "../state/state.ts";
import { onVerdict } from "./alerts.ts";
import { REASON } from "./effects.ts";
import { evaluate } from "./evaluate.ts";
import { stampEvidence } from "./stamp.ts";
import { RUN_LENGTH, WORDS_PER_LINE } from "./touch.ts";

/** Less than this would come to zero when halved or squared, and zero over zero is no mean. */
const WEIGHT_MIN = 1e-9;
const runKind = new Uint8Array(RUN_LENGTH);
const runRow = new Uint32Array(RUN_LENGTH);
const runStart = new Uint32Array(RUN_LENGTH);
/** For each metric, a word in every line that a sample of it reads: the header, and the slots that its components mix. */
const TOUCHED_WORDS = METRICS.map(({ name }) => touchedWords(name));
/** Kept in the module so that touching is not optimised away. */
let touched = 0;

/** @param isNew they are to be aggregated as well */
export function foldSamples(state: State, samples: SampleColumns, isNew: boolean): void {
  for (let from = 0; from < samples.count; from += RUN_LENGTH) {
    const length = Math.min(RUN_LENGTH, samples.count - from);
    touchRun(state, samples, from, length);
    for (let place = 0; place < length; place++) foldSample(state, samples, from + place, place, isNew);
    for (let place = 0; place < length; place++) {
      const next = place + 1;
      // Neighbours of the same subject are evaluated once.
      if (next < length && runRow[next] === runRow[place] && runKind[next] === runKind[place]) continue;
      const kind = state.kinds[runKind[place]!]!;
      const row = runRow[place]!;
      const chunk = kind.table.chunkOf(row);
      if (!isFolded(chunk, row, state.position))
        evaluate(state, kind, row, chunk, runStart[place]!, REASON.metric);
    }
  }
}

/** Aggregates samples that the fold takes later: they show what was measured. */
export function aggregateSamples(state: State, samples: SampleColumns): void {
  const { places, kinds } = state;
  for (let index = 0; index < samples.count; index++) {
    const subject = samples.subject[index]!;
    const kind = kinds[places.kindOf(subject)]!;
    const row = places.rowOf(subject);
    if (kind.aggregates === null || isFolded(kind.table.chunkOf(row), row, state.position)) continue;
    aggregate(kind, row, samples.kind[index]! & SAMPLE_METRIC_MASK, samples, index, state.now);
  }
}

function touchRun(state: State, samples: SampleColumns, from: number, length: number): void {
  const { places, kinds } = state;
  for (let place = 0; place < length; place++) {
    const subject = samples.subject[from + place]!;
    const kind = places.kindOf(subject);
    const row = places.rowOf(subject);
    const start = rowStart(row);
    runKind[place] = kind;
    runRow[place] = row;
    runStart[place] = start;
    const metric = samples.kind[from + place]! & SAMPLE_METRIC_MASK;
    const { aggregates, table } = kinds[kind]!;
    if (aggregates !== null) touched = (touched + aggregates.touch(row, metric)) | 0;
    const { u32 } = table.chunkOf(row);
    const lines = TOUCHED_WORDS[metric]!;
    for (let line = 0; line < lines.length; line++) touched = (touched + u32[start * 2 + lines[line]!]!) | 0;
  }
}

function foldSample(
  state: State,
  samples: SampleColumns,
  index: number,
  place: number,
  isNew: boolean,
): void {
  const kind = state.kinds[runKind[place]!]!;
  const row = runRow[place]!;
  const chunk = kind.table.chunkOf(row);
  // A restored chunk already holds what was logged before it was written.
  if (isFolded(chunk, row, state.position)) return;
  const start = runStart[place]!;
  const code = samples.kind[index]!;
  const metric = code & SAMPLE_METRIC_MASK;
  const rule = kind.compiled.metrics[metric]!;
  const at = samples.at[index]!;
  const value = samples.value[index]!;
  const weight = samples.weight === null ? 1 : Math.max(WEIGHT_MIN, samples.weight[index]!);
  const failed = code >= SAMPLE_FAILED;
  if (isNew && kind.aggregates !== null) aggregate(kind, row, metric, samples, index, state.now);
  chunk.u32[start * 2 + EVENT_COUNT]! += 1;
  // Failing fast is not fast: a failed call says nothing about speed.
  if (failed && rule.shape !== "bounded") return;
  stampEvidence(state, kind, chunk, start, at);
  const slot = start + SLOT_OFFSETS[metric]!;
  chunk.u32[start * 2 + STALE_MEANS]! |= rule.componentBits;
  chunk.u32[start * 2 + WINDOW_COUNT]! += addEvidence(chunk, slot, rule, at, utilityOf(rule, value), weight);
  if (rule.alertThreshold === null) return;
  const verdict = judge(chunk, slot, rule, kind.compiled.policy.alerts, at, value);
  if (verdict === "opens" || verdict === "closes") {
    onVerdict(state, kind, chunk.u32[start * 2 + NUMBER]!, rule, verdict, at);
  }
}

function aggregate(
  kind: Kind,
  row: number,
  metric: number,
  samples: SampleColumns,
  index: number,
  nowMs: number,
): void {
  kind.aggregates!.add(
    row,
    metric,
    samples.at[index]!,
    samples.value[index]!,
    samples.weight === null ? 1 : samples.weight[index]!,
    samples.kind[index]! >= SAMPLE_FAILED,
    samples.monitor === null ? null : samples.monitor[index]!,
    samples.context === null ? null : samples.context[index]!,
    nowMs,
  );
}

function touchedWords(metric: string): Uint16Array {
  const mixed = Object.values(COMPONENT_SOURCES)
    .filter((sources) => sources.some((source) => source === metric))
    .flat()
    .filter((source) => metricCode(source) !== -1);
  const words = new Set<number>();
  for (let word = 0; word < HEADER_SIZE * 2; word += WORDS_PER_LINE) words.add(word);
  for (const name of mixed) {
    const code = metricCode(name);
    const end = SLOT_OFFSETS[code + 1]! * 2;
    for (let word = SLOT_OFFSETS[code]! * 2; word < end; word++) words.add(word - (word % WORDS_PER_LINE));
  }
  return Uint16Array.from([...words].sort((a, b) => a - b));
}
