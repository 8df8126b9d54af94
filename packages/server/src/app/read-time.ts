/** The instant that reads are answered for. */
import type { Kind } from "@staunch/engine";
import type { Partition } from "./partition/partition.ts";

/**
 * A whole number of update intervals of the kind's policy, or the newest batch when that is later. So an answer
 * depends on the log position and on this instant alone and can be named by an entity tag; between batches time
 * moves it at most once per interval, which is how old an indexed score may be as well.
 */
export function readTime(partition: Partition, kind: Kind): number {
  const { updateIntervalMs } = kind.compiled.policy;
  const now = partition.now();
  return Math.max(partition.state.now, now - (now % updateIntervalMs));
}
