/** Job outcomes and health reports a second through `apply`, and reading the health of the network they make. */
import {
  apply,
  createState,
  EMPTY_ENTRY,
  FAILURE,
  HEALTH_PARTS,
  networkStanding,
  parsePolicy,
  SUCCESS,
  TIMEOUT,
  type HealthColumns,
  type JobColumns,
  type Policy,
  type State,
} from "@staunch/engine";
import { BATCH_SIZE, randomBits, START_MS, subjectId } from "./fleet.ts";
import { quantile, secondsSince, type Result } from "./result.ts";

const WORKERS = 1_000_000;
const BATCHES = 64;
const SECONDS = 8;
/** A batch each 16 ms is a million events a second. */
const STEP_MS = 16;
const TWO_32 = 0x1_0000_0000;
const READS = 20_000;
/** Every report names as many parts as the document's example. */
const PARTS = HEALTH_PARTS.slice(0, 5);

export function* benchWork(): Generator<Result> {
  const state = makeWorkers(WORKERS);
  for (const events of ["jobs", "health", "both"] as const) {
    const eventsPerSecond = measure(state, events);
    yield {
      name: "work fold",
      unit: "events/s",
      value: Math.round(eventsPerSecond),
      conditions: { workers: WORKERS, events, aggregates: false, batch: BATCH_SIZE },
    };
  }
  const spentUs = Array.from({ length: READS }, () => {
    const before = performance.now();
    if (networkStanding(state.kinds[0]!)!.active === 0) throw new Error("nobody is active");
    return (performance.now() - before) * 1000;
  }).sort((a, b) => a - b);
  for (const share of [0.5, 0.99]) {
    const conditions = { workers: WORKERS, quantile: share };
    yield { name: "network", unit: "us", value: quantile(spentUs, share), conditions };
  }
}

export function makeWorkers(workers: number): State {
  const state = createState({ seed: 1, policies: { worker: workerPolicy() }, aggregates: false });
  for (let first = 0; first < workers; first += BATCH_SIZE) {
    const count = Math.min(BATCH_SIZE, workers - first);
    const registrations = Array.from({ length: count }, (_, index) => ({
      number: first + index,
      kind: "worker",
      id: subjectId(first + index),
    }));
    const entries = [{ ...EMPTY_ENTRY, registrations }];
    apply(state, { position: state.position + 1, loggedAt: START_MS, entries });
  }
  return state;
}

function workerPolicy(): Policy {
  const parsed = parsePolicy({ extends: "compute-worker" });
  if (parsed.type === "invalid") throw new Error("the preset is no policy");
  return parsed.policy;
}

function measure(state: State, events: "jobs" | "health" | "both"): number {
  const random = randomBits(7);
  const share = events === "both" ? BATCH_SIZE / 2 : BATCH_SIZE;
  const batches = Array.from({ length: BATCHES }, () => ({
    jobs: events === "health" ? null : makeJobs(WORKERS, share, state.now, random),
    health: events === "jobs" ? null : makeReports(share, state.now, random),
  }));
  const beganAt = state.now;
  let spentMs = 0;
  let folded = 0;
  let began = performance.now();
  for (let index = 0; index < BATCHES || secondsSince(began) < SECONDS; index++) {
    const { jobs, health } = batches[index % BATCHES]!;
    const now = state.now + STEP_MS;
    for (const columns of [jobs, health])
      moveOn(columns, index < BATCHES ? now - beganAt : BATCHES * STEP_MS);
    const before = performance.now();
    apply(state, {
      position: state.position + 1,
      loggedAt: now,
      entries: [{ ...EMPTY_ENTRY, jobs, health }],
    });
    spentMs += performance.now() - before;
    folded += BATCH_SIZE;
    // The first pass meets every worker for the first time and warms the compiler.
    if (index !== BATCHES - 1) continue;
    spentMs = 0;
    folded = 0;
    began = performance.now();
  }
  return folded / (spentMs / 1000);
}

function moveOn(columns: JobColumns | HealthColumns | null, byMs: number): void {
  for (let row = 0; row < (columns?.count ?? 0); row++) columns!.at[row]! += byMs;
}

/** Of a hundred jobs 97 are good, two fail and one times out; each says everything but a selection. */
export function makeJobs(workers: number, count: number, atMs: number, random: () => number): JobColumns {
  const uniform = (): number => random() / TWO_32;
  const column = (value: () => number): Float64Array => Float64Array.from({ length: count }, value);
  return {
    count,
    at: column(() => atMs - 1000 * uniform()),
    subject: Uint32Array.from({ length: count }, () => random() % workers),
    outcome: Uint8Array.from({ length: count }, () => outcomeOf(uniform())),
    durationMs: column(() => 500 + 1000 * uniform()),
    expectedMs: column(() => 1000),
    usedShare: column(uniform),
    quality: column(() => 0.9 + 0.1 * uniform()),
    earnings: column(() => 10 * uniform()),
    selection: new Float64Array(count),
    jobClass: null,
    jobId: null,
  };
}

function outcomeOf(share: number): number {
  if (share < 0.97) return SUCCESS;
  return share < 0.99 ? FAILURE : TIMEOUT;
}

function makeReports(count: number, atMs: number, random: () => number): HealthColumns {
  const value = (): Float64Array => Float64Array.from({ length: count }, () => (80 * random()) / TWO_32);
  return {
    count,
    at: Float64Array.from({ length: count }, () => atMs - (1000 * random()) / TWO_32),
    subject: Uint32Array.from({ length: count }, () => random() % WORKERS),
    parts: PARTS.map((name) => ({ name, value: value() })),
  };
}
