import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SnapshotPart, SnapshotWriter } from "../../ports/snapshots.ts";
import { SNAPSHOT_PART_BYTES_MAX, SnapshotDamagedError } from "../../ports/snapshots.ts";
import { FileSnapshots } from "./file-snapshots.ts";

const HEADER = { engineVersion: "1.2.3", policyHash: "aa".repeat(32), startPosition: 40 };
const CHAIN_HASH = "bb".repeat(32);

let directory: string;
let store: FileSnapshots;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "staunch-snapshots-"));
  store = new FileSnapshots(directory);
});

afterEach(() => rm(directory, { recursive: true }));

describe("snapshot files", () => {
  test("give back header, end and parts as they were written", async () => {
    const parts = [part(1, 41, 1000), part(2, 42, 0), part(1, 43, SNAPSHOT_PART_BYTES_MAX)];
    const committed = await take(50, parts);
    const latest = await store.latest();
    if (latest.type !== "found") throw new Error(latest.type);
    expect(latest.snapshot).toEqual(committed);
    expect(latest.snapshot).toMatchObject({ ...HEADER, endPosition: 50, chainHash: CHAIN_HASH, parts: 3 });
    expect(latest.damaged).toEqual([]);
    const read = await readParts(latest.parts());
    expect(read.map(({ type, position }) => ({ type, position }))).toEqual([
      { type: 1, position: 41 },
      { type: 2, position: 42 },
      { type: 1, position: 43 },
    ]);
    for (const [index, { bytes }] of read.entries()) {
      expect(Buffer.compare(bytes, parts[index]!.bytes)).toBe(0);
      expect(bytes.byteOffset % 8).toBe(0);
    }
  });

  test("there are none before the first is committed, also when one was begun or aborted", async () => {
    expect(await new FileSnapshots(join(directory, "missing")).latest()).toEqual({
      type: "none",
      damaged: [],
    });
    const writer = await begin();
    await writer.write(part(1, 1, 100));
    expect(await store.latest()).toEqual({ type: "none", damaged: [] });
    await writer.abort();
    expect(await readdir(directory)).toEqual([]);
  });

  test("the newest by position counts, and two are kept", async () => {
    for (const position of [9, 10, 99, 100]) await take(position, [part(1, position, 10)]);
    expect(await store.latest()).toMatchObject({ snapshot: { endPosition: 100 } });
    expect(await store.list()).toEqual(["snapshot-0000000000000099.bin", "snapshot-0000000000000100.bin"]);
  });

  test("what a killed process left behind is written over", async () => {
    await writeFile(join(directory, "snapshot.tmp"), new Uint8Array(10_000));
    const writer = await begin();
    await writer.commit({ endPosition: 7, chainHash: CHAIN_HASH });
    expect(await store.latest()).toMatchObject({ type: "found", snapshot: { parts: 0, endPosition: 7 } });
    expect(await readdir(directory)).toHaveLength(1);
  });

  test("only one is written at a time", async () => {
    const writer = await begin();
    await expect(store.begin(HEADER)).rejects.toThrow("already");
    await writer.abort();
    await (await begin()).abort();
  });

  test("a part over the limit is a mistake of the caller", async () => {
    const writer = await begin();
    await expect(writer.write(part(1, 1, SNAPSHOT_PART_BYTES_MAX + 1))).rejects.toThrow(RangeError);
    await writer.abort();
  });

  test("after the end a writer throws", async () => {
    const writer = await begin();
    await writer.commit({ endPosition: 1, chainHash: CHAIN_HASH });
    await expect(writer.write(part(1, 1, 1))).rejects.toThrow();
    await expect(writer.commit({ endPosition: 1, chainHash: CHAIN_HASH })).rejects.toThrow();
    await writer.abort();
    expect((await store.latest()).type).toBe("found");
  });
});

