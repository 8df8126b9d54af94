/**
 * Facts of a whole network: what depends on more than one subject cannot be known by the fold of one, so it is looked at
 * here and enters the log as an act.
 */
import { EMPTY_ENTRY, type Act, type Kind } from "@staunch/engine";
import type { Partition } from "../partition/partition.ts";
import { movedMedians } from "./job-classes.ts";
import { movedCuts } from "./tier-cuts.ts";

/** Each tells what has changed since it was logged last, or null. */
const LOOKS: readonly ((kind: Kind) => Act | null)[] = [movedCuts, movedMedians];

export class Facts {
  private readonly partition: Partition;
  /** Log time at which each kind was last looked at, by the kind's index. */
  private readonly lookedAt: number[] = [];

  constructor(partition: Partition) {
    this.partition = partition;
  }

  /** Logs what has changed; each kind is looked at once in its update interval at most. */
  async update(): Promise<void> {
    const { state } = this.partition;
    const acts = state.kinds.flatMap((kind) => {
      const before = this.lookedAt[kind.index] ?? -Infinity;
      if (state.now - before < kind.compiled.policy.updateIntervalMs) return [];
      this.lookedAt[kind.index] = state.now;
      return LOOKS.map((look) => look(kind)).filter((act) => act !== null);
    });
    if (acts.length === 0) return;
    // A refusal needs no answer: the next look finds the change still.
    await this.partition.submit({ ...EMPTY_ENTRY, acts }, state.now);
  }
}
