/**
 * How a data set enters: batches of columns in time order, as the log's own samples are. Columns and not objects,
 * because a data set has millions of samples and an object each would cost more than the fold. The shipped examples
 * and the reader of event files make such sources.
 */
import type { Attributes, Policy, SampleColumns } from "@staunch/engine";

/** A subject at its first mention. */
export interface ImportSubject {
  readonly id: string;
  readonly kind: string;
  readonly operator: string | null;
  readonly attributes: Attributes;
}

/**
 * One step of an import. `samples.subject` numbers the subjects of the whole import in the order in which the batches
 * introduce them, from 0 without gaps; a batch introduces its subjects before its own samples. Either part
 * may be empty.
 */
export interface ImportBatch {
  /** Milliseconds since 1970; never smaller than in the batch before, never before a sample of the batch. */
  readonly loggedAt: number;
  readonly subjects: readonly ImportSubject[];
  /** At most `BATCH_EVENTS_MAX` samples. */
  readonly samples: SampleColumns;
}

export interface ImportSource {
  readonly name: string;
  readonly subjectCount: number;
  readonly sampleCount: number;
  /** Time of the first and of the last sample, milliseconds since 1970. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** Policies of the kinds that the source brings; a kind without one takes the importer's. */
  readonly policies?: { readonly [kind: string]: Policy };
  /** Starts over with each call and yields the same batches each time. */
  readonly batches: () => Iterable<ImportBatch>;
}
