/** Copies of a data directory that no service has open. */
import { existsSync } from "node:fs";
import { cp, mkdir, open, readdir, stat } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import { LOCK_FILE, PID_FILE } from "./adapters/sqlite-log/directory-lock.ts";
import { withStorage } from "./offline.ts";
import type { VerifyResult } from "./ports/log.ts";
import { StorageError } from "./storage.ts";

/** Say who has the directory open, which the copy's owner will say anew. */
const NOT_COPIED: ReadonlySet<string> = new Set([LOCK_FILE, PID_FILE]);

interface Size {
  readonly files: number;
  readonly bytes: number;
}

export interface Copied extends Size {
  readonly verified: VerifyResult;
}

/**
 * Copies a data directory to an empty one and verifies the copy. The source stays locked meanwhile, so nothing can be
 * written to it.
 *
 * @throws StorageError
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
  const size = await withStorage(from, async () => {
    await mkdir(to, { recursive: true, mode: 0o700 });
    const names = (await readdir(from)).filter((name) => !NOT_COPIED.has(name));
    for (const name of names) {
      const options = { recursive: true, errorOnExist: true, preserveTimestamps: true };
      await cp(join(from, name), join(to, name), options);
    }
    return syncTree(to);
  });
  const verified = await withStorage(to, ({ log }) => log.verify());
  return { ...size, verified };
}

/** Forces what was copied to the disk, and counts it. */
async function syncTree(path: string): Promise<Size> {
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
