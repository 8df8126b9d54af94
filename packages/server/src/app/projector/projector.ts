/**
 * The projector turns what the fold says into history: an hourly block of closing values for each range of changed
 * subjects, and a row for each crossing and sanction.
 *
 * It goes by its own cursor. Rows, cursor and the marks of the open hour are stored in one transaction, so after a
 * crash the replay of the log brings exactly what is missing, and nothing twice. It never holds up the fold: what
 * waits for the store is bounded, hours that end faster than they can be stored fall together, and should rows ever
 * run over, the projector stops where it is, snapshots stop counting, and the next start catches up.
 */
import { JOB_OUTCOMES, type Effects, type State } from "@staunch/engine";
import type { Clock } from "../../ports/clock.ts";
import {
  BLOCK_COMPONENTS_MAX,
  type CrossingRow,
  type HistoryStore,
  type Projection,
  type SanctionRow,
  type SelectionClosing,
  type SelectionRow,
  type SnapshotBlock,
  type StoreRefusal,
} from "../../ports/store.ts";
import { blockOf } from "./closing-values.ts";
import { crossingOf, sanctionOf } from "./effect-rows.ts";
import { dumpMarks, HourMarks, loadMarks } from "./hour-marks.ts";

export const HOUR_MS = 3_600_000;
/** Rows wait this long for company. */
const FLUSH_INTERVAL_MS = 1_000;
/** After a refusal the store is asked again this much later. */
const RETRY_MS = 5_000;
/** Crossings and sanctions that may wait; past it the projector stops. */
const PENDING_ROWS_MAX = 500_000;
/** Bytes of blocks that may wait; past it hours fall together. */
const PENDING_BLOCK_BYTES_MAX = 64 * 1024 * 1024;
/** Bytes of selections that may wait; past it the projector stops. */
const PENDING_SELECTION_BYTES_MAX = 256 * 1024 * 1024;
/** Subjects closed at a time, about 6 ms: as many as a batch has events, so that an import keeps every hour. */
const CLOSE_SUBJECTS_MAX = 16_384;
const BLOCK_ROW_BYTES = 8 + 4 + 4 * BLOCK_COMPONENTS_MAX + 4 + 2 + 1;

/** Runs something once, later. */
export type After = (delayMs: number, run: () => void) => void;

export interface ProjectorOptions {
  readonly store: HistoryStore;
  readonly clock: Clock;
  readonly after: After;
  /** 500,000 unless given. */
  readonly pendingRowsMax?: number;
}

/** What waits for the store. */
interface Pending {
  blocks: SnapshotBlock[];
  blockBytes: number;
  crossings: CrossingRow[];
  sanctions: Map<string, SanctionRow>;
  selections: Map<number, SelectionRow>;
  selectionBytes: number;
  closings: Map<number, SelectionClosing>;
}

export class Projector {
  private readonly store: HistoryStore;
  private readonly clock: Clock;
  private readonly after: After;
  private readonly pendingRowsMax: number;
  private state: State | null = null;
  private open: HourMarks;
  private closing: HourMarks;
  private marksChanged = false;
  private pending = newPending();
  private writing: Pending | null = null;
  /** Position of the newest batch that was given, of the newest that was taken in, and of the newest that is stored. */
  private given: number;
  private seen: number;
  private durable: number;
  private flushing: Promise<void> | null = null;
  private scheduled = false;
  private closed = false;
  private stalledAt: number | null = null;
  private refused: StoreRefusal | null = null;
  private prunedAt = 0;

  private constructor(
    options: ProjectorOptions,
    position: number,
    marks: { open: HourMarks; closing: HourMarks },
  ) {
    this.store = options.store;
    this.clock = options.clock;
    this.after = options.after;
    this.pendingRowsMax = options.pendingRowsMax ?? PENDING_ROWS_MAX;
    this.given = position;
    this.seen = position;
    this.durable = position;
    this.open = marks.open;
    this.closing = marks.closing;
  }

  /** Goes on from the stored cursor. */
  static async open(options: ProjectorOptions): Promise<Projector> {
    const cursor = await options.store.cursor();
    if (cursor === null)
      return new Projector(options, 0, { open: new HourMarks(0), closing: new HourMarks(0) });
    return new Projector(options, cursor.position, loadMarks(cursor.memory));
  }

