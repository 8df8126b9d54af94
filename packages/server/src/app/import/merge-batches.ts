/** Puts small batches of an import together: each becomes a record of the log, and a record costs a sync of the disk. */
import { BATCH_EVENTS_MAX, type SampleColumns } from "@staunch/engine";
import type { ImportBatch, ImportSubject } from "./import-source.ts";

/** Batches are put together while they were logged within this time of the first, so that time keeps its shape. */
const SPAN_MAX_MS = 86_400_000;

/** The same subjects and samples in the same order, in fewer batches, each as late as the last that is in it. */
export function* mergeBatches(batches: Iterable<ImportBatch>): Generator<ImportBatch, void, undefined> {
  let parts: ImportBatch[] = [];
  let events = 0;
  for (const batch of batches) {
    const size = Math.max(batch.samples.count, batch.subjects.length);
    const first = parts[0];
    if (
      first !== undefined &&
      (events + size > BATCH_EVENTS_MAX || batch.loggedAt - first.loggedAt >= SPAN_MAX_MS)
    ) {
      yield join(parts);
      parts = [];
      events = 0;
    }
    parts.push(batch);
    events += size;
  }
  if (parts.length > 0) yield join(parts);
}

function join(parts: readonly ImportBatch[]): ImportBatch {
  const last = parts.at(-1)!;
  if (parts.length === 1) return last;
  const subjects: ImportSubject[] = [];
  for (const part of parts) subjects.push(...part.subjects);
  return { loggedAt: last.loggedAt, subjects, samples: joinSamples(parts.map(({ samples }) => samples)) };
}

function joinSamples(parts: readonly SampleColumns[]): SampleColumns {
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const at = new Float64Array(count);
  const value = new Float64Array(count);
  const subject = new Uint32Array(count);
  const kind = new Uint8Array(count);
  let start = 0;
  for (const part of parts) {
    at.set(part.at, start);
    value.set(part.value, start);
    subject.set(part.subject, start);
    kind.set(part.kind, start);
    start += part.count;
  }
  const weight = parts.every((part) => part.weight === null) ? null : new Float64Array(count).fill(1);
  if (weight !== null) fillWeights(weight, parts);
  const monitor = joinNames(parts, ({ monitor: names }) => names);
  const context = joinNames(parts, ({ context: names }) => names);
  return { count, at, value, subject, kind, weight, monitor, context };
}

function fillWeights(weight: Float64Array, parts: readonly SampleColumns[]): void {
  let start = 0;
  for (const part of parts) {
    if (part.weight !== null) weight.set(part.weight, start);
    start += part.count;
  }
}

function joinNames(
  parts: readonly SampleColumns[],
  namesOf: (part: SampleColumns) => readonly (string | null)[] | null,
): (string | null)[] | null {
  if (parts.every((part) => namesOf(part) === null)) return null;
  const all: (string | null)[] = [];
  for (const part of parts) {
    const names = namesOf(part);
    for (let index = 0; index < part.count; index++) all.push(names === null ? null : names[index]!);
  }
  return all;
}
