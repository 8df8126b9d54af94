/**
 * How a data set enters Staunch: batches of columns in time order, as the log's own samples are.
 *
 * Columns and not objects, because a data set has millions of samples and an object each would cost more than the
 * fold: an adapter fills {@link SampleColumns}, and the replay copies them with the subject numbers exchanged.
 */
import type { Attributes } from "../packages/engine/src/event/acts.ts";
import type { SampleColumns } from "../packages/engine/src/event/batch.ts";

/** A batch holds at most this many samples, as many as one append of the log takes. */
export const BATCH_SAMPLES_MAX = 16_384;

/** A subject at its first mention. */
export interface ImportSubject {
  readonly id: string;
  readonly kind: string;
  readonly operator: string;
  readonly attributes: Attributes;
}

/**
 * One step of an import. `samples.subject` numbers the subjects of the whole import in the order in which the
 * batches introduce them, from 0 without gaps; a batch introduces its subjects before its own samples. Either part
 * may be empty.
 */
export interface ImportBatch {
  /** Milliseconds since 1970; never smaller than in the batch before, never before a sample of the batch. */
  readonly loggedAt: number;
  readonly subjects: readonly ImportSubject[];
  readonly samples: SampleColumns;
}

/** A data set, read and counted, ready to be replayed. */
export interface ImportSource {
  readonly name: string;
  /** Subjects and samples that the batches will bring in all, for a progress bar. */
  readonly subjectCount: number;
  readonly sampleCount: number;
  /** Time of the first and of the last sample, milliseconds since 1970. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** Starts over with each call and yields the same batches each time; arrays are fresh and the caller's to keep. */
  readonly batches: () => Generator<ImportBatch, void, undefined>;
}

/**
 * The same import with all times moved by one amount, so that the last sample happened at `nowMs` (whole
 * milliseconds). Without it the recorded times stand.
 */
export function shiftTo(source: ImportSource, nowMs: number): ImportSource {
  const byMs = nowMs - source.lastAt;
  if (!Number.isSafeInteger(byMs)) throw new RangeError(`${nowMs} is not a time in whole milliseconds`);
  return {
    ...source,
    firstAt: source.firstAt + byMs,
    lastAt: nowMs,
    *batches() {
      for (const batch of source.batches()) {
        const at = batch.samples.at.map((recordedAt) => recordedAt + byMs);
        yield { ...batch, loggedAt: batch.loggedAt + byMs, samples: { ...batch.samples, at } };
      }
    },
  };
}
