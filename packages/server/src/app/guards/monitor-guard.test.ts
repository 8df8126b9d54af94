import {
  createState,
  decodeBatch,
  EMPTY_ENTRY,
  metricCode,
  MONITOR_GRACE_MS,
  MONITOR_WINDOW_MS,
  standing,
  stateHash,
  STORAGE_PROVIDER,
  type SampleColumns,
  type State,
} from "@staunch/engine";
import { describe, expect, test } from "vitest";
import { MemoryLog, MemoryLogStore } from "../../adapters/memory-log/memory-log.ts";
import { testClock } from "../../ports/clock.ts";
import { withAppend, type AppendResult, type Log } from "../../ports/log.ts";
import type { SnapshotStore } from "../../ports/snapshots.ts";
import { Partition } from "../partition/partition.ts";
import { restoreState } from "../partition/restore.ts";
import { MonitorGuard } from "./monitor-guard.ts";

const SUBJECTS = 40;
const DOWN = 19;
const BLOCK_MS = 6 * 3_600_000;
/** Start of a window, two days after the first sample. */
const START_MS = 100_000 * BLOCK_MS;
const OVER_MS = START_MS + MONITOR_WINDOW_MS + MONITOR_GRACE_MS;
const OPTIONS = { seed: 7, policies: { provider: STORAGE_PROVIDER }, aggregates: false } as const;

const noSnapshots: SnapshotStore = {
  begin: () => Promise.reject(new Error("nothing is written here")),
  latest: async () => ({ type: "none", damaged: [] }),
  list: async () => [],
  verify: () => Promise.reject(new Error("there is none")),
};

/** A service that has seen two quiet days of 40 providers, in a log that answers as the test wants. */
async function newWorld() {
  const store = new MemoryLogStore();
  const memory = new MemoryLog(store);
  const clock = testClock(START_MS - 8 * BLOCK_MS);
  /** Answers to the next appends, null where the log does its work; and what they wait for. */
  const faults = { answers: [] as (AppendResult | null)[], hold: Promise.resolve() };
  const log: Log = withAppend(memory, async (request) => {
    await faults.hold;
    return faults.answers.shift() ?? memory.append(request);
  });
  const open = async (state: State): Promise<Partition> => {
    const claimed = await log.claim({ owner: `owner ${store.tail.position}`, loggedAt: clock.now() });
    if (claimed.type !== "claimed") throw new Error(claimed.type);
    return new Partition({
      log,
      clock,
      state,
      tail: claimed.tail,
      commitEventsMax: 16_384,
      gate: new MonitorGuard(),
    });
  };
  const partition = await open(createState(OPTIONS));
  const draft = partition.draft();
  for (let subject = 0; subject < SUBJECTS; subject++) draft.register(`node-${subject}`, "provider");
  await partition.submit({ ...EMPTY_ENTRY, registrations: draft.registrations });
  for (; clock.now() < START_MS; clock.advance(BLOCK_MS))
    await partition.submit({ ...EMPTY_ENTRY, samples: probes(clock.now(), null, 0) });
  return { store, log, clock, faults, partition, open };
}

/** A probe of everybody, of whom the first so many are down. */
function probes(at: number, monitor: string | null, down: number): SampleColumns {
  return {
    count: SUBJECTS,
    at: new Float64Array(SUBJECTS).fill(at),
    value: Float64Array.from({ length: SUBJECTS }, (_, subject) => (subject < down ? 0 : 1)),
    subject: Uint32Array.from({ length: SUBJECTS }, (_, subject) => subject),
    kind: new Uint8Array(SUBJECTS).fill(metricCode("uptime")),
    weight: null,
    monitor: monitor === null ? null : Array.from({ length: SUBJECTS }, () => monitor),
    context: null,
  };
}

const uptimeOf = ({ state }: Partition, subject: number): number =>
  standing(state, subject, state.now).components.find(({ name }) => name === "uptime")!.score;

/** What the log says, without its epochs: types of acts, and null for a record without. */
function told({ records }: MemoryLogStore): (string | null)[] {
  return records
    .filter(({ kind }) => kind === "data")
    .map(({ position, body }) => {
      const decoded = decodeBatch(position, body);
      if (decoded.type === "corrupt") throw new Error(decoded.detail);
      return decoded.batch.entries.flatMap(({ acts }) => acts.map(({ type }) => type)).join(" ") || null;
    });
}

/** Ticks until nothing is held back. */
async function passTime(partition: Partition, clock: { advance(ms: number): void }): Promise<void> {
  for (let ticks = 0; ticks < 10 && partition.state.provisional.count > 0; ticks++) {
    await partition.tick();
    clock.advance(250);
  }
}

