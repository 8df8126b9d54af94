/**
 * What the fold remembers of requests so that a repeat has the effect of one: the newest sequence of each producer,
 * and the answer given under each idempotency key. It lives in the state, so it survives a restart and a takeover.
 */
import type { Entry } from "../event/batch.ts";
import type { ActResult, EntryResult } from "../fold/effects.ts";

/** Producers remembered; the one that was silent longest is forgotten first. */
export const PRODUCERS_MAX = 100_000;
/** Idempotency keys remembered, and for how long. */
export const KEYS_MAX = 1_000_000;
export const KEY_RETENTION_MS = 86_400_000;

interface Remembered {
  readonly requestHash: string;
  readonly answer: string;
  readonly acts: readonly ActResult[];
  readonly loggedAt: number;
}

export class Memory {
  private readonly sequences = new Map<string, number>();
  private readonly keys = new Map<string, Remembered>();

  /**
   * What a repeat gets, or null when the entry is new. Asked before an append to answer without one, and again when
   * the entry is applied, because two repeats may be in flight together.
   */
  recall(entry: Pick<Entry, "producer" | "sequence" | "idempotencyKey" | "requestHash">): EntryResult | null {
    if (entry.idempotencyKey !== "") {
      const first = this.keys.get(entry.idempotencyKey);
      if (first !== undefined) {
        if (first.requestHash !== entry.requestHash) return { type: "key_reused" };
        return { type: "repeated", answer: first.answer, acts: first.acts };
      }
    }
    if (entry.producer === "" || entry.sequence > (this.sequences.get(entry.producer) ?? 0)) return null;
    return { type: "repeated", answer: "", acts: [] };
  }

  remember(entry: Entry, acts: readonly ActResult[], loggedAt: number): void {
    if (entry.producer !== "") {
      // Deleting first moves the producer to the young end of the map's order.
      this.sequences.delete(entry.producer);
      this.sequences.set(entry.producer, entry.sequence);
      dropOldest(this.sequences, PRODUCERS_MAX);
    }
    if (entry.idempotencyKey === "") return;
    const { requestHash, answer } = entry;
    this.keys.set(entry.idempotencyKey, { requestHash, answer, acts, loggedAt });
    dropOldest(this.keys, KEYS_MAX);
    for (const [key, old] of this.keys) {
      if (loggedAt - old.loggedAt < KEY_RETENTION_MS) break;
      this.keys.delete(key);
    }
  }

  /** All of it as plain data, in order of age. */
  dump(): MemoryDump {
    return { sequences: [...this.sequences], keys: [...this.keys] };
  }

  restore(dump: MemoryDump): void {
    for (const [producer, sequence] of dump.sequences) this.sequences.set(producer, sequence);
    for (const [key, remembered] of dump.keys) this.keys.set(key, remembered);
  }
}

export interface MemoryDump {
  readonly sequences: readonly (readonly [string, number])[];
  readonly keys: readonly (readonly [string, Remembered])[];
}

function dropOldest(map: Map<string, unknown>, limit: number): void {
  while (map.size > limit) map.delete(map.keys().next().value!);
}
