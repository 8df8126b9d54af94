/** Runs a data set through the whole pipeline (log, partition, fold) in a directory of its own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Explanation } from "@staunch/contract";
import { BATCH_EVENTS_MAX, createState, explain, type Policy, type State } from "@staunch/engine";
import type { z } from "zod";
import type { ImportSource } from "./app/import/import-source.ts";
import { importSource, type ImportProgress } from "./app/import/import.ts";
import { MonitorGuard } from "./app/guards/monitor-guard.ts";
import { Partition } from "./app/partition/partition.ts";
import { Facts } from "./app/facts/facts.ts";
import { KIND_DEFAULT } from "./app/kind.ts";
import { activatePolicy } from "./configured-policies.ts";
import { presentExplanation } from "./http/present.ts";
import { logClock } from "./ports/clock.ts";
import { claimLog, openStorage, stateOptions, StorageError, writeRefused, type Storage } from "./storage.ts";

export interface ReplayOptions {
  readonly source: ImportSource;
  /** Added to every time. */
  readonly shiftMs: number;
  /** Of providers; and of other kinds, unless the source has one for them. */
  readonly policy: Policy;
  /** Score every kind by `policy`, whatever the source says. */
  readonly isForced: boolean;
  readonly commitEventsMax: number;
  /** An empty data directory that is kept, or null for one that is removed again. */
  readonly directory: string | null;
  readonly onProgress?: (progress: ImportProgress) => void;
}

export interface Replayed {
  readonly state: State;
  /** Instant of the last record, milliseconds since 1970. */
  readonly nowMs: number;
  readonly subjects: number;
  readonly events: number;
  readonly records: number;
  /** From the first record to the last, durable and applied. */
  readonly elapsedMs: number;
}

/** @throws StorageError when the directory cannot be written or is not empty */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), "staunch-replay-")));
  try {
    const storage = await openStorage(directory);
    try {
      return await replayInto(storage, options);
    } finally {
      await storage.log.close();
    }
  } finally {
    if (options.directory === null) await rm(directory, { recursive: true, force: true });
  }
}

/** Why a subject stands where it does after the last record, as the interface of a service would say it. */
export function explainReplayed({ state, nowMs }: Replayed, subject: number): z.infer<typeof Explanation> {
  return presentExplanation(explain(state, subject, nowMs), state.position);
}

async function replayInto(storage: Storage, options: ReplayOptions): Promise<Replayed> {
  if (storage.tail.position > 0) {
    const text = `${storage.directory} holds a log already. A replay needs an empty directory; leave --data out for a temporary one.`;
    throw new StorageError("failed", text);
  }
  const { source, shiftMs, policy, isForced, commitEventsMax } = options;
  const startMs = performance.now();
  const tail = await claimLog(storage, source.firstAt + shiftMs);
  const state = createState(stateOptions());
  const partition = new Partition({
    log: storage.log,
    clock: logClock,
    state,
    tail,
    commitEventsMax: Math.min(commitEventsMax, BATCH_EVENTS_MAX),
    gate: new MonitorGuard(),
  });
  await activatePolicy(storage, KIND_DEFAULT, policy, partition, "first start");
  const progress = options.onProgress === undefined ? {} : { onProgress: options.onProgress };
  const result = await importSource(partition, new Facts(partition), source, {
    shiftMs,
    policyOf: (kind) => (isForced ? policy : (source.policies?.[kind] ?? policy)),
    endsLog: true,
    ...progress,
  });
  await partition.close();
  if (result.type === "refused") throw writeRefused(storage.directory, result.refusal);
  const { subjects, events } = result;
  const elapsedMs = performance.now() - startMs;
  return { state, nowMs: state.now, subjects, events, records: state.position, elapsedMs };
}
