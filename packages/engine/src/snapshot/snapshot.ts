/**
 * Subject-wise snapshots of the state, written in small steps between batches.
 *
 * What concerns all subjects is taken at the start position. Rows follow in units of 16 with their sanctions,
 * profiles and aggregates, each unit as of the position at which it is written. A restore therefore replays from the
 * start position and leaves out, for each unit, what that unit already holds.
 */
import type { TierCuts } from "../event/acts.ts";
import { readTexts, writeTexts } from "../event/columns.ts";
import type { Network } from "../fold/network.ts";
import type { OpenSelection } from "../fold/selections.ts";
import { takeUp } from "../fold/take-up.ts";
import type { Policy } from "../policy/policy.ts";
import { stored, type StoredSanctions } from "../sanction/sanction.ts";
import { METRIC_NAMES } from "../event/metrics.ts";
import { WORK_LAYOUT } from "../state/work-row.ts";
import { rowTranslation, type RowLayout, type RowTranslation } from "../state/row-layout.ts";
import { NUMBER, ROW_LAYOUT, ROWS_PER_UNIT, rowStart } from "../state/row-table.ts";
import type { JobClassesDump } from "../state/job-classes.ts";
import type { Profile } from "../state/profiles.ts";
import type { MemoryDump } from "../state/memory.ts";
import { windowOf, type MonitorWindow } from "../state/monitor-window.ts";
import type { Provisional, VoidedWindow } from "../state/provisional.ts";
import {
  addDurations,
  addKind,
  addWorkRows,
  createState,
  type Kind,
  type State,
  type StateOptions,
} from "../state/state.ts";
import { ByteReader, ByteWriter } from "../num/bytes.ts";

/** Format of the parts; a snapshot of another version is not read. */
export const SNAPSHOT_VERSION = 5;
/** A step writes about this much. */
export const STEP_BYTES = 1 << 20;
/**
 * A part has at most this many bytes. Keys and rows are cut at a step, but sixteen subjects with a long text in each
 * raw sample can be many times that.
 */
const PART_BYTES_MAX = 32 << 20;
/** Ids in one part. */
const IDS_PER_PART = 16_384;
/** Held samples in one part. */
const HELD_PER_PART = 16_384;
/** Voided windows in one part, each with a hundred subjects and twenty monitors at most. */
const VOIDS_PER_PART = 100;

export interface Part {
  readonly type: number;
  /** Log position up to which the part holds everything. */
  readonly position: number;
  readonly bytes: Uint8Array;
}

const HEADER = 1;
const IDS = 2;
const KEYS = 3;
const ROWS = 4;
const AGGREGATES = 5;
/** The beginning of the part that follows. */
const BEGINNING = 6;
const HELD = 7;
const VOIDS = 8;

const AGGREGATES_REFUSED = "the snapshot holds aggregates, the state is to have none";

/** A snapshot that this version cannot read; the message says why. */
export class SnapshotRefusedError extends Error {
  readonly type = "refused";

  constructor(message: string) {
    super(message);
    this.name = "SnapshotRefusedError";
  }
}

/** What is held, but for the samples; `released` is how far each window that is being released has come. */
interface ProvisionalHead {
  readonly count: number;
  readonly closedTo: number;
  readonly unheld: number;
  readonly released: readonly (readonly [index: number, observations: number])[];
}

interface Header {
  readonly version: number;
  /** What the numbers of metrics stand for, and how the rows lie. */
  readonly metrics: readonly string[];
  readonly layouts: { readonly row: RowLayout; readonly work: RowLayout };
  readonly position: number;
  readonly now: number;
  readonly refreshNext: number;
  readonly refreshOwed: number;
  readonly eventCount: number;
  readonly actCount: number;
  readonly provisional: ProvisionalHead;
  readonly sequences: MemoryDump["sequences"];
  readonly kinds: readonly {
    readonly name: string;
    readonly policy: Policy;
    readonly rows: number;
    readonly cuts: { readonly scores: TierCuts["cuts"]; readonly rated: number } | null;
    readonly policyAt: number;
    readonly hasWork: boolean;
    readonly outcomes: Pick<Network, "finished" | "succeeded" | "outcomesAt">;
    readonly open: readonly (readonly [number, OpenSelection])[];
    readonly window: readonly number[];
    readonly jobClasses: JobClassesDump;
  }[];
  readonly operators: readonly string[];
}

/**
 * Parts of a snapshot of `state`, one a step. Batches may be applied between two steps, never during one. The bytes of
 * a part are valid until the next step, which writes to the same memory.
 *
 * @param stepBytes a part of keys or rows ends with the key or unit in which it reaches this size
 * @param partBytesMax what is larger all the same comes in several parts
 */
