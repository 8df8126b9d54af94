import {
  createState,
  FAILURE,
  parsePolicy,
  standing,
  stateHash,
  STORAGE_PROVIDER,
  SUCCESS,
  workStanding,
  type JobColumns,
  type Policy,
  type SampleColumns,
} from "@staunch/engine";
import { describe, expect, test } from "vitest";
import { MemoryLog, MemoryLogStore } from "../../adapters/memory-log/memory-log.ts";
import { testClock } from "../../ports/clock.ts";
import { MonitorGuard } from "../guards/monitor-guard.ts";
import { Partition } from "../partition/partition.ts";
import { Facts } from "../facts/facts.ts";
import type { ImportSource } from "./import-source.ts";
import { importSource, type ImportProgress } from "./import.ts";
import { mergeBatches } from "./merge-batches.ts";

const DAY_MS = 86_400_000;
const START_MS = 1_000 * DAY_MS;
const WORK_OPTIONS = { shiftMs: 0, policyOf: computeWorker };

describe("an import", () => {
  test("brings every sample in at its own time, and subjects with operator and attributes", async () => {
    const { partition, facts } = await newPartition();
    const result = await importSource(partition, facts, sourceOf(30), {
      shiftMs: 0,
      policyOf: () => STORAGE_PROVIDER,
    });
    expect(result).toEqual({ type: "imported", subjects: 3, events: 90, known: 0 });
    const { state } = partition;
    expect(state.eventCount).toBe(90);
    expect(state.now).toBe(START_MS + 30 * DAY_MS);
    expect(state.profiles.get(state.ids.find("node-1"))).toEqual({
      operator: "acme",
      attributes: { rack: 1 },
    });
    expect(state.kinds.map(({ name }) => name)).toEqual(["node"]);
  });

  test("moves all times by the shift", async () => {
    const { partition, facts } = await newPartition(START_MS + 5 * DAY_MS);
    await importSource(partition, facts, sourceOf(30), {
      shiftMs: 5 * DAY_MS,
      policyOf: () => STORAGE_PROVIDER,
    });
    expect(partition.state.now).toBe(START_MS + 35 * DAY_MS);
    const { firstEvidenceAt, lastEvidenceAt } = standing(partition.state, 0, partition.state.now);
    expect([firstEvidenceAt, lastEvidenceAt]).toEqual([START_MS + 6 * DAY_MS, START_MS + 35 * DAY_MS]);
  });

  test("tells its progress up to the last sample", async () => {
    const { partition, facts } = await newPartition();
    const seen: ImportProgress[] = [];
    const onProgress = (progress: ImportProgress): void => void seen.push(progress);
    await importSource(partition, facts, sourceOf(30), {
      shiftMs: 0,
      policyOf: () => STORAGE_PROVIDER,
      onProgress,
    });
    expect(seen.at(-1)).toEqual({ events: 90, eventsTotal: 90, atMs: START_MS + 30 * DAY_MS });
  });

  test("that was interrupted goes on where the log ends and gives the same state as one that was not", async () => {
    const whole = await newPartition();
    await importSource(whole.partition, whole.facts, sourceOf(30), {
      shiftMs: 0,
      policyOf: () => STORAGE_PROVIDER,
    });

    const { partition, facts } = await newPartition();
    const stopAt = START_MS + 12 * DAY_MS;
    const onProgress = ({ atMs }: ImportProgress): void => {
      if (atMs >= stopAt) void partition.close();
    };
    const options = { shiftMs: 0, policyOf: () => STORAGE_PROVIDER };
    const stopped = await importSource(partition, facts, sourceOf(30), { ...options, onProgress });
    expect(stopped).toMatchObject({ type: "refused", refusal: { type: "closing" } });
    expect(partition.state.eventCount).toBeLessThan(90);

    const again = reopened(partition);
    expect(await importSource(again, new Facts(again), sourceOf(30), options)).toMatchObject({
      type: "imported",
    });
    expect(again.state.eventCount).toBe(90);
    expect(stateHash(again.state)).toBe(stateHash(whole.partition.state));
  });
});

