/** Job outcomes, health reports and selections inside the samples part of a log record's body. */
import type { ByteReader, ByteWriter } from "../num/bytes.ts";
import {
  BATCH_EVENTS_MAX,
  bytesOf,
  expectAtMost,
  expectLengths,
  pad,
  readF64,
  readTexts,
  readU32,
  skipPadding,
  writeTexts,
} from "./columns.ts";
import { REPORTED_PARTS_MAX, type HealthColumns, type JobColumns } from "./jobs.ts";
import type { SelectionMade } from "./selection.ts";

const HAS_CLASS = 1;
const HAS_JOB_ID = 2;

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
  if (parts.length > REPORTED_PARTS_MAX) throw new RangeError(`${parts.length} parts in ${count} reports`);
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
  for (let left = reader.u8(); left > 0; left--) names.push(reader.text());
  skipPadding(reader, length);
  const at = readF64(reader, count);
  const parts = names.map((name) => ({ name, value: readF64(reader, count) }));
  return { count, at, parts, subject: readU32(reader, count) };
}

export function writeSelections(writer: ByteWriter, selections: readonly SelectionMade[]): void {
  writer.u32(selections.length);
  for (const { kind, chosen, operator, exploring, record } of selections) {
    writer.text(kind);
    writer.u32(chosen);
    writer.u32(operator);
    writer.u8(exploring ? 1 : 0);
    writer.u32(record.length);
    writer.raw(record);
  }
  pad(writer);
}

export function readSelections(reader: ByteReader, length: number): SelectionMade[] {
  const selections: SelectionMade[] = [];
  for (let left = expectAtMost("selections", reader.u32(), BATCH_EVENTS_MAX); left > 0; left--) {
    const kind = reader.text();
    const chosen = reader.u32();
    const operator = reader.u32();
    const exploring = reader.u8() === 1;
    selections.push({ kind, chosen, operator, exploring, record: reader.raw(reader.u32()) });
  }
  skipPadding(reader, length);
  return selections;
}
