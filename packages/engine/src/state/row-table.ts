/**
 * Hot state: one fixed-width row of numbers per subject, in chunks that are added and never copied.
 *
 * A row is a header and one slot per metric, so that what one event touches lies side by side. Counters share the
 * memory with the doubles: `u32` and `f32` are views of the same buffer, and a 32-bit field at double `d` is
 * addressed as `2 * d` or `2 * d + 1`.
 */
import { METRICS, METRIC_COUNT } from "../event/metrics.ts";
import { fieldsAt, type Fields, type RowLayout } from "./row-layout.ts";

export const ROWS_PER_CHUNK = 16_384;
/** Rows that a snapshot writes at one log position. */
export const ROWS_PER_UNIT = 16;
/** 64 chunks of 16,384 are 1,048,576; the limit is four thousand chunks, 67 million subjects of a kind. */
export const CHUNKS_MAX = 4_096;

/** Header, in doubles from the row's start. */
export const FIRST_AT = 0; // `at` of the first evidence, 0 before any
export const LAST_AT = 1; // `at` of the newest evidence, or when the subject was registered
export const SCORE = 2; // as last evaluated
export const EVALUATED_AT = 3; // loggedAt of that evaluation
export const TRUST_POSITION = 8; // evidence time that the trust average has run through, ms
export const TRUST_AT = 9; // loggedAt up to which it has run
export const TRUST_BUCKETS = 10; // seven doubles: integral of the score over each part of the retention
export const TRUST_BUCKET_COUNT = 7;
export const IMPACT = 17; // trust points all penalties have cost
export const RECOVERED = 18; // trust points worked off, at most IMPACT
export const TIER_AT = 19; // loggedAt of the last tier evaluation
export const REGISTERED_AT = 20;
export const DEADLINE = 23; // instant at which time alone will change what the subject is, 0 for none soon
export const MEANS = 24; // four doubles: mean utility of each component but trust, in the order of COMPONENTS
export const PRIOR_SHIFT = 28; // what a known operator adds to the utility of the prior, see `score/prior.ts`
export const HEADER_SIZE = 29;
/** Header, 32-bit fields; the first eight share a cache line with the score, for they are read with it. */
export const NUMBER = 8; // dense number of the subject
export const EVENT_COUNT = 9; // samples folded
export const EVIDENCE_DAYS = 10;
export const LAST_DAY = 11; // days since 1970 of the newest counted evidence day
export const TIER = 12; // current tier, index into the policy's names
export const TIER_CANDIDATE = 13; // tier that the score asks for, with the count of evaluations above it
export const FLAGS = 14;
export const CHANGE_STAMP = 15; // place in the batch's list of changes, see `Changes`
export const WINDOW_COUNT = 42; // windows and blocks opened: the evidence there is, before decay
export const STALE_MEANS = 43; // bit c: component c has new evidence since its mean in `MEANS` was taken
export const STREAKS = 44; // days in a row that each rule of earned rewards held, six bits a rule
export const STREAK_DAY = 45; // days since 1970 of the newest count

/** Stale means: a bit for each component but trust. */
export const ALL_STALE = 0b1111;
/** Flags. */
export const HAS_SANCTIONS = 1;
export const IS_LOW = 2;
export const IS_BANNED = 4;
export const IS_SUSPENDED = 8;
export const ON_PROBATION = 16;
export const IN_MAINTENANCE = 32;

/** Slot of a metric, in doubles from the slot's start. */
export const CURRENT_SUM = 2; // open window: weight x utility
export const CURRENT_WEIGHT = 3;
export const PREVIOUS_SUM = 4;
export const PREVIOUS_WEIGHT = 5;
export const W = 6; // closed windows, decayed to the newest open one: weight,
export const WV = 7; // weight x utility,
export const WVV = 8; // weight x utility squared,
export const WW = 9; // weight squared
export const SPAN_MS = 10; // evidence time from the first to the newest window
/** Slot, 32-bit fields from twice the slot's start. */
export const CURRENT_INDEX = 0; // window number + 1, 0 for none
export const PREVIOUS_INDEX = 1;
export const ALERT_COUNTERS = 3; // breaches and good samples in a row, 16 bits each
export const ALERT_HOUR = 22; // hour + 1 of the sums below
export const ALERT_COUNTS = 23; // samples in that hour and in the one before, 16 bits each
export const ALERT_SUM = 24; // f32: sum of what the values of that hour are above the threshold
export const ALERT_PREVIOUS_SUM = 25; // f32
/** Slot, 16-bit fields from four times the slot's start: samples in the open windows. */
export const CURRENT_COUNT = 4;
export const PREVIOUS_COUNT = 5;
const PLAIN_SLOT_SIZE = 13;
/** Correlated metrics collect windows (5 min) in blocks (6 h). */
export const CURRENT_BLOCK = 26; // 32-bit: block number + 1
export const PREVIOUS_BLOCK = 27;
export const CURRENT_BLOCK_COUNT = 56; // 16-bit: windows collected
export const PREVIOUS_BLOCK_COUNT = 57;
export const CURRENT_BLOCK_SUM = 15; // sum of window means
export const CURRENT_BLOCK_WEIGHT = 16; // sum of window weights
export const PREVIOUS_BLOCK_SUM = 17;
export const PREVIOUS_BLOCK_WEIGHT = 18;
const BLOCK_SLOT_SIZE = 19;

