import { logContract } from "../../ports/log.contract.ts";
import type { StoredRecord } from "../../ports/log-record.ts";
import { MemoryLog, MemoryLogStore } from "./memory-log.ts";

logContract("memory", async () => {
  const store = new MemoryLogStore();
  return {
    open: async () => new MemoryLog(store),
    loseNextAnswer: (fate) => store.loseNextAnswer(fate),
    damage: async (position, part) => {
      store.records[position - 1] = damaged(store.records[position - 1]!, part);
    },
    remove: async (position) => {
      store.records.splice(position - 1, 1);
    },
    destroy: async () => undefined,
  };
});

function damaged(record: StoredRecord, part: "acts" | "samples" | "hash"): StoredRecord {
  if (part === "hash") {
    return { ...record, hash: record.hash.replace(/^./u, (digit) => (digit === "0" ? "1" : "0")) };
  }
  const bytes = record.body[part]!.slice();
  bytes[0]! ^= 1;
  return { ...record, body: { ...record.body, [part]: bytes } };
}
