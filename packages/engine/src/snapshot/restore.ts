/** Reading a snapshot back: parts, then the log behind them. */
import { readTexts } from "../event/columns.ts";
import { METRIC_NAMES } from "../event/metrics.ts";
import { takeUp } from "../fold/take-up.ts";
import { ByteReader, ByteWriter } from "../num/bytes.ts";
import type { StoredSanctions } from "../sanction/sanction.ts";
import { windowOf } from "../state/monitor-window.ts";
import type { Profile } from "../state/profiles.ts";
import type { VoidedWindow } from "../state/provisional.ts";
import { rowTranslation, type RowLayout, type RowTranslation } from "../state/row-layout.ts";
import { ROW_LAYOUT } from "../state/row-table.ts";
import {
  addDurations,
  addKind,
  addWorkRows,
  createState,
  type Kind,
  type State,
  type StateOptions,
} from "../state/state.ts";
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
} from "./format.ts";

const AGGREGATES_REFUSED = "the snapshot holds aggregates, the state is to have none";

/** A snapshot that this version cannot read; the message says why. */
export class SnapshotRefusedError extends Error {
  readonly type = "refused";

  constructor(message: string) {
    super(message);
    this.name = "SnapshotRefusedError";
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

/** The log behind the snapshot has been replayed: from here on every batch concerns every row. */
export function endReplay(state: State): void {
  for (const kind of state.kinds) kind.table.endRestore();
}

function joined(pieces: readonly Part["bytes"][]): Part["bytes"] {
  if (pieces.length === 1) return pieces[0]!;
  const writer = new ByteWriter();
  for (const piece of pieces) writer.raw(piece);
  return writer.finish();
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
  else if (type === PRODUCERS) state.memory.restore({ sequences: JSON.parse(reader.text()), keys: [] });
  else if (type === OPERATORS) state.operators.restore(JSON.parse(reader.text()));
  else if (type === KEYS) state.memory.restore({ sequences: [], keys: JSON.parse(reader.text()) });
  else if (type === HELD) restoreHeld(state, reader, bytes.length);
  else if (type === VOIDS) restoreVoids(state, JSON.parse(reader.text()));
  else if (type === OPEN_SELECTIONS) restoreOpen(state.kinds[reader.u8()]!, reader);
  else if (type === DECISIONS) restoreDecisions(state.kinds[reader.u8()]!, reader);
  else if (type === JOB_CLASSES) state.kinds[reader.u8()]!.jobClasses.restore(JSON.parse(reader.text()));
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
  for (const kind of header.kinds) restoreKind(state, kind);
  return { row, work };
}

function restoreKind(state: State, head: KindHead): void {
  const kind = addKind(state, head.name, head.policy);
  // Work rows outlive the policy that needed them.
  if (head.hasWork) addWorkRows(state, kind);
  kind.cuts = head.cuts;
  kind.policyAt = head.policyAt;
  Object.assign(kind.network, head.outcomes);
  kind.jobClasses.restoreHead(head.jobClasses);
  kind.table.restoreCount(head.rows);
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

function restoreOpen({ selections }: Kind, reader: ByteReader): void {
  while (reader.remaining > 0) {
    const number = reader.f64();
    const madeAt = reader.f64();
    const subject = reader.u32();
    selections.open.set(number, { subject, madeAt, exploring: reader.u8() === 1 });
  }
}

function restoreDecisions({ selections }: Kind, reader: ByteReader): void {
  while (reader.remaining > 0) selections.window.add(reader.u32());
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
