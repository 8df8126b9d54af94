/** Writing a snapshot, a part a step. */
import { writeTexts } from "../event/columns.ts";
import { METRIC_NAMES } from "../event/metrics.ts";
import type { OpenSelection } from "../fold/selections.ts";
import { ByteWriter } from "../num/bytes.ts";
import { stored, type StoredSanctions } from "../sanction/sanction.ts";
import type { MonitorWindow } from "../state/monitor-window.ts";
import type { Profile } from "../state/profiles.ts";
import type { Provisional } from "../state/provisional.ts";
import { NUMBER, ROW_LAYOUT, ROWS_PER_UNIT, rowStart } from "../state/row-table.ts";
import type { Kind, State } from "../state/state.ts";
import { WORK_LAYOUT } from "../state/work-row.ts";
import {
  AGGREGATES,
  BEGINNING,
  DECISIONS,
  HEADER,
  HELD,
  IDS,
  JOB_CLASSES,
  KEYS,
  OPEN_SELECTIONS,
  OPERATORS,
  PRODUCERS,
  ROWS,
  SNAPSHOT_VERSION,
  VOIDS,
  type Header,
  type KindHead,
  type Part,
  type ProvisionalHead,
} from "./format.ts";

/** A step writes about this much. */
export const STEP_BYTES = 1 << 20;
/**
 * A part has at most this many bytes. Lists and rows are cut at a step, but sixteen subjects with a long text in each
 * raw sample can be many times that.
 */
const PART_BYTES_MAX = 32 << 20;
/** Ids, held samples or open selections in one part. */
const ITEMS_PER_PART = 16_384;

/**
 * Parts of a snapshot of `state`, one a step. Batches may be applied between two steps, never during one. The bytes of
 * a part are valid until the next step, which writes to the same memory.
 *
 * @param stepBytes a part of a list or of rows ends with the item or unit in which it reaches this size
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
  const { position } = state;
  // A kind that is added meanwhile comes back whole from the log.
  const kinds = [...state.kinds];
  const writer = new ByteWriter(2 * stepBytes);
  for (const { type, pieces } of sectionsOf(state, stepBytes)) {
    for (const write of pieces) {
      writer.clear();
      write(writer);
      yield { type, position, bytes: writer.written };
    }
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

type Piece = (writer: ByteWriter) => void;

/** Parts of one type. */
interface Section {
  readonly type: number;
  readonly pieces: Iterable<Piece>;
}

/** What concerns all subjects. Whatever can change until it is written is copied here, before the first step ends. */
function sectionsOf(state: State, stepBytes: number): Section[] {
  const { sequences, keys } = state.memory.dump();
  const header = JSON.stringify(headerOf(state));
  const aggregates = aggregateBytes(state.kinds);
  const count = state.places.count;
  return [
    { type: HEADER, pieces: [(writer) => writer.text(header)] },
    { type: AGGREGATES, pieces: [(writer) => writer.raw(aggregates)] },
    { type: IDS, pieces: ranges(count, (writer, first, end) => writeIds(state, first, end, writer)) },
    { type: PRODUCERS, pieces: texts(sequences, stepBytes) },
    { type: OPERATORS, pieces: texts(state.operators.dump(), stepBytes) },
    { type: KEYS, pieces: texts(keys, stepBytes) },
    ...state.provisional.sorted().map((window) => ({
      type: HELD,
      pieces: ranges(window.count, (writer, first, end) => writeHeld(window, first, end, writer)),
    })),
    { type: VOIDS, pieces: texts([...state.provisional.voids], stepBytes) },
    ...state.kinds.flatMap((kind) => kindSections(kind, stepBytes)),
  ];
}

function kindSections({ index, selections, jobClasses }: Kind, stepBytes: number): Section[] {
  const numbers = [...selections.open.keys()];
  const open = [...selections.open.values()];
  const decisions = selections.window.dump();
  return [
    {
      type: OPEN_SELECTIONS,
      pieces: ranges(open.length, (writer, first, end) => {
        writer.u8(index);
        writeOpen(numbers.slice(first, end), open.slice(first, end), writer);
      }),
    },
    {
      type: DECISIONS,
      pieces: ranges(decisions.length, (writer, first, end) => {
        writer.u8(index);
        for (const operator of decisions.subarray(first, end)) writer.u32(operator);
      }),
    },
    { type: JOB_CLASSES, pieces: texts(jobClasses.dump(), stepBytes, index) },
  ];
}

/** A piece for so many items at a time, of things that are only added to. */
function* ranges(
  count: number,
  write: (writer: ByteWriter, first: number, end: number) => void,
): Generator<Piece> {
  for (let first = 0; first < count; first += ITEMS_PER_PART)
    yield (writer) => write(writer, first, Math.min(count, first + ITEMS_PER_PART));
}

/** A list as JSON, cut by size, because an answer has a hundred bytes or a hundred thousand. */
function* texts(items: readonly unknown[], stepBytes: number, kind: number | null = null): Generator<Piece> {
  let some: string[] = [];
  let length = 0;
  for (const [index, item] of items.entries()) {
    const text = JSON.stringify(item);
    some.push(text);
    length += text.length;
    if (length < stepBytes && index < items.length - 1) continue;
    const list = `[${some.join(",")}]`;
    yield (writer) => {
      if (kind !== null) writer.u8(kind);
      writer.text(list);
    };
    some = [];
    length = 0;
  }
}

function headerOf(state: State): Header {
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
    kinds: state.kinds.map(kindHead),
  };
}

function kindHead({ name, compiled, table, cuts, policyAt, network, jobClasses }: Kind): KindHead {
  const { finished, succeeded, outcomesAt } = network;
  return {
    name,
    policy: compiled.policy,
    rows: table.count,
    cuts,
    policyAt,
    hasWork: table.workSize > 0,
    outcomes: { finished, succeeded, outcomesAt },
    jobClasses: jobClasses.head(),
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

function writeOpen(numbers: readonly number[], open: readonly OpenSelection[], writer: ByteWriter): void {
  for (const [place, { subject, madeAt, exploring }] of open.entries()) {
    writer.f64(numbers[place]!);
    writer.f64(madeAt);
    writer.u32(subject);
    writer.u8(exploring ? 1 : 0);
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
