/** A file of events, one JSON object a line, as something to import. */
import {
  BATCH_EVENTS_MAX,
  METRIC_NAMES,
  SAMPLE_FAILED,
  type Attributes,
  type MetricName,
  type Policy,
} from "@staunch/engine";
import type { ImportBatch, ImportSource, ImportSubject } from "../app/import/import-source.ts";
import { flawOfMetric } from "../app/ingest/decode.ts";
import { flawOfFields, type CheckedEvent } from "../app/ingest/event-fields.ts";
import { timeMs } from "../app/ingest/values.ts";
import {
  flawOfPolicy,
  flawOfWork,
  healthColumns,
  jobColumns,
  type WorkEvent,
} from "../app/ingest/work-events.ts";
import { KIND_DEFAULT } from "../app/kind.ts";
import { CliError, EXIT } from "./exit-codes.ts";

/** Events that one file may hold; they are sorted in memory. */
const EVENTS_MAX = 20_000_000;
/** Events of one batch lie within this time, so that the time of logging stays near theirs. */
const BATCH_SPAN_MS = 3_600_000;
/** What happened to a subject, or what it did; acts need somebody who answers for them. */
const TYPES: readonly string[] = ["metric", "job", "health", "subject"];

/** Policy of a kind, null where there is none. */
type PolicyOf = (kind: string) => Policy | null;

/** A metric, a job or a health report; its subject is the number of the file's. */
type FileEvent = WorkEvent;

interface FileSubject extends ImportSubject {
  readonly number: number;
}

/** Reads the text of a file; the events need not be in order. Throws {@link CliError} at the first that is wrong. */
export function eventSource(name: string, text: string, policyOf: PolicyOf): ImportSource {
  const subjects = new Map<string, FileSubject>();
  const events: FileEvent[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const place = `${name}, line ${index + 1}`;
    const event = readEvent(place, line);
    const subject = subjectOf(place, event, subjects, policyOf);
    subjects.set(subject.id, subject);
    if (event.type !== "subject") events.push({ event, subject: subject.number, atMs: timeMs(event["at"]) });
    if (events.length > EVENTS_MAX) throw tooMany(name);
  }
  if (events.length === 0)
    throw new CliError("file_empty", EXIT.usage, `${name} holds no metric, job or health events.`);
  events.sort((a, b) => a.atMs - b.atMs);
  const introduced = [...subjects.values()];
  const kinds = new Set(introduced.map(({ kind }) => kind));
  return {
    name: "file",
    subjectCount: introduced.length,
    eventCount: events.length,
    firstAt: events[0]!.atMs,
    lastAt: events.at(-1)!.atMs,
    policies: Object.fromEntries(Array.from(kinds, (kind) => [kind, policyOf(kind)!])),
    batches: () => batchesOf(introduced, events),
  };
}

/** An event that can be replayed, right in itself by the rules of `POST /api/events`. */
function readEvent(place: string, line: string): CheckedEvent {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw invalid(place, "not JSON");
  }
  const flaw = flawOfFields(value);
  if (flaw !== null) throw invalid(place, flaw.detail);
  const event = value as CheckedEvent;
  if (!TYPES.includes(event.type))
    throw invalid(place, `a replay takes ${TYPES.join(", ")} events, not ${event.type}; leave it out`);
  const between = event.type === "metric" ? flawOfMetric(event) : flawOfWork(event);
  if (between !== null) throw invalid(place, between.detail);
  if (event["selection_id"] !== undefined)
    throw invalid(place, "the selection is not in the file, so nothing closes it; leave selection_id out");
  if (event.type !== "subject" && event["at"] === undefined)
    throw invalid(place, `a ${event.type} event needs at, when it happened, to be replayed`);
  return event;
}

