/** A whole service behind its REST interface, in memory and without a network, for the tests of the interface. */
import { createState, STORAGE_PROVIDER, type Json } from "@staunch/engine";
import { createHash } from "node:crypto";
import { MemoryLog, MemoryLogStore } from "../src/adapters/memory-log/memory-log.ts";
import { nodeSecrets } from "../src/adapters/node-secrets/node-secrets.ts";
import type { App } from "../src/app/app.ts";
import { History } from "../src/app/history/history.ts";
import { Ingest } from "../src/app/ingest/ingest.ts";
import { Keys } from "../src/app/keys/keys.ts";
import { LiveHub } from "../src/app/live/hub.ts";
import { MonitorGuard } from "../src/app/guards/monitor-guard.ts";
import { Partition } from "../src/app/partition/partition.ts";
import { ROLES, type Role } from "../src/app/principal.ts";
import { Projector } from "../src/app/projector/projector.ts";
import { Selections } from "../src/app/selections/selections.ts";
import { useCasesOf } from "../src/app/use-cases.ts";
import { createHttpServer } from "../src/http/server.ts";
import { createLogger } from "../src/ops/log.ts";
import { measuredLog } from "../src/ops/measured-log.ts";
import { Metrics } from "../src/ops/metrics.ts";
import { testClock } from "../src/ports/clock.ts";
import { withAppend, type AppendResult, type Log } from "../src/ports/log.ts";
import type { HistoryStore, KeyRecord, KeyStore, StoreRefusal } from "../src/ports/store.ts";

export const START_MS = Date.UTC(2026, 10, 25, 3, 4, 5, 678);

/** What a test can break. */
export interface Faults {
  append: AppendResult | null;
  /** Appends that wait until the test lets them go. */
  hold: Promise<void> | null;
  keys: StoreRefusal | null;
  history: boolean;
  ready: boolean;
}

export type HttpApp = Awaited<ReturnType<typeof createHttpApp>>;

export interface HttpAppOptions {
  readonly publicRequestsPerSecond?: number;
  /** 0 unless given: who asks for every route shall get an end of each answer. */
  readonly liveConnectionsMax?: number;
  readonly rawSamplesMax?: number;
}

export async function createHttpApp(options: HttpAppOptions = {}) {
  const faults: Faults = { append: null, hold: null, keys: null, history: false, ready: true };
  const lines: string[] = [];
  const clock = testClock(START_MS);
  const metrics = new Metrics();
  const log = measuredLog(breakable(new MemoryLog(new MemoryLogStore()), faults), metrics);
  const claimed = await log.claim({ owner: "test", loggedAt: START_MS });
  if (claimed.type !== "claimed") throw new Error("not claimed");
  const policies = { provider: STORAGE_PROVIDER };
  const { rawSamplesMax } = options;
  const budget = rawSamplesMax === undefined ? {} : { rawSamplesMax };
  const state = createState({ seed: 7, policies, aggregates: true, ...budget });
  const partition = new Partition({
    log,
    clock,
    state,
    tail: claimed.tail,
    commitEventsMax: 16_384,
    gate: new MonitorGuard(),
  });
  // Nothing is ever stored, so all history is told from what waits for the store.
  const projector = await Projector.open({ store: emptyHistory(faults), clock, after: () => undefined });
  partition.follow({ applied: (followed, effects) => projector.applied(followed, effects) });
  const connectionsMax = options.liveConnectionsMax ?? 0;
  const live = new LiveHub(state, { connectionsMax, backlogMaxBytes: 1 << 20, framesPerSecond: 4 });
  partition.follow({ applied: (_, effects) => live.applied(effects) });
  if (connectionsMax > 0) live.start(every);
  const keys = await Keys.open({ store: keyStore(faults), secrets: nodeSecrets, clock });
  const tokens = Object.fromEntries(await Promise.all(ROLES.map((role) => createKey(keys, role)))) as {
    readonly [role in Role]: string;
  };
  const history = new History(emptyHistory(faults), projector, state);
  const app: App = {
    ...useCasesOf(partition),
    partition,
    selections: new Selections(partition, history, nodeSecrets),
    ingest: new Ingest(partition, { hash: sha256 }),
    history,
    keys,
    live,
    service: {
      version: "0.0.0",
      startedAt: START_MS,
      storage: log.capabilities,
      snapshot: () => null,
      ready: () => faults.ready,
    },
  };
  const server = createHttpServer(
    app,
    {
      server: { publicRequestsPerSecond: options.publicRequestsPerSecond ?? 1_000_000 },
      ingest: { bodyMaxBytes: 1 << 20, batchBodyMaxBytes: 4 << 20 },
    },
    {
      logger: createLogger("debug", { write: (line) => void lines.push(line) }),
      metrics,
      now: () => clock.now(),
    },
  );
  await server.ready();
  const close = async (): Promise<void> => {
    await server.close();
    // The process's own measurements never let go of the registry, and it would hold the state.
    metrics.registry.clear();
  };
  return { server, app, projector, clock, faults, tokens, lines, close };
}

