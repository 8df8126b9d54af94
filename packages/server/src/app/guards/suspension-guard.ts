/**
 * Suspends who is surely bad. How many may be suspended at once depends on the pool, so the fold cannot know: the
 * decision is taken here and enters the log as an act. Nothing waits for it, so it is not a gate.
 */
import {
  dueSuspensions,
  EMPTY_ENTRY,
  searchSuspensions,
  suspensionsOf,
  type Kind,
  type SearchCursor,
  type SuspensionStarted,
} from "@staunch/engine";
import type { Partition } from "../partition/partition.ts";

/** Subjects that are kept from one look to the next, the worst; the others are found again. */
const FOUND_MAX = 1_000;

/** When a kind was last looked at, who could have been suspended then, and where the search for more goes on. */
interface Look {
  readonly at: number;
  readonly found: ReadonlySet<number>;
  readonly next: SearchCursor | null;
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
    const foundBefore = before?.found ?? new Set<number>();
    const { subjects, next } = searchSuspensions(state, kind, before?.next ?? null);
    const suspensions = suspensionsOf(state, kind, foundBefore.union(new Set(subjects))).slice(0, FOUND_MAX);
    const found = new Set(suspensions.map(({ subject }) => subject));
    this.looks[kind.index] = { at: state.now, found, next };
    return dueSuspensions(
      state,
      kind,
      suspensions.filter(({ subject }) => foundBefore.has(subject)),
    );
  }
}
