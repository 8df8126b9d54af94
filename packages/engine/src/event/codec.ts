/**
 * How the entries of a batch become the body of a log record, and back.
 *
 * A body has two parts, because a log keeps them for different times:
 *
 * - `acts`: magic, version, `loggedAt`, length of the other part, entry count, then every entry that registers ids or
 *   carries acts: its header, registrations and acts. It is kept for ever.
 * - `samples`: the headers of all other entries, and every entry's samples as columns. It is dropped once a
 *   verified snapshot holds what the samples did. It is empty when there is nothing to say.
 *
 * All numbers are little endian. Columns lie at multiples of 8 bytes, so decoding makes views on the record and
 * copies nothing: that is what replay speed rests on. A sample without optional columns takes 21 bytes.
 */
import { ByteReader, ByteWriter } from "../num/bytes.ts";
import type { Act } from "./acts.ts";
import { EMPTY_ENTRY, type Batch, type Entry, type Registration, type SampleColumns } from "./batch.ts";
import {
  ALIGNMENT,
  BATCH_EVENTS_MAX,
  bytesOf,
  Corrupt,
  expectAtMost,
  expectEqual,
  expectLengths,
  pad,
  readF64,
  readTexts,
  readU32,
  skipPadding,
  writeTexts,
} from "./columns.ts";
import {
  readHealth,
  readJobs,
  readSelections,
  writeHealth,
  writeJobs,
  writeSelections,
} from "./work-codec.ts";

export { BATCH_EVENTS_MAX } from "./columns.ts";

/** Deepest nesting that {@link canonicalJson} writes. */
export const CANONICAL_DEPTH_MAX = 64;

/** The two parts of a log record's body; each owns its buffer and may be transferred to another thread. */
export interface EncodedBatch {
  readonly acts: Uint8Array<ArrayBuffer>;
  readonly samples: Uint8Array<ArrayBuffer>;
}

export type DecodeBatchResult =
  /** `complete` is false when the samples were trimmed: then only what the log keeps for ever is here. */
  | { readonly type: "decoded"; readonly batch: Batch; readonly complete: boolean }
  | { readonly type: "corrupt"; readonly detail: string };

const ACTS_MAGIC = 0x31_41_54_53; // "STA1"
const SAMPLES_MAGIC = 0x31_53_54_53; // "STS1"
const VERSION = 1;

const HAS_SAMPLES = 1;
const HAS_WEIGHT = 2;
const HAS_MONITOR = 4;
const HAS_CONTEXT = 8;
const HAS_JOBS = 16;
const HAS_HEALTH = 32;
const HAS_SELECTIONS = 64;
const SAMPLE_OPTIONS = HAS_WEIGHT | HAS_MONITOR | HAS_CONTEXT;
const FLAGS_ALL = HAS_SAMPLES | SAMPLE_OPTIONS | HAS_JOBS | HAS_HEALTH | HAS_SELECTIONS;

/** Kinds of subject that one record can name; their number has 16 bits. */
const KIND_NAMES_MAX = 0xffff;

// Columns are copied as the machine holds them; every platform this runs on is little endian.
if (new Uint8Array(new Uint32Array([1]).buffer)[0] !== 1)
  throw new Error("a little-endian machine is needed");

/**
 * Encodes one batch. The entries have been validated: a number in an act that is not finite, columns of unequal
 * length or more than {@link BATCH_EVENTS_MAX} events are mistakes of the caller and throw.
 */
