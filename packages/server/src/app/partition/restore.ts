/** From disk to state: the newest snapshot that fits the log, then the log behind it. */
import {
  apply,
  createState,
  decodeBatch,
  endReplay,
  restoreParts,
  SNAPSHOT_VERSION,
  type State,
  type StateOptions,
} from "@staunch/engine";
import type { Log } from "../../ports/log.ts";
import type { LatestSnapshot, SnapshotStore } from "../../ports/snapshots.ts";
import type { Follower } from "./partition.ts";

export interface Restored {
  readonly state: State;
  /** Name and start position of the snapshot used; null when the whole log was replayed. */
  readonly snapshot: { readonly name: string; readonly startPosition: number } | null;
  readonly replayedRecords: number;
  readonly replayedEvents: number;
  /** Snapshots passed over because they were damaged. */
  readonly damaged: readonly { readonly name: string; readonly detail: string }[];
}

export type RestoreResult =
  | { readonly type: "restored"; readonly restored: Restored }
  /** The log's samples were trimmed and no snapshot covers them: restore a backup. */
  | { readonly type: "not_covered"; readonly position: number }
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
  const latest = await snapshots.latest();
  const usable = latest.type === "found" && latest.snapshot.engineVersion === ENGINE_VERSION ? latest : null;
  const state = usable === null ? createState(options) : await restoreSnapshot(usable, options);
  const startPosition = state.position;
  let replayedRecords = 0;
  let replayedEvents = 0;
  // Position and hash that the log must have for the snapshot to be about it.
  const proof =
    usable === null ? null : { position: usable.snapshot.endPosition, hash: usable.snapshot.chainHash };
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
    if (!decoded.complete) return { type: "not_covered", position: record.position };
    follower?.applying?.(state, decoded.batch);
    const effects = apply(state, decoded.batch);
    follower?.applied(state, effects);
    replayedRecords += 1;
    replayedEvents += record.eventCount;
  }
  if (proof !== null && !proven) return foreignSnapshot(proof.position);
  endReplay(state);
  const snapshot = usable === null ? null : { name: usable.snapshot.name, startPosition };
  return {
    type: "restored",
    restored: { state, snapshot, replayedRecords, replayedEvents, damaged: latest.damaged },
  };
}

function foreignSnapshot(position: number): RestoreResult {
  return {
    type: "corrupt",
    position,
    detail: "the newest snapshot was made for another log, or the log has lost its end",
  };
}

async function restoreSnapshot(
  latest: Extract<LatestSnapshot, { type: "found" }>,
  options: StateOptions,
): Promise<State> {
  const restore = restoreParts(options);
  for await (const { type, position, bytes } of latest.parts()) {
    restore.part({ type, position, bytes: new Uint8Array(bytes) });
  }
  restore.finish();
  return restore.state;
}
