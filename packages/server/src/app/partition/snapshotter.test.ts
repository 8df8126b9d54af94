import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createState, EMPTY_ENTRY, metricCode, STORAGE_PROVIDER } from "@staunch/engine";
import { FileSnapshots } from "../../adapters/file-snapshots/file-snapshots.ts";
import { MemoryLog, MemoryLogStore } from "../../adapters/memory-log/memory-log.ts";
import { testClock } from "../../ports/clock.ts";
import type { SnapshotEnd, SnapshotPart, SnapshotStore, SnapshotWriter } from "../../ports/snapshots.ts";
import { MonitorGuard } from "../guards/monitor-guard.ts";
import { Partition } from "./partition.ts";
import { ENGINE_VERSION, restoreState } from "./restore.ts";
import { Snapshotter } from "./snapshotter.ts";

const HOUR_MS = 3_600_000;
const START_MS = 500_000 * HOUR_MS;
const RETENTION_MS = 24 * HOUR_MS;
const OPTIONS = { seed: 7, policies: { provider: STORAGE_PROVIDER }, aggregates: false } as const;

describe("samples in the log", () => {
  const clock = testClock(START_MS);
  let directory: string;
  let log: MemoryLog;
  let partition: Partition;
  let projectedTo: number;
  let snapshots: SnapshotStore;
  let snapshotter: Snapshotter;

  beforeEach(async () => {
    clock.set(START_MS);
    directory = await mkdtemp(join(tmpdir(), "staunch-snapshotter-"));
    log = new MemoryLog(new MemoryLogStore());
    projectedTo = Infinity;
    const claimed = await log.claim({ owner: "test", loggedAt: START_MS });
    if (claimed.type !== "claimed") throw new Error(claimed.type);
    partition = new Partition({
      log,
      clock,
      state: createState(OPTIONS),
      tail: claimed.tail,
      commitEventsMax: 16_384,
      gate: new MonitorGuard(),
    });
    const draft = partition.draft();
    draft.register("node-0", "provider");
    await partition.submit({ ...EMPTY_ENTRY, registrations: draft.registrations });
    snapshots = new FileSnapshots(directory);
    start();
  });

  afterEach(() => rm(directory, { recursive: true }));

  function start(): void {
    const options = {
      store: snapshots,
      log,
      projectedTo: () => projectedTo,
      sampleRetentionMs: RETENTION_MS,
    };
    snapshotter = new Snapshotter(partition, options);
  }

  /** So many hours with one sample each. */
  async function pass(hours: number): Promise<void> {
    for (let hour = 0; hour < hours; hour++) {
      clock.advance(HOUR_MS);
      const outcome = await partition.submit({ ...EMPTY_ENTRY, samples: sampleAt(clock.now()) });
      if (outcome.type !== "applied") throw new Error(outcome.refusal.type);
    }
  }

  /** An hour with a sample and then a snapshot. */
  async function passAndWrite(): Promise<void> {
    await pass(1);
    expect((await snapshotter.write()).type).toBe("written");
  }

  /** Ages in hours of the records whose samples are there, oldest first. */
  async function agesKept(): Promise<number[]> {
    const ages: number[] = [];
    for await (const { body, loggedAt } of log.read(1)) {
      if (body.samples !== null && body.samples.length > 0) ages.push((clock.now() - loggedAt) / HOUR_MS);
    }
    return ages;
  }

  test("stay for the retention although snapshots stand behind them", async () => {
    for (let hour = 0; hour < 24; hour++) await passAndWrite();
    expect(await agesKept()).toHaveLength(24);
    for (let hour = 0; hour < 10; hour++) await passAndWrite();
    // What was logged exactly one retention ago is not older than it.
    expect(await agesKept()).toEqual(Array.from({ length: 25 }, (_, index) => 24 - index));
  });

  test("past the retention stay until two snapshots stand behind them", async () => {
    await pass(3);
    clock.advance(10 * RETENTION_MS);
    await passAndWrite();
    expect(await agesKept()).toHaveLength(4);
    await passAndWrite();
    expect(await agesKept()).toEqual([1, 0]);
  });

  test("stay when the older snapshot does not cover them yet", async () => {
    await passAndWrite();
    await pass(3);
    clock.advance(10 * RETENTION_MS);
    await passAndWrite();
    expect(await agesKept()).toHaveLength(4);
  });

  test("stay while their effects have not been projected", async () => {
    projectedTo = 1;
    for (let hour = 0; hour < 30; hour++) await passAndWrite();
    expect(await agesKept()).toHaveLength(30);
    projectedTo = Infinity;
    await passAndWrite();
    expect(await agesKept()).toHaveLength(25);
  });

  test("stay when the snapshot does not read back undamaged", async () => {
    const files = snapshots;
    snapshots = {
      begin: (header) => files.begin(header),
      latest: () => files.latest(),
      list: () => files.list(),
      verify: async (name) => {
        await flipLastByte(directory);
        return files.verify(name);
      },
    };
    start();
    for (let hour = 0; hour < 30; hour++) await passAndWrite();
    expect(await agesKept()).toHaveLength(30);
  });

  test("that were dropped are not needed by a start", async () => {
    for (let hour = 0; hour < 60; hour++) await passAndWrite();
    await pass(2);
    const result = await restoreState(log, snapshots, OPTIONS);
    expect(result).toMatchObject({ type: "restored", restored: { replayedRecords: 2 } });
    const restored = result.type === "restored" ? result.restored.state : null;
    expect(restored?.eventCount).toBe(partition.state.eventCount);
  });

  test("are needed when the snapshot is of another version, which a start says", async () => {
    await passAndWrite();
    const [name] = await snapshots.list();
    const passedOver = [{ name, detail: `it is of engine-1, this is ${ENGINE_VERSION}` }];
    const other = await ofVersion("engine-1");
    expect(await restoreState(log, other, OPTIONS)).toMatchObject({
      type: "restored",
      restored: { snapshot: null, state: { eventCount: partition.state.eventCount }, passedOver },
    });
    await log.trim(partition.state.position);
    expect(await restoreState(log, other, OPTIONS)).toMatchObject({ type: "not_covered", passedOver });
  });

  test.each<[string, Partial<SnapshotWriter>]>([
    ["is refused at its end", { commit: async () => ({ type: "full" }) }],
    ["breaks off", { write: () => Promise.reject(new RangeError("too large")) }],
  ])("are covered by the next snapshot when one %s", async (_, fault) => {
    const files = snapshots;
    let faulty = true;
    snapshots = {
      begin: async (header) => {
        const begun = await files.begin(header);
        if (begun.type !== "begun" || !faulty) return begun;
        const { writer } = begun;
        const sound = {
          write: (part: SnapshotPart) => writer.write(part),
          commit: (end: SnapshotEnd) => writer.commit(end),
          abort: () => writer.abort(),
        };
        return { type: "begun", writer: { ...sound, ...fault } };
      },
      latest: () => files.latest(),
      list: () => files.list(),
      verify: (name) => files.verify(name),
    };
    start();
    await pass(1);
    const failed = await snapshotter.write().catch((error: Error) => ({ type: error.message }));
    expect(failed.type).toMatch(/refused|too large/u);
    faulty = false;
    await passAndWrite();
    expect(await readdir(directory)).toHaveLength(1);
  });

  /** The snapshots as if another version had written them. */
  async function ofVersion(engineVersion: string): Promise<SnapshotStore> {
    const latest = await snapshots.latest();
    if (latest.type !== "found") throw new Error(latest.type);
    return {
      begin: (header) => snapshots.begin(header),
      latest: async () => ({ ...latest, snapshot: { ...latest.snapshot, engineVersion } }),
      list: () => snapshots.list(),
      verify: (name) => snapshots.verify(name),
    };
  }
});

function sampleAt(atMs: number) {
  return {
    count: 1,
    at: Float64Array.of(atMs),
    value: Float64Array.of(0.999),
    subject: Uint32Array.of(0),
    kind: Uint8Array.of(metricCode("uptime")),
    weight: null,
    monitor: null,
    context: null,
  };
}

async function flipLastByte(directory: string): Promise<void> {
  const path = join(directory, (await readdir(directory)).toSorted().at(-1)!);
  const bytes = await readFile(path);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(path, bytes);
}
