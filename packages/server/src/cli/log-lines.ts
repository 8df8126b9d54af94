/** What `staunch log cat` and `staunch log verify` say, apart from opening the log and printing. */
import type { Entry, HealthColumns, JobColumns, SampleColumns, SelectionMade } from "@staunch/engine";
import {
  canonicalJson,
  decodeBatch,
  JOB_OUTCOMES,
  METRICS,
  NOBODY,
  OUTCOME_MASK,
  SAMPLE_FAILED,
  SAMPLE_METRIC_MASK,
  selectionId,
  SLA_MET,
  SLA_MISSED,
} from "@staunch/engine";
import type { Log, LogRecord, VerifyResult } from "../ports/log.ts";
import { describeDamage } from "../ports/log.ts";
import { plural } from "./output.ts";

export interface LogCatOptions {
  /** First and last position, both included; `to` may be Infinity. */
  readonly from: number;
  readonly to: number;
  /** One JSON object a record, complete; otherwise text for people, with samples summed up. */
  readonly json: boolean;
}

export interface LogVerification {
  readonly sound: boolean;
  /** One sentence. */
  readonly summary: string;
  readonly result: VerifyResult;
}

/**
 * The records of a log as lines without line ends. Names appear as JSON strings, so nothing in them can reach the
 * terminal as a control sequence. Throws `LogDamagedError` at a damaged record.
 */
export async function* logCat(log: Log, options: LogCatOptions): AsyncGenerator<string> {
  for await (const record of log.read(options.from, options.to)) {
    if (options.json) yield JSON.stringify(recordAsJson(record));
    else yield* recordAsText(record);
  }
}

/** Walks the whole log and says what it found. */
export async function logVerify(log: Log): Promise<LogVerification> {
  const result = await log.verify();
  if (result.type === "damaged") return { sound: false, summary: describeDamage(result.damage), result };
  const { records, events, trimmed, tail } = result;
  const counts = `${records} records with ${events} events, ${trimmed} of them without their samples`;
  const end = tail.position === 0 ? "" : `; the last is ${tail.position} with hash ${tail.hash}`;
  return { sound: true, summary: `sound: ${counts}${end}`, result };
}

// ---- JSON

function recordAsJson(record: LogRecord): object {
  const { position, kind, loggedAt, epoch, eventCount, prevHash, hash } = record;
  const head = { position, kind, loggedAt, epoch, eventCount, prevHash, hash };
  if (kind === "epoch") return { ...head, ...ownerOf(record) };
  const decoded = decodeBatch(position, record.body);
  if (decoded.type === "corrupt") return { ...head, undecodable: decoded.detail };
  const entries = decoded.batch.entries.map(entryAsJson);
  return { ...head, trimmed: !decoded.complete, entries };
}

function entryAsJson(entry: Entry): object {
  return {
    ...entry,
    samples: samplesAsJson(entry.samples),
    jobs: jobsAsJson(entry.jobs),
    health: healthAsJson(entry.health),
    selections: entry.selections.map(selectionAsJson),
  };
}

function samplesAsJson(samples: SampleColumns | null): object[] {
  const rows: object[] = [];
  for (let row = 0; row < (samples?.count ?? 0); row++) rows.push(sampleAsJson(samples!, row));
  return rows;
}

function sampleAsJson(samples: SampleColumns, row: number): object {
  const kind = samples.kind[row]!;
  return {
    at: samples.at[row],
    subject: samples.subject[row],
    metric: metricName(kind),
    value: samples.value[row],
    ...((kind & SAMPLE_FAILED) !== 0 && { failed: true }),
    ...(samples.weight !== null && { weight: samples.weight[row] }),
    ...(samples.monitor !== null && { monitor: samples.monitor[row] }),
    ...(samples.context !== null && { context: samples.context[row] }),
  };
}

function jobsAsJson(jobs: JobColumns | null): object[] {
  return Array.from({ length: jobs?.count ?? 0 }, (_, row) => {
    const { outcome, selection, jobClass, jobId } = jobs!;
    const said = outcome[row]! & (SLA_MET | SLA_MISSED);
    return {
      at: jobs!.at[row],
      subject: jobs!.subject[row],
      outcome: JOB_OUTCOMES[outcome[row]! & OUTCOME_MASK] ?? outcome[row],
      ...(said !== 0 && { slaMet: said === SLA_MET }),
      ...known({
        durationMs: jobs!.durationMs[row]!,
        expectedMs: jobs!.expectedMs[row]!,
        usedShare: jobs!.usedShare[row]!,
        quality: jobs!.quality[row]!,
        earnings: jobs!.earnings[row]!,
      }),
      ...(selection[row] !== 0 && { selection: selectionId(selection[row]!) }),
      ...(jobClass !== null && { jobClass: jobClass[row] }),
      ...(jobId !== null && { jobId: jobId[row] }),
    };
  });
}