  /**
   * Before a batch is applied: closes the hour that it leaves behind, while the rows are still what they were.
   * Without this call `applied` does it, and what the batch changed shows in the hour before as well.
   */
  before(state: State, batch: { readonly position: number; readonly loggedAt: number }): void {
    if (batch.position <= this.seen || this.stalledAt !== null) return;
    const hour = Math.floor(batch.loggedAt / HOUR_MS) * HOUR_MS;
    if (hour > this.open.hour) {
      this.beginClosing(state);
      this.open.hour = hour;
    }
    this.closeSome(state);
  }

  /** After a batch was applied, live or in the replay of a start; batches that were projected before are passed over. */
  applied(state: State, effects: Effects): void {
    this.given = effects.position;
    if (effects.position <= this.seen || this.stalledAt !== null) return;
    this.before(state, effects);
    this.state = state;
    if (effects.loggedAt >= this.clock.now() - retentionOf(state)) this.take(effects);
    const isFull = this.pending.selectionBytes > PENDING_SELECTION_BYTES_MAX;
    if (isFull || rowsOf(this.pending) > this.pendingRowsMax) {
      this.stalledAt = effects.position;
      return;
    }
    this.seen = effects.position;
    this.schedule(FLUSH_INTERVAL_MS);
  }

  /** Position up to which everything is stored: the log behind it may be forgotten. */
  projectedTo(): number {
    return this.durable;
  }

  /** Stores what waits; true when everything up to `position` is stored. */
  async settled(position: number): Promise<boolean> {
    while (this.durable < position && this.seen >= position) {
      const before = this.durable;
      await this.flush();
      if (this.durable === before) return false;
    }
    return this.durable >= position;
  }

  /** Resolves when little waits for the store: an import that asks now and then loses no hour. */
  async ready(): Promise<void> {
    while (
      this.pending.blockBytes > PENDING_BLOCK_BYTES_MAX / 4 ||
      this.pending.crossings.length > this.pendingRowsMax / 4
    ) {
      const before = this.durable;
      await this.flush();
      if (this.durable === before && this.refused !== null) return;
    }
  }

  /** Why history is behind, or null. */
  get trouble(): { readonly stalledAt: number | null; readonly refusal: StoreRefusal | null } | null {
    return this.stalledAt === null && this.refused === null
      ? null
      : { stalledAt: this.stalledAt, refusal: this.refused };
  }

  /** Log positions that were given and are not stored. */
  get lag(): number {
    return Math.max(0, this.given - this.durable);
  }

  /** Crossings of a subject that are not stored yet. */
  waitingCrossings(subject: number): readonly CrossingRow[] {
    const rows = [...(this.writing?.crossings ?? []), ...this.pending.crossings];
    return rows.filter((row) => row.subject === subject);
  }

  /** A selection that is not stored yet, and the closing of one that may be. */
  waitingSelection(number: number): {
    readonly made: SelectionRow | null;
    readonly closing: SelectionClosing | null;
  } {
    const { pending, writing } = this;
    return {
      made: pending.selections.get(number) ?? writing?.selections.get(number) ?? null,
      closing: pending.closings.get(number) ?? writing?.closings.get(number) ?? null,
    };
  }

  /** Why a subject changed last, in the open hour or the one being closed; null when it did not. */
  openReason(subject: number): number | null {
    return this.open.reasonOf(subject) ?? this.closing.reasonOf(subject);
  }

  /** Stores what waits, then takes nothing more. */
  async close(): Promise<void> {
    await this.settled(this.seen);
    this.closed = true;
    await this.flushing;
  }

  /** Stores what waits; a second caller waits for the flush that is under way and then has one of its own. */
  async flush(): Promise<void> {
    await this.flushing;
    if (this.flushing !== null) return this.flushing;
    this.flushing = this.write().finally(() => {
      this.flushing = null;
    });
    await this.flushing;
  }

  private take(effects: Effects): void {
    const { changes, list, position, loggedAt } = effects;
    for (let index = 0; index < changes.count; index++)
      this.open.mark(changes.subject[index]!, changes.reason[index]!);
    if (changes.count > 0) this.marksChanged = true;
    for (const [place, effect] of list.entries()) {
      const crossing = crossingOf(effect, position, place, loggedAt);
      if (crossing !== null) this.pending.crossings.push(crossing);
      const sanction = sanctionOf(effect);
      if (sanction !== null) this.pending.sanctions.set(sanction.id, sanction);
    }
    for (const { number, made } of effects.selections) {
      this.pending.selections.set(number, { number, madeAt: loggedAt, record: made.record });
      this.pending.selectionBytes += made.record.length;
    }
    for (const { number, outcome } of effects.closings) {
      const name = outcome === null ? null : JOB_OUTCOMES[outcome]!;
      this.pending.closings.set(number, { number, outcome: name, closedAt: loggedAt });
    }
  }