/** One request with the key of a role; a body is sent as JSON. */
export async function send(
  { server, tokens }: Pick<HttpApp, "server" | "tokens">,
  role: Role | null,
  method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE",
  url: string,
  more: { readonly body?: Json | undefined; readonly headers?: { readonly [name: string]: string } } = {},
) {
  const headers = role === null ? {} : { authorization: `Bearer ${tokens[role]}` };
  const payload = more.body === undefined ? {} : { payload: JSON.stringify(more.body) };
  const type = more.body === undefined ? {} : { "content-type": "application/json" };
  return server.inject({ method, url, headers: { ...headers, ...type, ...more.headers }, ...payload });
}

/** Subjects `node-0000` and on, each with one uptime sample; every tenth has the same as the one before. */
export async function registerFleet(http: HttpApp, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, index) => ({
    type: "metric",
    subject: subjectName(index),
    metric: "uptime",
    value: ((index - (index % 10 === 9 ? 1 : 0)) % 997) / 997,
    at: START_MS - (index % 500) * 1000,
  }));
  const answer = await send(http, "ingest", "POST", "/api/events", { body: events });
  if (answer.statusCode !== 200) throw new Error(answer.body);
}

export function subjectName(index: number): string {
  return `node-${String(index).padStart(4, "0")}`;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function every(intervalMs: number, run: () => void): () => void {
  const timer = setInterval(run, intervalMs);
  return () => clearInterval(timer);
}

async function createKey(keys: Keys, role: Role): Promise<[Role, string]> {
  const created = await keys.create({ name: `the ${role}`, role });
  if (created.type !== "created") throw new Error(created.type);
  return [role, created.secret];
}

function breakable(log: Log, faults: Faults): Log {
  return withAppend(log, async (request) => {
    await faults.hold;
    return faults.append ?? log.append(request);
  });
}

function emptyHistory(faults: Faults): HistoryStore {
  const nothing = async (): Promise<readonly never[]> => {
    if (faults.history) throw new Error("the disk is gone");
    return [];
  };
  return {
    cursor: async () => null,
    project: async () => ({ type: "failed", detail: "there is no store" }),
    prune: async () => ({ type: "failed", detail: "there is no store" }),
    snapshots: nothing,
    crossings: nothing,
    sanctions: nothing,
    sanctionPage: nothing,
    selection: async () => null,
  };
}

function keyStore(faults: Faults): KeyStore {
  const records = new Map<string, KeyRecord>();
  return {
    list: async () => [...records.values()],
    insert: async (record) => {
      if (faults.keys !== null) return faults.keys;
      records.set(record.id, record);
      return { type: "stored" };
    },
    revoke: async () => faults.keys ?? { type: "stored" },
    touch: async () => faults.keys ?? { type: "stored" },
  };
}
