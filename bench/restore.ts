/** From disk to a state that answers: a million subjects from a snapshot, and a log replayed from its start. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apply, encodeBatch, snapshotParts, STORAGE_PROVIDER, type Entry } from "@staunch/engine";
import { FileSnapshots } from "../packages/server/src/adapters/file-snapshots/file-snapshots.ts";
import { openSqliteLog } from "../packages/server/src/adapters/sqlite-log/sqlite-log.ts";
import { ENGINE_VERSION, restoreState } from "../packages/server/src/app/partition/restore.ts";
import type { Log, Tail } from "../packages/server/src/ports/log.ts";
import { BATCH_SIZE, entryOf, makeFleet, makeSamples, randomBits, START_MS, subjectId } from "./fleet.ts";
import { secondsSince, type Result } from "./result.ts";

const SUBJECTS = 1_000_000;
const REPLAYED_SUBJECTS = 100_000;
const REPLAYED_BATCHES = 600;

export async function* benchRestore(): AsyncGenerator<Result> {
  const directory = mkdtempSync(join(tmpdir(), "staunch-bench-"));
  try {
    yield await fromSnapshot(join(directory, "snapshot"));
    yield await fromLog(join(directory, "log"));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function fromSnapshot(directory: string): Promise<Result> {
  const { log } = await openLog(directory);
  const snapshots = new FileSnapshots(join(directory, "snapshots"));
  await writeSnapshot(log, snapshots);
  globalThis.gc?.();
  const began = performance.now();
  const result = await restoreState(log, snapshots, options(false));
  const seconds = secondsSince(began);
  if (result.type !== "restored" || result.restored.state.places.count !== SUBJECTS)
    throw new Error(result.type);
  await log.close();
  return {
    name: "restore",
    unit: "s",
    value: seconds,
    conditions: { subjects: SUBJECTS, from: "snapshot", aggregates: false },
  };
}

async function writeSnapshot(log: Log, snapshots: FileSnapshots): Promise<void> {
  const state = makeFleet(SUBJECTS, false);
  const random = randomBits(3);
  for (let batch = 0; batch < 600; batch++) {
    const loggedAt = START_MS + batch * 8;
    const samples = makeSamples(SUBJECTS, BATCH_SIZE, loggedAt, random);
    apply(state, { position: state.position + 1, loggedAt, entries: [entryOf(samples)] });
  }
  const tail = await log.tail();
  state.position = tail.position;
  const header = { engineVersion: ENGINE_VERSION, policyHash: "bench", startPosition: tail.position };
  const begun = await snapshots.begin(header);
  if (begun.type !== "begun") throw new Error(begun.type);
  for (const part of snapshotParts(state)) {
    const written = await begun.writer.write(part);
    if (written.type !== "written") throw new Error(written.type);
  }
  await begun.writer.commit({ endPosition: tail.position, chainHash: tail.hash });
}

async function fromLog(directory: string): Promise<Result> {
  const { log, tail } = await openLog(directory);
  const snapshots = new FileSnapshots(join(directory, "snapshots"));
  const random = randomBits(9);
  let { position, hash } = tail;
  const write = async (entry: Entry, loggedAt: number): Promise<void> => {
    const body = encodeBatch({ loggedAt, entries: [entry] });
    const eventCount = entry.samples?.count ?? 0;
    const result = await log.append({
      prevPosition: position,
      prevHash: hash,
      epoch: tail.epoch,
      loggedAt,
      eventCount,
      body,
    });
    if (result.type !== "appended") throw new Error(result.type);
    ({ position, hash } = result);
  };
  for (let first = 0; first < REPLAYED_SUBJECTS; first += BATCH_SIZE) {
    const count = Math.min(BATCH_SIZE, REPLAYED_SUBJECTS - first);
    const named = Array.from({ length: count }, (_, index) => {
      return { number: first + index, kind: "provider", id: subjectId(first + index) };
    });
    await write(entryOf(null, named), START_MS);
  }
  for (let batch = 0; batch < REPLAYED_BATCHES; batch++) {
    const loggedAt = START_MS + batch * 8;
    await write(entryOf(makeSamples(REPLAYED_SUBJECTS, BATCH_SIZE, loggedAt, random)), loggedAt);
  }
  const began = performance.now();
  const result = await restoreState(log, snapshots, options(true));
  const seconds = secondsSince(began);
  if (result.type !== "restored") throw new Error(result.type);
  await log.close();
  const events = result.restored.replayedEvents;
  return {
    name: "replay",
    unit: "events/s",
    value: events / seconds,
    conditions: { subjects: REPLAYED_SUBJECTS, events, aggregates: true },
  };
}

async function openLog(directory: string): Promise<{ log: Log; tail: Tail }> {
  const opened = await openSqliteLog({ directory });
  if (opened.type !== "opened") throw new Error(opened.type);
  const claimed = await opened.log.claim({ owner: "bench", loggedAt: START_MS });
  if (claimed.type !== "claimed") throw new Error(claimed.type);
  return { log: opened.log, tail: claimed.tail };
}

function options(aggregates: boolean): Parameters<typeof restoreState>[2] {
  return { seed: 1, policies: { provider: STORAGE_PROVIDER }, aggregates };
}
