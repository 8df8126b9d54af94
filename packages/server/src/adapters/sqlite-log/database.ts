/**
 * Opens the log's SQLite database with the settings that durability rests on, and reads every one back: a
 * pragma that is misspelt, unsupported or overridden fails in silence.
 */
import { DatabaseSync } from "node:sqlite";

/** Among others: the schema in the file is not the one that the statements are written for. */
export const SQLITE_ERROR = 1;
export const SQLITE_BUSY = 5;
export const SQLITE_CORRUPT = 11;
export const SQLITE_FULL = 13;
export const SQLITE_NOTADB = 26;

/** Before it, two connections that write at once could corrupt a WAL database (fixed in 3.51.3). */
export const SQLITE_VERSION_MIN = "3.51.3";

/** Pragma, value to set, value to read back. Order counts: locking and page size come before the journal mode. */
const SETTINGS: readonly (readonly [name: string, set: string, expected: string | number])[] = [
  // Also keeps the WAL index in memory instead of in a shared file.
  ["locking_mode", "exclusive", "exclusive"],
  ["page_size", "8192", 8192],
  ["journal_mode", "wal", "wal"],
  // FULL: every commit is on the disk before it is answered.
  ["synchronous", "full", 2],
  // Checkpoints are ours: automatic ones would come in the middle of a commit.
  ["wal_autocheckpoint", "0", 0],
  ["journal_size_limit", "67108864", 67_108_864],
  // On macOS a plain fsync stops at the drive's cache.
  ["fullfsync", "1", 1],
  ["checkpoint_fullfsync", "1", 1],
  // Damaged pages are recognised when read instead of being followed.
  ["cell_size_check", "1", 1],
];

export type OpenDatabaseResult =
  | { readonly type: "opened"; readonly database: DatabaseSync }
  | { readonly type: "refused"; readonly detail: string };

/** Opens or creates `path`. Errors of SQLite are thrown. */
export function openDatabase(path: string): OpenDatabaseResult {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    // Settings first: before the exclusive mode is set, any other statement would create a shared index file, and
    // on a full disk that fails.
    const detail =
      settingsFault(database) ?? versionFault(String(scalar(database, "select sqlite_version()")));
    if (detail === null) return { type: "opened", database };
    database.close();
    return { type: "refused", detail };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Null when this SQLite is new enough, otherwise what to tell the operator. */
export function versionFault(version: string): string | null {
  const found = version.split(".").map(Number);
  const floor = SQLITE_VERSION_MIN.split(".").map(Number);
  for (const [index, part] of floor.entries()) {
    const difference = (found[index] ?? 0) - part;
    if (difference > 0) return null;
    if (difference < 0)
      return `SQLite ${version} is older than ${SQLITE_VERSION_MIN}, which fixes a corruption`;
  }
  return null;
}

/** Primary result code of an SQLite error, or null when the error is something else. */
export function primaryCode(error: unknown): number | null {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return null;
  return error.errcode & 0xff;
}

/** First column of the first row. */
export function scalar(database: DatabaseSync, sql: string): unknown {
  const row = database.prepare(sql).get();
  return row === undefined ? undefined : Object.values(row)[0];
}

function settingsFault(database: DatabaseSync): string | null {
  for (const [name, set] of SETTINGS) database.exec(`pragma ${name} = ${set}`);
  for (const [name, , expected] of SETTINGS) {
    const found = scalar(database, `pragma ${name}`);
    if (found !== expected) return `SQLite setting ${name} is ${String(found)} instead of ${expected}`;
  }
  return null;
}
