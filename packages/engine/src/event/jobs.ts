/**
 * Job outcomes and health reports as columns: the evidence of workers.
 *
 * An outcome's code is its place in {@link JOB_OUTCOMES}, a health part's name is written into each frame, so the
 * log never depends on a list that a policy may extend.
 */

/** How a job ended. The last two say nothing about the worker. */
export const JOB_OUTCOMES = [
  "success",
  "failure",
  "timeout",
  "invalid_result",
  "declined",
  "client_fault",
] as const;
export type JobOutcome = (typeof JOB_OUTCOMES)[number];

/** Places in {@link JOB_OUTCOMES}. */
export const SUCCESS = 0;
export const FAILURE = 1;
export const TIMEOUT = 2;
export const INVALID_RESULT = 3;
export const DECLINED = 4;
export const CLIENT_FAULT = 5;

/** The outcome is in the low bits of the column, what is known of the agreed service level above them. */
export const OUTCOME_MASK = 0x07;
export const SLA_MET = 0x10;
export const SLA_MISSED = 0x20;

/** A day bounds neither a job nor its estimate, a year does. */
export const JOB_DURATION_MAX_MS = 366 * 86_400_000;
export const EARNINGS_MAX = 1e15;

/** Job outcomes, all columns of length `count`; NaN where a row does not say. */
export interface JobColumns {
  readonly count: number;
  /** When it ended, ms since 1970. */
  readonly at: Float64Array;
  readonly subject: Uint32Array;
  /** {@link JOB_OUTCOMES} code, with {@link SLA_MET} or {@link SLA_MISSED}. */
  readonly outcome: Uint8Array;
  /** Actual and expected duration, ms, more than 0. */
  readonly durationMs: Float64Array;
  readonly expectedMs: Float64Array;
  /** Used over reserved resources, 0..1. */
  readonly usedShare: Float64Array;
  /** Quality of the result 0..1. */
  readonly quality: Float64Array;
  /** What the worker earned, in the network's currency, 0 or more. */
  readonly earnings: Float64Array;
  /** Number of the selection that gave it the job, see `selectionNumber`; 0 for none. */
  readonly selection: Float64Array;
  /** Class of the job, at most 256 bytes each; null where unnamed. */
  readonly jobClass: readonly (string | null)[] | null;
  /** The reporter's own id of the job, kept with the log and never read by the fold. */
  readonly jobId: readonly (string | null)[] | null;
}

/** Parts of a health report that every policy knows. */
export const HEALTH_PARTS = [
  "response_time",
  "cpu_usage",
  "memory_usage",
  "disk_usage",
  "network_latency",
  "bandwidth",
  "temperature",
  "gpu_utilization",
  "gpu_temperature",
  "error_rate",
] as const;
export type HealthPart = (typeof HEALTH_PARTS)[number];
/** Known parts and those that policies add. */
export const HEALTH_PARTS_MAX = 16;
/** Different parts that the reports of one entry name: those of several kinds, as many as a byte counts. */
export const REPORTED_PARTS_MAX = 255;
/** A part that a policy adds lies within this on either side of 0. */
export const HEALTH_VALUE_MAX = 1e15;
/** Ranges of the known parts, both ends included: times in ms, shares in percent, bytes per second, Celsius. */
const HEALTH_RANGES: { readonly [part in HealthPart]: readonly [min: number, max: number] } = {
  response_time: [0, 86_400_000],
  cpu_usage: [0, 100],
  memory_usage: [0, 100],
  disk_usage: [0, 100],
  network_latency: [0, 86_400_000],
  bandwidth: [0, 1e12],
  // No machine that runs is colder or hotter: a reading outside is a broken sensor.
  temperature: [-100, 250],
  gpu_utilization: [0, 100],
  gpu_temperature: [-100, 250],
  error_rate: [0, 100],
};

/** Least and greatest value of a part, known or added by a policy. */
export function healthRange(name: string): readonly [min: number, max: number] {
  const isKnown = HEALTH_PARTS.some((part) => part === name);
  return isKnown ? HEALTH_RANGES[name as HealthPart] : [-HEALTH_VALUE_MAX, HEALTH_VALUE_MAX];
}

/** Health reports: one row a report, one column a part; NaN where a report does not say. */
export interface HealthColumns {
  readonly count: number;
  readonly at: Float64Array;
  readonly subject: Uint32Array;
  readonly parts: readonly { readonly name: string; readonly value: Float64Array }[];
}