describe("a damaged snapshot", () => {
  test("is reported and the older one is used", async () => {
    await take(10, [part(1, 10, 5000)]);
    const newest = await take(20, [part(1, 20, 5000)]);
    await change(newest.name, (bytes) => flip(bytes, 3000));
    expect(await store.latest()).toMatchObject({
      type: "found",
      snapshot: { endPosition: 10 },
      damaged: [{ name: newest.name, detail: expect.stringContaining("checksum") }],
    });
  });

  test("is found wherever it was cut off", async () => {
    const { name, bytes } = await take(10, [part(1, 9, 60_000), part(2, 10, 40_000)]);
    const original = await readFile(join(directory, name));
    for (let length = 0; length < bytes; length += 997) {
      await writeFile(join(directory, name), original.subarray(0, length));
      expect(await store.verify(name)).toMatchObject({ type: "damaged" });
    }
    for (const cut of [1, 31, 32, 33]) {
      await writeFile(join(directory, name), original.subarray(0, bytes - cut));
      expect(await store.verify(name)).toMatchObject({ type: "damaged" });
    }
    await writeFile(join(directory, name), Buffer.concat([original, Buffer.alloc(1)]));
    expect(await store.verify(name)).toMatchObject({ type: "damaged" });
  });

  test("is found whichever bit was flipped", async () => {
    const { name } = await take(10, [part(1, 9, 300), part(2, 10, 200)]);
    const original = await readFile(join(directory, name));
    for (let at = 0; at < original.length; at++) {
      await writeFile(join(directory, name), flip(original, at));
      expect(await store.verify(name)).toMatchObject({ type: "damaged" });
    }
    await writeFile(join(directory, name), original);
    expect(await store.verify(name)).toMatchObject({ type: "sound" });
  });

  test("is found when a part is missing or stands in another's place", async () => {
    const { name } = await take(10, [part(1, 9, 100), part(1, 9, 100), part(2, 10, 100)]);
    const original = await readFile(join(directory, name));
    const block = 24 + 100;
    const first = original.indexOf(Buffer.from(part(1, 9, 100).bytes)) - 24;
    const without = Buffer.concat([original.subarray(0, first), original.subarray(first + block)]);
    await writeFile(join(directory, name), without);
    expect(await store.verify(name)).toMatchObject({ type: "damaged" });
    const swapped = Buffer.from(original);
    original.copy(swapped, first + block, first + 2 * block, first + 3 * block);
    original.copy(swapped, first + 2 * block, first + block, first + 2 * block);
    await writeFile(join(directory, name), swapped);
    expect(await store.verify(name)).toMatchObject({ type: "damaged", damage: { detail: /hash/u } });
  });

  test("is not read to the end when it changes after it was verified", async () => {
    const { name } = await take(10, [part(1, 9, 100), part(2, 10, 100)]);
    const latest = await store.latest();
    if (latest.type !== "found") throw new Error(latest.type);
    await change(name, (bytes) => flip(bytes, bytes.length - 200));
    await expect(readParts(latest.parts())).rejects.toThrow(SnapshotDamagedError);
  });

  test("a name that leads out of the directory is refused", async () => {
    expect(await store.verify("../snapshot-0000000000000001.bin")).toMatchObject({ type: "damaged" });
  });
});

test("on a full disk a snapshot is refused, the one before stays, and the next works", async ({ skip }) => {
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", directory]);
  if (mounted.status !== 0) {
    process.stderr.write("SKIPPED: the full-disk test needs permission to mount a tmpfs\n");
    skip("mounting a tmpfs is not permitted");
  }
  try {
    await take(10, [part(1, 10, 1_000_000)]);
    const writer = await begin();
    let result = await writer.write(part(1, 11, 1_000_000));
    for (let more = 0; more < 5 && result.type === "written"; more++) {
      result = await writer.write(part(1, 11, 1_000_000));
    }
    expect(result).toEqual({ type: "full" });
    await expect(writer.commit({ endPosition: 20, chainHash: CHAIN_HASH })).rejects.toThrow();
    await writer.abort();
    expect(await store.latest()).toMatchObject({ snapshot: { endPosition: 10 }, damaged: [] });
    await take(30, [part(1, 30, 1_000_000)]);
    expect(await store.latest()).toMatchObject({ snapshot: { endPosition: 30 } });
  } finally {
    spawnSync("umount", [directory]);
  }
});

async function begin(): Promise<SnapshotWriter> {
  const begun = await store.begin(HEADER);
  if (begun.type !== "begun") throw new Error(JSON.stringify(begun));
  return begun.writer;
}

async function take(endPosition: number, parts: readonly SnapshotPart[]) {
  const writer = await begin();
  for (const each of parts) expect(await writer.write(each)).toEqual({ type: "written" });
  const committed = await writer.commit({ endPosition, chainHash: CHAIN_HASH });
  if (committed.type !== "committed") throw new Error(JSON.stringify(committed));
  return committed.snapshot;
}

function part(type: number, position: number, length: number): SnapshotPart {
  const bytes = Uint8Array.from({ length }, (_, index) => (index * 31 + type) & 0xff);
  return { type, position, bytes };
}

async function readParts(parts: AsyncIterable<SnapshotPart>): Promise<SnapshotPart[]> {
  const read: SnapshotPart[] = [];
  for await (const each of parts) read.push(each);
  return read;
}

async function change(name: string, how: (bytes: Buffer) => Buffer): Promise<void> {
  await writeFile(join(directory, name), how(await readFile(join(directory, name))));
}

function flip(bytes: Buffer, at: number): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[at]! ^= 1 << (at % 8);
  return flipped;
}