export function* snapshotParts(
  state: State,
  stepBytes = STEP_BYTES,
  partBytesMax = PART_BYTES_MAX,
): Generator<Part, void, void> {
  for (const { type, position, bytes } of wholeParts(state, stepBytes)) {
    let at = 0;
    for (; bytes.length - at > partBytesMax; at += partBytesMax)
      yield { type: BEGINNING, position, bytes: bytes.subarray(at, at + partBytesMax) };
    yield { type, position, bytes: bytes.subarray(at) };
  }
}

function* wholeParts(state: State, stepBytes: number): Generator<Part> {
  const startPosition = state.position;
  const { sequences, keys } = state.memory.dump();
  const count = state.places.count;
  // A kind that is added meanwhile comes back whole from the log.
  const kinds = [...state.kinds];
  const aggregates = aggregateBytes(kinds);
  const held = state.provisional.sorted().map((window) => ({ window, rows: window.count }));
  const voids = [...state.provisional.voids];
  const writer = new ByteWriter(2 * stepBytes);
  writer.text(JSON.stringify(headerOf(state, sequences)));
  yield { type: HEADER, position: startPosition, bytes: writer.written };
  yield { type: AGGREGATES, position: startPosition, bytes: aggregates };
  for (let first = 0; first < count; first += IDS_PER_PART) {
    writer.clear();
    writeIds(state, first, Math.min(count, first + IDS_PER_PART), writer);
    yield { type: IDS, position: startPosition, bytes: writer.written };
  }
  for (const text of keyTexts(keys, stepBytes)) {
    writer.clear();
    writer.text(text);
    yield { type: KEYS, position: startPosition, bytes: writer.written };
  }
  for (const { window, rows } of held) {
    for (let first = 0; first < rows; first += HELD_PER_PART) {
      writer.clear();
      writeHeld(window, first, Math.min(rows, first + HELD_PER_PART), writer);
      yield { type: HELD, position: startPosition, bytes: writer.written };
    }
  }
  for (let first = 0; first < voids.length; first += VOIDS_PER_PART) {
    writer.clear();
    writer.text(JSON.stringify(voids.slice(first, first + VOIDS_PER_PART)));
    yield { type: VOIDS, position: startPosition, bytes: writer.written };
  }
  for (const kind of kinds) {
    const rows = kind.table.count;
    for (let first = 0; first < rows; ) {
      writer.clear();
      while (first < rows && writer.length < stepBytes) {
        writeUnit(state, kind, first, writer);
        first += ROWS_PER_UNIT;
      }
      yield { type: ROWS, position: state.position, bytes: writer.written };
    }
  }
}

/**
 * A state to restore parts into, in the order in which they were written. `part` throws SnapshotRefusedError when the
 * snapshot is of another version, or when its metrics or the fields of its rows mean something else here.
 */
export function restoreParts(options: StateOptions): {
  state: State;
  part(part: Part): void;
  finish(): void;
} {
  const state = createState({ ...options, policies: {} });
  const restoring: Restoring = { state, rows: null };
  const beginning: Part["bytes"][] = [];
  return {
    state,
    part: (part) => {
      if (part.type === BEGINNING) beginning.push(part.bytes.slice());
      else restorePart(restoring, { ...part, bytes: joined([...beginning.splice(0), part.bytes]) });
    },
    finish: () => {
      for (const kind of state.kinds)
        for (let row = 0; row < kind.table.count; row++) takeUp(state, kind, row);
    },
  };
}

function joined(pieces: readonly Part["bytes"][]): Part["bytes"] {
  if (pieces.length === 1) return pieces[0]!;
  const writer = new ByteWriter();
  for (const piece of pieces) writer.raw(piece);
  return writer.finish();
}

/** The log behind the snapshot has been replayed: from here on every batch concerns every row. */
export function endReplay(state: State): void {
  for (const kind of state.kinds) kind.table.endRestore();
}

function headerOf(state: State, sequences: MemoryDump["sequences"]): Header {
  return {
    version: SNAPSHOT_VERSION,
    metrics: METRIC_NAMES,
    layouts: { row: ROW_LAYOUT, work: WORK_LAYOUT },
    position: state.position,
    now: state.now,
    refreshNext: state.refreshNext,
    refreshOwed: state.refreshOwed,
    eventCount: state.eventCount,
    actCount: state.actCount,
    provisional: provisionalHead(state.provisional),
    sequences,
    operators: state.operators.dump(),
    kinds: state.kinds.map(({ name, compiled, table, cuts, policyAt, network, selections, jobClasses }) => ({
      name,
      policy: compiled.policy,
      rows: table.count,
      cuts,
      policyAt,
      hasWork: table.workSize > 0,
      outcomes: {
        finished: network.finished,
        succeeded: network.succeeded,
        outcomesAt: network.outcomesAt,
      },
      open: [...selections.open],
      window: [...selections.window.dump()],
      jobClasses: jobClasses.dump(),
    })),
  };
}