describe("an import of jobs and health reports", () => {
  test("brings each in at its own time, between samples or without any", async () => {
    const { partition, facts } = await newPartition();
    const result = await importSource(partition, facts, workSource(30), WORK_OPTIONS);
    expect(result).toEqual({ type: "imported", subjects: 2, events: 90, known: 0 });
    const { state } = partition;
    expect(state.eventCount).toBe(90);
    const [steady, failing] = [0, 1].map((subject) => workStanding(state, subject, state.now)!);
    expect(steady!.jobs).toMatchObject({ completed: 30, failed: 0 });
    expect(failing!.jobs).toMatchObject({ completed: 0, failed: 30 });
    expect(steady!.health).toMatchObject({ reportedAt: START_MS + 30 * DAY_MS });
    expect(failing!.health).toBeNull();
  });

  test("that was interrupted goes on and gives the same state as one that was not", async () => {
    const whole = await newPartition();
    await importSource(whole.partition, whole.facts, workSource(30), WORK_OPTIONS);
    const { partition, facts } = await newPartition();
    const onProgress = ({ atMs }: ImportProgress): void => {
      if (atMs >= START_MS + 12 * DAY_MS) void partition.close();
    };
    const stopped = await importSource(partition, facts, workSource(30), { ...WORK_OPTIONS, onProgress });
    expect(stopped).toMatchObject({ type: "refused", refusal: { type: "closing" } });
    expect(partition.state.eventCount).toBeLessThan(90);
    const again = reopened(partition);
    const rest = await importSource(again, new Facts(again), workSource(30), WORK_OPTIONS);
    expect(rest).toMatchObject({ type: "imported", events: 90 });
    expect(stateHash(again.state)).toBe(stateHash(whole.partition.state));
  });
});

describe("merging", () => {
  test("joins jobs and reports, and leaves unknown what a report does not say", () => {
    const batches = [...workSource(2).batches()];
    const other = { ...batches[1]!, loggedAt: batches[0]!.loggedAt };
    const health = { ...other.health!, parts: [{ name: "temperature", value: Float64Array.of(50) }] };
    const [merged, ...rest] = mergeBatches([batches[0]!, { ...other, health }]);
    expect(rest).toEqual([]);
    expect([...merged!.jobs!.outcome]).toEqual([0, 1, 0, 1]);
    expect(merged!.jobs!.jobClass).toEqual([null, "hard", null, "hard"]);
    expect(merged!.health!.parts).toEqual([
      { name: "memory_usage", value: Float64Array.of(50, Number.NaN) },
      { name: "temperature", value: Float64Array.of(Number.NaN, 50) },
    ]);
    expect(merged!.samples.count).toBe(0);
  });

  test("keeps every sample in its order and no sample after its batch", () => {
    const source = sourceOf(10, 4);
    const rows = (batches: Iterable<{ readonly samples: SampleColumns }>): string[] =>
      [...batches].flatMap(({ samples }) =>
        [...samples.at].map((at, row) => `${at} ${samples.subject[row]} ${samples.context?.[row]}`),
      );
    const merged = [...mergeBatches(source.batches())];
    expect(rows(merged)).toEqual(rows(source.batches()));
    expect(merged.length).toBeLessThan([...source.batches()].length);
    for (const { loggedAt, samples } of merged) expect(Math.max(...samples.at)).toBeLessThanOrEqual(loggedAt);
  });

  test("never makes a batch that a record cannot take", () => {
    const big = (loggedAt: number) => ({
      loggedAt,
      subjects: [],
      samples: columns(10_000, () => loggedAt),
      jobs: null,
      health: null,
    });
    const sizes = [...mergeBatches([big(1), big(2), big(3)])].map(({ samples }) => samples.count);
    expect(sizes).toEqual([10_000, 10_000, 10_000]);
  });
});

