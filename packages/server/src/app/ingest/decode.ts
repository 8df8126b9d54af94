/**
 * Items of a request into columns, one by one: what each says is checked here, what it refers to in `resolve.ts`.
 *
 * Nearly all items are metric events with the five plain fields. For those there is a short way that checks and
 * writes without building anything; every other item is held against the table of fields. A property test holds
 * both to the schema in the contract.
 */
import { METRICS, metricCode, SAMPLE_FAILED, SAMPLE_METRIC_MASK } from "@staunch/engine";
import { flawOfAct } from "./act-events.ts";
import { flawOfFields, ownIdOf, type CheckedEvent, type PendingEvent } from "./event-fields.ts";
import type { Flaw, Rejection } from "./rejection.ts";
import { isId, timeMs } from "./values.ts";
import { flawOfWork } from "./work-events.ts";

/** Events may lie this far ahead of our clock, for clocks that differ. */
export const EVENT_AHEAD_MAX_MS = 300_000;

const VALUE_MIN = Float64Array.from(METRICS, ({ min }) => min);
const VALUE_MAX = Float64Array.from(METRICS, ({ max }) => max);

/** The fields that the short way reads; all are unknown until they are looked at. */
interface PlainMetric {
  readonly type?: unknown;
  readonly subject?: unknown;
  readonly metric?: unknown;
  readonly value?: unknown;
  readonly at?: unknown;
}

export class EventColumns {
  /** Samples so far; the columns are filled up to here. */
  count = 0;
  readonly at: Float64Array;
  readonly value: Float64Array;
  readonly kind: Uint8Array;
  /** Place of each sample in the request. */
  readonly index: Uint32Array;
  /** Id of the subject of each sample. */
  readonly subjects: string[];
  // Columns that few requests have, made when the first sample needs them.
  weight: Float64Array | null = null;
  monitor: (string | null)[] | null = null;
  context: (string | null)[] | null = null;
  /** Kinds that samples name for their subjects, and their own ids. */
  kindNames: (string | null)[] | null = null;
  ownIds: (string | null)[] | null = null;
  /** All but the samples, in the order of the request. */
  readonly pending: PendingEvent[] = [];
  readonly rejections: Rejection[] = [];
  readonly nowMs: number;
  readonly capacity: number;

  /** `capacity`: most items that will be added. `nowMs`: time of samples that name none, milliseconds since 1970. */
  constructor(capacity: number, nowMs: number) {
    this.capacity = capacity;
    this.nowMs = nowMs;
    this.at = new Float64Array(capacity);
    this.value = new Float64Array(capacity);
    this.kind = new Uint8Array(capacity);
    this.index = new Uint32Array(capacity);
    this.subjects = [];
  }

  /** Takes one item, or notes why not. */
  add(item: unknown, index: number): void {
    if (typeof item === "object" && item !== null && this.addPlainMetric(item, index)) return;
    const flaw = flawOfFields(item) ?? this.addChecked(item as CheckedEvent, index);
    if (flaw !== null) this.reject(index, flaw, ownIdOf(item));
  }

  reject(index: number, flaw: Flaw, id: string | null): void {
    this.rejections.push({ index, id, ...flaw });
  }

  /** The short way; false when the item has to be looked at closely. */
  private addPlainMetric(item: PlainMetric, index: number): boolean {
    const { type, subject, metric, value, at } = item;
    if (type !== "metric" || typeof metric !== "string" || typeof value !== "number" || !isId(subject))
      return false;
    const code = metricCode(metric);
    if (code < 0) return false;
    // JSON has no undefined: if there are no more keys than fields were read, there are no others.
    let keysLeft = at === undefined ? 4 : 5;
    for (const _ in item) if (--keysLeft < 0) return false;
    return this.push(index, subject, code, value, at === undefined ? this.nowMs : timeMs(at));
  }

  /** Writes a sample whose id is right; false when the value is out of the metric's range or the time is none. */
  push(index: number, subject: string, kind: number, value: number, atMs: number): boolean {
    const code = kind & SAMPLE_METRIC_MASK;
    if (!(value >= VALUE_MIN[code]! && value <= VALUE_MAX[code]!)) return false;
    if (!(atMs <= this.nowMs + EVENT_AHEAD_MAX_MS)) return false;
    const row = this.count++;
    this.at[row] = atMs;
    this.value[row] = value;
    this.kind[row] = kind;
    this.index[row] = index;
    this.subjects.push(subject);
    return true;
  }

  /** Weight of the newest sample, in (0, 10]. */
  setWeight(weight: number): void {
    this.weight ??= new Float64Array(this.capacity).fill(1);
    this.weight[this.count - 1] = weight;
  }

  private addChecked(event: CheckedEvent, index: number): Flaw | null {
    const atMs = event["at"] === undefined ? this.nowMs : timeMs(event["at"]);
    if (atMs > this.nowMs + EVENT_AHEAD_MAX_MS) {
      return {
        code: "time_ahead",
        field: "at",
        detail: "at lies more than five minutes ahead; check the clock",
      };
    }
    if (event.type === "metric") return this.addMetric(event, atMs, index);
    const flaw = flawOfWork(event) ?? flawOfAct(event, this.nowMs);
    if (flaw === null) this.pending.push({ index, event });
    return flaw;
  }

  private addMetric(event: CheckedEvent, atMs: number, index: number): Flaw | null {
    const flaw = flawOfMetric(event);
    if (flaw !== null) return flaw;
    const code = metricCode(event["metric"] as string);
    const value = event["value"] as number;
    const row = this.count;
    const kind = event["ok"] === false ? code | SAMPLE_FAILED : code;
    if (!this.push(index, event["subject"] as string, kind, value, atMs))
      throw new Error("a checked sample does not fit");
    if (event["weight"] !== undefined) this.setWeight(event["weight"] as number);
    this.monitor = this.withText(this.monitor, row, event["monitor"]);
    this.context = this.withText(this.context, row, event["context"]);
    this.kindNames = this.withText(this.kindNames, row, event["kind"]);
    this.ownIds = this.withText(this.ownIds, row, event["id"]);
    return null;
  }

  private withText(column: (string | null)[] | null, row: number, text: unknown): (string | null)[] | null {
    if (text === undefined) return column;
    const filled = column ?? Array.from<string | null>({ length: this.capacity }).fill(null);
    filled[row] = text as string;
    return filled;
  }
}

/** What is wrong between the fields of a metric event whose fields are right on their own. */
export function flawOfMetric({ metric, value }: CheckedEvent): Flaw | null {
  const { name, unit, min, max } = METRICS[metricCode(metric as string)]!;
  if ((value as number) >= min && (value as number) <= max) return null;
  const detail = `value of ${name} must be ${min} to ${max} (${unit}), not ${String(value)}`;
  return { code: "out_of_range", field: "value", detail };
}
