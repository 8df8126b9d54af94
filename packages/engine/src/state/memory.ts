/**
 * What the fold remembers of requests so that a repeat has the effect of one: the newest sequence of each producer,
 * and the answer given under each idempotency key. It lives in the state, so it survives a restart and a takeover.
 */
import type { Entry } from "../event/batch.ts";
import type { Decided, EntryResult } from "../fold/effects.ts";

/** Producers remembered; the one that was silent longest is forgotten first. */
export const PRODUCERS_MAX = 100_000;
/** Idempotency keys remembered, and for how long. */
export const KEYS_MAX = 1_000_000;
export const KEY_RETENTION_MS = 86_400_000;
/**
 * What keys and answers may take together: about as much as a million of one event each, so that only answers with
 * many rejections or acts run into it.
 */
export const KEYS_BYTES_MAX = 512 * 1024 * 1024;
/** Of a remembered key beside its texts, and of one result beside its id: measured 221 and 72, rounded up. */
const KEY_BYTES = 240;
const ACT_BYTES = 80;
/** UTF-16, the most that a text takes; one without letters beyond Latin-1 takes half. */
const CHARACTER_BYTES = 2;

interface Remembered extends Decided {
  readonly requestHash: string;
  readonly answer: string;
  readonly loggedAt: number;
}

const NOTHING: Decided = { acts: [], refusedJobs: [], selections: [] };

export class Memory {
  private readonly sequences = new Map<string, number>();
  private readonly keys = new Map<string, Remembered>();
  private readonly oldestSequences = new Oldest(this.sequences);
  private readonly oldestKeys = new Oldest(this.keys);
  private keysBytes = 0;

  /**
   * What a repeat gets, or null when the entry is new. Asked before an append to answer without one, and again when
   * the entry is applied, because two repeats may be in flight together.
   */
  recall(entry: Pick<Entry, "producer" | "sequence" | "idempotencyKey" | "requestHash">): EntryResult | null {
    if (entry.idempotencyKey !== "") {
      const first = this.keys.get(entry.idempotencyKey);
      if (first !== undefined) {
        if (first.requestHash !== entry.requestHash) return { type: "key_reused" };
        const { answer, acts, refusedJobs, selections } = first;
        return { type: "repeated", answer, acts, refusedJobs, selections };
      }
    }
    if (entry.producer === "" || entry.sequence > (this.sequences.get(entry.producer) ?? 0)) return null;
    return { type: "repeated", answer: "", ...NOTHING };
  }

  remember(entry: Entry, decided: Decided, loggedAt: number): void {
    if (entry.producer !== "") {
      // Deleting first moves the producer to the young end of the map's order.
      this.sequences.delete(entry.producer);
      this.sequences.set(entry.producer, entry.sequence);
      if (this.sequences.size > PRODUCERS_MAX) this.oldestSequences.drop();
    }
    if (entry.idempotencyKey === "") return;
    const { requestHash, answer } = entry;
    this.addKey(entry.idempotencyKey, { requestHash, answer, ...decided, loggedAt });
    while (this.isFull() || loggedAt - this.oldestKeys.peek().loggedAt >= KEY_RETENTION_MS) this.dropKey();
  }

  /** All of it as plain data, in order of age. */
  dump(): MemoryDump {
    return { sequences: [...this.sequences], keys: [...this.keys] };
  }

  restore(dump: MemoryDump): void {
    for (const [producer, sequence] of dump.sequences) this.sequences.set(producer, sequence);
    for (const [key, remembered] of dump.keys) this.addKey(key, remembered);
  }

  private addKey(key: string, remembered: Remembered): void {
    this.keys.set(key, remembered);
    this.keysBytes += bytesOf(key, remembered);
  }

  private dropKey(): void {
    const [key, remembered] = this.oldestKeys.drop();
    this.keysBytes -= bytesOf(key, remembered);
  }

  private isFull(): boolean {
    return this.keys.size > KEYS_MAX || this.keysBytes > KEYS_BYTES_MAX;
  }
}

/** What a key takes in memory, told from its content alone, so that every replay forgets the same keys. */
function bytesOf(key: string, { requestHash, answer, acts, refusedJobs, selections }: Remembered): number {
  let characters = key.length + requestHash.length + answer.length;
  for (const act of acts) if ("id" in act && act.id !== null) characters += act.id.length;
  const results = (acts.length + refusedJobs.length) * ACT_BYTES + selections.length * 8;
  return KEY_BYTES + results + characters * CHARACTER_BYTES;
}

export interface MemoryDump {
  readonly sequences: readonly (readonly [string, number])[];
  readonly keys: readonly (readonly [string, Remembered])[];
}

/**
 * Entries of a map from the oldest on, by one iterator that goes on where it stands: a new one would walk over the
 * places of all that was dropped before, which the map clears away only now and then.
 */
class Oldest<Value> {
  private readonly map: Map<string, Value>;
  private readonly entries: MapIterator<[string, Value]>;
  private first: [string, Value] | null = null;

  constructor(map: Map<string, Value>) {
    this.map = map;
    this.entries = map.entries();
  }

  /** Value of the oldest entry; the map has one, and peeked entries are not set again. */
  peek(): Value {
    this.first ??= this.next();
    return this.first[1];
  }

  drop(): [string, Value] {
    const dropped = this.first ?? this.next();
    this.first = null;
    this.map.delete(dropped[0]);
    return dropped;
  }

  private next(): [string, Value] {
    const { value, done } = this.entries.next();
    if (done === true) throw new RangeError("no entry is left to drop");
    return value;
  }
}