function computeWorker(): Policy {
  const parsed = parsePolicy({ extends: "compute-worker" });
  if (parsed.type === "invalid") throw new Error(JSON.stringify(parsed.problems));
  return parsed.policy;
}

async function newPartition(claimAt = START_MS): Promise<{ partition: Partition; facts: Facts }> {
  const log = new MemoryLog(new MemoryLogStore());
  const claimed = await log.claim({ owner: "test", loggedAt: claimAt });
  if (claimed.type !== "claimed") throw new Error(claimed.type);
  const state = createState({ seed: 1, policies: {}, aggregates: true });
  logs.set(state, log);
  const partition = new Partition({
    log,
    clock: testClock(0),
    state,
    tail: claimed.tail,
    commitEventsMax: 16_384,
    gate: new MonitorGuard(),
  });
  return { partition, facts: new Facts(partition) };
}

const logs = new Map<object, MemoryLog>();

/** The partition of a closed one's log, as after a start. */
function reopened({ state, applied }: Partition): Partition {
  const tail = { ...applied, loggedAt: state.now };
  return new Partition({
    log: logs.get(state)!,
    clock: testClock(0),
    state,
    tail,
    commitEventsMax: 16_384,
    gate: new MonitorGuard(),
  });
}

/** Three nodes with one sample a day each, in `parts` batches a day. */
function sourceOf(days: number, parts = 1): ImportSource {
  const subjects = [0, 1, 2].map((rack) => ({
    id: `node-${rack}`,
    kind: "node",
    operator: "acme",
    attributes: { rack },
  }));
  return {
    name: "test",
    subjectCount: 3,
    eventCount: 3 * days * parts,
    firstAt: START_MS,
    lastAt: START_MS + days * DAY_MS,
    *batches() {
      for (let step = 1; step <= days * parts; step++) {
        const at = START_MS + (step * DAY_MS) / parts;
        yield {
          loggedAt: at,
          subjects: step === 1 ? subjects : [],
          samples: columns(3, () => at),
          jobs: null,
          health: null,
        };
      }
    },
  };
}

/** Two workers; each day one completes a job and reports its health, the other fails one. No samples. */
function workSource(days: number): ImportSource {
  const subjects = ["steady", "failing"].map((id) => ({
    id,
    kind: "worker",
    operator: null,
    attributes: {},
  }));
  const unknown = Float64Array.of(Number.NaN, Number.NaN);
  return {
    name: "work",
    subjectCount: 2,
    eventCount: 3 * days,
    firstAt: START_MS,
    lastAt: START_MS + days * DAY_MS,
    *batches() {
      for (let day = 1; day <= days; day++) {
        const at = START_MS + day * DAY_MS;
        const jobs: JobColumns = {
          count: 2,
          at: Float64Array.of(at, at),
          subject: Uint32Array.of(0, 1),
          outcome: Uint8Array.of(SUCCESS, FAILURE),
          durationMs: unknown,
          expectedMs: unknown,
          usedShare: unknown,
          quality: unknown,
          earnings: unknown,
          selection: Float64Array.of(0, 0),
          jobClass: [null, "hard"],
          jobId: null,
        };
        const parts = [{ name: "memory_usage", value: Float64Array.of(50) }];
        const health = { count: 1, at: Float64Array.of(at), subject: Uint32Array.of(0), parts };
        const introduced = day === 1 ? subjects : [];
        yield { loggedAt: at, subjects: introduced, samples: columns(0, () => at), jobs, health };
      }
    },
  };
}

function columns(count: number, at: () => number): SampleColumns {
  return {
    count,
    at: Float64Array.from({ length: count }, at),
    value: Float64Array.from({ length: count }, (_, row) => 1 - (row % 3) / 10),
    subject: Uint32Array.from({ length: count }, (_, row) => row % 3),
    kind: new Uint8Array(count),
    weight: null,
    monitor: null,
    context: Array.from({ length: count }, (_, row) => `row ${row}`),
  };
}
