/**
 * The log's records in SQLite, synchronous: runs in the writer thread.
 *
 * Two tables. `log` has a row per record. `tail` has one row that repeats the last record's position, epoch and
 * hash: an append moves it only if it still says what the append follows, and a record lost from the end of
 * `log`, which no chain could miss, contradicts it.
 */
import { join } from "node:path";
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import type {
  AppendRequest,
  AppendResult,
  ClaimRequest,
  ClaimResult,
  Damage,
  LogRecord,
  OpenRefusal,
  Tail,
  WriteRefusal,
} from "../../ports/log.ts";
import { LogDamagedError, RECORD_EVENTS_MAX } from "../../ports/log.ts";
import type { ChainLink, StoredRecord } from "../../ports/log-record.ts";
import {
  checkRecord,
  EMPTY_TAIL,
  hexOf,
  linkOf,
  ownerBody,
  planAppend,
  sealRecord,
  trimRecord,
} from "../../ports/log-record.ts";
import {
  openDatabase,
  primaryCode,
  scalar,
  SQLITE_BUSY,
  SQLITE_CORRUPT,
  SQLITE_ERROR,
  SQLITE_FULL,
  SQLITE_NOTADB,
} from "./database.ts";
import { walFault } from "./wal-check.ts";

export const LOG_FILE = "log.db";

/**
 * A checkpoint holds up the next append. What it costs is two syncs and the pages it moves, and a page that many
 * commits wrote is moved once: so what counts is the records' own bytes, and a stream of single events, which fills
 * the WAL with copies of the same few pages, is not stopped six times a second.
 */
const CHECKPOINT_BYTES = 1024 * 1024;
/** The WAL itself is read at the next start, so it stays below this all the same. */
const WAL_BYTES_MAX = 64 * 1024 * 1024;
/** Bytes of a row beside its body. */
const ROW_OVERHEAD_BYTES = 200;
/** What an append writes besides its body: the tail's page, the row's page, frame headers. */
const APPEND_OVERHEAD_BYTES = 3 * 8192;
/** One reply to a reader; small enough that an append behind it waits about a millisecond. */
const CHUNK_BYTES = 1024 * 1024;
const CHUNK_RECORDS = 256;
const HASH_BYTES = 32;
const SCHEMA_VERSION = 1;

const SCHEMA = `
  create table log (
    position integer primary key,
    kind text not null,
    epoch integer not null,
    logged_at real not null,
    event_count integer not null,
    crc integer not null,
    prev_hash blob not null,
    hash blob not null,
    samples_hash blob not null,
    acts blob not null,
    samples blob
  ) strict;
  create table tail (
    id integer primary key check (id = 1),
    position integer not null,
    epoch integer not null,
    hash blob not null,
    logged_at real not null,
    trimmed_to integer not null
  ) strict;
  insert into tail values (1, 0, 0, zeroblob(${HASH_BYTES}), 0, 0);
  pragma user_version = ${SCHEMA_VERSION};
`;

export type OpenStoreResult =
  | { readonly type: "opened"; readonly store: RecordStore; readonly tail: Tail }
  | OpenRefusal;

/** A run of verified records. `next` is where to go on, null at the end; `damage` stops the run. */
export interface Chunk {
  readonly records: readonly LogRecord[];
  readonly next: number | null;
  readonly link: ChainLink | null;
  readonly damage: Damage | null;
}

export type TrimChunk =
  | {
      readonly type: "trimmed";
      readonly records: number;
      readonly bytes: number;
      readonly next: number | null;
    }
  | { readonly type: "full" }
  | { readonly type: "failed"; readonly detail: string };

/**
 * Opens or creates the log in `directory`. Everything after `verifyAfter` is verified first, at least the last
 * record; `verifyAfter` null opens a log with damaged records as well, for whoever inspects it. A broken
 * write-ahead log is never opened: that alone would lose what lies behind the break.
 */
export function openRecordStore(directory: string, verifyAfter: number | null): OpenStoreResult {
  try {
    const path = join(directory, LOG_FILE);
    const fault = walFault(`${path}-wal`);
    if (fault !== null) return damagedAtOpening(fault);
    const opened = openDatabase(path);
    if (opened.type === "refused") return opened;
    return prepareStore(opened.database, verifyAfter);
  } catch (error) {
    return openRefusal(error);
  }
}