export function encodeBatch(batch: Pick<Batch, "loggedAt" | "entries">): EncodedBatch {
  const { entries, loggedAt } = batch;
  if (entries.length > BATCH_EVENTS_MAX || countEvents(entries) > BATCH_EVENTS_MAX) {
    throw new RangeError(`a batch holds at most ${BATCH_EVENTS_MAX} events`);
  }
  const samples = encodeSamples(entries);
  const kinds = kindTable(entries);
  const acts = new ByteWriter();
  acts.u32(ACTS_MAGIC);
  acts.u8(VERSION);
  acts.f64(loggedAt);
  acts.u32(samples.length);
  acts.u32(entries.length);
  acts.u16(kinds.size);
  for (const kind of kinds.keys()) acts.text(kind);
  acts.u32(entries.filter(isKept).length);
  for (const [index, entry] of entries.entries()) {
    if (!isKept(entry)) continue;
    acts.u32(index);
    writeHeader(acts, entry);
    writeRegistrations(acts, entry.registrations, kinds);
    acts.u32(entry.acts.length);
    for (const act of entry.acts) acts.text(canonicalJson(act));
  }
  return { acts: acts.finish(), samples };
}

/**
 * Decodes a body that {@link encodeBatch} made; `samples` is null when the log has dropped them. The columns are
 * views on `samples`, valid as long as that memory is not reused. Bytes that make no sense give `corrupt`.
 */
export function decodeBatch(
  position: number,
  body: { readonly acts: Uint8Array; readonly samples: Uint8Array | null },
): DecodeBatchResult {
  try {
    const reader = new ByteReader(body.acts);
    expectEqual("magic of the acts", reader.u32(), ACTS_MAGIC);
    expectEqual("version", reader.u8(), VERSION);
    const loggedAt = reader.f64();
    const samplesLength = reader.u32();
    const entryCount = expectAtMost("entries", reader.u32(), BATCH_EVENTS_MAX);
    const kept = readKeptEntries(reader, entryCount);
    expectEqual("bytes behind the acts", reader.remaining, 0);
    if (body.samples === null) {
      return { type: "decoded", batch: { position, loggedAt, entries: [...kept.values()] }, complete: false };
    }
    expectEqual("bytes of samples", body.samples.length, samplesLength);
    const entries = readAllEntries(body.samples, entryCount, kept);
    expectAtMost("events", countEvents(entries), BATCH_EVENTS_MAX);
    return { type: "decoded", batch: { position, loggedAt, entries }, complete: true };
  } catch (error) {
    // RangeError: a length points past the end. SyntaxError: an act is no JSON.
    if (error instanceof Corrupt || error instanceof RangeError || error instanceof SyntaxError) {
      return { type: "corrupt", detail: error.message };
    }
    throw error;
  }
}

/** A selection counts as so many bytes of its record do. */
const RECORD_BYTES_PER_EVENT = 64;

/** Samples, outcomes, reports, selections by their size, and acts: what a batch's limit counts. */
export function countEvents(entries: readonly Entry[]): number {
  let count = 0;
  for (const { samples, jobs, health, selections, acts } of entries) {
    count += (samples?.count ?? 0) + (jobs?.count ?? 0) + (health?.count ?? 0) + acts.length;
    for (const { record } of selections) count += 1 + Math.floor(record.length / RECORD_BYTES_PER_EVENT);
  }
  return count;
}

/**
 * The one JSON text of a value: keys sorted by UTF-16 code units, no white space, properties that are undefined
 * left out, -0 written as 0 (as RFC 8785 does). Throws RangeError for NaN, an infinity or nesting deeper than
 * {@link CANONICAL_DEPTH_MAX}, TypeError for what JSON cannot say.
 */
export function canonicalJson(value: unknown): string {
  return jsonText(value, 0);
}

