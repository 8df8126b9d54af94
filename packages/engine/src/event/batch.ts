/**
 * What the log holds and the fold reads: a batch of entries, each entry one request.
 *
 * Subjects appear as dense numbers. An entry first registers the ids it is the first to name, then adds its
 * samples, health reports and job outcomes as columns, then its acts, then the selections that were made.
 */
import type { Act } from "./acts.ts";
import type { HealthColumns, JobColumns } from "./jobs.ts";
import type { SelectionMade } from "./selection.ts";

/** The sample was taken at a call that failed: it is kept and aggregated, but failing fast is not fast. */
export const SAMPLE_FAILED = 0x80;
/** Low bits of a kind byte: the metric's code. */
export const SAMPLE_METRIC_MASK = 0x3f;

/** Event weights lie in (0, 10]. */
export const SAMPLE_WEIGHT_MAX = 10;

/**
 * Samples as columns, all of length `count`. Optional columns are null when no sample of the frame uses them.
 */
export interface SampleColumns {
  readonly count: number;
  /** When it happened, milliseconds since 1970. */
  readonly at: Float64Array;
  /** The measured value in the metric's unit. */
  readonly value: Float64Array;
  /** Dense number of the subject. */
  readonly subject: Uint32Array;
  /** Metric code, with {@link SAMPLE_FAILED} added when the call failed. */
  readonly kind: Uint8Array;
  /** Weight of the sample in (0, 10]; null means 1 for all. */
  readonly weight: Float64Array | null;
  /** Who measured, at most 256 bytes each; null where unnamed. */
  readonly monitor: readonly (string | null)[] | null;
  /** Free text of the producer, at most 256 bytes each; kept with the raw sample, never read by the fold. */
  readonly context: readonly (string | null)[] | null;
}

/** A first mention of an id. Numbers are given in order without gaps, so the list is the whole truth. */
export interface Registration {
  readonly number: number;
  readonly kind: string;
  readonly id: string;
}

/** One request as it is logged. */
export interface Entry {
  /** Stable name of the sender with its own counter, or "" and 0. A counter at or below the last seen is a repeat. */
  readonly producer: string;
  readonly sequence: number;
  /** Client's idempotency key, or "". */
  readonly idempotencyKey: string;
  /** Digest of the request body: the same key with another body is a mistake, not a repeat. */
  readonly requestHash: string;
  /** The answer to give again to a repeat of this request, as JSON text; "" for none. */
  readonly answer: string;
  readonly registrations: readonly Registration[];
  readonly samples: SampleColumns | null;
  readonly jobs: JobColumns | null;
  readonly health: HealthColumns | null;
  readonly selections: readonly SelectionMade[];
  readonly acts: readonly Act[];
}

/** What an entry has that nobody sent: no sender, no key, nothing in it. */
export const EMPTY_ENTRY: Entry = {
  producer: "",
  sequence: 0,
  idempotencyKey: "",
  requestHash: "",
  answer: "",
  registrations: [],
  samples: null,
  jobs: null,
  health: null,
  selections: [],
  acts: [],
};

/** One log record. An empty list of entries is a tick: time passes and nothing else happened. */
export interface Batch {
  /** Place in the log, 1, 2, 3 ... */
  readonly position: number;
  /** Milliseconds since 1970, never smaller than the batch before. */
  readonly loggedAt: number;
  readonly entries: readonly Entry[];
}
