/** How fast the durable log writes, and how fast it is read back into batches. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SampleColumns } from "@staunch/engine";
import { decodeBatch, EMPTY_ENTRY, encodeBatch } from "@staunch/engine";
import { openSqliteLog } from "../packages/server/src/adapters/sqlite-log/sqlite-log.ts";
import type { Log } from "../packages/server/src/ports/log.ts";
import { quantile, type Result, secondsSince } from "./result.ts";

/** Samples that make a record of about 64 KiB. */
const SAMPLES_PER_RECORD = 3120;
const RECORDS = 3000;

/** Appends one after the other, each waiting for its answer, then replays what was written. */
export async function* benchLog(): AsyncIterable<Result> {
  const directory = await mkdtemp(join(tmpdir(), "staunch-bench-log-"));
  try {
    const opened = await openSqliteLog({ directory });
    if (opened.type !== "opened") throw new Error(`the log does not open: ${opened.type}`);
    const { log } = opened;
    yield* measureAppends(log);
    yield* measureReplay(log);
    await log.close();
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function* measureAppends(log: Log): AsyncIterable<Result> {
  const claimed = await log.claim({ owner: "bench", loggedAt: 1 });
  if (claimed.type !== "claimed") throw new Error(`claim: ${claimed.type}`);
  const { epoch } = claimed.tail;
  let { position, hash } = claimed.tail;
  const samples = sampleColumns();
  const latenciesMs: number[] = [];
  let bytes = 0;
  const startedMs = performance.now();
  for (let record = 0; record < RECORDS; record++) {
    const entry = { ...EMPTY_ENTRY, producer: "bench", sequence: record, samples };
    const appendedMs = performance.now();
    const body = encodeBatch({ loggedAt: 1, entries: [entry] });
    bytes += body.acts.length + body.samples.length;
    const prev = { prevPosition: position, prevHash: hash, epoch };
    const result = await log.append({ ...prev, loggedAt: 1, eventCount: SAMPLES_PER_RECORD, body });
    if (result.type !== "appended") throw new Error(`append: ${result.type}`);
    ({ position, hash } = result);
    latenciesMs.push(performance.now() - appendedMs);
  }
  const seconds = secondsSince(startedMs);
  latenciesMs.sort((a, b) => a - b);
  const recordBytes = Math.round(bytes / RECORDS);
  const conditions = { records: RECORDS, recordBytes, inFlight: 1, journal: "wal", synchronous: "full" };
  yield { name: "log appends", unit: "1/s", value: Math.round(RECORDS / seconds), conditions };
  yield {
    name: "log append events",
    unit: "1/s",
    value: Math.round((RECORDS * SAMPLES_PER_RECORD) / seconds),
    conditions,
  };
  for (const share of [0.5, 0.99, 1]) {
    const value = quantile(latenciesMs, share);
    yield { name: `log append p${share * 100}`, unit: "ms", value: Number(value.toFixed(2)), conditions };
  }
}

async function* measureReplay(log: Log): AsyncIterable<Result> {
  let events = 0;
  let sum = 0;
  const startedMs = performance.now();
  for await (const record of log.read(2)) {
    const decoded = decodeBatch(record.position, record.body);
    if (decoded.type === "corrupt") throw new Error(decoded.detail);
    for (const { samples } of decoded.batch.entries) {
      for (let row = 0; row < samples!.count; row++) sum += samples!.value[row]!;
      events += samples!.count;
    }
  }
  const seconds = secondsSince(startedMs);
  if (sum === 0) throw new Error("the values were not read");
  const conditions = { events, verified: "CRC-32 and SHA-256 chain", valuesTouched: "once" };
  yield { name: "log replay decode", unit: "events/s", value: Math.round(events / seconds), conditions };
}

function sampleColumns(): SampleColumns {
  const count = SAMPLES_PER_RECORD;
  return {
    count,
    at: Float64Array.from({ length: count }, (_, row) => 1_700_000_000_000 + row),
    value: Float64Array.from({ length: count }, (_, row) => row % 100),
    subject: Uint32Array.from({ length: count }, (_, row) => (row * 7919) % 1_000_000),
    kind: Uint8Array.from({ length: count }, (_, row) => row % 8),
    weight: null,
    monitor: null,
    context: null,
  };
}
