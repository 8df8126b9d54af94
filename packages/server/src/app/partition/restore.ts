/** From disk to state: the newest snapshot that fits the log, then the log behind it. */
import {
  apply,
  createState,
  decodeBatch,
  endReplay,
  restoreParts,
  SNAPSHOT_VERSION,
  SnapshotRefusedError,
  type State,
  type StateOptions,
} from "@staunch/engine";
import type { Log } from "../../ports/log.ts";
import type { LatestSnapshot, SnapshotDamage, SnapshotInfo, SnapshotStore } from "../../ports/snapshots.ts";
import type { Follower } from "./partition.ts";

/** Snapshots that were not used: damaged, or of a version or layout that this one cannot read. */
export type PassedOver = readonly SnapshotDamage[];

export interface Restored {
  readonly state: State;
  /** Name and start position of the snapshot used; null when the whole log was replayed. */
  readonly snapshot: { readonly name: string; readonly startPosition: number } | null;
  readonly replayedRecords: number;
  readonly replayedEvents: number;
  readonly passedOver: PassedOver;
}

export type RestoreResult =
  | { readonly type: "restored"; readonly restored: Restored }
  /** The log's samples were trimmed and no snapshot that can be read covers them: restore a backup. */
  | {
      readonly type: "not_covered";
      readonly position: number;
      readonly passedOver: PassedOver;
    }
  | { readonly type: "corrupt"; readonly position: number; readonly detail: string };

/** Engine version that snapshots name; another one is not read. */
export const ENGINE_VERSION = `engine-${SNAPSHOT_VERSION}`;

/**
 * @param follower told of every batch that is replayed
 * @throws LogDamagedError when a record is damaged
 */
export async function restoreState(
  log: Log,
  snapshots: SnapshotStore,
  options: StateOptions,
  follower?: Follower,
): Promise<RestoreResult> {
  const { state, snapshot: used, passedOver } = await restoreNewest(await snapshots.latest(), options);
  const startPosition = state.position;
  let replayedRecords = 0;
  let replayedEvents = 0;
  // Position and hash that the log must have for the snapshot to be about it.
  const proof = used === null ? null : { position: used.endPosition, hash: used.chainHash };
  let proven = proof === null || proof.position === 0;
  for await (const record of log.read(Math.max(1, Math.min(startPosition + 1, proof?.position ?? 1)))) {
    if (proof !== null && record.position === proof.position) {
      if (record.hash !== proof.hash) return foreignSnapshot(proof.position);
      proven = true;
    }
    if (record.kind === "epoch" || record.position <= startPosition) continue;
    const decoded = decodeBatch(record.position, record.body);
    if (decoded.type === "corrupt")
      return { type: "corrupt", position: record.position, detail: decoded.detail };
    if (!decoded.complete) return { type: "not_covered", position: record.position, passedOver };
    follower?.applying?.(state, decoded.batch);
    const effects = apply(state, decoded.batch);
    follower?.applied(state, effects);
    replayedRecords += 1;
    replayedEvents += record.eventCount;
  }
  if (proof !== null && !proven) return foreignSnapshot(proof.position);
  endReplay(state);
  const snapshot = used === null ? null : { name: used.name, startPosition };
  return { type: "restored", restored: { state, snapshot, replayedRecords, replayedEvents, passedOver } };
}

/** The state as of the newest snapshot, or an empty one when there is none that can be read. */
async function restoreNewest(
  latest: LatestSnapshot,
  options: StateOptions,
): Promise<{ state: State; snapshot: SnapshotInfo | null; passedOver: PassedOver }> {
  const empty = { state: createState(options), snapshot: null };
  if (latest.type === "none") return { ...empty, passedOver: latest.damaged };
  const { snapshot, damaged } = latest;
  try {
    return { state: await restoreSnapshot(latest, options), snapshot, passedOver: damaged };
  } catch (error) {
    if (!(error instanceof SnapshotRefusedError)) throw error;
    return { ...empty, passedOver: [...damaged, { name: snapshot.name, detail: error.message }] };
  }
}

async function restoreSnapshot(
  { snapshot, parts }: Extract<LatestSnapshot, { type: "found" }>,
  options: StateOptions,
): Promise<State> {
  if (snapshot.engineVersion !== ENGINE_VERSION)
    throw new SnapshotRefusedError(`it is of ${snapshot.engineVersion}, this is ${ENGINE_VERSION}`);
  const restore = restoreParts(options);
  for await (const part of parts()) restore.part(part);
  restore.finish();
  return restore.state;
}

function foreignSnapshot(position: number): RestoreResult {
  return {
    type: "corrupt",
    position,
    detail: "the newest snapshot was made for another log, or the log has lost its end",
  };
}
