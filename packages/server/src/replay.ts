/** Runs a data set through the whole pipeline (log, partition, fold) in a directory of its own. */
import { randomInt, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BATCH_EVENTS_MAX, createState, type Policy, type State } from "@staunch/engine";
import type { ImportSource } from "./app/import/import-source.ts";
import { importSource, type ImportProgress } from "./app/import/import.ts";
import { Partition, type Refusal } from "./app/partition/partition.ts";
import { TierCutter } from "./app/tiers/cuts.ts";
import type { ClaimResult, Tail } from "./ports/log.ts";
import { openStorage, StorageError, type Storage } from "./storage.ts";

/** Kind of the subjects that the examples and event files bring. */
export const FIRST_KIND = "provider";

/** Stands where the log does: the times of an import decide, and after it the last one stays. */
export const LOG_CLOCK = { now: () => 0 };

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

async function replayInto(storage: Storage, options: ReplayOptions): Promise<Replayed> {
  if (storage.tail.position > 0) {
    const text = `${storage.directory} holds a log already. A replay needs an empty directory; leave --data out for a temporary one.`;
    throw new StorageError("failed", text);
  }
  const { source, shiftMs, policy, isForced, commitEventsMax } = options;
  const startMs = performance.now();
  const tail = claimed(storage.directory, await claimLog(storage, source.firstAt + shiftMs));
  const state = createState(stateOptions());
  const partition = new Partition({
    log: storage.log,
    clock: LOG_CLOCK,
    state,
    tail,
    commitEventsMax: Math.min(commitEventsMax, BATCH_EVENTS_MAX),
  });
  await activatePolicy(partition, policy, "first start");
  const progress = options.onProgress === undefined ? {} : { onProgress: options.onProgress };
  const result = await importSource(partition, new TierCutter(partition), source, {
    shiftMs,
    policyOf: (kind) => (isForced ? policy : (source.policies?.[kind] ?? policy)),
    ...progress,
  });
  await partition.close();
  if (result.type === "refused") throw writeRefused(storage.directory, result.refusal);
  const { subjects, events } = result;
  const elapsedMs = performance.now() - startMs;
  return { state, nowMs: state.now, subjects, events, records: state.position, elapsedMs };
}

/** A state without kinds: the log says which policies there are. */
export function stateOptions() {
  return { seed: randomInt(2 ** 32), policies: {}, aggregates: true } as const;
}

export function claimLog(storage: Storage, loggedAt: number): Promise<ClaimResult> {
  return storage.log.claim({ owner: `${process.pid}-${randomUUID()}`, loggedAt });
}

/** @throws StorageError when the log was not claimed */
export function claimed(directory: string, result: ClaimResult): Tail {
  if (result.type === "claimed") return result.tail;
  if (result.type === "full") {
    throw new StorageError(
      "full",
      `The disk of ${directory} is full. Make room and start again; nothing is lost.`,
    );
  }
  const detail = result.type === "failed" ? result.detail : `the log answered ${result.type}`;
  throw new StorageError("failed", `The log in ${directory} cannot be written: ${detail}.`);
}

/** Puts the policy of providers in force, as an act of the configuration. */
export async function activatePolicy(partition: Partition, policy: Policy, reason: string): Promise<void> {
  const act = {
    type: "policy.activated",
    kind: FIRST_KIND,
    policy,
    issuer: "configuration",
    reason,
  } as const;
  const outcome = await partition.submit({
    producer: "",
    sequence: 0,
    idempotencyKey: "",
    requestHash: "",
    answer: "",
    registrations: [],
    samples: null,
    acts: [act],
  });
  if (outcome.type === "refused") throw writeRefused("the data directory", outcome.refusal);
}

export function writeRefused(directory: string, refusal: Refusal): StorageError {
  if (refusal.type === "full") {
    return new StorageError(
      "full",
      `The disk of ${directory} is full. Make room and start again; nothing is lost.`,
    );
  }
  const detail = refusal.type === "stopped" ? refusal.detail : refusal.type;
  return new StorageError("failed", `The log in ${directory} took no more: ${detail}.`);
}
