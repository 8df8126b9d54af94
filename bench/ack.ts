/** Time from a single event's due moment to its durable answer, at 1,000 a second, alone and beside batches. */
import { EVENTS_PER_BODY, makeBodies, registeringBodies } from "./bodies.ts";
import { subjectId } from "./fleet.ts";
import { Connection, eventsRequest } from "./http-client.ts";
import { paced, pacedRequests } from "./pace.ts";
import { quantile, type Result } from "./result.ts";
import { startServiceProcess } from "./service-process.ts";

const SUBJECTS = 100_000;
const SINGLES_PER_SECOND = 1_000;
const BATCH_EVENTS_PER_SECOND = 300_000;
const SECONDS = 15;
const CONNECTIONS = 64;
const BATCH_CONNECTIONS = 16;

export async function* benchAck(): AsyncGenerator<Result> {
  const service = await startServiceProcess();
  const { port, key } = service;
  const loader = new Connection(port);
  for (const body of registeringBodies(SUBJECTS)) await loader.send(eventsRequest(key, body));
  const batches = makeBodies(SUBJECTS, 200, 5).map((body) => eventsRequest(key, body));
  for (const batchesPerSecond of [0, BATCH_EVENTS_PER_SECOND / EVENTS_PER_BODY]) {
    await service.longestPauseMs();
    const [spentMs, sent] = await Promise.all([singles(port, key), load(port, batches, batchesPerSecond)]);
    spentMs.sort((a, b) => a - b);
    const conditions = {
      singlesPerSecond: SINGLES_PER_SECOND,
      batchEventsPerSecond: Math.round((sent * EVENTS_PER_BODY) / SECONDS),
      subjects: SUBJECTS,
    };
    for (const share of [0.5, 0.99]) {
      const value = quantile(spentMs, share);
      yield { name: "ack", unit: "ms", value, conditions: { ...conditions, quantile: share } };
    }
    yield { name: "pause-ack", unit: "ms", value: await service.longestPauseMs(), conditions };
  }
  loader.close();
  await service.stop();
}

/** Open loop: an event is due each millisecond whether or not the one before has been answered. */
async function singles(port: number, key: string): Promise<number[]> {
  const idle = Array.from({ length: CONNECTIONS }, () => new Connection(port));
  const waiting: (() => void)[] = [];
  const spentMs: number[] = [];
  const pending: Promise<void>[] = [];
  const one = async (dueAt: number, request: Uint8Array): Promise<void> => {
    while (idle.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    const connection = idle.pop()!;
    const status = await connection.send(request);
    if (status !== 200) throw new Error(`answered ${status}`);
    spentMs.push(performance.now() - dueAt);
    idle.push(connection);
    waiting.shift()?.();
  };
  await paced(SINGLES_PER_SECOND, SECONDS, (dueAt, index) => {
    const event = `{"type":"metric","subject":"${subjectId(index % SUBJECTS)}","metric":"uptime","value":0.9991}`;
    pending.push(one(dueAt, eventsRequest(key, event)));
  });
  await Promise.all(pending);
  for (const connection of idle) connection.close();
  return spentMs;
}

async function load(port: number, batches: readonly Uint8Array[], perSecond: number): Promise<number> {
  const connections = Array.from({ length: BATCH_CONNECTIONS }, () => new Connection(port));
  const sent = await pacedRequests(connections, batches, perSecond, SECONDS);
  for (const connection of connections) connection.close();
  return sent;
}
