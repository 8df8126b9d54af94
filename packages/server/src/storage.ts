/** Opens what a data directory holds, and says in words why it cannot be opened. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { FileSnapshots } from "./adapters/file-snapshots/file-snapshots.ts";
import { openSqliteLog } from "./adapters/sqlite-log/sqlite-log.ts";
import { describeDamage, type Log, type OpenRefusal, type Tail } from "./ports/log.ts";
import type { SnapshotStore } from "./ports/snapshots.ts";

export type StorageErrorType = OpenRefusal["type"] | "not_covered" | "corrupt" | "missing" | "address";

/** Why a data directory cannot be used; the message is a paragraph for people and says what to do. */
export class StorageError extends Error {
  readonly type: StorageErrorType;

  constructor(type: StorageErrorType, message: string) {
    super(message);
    this.name = "StorageError";
    this.type = type;
  }
}

export interface Storage {
  readonly directory: string;
  readonly log: Log;
  readonly tail: Tail;
  readonly snapshots: SnapshotStore;
}

/**
 * Opens a data directory to write to; created when missing.
 *
 * @throws StorageError
 */
export async function openStorage(directory: string): Promise<Storage> {
  const opened = await openSqliteLog({ directory });
  if (opened.type !== "opened") throw refusalError(directory, opened);
  return { directory, log: opened.log, tail: opened.tail, snapshots: snapshotsOf(directory) };
}

/**
 * Opens a data directory to look at it: nothing is written, and damaged records do not keep it closed.
 *
 * @throws StorageError
 */
export async function inspectStorage(directory: string): Promise<Storage> {
  if (!existsSync(join(directory, "log.db"))) {
    throw new StorageError("missing", `There is no data in ${directory}. Name the directory with --data.`);
  }
  const opened = await openSqliteLog({ directory, inspect: true });
  if (opened.type !== "opened") throw refusalError(directory, opened);
  return { directory, log: opened.log, tail: opened.tail, snapshots: snapshotsOf(directory) };
}

export function notCovered(directory: string, position: number): StorageError {
  const text =
    `The samples of record ${position} in ${directory} were trimmed, and no undamaged snapshot holds what they did. ` +
    "Restore a backup with `staunch restore`, or put an older file back into its `snapshots` folder.";
  return new StorageError("not_covered", text);
}

export function corrupt(directory: string, position: number, detail: string): StorageError {
  const text =
    `The data in ${directory} contradict themselves at record ${position}: ${detail}. Nothing was changed. ` +
    "`staunch doctor` says more; restore a backup with `staunch restore`.";
  return new StorageError("corrupt", text);
}

/** For damage that shows while records are read. */
export function damaged(directory: string, what: string): StorageError {
  const text =
    `In ${directory} ${what}. Nothing was changed and nothing is served from it. ` +
    "`staunch log verify` shows how far the log is sound; restore a backup with `staunch restore`.";
  return new StorageError("damaged", text);
}

function snapshotsOf(directory: string): SnapshotStore {
  return new FileSnapshots(join(directory, "snapshots"));
}

function refusalError(directory: string, refusal: OpenRefusal): StorageError {
  switch (refusal.type) {
    case "locked": {
      const who = refusal.pid === null ? "another process" : `process ${refusal.pid}`;
      const text =
        `The data directory ${directory} is in use by ${who}. Stop that one first, name another directory with ` +
        "--data, or ask the running service with --url.";
      return new StorageError("locked", text);
    }
    case "damaged":
      return damaged(directory, describeDamage(refusal.damage));
    case "full":
      return new StorageError(
        "full",
        `The disk of ${directory} is full. Make room and start again; nothing is lost.`,
      );
    case "refused":
      return new StorageError(
        "refused",
        `${refusal.detail}, so what is written to ${directory} might not last.`,
      );
    case "failed":
      return new StorageError(
        "failed",
        `The data directory ${directory} cannot be opened: ${refusal.detail}.`,
      );
  }
}
