/** Work on a data directory that no service has open: keys, backups, checks, backtests. */
import { cp, mkdir, open, readdir, stat } from "node:fs/promises";
import { existsSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";
import { openSqliteStore } from "./adapters/sqlite-store/sqlite-store.ts";
import { nodeSecrets } from "./adapters/node-secrets/node-secrets.ts";
import { Keys } from "./app/keys/keys.ts";
import { restoreState, type Restored } from "./app/partition/restore.ts";
import { systemClock } from "./ports/clock.ts";
import type { VerifyResult } from "./ports/log.ts";
import { stateHash } from "@staunch/engine";
import type { LatestSnapshot, SnapshotStore, VerifySnapshotResult } from "./ports/snapshots.ts";
import { stateOptions } from "./replay.ts";
import { corrupt, inspectStorage, notCovered, StorageError, type Storage } from "./storage.ts";

/** Runs `work` on the opened directory, and closes it whatever happens. */
export async function withStorage<T>(directory: string, work: (storage: Storage) => Promise<T>): Promise<T> {
  const storage = await inspectStorage(directory);
  try {
    return await work(storage);
  } finally {
    await storage.log.close();
  }
}

/** Runs `work` on the keys of a directory. */
export function withKeys<T>(directory: string, work: (keys: Keys) => Promise<T>): Promise<T> {
  // The log is opened for its lock alone.
  return withStorage(directory, async () => {
    const opened = await openSqliteStore(directory);
    if (opened.type === "full") throw new StorageError("full", `The disk of ${directory} is full.`);
    if (opened.type === "failed")
      throw new StorageError("failed", `The keys cannot be read: ${opened.detail}.`);
    const keys = await Keys.open({ store: opened.store.keys, secrets: nodeSecrets, clock: systemClock });
    try {
      return await work(keys);
    } finally {
      await keys.close();
      await opened.store.close();
    }
  });
}

export interface Copied {
  readonly files: number;
  readonly bytes: number;
  readonly verified: VerifyResult;
}

/**
 * Copies a data directory to an empty one and verifies the copy. The source stays locked meanwhile, so nothing can be
 * written to it.
 */
export async function copyDirectory(from: string, to: string): Promise<Copied> {
  if (existsSync(to) && (await readdir(to)).length > 0) {
    throw new StorageError("failed", `${to} is not empty. Name a new directory; nothing is overwritten.`);
  }
  const way = relative(from, to);
  if (!way.startsWith("..") && !isAbsolute(way)) {
    throw new StorageError(
      "failed",
      `${to} lies in ${from}. Name a directory outside, best on another disk.`,
    );
  }
  const copied = await withStorage(from, async () => {
    await mkdir(to, { recursive: true, mode: 0o700 });
    let files = 0;
    let bytes = 0;
    for (const name of await readdir(from)) {
      if (NOT_COPIED.has(name)) continue;
      await cp(join(from, name), join(to, name), {
        recursive: true,
        errorOnExist: true,
        preserveTimestamps: true,
      });
      const size = await syncTree(join(to, name));
      files += size.files;
      bytes += size.bytes;
    }
    return { files, bytes };
  });
  const verified = await withStorage(to, ({ log }) => log.verify());
  return { ...copied, verified };
}

/** Say who has the directory open, which the copy's owner will say anew. */
const NOT_COPIED: ReadonlySet<string> = new Set(["lock.db", "staunch.pid"]);

/** Forces what was copied to the disk, and counts it. */
async function syncTree(path: string): Promise<{ files: number; bytes: number }> {
  if ((await stat(path)).isDirectory()) {
    let files = 0;
    let bytes = 0;
    for (const name of await readdir(path)) {
      const size = await syncTree(join(path, name));
      files += size.files;
      bytes += size.bytes;
    }
    return { files, bytes };
  }
  await using handle = await open(path, "r+");
  await handle.sync();
  return { files: 1, bytes: (await handle.stat()).size };
}

export interface RestoreCheck {
  readonly restored: Restored;
  readonly hash: string;
  readonly elapsedMs: number;
}

/** Restores the state of a directory as a start would, or from the log alone. */
export async function restoreCheck(storage: Storage, from: "snapshot" | "log"): Promise<RestoreCheck> {
  const startMs = performance.now();
  const snapshots = from === "snapshot" ? storage.snapshots : new NoSnapshots();
  const result = await restoreState(storage.log, snapshots, stateOptions());
  if (result.type === "not_covered") throw notCovered(storage.directory, result.position);
  if (result.type === "corrupt") throw corrupt(storage.directory, result.position, result.detail);
  const { restored } = result;
  return { restored, hash: stateHash(restored.state), elapsedMs: performance.now() - startMs };
}

/** Makes a restore read the whole log. */
class NoSnapshots implements SnapshotStore {
  async latest(): Promise<LatestSnapshot> {
    return { type: "none", damaged: [] };
  }

  async list(): Promise<readonly string[]> {
    return [];
  }

  async verify(name: string): Promise<VerifySnapshotResult> {
    return { type: "damaged", damage: { name, detail: "there is none" } };
  }

  begin(): never {
    throw new Error("nothing is written here");
  }
}
