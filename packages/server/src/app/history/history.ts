/** History of a subject: hourly snapshots, crossings and sanctions; what is not stored yet comes from memory. */
import type {
  ChangeReason,
  ComponentName,
  MisbehaviourReport,
  Penalty,
  Reward,
  State,
  Suspension,
} from "@staunch/engine";
import type {
  CrossingRow,
  HistoryStore,
  SanctionCursor,
  SanctionQuery,
  SanctionRow,
  SnapshotRow,
  Span,
} from "../../ports/store.ts";
import {
  BLOCK_COMPONENTS,
  readClosing,
  readComponents,
  reasonName,
  rounded,
} from "../projector/closing-values.ts";
import { reportRow, sanctionRow, suspensionRow, type EffectDetail } from "../projector/effect-rows.ts";
import type { Projector } from "../projector/projector.ts";

/** Most snapshots, crossings and sanctions of one answer, each. */
const HISTORY_ROWS_MAX = 10_000;

const NO_REASON = -1;

export interface HistoryRequest extends Span {
  /** 1 to 10,000. */
  readonly limit: number;
}

/** What a subject was at one instant. */
export interface Snapshot {
  readonly at: number;
  readonly score: number;
  readonly components: { readonly [name in ComponentName]?: number };
  /** Samples folded by then. */
  readonly eventCount: number;
  /** Why the score changed last; null when it has not changed within the hour. */
  readonly reason: ChangeReason | null;
}

interface Crossing {
  /** `<log position>.<place>`. */
  readonly id: string;
  readonly at: number;
  /** An effect's type, for example `tier.changed`. */
  readonly type: string;
  readonly detail: EffectDetail;
}

/** As the engine had it when it was last changed. */
export type PastSanction =
  | { readonly kind: "penalty"; readonly sanction: Penalty }
  | { readonly kind: "reward"; readonly sanction: Reward }
  | { readonly kind: "misbehaviour"; readonly sanction: MisbehaviourReport }
  | { readonly kind: "suspension"; readonly sanction: Suspension };

/** Each list oldest first, the newest `limit` of the span. */
export interface SubjectHistory {
  readonly snapshots: readonly Snapshot[];
  readonly crossings: readonly Crossing[];
  /** Those in force at some time of the span. */
  readonly sanctions: readonly PastSanction[];
}

export type { SanctionQuery };

/** Newest first. */
export interface SanctionPage {
  readonly items: readonly PastSanction[];
  /** Where the next page starts; null on the last. */
  readonly next: SanctionCursor | null;
}

/** A selection as it was recorded, and what became of its job. */
export interface PastSelection {
  readonly madeAt: number;
  /** JSON object, in UTF-8. */
  readonly record: Uint8Array;
  /** Null while the outcome is open, and where none came in time. */
  readonly outcome: string | null;
  readonly closedAt: number | null;
}

export class History {
  private readonly store: HistoryStore;
  private readonly projector: Projector;
  private readonly state: State;

  constructor(store: HistoryStore, projector: Projector, state: State) {
    this.store = store;
    this.projector = projector;
    this.state = state;
  }

  /** Log positions that are not stored yet; until then they are told from memory. */
  get lag(): number {
    return this.projector.lag;
  }

  /** True while the history cannot be stored. */
  get isTroubled(): boolean {
    return this.projector.trouble !== null;
  }

  /**
   * @param subject dense number, registered
   * @throws RangeError when the limit is out of range; Error when the store fails
   */
  async read(subject: number, request: HistoryRequest): Promise<SubjectHistory> {
    const { limit } = request;
    if (!(limit >= 1 && limit <= HISTORY_ROWS_MAX)) throw new RangeError(`limit ${limit} of history rows`);
    // Taken before the store is asked: what is stored meanwhile is then seen twice, never not at all.
    const waiting = this.projector.waitingCrossings(subject).filter(({ at }) => isWithin(at, request));
    const inMemory = this.sanctionsInMemory(subject);
    const newest = this.newestSnapshot(subject);
    const [snapshots, crossings, sanctions] = await Promise.all([
      this.store.snapshots(subject, request, limit),
      this.store.crossings(subject, request, limit),
      this.store.sanctions(subject, request, limit),
    ]);
    return {
      snapshots: withNewest(snapshots.map(toSnapshot), newest, request),
      crossings: mergedCrossings(crossings, waiting).slice(-limit).map(toCrossing),
      sanctions: mergedSanctions(sanctions, inMemory, request).slice(-limit).map(toSanction),
    };
  }

  /**
   * Sanctions of one kind of a subject: memory has those in force and the newest that ended, the store the
   * others.
   *
   * @throws Error when the store fails
   */
  async sanctionPage(subject: number, query: SanctionQuery): Promise<SanctionPage> {
    const { kind, status, after, limit } = query;
    const inMemory = this.sanctionsInMemory(subject).filter((row) => row.kind === kind);
    const rows = inMemory.filter(
      (row) => (status === null || row.status === status) && (after === null || newestFirst(after, row) < 0),
    );
    // What is in force is in memory.
    if (status !== "active" && status !== "pending")
      rows.push(...(await this.storedBeside(inMemory, subject, query)));
    const items = rows.sort(newestFirst).slice(0, limit);
    const last = items.at(-1);
    const next =
      rows.length > limit && last !== undefined ? { appliedAt: last.appliedAt, id: last.id } : null;
    return { items: items.map(toSanction), next };
  }

