/**
 * One process at a time on a data directory.
 *
 * The lock is a SQLite file that stays locked exclusively: an advisory lock of the operating system, so it is
 * gone the moment its holder is, even by SIGKILL, and there is no stale lock to clean up. A file of its own,
 * because POSIX drops a process's locks on a file when that process closes *any* descriptor of it: nobody has a
 * reason to open this one.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { primaryCode, SQLITE_BUSY } from "./database.ts";

export type LockResult =
  | { readonly type: "held"; readonly release: () => void }
  | { readonly type: "locked"; readonly pid: number | null };

export const LOCK_FILE = "lock.db";
export const PID_FILE = "staunch.pid";

/** Takes the lock of a directory, creating the directory if need be, or tells at once who has it. */
export function lockDirectory(directory: string): LockResult {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(join(directory, LOCK_FILE), { timeout: 0 });
  try {
    // The transaction never commits, and with its journal in memory nothing is ever written: the file stays
    // empty, and a full disk does not keep the service from starting.
    database.exec("pragma journal_mode = memory; begin exclusive");
  } catch (error) {
    database.close();
    if (primaryCode(error) === SQLITE_BUSY) return { type: "locked", pid: readPid(directory) };
    throw error;
  }
  const pidFile = join(directory, PID_FILE);
  try {
    writeFileSync(pidFile, `${process.pid}\n`);
  } catch {
    // A full disk must not keep the service from starting to read; the pid is a courtesy to the next one.
  }
  const release = (): void => {
    rmSync(pidFile, { force: true });
    database.close();
  };
  return { type: "held", release };
}

function readPid(directory: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(join(directory, PID_FILE), "utf8"), 10);
    return Number.isSafeInteger(pid) ? pid : null;
  } catch {
    // The holder has not written it yet, or could not.
    return null;
  }
}