function jsonText(value: unknown, depth: number): string {
  if (depth > CANONICAL_DEPTH_MAX) throw new RangeError(`nested deeper than ${CANONICAL_DEPTH_MAX}`);
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new RangeError(`${value} is no JSON number`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((item) => jsonText(item, depth + 1)).join(",")}]`;
  if (typeof value !== "object") throw new TypeError(`a ${typeof value} is no JSON`);
  const fields: string[] = [];
  for (const [key, field] of Object.entries(value).toSorted(byKey)) {
    if (field !== undefined) fields.push(`${JSON.stringify(key)}:${jsonText(field, depth + 1)}`);
  }
  return `{${fields.join(",")}}`;
}

function byKey(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}

// ---- writing

/** Entries that name somebody or must be answered for stay in the log for ever. */
function isKept(entry: Entry): boolean {
  return entry.registrations.length > 0 || entry.acts.length > 0;
}

function hasColumns({ samples, jobs, health, selections }: Entry): boolean {
  return samples !== null || jobs !== null || health !== null || selections.length > 0;
}

function kindTable(entries: readonly Entry[]): Map<string, number> {
  const codes = new Map<string, number>();
  for (const entry of entries) {
    for (const { kind } of entry.registrations) if (!codes.has(kind)) codes.set(kind, codes.size);
  }
  if (codes.size > KIND_NAMES_MAX) throw new RangeError(`more than ${KIND_NAMES_MAX} kinds in one batch`);
  return codes;
}

function writeHeader(writer: ByteWriter, entry: Entry): void {
  writer.text(entry.producer);
  writer.f64(entry.sequence);
  writer.text(entry.idempotencyKey);
  writer.text(entry.requestHash);
  writer.text(entry.answer);
}

function writeRegistrations(
  writer: ByteWriter,
  registrations: readonly Registration[],
  kinds: ReadonlyMap<string, number>,
): void {
  writer.u32(registrations.length);
  for (const { number, kind, id } of registrations) {
    writer.u32(number);
    writer.u16(kinds.get(kind)!);
    writer.text(id);
  }
}

function encodeSamples(entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  if (entries.every((entry) => isKept(entry) && !hasColumns(entry))) return new Uint8Array(0);
  const writer = new ByteWriter(1024 + countEvents(entries) * 32);
  writer.u32(SAMPLES_MAGIC);
  for (const entry of entries) {
    if (!isKept(entry)) writeHeader(writer, entry);
    writeSections(writer, entry);
  }
  return writer.finish();
}

/** A byte that says what there is, then each section's columns. */
function writeSections(writer: ByteWriter, { samples, jobs, health, selections }: Entry): void {
  let flags = samples === null ? 0 : sampleFlags(samples);
  if (jobs !== null) flags |= HAS_JOBS;
  if (health !== null) flags |= HAS_HEALTH;
  if (selections.length > 0) flags |= HAS_SELECTIONS;
  writer.u8(flags);
  if (samples !== null) writeSamples(writer, samples);
  if (jobs !== null) writeJobs(writer, jobs);
  if (health !== null) writeHealth(writer, health);
  if (selections.length > 0) writeSelections(writer, selections);
}

function sampleFlags({ weight, monitor, context }: SampleColumns): number {
  let flags = HAS_SAMPLES;
  if (weight !== null) flags |= HAS_WEIGHT;
  if (monitor !== null) flags |= HAS_MONITOR;
  if (context !== null) flags |= HAS_CONTEXT;
  return flags;
}

function writeSamples(writer: ByteWriter, samples: SampleColumns): void {
  const { count, at, value, subject, kind, weight, monitor, context } = samples;
  expectLengths(count, [at, value, subject, kind, weight, monitor, context]);
  writer.u32(count);
  pad(writer);
  writer.raw(bytesOf(at));
  writer.raw(bytesOf(value));
  if (weight !== null) writer.raw(bytesOf(weight));
  writer.raw(bytesOf(subject));
  writer.raw(kind);
  if (monitor !== null) writeTexts(writer, monitor);
  if (context !== null) writeTexts(writer, context);
}

// ---- reading

/** Entries of the acts part by their place in the batch, without their samples. */
function readKeptEntries(reader: ByteReader, entryCount: number): Map<number, Entry> {
  const kinds: string[] = [];
  for (let left = reader.u16(); left > 0; left--) kinds.push(reader.text());
  const kept = new Map<number, Entry>();
  let last = -1;
  for (let left = reader.u32(); left > 0; left--) {
    const index = reader.u32();
    if (index <= last || index >= entryCount)
      throw new Corrupt(`entry ${index} behind ${last} of ${entryCount}`);
    last = index;
    const header = readHeader(reader);
    const registrations = readRegistrations(reader, kinds);
    const acts: Act[] = [];
    for (let actsLeft = reader.u32(); actsLeft > 0; actsLeft--) acts.push(readAct(reader.text()));
    kept.set(index, { ...EMPTY_ENTRY, ...header, registrations, acts });
  }
  return kept;
}

type Header = Pick<Entry, "producer" | "sequence" | "idempotencyKey" | "requestHash" | "answer">;

function readHeader(reader: ByteReader): Header {
  const producer = reader.text();
  const sequence = reader.f64();
  const idempotencyKey = reader.text();
  const requestHash = reader.text();
  const answer = reader.text();
  return { producer, sequence, idempotencyKey, requestHash, answer };
}

function readRegistrations(reader: ByteReader, kinds: readonly string[]): Registration[] {
  const registrations: Registration[] = [];
  for (let left = reader.u32(); left > 0; left--) {
    const number = reader.u32();
    const code = reader.u16();
    const kind = kinds[code];
    if (kind === undefined) throw new Corrupt(`kind ${code} of ${kinds.length}`);
    registrations.push({ number, kind, id: reader.text() });
  }
  return registrations;
}

/** Acts were validated before they were logged; here only what every reader relies on is checked. */
function readAct(text: string): Act {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || !("type" in value) || typeof value.type !== "string") {
    throw new Corrupt("an act without a type");
  }
  return value as Act;
}

function readAllEntries(bytes: Uint8Array, entryCount: number, kept: ReadonlyMap<number, Entry>): Entry[] {
  if (bytes.length === 0) {
    expectEqual("entries with samples", entryCount - kept.size, 0);
    return [...kept.values()];
  }
  // Views need aligned memory; a record that was cut out of a larger buffer is moved once.
  const part = bytes.byteOffset % ALIGNMENT === 0 ? bytes : bytes.slice();
  const reader = new ByteReader(part);
  expectEqual("magic of the samples", reader.u32(), SAMPLES_MAGIC);
  const entries: Entry[] = [];
  for (let index = 0; index < entryCount; index++) {
    const entry = kept.get(index) ?? { ...EMPTY_ENTRY, ...readHeader(reader) };
    entries.push({ ...entry, ...readSections(reader, part.length) });
  }
  expectEqual("bytes behind the samples", reader.remaining, 0);
  return entries;
}

function readSections(
  reader: ByteReader,
  length: number,
): Pick<Entry, "samples" | "jobs" | "health" | "selections"> {
  const flags = reader.u8();
  if (flags > FLAGS_ALL) throw new Corrupt(`section flags ${flags}`);
  if ((flags & SAMPLE_OPTIONS) !== 0 && (flags & HAS_SAMPLES) === 0)
    throw new Corrupt(`section flags ${flags}`);
  const samples = flags & HAS_SAMPLES ? readSamples(reader, flags, length) : null;
  const jobs = flags & HAS_JOBS ? readJobs(reader, length) : null;
  const health = flags & HAS_HEALTH ? readHealth(reader, length) : null;
  const selections = flags & HAS_SELECTIONS ? readSelections(reader, length) : [];
  return { samples, jobs, health, selections };
}

function readSamples(reader: ByteReader, flags: number, length: number): SampleColumns {
  const count = expectAtMost("samples", reader.u32(), BATCH_EVENTS_MAX);
  skipPadding(reader, length);
  const at = readF64(reader, count);
  const value = readF64(reader, count);
  const weight = flags & HAS_WEIGHT ? readF64(reader, count) : null;
  const subject = readU32(reader, count);
  const kind = reader.raw(count);
  const monitor = flags & HAS_MONITOR ? readTexts(reader, count, length) : null;
  const context = flags & HAS_CONTEXT ? readTexts(reader, count, length) : null;
  return { count, at, value, subject, kind, weight, monitor, context };
}