function provisionalHead(provisional: Provisional): ProvisionalHead {
  const { count, closedTo, unheld } = provisional;
  const released = provisional
    .sorted()
    .map(({ index, released: observations }) => [index, observations] as const);
  return { count, closedTo, unheld, released };
}

/** What belongs to all rows of a kind's aggregates. */
function aggregateBytes(kinds: readonly Kind[]): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(1 << 10);
  for (const { aggregates, durations } of kinds) {
    for (const store of [aggregates, durations]) {
      writer.u8(store === null ? 0 : 1);
      store?.encodeHeader(writer);
    }
  }
  return writer.finish();
}

function writeIds(state: State, first: number, end: number, writer: ByteWriter): void {
  writer.u32(end - first);
  for (let subject = first; subject < end; subject++) {
    writer.u8(state.places.kindOf(subject));
    writer.u32(state.places.rowOf(subject));
  }
  state.ids.encode(writer, first, end);
}

/** Cut by size, because an answer has a hundred bytes or a hundred thousand. */
function* keyTexts(keys: MemoryDump["keys"], stepBytes: number): Generator<string> {
  let texts: string[] = [];
  let length = 0;
  for (const [index, key] of keys.entries()) {
    const text = JSON.stringify(key);
    texts.push(text);
    length += text.length;
    if (length < stepBytes && index < keys.length - 1) continue;
    yield `[${texts.join(",")}]`;
    texts = [];
    length = 0;
  }
}

/** Rows `first` to `end` of a window: what is added later lies behind them, and what is there stays. */
function writeHeld(window: MonitorWindow, first: number, end: number, writer: ByteWriter): void {
  const monitors: string[] = [];
  writer.u32(end - first);
  for (let row = first; row < end; row++) {
    writer.f64(window.at(row));
    writer.f64(window.value(row));
    writer.f64(window.weight(row));
    writer.u32(window.subject(row));
    writer.u8(window.kind(row));
    monitors.push(window.monitors[window.monitor(row)]!);
  }
  writeTexts(writer, monitors);
}

function writeUnit(state: State, kind: Kind, first: number, writer: ByteWriter): void {
  const end = Math.min(kind.table.count, first + ROWS_PER_UNIT);
  writer.u8(kind.index);
  writer.u32(first);
  writer.u32(end - first);
  writer.raw(kind.table.bytesOf(first, end));
  // Of the unit, not of the kind: a policy that needs work rows may come into force between two units.
  writer.u8(kind.table.workSize === 0 ? 0 : 1);
  if (kind.table.workSize > 0) writer.raw(kind.table.workBytesOf(first, end));
  const sanctions: [number, StoredSanctions][] = [];
  const profiles: [number, Profile][] = [];
  for (let row = first; row < end; row++) {
    const subject = kind.table.chunkOf(row).u32[rowStart(row) * 2 + NUMBER]!;
    const sanction = state.sanctions.of(subject);
    if (sanction !== undefined) sanctions.push([subject, stored(sanction)]);
    const profile = state.profiles.get(subject);
    if (profile !== undefined) profiles.push([subject, profile]);
  }
  writer.text(JSON.stringify({ sanctions, profiles }));
  for (const store of [kind.aggregates, kind.durations]) {
    writer.u8(store === null ? 0 : 1);
    store?.encodeRows(first, end - 1, writer);
  }
}

interface Restoring {
  readonly state: State;
  /** Known from the header on. */
  rows: Translations | null;
}

function restorePart(restoring: Restoring, { type, position, bytes }: Part): void {
  const { state, rows } = restoring;
  const reader = new ByteReader(bytes);
  if (type === HEADER) restoring.rows = restoreHeader(state, JSON.parse(reader.text()));
  else if (type === IDS) restoreIds(state, reader);
  else if (type === AGGREGATES) restoreAggregates(state, reader);
  else if (type === KEYS) state.memory.restore({ sequences: [], keys: JSON.parse(reader.text()) });
  else if (type === HELD) restoreHeld(state, reader, bytes.length);
  else if (type === VOIDS) restoreVoids(state, JSON.parse(reader.text()));
  else if (type === ROWS) while (reader.remaining > 0) restoreUnit(state, rows!, reader, position);
  else throw new RangeError(`snapshot part of the unknown type ${type}`);
}