/** Start of each metric's slot inside a row. */
export const SLOT_OFFSETS: readonly number[] = slotOffsets();
export const ROW_SIZE = SLOT_OFFSETS[METRIC_COUNT]!;

function slotOffsets(): number[] {
  const offsets = [HEADER_SIZE];
  for (const metric of METRICS) {
    offsets.push(offsets.at(-1)! + (metric.correlated ? BLOCK_SLOT_SIZE : PLAIN_SLOT_SIZE));
  }
  return offsets;
}

/** Every field by name, those of a slot behind the name of its metric. */
export const ROW_LAYOUT: RowLayout = { size: ROW_SIZE * 8, fields: rowFields() };

function rowFields(): Fields {
  const fields = headerFields();
  for (const [code, { name, correlated }] of METRICS.entries()) {
    Object.assign(fields, slotFields(SLOT_OFFSETS[code]!, `${name}.`));
    if (correlated) Object.assign(fields, blockFields(SLOT_OFFSETS[code]!, `${name}.`));
  }
  return fields;
}

function headerFields(): Fields {
  const trustBuckets = [TRUST_BUCKETS, TRUST_BUCKET_COUNT] as const;
  const means = [MEANS, PRIOR_SHIFT - MEANS] as const;
  const dates = { FIRST_AT, LAST_AT, EVALUATED_AT, TRUST_AT, TIER_AT, REGISTERED_AT, DEADLINE };
  const points = {
    SCORE,
    TRUST_POSITION,
    TRUST_BUCKETS: trustBuckets,
    IMPACT,
    RECOVERED,
    MEANS: means,
    PRIOR_SHIFT,
  };
  const counts = { EVENT_COUNT, EVIDENCE_DAYS, LAST_DAY, WINDOW_COUNT, STREAKS, STREAK_DAY };
  const marks = { NUMBER, TIER, TIER_CANDIDATE, FLAGS, CHANGE_STAMP, STALE_MEANS };
  return fieldsAt(0, { f64: { ...dates, ...points }, u32: { ...counts, ...marks } });
}

function slotFields(start: number, prefix: string): Fields {
  const open = { CURRENT_SUM, CURRENT_WEIGHT, PREVIOUS_SUM, PREVIOUS_WEIGHT };
  const closed = { W, WV, WVV, WW, SPAN_MS };
  const u32 = { CURRENT_INDEX, PREVIOUS_INDEX, ALERT_COUNTERS, ALERT_HOUR, ALERT_COUNTS };
  const f32 = { ALERT_SUM, ALERT_PREVIOUS_SUM };
  return fieldsAt(
    start,
    { f64: { ...open, ...closed }, u32, f32, u16: { CURRENT_COUNT, PREVIOUS_COUNT } },
    prefix,
  );
}

function blockFields(start: number, prefix: string): Fields {
  const f64 = { CURRENT_BLOCK_SUM, CURRENT_BLOCK_WEIGHT, PREVIOUS_BLOCK_SUM, PREVIOUS_BLOCK_WEIGHT };
  const u32 = { CURRENT_BLOCK, PREVIOUS_BLOCK };
  return fieldsAt(start, { f64, u32, u16: { CURRENT_BLOCK_COUNT, PREVIOUS_BLOCK_COUNT } }, prefix);
}

/** Memory of 16,384 rows, seen as doubles, as 32-bit and 16-bit counters and as 32-bit floats. */
export interface Chunk {
  readonly f64: Float64Array<ArrayBuffer>;
  readonly u32: Uint32Array<ArrayBuffer>;
  readonly u16: Uint16Array<ArrayBuffer>;
  readonly f32: Float32Array<ArrayBuffer>;
  /** Work rows of the same subjects, where the kind has them, see `work-row.ts`. */
  work: WorkChunk | null;
  /** Work rows of a snapshot, kept aside until the log comes to the policy that gave the kind work rows. */
  workAhead: WorkChunk | null;
  /**
   * While a snapshot's log tail is replayed: the position up to which each unit of rows is folded already. Null in
   * live operation.
   */
  foldedTo: Float64Array | null;
}

