/**
 * Snapshots: what the engine knew, so that a start need not replay the whole log.
 *
 * A snapshot is written part by part between batches, each part with the log position up to which it is true, so
 * a restore replays for each part only what came after. It counts only when complete and verified, and only for
 * the log whose hash at `endPosition` is `chainHash`: that last check is the reader's.
 */

/** Most bytes of one part. The engine aims at 1 MiB so that no step of writing is long, and cuts at 32 MiB. */
export const SNAPSHOT_PART_BYTES_MAX = 64 * 1024 * 1024;
/** Complete snapshots that are kept: the newest, and the one before should the newest turn out damaged. */
export const SNAPSHOTS_KEPT = 2;

/** What is known when writing begins. */
export interface SnapshotHeader {
  readonly engineVersion: string;
  /** Digest of the policies in force; a snapshot made under others is of no use. */
  readonly policyHash: string;
  /** Log position before the first part was written; nothing in the snapshot is older. */
  readonly startPosition: number;
}

/** What is known when the last part is written. */
export interface SnapshotEnd {
  /** The highest position of any part. */
  readonly endPosition: number;
  /** The log's hash at `endPosition`, 64 hex digits. */
  readonly chainHash: string;
}

export interface SnapshotInfo extends SnapshotHeader, SnapshotEnd {
  readonly name: string;
  readonly parts: number;
  readonly bytes: number;
  /** SHA-256 of the content, 64 hex digits. */
  readonly contentHash: string;
}

export interface SnapshotPart {
  /** What the part holds, 0..65535; the engine's own numbers. */
  readonly type: number;
  /** Log position up to which the part is true. */
  readonly position: number;
  readonly bytes: Uint8Array;
}

export type SnapshotRefusal =
  | { readonly type: "full" }
  | { readonly type: "failed"; readonly detail: string };

export interface SnapshotWriter {
  /** The bytes must not change until this resolves. After a refusal only `abort` is left. */
  write(part: SnapshotPart): Promise<{ readonly type: "written" } | SnapshotRefusal>;
  /** Makes the snapshot durable and visible, then removes those that are no longer kept. */
  commit(
    end: SnapshotEnd,
  ): Promise<{ readonly type: "committed"; readonly snapshot: SnapshotInfo } | SnapshotRefusal>;
  /** Forgets what was written, unless it was committed; without it no other snapshot can begin. */
  abort(): Promise<void>;
}

/** A snapshot that must not be used, and why. */
export interface SnapshotDamage {
  readonly name: string;
  readonly detail: string;
}

export type LatestSnapshot =
  | {
      readonly type: "found";
      readonly snapshot: SnapshotInfo;
      /** The parts in the order of writing, one in memory at a time, each checked again as it is read. */
      readonly parts: () => AsyncIterable<SnapshotPart>;
      /** Newer ones that were passed over. */
      readonly damaged: readonly SnapshotDamage[];
    }
  | { readonly type: "none"; readonly damaged: readonly SnapshotDamage[] };

export type VerifySnapshotResult =
  | { readonly type: "sound"; readonly snapshot: SnapshotInfo }
  | { readonly type: "damaged"; readonly damage: SnapshotDamage };

/** Thrown while reading parts when a file that was verified has changed since. */
export class SnapshotDamagedError extends Error {
  readonly type = "damaged";
  readonly damage: SnapshotDamage;

  constructor(damage: SnapshotDamage) {
    super(`snapshot ${damage.name} is damaged: ${damage.detail}`);
    this.name = "SnapshotDamagedError";
    this.damage = damage;
  }
}

export interface SnapshotStore {
  /** Starts a snapshot; throws while another is being written. */
  begin(
    header: SnapshotHeader,
  ): Promise<{ readonly type: "begun"; readonly writer: SnapshotWriter } | SnapshotRefusal>;
  /** The newest one that is complete and undamaged, read through to make sure. */
  latest(): Promise<LatestSnapshot>;
  /** Names, oldest first. */
  list(): Promise<readonly string[]>;
  /** Reads one through. Until that has succeeded nothing that it covers may be trimmed from the log. */
  verify(name: string): Promise<VerifySnapshotResult>;
}
