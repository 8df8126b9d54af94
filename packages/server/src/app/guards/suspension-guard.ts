/**
 * Suspends who is surely bad. How many may be suspended at once depends on the pool, so the fold cannot know: the
 * decision is taken here and enters the log as an act. Nothing waits for it, so it is not a gate.
 */
import {
  dueSuspensions,
  EMPTY_ENTRY,
  suspensionCandidates,
  type Kind,
  type SuspensionStarted,
} from "@staunch/engine";
import type { Partition } from "../partition/partition.ts";

/** When a kind was last looked at, and who could have been suspended then. */
interface Look {
  readonly at: number;
  readonly candidates: ReadonlySet<number>;
}

export class SuspensionGuard {
  private readonly partition: Partition;
  /** By the kind's index. */
  private readonly looks: Look[] = [];

  constructor(partition: Partition) {
    this.partition = partition;
  }

  /** Logs suspensions that are due; each kind is looked at once in its update interval at most. */
  async update(): Promise<void> {
    const acts = this.partition.state.kinds.flatMap((kind) => this.look(kind));
    if (acts.length === 0) return;
    // A refusal needs no answer: the next look finds the same subjects due.
    await this.partition.submit({ ...EMPTY_ENTRY, acts });
  }

  /** Who is due was so one look before as well: by then the low score had been announced. */
  private look(kind: Kind): readonly SuspensionStarted[] {
    const { state } = this.partition;
    const before = this.looks[kind.index];
    if (before !== undefined && state.now - before.at < kind.compiled.policy.updateIntervalMs) return [];
    const found = suspensionCandidates(state, kind);
    this.looks[kind.index] = { at: state.now, candidates: new Set(found.map(({ subject }) => subject)) };
    return dueSuspensions(
      state,
      kind,
      found.filter(({ subject }) => before?.candidates.has(subject) === true),
    );
  }
}
