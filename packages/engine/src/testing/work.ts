/** Job outcomes and health reports from readable parts. */
import { JOB_OUTCOMES, type HealthColumns, type JobColumns, type JobOutcome } from "../event/jobs.ts";

export interface Job {
  readonly subject: number;
  readonly at: number;
  readonly outcome: JobOutcome;
  readonly durationMs?: number;
  readonly expectedMs?: number;
  readonly usedShare?: number;
  readonly quality?: number;
  readonly earnings?: number;
  /** Number of the selection that gave it. */
  readonly selection?: number;
  readonly jobClass?: string;
}

export function jobsOf(jobs: readonly Job[]): JobColumns {
  const column = (read: (job: Job) => number | undefined): Float64Array =>
    Float64Array.from(jobs, (job) => read(job) ?? Number.NaN);
  return {
    count: jobs.length,
    at: column(({ at }) => at),
    subject: Uint32Array.from(jobs, ({ subject }) => subject),
    outcome: Uint8Array.from(jobs, ({ outcome }) => JOB_OUTCOMES.indexOf(outcome)),
    durationMs: column(({ durationMs }) => durationMs),
    expectedMs: column(({ expectedMs }) => expectedMs),
    usedShare: column(({ usedShare }) => usedShare),
    quality: column(({ quality }) => quality),
    earnings: column(({ earnings }) => earnings),
    selection: Float64Array.from(jobs, ({ selection }) => selection ?? 0),
    jobClass: jobs.some(({ jobClass }) => jobClass !== undefined)
      ? jobs.map(({ jobClass }) => jobClass ?? null)
      : null,
    jobId: null,
  };
}

export interface Report {
  readonly subject: number;
  readonly at: number;
  readonly parts: { readonly [name: string]: number };
}

export function healthOf(reports: readonly Report[]): HealthColumns {
  const names = [...new Set(reports.flatMap(({ parts }) => Object.keys(parts)))];
  return {
    count: reports.length,
    at: Float64Array.from(reports, ({ at }) => at),
    subject: Uint32Array.from(reports, ({ subject }) => subject),
    parts: names.map((name) => ({
      name,
      value: Float64Array.from(reports, ({ parts }) => parts[name] ?? Number.NaN),
    })),
  };
}