export class RecordStore {
  private readonly database: DatabaseSync;
  private readonly statements: Statements;
  private last: Tail;
  private failure: string | null = null;
  private walBytes = 0;
  private recordBytes = 0;

  constructor(database: DatabaseSync) {
    this.database = database;
    this.statements = prepareStatements(database);
    this.last = this.readTail();
  }

  get tail(): Tail {
    return this.last;
  }

  append(request: AppendRequest): AppendResult {
    const plan = planAppend(this.last, request);
    if ("type" in plan) return plan;
    const refusal = this.write(plan);
    return refusal ?? { type: "appended", position: plan.position, hash: plan.hash };
  }

  claim({ owner, loggedAt }: ClaimRequest): ClaimResult {
    const tail = this.last;
    const time = Math.max(loggedAt, tail.loggedAt);
    const body = ownerBody(owner);
    const record = sealRecord(tail, {
      kind: "epoch",
      epoch: tail.epoch + 1,
      loggedAt: time,
      eventCount: 0,
      body,
    });
    const refusal = this.write(record);
    return refusal ?? { type: "claimed", tail: this.last };
  }

  /** Moves the WAL into the database when enough has gathered. Called after the append was answered. */
  checkpointIfDue(): void {
    const due = this.recordBytes >= CHECKPOINT_BYTES || this.walBytes >= WAL_BYTES_MAX;
    if (!due || this.failure !== null) return;
    try {
      this.database.exec("pragma wal_checkpoint(passive)");
      this.walBytes = 0;
      this.recordBytes = 0;
    } catch (error) {
      // Without room the records stay in the WAL, safe; the next append tries again.
      if (primaryCode(error) !== SQLITE_FULL) this.failure = messageOf(error);
    }
  }

  /**
   * Verified records from `from` on, until `to`, the tail or the size of a chunk. `previous` is the link of the
   * chunk before; null at the start of a walk.
   */
  readChunk(from: number, to: number, previous: ChainLink | null): Chunk {
    const end = Math.min(to, this.last.position);
    const records: LogRecord[] = [];
    let link = previous;
    let bytes = 0;
    let position = from;
    while (position <= end && bytes < CHUNK_BYTES && records.length < CHUNK_RECORDS) {
      const found = this.readRecord(position);
      if ("what" in found) return { records, next: null, link, damage: found };
      const damage = checkRecord(found, link ?? (position === 1 ? EMPTY_TAIL : null));
      if (damage !== null) return { records, next: null, link, damage };
      link = linkOf(found);
      const { crc: _crc, samplesHash: _samplesHash, ...record } = found;
      records.push(record);
      bytes += record.body.acts.length + (record.body.samples?.length ?? 0);
      position += 1;
    }
    const damage = position > this.last.position && link !== null ? this.checkEnd(link) : null;
    return { records, next: position <= end ? position : null, link, damage };
  }

  /** The highest position whose record was logged before; by halving, because times never decrease. */
  positionBefore(loggedAtMs: number): number {
    let before = 0;
    let notBefore = this.last.position + 1;
    while (notBefore - before > 1) {
      const middle = Math.floor((before + notBefore) / 2);
      if (this.wasLoggedBefore(middle, loggedAtMs)) before = middle;
      else notBefore = middle;
    }
    return before;
  }

  /** Drops the samples of a run of records from `from` (0: where the last trim stopped) up to `upTo`. */
  trimChunk(from: number, upTo: number): TrimChunk {
    if (this.failure !== null) return { type: "failed", detail: this.failure };
    const end = Math.min(upTo, this.last.position);
    let records = 0;
    let bytes = 0;
    let position = from;
    const refusal = this.transact(() => {
      const start = Math.max(from, Number(scalar(this.database, "select trimmed_to from tail")) + 1);
      position = start;
      for (; position <= end && bytes < CHUNK_BYTES && position - start < CHUNK_RECORDS; position++) {
        const trimmedBytes = this.trimOne(position);
        if (trimmedBytes === 0) continue;
        records += 1;
        bytes += trimmedBytes;
      }
      if (position > start) this.statements.moveTrimmed.run(position - 1);
    });
    if (refusal !== null) return refusal;
    return { type: "trimmed", records, bytes, next: position <= end ? position : null };
  }

  close(): void {
    this.database.close();
  }

