/**
 * The relational store: API keys, and the history that the projector writes. It is never asked on the way of an
 * event; what it holds beside the keys can be missing without a score being wrong.
 *
 * Drivers pass the suite in `store.contract.ts`. Times are milliseconds since 1970.
 */

export interface Store {
  readonly keys: KeyStore;
  readonly history: HistoryStore;
  /** Lets go of the storage; whatever is called afterwards fails. */
  close(): Promise<void>;
}

export type OpenStoreResult = { readonly type: "opened"; readonly store: Store } | StoreRefusal;

/** Nothing was written. */
export type StoreRefusal =
  /** No room; the same write works once there is. */
  { readonly type: "full" } | { readonly type: "failed"; readonly detail: string };

export type WriteResult = { readonly type: "stored" } | StoreRefusal;

// ---- keys

/** Most characters of a key's name. */
export const KEY_NAME_MAX = 100;

export interface KeyRecord {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  /** SHA-256 of the key; the key itself is not kept. */
  readonly hash: Uint8Array;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
}

export interface KeyStore {
  /** All keys, revoked ones too, oldest first. */
  list(): Promise<readonly KeyRecord[]>;
  insert(record: KeyRecord): Promise<WriteResult>;
  /** Does nothing to a key that is revoked already, or that does not exist. */
  revoke(id: string, atMs: number): Promise<WriteResult>;
  /** Notes when keys were last used. */
  touch(uses: readonly { readonly id: string; readonly atMs: number }[]): Promise<WriteResult>;
}

// ---- history

/** Subjects that share a block. */
export const RANGE_SIZE = 1_024;
/** Components a block has room for; columns that no subject of it has cost next to nothing when packed. */
export const BLOCK_COMPONENTS_MAX = 16;

/**
 * What the changed subjects of one range of 1,024 numbers were at the end of an hour, as columns. All have the
 * length of `offset`; `components` is five columns one after the other.
 */
export interface SnapshotBlock {
  /** Start of the hour. */
  readonly hour: number;
  /** Subject number / 1,024, rounded down. */
  readonly range: number;
  /** Subject number less the range's first, rising. */
  readonly offset: Uint16Array;
  /** Instant that the row's values are true of. */
  readonly at: Float64Array;
  readonly score: Float32Array;
  /** NaN for a component that the policy does not have. */
  readonly components: Float32Array;
  readonly eventCount: Uint32Array;
  /** Why the score changed last: a place in the engine's `CHANGE_REASONS`. */
  readonly reason: Uint8Array;
}

/** One row of a block. */
export interface SnapshotRow {
  readonly at: number;
  readonly score: number;
  /** In the block's order; null for one that the policy does not have. */
  readonly components: readonly (number | null)[];
  readonly eventCount: number;
  readonly reason: number;
}

/** Something that happened to a subject, named by its place in the log. */
export interface CrossingRow {
  readonly position: number;
  /** Place among the effects of the batch at `position`. */
  readonly place: number;
  readonly subject: number;
  readonly at: number;
  readonly type: string;
  /** JSON object. */
  readonly detail: string;
}

/** A penalty, a reward, a suspension, or a report of misbehaviour, which ends when it is decided. */
export interface SanctionRow {
  readonly id: string;
  readonly subject: number;
  readonly kind: "penalty" | "reward" | "misbehaviour" | "suspension";
  readonly status: string;
  readonly appliedAt: number;
  readonly endedAt: number | null;
  /** JSON object: the sanction as the engine has it. */
  readonly facts: string;
}

/** A selection as it was made, by its number. */
export interface SelectionRow {
  readonly number: number;
  readonly madeAt: number;
  /** JSON object, in UTF-8. */
  readonly record: Uint8Array;
}

/** What became of the job: the outcome's name, or null where none came in time. */
export interface SelectionClosing {
  readonly number: number;
  readonly outcome: string | null;
  readonly closedAt: number;
}

export interface StoredSelection extends SelectionRow {
  readonly outcome: string | null;
  /** Null while the outcome is open. */
  readonly closedAt: number | null;
}

/** What became of the log up to `position`; stored as a whole or not at all. */
export interface Projection {
  readonly position: number;
  /** What the projector needs to go on from `position`; null: as stored before. */
  readonly memory: Uint8Array | null;
  readonly blocks: readonly SnapshotBlock[];
  readonly crossings: readonly CrossingRow[];
  readonly sanctions: readonly SanctionRow[];
  readonly selections: readonly SelectionRow[];
  /** Of selections here or stored before. */
  readonly closings: readonly SelectionClosing[];
}

interface ProjectorCursor {
  readonly position: number;
  readonly memory: Uint8Array;
}

/** Where a list of sanctions, newest first, goes on: behind this one. */
export interface SanctionCursor {
  readonly appliedAt: number;
  readonly id: string;
}

export interface SanctionQuery {
  readonly kind: SanctionRow["kind"];
  /** Null: whatever it is. */
  readonly status: string | null;
  readonly after: SanctionCursor | null;
  readonly limit: number;
}

/** Both ends included. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface HistoryStore {
  /** How far the log has been projected; null before the first time. */
  cursor(): Promise<ProjectorCursor | null>;
  /** Stores rows and cursor in one transaction. Storing the same again changes nothing. */
  project(projection: Projection): Promise<WriteResult>;
  /** Deletes blocks, crossings and selections from before `beforeMs`, and sanctions that ended before it. */
  prune(beforeMs: number): Promise<WriteResult>;
  /** The newest `limit` rows of a subject inside the span, oldest first. */
  snapshots(subject: number, span: Span, limit: number): Promise<readonly SnapshotRow[]>;
  /** The newest `limit` crossings of a subject inside the span, oldest first. */
  crossings(subject: number, span: Span, limit: number): Promise<readonly CrossingRow[]>;
  /** The newest `limit` sanctions of a subject that were in force at some time of the span, oldest first. */
  sanctions(subject: number, span: Span, limit: number): Promise<readonly SanctionRow[]>;
  selection(number: number): Promise<StoredSelection | null>;
  /** Sanctions of a subject, newest first; of those given at one instant the greatest id first. */
  sanctionPage(subject: number, query: SanctionQuery): Promise<readonly SanctionRow[]>;
}