  /** The open hour ends; what is left of the one before falls to it, unless it is too old to be kept. */
  private beginClosing(state: State): void {
    this.open.takeOver(this.closing);
    if (this.open.hour + HOUR_MS <= this.clock.now() - retentionOf(state)) this.open.clear();
    const spare = this.closing;
    this.closing = this.open;
    this.open = spare;
    this.marksChanged = true;
  }

  private closeSome(state: State): void {
    let closed = 0;
    while (closed < CLOSE_SUBJECTS_MAX && this.pending.blockBytes < PENDING_BLOCK_BYTES_MAX) {
      const taken = this.closing.take();
      if (taken === null) return;
      const block = blockOf(state, this.closing.hour, taken.range, taken.page);
      closed += block.offset.length;
      this.pending.blocks.push(block);
      this.pending.blockBytes += block.offset.length * BLOCK_ROW_BYTES;
      this.marksChanged = true;
    }
  }

  private schedule(delayMs: number): void {
    if (this.scheduled || this.closed) return;
    this.scheduled = true;
    this.after(delayMs, () => {
      this.scheduled = false;
      if (this.closed) return;
      void this.flush().then(() => {
        if (this.refused !== null) this.schedule(RETRY_MS);
        else if (this.closing.rangeCount > 0) this.schedule(0);
        else if (this.seen > this.durable) this.schedule(FLUSH_INTERVAL_MS);
      });
    });
  }

  private async write(): Promise<void> {
    // A fleet that fell silent after a busy hour is closed from here, a few ranges with each flush.
    if (this.state !== null && this.stalledAt === null) this.closeSome(this.state);
    const { pending, seen: position, marksChanged } = this;
    if (position === this.durable && pending.blocks.length === 0) return;
    this.pending = newPending();
    this.writing = pending;
    this.marksChanged = false;
    const projection: Projection = {
      position,
      // The first projection has to have one.
      memory: marksChanged || this.durable === 0 ? dumpMarks(this.open, this.closing) : null,
      blocks: pending.blocks,
      crossings: pending.crossings,
      sanctions: [...pending.sanctions.values()],
      selections: [...pending.selections.values()],
      closings: [...pending.closings.values()],
    };
    const result = await this.store.project(projection);
    this.writing = null;
    if (result.type === "stored") {
      this.refused = null;
      this.durable = position;
      await this.pruneIfDue();
      return;
    }
    this.refused = result;
    this.marksChanged ||= marksChanged;
    this.pending = joined(pending, this.pending);
  }

  private async pruneIfDue(): Promise<void> {
    const now = this.clock.now();
    if (this.state === null || now - this.prunedAt < HOUR_MS) return;
    this.prunedAt = now;
    // A refusal waits for the next hour: nothing depends on it.
    await this.store.prune(now - retentionOf(this.state));
  }
}

function rowsOf({ crossings, sanctions, selections, closings }: Pending): number {
  return crossings.length + sanctions.size + selections.size + closings.size;
}

function newPending(): Pending {
  return {
    blocks: [],
    blockBytes: 0,
    crossings: [],
    sanctions: new Map(),
    selections: new Map(),
    selectionBytes: 0,
    closings: new Map(),
  };
}

function joined(earlier: Pending, later: Pending): Pending {
  return {
    blocks: [...earlier.blocks, ...later.blocks],
    blockBytes: earlier.blockBytes + later.blockBytes,
    crossings: [...earlier.crossings, ...later.crossings],
    sanctions: new Map([...earlier.sanctions, ...later.sanctions]),
    selections: new Map([...earlier.selections, ...later.selections]),
    selectionBytes: earlier.selectionBytes + later.selectionBytes,
    closings: new Map([...earlier.closings, ...later.closings]),
  };
}

/** The longest that any kind keeps its history. */
function retentionOf(state: State): number {
  return state.kinds.reduce(
    (longest, { compiled }) => Math.max(longest, compiled.policy.historyRetentionMs),
    0,
  );
}
