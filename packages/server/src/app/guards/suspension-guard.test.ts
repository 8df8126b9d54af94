import {
  createState,
  EMPTY_ENTRY,
  FAILURE,
  parsePolicy,
  standing,
  stateHash,
  SUCCESS,
  type Policy,
  type State,
} from "@staunch/engine";
import { beforeEach, describe, expect, test } from "vitest";
import { MemoryLog, MemoryLogStore } from "../../adapters/memory-log/memory-log.ts";
import { testClock } from "../../ports/clock.ts";
import { withAppend, type AppendResult } from "../../ports/log.ts";
import type { SnapshotStore } from "../../ports/snapshots.ts";
import { Partition } from "../partition/partition.ts";
import { restoreState } from "../partition/restore.ts";
import { MonitorGuard } from "./monitor-guard.ts";
import { SuspensionGuard } from "./suspension-guard.ts";

const START_MS = 1_800_000_000_000;
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const WORKERS = 20;
const DEAD = [0, 1, 2, 3];
const EVERYBODY = Array.from({ length: WORKERS }, (_, worker) => worker);
const OTHERS = EVERYBODY.filter((worker) => !DEAD.includes(worker));

const OPTIONS = { seed: 7, policies: { worker: workerPolicy() }, aggregates: false };

let world: Awaited<ReturnType<typeof newWorld>>;
beforeEach(async () => {
  world = await newWorld();
});

describe("the guard of suspensions", () => {
  test("warns first and suspends at the next look, no more than a tenth of the active, the worst first", async () => {
    const { guard, partition } = world;
    await work(10);
    await guard.update();
    await work(60);
    await guard.update();
    expect(suspended()).toEqual([]);
    await work(10);
    await guard.update();
    expect(suspended()).toEqual([0, 1]);
    await work(10);
    await guard.update();
    // A tenth of the twenty is suspended already.
    expect(suspended()).toEqual([0, 1]);
    expect(partition.state.sanctions.suspended.get(0)).toMatchObject({
      issuer: "rule:suspension",
      policy: "compute-worker",
      level: 1,
    });
  });

  test("looks once in an update interval", async () => {
    const { guard } = world;
    await work(80);
    await guard.update();
    await guard.update();
    world.clock.advance(MINUTE_MS - SECOND_MS);
    await work(0);
    await guard.update();
    expect(suspended()).toEqual([]);
    await work(1);
    await guard.update();
    expect(suspended()).toHaveLength(2);
  });

  test("makes room for the next when one runs out, and does not take the same again without new evidence", async () => {
    const { guard } = world;
    await work(80);
    await guard.update();
    await work(10);
    await guard.update();
    world.clock.advance(HOUR_MS);
    await work(1, OTHERS);
    expect(suspended()).toEqual([]);
    await guard.update();
    // Sixteen are active, so one may be.
    expect(suspended()).toEqual([2]);
    world.clock.advance(HOUR_MS);
    await work(1, OTHERS);
    await guard.update();
    expect(suspended()).toEqual([3]);
    world.clock.advance(HOUR_MS);
    await work(1, OTHERS);
    await guard.update();
    expect(suspended()).toEqual([]);
  });

  test("decides anew what the log did not take", async () => {
    const { guard, answers } = world;
    await work(80);
    await guard.update();
    await work(10);
    answers.push({ type: "full" });
    await guard.update();
    expect(suspended()).toEqual([]);
    await work(10);
    await guard.update();
    expect(suspended()).toEqual([0, 1]);
  });

  test("leaves in the log all that a restart needs", async () => {
    const { guard, partition, log } = world;
    await work(80);
    await guard.update();
    await work(10);
    await guard.update();
    const result = await restoreState(log, noSnapshots, OPTIONS);
    if (result.type !== "restored") throw new Error(result.type);
    const { state } = result.restored;
    expect(stateHash(state)).toBe(stateHash(partition.state));
    expect([...state.sanctions.suspended.keys()]).toEqual([0, 1]);
  });
});

const noSnapshots: SnapshotStore = {
  begin: () => Promise.reject(new Error("nothing is written here")),
  latest: async () => ({ type: "none", damaged: [] }),
  list: async () => [],
  verify: () => Promise.reject(new Error("there is none")),
};

function workerPolicy(): Policy {
  const parsed = parsePolicy({ extends: "compute-worker" });
  if (parsed.type === "invalid") throw new Error("the preset is no policy");
  return parsed.policy;
}

/** Twenty workers, and a log that answers as the test wants. */
async function newWorld() {
  const memory = new MemoryLog(new MemoryLogStore());
  const clock = testClock(START_MS);
  /** Answers to the next appends; with none the log does its work. */
  const answers: AppendResult[] = [];
  const log = withAppend(memory, async (request) => answers.shift() ?? memory.append(request));
  const state: State = createState(OPTIONS);
  const claimed = await log.claim({ owner: "test", loggedAt: clock.now() });
  if (claimed.type !== "claimed") throw new Error(claimed.type);
  const gate = new MonitorGuard();
  const partition = new Partition({ log, clock, state, tail: claimed.tail, commitEventsMax: 16_384, gate });
  const draft = partition.draft();
  for (let worker = 0; worker < WORKERS; worker++) draft.register(`worker-${worker}`, "worker");
  await partition.submit({ ...EMPTY_ENTRY, registrations: draft.registrations });
  return { guard: new SuspensionGuard(partition), partition, clock, answers, log };
}

/** So many jobs of each, ten seconds apart; the dead fail all of theirs. */
async function work(times: number, workers = EVERYBODY) {
  const { partition, clock } = world;
  const nan = new Float64Array(workers.length).fill(Number.NaN);
  for (let job = 0; job < Math.max(1, times); job++) {
    if (times > 0) clock.advance(10 * SECOND_MS);
    const jobs = {
      count: workers.length,
      at: new Float64Array(workers.length).fill(clock.now()),
      subject: Uint32Array.from(workers),
      outcome: Uint8Array.from(workers, (worker) => (DEAD.includes(worker) ? FAILURE : SUCCESS)),
      durationMs: nan,
      expectedMs: nan,
      usedShare: nan,
      quality: nan,
      earnings: nan,
      selection: new Float64Array(workers.length),
      jobClass: null,
      jobId: null,
    };
    await partition.submit(times === 0 ? EMPTY_ENTRY : { ...EMPTY_ENTRY, jobs });
  }
}

function suspended(): number[] {
  const { state } = world.partition;
  return EVERYBODY.filter((worker) => standing(state, worker, state.now).suspended);
}
