/**
 * Snapshots as files of a directory. A snapshot is written under a temporary name, synced, renamed, and the
 * directory synced: it is there completely or not at all. All input and output is asynchronous, so the engine's
 * thread only pays for checksums (about a millisecond a part).
 */
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type {
  LatestSnapshot,
  SnapshotDamage,
  SnapshotEnd,
  SnapshotHeader,
  SnapshotInfo,
  SnapshotPart,
  SnapshotRefusal,
  SnapshotStore,
  SnapshotWriter,
  VerifySnapshotResult,
} from "../../ports/snapshots.ts";
import { SNAPSHOT_PART_BYTES_MAX, SnapshotDamagedError, SNAPSHOTS_KEPT } from "../../ports/snapshots.ts";
import {
  blockHeader,
  HEADER_BLOCK,
  jsonBlock,
  MAGIC,
  readBlocks,
  TRAILER_BLOCK,
  verifyFile,
} from "./format.ts";

const TEMPORARY_NAME = "snapshot.tmp";
const NAME_PATTERN = /^snapshot-\d{16}\.bin$/u;
/** Written bytes after which the disk is made to catch up: one large sync at the end would stall the log's. */
const SYNC_BYTES = 32 * 1024 * 1024;
const PART_TYPE_MAX = 0xffff;

export class FileSnapshots implements SnapshotStore {
  private readonly directory: string;
  private writing = false;

  /** The directory is created by the first snapshot. */
  constructor(directory: string) {
    this.directory = directory;
  }

  async begin(header: SnapshotHeader): Promise<{ type: "begun"; writer: SnapshotWriter } | SnapshotRefusal> {
    if (this.writing) throw new Error("a snapshot is being written already");
    this.writing = true;
    const release = (): void => {
      this.writing = false;
    };
    let handle: FileHandle | null = null;
    try {
      await mkdir(this.directory, { recursive: true, mode: 0o700 });
      handle = await open(join(this.directory, TEMPORARY_NAME), "w", 0o600);
      const writer = new FileSnapshotWriter(this.directory, handle, header, release);
      await writer.start();
      return { type: "begun", writer };
    } catch (error) {
      await handle?.close();
      release();
      return refusalOf(error);
    }
  }

  async latest(): Promise<LatestSnapshot> {
    const damaged: SnapshotDamage[] = [];
    for (const name of (await this.list()).toReversed()) {
      const result = await this.verify(name);
      if (result.type === "damaged") {
        damaged.push(result.damage);
        continue;
      }
      return { type: "found", snapshot: result.snapshot, parts: () => this.readParts(name), damaged };
    }
    return { type: "none", damaged };
  }

  async list(): Promise<readonly string[]> {
    return listSnapshots(this.directory);
  }

  async verify(name: string): Promise<VerifySnapshotResult> {
    if (!NAME_PATTERN.test(name))
      return { type: "damaged", damage: { name, detail: "not a snapshot's name" } };
    try {
      await using handle = await open(join(this.directory, name), "r");
      const result = await verifyFile(handle, name);
      if (typeof result !== "string") return { type: "sound", snapshot: result };
      return { type: "damaged", damage: { name, detail: result } };
    } catch (error) {
      // A file that cannot be read is as good as a damaged one: the one before is used.
      return { type: "damaged", damage: { name, detail: messageOf(error) } };
    }
  }

  private async *readParts(name: string): AsyncGenerator<SnapshotPart> {
    await using handle = await open(join(this.directory, name), "r");
    for await (const block of readBlocks(handle, null)) {
      if (typeof block === "string") throw new SnapshotDamagedError({ name, detail: block });
      const { type, position, bytes } = block;
      if (type <= PART_TYPE_MAX) yield { type, position, bytes };
    }
  }
}

class FileSnapshotWriter implements SnapshotWriter {
  private readonly directory: string;
  private readonly handle: FileHandle;
  private readonly header: SnapshotHeader;
  private readonly release: () => void;
  private readonly digest = createHash("sha256");
  private parts = 0;
  private bytes = 0;
  private unsyncedBytes = 0;
  private state: "open" | "refused" | "ended" = "open";