export interface WorkChunk {
  readonly f64: Float64Array<ArrayBuffer>;
  readonly u32: Uint32Array<ArrayBuffer>;
}

/** True when the row, restored from a snapshot, already holds what the log has at `position`. */
export function isFolded(chunk: Chunk, row: number, position: number): boolean {
  return (
    chunk.foldedTo !== null && chunk.foldedTo[((row & (ROWS_PER_CHUNK - 1)) / ROWS_PER_UNIT) | 0]! >= position
  );
}

/** Rows of one kind of subject, addressed by row number. */
export class RowTable {
  readonly chunks: Chunk[] = [];
  private rows = 0;
  private workDoubles = 0;

  get count(): number {
    return this.rows;
  }

  /** Doubles of a work row; 0 while the kind has none. */
  get workSize(): number {
    return this.workDoubles;
  }

  /** Adds an empty row and returns its number. */
  add(): number {
    const row = this.rows++;
    if (row >>> 14 === CHUNKS_MAX)
      throw new RangeError(`more than ${CHUNKS_MAX * ROWS_PER_CHUNK} subjects of a kind`);
    if (row % ROWS_PER_CHUNK === 0 && this.chunks.length <= row >>> 14)
      this.chunks.push(newChunk(this.workDoubles));
    return row;
  }

  /** Gives every row, and those to come, a work row of zeros. */
  addWork(size: number): void {
    if (this.workDoubles === size) return;
    this.workDoubles = size;
    for (const chunk of this.chunks) {
      chunk.work ??= chunk.workAhead ?? newWorkChunk(size);
      chunk.workAhead = null;
    }
  }

  chunkOf(row: number): Chunk {
    return this.chunks[row >>> 14]!;
  }

  /** Puts back the rows from `first` on, as they were after log position `position`. */
  restore(first: number, bytes: Uint8Array, workBytes: Uint8Array, position: number): void {
    const index = first >>> 14;
    while (this.chunks.length <= index) this.chunks.push(newChunk(this.workDoubles));
    const chunk = this.chunks[index]!;
    new Uint8Array(chunk.f64.buffer).set(bytes, rowStart(first) * 8);
    if (workBytes.length > 0) {
      const size = (workBytes.length * ROW_SIZE) / bytes.length;
      const work = chunk.work ?? (chunk.workAhead ??= newWorkChunk(size));
      new Uint8Array(work.f64.buffer).set(workBytes, workByte(first, size));
    }
    chunk.foldedTo ??= new Float64Array(ROWS_PER_CHUNK / ROWS_PER_UNIT);
    chunk.foldedTo[(first & (ROWS_PER_CHUNK - 1)) / ROWS_PER_UNIT] = position;
  }

  /** Rows there were when the snapshot began; later ones come back when their registration is replayed. */
  restoreCount(rows: number): void {
    this.rows = rows;
    while (this.chunks.length * ROWS_PER_CHUNK < rows) this.chunks.push(newChunk(this.workDoubles));
  }

  /** The restored rows are as far as the log: from here on every batch concerns all of them. */
  endRestore(): void {
    for (const chunk of this.chunks) chunk.foldedTo = null;
  }

  /** Bytes of the rows from `first` up to `end`, all in one unit. */
  bytesOf(first: number, end: number): Uint8Array {
    return new Uint8Array(this.chunkOf(first).f64.buffer, rowStart(first) * 8, (end - first) * ROW_SIZE * 8);
  }

  /** Bytes of their work rows. */
  workBytesOf(first: number, end: number): Uint8Array {
    const { buffer } = this.chunkOf(first).work!.f64;
    return new Uint8Array(buffer, workByte(first, this.workDoubles), (end - first) * this.workDoubles * 8);
  }
}

/** First double of a row inside its chunk. */
export function rowStart(row: number): number {
  return (row & (ROWS_PER_CHUNK - 1)) * ROW_SIZE;
}

/** First byte of a row's work row, of `size` doubles, inside its chunk. */
function workByte(row: number, size: number): number {
  return (row & (ROWS_PER_CHUNK - 1)) * size * 8;
}

function newChunk(workSize: number): Chunk {
  const buffer = new ArrayBuffer(ROWS_PER_CHUNK * ROW_SIZE * 8);
  return {
    f64: new Float64Array(buffer),
    u32: new Uint32Array(buffer),
    u16: new Uint16Array(buffer),
    f32: new Float32Array(buffer),
    work: workSize === 0 ? null : newWorkChunk(workSize),
    workAhead: null,
    foldedTo: null,
  };
}

function newWorkChunk(size: number): WorkChunk {
  const buffer = new ArrayBuffer(ROWS_PER_CHUNK * size * 8);
  return { f64: new Float64Array(buffer), u32: new Uint32Array(buffer) };
}
