/** A log whose appends are timed. */
import { performance } from "node:perf_hooks";
import { withAppend, type Log } from "../ports/log.ts";
import type { Metrics } from "./metrics.ts";

/** The same log; every append is counted by its result with the time that it took. */
export function measuredLog(log: Log, metrics: Metrics): Log {
  return withAppend(log, async (request) => {
    const startMs = performance.now();
    const result = await log.append(request);
    metrics.appendSeconds.observe({ result: result.type }, (performance.now() - startMs) / 1000);
    return result;
  });
}
