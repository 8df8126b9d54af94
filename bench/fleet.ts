/** A fleet of subjects for benchmarks, and batches of samples about them, made before the clock starts. */
import {
  apply,
  BATCH_EVENTS_MAX,
  createState,
  EMPTY_ENTRY,
  METRICS,
  STORAGE_PROVIDER,
  type Entry,
  type SampleColumns,
  type State,
} from "@staunch/engine";

export const BATCH_SIZE = BATCH_EVENTS_MAX;
const TWO_32 = 0x1_0000_0000;
/** 2^32 divided by the golden ratio spreads neighbours over the whole range. */
const GOLDEN_BITS = 0x9e3779b9;
export const START_MS = Date.UTC(2026, 0, 1);

/** Numbers that look random and are the same each time (xorshift32). */
export function randomBits(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

export function makeFleet(subjects: number, aggregates: boolean): State {
  const state = createState({ seed: 1, policies: { provider: STORAGE_PROVIDER }, aggregates });
  for (let first = 0; first < subjects; first += BATCH_SIZE) {
    const count = Math.min(BATCH_SIZE, subjects - first);
    const registrations = Array.from({ length: count }, (_, index) => ({
      number: first + index,
      kind: "provider",
      id: subjectId(first + index),
    }));
    apply(state, {
      position: state.position + 1,
      loggedAt: START_MS,
      entries: [entryOf(null, registrations)],
    });
  }
  return state;
}

export function entryOf(samples: SampleColumns | null, registrations: Entry["registrations"] = []): Entry {
  return { ...EMPTY_ENTRY, registrations, samples };
}

export function subjectId(number: number): string {
  return `provider-${String(number).padStart(8, "0")}`;
}

/**
 * Columns of samples: each a random subject with its eight metrics in a row, as a probe of a subject sends them.
 *
 * @param atMs time of the batch; samples lie in the minute before
 */
export function makeSamples(
  subjects: number,
  count: number,
  atMs: number,
  random: () => number,
): SampleColumns {
  const at = new Float64Array(count);
  const value = new Float64Array(count);
  const subject = new Uint32Array(count);
  const kind = new Uint8Array(count);
  for (let index = 0; index < count; index++) {
    const metric = index % METRICS.length;
    subject[index] = metric === 0 ? random() % subjects : subject[index - 1]!;
    kind[index] = metric;
    at[index] = atMs - (random() % 60_000);
    const { shape } = METRICS[metric]!;
    const unit = random() / TWO_32;
    // Subjects differ: each has its own speed, so that scores spread as they do in a real fleet.
    const speed = (Math.imul(subject[index]!, GOLDEN_BITS) >>> 0) / TWO_32;
    if (shape === "bounded") value[index] = 1 - unit * 0.001;
    else value[index] = shape === "time" ? 420 - 400 * speed + 50 * unit : 2e6 + 4e7 * speed + 1e6 * unit;
  }
  return { count, at, value, subject, kind, weight: null, monitor: null, context: null };
}