/** How the rows of a snapshot are read, and the work rows beside them. */
interface Translations {
  readonly row: RowTranslation;
  readonly work: RowTranslation;
}

const NO_BYTES = new Uint8Array(0);

function translationOf(written: RowLayout, read: RowLayout): RowTranslation {
  const translation = rowTranslation(written, read);
  if (typeof translation === "string") throw new SnapshotRefusedError(translation);
  return translation;
}

/** Answers how the rows of the snapshot are read. */
function restoreHeader(state: State, header: Header): Translations {
  if (header.version !== SNAPSHOT_VERSION)
    throw new SnapshotRefusedError(`it is of version ${header.version}`);
  for (const [code, name] of header.metrics.entries()) {
    const here = METRIC_NAMES[code];
    if (name !== here) throw new SnapshotRefusedError(`metric ${code} is ${name} in it and ${here} here`);
  }
  const row = translationOf(header.layouts.row, ROW_LAYOUT);
  const work = translationOf(header.layouts.work, WORK_LAYOUT);
  state.position = header.position;
  state.now = header.now;
  state.refreshNext = header.refreshNext;
  state.refreshOwed = header.refreshOwed;
  state.eventCount = header.eventCount;
  state.actCount = header.actCount;
  const { count, closedTo, unheld, released } = header.provisional;
  Object.assign(state.provisional, { count, closedTo, unheld });
  for (const [index, observations] of released) state.provisional.windowAt(index).released = observations;
  state.memory.restore({ sequences: header.sequences, keys: [] });
  state.operators.restore(header.operators);
  for (const written of header.kinds) {
    const { name, policy, rows, cuts, policyAt, hasWork, outcomes, open, window } = written;
    const kind = addKind(state, name, policy);
    kind.jobClasses.restore(written.jobClasses);
    // Work rows outlive the policy that needed them.
    if (hasWork) addWorkRows(state, kind);
    kind.cuts = cuts;
    kind.policyAt = policyAt;
    Object.assign(kind.network, outcomes);
    for (const [number, selection] of open) kind.selections.open.set(number, selection);
    kind.selections.window.restore(Uint32Array.from(window));
    kind.table.restoreCount(rows);
  }
  return { row, work };
}

function restoreAggregates(state: State, reader: ByteReader): void {
  for (const { aggregates, durations } of state.kinds) {
    for (const store of [aggregates, durations]) {
      if (reader.u8() === 0) continue;
      if (store === null) throw new RangeError(AGGREGATES_REFUSED);
      store.decodeHeader(reader);
    }
  }
}

function restoreIds(state: State, reader: ByteReader): void {
  const count = reader.u32();
  for (let index = 0; index < count; index++) {
    const kind = reader.u8();
    state.places.add(kind, reader.u32());
  }
  state.ids.decode(reader);
}

function restoreHeld({ provisional }: State, reader: ByteReader, length: number): void {
  const count = reader.u32();
  const rows = Array.from({ length: count }, () => {
    return [reader.f64(), reader.f64(), reader.f64(), reader.u32(), reader.u8()] as const;
  });
  for (const [row, monitor] of readTexts(reader, count, length).entries())
    provisional.windowAt(windowOf(rows[row]![0])).add(monitor!, ...rows[row]!);
}

function restoreVoids(state: State, voids: readonly VoidedWindow[]): void {
  for (const voided of voids) state.provisional.addVoid(voided);
}

function restoreUnit(state: State, { row, work }: Translations, reader: ByteReader, position: number): void {
  const kind = state.kinds[reader.u8()]!;
  const first = reader.u32();
  const rows = reader.u32();
  const rowBytes = row.translate(reader.raw(rows * row.writtenSize));
  const hasWork = reader.u8() === 1;
  // The kind itself has work rows only from where the log gives it some.
  if (hasWork) addDurations(state, kind);
  const workBytes = hasWork ? work.translate(reader.raw(rows * work.writtenSize)) : NO_BYTES;
  kind.table.restore(first, rowBytes, workBytes, position);
  const { sanctions, profiles }: { sanctions: [number, StoredSanctions][]; profiles: [number, Profile][] } =
    JSON.parse(reader.text());
  for (const [subject, sanction] of sanctions) state.sanctions.restore(subject, sanction);
  for (const [subject, profile] of profiles) state.profiles.set(subject, profile);
  for (const store of [kind.aggregates, kind.durations]) {
    if (reader.u8() === 0) continue;
    if (store === null) throw new RangeError(AGGREGATES_REFUSED);
    store.ensureRows(first + rows);
    store.decodeRows(reader);
  }
}
