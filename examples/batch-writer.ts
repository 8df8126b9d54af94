/** Collects samples into columns and cuts batches from them. */
import { BATCH_EVENTS_MAX, type MetricCode } from "@staunch/engine";
import type { ImportBatch, ImportSubject } from "../packages/server/src/app/import/import-source.ts";

export class BatchWriter {
  private count = 0;
  /** True once a sample of the batch at hand names its monitor or a context. */
  private isNamed = false;
  private readonly at = new Float64Array(BATCH_EVENTS_MAX);
  private readonly value = new Float64Array(BATCH_EVENTS_MAX);
  private readonly subject = new Uint32Array(BATCH_EVENTS_MAX);
  private readonly kind = new Uint8Array(BATCH_EVENTS_MAX);
  private readonly monitor: (string | null)[] = [];
  private readonly context: (string | null)[] = [];
  private subjects: ImportSubject[] = [];

  /** Nothing was added since the last batch. */
  get isEmpty(): boolean {
    return this.count === 0 && this.subjects.length === 0;
  }

  /** No sample fits any more: the batch must be taken first. */
  get isFull(): boolean {
    return this.count === BATCH_EVENTS_MAX;
  }

  /** The next subject number belongs to this one. */
  introduce(subject: ImportSubject): void {
    this.subjects.push(subject);
  }

  /** Adds a sample; throws when the batch is full. */
  add(
    subject: number,
    metric: MetricCode,
    value: number,
    atMs: number,
    monitor: string | null,
    context: string | null,
  ): void {
    if (this.isFull) throw new RangeError(`a batch takes ${BATCH_EVENTS_MAX} samples`);
    const place = this.count++;
    this.subject[place] = subject;
    this.kind[place] = metric;
    this.value[place] = value;
    this.at[place] = atMs;
    this.monitor[place] = monitor;
    this.context[place] = context;
    this.isNamed ||= monitor !== null || context !== null;
  }

  /** What was added since the last call, in arrays of its own; the writer is empty after it. */
  take(loggedAt: number): ImportBatch {
    const { count, subjects, isNamed } = this;
    this.count = 0;
    this.subjects = [];
    this.isNamed = false;
    return {
      loggedAt,
      subjects,
      samples: {
        count,
        at: this.at.slice(0, count),
        value: this.value.slice(0, count),
        subject: this.subject.slice(0, count),
        kind: this.kind.slice(0, count),
        weight: null,
        monitor: isNamed ? this.monitor.slice(0, count) : null,
        context: isNamed ? this.context.slice(0, count) : null,
      },
      jobs: null,
      health: null,
    };
  }
}
