/**
 * Durable events a second over HTTP, answered after apply, with the floor in turns: JSON.parse of the same bodies and
 * one synchronous SQLite insert for each, under the same pragmas, and nothing else.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { EVENTS_PER_BODY, makeBodies, registeringBodies } from "./bodies.ts";
import { Connection, eventsRequest } from "./http-client.ts";
import { quantile, secondsSince, type Result } from "./result.ts";
import { startServiceProcess } from "./service-process.ts";

const CONNECTIONS = 16;
const ROUNDS = 5;
const SECONDS = 4;
const BODIES = 400;

export async function* benchIngest(): AsyncGenerator<Result> {
  for (const subjects of [100_000, 1_000_000].slice(0, Number(process.env["BENCH_CASES"] ?? 2)))
    yield* measure(subjects);
}

async function* measure(subjects: number): AsyncGenerator<Result> {
  const service = await startServiceProcess();
  const connections = Array.from({ length: CONNECTIONS }, () => new Connection(service.port));
  const registering = registeringBodies(subjects).map((body) => eventsRequest(service.key, body));
  await sendAll(connections, registering, () => registering.length);
  const bodies = makeBodies(subjects, BODIES, 21);
  const requests = bodies.map((body) => eventsRequest(service.key, body));
  const ingest: number[] = [];
  const floor: number[] = [];
  await rate(connections, requests, SECONDS);
  await service.longestPauseMs();
  for (let round = 0; round < ROUNDS; round++) {
    ingest.push(await rate(connections, requests, SECONDS));
    floor.push(floorRate(bodies, SECONDS));
  }
  const pause = await service.longestPauseMs();
  const gigabytes = (await service.residentBytes()) / 1e9;
  for (const connection of connections) connection.close();
  await service.stop();
  yield* report(subjects, ingest, floor, pause, gigabytes);
}

function* report(
  subjects: number,
  ingest: number[],
  floor: number[],
  pause: number,
  gigabytes: number,
): Generator<Result> {
  const conditions = {
    subjects,
    connections: CONNECTIONS,
    body: EVENTS_PER_BODY,
    rounds: ROUNDS,
    aggregates: true,
  };
  const value = median(ingest);
  yield {
    name: "ingest",
    unit: "events/s",
    value,
    conditions: { ...conditions, residentGB: Number(gigabytes.toFixed(2)) },
  };
  yield { name: "floor", unit: "events/s", value: median(floor), conditions };
  yield { name: "ingest-share", unit: "% of floor", value: (100 * value) / median(floor), conditions };
  yield { name: "pause-ingest", unit: "ms", value: pause, conditions };
}

async function rate(
  connections: readonly Connection[],
  requests: readonly Uint8Array[],
  seconds: number,
): Promise<number> {
  const began = performance.now();
  const sent = await sendAll(connections, requests, () => (secondsSince(began) < seconds ? Infinity : 0));
  return (sent * EVENTS_PER_BODY) / secondsSince(began);
}

/** Sends requests in turn on all connections until `limit()` of them have been started. */
async function sendAll(
  connections: readonly Connection[],
  requests: readonly Uint8Array[],
  limit: () => number,
): Promise<number> {
  let started = 0;
  const drive = async (connection: Connection): Promise<void> => {
    while (started < limit()) {
      const status = await connection.send(requests[started++ % requests.length]!);
      if (status !== 200) throw new Error(`answered ${status}`);
    }
  };
  await Promise.all(connections.map(drive));
  return started;
}

function floorRate(bodies: readonly string[], seconds: number): number {
  const directory = mkdtempSync(join(tmpdir(), "staunch-floor-"));
  const database = new DatabaseSync(join(directory, "floor.db"));
  database.exec(
    "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA locking_mode=EXCLUSIVE",
  );
  database.exec("CREATE TABLE log (position INTEGER PRIMARY KEY, body BLOB)");
  const insert = database.prepare("INSERT INTO log (body) VALUES (?)");
  const buffers = bodies.map((body) => Buffer.from(body));
  const began = performance.now();
  let events = 0;
  for (let index = 0; secondsSince(began) < seconds; index++) {
    const bytes = buffers[index % buffers.length]!;
    events += (JSON.parse(bytes.toString()) as unknown[]).length;
    insert.run(bytes);
    if (index % 40 === 39) database.exec("PRAGMA wal_checkpoint(PASSIVE)");
  }
  const perSecond = events / secondsSince(began);
  database.close();
  rmSync(directory, { recursive: true });
  return perSecond;
}

function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}