  /** Compares the log's end with the tail row; null when they agree. */
  checkEnd(link: ChainLink): Damage | null {
    const tail = this.readTail();
    for (const field of ["position", "hash", "epoch", "loggedAt"] as const) {
      if (link[field] !== tail[field]) {
        return { position: tail.position, what: "tail", expected: `${tail[field]}`, found: `${link[field]}` };
      }
    }
    const last = Number(scalar(this.database, "select max(position) from log") ?? 0);
    if (last === tail.position) return null;
    return { position: last, what: "tail", expected: `${tail.position}`, found: `${last}` };
  }

  private write(record: StoredRecord): WriteRefusal | null {
    if (this.failure !== null) return { type: "failed", detail: this.failure };
    const { position, kind, epoch, loggedAt, eventCount, crc, body } = record;
    const hash = Buffer.from(record.hash, "hex");
    const prevHash = Buffer.from(record.prevHash, "hex");
    const before = this.last;
    const refusal = this.transact(() => {
      const moved = this.statements.moveTail.run(
        position,
        epoch,
        hash,
        loggedAt,
        before.position,
        before.epoch,
        prevHash,
      );
      // The lock keeps everybody else out; should somebody have come in all the same, this is the fence.
      if (moved.changes !== 1) throw new Error("the tail row is not the one that was read");
      const samples = body.samples ?? new Uint8Array(0);
      const digests = [prevHash, hash, record.samplesHash];
      this.statements.insert.run(
        position,
        kind,
        epoch,
        loggedAt,
        eventCount,
        crc,
        ...digests,
        body.acts,
        samples,
      );
    });
    if (refusal !== null) return refusal;
    this.last = linkOf(record);
    const bytes = body.acts.length + (body.samples?.length ?? 0);
    this.walBytes += bytes + APPEND_OVERHEAD_BYTES;
    this.recordBytes += bytes + ROW_OVERHEAD_BYTES;
    return null;
  }

  /** All or nothing. A full disk is told and survived; any other error ends all writing. */
  private transact(work: () => void): (WriteRefusal & { type: "full" | "failed" }) | null {
    try {
      this.database.exec("begin immediate");
      work();
      this.database.exec("commit");
      return null;
    } catch (error) {
      const full = primaryCode(error) === SQLITE_FULL;
      // A damaged old record is reason not to trim it, not to lose new ones.
      if (!full && !(error instanceof LogDamagedError)) this.failure = messageOf(error);
      this.rollBack();
      return full && this.failure === null
        ? { type: "full" }
        : { type: "failed", detail: this.failure ?? messageOf(error) };
    }
  }

  private rollBack(): void {
    if (!this.database.isTransaction) return;
    try {
      this.database.exec("rollback");
    } catch (error) {
      this.failure ??= messageOf(error);
    }
  }

  /** Bytes of samples that went. */
  private trimOne(position: number): number {
    const record = this.readRecord(position);
    const damage = "what" in record ? record : checkRecord(record, null);
    if (damage !== null) throw new LogDamagedError(damage);
    const stored = record as StoredRecord;
    const length = stored.body.samples?.length ?? 0;
    if (length > 0) this.statements.dropSamples.run(trimRecord(stored).crc, position);
    return length;
  }

  private wasLoggedBefore(position: number, loggedAtMs: number): boolean {
    try {
      const loggedAt = this.statements.selectTime.get(position)?.["logged_at"];
      return typeof loggedAt === "number" && loggedAt < loggedAtMs;
    } catch {
      // Unreadable, which reading and verifying tell: nothing is dropped on its account.
      return false;
    }
  }

  private readRecord(position: number): StoredRecord | Damage {
    try {
      const row = this.statements.select.get(position);
      if (row === undefined)
        return { position, what: "missing", expected: `record ${position}`, found: "nothing" };
      const record = recordOf(row);
      return record ?? { position, what: "unreadable", expected: "a record", found: "values of other types" };
    } catch (error) {
      return { position, what: "unreadable", expected: "a record", found: messageOf(error) };
    }
  }

  private readTail(): Tail {
    const row =
      this.database.prepare("select position, epoch, hash, logged_at from tail where id = 1").get() ?? {};
    const { position, epoch, hash, logged_at: loggedAt } = row;
    if (!isCount(position) || !isCount(epoch) || !isHash(hash) || typeof loggedAt !== "number") {
      throw new TailUnreadableError("the tail row has no valid values");
    }
    return { position, epoch, hash: hexOf(hash), loggedAt };
  }
}

