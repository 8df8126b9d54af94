/**
 * Snapshots that count only when the history holds everything that is in them: a restore from one does not replay what
 * came before it, so nobody would tell the projector again.
 */
import type { SnapshotStore, SnapshotWriter } from "../../ports/snapshots.ts";

/** @param settle stores what waits for the history; false when it could not */
export function settledSnapshots(store: SnapshotStore, settle: () => Promise<boolean>): SnapshotStore {
  return {
    begin: async (header) => {
      const begun = await store.begin(header);
      return begun.type === "begun" ? { type: "begun", writer: settledWriter(begun.writer, settle) } : begun;
    },
    latest: () => store.latest(),
    list: () => store.list(),
    verify: (name) => store.verify(name),
  };
}

function settledWriter(writer: SnapshotWriter, settle: () => Promise<boolean>): SnapshotWriter {
  return {
    write: (part) => writer.write(part),
    commit: async (end) => {
      if (await settle()) return writer.commit(end);
      await writer.abort();
      return { type: "failed", detail: "the history could not be stored" };
    },
    abort: () => writer.abort(),
  };
}
