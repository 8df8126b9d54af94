/** A file of events, one JSON object a line, as something to import. */
import { Event } from "@staunch/contract";
import { BATCH_EVENTS_MAX, METRIC_NAMES, SAMPLE_FAILED, type Attributes } from "@staunch/engine";
import type { ImportBatch, ImportSource, ImportSubject } from "../app/import/import-source.ts";
import { KIND_DEFAULT } from "../app/kind.ts";
import { CliError, EXIT } from "./exit-codes.ts";

/** Samples that one file may hold; they are sorted in memory. */
const SAMPLES_MAX = 20_000_000;
/** Samples of one batch lie within this time, so that the time of logging stays near theirs. */
const BATCH_SPAN_MS = 3_600_000;

interface Sample {
  readonly at: number;
  readonly subject: number;
  readonly kind: number;
  readonly value: number;
  readonly weight: number;
  readonly monitor: string | null;
  readonly context: string | null;
}

/** Reads the text of a file; the events need not be in order. Throws {@link CliError} at the first that is wrong. */
export function eventSource(name: string, text: string): ImportSource {
  const subjects = new Map<string, { number: number; operator: string | null; attributes: Attributes }>();
  const samples: Sample[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const event = readEvent(name, index + 1, line);
    const subject = subjects.get(event.subject) ?? { number: subjects.size, operator: null, attributes: {} };
    subjects.set(event.subject, subject);
    if (event.type === "metric") samples.push(sampleOf(event, subject.number));
    else subjects.set(event.subject, { ...subject, ...profileOf(event) });
    if (samples.length > SAMPLES_MAX) throw tooMany(name);
  }
  if (samples.length === 0) throw new CliError("file_empty", EXIT.usage, `${name} holds no metric events.`);
  samples.sort((a, b) => a.at - b.at);
  const profiles = Array.from(subjects, ([id, { operator, attributes }]): ImportSubject => {
    return { id, kind: KIND_DEFAULT, operator, attributes };
  });
  return {
    name: "file",
    subjectCount: profiles.length,
    sampleCount: samples.length,
    firstAt: samples[0]!.at,
    lastAt: samples.at(-1)!.at,
    batches: () => batchesOf(profiles, samples),
  };
}

type MetricEvent = Extract<Event, { type: "metric" }>;
type SubjectEvent = Extract<Event, { type: "subject" }>;

function readEvent(name: string, line: number, text: string): MetricEvent | SubjectEvent {
  const refuse = (detail: string): CliError =>
    new CliError("event_invalid", EXIT.usage, `${name}, line ${line}: ${detail}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse("not JSON");
  }
  const parsed = Event.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw refuse(`${issue.path.join(".") || "event"}: ${issue.message}`);
  }
  const event = parsed.data;
  if (event.type !== "metric" && event.type !== "subject") {
    throw refuse(`a replay takes metric and subject events, not ${event.type}`);
  }
  if (event.kind !== undefined && event.kind !== KIND_DEFAULT)
    throw refuse(`kind ${event.kind} has no policy here`);
  if (event.type === "metric" && event.at === undefined) throw refuse("a metric needs `at` to be replayed");
  return event;
}

function sampleOf(event: MetricEvent, subject: number): Sample {
  const { at, metric, value, weight = 1, ok = true, monitor = null, context = null } = event;
  const kind = METRIC_NAMES.indexOf(metric) + (ok ? 0 : SAMPLE_FAILED);
  return {
    at: typeof at === "number" ? at : Date.parse(at!),
    subject,
    kind,
    value,
    weight,
    monitor,
    context,
  };
}

function profileOf({ operator, attributes }: SubjectEvent): {
  operator?: string | null;
  attributes?: Attributes;
} {
  return {
    ...(operator !== undefined && { operator }),
    // The schema has checked the values; null, which removes one, has nothing to remove here.
    ...(attributes !== undefined && { attributes: withoutNulls(attributes as object) as Attributes }),
  };
}

function withoutNulls(attributes: object): object {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== null));
}

function tooMany(name: string): CliError {
  return new CliError(
    "file_too_large",
    EXIT.limited,
    `${name} holds more than ${SAMPLES_MAX} samples; replay it in parts.`,
  );
}

function* batchesOf(subjects: readonly ImportSubject[], samples: readonly Sample[]): Generator<ImportBatch> {
  const firstAt = samples[0]!.at;
  for (let from = 0; from < subjects.length; from += BATCH_EVENTS_MAX) {
    yield {
      loggedAt: firstAt,
      subjects: subjects.slice(from, from + BATCH_EVENTS_MAX),
      samples: columnsOf([]),
    };
  }
  let from = 0;
  while (from < samples.length) {
    let to = from;
    while (
      to < samples.length &&
      to - from < BATCH_EVENTS_MAX &&
      samples[to]!.at - samples[from]!.at < BATCH_SPAN_MS
    )
      to++;
    yield { loggedAt: samples[to - 1]!.at, subjects: [], samples: columnsOf(samples.slice(from, to)) };
    from = to;
  }
}

function columnsOf(samples: readonly Sample[]): ImportBatch["samples"] {
  const isNamed = samples.some(({ monitor, context }) => monitor !== null || context !== null);
  return {
    count: samples.length,
    at: Float64Array.from(samples, ({ at }) => at),
    value: Float64Array.from(samples, ({ value }) => value),
    subject: Uint32Array.from(samples, ({ subject }) => subject),
    kind: Uint8Array.from(samples, ({ kind }) => kind),
    weight: samples.every(({ weight }) => weight === 1)
      ? null
      : Float64Array.from(samples, ({ weight }) => weight),
    monitor: isNamed ? samples.map(({ monitor }) => monitor) : null,
    context: isNamed ? samples.map(({ context }) => context) : null,
  };
}