/** The subject as it is known after an event of it; the first mention decides its kind. */
function subjectOf(
  place: string,
  event: CheckedEvent,
  subjects: ReadonlyMap<string, FileSubject>,
  policyOf: PolicyOf,
): FileSubject {
  const id = event["subject"] as string;
  const named = event["kind"] as string | undefined;
  const known = subjects.get(id);
  const kind = known?.kind ?? named ?? KIND_DEFAULT;
  if (named !== undefined && named !== kind)
    throw invalid(place, `the subject ${id} is of kind ${kind} since its first mention, not ${named}`);
  const policy = policyOf(kind);
  if (policy === null)
    throw invalid(place, `there is no policy for the kind ${kind}; give one with --policy`);
  const isWork = event.type === "job" || event.type === "health";
  const flaw = isWork ? flawOfPolicy(event, kind, policy) : null;
  if (flaw !== null) throw invalid(place, flaw.detail);
  const subject = known ?? { number: subjects.size, id, kind, operator: null, attributes: {} };
  return event.type === "subject" ? { ...subject, ...profileOf(event) } : subject;
}

function profileOf({ operator, attributes }: CheckedEvent): Partial<ImportSubject> {
  return {
    ...(operator !== undefined && { operator: operator as string | null }),
    // The fields have been checked; null, which removes one, has nothing to remove here.
    ...(attributes !== undefined && { attributes: withoutNulls(attributes as object) as Attributes }),
  };
}

function withoutNulls(attributes: object): object {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== null));
}

function invalid(place: string, detail: string): CliError {
  return new CliError("event_invalid", EXIT.usage, `${place}: ${detail}`);
}

function tooMany(name: string): CliError {
  const message = `${name} holds more than ${EVENTS_MAX} events; replay it in parts.`;
  return new CliError("file_too_large", EXIT.limited, message);
}

function* batchesOf(
  subjects: readonly ImportSubject[],
  events: readonly FileEvent[],
): Generator<ImportBatch> {
  const loggedAt = events[0]!.atMs;
  for (let from = 0; from < subjects.length; from += BATCH_EVENTS_MAX)
    yield batchOf(loggedAt, subjects.slice(from, from + BATCH_EVENTS_MAX), []);
  let from = 0;
  while (from < events.length) {
    const endMs = events[from]!.atMs + BATCH_SPAN_MS;
    let to = from;
    while (to < events.length && to - from < BATCH_EVENTS_MAX && events[to]!.atMs < endMs) to++;
    yield batchOf(events[to - 1]!.atMs, [], events.slice(from, to));
    from = to;
  }
}

function batchOf(
  loggedAt: number,
  subjects: readonly ImportSubject[],
  events: readonly FileEvent[],
): ImportBatch {
  const ofType = (type: string): FileEvent[] => events.filter(({ event }) => event.type === type);
  return {
    loggedAt,
    subjects,
    samples: sampleColumns(ofType("metric")),
    jobs: jobColumns(ofType("job")),
    health: healthColumns(ofType("health")),
  };
}

function sampleColumns(samples: readonly FileEvent[]): ImportBatch["samples"] {
  const hasAny = (...fields: readonly string[]): boolean =>
    samples.some(({ event }) => fields.some((field) => event[field] !== undefined));
  const texts = (field: string): (string | null)[] =>
    samples.map(({ event }) => (event[field] ?? null) as string | null);
  const isNamed = hasAny("monitor", "context");
  return {
    count: samples.length,
    at: Float64Array.from(samples, ({ atMs }) => atMs),
    value: Float64Array.from(samples, ({ event }) => event["value"] as number),
    subject: Uint32Array.from(samples, ({ subject }) => subject),
    kind: Uint8Array.from(samples, ({ event }) => sampleKind(event)),
    weight: hasAny("weight")
      ? Float64Array.from(samples, ({ event }) => (event["weight"] ?? 1) as number)
      : null,
    monitor: isNamed ? texts("monitor") : null,
    context: isNamed ? texts("context") : null,
  };
}

function sampleKind({ metric, ok }: CheckedEvent): number {
  return METRIC_NAMES.indexOf(metric as MetricName) + (ok === false ? SAMPLE_FAILED : 0);
}
