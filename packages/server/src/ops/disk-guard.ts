/** A log that refuses to append while the disk has less room than the operator wants to keep free. */
import { statfs } from "node:fs/promises";
import { withAppend, type Log } from "../ports/log.ts";

/** The disk is asked at most this often; in between it cannot lose much of what is kept free. */
const ASK_EVERY_MS = 1000;

export function guardDisk(log: Log, directory: string, freeMinBytes: number): Log {
  let askedMs = -Infinity;
  let isShort = false;
  const hasRoom = async (): Promise<boolean> => {
    const nowMs = performance.now();
    if (nowMs - askedMs < ASK_EVERY_MS) return !isShort;
    askedMs = nowMs;
    const { bavail, bsize } = await statfs(directory);
    isShort = bavail * bsize < freeMinBytes;
    return !isShort;
  };
  return withAppend(log, async (request) => ((await hasRoom()) ? log.append(request) : { type: "full" }));
}
