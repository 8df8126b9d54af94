/** Writes snapshots between batches and trims the log behind those that are verified. */
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

export class Snapshotter {
  private readonly partition: Partition;
  private readonly store: SnapshotStore;
  private readonly log: Log;
  /** Position up to which effects have been projected durably: what is behind it may be forgotten. */
  private readonly projectedTo: () => number;
  private newest: SnapshotInfo | null = null;
  private running: Promise<SnapshotResult> | null = null;

  constructor(partition: Partition, store: SnapshotStore, log: Log, projectedTo: () => number) {
    this.partition = partition;
    this.store = store;
    this.log = log;
    this.projectedTo = projectedTo;
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
    const begun = await this.store.begin({
      engineVersion: ENGINE_VERSION,
      policyHash: policies,
      startPosition,
    });
    if (begun.type !== "begun") return { type: "refused", detail: begun.type };
    const { writer } = begun;
    for (const part of snapshotParts(state)) {
      const written = await writer.write(part);
      if (written.type === "written") continue;
      await writer.abort();
      return { type: "refused", detail: written.type };
    }
    const { position, hash } = this.partition.applied;
    const committed = await writer.commit({ endPosition: position, chainHash: hash });
    if (committed.type !== "committed") return { type: "refused", detail: committed.type };
    await this.trimBehind(committed.snapshot);
    return { type: "written", snapshot: committed.snapshot };
  }

  /**
   * Samples before the older of the two snapshots kept are not needed any more, provided that the newer one reads
   * back undamaged and all effects up to its end have been projected.
   */
  private async trimBehind(snapshot: SnapshotInfo): Promise<void> {
    const before = this.newest;
    this.newest = snapshot;
    if (before === null || this.projectedTo() < snapshot.endPosition) return;
    const verified = await this.store.verify(snapshot.name);
    if (verified.type === "sound" && before.startPosition > 0) await this.log.trim(before.startPosition);
  }
}