function healthAsJson(health: HealthColumns | null): object[] {
  return Array.from({ length: health?.count ?? 0 }, (_, row) => ({
    at: health!.at[row],
    subject: health!.subject[row],
    parts: known(Object.fromEntries(health!.parts.map(({ name, value }) => [name, value[row]!]))),
  }));
}

/** The record is what `GET /api/selections/{id}` tells in full. */
function selectionAsJson({ kind, chosen, exploring, record }: SelectionMade): object {
  return { kind, chosen: chosen === NOBODY ? null : chosen, exploring, recordBytes: record.length };
}

/** Numbers that were told; in the log those that were not are NaN. */
function known(numbers: { readonly [name: string]: number }): object {
  return Object.fromEntries(Object.entries(numbers).filter(([, value]) => !Number.isNaN(value)));
}

// ---- text

function* recordAsText(record: LogRecord): Generator<string> {
  const { position, kind, loggedAt, epoch, eventCount, hash } = record;
  const head = [
    position,
    timeText(loggedAt),
    kind,
    `epoch ${epoch}`,
    plural(eventCount, "event"),
    hash.slice(0, 12),
  ];
  if (kind === "epoch") {
    yield [...head, `owner ${JSON.stringify(ownerOf(record).owner)}`].join("  ");
    return;
  }
  const decoded = decodeBatch(position, record.body);
  if (decoded.type === "corrupt") {
    yield [...head, `cannot be decoded: ${decoded.detail}`].join("  ");
    return;
  }
  yield (decoded.complete ? head : [...head, "samples trimmed"]).join("  ");
  for (const entry of decoded.batch.entries) yield* entryAsText(entry);
}

function* entryAsText(entry: Entry): Generator<string> {
  const sender = [
    entry.producer === "" ? "" : `producer ${JSON.stringify(entry.producer)} ${entry.sequence}`,
    entry.idempotencyKey === "" ? "" : `key ${JSON.stringify(entry.idempotencyKey)}`,
  ].filter((part) => part !== "");
  yield `    entry  ${sender.join("  ")}`.trimEnd();
  for (const { number, kind, id } of entry.registrations) {
    yield `      subject ${number} is ${JSON.stringify(kind)} ${JSON.stringify(id)}`;
  }
  if (entry.samples !== null) yield `      ${samplesAsText(entry.samples)}`;
  if (entry.health !== null) yield `      ${plural(entry.health.count, "health report")}`;
  if (entry.jobs !== null) yield `      ${jobsAsText(entry.jobs)}`;
  for (const made of entry.selections) yield `      selection ${canonicalJson(selectionAsJson(made))}`;
  for (const act of entry.acts) yield `      ${canonicalJson(act)}`;
}

function samplesAsText(samples: SampleColumns): string {
  const counts = new Map<string, number>();
  let first = Infinity;
  let last = -Infinity;
  for (let row = 0; row < samples.count; row++) {
    const name = metricName(samples.kind[row]!);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    first = Math.min(first, samples.at[row]!);
    last = Math.max(last, samples.at[row]!);
  }
  const metrics = Array.from(counts, ([name, count]) => `${name} ${count}`).join(", ");
  const span = samples.count === 0 ? "" : `, ${timeText(first)} to ${timeText(last)}: ${metrics}`;
  return `${plural(samples.count, "sample")}${span}`;
}

function jobsAsText({ count, outcome }: JobColumns): string {
  const counts = JOB_OUTCOMES.map((name, code) => {
    return { name, count: outcome.filter((one) => (one & OUTCOME_MASK) === code).length };
  });
  const told = counts.filter((one) => one.count > 0).map((one) => `${one.name} ${one.count}`);
  return `${plural(count, "job")}: ${told.join(", ")}`;
}

function ownerOf(record: LogRecord): { owner: string } {
  const value = JSON.parse(new TextDecoder().decode(record.body.acts)) as { owner: string };
  return { owner: value.owner };
}

/** A metric of a later build has no name here. */
function metricName(kind: number): string {
  const code = kind & SAMPLE_METRIC_MASK;
  return METRICS[code]?.name ?? `metric ${code}`;
}

/** ISO 8601, or the number when it is outside what a date can say. */
function timeText(atMs: number): string {
  const date = new Date(atMs);
  return Number.isNaN(date.getTime()) ? `${atMs}` : date.toISOString();
}
