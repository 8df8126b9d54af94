import { logContract } from "../../ports/log.contract.ts";
import { MemoryLog, MemoryLogStore } from "./memory-log.ts";

logContract("memory", async () => {
  const store = new MemoryLogStore();
  return {
    open: async () => new MemoryLog(store),
    loseNextAnswer: (fate) => store.loseNextAnswer(fate),
    replace: async (record) => {
      store.records[record.position - 1] = record;
    },
    remove: async (position) => {
      store.records.splice(position - 1, 1);
    },
    destroy: async () => undefined,
  };
});