  /** One more than the page takes, if there are so many, without those that memory knows better. */
  private async storedBeside(
    inMemory: readonly SanctionRow[],
    subject: number,
    query: SanctionQuery,
  ): Promise<SanctionRow[]> {
    const known = new Set(inMemory.map(({ id }) => id));
    const wanted = query.limit + 1;
    const found: SanctionRow[] = [];
    let { after } = query;
    for (;;) {
      const rows = await this.store.sanctionPage(subject, { ...query, after, limit: wanted });
      found.push(...rows.filter(({ id }) => !known.has(id)));
      if (rows.length < wanted || found.length >= wanted) return found;
      after = rows.at(-1)!;
    }
  }

  /** Null for a selection that was never made, or that is older than the history. */
  async selection(number: number): Promise<PastSelection | null> {
    const { made, closing } = this.projector.waitingSelection(number);
    if (made !== null) {
      const { outcome = null, closedAt = null } = closing ?? {};
      return { madeAt: made.madeAt, record: made.record, outcome, closedAt };
    }
    const stored = await this.store.selection(number);
    return stored === null || closing === null ? stored : { ...stored, ...closing };
  }

  private sanctionsInMemory(subject: number): SanctionRow[] {
    const sanctions = this.state.sanctions.of(subject);
    if (sanctions === undefined) return [];
    const { penalties, rewards, reports, suspensions } = sanctions;
    return [
      ...penalties.map((penalty) => sanctionRow("penalty", penalty)),
      ...rewards.map((reward) => sanctionRow("reward", reward)),
      ...reports.map(reportRow),
      ...suspensions.map(suspensionRow),
    ];
  }

  /** What the subject is now: the open hour. */
  private newestSnapshot(subject: number): Snapshot {
    const values = new Float32Array(BLOCK_COMPONENTS.length);
    readComponents(this.state, subject, values);
    const components = [...values].map((value) => (Number.isNaN(value) ? null : rounded(value)));
    const { at, score, eventCount } = readClosing(this.state, subject);
    const reason = this.projector.openReason(subject) ?? NO_REASON;
    return toSnapshot({ at, score: rounded(score), components, eventCount, reason });
  }
}

function withNewest(
  stored: readonly Snapshot[],
  newest: Snapshot,
  request: HistoryRequest,
): readonly Snapshot[] {
  const last = stored.at(-1);
  if (!isWithin(newest.at, request) || (last !== undefined && newest.at <= last.at)) return stored;
  return [...stored, newest].slice(-request.limit);
}

function mergedCrossings(
  stored: readonly CrossingRow[],
  waiting: readonly CrossingRow[],
): readonly CrossingRow[] {
  const rows = new Map<string, CrossingRow>();
  for (const row of [...stored, ...waiting]) rows.set(`${row.position}.${row.place}`, row);
  return [...rows.values()].sort((a, b) => a.position - b.position || a.place - b.place);
}

/** Memory knows better where both have one. */
function mergedSanctions(
  stored: readonly SanctionRow[],
  inMemory: readonly SanctionRow[],
  span: Span,
): SanctionRow[] {
  const rows = new Map<string, SanctionRow>();
  for (const row of [...stored, ...inMemory]) rows.set(row.id, row);
  return [...rows.values()]
    .filter(({ appliedAt, endedAt }) => appliedAt <= span.toMs && (endedAt ?? Infinity) >= span.fromMs)
    .sort((a, b) => a.appliedAt - b.appliedAt || (a.id < b.id ? -1 : 1));
}

function newestFirst(a: SanctionCursor, b: SanctionCursor): number {
  return b.appliedAt - a.appliedAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

function toSnapshot({ at, score, components, eventCount, reason }: SnapshotRow): Snapshot {
  const named: { [name in ComponentName]?: number } = {};
  for (const [column, name] of BLOCK_COMPONENTS.entries()) {
    const value = components[column] ?? null;
    if (value !== null) named[name] = value;
  }
  return { at, score, components: named, eventCount, reason: reasonName(reason) };
}

function toCrossing({ position, place, at, type, detail }: CrossingRow): Crossing {
  // Written from `detailOf`.
  return { id: `${position}.${place}`, at, type, detail: JSON.parse(detail) as EffectDetail };
}

function toSanction({ kind, facts }: SanctionRow): PastSanction {
  // Written from what the engine has, by `sanctionRow` and its like.
  return { kind, sanction: JSON.parse(facts) as Penalty & Reward & MisbehaviourReport & Suspension };
}

function isWithin(at: number, span: Span): boolean {
  return at >= span.fromMs && at <= span.toMs;
}
