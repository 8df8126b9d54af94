/** Writes snapshots between batches and drops old samples from the log behind those that are verified. */
import { policyHash, snapshotParts } from "@staunch/engine";
import type { Log } from "../../ports/log.ts";
import type { SnapshotInfo, SnapshotStore } from "../../ports/snapshots.ts";
import type { Partition } from "./partition.ts";
import { ENGINE_VERSION } from "./restore.ts";

export type SnapshotResult =
  | { readonly type: "written"; readonly snapshot: SnapshotInfo }
  /** Nothing has happened since the last one. */
  | { readonly type: "unchanged" }
  | { readonly type: "refused"; readonly detail: string };

export interface SnapshotterOptions {
  readonly store: SnapshotStore;
  readonly log: Log;
  /** Position up to which effects have been projected durably: what is behind it may be forgotten. */
  readonly projectedTo: () => number;
  /** Samples younger than this stay in the log, so that there is something to replay and to backtest. */
  readonly sampleRetentionMs: number;
}

export class Snapshotter {
  private readonly partition: Partition;
  private readonly options: SnapshotterOptions;
  private newest: SnapshotInfo | null = null;
  private running: Promise<SnapshotResult> | null = null;

  constructor(partition: Partition, options: SnapshotterOptions) {
    this.partition = partition;
    this.options = options;
  }

  /** Writes one snapshot; a second caller gets the one that is being written. */
  write(): Promise<SnapshotResult> {
    this.running ??= this.writeParts().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async writeParts(): Promise<SnapshotResult> {
    const { state } = this.partition;
    const startPosition = state.position;
    if (this.newest !== null && this.newest.startPosition === startPosition) return { type: "unchanged" };
    const policies = state.kinds.map(({ compiled }) => policyHash(compiled.policy)).join(",");
    const begun = await this.options.store.begin({
      engineVersion: ENGINE_VERSION,
      policyHash: policies,
      startPosition,
    });
    if (begun.type !== "begun") return { type: "refused", detail: begun.type };
    const { writer } = begun;
    try {
      for (const part of snapshotParts(state)) {
        const written = await writer.write(part);
        if (written.type !== "written") return { type: "refused", detail: written.type };
      }
      const { position, hash } = this.partition.applied;
      const committed = await writer.commit({ endPosition: position, chainHash: hash });
      if (committed.type !== "committed") return { type: "refused", detail: committed.type };
      await this.trimBehind(committed.snapshot);
      return { type: "written", snapshot: committed.snapshot };
    } finally {
      // What has not become a snapshot must not be in the way of the next one.
      await writer.abort();
    }
  }

  /**
   * A start does not need the samples before the older of the two snapshots kept, provided that the newer one reads
   * back undamaged and all effects up to its end have been projected. Of these, those past the retention go.
   */
  private async trimBehind(snapshot: SnapshotInfo): Promise<void> {
    const before = this.newest;
    this.newest = snapshot;
    const { store, log, projectedTo, sampleRetentionMs } = this.options;
    if (before === null || projectedTo() < snapshot.endPosition) return;
    const verified = await store.verify(snapshot.name);
    if (verified.type !== "sound") return;
    const expiredTo = await log.positionBefore(this.partition.now() - sampleRetentionMs);
    const upTo = Math.min(before.startPosition, expiredTo);
    if (upTo > 0) await log.trim(upTo);
  }
}
