/** What every import of samples promises, checked over a whole one; for the tests of the adapters. */
import { createHash } from "node:crypto";
import { BATCH_EVENTS_MAX, METRICS } from "@staunch/engine";
import type {
  ImportBatch,
  ImportSource,
  ImportSubject,
} from "../packages/server/src/app/import/import-source.ts";

/** A sample, taken out of its columns. */
export interface PlainSample {
  readonly subject: string;
  readonly metric: string;
  readonly value: number;
  readonly at: number;
  readonly monitor: string | null;
  readonly context: string | null;
}

/** Replays all of it; throws at the first broken promise, returns all subjects and a digest of every byte. */
export function checkReplay(source: ImportSource): { subjects: readonly ImportSubject[]; digest: string } {
  const subjects: ImportSubject[] = [];
  const hash = createHash("sha256");
  let samples = 0;
  let loggedAt = -Infinity;
  let lastAt = -Infinity;
  let firstAt = Infinity;
  for (const batch of source.batches()) {
    subjects.push(...batch.subjects);
    if (batch.loggedAt < loggedAt) throw new Error(`logged at ${batch.loggedAt} after ${loggedAt}`);
    loggedAt = batch.loggedAt;
    checkColumns(batch, subjects.length, lastAt);
    const { count, at, value, subject, kind, monitor, context } = batch.samples;
    samples += count;
    firstAt = Math.min(firstAt, at[0] ?? Infinity);
    lastAt = at[count - 1] ?? lastAt;
    for (const column of [at, value, subject, kind]) hash.update(column);
    hash.update(JSON.stringify([batch.loggedAt, batch.subjects, monitor, context]));
  }
  const counted = { samples, subjects: subjects.length, firstAt, lastAt };
  const announced = {
    samples: source.eventCount,
    subjects: source.subjectCount,
    firstAt: source.firstAt,
    lastAt: source.lastAt,
  };
  if (JSON.stringify(counted) !== JSON.stringify(announced)) {
    throw new Error(`announced ${JSON.stringify(announced)}, brought ${JSON.stringify(counted)}`);
  }
  if (new Set(subjects.map((subject) => subject.id)).size !== subjects.length)
    throw new Error("an id came twice");
  return { subjects, digest: hash.digest("hex") };
}

/** All samples that `wanted` picks by subject. */
export function* samplesOf(source: ImportSource, wanted: (id: string) => boolean): Generator<PlainSample> {
  const ids: string[] = [];
  for (const { subjects, samples } of source.batches()) {
    for (const { id } of subjects) ids.push(id);
    for (let index = 0; index < samples.count; index++) {
      const subject = ids[samples.subject[index]!]!;
      if (!wanted(subject)) continue;
      yield {
        subject,
        metric: METRICS[samples.kind[index]!]!.name,
        value: samples.value[index]!,
        at: samples.at[index]!,
        monitor: samples.monitor?.[index] ?? null,
        context: samples.context?.[index] ?? null,
      };
    }
  }
}

function checkColumns({ loggedAt, samples }: ImportBatch, known: number, after: number): void {
  const { count, at, value, subject, kind } = samples;
  if (count > BATCH_EVENTS_MAX) throw new Error(`${count} samples in a batch`);
  let before = after;
  for (let index = 0; index < count; index++) {
    const metric = METRICS[kind[index]!]!;
    const isValid = value[index]! >= metric.min && value[index]! <= metric.max;
    if (!isValid) throw new Error(`${metric.name} of ${value[index]}`);
    if (subject[index]! >= known) throw new Error(`subject ${subject[index]} was not introduced`);
    if (at[index]! < before || at[index]! > loggedAt) throw new Error(`sample of ${at[index]} out of order`);
    before = at[index]!;
  }
}