describe("what a failed monitor saw", () => {
  test("is voided before it counts, by an act in the log, and the rest of the world goes on", async () => {
    const { store, clock, partition } = await newWorld();
    const before = uptimeOf(partition, 0);
    await partition.submit({ ...EMPTY_ENTRY, samples: probes(clock.now(), "probe-fra", DOWN) });
    await partition.submit({ ...EMPTY_ENTRY, samples: probes(clock.now(), "probe-nyc", 0) });
    clock.set(OVER_MS);
    await passTime(partition, clock);
    expect(partition.state.provisional.count).toBe(0);
    expect(uptimeOf(partition, 0)).toBeGreaterThanOrEqual(before);
    expect(standing(partition.state, 0, partition.state.now).eventCount).toBe(9);
    expect(told(store).slice(-3)).toEqual([null, "window.voided", null]);
    const [voided, ...more] = partition.state.provisional.voids;
    expect(more).toEqual([]);
    expect(voided!.act).toMatchObject({
      monitor: "probe-fra",
      from: START_MS,
      issuer: "rule:monitor-fault",
      reason: "19 of 40 operators failed at once, and no other monitor bears it out",
    });
  });

  test("is voided although nobody comes for hours, and then a request does", async () => {
    const { clock, partition } = await newWorld();
    const before = uptimeOf(partition, 0);
    await partition.submit({ ...EMPTY_ENTRY, samples: probes(clock.now(), "probe-fra", DOWN) });
    for (let request = 0; request < 3; request++) {
      clock.set(START_MS + (request + 1) * BLOCK_MS);
      await partition.submit({ ...EMPTY_ENTRY, samples: probes(clock.now(), null, 0) });
    }
    expect(partition.state.provisional.count).toBe(0);
    expect(partition.state.provisional.voids).toHaveLength(1);
    expect(uptimeOf(partition, 0)).toBeGreaterThanOrEqual(before);
  });

  test("is voided after a restart between the end of the window and the verdict", async () => {
    const { store, log, clock, faults, partition, open } = await newWorld();
    await partition.submit({ ...EMPTY_ENTRY, samples: probes(clock.now(), "probe-fra", DOWN) });
    clock.set(OVER_MS);
    faults.answers = [null, { type: "failed", detail: "the power is gone" }];
    await partition.submit({ ...EMPTY_ENTRY, samples: probes(clock.now(), null, 0) });
    await partition.close();
    expect(told(store).at(-1)).toBe(null);
    clock.advance(BLOCK_MS);
    const replayed = await restoreState(log, noSnapshots, OPTIONS);
    if (replayed.type !== "restored") throw new Error(replayed.type);
    const again = await open(replayed.restored.state);
    await passTime(again, clock);
    expect(again.state.provisional).toMatchObject({ count: 0 });
    expect(again.state.provisional.voids).toHaveLength(1);

    // And whoever replays that log has the same.
    const third = await restoreState(log, noSnapshots, OPTIONS);
    if (third.type !== "restored") throw new Error(third.type);
    expect(stateHash(third.restored.state)).toBe(stateHash(again.state));
  });

  test("is voided although the disk was full when the verdict was to be written", async () => {
    const { clock, faults, partition } = await newWorld();
    await partition.submit({ ...EMPTY_ENTRY, samples: probes(clock.now(), "probe-fra", DOWN) });
    clock.set(OVER_MS);
    faults.answers = [null, { type: "full" }];
    await partition.tick();
    expect(partition.state.now).toBe(OVER_MS);
    expect(partition.state.provisional.voids).toEqual([]);
    await passTime(partition, clock);
    expect(partition.state.provisional).toMatchObject({ count: 0 });
    expect(partition.state.provisional.voids).toHaveLength(1);
  });

  test("is judged before the next request counts, though that came while the last part was written", async () => {
    const { store, clock, faults, partition } = await newWorld();
    clock.set(OVER_MS);
    const { promise, resolve } = Promise.withResolvers<void>();
    faults.hold = promise;
    // With the batch that brings these their window is over.
    const first = partition.submit({ ...EMPTY_ENTRY, samples: probes(START_MS, "probe-fra", DOWN) });
    clock.set(OVER_MS + 1);
    const second = partition.submit({ ...EMPTY_ENTRY, samples: probes(OVER_MS + 1, null, 0) });
    resolve();
    await Promise.all([first, second]);
    expect(told(store).slice(-3)).toEqual([null, "window.voided", null]);
    expect(partition.state.provisional).toMatchObject({ count: 0 });
    expect(partition.state.provisional.voids).toHaveLength(1);
  });
});

test("what those saw who are in order counts, and one dead of three is dead", async () => {
  const { clock, partition } = await newWorld();
  const before = uptimeOf(partition, 0);
  await partition.submit({ ...EMPTY_ENTRY, samples: probes(clock.now(), "probe-fra", 1) });
  clock.set(OVER_MS);
  await passTime(partition, clock);
  expect(partition.state.provisional.voids).toEqual([]);
  expect(uptimeOf(partition, 0)).toBeLessThan(before);
});