  constructor(directory: string, handle: FileHandle, header: SnapshotHeader, release: () => void) {
    this.directory = directory;
    this.handle = handle;
    this.header = header;
    this.release = release;
  }

  /** Throws what the file system throws; the store makes a refusal of it. */
  async start(): Promise<void> {
    await this.put(MAGIC);
    await this.putBlock(jsonBlock(HEADER_BLOCK, this.header));
  }

  async write(part: SnapshotPart): Promise<{ type: "written" } | SnapshotRefusal> {
    this.assertOpen();
    if (part.bytes.length > SNAPSHOT_PART_BYTES_MAX) {
      throw new RangeError(
        `a part of ${part.bytes.length} bytes is over the limit of ${SNAPSHOT_PART_BYTES_MAX}`,
      );
    }
    if (part.type > PART_TYPE_MAX) throw new RangeError(`part type ${part.type} is over ${PART_TYPE_MAX}`);
    return this.attempt(async () => {
      await this.putBlock(part);
      this.parts += 1;
      return { type: "written" } as const;
    });
  }

  async commit(end: SnapshotEnd): Promise<{ type: "committed"; snapshot: SnapshotInfo } | SnapshotRefusal> {
    this.assertOpen();
    return this.attempt(async () => {
      const { endPosition, chainHash } = end;
      await this.putBlock(jsonBlock(TRAILER_BLOCK, { endPosition, chainHash, parts: this.parts }));
      const contentHash = this.digest.copy().digest();
      await this.put(contentHash);
      await this.handle.sync();
      await this.handle.close();
      const name = `snapshot-${String(endPosition).padStart(16, "0")}.bin`;
      await rename(join(this.directory, TEMPORARY_NAME), join(this.directory, name));
      await syncDirectory(this.directory);
      this.state = "ended";
      this.release();
      await removeOld(this.directory);
      const { parts, bytes } = this;
      const snapshot = { ...this.header, endPosition, chainHash, name, parts, bytes };
      return {
        type: "committed",
        snapshot: { ...snapshot, contentHash: contentHash.toString("hex") },
      } as const;
    });
  }

  async abort(): Promise<void> {
    if (this.state === "ended") return;
    this.state = "ended";
    await this.handle.close();
    await rm(join(this.directory, TEMPORARY_NAME), { force: true });
    this.release();
  }

  private async attempt<T>(work: () => Promise<T>): Promise<T | SnapshotRefusal> {
    try {
      return await work();
    } catch (error) {
      if (this.state === "open") this.state = "refused";
      return refusalOf(error);
    }
  }

  private async putBlock(block: SnapshotPart): Promise<void> {
    await this.put(blockHeader(block));
    await this.put(block.bytes);
  }

  private async put(bytes: Uint8Array): Promise<void> {
    this.digest.update(bytes);
    for (let done = 0; done < bytes.length; ) {
      done += (await this.handle.write(bytes, done, bytes.length - done)).bytesWritten;
    }
    this.bytes += bytes.length;
    this.unsyncedBytes += bytes.length;
    if (this.unsyncedBytes < SYNC_BYTES) return;
    await this.handle.datasync();
    this.unsyncedBytes = 0;
  }

  private assertOpen(): void {
    if (this.state !== "open") throw new Error("the snapshot was refused, committed or aborted");
  }
}

/** Names by rising position: all have the same number of digits. */
async function listSnapshots(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => NAME_PATTERN.test(name)).toSorted();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

async function removeOld(directory: string): Promise<void> {
  for (const name of (await listSnapshots(directory)).slice(0, -SNAPSHOTS_KEPT)) {
    await rm(join(directory, name), { force: true });
  }
}

/** Makes the rename durable. Windows has no such thing and needs none: its rename is journalled. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === "win32") return;
  await using handle = await open(directory, "r");
  await handle.sync();
}

function refusalOf(error: unknown): SnapshotRefusal {
  const code = codeOf(error);
  return code === "ENOSPC" || code === "EDQUOT"
    ? { type: "full" }
    : { type: "failed", detail: messageOf(error) };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
