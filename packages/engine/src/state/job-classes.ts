/**
 * How long jobs of one class take over the network. It stands in for the expectation of a job that was reported
 * without one, so that speed says something even where nobody estimates.
 *
 * What was observed is kept here, what counts is the median that was logged last as a fact of the network: an
 * observation belongs to one partition, the fact to all of them.
 */
import { exp } from "../num/exp.ts";
import { bucketOf, bucketValue, percentileBucket } from "../sketch/log-buckets.ts";

/** Classes of a kind that are observed; for one more, the one with the least evidence is given up. */
export const JOB_CLASSES_MAX = 1024;
/** Observations are aged in steps, not by each: a step of an hour changes no median. */
const AGING_STEP_MS = 3_600_000;
/** What is left of a bucket when it is given up: a thousandth of one job. */
const BUCKET_WEIGHT_MIN = 0.001;
const MEDIAN = 0.5;

/** Durations of one class: decayed number of jobs, in all and by bucket. */
interface Observed {
  jobs: number;
  readonly buckets: Map<number, number>;
}

export interface ObservedClass {
  readonly jobClass: string;
  /** Decayed number of completed jobs, and the median of their durations, within 1 %. */
  readonly jobs: number;
  readonly medianMs: number;
}

/** What was observed of one class, as it is written into a snapshot. */
export type ObservedDump = readonly [
  jobClass: string,
  jobs: number,
  buckets: readonly (readonly [bucket: number, weight: number])[],
];

/** The rest of what is written. */
export interface JobClassesHead {
  readonly agedAt: number;
  readonly medians: readonly (readonly [jobClass: string, medianMs: number])[];
}

export class JobClasses {
  /** Medians in force, ms. */
  readonly medians = new Map<string, number>();
  private readonly observed = new Map<string, Observed>();
  private agedAt = 0;

  /** Counts a completed job; `decayPerMs` ages what came before it. */
  count(jobClass: string, durationMs: number, decayPerMs: number, nowMs: number): void {
    this.age(decayPerMs, nowMs);
    const known = this.observed.get(jobClass);
    if (known === undefined && this.observed.size === JOB_CLASSES_MAX) this.giveUpLeast();
    const observed = known ?? { jobs: 0, buckets: new Map<number, number>() };
    if (known === undefined) this.observed.set(jobClass, observed);
    const bucket = bucketOf(durationMs);
    observed.jobs += 1;
    observed.buckets.set(bucket, (observed.buckets.get(bucket) ?? 0) + 1);
  }

  /** How long a job of the class should take, NaN where nothing is known. */
  expectedMs(jobClass: string | null): number {
    return jobClass === null ? Number.NaN : (this.medians.get(jobClass) ?? Number.NaN);
  }

  /** What was observed, in the order in which the classes came up. */
  *[Symbol.iterator](): Generator<ObservedClass> {
    for (const [jobClass, { jobs, buckets }] of this.observed) {
      const ascending = [...buckets].toSorted(([a], [b]) => a - b);
      const median = percentileBucket(
        ascending.map(([bucket]) => bucket),
        ascending.map(([, count]) => count),
        MEDIAN,
      );
      yield { jobClass, jobs, medianMs: bucketValue(median) };
    }
  }

  has(jobClass: string): boolean {
    return this.observed.has(jobClass);
  }

  head(): JobClassesHead {
    return { agedAt: this.agedAt, medians: [...this.medians] };
  }

  dump(): ObservedDump[] {
    return Array.from(this.observed, ([jobClass, { jobs, buckets }]) => [jobClass, jobs, [...buckets]]);
  }

  restoreHead({ agedAt, medians }: JobClassesHead): void {
    this.agedAt = agedAt;
    for (const [jobClass, medianMs] of medians) this.medians.set(jobClass, medianMs);
  }

  restore(observed: readonly ObservedDump[]): void {
    for (const [jobClass, jobs, buckets] of observed)
      this.observed.set(jobClass, { jobs, buckets: new Map(buckets) });
  }

  private age(decayPerMs: number, nowMs: number): void {
    if (this.agedAt === 0) this.agedAt = nowMs;
    if (nowMs - this.agedAt < AGING_STEP_MS) return;
    const left = exp(-decayPerMs * (nowMs - this.agedAt));
    this.agedAt = nowMs;
    for (const [jobClass, observed] of this.observed) {
      for (const [bucket, weight] of observed.buckets) {
        if (weight * left < BUCKET_WEIGHT_MIN) observed.buckets.delete(bucket);
        else observed.buckets.set(bucket, weight * left);
      }
      observed.jobs = sumOf(observed.buckets.values());
      if (observed.buckets.size === 0) this.observed.delete(jobClass);
    }
  }

  private giveUpLeast(): void {
    let least = "";
    let jobs = Infinity;
    for (const [jobClass, observed] of this.observed) {
      if (observed.jobs >= jobs) continue;
      least = jobClass;
      jobs = observed.jobs;
    }
    this.observed.delete(least);
  }
}

function sumOf(weights: Iterable<number>): number {
  let sum = 0;
  for (const weight of weights) sum += weight;
  return sum;
}
