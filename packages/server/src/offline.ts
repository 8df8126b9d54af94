/** Work on a data directory that no service has open: its storage, its keys, and what a start would restore from it. */
import { stateHash } from "@staunch/engine";
import { nodeSecrets } from "./adapters/node-secrets/node-secrets.ts";
import { Keys } from "./app/keys/keys.ts";
import type { Restored } from "./app/partition/restore.ts";
import { systemClock } from "./ports/clock.ts";
import type { LatestSnapshot, SnapshotStore, VerifySnapshotResult } from "./ports/snapshots.ts";
import { inspectStorage, openStore, restoreStorage, type Storage } from "./storage.ts";

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
    const store = await openStore(directory);
    const keys = await Keys.open({ store: store.keys, secrets: nodeSecrets, clock: systemClock });
    try {
      return await work(keys);
    } finally {
      await keys.close();
      await store.close();
    }
  });
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
  const restored = await restoreStorage({ ...storage, snapshots });
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
