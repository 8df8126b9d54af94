import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { MemoryLog, MemoryLogStore } from "../adapters/memory-log/memory-log.ts";
import type { AppendResult } from "../ports/log.ts";
import { guardDisk } from "./disk-guard.ts";

test("nothing is appended while the disk has less room than shall stay free, and reads go on", async () => {
  const { result, records } = await appendWith(Number.MAX_SAFE_INTEGER);
  expect(result).toEqual({ type: "full" });
  expect(records).toBe(1);
});

test("with room enough the log is as it is", async () => {
  const { result, records } = await appendWith(0);
  expect(result).toMatchObject({ type: "appended", position: 2 });
  expect(records).toBe(2);
});

async function appendWith(freeMinBytes: number): Promise<{ result: AppendResult; records: number }> {
  const log = guardDisk(new MemoryLog(new MemoryLogStore()), tmpdir(), freeMinBytes);
  const claimed = await log.claim({ owner: "test", loggedAt: 1 });
  if (claimed.type !== "claimed") throw new Error(claimed.type);
  const { position, hash, epoch } = claimed.tail;
  const body = { acts: new Uint8Array(1), samples: new Uint8Array(1) };
  const result = await log.append({
    prevPosition: position,
    prevHash: hash,
    epoch,
    loggedAt: 1,
    eventCount: 1,
    body,
  });
  const verified = await log.verify();
  return { result, records: verified.type === "sound" ? verified.records : -1 };
}
