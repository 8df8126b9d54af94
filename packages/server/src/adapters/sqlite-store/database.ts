/** Opens the relational database with the settings that durability rests on, and reads every one back. */
import { DatabaseSync } from "node:sqlite";

export const SQLITE_FULL = 13;

/** Pragma, value to set, value to read back. Locking comes before the journal mode. */
const SETTINGS: readonly (readonly [name: string, set: string, expected: string | number])[] = [
  // One process has the data directory; this also keeps the WAL index in memory.
  ["locking_mode", "exclusive", "exclusive"],
  ["journal_mode", "wal", "wal"],
  // FULL: a key that was shown, and a cursor that the log is trimmed behind, are on the disk.
  ["synchronous", "full", 2],
  // Pages of 4 KiB: 4 MiB, written back in this thread, where nobody waits for it.
  ["wal_autocheckpoint", "1000", 1000],
  ["journal_size_limit", "67108864", 67_108_864],
  ["foreign_keys", "on", 1],
  ["fullfsync", "1", 1],
  ["checkpoint_fullfsync", "1", 1],
  ["cell_size_check", "1", 1],
];

/**
 * Opens or creates `path`.
 *
 * @throws Error when SQLite does, or when a setting did not take
 */
export function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    for (const [name, set] of SETTINGS) database.exec(`pragma ${name} = ${set}`);
    for (const [name, , expected] of SETTINGS) {
      const found = Object.values(database.prepare(`pragma ${name}`).get() ?? {})[0];
      if (found !== expected)
        throw new Error(`SQLite setting ${name} is ${String(found)} instead of ${expected}`);
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Primary result code of an SQLite error, or null when the error is something else. */
export function primaryCode(error: unknown): number | null {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return null;
  return error.errcode & 0xff;
}
