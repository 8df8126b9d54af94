/**
 * How a data set enters: batches of columns in time order, as the log's own events are. Columns and not objects,
 * because a data set has millions of events and an object each would cost more than the fold. The shipped examples
 * and the reader of event files make such sources.
 */
import type { Attributes, HealthColumns, JobColumns, Policy, SampleColumns } from "@staunch/engine";

/** A subject at its first mention. */
export interface ImportSubject {
  readonly id: string;
  readonly kind: string;
  readonly operator: string | null;
  readonly attributes: Attributes;
}

/**
 * One step of an import. The `subject` columns number the subjects of the whole import in the order in which the
 * batches introduce them, from 0 without gaps; a batch introduces its subjects before its own events. Every part
 * may be empty.
 */
export interface ImportBatch {
  /** Milliseconds since 1970; never smaller than in the batch before, never before an event of the batch. */
  readonly loggedAt: number;
  readonly subjects: readonly ImportSubject[];
  /** At most `BATCH_EVENTS_MAX` samples, jobs and reports in all. */
  readonly samples: SampleColumns;
  /** Outcomes of no selection: those that chose in the recorded time are not part of an import. */
  readonly jobs: JobColumns | null;
  readonly health: HealthColumns | null;
}

export interface ImportSource {
  readonly name: string;
  readonly subjectCount: number;
  readonly eventCount: number;
  /** Time of the first and of the last event, milliseconds since 1970. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** Policies of the kinds that the source brings; a kind without one takes the importer's. */
  readonly policies?: { readonly [kind: string]: Policy };
  /** Starts over with each call and yields the same batches each time. */
  readonly batches: () => Iterable<ImportBatch>;
}

/** Samples, jobs and reports of a batch. */
export function eventsOf({ samples, jobs, health }: ImportBatch): number {
  return samples.count + (jobs?.count ?? 0) + (health?.count ?? 0);
}
