/** Job outcomes, health reports and selections inside the samples part of a log record's body. */
import type { ByteReader, ByteWriter } from "../num/bytes.ts";
import {
  BATCH_EVENTS_MAX,
  bytesOf,
  Corrupt,
  expectAtMost,
  expectLengths,
  pad,
  readF64,
  readTexts,
  readU32,
  skipPadding,
  writeTexts,
} from "./columns.ts";
import { HEALTH_PARTS_MAX, type HealthColumns, type JobColumns } from "./jobs.ts";
import { BIDS_MAX, SELECTION_POLICIES, type SelectionRequested } from "./selection.ts";

const HAS_CLASS = 1;
const HAS_JOB_ID = 2;
/** Place of no policy in a byte. */
const NO_POLICY = 0xff;

export function writeJobs(writer: ByteWriter, jobs: JobColumns): void {
  const { count, at, subject, outcome, jobClass, jobId } = jobs;
  const numbers = [at, jobs.durationMs, jobs.expectedMs, jobs.usedShare, jobs.quality, jobs.earnings];
  expectLengths(count, [...numbers, jobs.selection, subject, outcome, jobClass, jobId]);
  writer.u8((jobClass === null ? 0 : HAS_CLASS) | (jobId === null ? 0 : HAS_JOB_ID));
  writer.u32(count);
  pad(writer);
  for (const column of numbers) writer.raw(bytesOf(column));
  writer.raw(bytesOf(jobs.selection));
  writer.raw(bytesOf(subject));
  writer.raw(outcome);
  if (jobClass !== null) writeTexts(writer, jobClass);
  if (jobId !== null) writeTexts(writer, jobId);
}

export function readJobs(reader: ByteReader, length: number): JobColumns {
  const flags = reader.u8();
  const count = expectAtMost("outcomes", reader.u32(), BATCH_EVENTS_MAX);
  skipPadding(reader, length);
  return {
    count,
    at: readF64(reader, count),
    durationMs: readF64(reader, count),
    expectedMs: readF64(reader, count),
    usedShare: readF64(reader, count),
    quality: readF64(reader, count),
    earnings: readF64(reader, count),
    selection: readF64(reader, count),
    subject: readU32(reader, count),
    outcome: reader.raw(count),
    jobClass: flags & HAS_CLASS ? readTexts(reader, count, length) : null,
    jobId: flags & HAS_JOB_ID ? readTexts(reader, count, length) : null,
  };
}

export function writeHealth(writer: ByteWriter, { count, at, subject, parts }: HealthColumns): void {
  expectLengths(count, [at, subject, ...parts.map(({ value }) => value)]);
  writer.u32(count);
  writer.u8(parts.length);
  for (const { name } of parts) writer.text(name);
  pad(writer);
  writer.raw(bytesOf(at));
  for (const { value } of parts) writer.raw(bytesOf(value));
  writer.raw(bytesOf(subject));
}

export function readHealth(reader: ByteReader, length: number): HealthColumns {
  const count = expectAtMost("reports", reader.u32(), BATCH_EVENTS_MAX);
  const names: string[] = [];
  for (let left = expectAtMost("parts", reader.u8(), HEALTH_PARTS_MAX); left > 0; left--)
    names.push(reader.text());
  skipPadding(reader, length);
  const at = readF64(reader, count);
  const parts = names.map((name) => ({ name, value: readF64(reader, count) }));
  return { count, at, parts, subject: readU32(reader, count) };
}

export function writeSelections(writer: ByteWriter, selections: readonly SelectionRequested[]): void {
  writer.u32(selections.length);
  for (const selection of selections) writeSelection(writer, selection);
}

function writeSelection(writer: ByteWriter, selection: SelectionRequested): void {
  const { kind, seed, policy, priceReference, timeReferenceMs, jobId, jobClass } = selection;
  const { subject, price, timeMs } = selection;
  expectLengths(subject.length, [price, timeMs]);
  writer.text(kind);
  writer.text(jobId);
  writer.text(jobClass);
  writer.u32(seed);
  writer.u8(policy === null ? NO_POLICY : SELECTION_POLICIES.indexOf(policy));
  writer.f64(priceReference ?? Number.NaN);
  writer.f64(timeReferenceMs ?? Number.NaN);
  writer.u32(subject.length);
  pad(writer);
  writer.raw(bytesOf(price));
  writer.raw(bytesOf(timeMs));
  writer.raw(bytesOf(subject));
}

export function readSelections(reader: ByteReader, length: number): SelectionRequested[] {
  const selections: SelectionRequested[] = [];
  for (let left = expectAtMost("selections", reader.u32(), BATCH_EVENTS_MAX); left > 0; left--)
    selections.push(readSelection(reader, length));
  return selections;
}

function readSelection(reader: ByteReader, length: number): SelectionRequested {
  const kind = reader.text();
  const jobId = reader.text();
  const jobClass = reader.text();
  const seed = reader.u32();
  const code = reader.u8();
  const policy = code === NO_POLICY ? null : SELECTION_POLICIES[code];
  if (policy === undefined) throw new Corrupt(`selection policy ${code}`);
  const priceReference = orNull(reader.f64());
  const timeReferenceMs = orNull(reader.f64());
  const count = expectAtMost("bids", reader.u32(), BIDS_MAX);
  skipPadding(reader, length);
  const price = readF64(reader, count);
  const timeMs = readF64(reader, count);
  const subject = readU32(reader, count);
  return {
    kind,
    seed,
    policy,
    priceReference,
    timeReferenceMs,
    jobId,
    jobClass,
    subject,
    price,
    timeMs,
  };
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
