/** Puts small batches of an import together: each becomes a record of the log, and a record costs a sync of the disk. */
import { BATCH_EVENTS_MAX } from "@staunch/engine";
import { eventsOf, type ImportBatch, type ImportSubject } from "./import-source.ts";
import { joinHealth, joinJobs, joinSamples } from "./join-columns.ts";

/** Batches are put together while they were logged within this time of the first, so that time keeps its shape. */
const SPAN_MAX_MS = 86_400_000;

/** The same subjects and events in the same order, in fewer batches, each as late as the last that is in it. */
export function* mergeBatches(batches: Iterable<ImportBatch>): Generator<ImportBatch, void, undefined> {
  let parts: ImportBatch[] = [];
  let events = 0;
  for (const batch of batches) {
    const size = Math.max(eventsOf(batch), batch.subjects.length);
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
  return {
    loggedAt: last.loggedAt,
    subjects,
    samples: joinSamples(parts.map(({ samples }) => samples)),
    jobs: joinJobs(parts),
    health: joinHealth(parts),
  };
}
