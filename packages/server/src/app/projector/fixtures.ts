/** A small fleet for tests: batches with their effects, without a log. */
import {
  apply,
  createState,
  EMPTY_ENTRY,
  metricCode,
  STORAGE_PROVIDER,
  type Act,
  type Batch,
  type Effects,
  type SampleColumns,
  type State,
} from "@staunch/engine";
import type { Projector } from "./projector.ts";

/** A whole hour. */
export const START_MS = 1_799_996_400_000;

export function newState(): State {
  return createState({ seed: 7, policies: { provider: STORAGE_PROVIDER }, aggregates: false });
}

/** Registers `node-<first>` to `node-<first + count - 1>`. */
export function registration(position: number, loggedAt: number, first: number, count: number): Batch {
  const registrations = Array.from({ length: count }, (_, index) => {
    return { number: first + index, kind: "provider", id: `node-${first + index}` };
  });
  return batchOf(position, loggedAt, { registrations });
}

/** One uptime sample for each subject. */
export function uptime(
  position: number,
  loggedAt: number,
  subjects: readonly number[],
  value: number,
): Batch {
  const samples: SampleColumns = {
    count: subjects.length,
    at: new Float64Array(subjects.length).fill(loggedAt),
    value: new Float64Array(subjects.length).fill(value),
    subject: Uint32Array.from(subjects),
    kind: new Uint8Array(subjects.length).fill(metricCode("uptime")),
    weight: null,
    monitor: null,
    context: null,
  };
  return batchOf(position, loggedAt, { samples });
}

export function act(position: number, loggedAt: number, ...acts: readonly Act[]): Batch {
  return batchOf(position, loggedAt, { acts });
}

export function penalty(subject: number, at: number, expiresAt: number | null = null): Act {
  return {
    type: "penalty.applied",
    subject,
    issuer: "key:test0000",
    reason: "lost data",
    penalty: "data_loss",
    severity: "major",
    points: 10,
    fraction: null,
    at,
    expiresAt,
    fade: "none",
    evidence: [],
    context: {},
  };
}

/** Applies a batch as the partition does. */
export function run(state: State, projector: Projector, batch: Batch): Effects {
  projector.before(state, batch);
  const effects = apply(state, batch);
  projector.applied(state, effects);
  return effects;
}

function batchOf(position: number, loggedAt: number, parts: Partial<Batch["entries"][number]>): Batch {
  return { position, loggedAt, entries: [{ ...EMPTY_ENTRY, ...parts }] };
}
