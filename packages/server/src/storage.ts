/** Opens, restores and claims what a data directory holds, and says in words why that is not possible. */
import { randomInt, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { FileSnapshots } from "./adapters/file-snapshots/file-snapshots.ts";
import { LOG_FILE } from "./adapters/sqlite-log/record-store.ts";
import { openSqliteLog } from "./adapters/sqlite-log/sqlite-log.ts";
import { openSqliteStore } from "./adapters/sqlite-store/sqlite-store.ts";
import type { Follower, Refusal } from "./app/partition/partition.ts";
import { restoreState, type Restored, type RestoreResult } from "./app/partition/restore.ts";
import { describeDamage, type Log, type OpenRefusal, type Tail } from "./ports/log.ts";
import type { SnapshotStore } from "./ports/snapshots.ts";
import type { Store } from "./ports/store.ts";

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
  if (!existsSync(join(directory, LOG_FILE))) {
    throw new StorageError("missing", `There is no data in ${directory}. Name the directory with --data.`);
  }
  const opened = await openSqliteLog({ directory, inspect: true });
  if (opened.type !== "opened") throw refusalError(directory, opened);
  return { directory, log: opened.log, tail: opened.tail, snapshots: snapshotsOf(directory) };
}

/**
 * Opens the relational database of a data directory.
 *
 * @throws StorageError
 */
export async function openStore(directory: string): Promise<Store> {
  const opened = await openSqliteStore(directory);
  if (opened.type === "opened") return opened.store;
  if (opened.type === "full") throw diskFull(directory);
  throw new StorageError("failed", `The database in ${directory} cannot be opened: ${opened.detail}.`);
}

/** A state without kinds: the log says which policies there are. */
export function stateOptions() {
  return { seed: randomInt(2 ** 32), policies: {}, aggregates: true } as const;
}

/**
 * @param follower told of every batch that is replayed
 * @throws StorageError, or LogDamagedError when a record is damaged
 */
export async function restoreStorage(storage: Storage, follower?: Follower): Promise<Restored> {
  const { directory, log, snapshots } = storage;
  const result = await restoreState(log, snapshots, stateOptions(), follower);
  if (result.type === "not_covered") throw notCovered(directory, result);
  if (result.type === "corrupt") throw corrupt(directory, result.position, result.detail);
  return result.restored;
}

/**
 * Becomes the owner of the log; answers its tail.
 *
 * @throws StorageError
 */
export async function claimLog({ directory, log }: Storage, loggedAt: number): Promise<Tail> {
  const result = await log.claim({ owner: `${process.pid}-${randomUUID()}`, loggedAt });
  if (result.type === "claimed") return result.tail;
  if (result.type === "full") throw diskFull(directory);
  const detail = result.type === "failed" ? result.detail : `the log answered ${result.type}`;
  throw new StorageError("failed", `The log in ${directory} cannot be written: ${detail}.`);
}

export function writeRefused(directory: string, refusal: Refusal): StorageError {
  if (refusal.type === "full") return diskFull(directory);
  const detail = refusal.type === "stopped" ? refusal.detail : refusal.type;
  return new StorageError("failed", `The log in ${directory} took no more: ${detail}.`);
}

function diskFull(directory: string): StorageError {
  const text = `The disk of ${directory} is full. Make room and start again; nothing is lost.`;
  return new StorageError("full", text);
}

function notCovered(
  directory: string,
  { position, passedOver }: Extract<RestoreResult, { type: "not_covered" }>,
): StorageError {
  const reasons = passedOver.map(({ name, detail }) => ` ${name} was passed over: ${detail}.`).join("");
  const text =
    `The samples of record ${position} in ${directory} were trimmed, and no snapshot that can be read holds what they did.${reasons} ` +
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
      return diskFull(directory);
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