class TailUnreadableError extends Error {}

interface Statements {
  readonly select: StatementSync;
  readonly selectTime: StatementSync;
  readonly insert: StatementSync;
  readonly moveTail: StatementSync;
  readonly moveTrimmed: StatementSync;
  readonly dropSamples: StatementSync;
}

function prepareStatements(database: DatabaseSync): Statements {
  return {
    select: database.prepare("select * from log where position = ?"),
    selectTime: database.prepare("select logged_at from log where position = ?"),
    insert: database.prepare("insert into log values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    moveTail: database.prepare(
      `update tail set position = ?, epoch = ?, hash = ?, logged_at = ?
       where id = 1 and position = ? and epoch = ? and hash = ?`,
    ),
    moveTrimmed: database.prepare("update tail set trimmed_to = ? where id = 1"),
    dropSamples: database.prepare("update log set samples = null, crc = ? where position = ?"),
  };
}

function prepareStore(database: DatabaseSync, verifyAfter: number | null): OpenStoreResult {
  try {
    const version = scalar(database, "pragma user_version");
    if (version === 0 && scalar(database, "select count(*) from sqlite_schema") === 0) {
      database.exec(`begin immediate; ${SCHEMA} commit;`);
    } else if (version !== SCHEMA_VERSION) {
      database.close();
      return {
        type: "refused",
        detail: `the log has format ${String(version)}, this build reads ${SCHEMA_VERSION}`,
      };
    }
    const store = new RecordStore(database);
    const damage = verifyAfter === null ? null : checkTail(store, verifyAfter);
    if (damage === null) return { type: "opened", store, tail: store.tail };
    database.close();
    return { type: "damaged", damage };
  } catch (error) {
    if (database.isOpen) database.close();
    throw error;
  }
}

/** Verifies what comes after a position that is known to be good, in any case the last record. */
function checkTail(store: RecordStore, verifyAfter: number): Damage | null {
  const { position } = store.tail;
  if (position === 0) return store.checkEnd(EMPTY_TAIL);
  let next: number | null = Math.max(1, Math.min(verifyAfter + 1, position));
  let link: ChainLink | null = null;
  while (next !== null) {
    const chunk: Chunk = store.readChunk(next, position, link);
    if (chunk.damage !== null) return chunk.damage;
    ({ next, link } = chunk);
  }
  return null;
}

function openRefusal(error: unknown): OpenRefusal {
  const code = primaryCode(error);
  if (code === SQLITE_BUSY) return { type: "locked", pid: null };
  if (code === SQLITE_FULL) return { type: "full" };
  const unreadable = code === SQLITE_CORRUPT || code === SQLITE_NOTADB || code === SQLITE_ERROR;
  if (unreadable || error instanceof TailUnreadableError) {
    return damagedAtOpening(messageOf(error));
  }
  return { type: "failed", detail: messageOf(error) };
}

function damagedAtOpening(found: string): OpenRefusal {
  return { type: "damaged", damage: { position: null, what: "unreadable", expected: "a log", found } };
}

/** Null when the row cannot be a record: SQLite checks types when it writes, not when it reads. */
function recordOf(row: Record<string, SQLOutputValue>): StoredRecord | null {
  const { position, kind, epoch, logged_at: loggedAt, event_count: eventCount, crc, acts, samples } = row;
  const { prev_hash: prevHash, hash, samples_hash: samplesHash } = row;
  if (!isCount(position) || !isCount(epoch) || !isCount(eventCount) || !isCount(crc)) return null;
  if (kind !== "data" && kind !== "epoch") return null;
  if (typeof loggedAt !== "number" || eventCount > RECORD_EVENTS_MAX) return null;
  if (!isHash(prevHash) || !isHash(hash) || !isHash(samplesHash)) return null;
  if (!(acts instanceof Uint8Array) || !(samples === null || samples instanceof Uint8Array)) return null;
  const body = { acts: acts, samples: samples };
  const chained = { prevHash: hexOf(prevHash), hash: hexOf(hash), samplesHash };
  return { position, kind, epoch, loggedAt, eventCount, crc, ...chained, body };
}

function isCount(value: SQLOutputValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isHash(value: SQLOutputValue | undefined): value is Uint8Array<ArrayBuffer> {
  return value instanceof Uint8Array && value.length === HASH_BYTES;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
