/**
 * The longest pause of the engine's thread under batches of events: alone, and while snapshots are written and
 * clients read. At most 50 ms, better 20 ms. What the thread waits for the cores, which the client shares, is in
 * `pause` and not in `pause-cpu`: where both differ much, the machine was busy.
 */
import { EVENTS_PER_BODY, makeBodies, registeringBodies } from "./bodies.ts";
import { subjectId } from "./fleet.ts";
import { Connection, eventsRequest, getRequest } from "./http-client.ts";
import { pacedRequests } from "./pace.ts";
import { secondsSince, type Result } from "./result.ts";
import { startServiceProcess, type ServiceProcess } from "./service-process.ts";

const SUBJECTS = 100_000;
const EVENTS_PER_SECOND = 300_000;
const SECONDS = 20;
const BATCH_CONNECTIONS = 16;
const BODIES = 200;
const SNAPSHOT_INTERVAL = "5s";
/** Subjects whose history is read in turn: a prime, so that the loops do not run in step. */
const HISTORIES = 997;
/** The longest page that the interface gives. */
const PAGE_ROWS = 500;

export async function* benchPause(): AsyncGenerator<Result> {
  yield* measure({ snapshotInterval: "24h", reads: false });
  yield* measure({ snapshotInterval: SNAPSHOT_INTERVAL, reads: true });
}

interface Phase {
  readonly snapshotInterval: string;
  readonly reads: boolean;
}

async function* measure({ snapshotInterval, reads }: Phase): AsyncGenerator<Result> {
  const service = await startServiceProcess({ "storage-snapshot-interval": snapshotInterval });
  const { port, key } = service;
  const connections = Array.from({ length: BATCH_CONNECTIONS }, () => new Connection(port));
  for (const body of registeringBodies(SUBJECTS)) await connections[0]!.send(eventsRequest(key, body));
  const batches = makeBodies(SUBJECTS, BODIES, 5).map((body) => eventsRequest(key, body));
  await service.longestTurnMs();
  await service.longestPauseMs();
  const [sent, readsPerSecond] = await Promise.all([
    pacedRequests(connections, batches, EVENTS_PER_SECOND / EVENTS_PER_BODY, SECONDS),
    reads ? readAll(service) : 0,
  ]);
  const pauseMs = await service.longestPauseMs();
  const turnMs = await service.longestTurnMs();
  for (const connection of connections) connection.close();
  await service.stop();
  const eventsPerSecond = Math.round((sent * EVENTS_PER_BODY) / SECONDS);
  const conditions = { subjects: SUBJECTS, eventsPerSecond, snapshotInterval, readsPerSecond };
  yield { name: "pause", unit: "ms", value: pauseMs, conditions };
  yield { name: "pause-cpu", unit: "ms", value: turnMs, conditions };
}

/** One loop for each kind of read, the next request as soon as the one before was answered; resolves with the rate. */
async function readAll({ port, key }: ServiceProcess): Promise<number> {
  const loops = [
    Array.from({ length: HISTORIES }, (_, index) => `/api/subjects/${subjectId(index)}/history`),
    [`/api/rankings/provider?limit=${PAGE_ROWS}`, `/api/rankings/provider?order=worst&limit=${PAGE_ROWS}`],
    [`/api/subjects?limit=${PAGE_ROWS}`, `/api/subjects?score_min=50&limit=${PAGE_ROWS}&count=exact`],
  ];
  const counts = await Promise.all(loops.map((paths) => readInTurn(port, key, paths)));
  return Math.round(counts.reduce((sum, count) => sum + count, 0) / SECONDS);
}

async function readInTurn(port: number, key: string, paths: readonly string[]): Promise<number> {
  const connection = new Connection(port);
  const began = performance.now();
  let answered = 0;
  while (secondsSince(began) < SECONDS) {
    const path = paths[answered % paths.length]!;
    const status = await connection.send(getRequest(key, path));
    if (status !== 200) throw new Error(`${path} answered ${status}`);
    answered++;
  }
  connection.close();
  return answered;
}
