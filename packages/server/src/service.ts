/**
 * The composition root of a running service: opens the data directory, restores what it knows, wires the use cases and
 * listens. Everything that can go wrong on the way is told as a {@link StorageError}.
 */
import { createHash } from "node:crypto";
import { BATCH_EVENTS_MAX, subjectCount, type State } from "@staunch/engine";
import type { Logger } from "pino";
import { nodeSecrets } from "./adapters/node-secrets/node-secrets.ts";
import type { App } from "./app/app.ts";
import { History } from "./app/history/history.ts";
import { importSource, type ImportProgress } from "./app/import/import.ts";
import { Ingest } from "./app/ingest/ingest.ts";
import { Keys } from "./app/keys/keys.ts";
import { LiveHub } from "./app/live/hub.ts";
import { MonitorGuard } from "./app/guards/monitor-guard.ts";
import { SuspensionGuard } from "./app/guards/suspension-guard.ts";
import { Partition } from "./app/partition/partition.ts";
import type { Restored } from "./app/partition/restore.ts";
import { settledSnapshots } from "./app/partition/settled-snapshots.ts";
import { Snapshotter } from "./app/partition/snapshotter.ts";
import { Followed } from "./app/projector/followed.ts";
import { Projector } from "./app/projector/projector.ts";
import { Selections } from "./app/selections/selections.ts";
import { useCasesOf } from "./app/use-cases.ts";
import { Facts } from "./app/facts/facts.ts";
import type { Config } from "./config/schema.ts";
import { configurePolicies } from "./configured-policies.ts";
import { finishImport, firstImport, type FirstImport } from "./first-import.ts";
import { createHttpServer } from "./http/server.ts";
import { guardDisk } from "./ops/disk-guard.ts";
import { measuredLog } from "./ops/measured-log.ts";
import { Metrics } from "./ops/metrics.ts";
import { logClock, systemClock, type Clock } from "./ports/clock.ts";
import { LogDamagedError } from "./ports/log.ts";
import type { SnapshotInfo } from "./ports/snapshots.ts";
import type { Store } from "./ports/store.ts";
import {
  claimLog,
  damaged,
  openStorage,
  openStore,
  restoreStorage,
  StorageError,
  writeRefused,
  type Storage,
} from "./storage.ts";
import { VERSION } from "./version.ts";

const TICK_INTERVAL_MS = 250;
/** Requests that are being answered get this long at a stop. */
const DRAIN_MAX_MS = 10_000;

export interface ServiceOptions {
  readonly logger: Logger;
  /** `log`: time stands where the log does, so that records of the past keep their age. */
  readonly clock: "system" | "log";
  /** Ends an import that is under way; the next start goes on with it. */
  readonly signal?: AbortSignal;
  readonly onImport?: (title: string, progress: ImportProgress) => void;
}

export interface Service {
  /** For example `http://127.0.0.1:8080`. */
  readonly address: string;
  /** The key of the first administrator, on the first start only: it is not known afterwards. */
  readonly adminKey: string | null;
  readonly restored: RestoreReport;
  readonly imported: ImportReport | null;
  /** Refuses new work, finishes what is under way, writes a snapshot and lets go of the directory. */
  close(): Promise<void>;
}

interface RestoreReport {
  /** Name of the snapshot; null when the log was replayed from its beginning. */
  readonly snapshot: string | null;
  readonly records: number;
  readonly events: number;
  readonly subjects: number;
  readonly position: number;
  readonly elapsedMs: number;
  /** Snapshots that were not used, and why. */
  readonly passedOver: readonly string[];
}

interface ImportReport {
  readonly title: string;
  readonly subjects: number;
  readonly events: number;
  /** Events among them that an interrupted start had brought in before. */
  readonly known: number;
  readonly elapsedMs: number;
}

/** @throws StorageError when the data directory cannot be used */
export async function startService(config: Config, options: ServiceOptions): Promise<Service> {
  const storage = await openStorage(config.storage.directory);
  const undo: (() => Promise<unknown>)[] = [() => storage.log.close()];
  try {
    return await startOn(storage, config, options, undo);
  } catch (error) {
    for (const step of undo.toReversed()) await step();
    throw error instanceof LogDamagedError ? damaged(storage.directory, error.message) : error;
  }
}

async function startOn(
  storage: Storage,
  config: Config,
  options: ServiceOptions,
  undo: (() => Promise<unknown>)[],
): Promise<Service> {
  const store = await openStore(storage.directory);
  undo.push(() => store.close());
  const clock = new SwitchedClock(options.clock === "log" ? logClock : systemClock);
  // The hours of an import of old records are judged by today: what is past the retention is never written.
  const projectorClock = options.clock === "log" ? clock : systemClock;
  const projector = await Projector.open({ store: store.history, clock: projectorClock, after });
  const followed = new Followed(projector);
  const { state, report } = await restore(storage, followed);
  const pending = config.example.load
    ? await firstImport(storage, options.clock === "log" ? null : clock.now())
    : null;
  if (pending !== null) clock.holdAt(pending.source.firstAt + pending.shiftMs);
  const metrics = new Metrics();
  const partition = await openPartition(storage, config, { clock, state, metrics });
  const hub = new LiveHub(state, config.live);
  partition.follow(followed);
  partition.follow({ applied: (_, effects) => hub.applied(effects) });
  const running = new Running({ storage, store, config, options, partition, followed, hub, state });
  undo.push(() => partition.close());
  await configurePolicies(storage, config.policies, partition);
  const imported = pending === null ? null : await running.fill(pending);
  clock.release();
  const keys = await Keys.open({ store: store.keys, secrets: nodeSecrets, clock: systemClock });
  const first = await keys.createFirst();
  const address = await running.listen(keys, metrics);
  const adminKey = first?.type === "created" ? first.secret : null;
  return { address, adminKey, restored: report, imported, close: () => running.close() };
}

async function restore(
  storage: Storage,
  followed: Followed,
): Promise<{ state: State; report: RestoreReport }> {
  const startMs = performance.now();
  const restored = await restoreStorage(storage, followed);
  return { state: restored.state, report: reportOf(restored, performance.now() - startMs) };
}

function reportOf(restored: Restored, elapsedMs: number): RestoreReport {
  const { state, snapshot, replayedRecords, replayedEvents } = restored;
  return {
    snapshot: snapshot?.name ?? null,
    records: replayedRecords,
    events: replayedEvents,
    subjects: subjectCount(state),
    position: state.position,
    elapsedMs,
    passedOver: restored.passedOver.map(({ name, detail }) => `${name}: ${detail}`),
  };
}

async function openPartition(
  storage: Storage,
  config: Config,
  parts: { readonly clock: Clock; readonly state: State; readonly metrics: Metrics },
): Promise<Partition> {
  const { clock, state, metrics } = parts;
  const tail = await claimLog(storage, clock.now());
  const { diskFreeMinBytes, commitEventsMax } = config.storage;
  const log = measuredLog(guardDisk(storage.log, storage.directory, diskFreeMinBytes), metrics);
  return new Partition({
    log,
    clock,
    state,
    tail,
    commitEventsMax: Math.min(commitEventsMax, BATCH_EVENTS_MAX),
    gate: new MonitorGuard(),
  });
}

/** The clock of the service, which an import holds where its own records are. */
class SwitchedClock implements Clock {
  private readonly clock: Clock;
  private heldMs: number | null = null;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  now(): number {
    return this.heldMs ?? this.clock.now();
  }

  holdAt(ms: number): void {
    this.heldMs = ms;
  }

  release(): void {
    this.heldMs = null;
  }
}

function after(delayMs: number, run: () => void): void {
  setTimeout(run, delayMs).unref();
}

function every(intervalMs: number, run: () => void): () => void {
  const timer = setInterval(run, intervalMs);
  return () => clearInterval(timer);
}

interface RunningParts {
  readonly storage: Storage;
  readonly store: Store;
  readonly config: Config;
  readonly options: ServiceOptions;
  readonly partition: Partition;
  readonly followed: Followed;
  readonly hub: LiveHub;
  readonly state: State;
}

/** What goes on by itself while the service runs, and how it ends. */
class Running {
  private readonly parts: RunningParts;
  private readonly facts: Facts;
  private readonly suspensions: SuspensionGuard;
  private readonly snapshotter: Snapshotter;
  private newestSnapshot: SnapshotInfo | null = null;
  private ready = false;
  private stops: (() => void)[] = [];
  private ticking: Promise<void> | null = null;
  private server: ReturnType<typeof createHttpServer> | null = null;
  private keys: Keys | null = null;
  private closing: Promise<void> | null = null;

  constructor(parts: RunningParts) {
    const { partition, storage, followed, config } = parts;
    this.parts = parts;
    this.facts = new Facts(partition);
    this.suspensions = new SuspensionGuard(partition);
    const snapshots = settledSnapshots(storage.snapshots, () => followed.settle());
    this.snapshotter = new Snapshotter(partition, {
      store: snapshots,
      log: storage.log,
      projectedTo: () => followed.settledTo(),
      sampleRetentionMs: config.storage.sampleRetentionMs,
    });
  }

  /** Brings the example in, then keeps it in a snapshot so that the next start need not replay it. */
  async fill({ title, source, shiftMs }: FirstImport): Promise<ImportReport> {
    const { partition, followed, storage, config, options } = this.parts;
    const startMs = performance.now();
    const stop = (): void => void partition.close();
    options.signal?.addEventListener("abort", stop, { once: true });
    const result = await importSource(partition, this.facts, source, {
      shiftMs,
      policyOf: (kind) => source.policies?.[kind] ?? config.policies.provider,
      onProgress: (progress) => options.onImport?.(title, progress),
      settle: () => followed.projector.ready(),
      endsLog: options.clock === "log",
    });
    options.signal?.removeEventListener("abort", stop);
    if (result.type === "refused") throw writeRefused(storage.directory, result.refusal);
    const elapsedMs = performance.now() - startMs;
    await this.snapshot();
    await finishImport(storage);
    return { title, subjects: result.subjects, events: result.events, known: result.known, elapsedMs };
  }

  /** Opens the interface and starts the timers; answers the address. */
  async listen(keys: Keys, metrics: Metrics): Promise<string> {
    const { config, options, hub } = this.parts;
    this.keys = keys;
    const ops = { logger: options.logger, metrics, now: () => systemClock.now() };
    this.server = createHttpServer(this.app(keys), config, ops);
    const { host, port } = config.server;
    const address = await this.server.listen({ host, port }).catch((error: unknown) => {
      throw listenError(error, host, port);
    });
    hub.start(every);
    this.stops = [
      every(TICK_INTERVAL_MS, () => {
        this.ticking ??= this.tick()
          .catch((error: unknown) => options.logger.error({ err: error }, "tick failed"))
          .finally(() => {
            this.ticking = null;
          });
      }),
      every(config.storage.snapshotIntervalMs, () => void this.snapshot()),
    ];
    this.ready = true;
    return address;
  }

  /** A second call waits for the first. */
  close(): Promise<void> {
    this.closing ??= this.stop();
    return this.closing;
  }

  private async stop(): Promise<void> {
    const { partition, followed, hub, store, storage } = this.parts;
    this.ready = false;
    for (const stop of this.stops) stop();
    hub.close();
    if (this.server !== null) await atMost(DRAIN_MAX_MS, this.server.close());
    await this.ticking;
    await partition.close();
    await this.snapshot();
    await followed.projector.close();
    await this.keys?.close();
    await store.close();
    await storage.log.close();
  }

  private app(keys: Keys): App {
    const { partition, followed, store, state, hub, storage } = this.parts;
    const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
    const history = new History(store.history, followed.projector, state);
    return {
      ...useCasesOf(partition),
      partition,
      selections: new Selections(partition, history, nodeSecrets),
      ingest: new Ingest(partition, { hash: sha256 }),
      history,
      live: hub,
      keys,
      service: {
        version: VERSION,
        startedAt: systemClock.now(),
        storage: storage.log.capabilities,
        snapshot: () => this.newestSnapshot,
        ready: () => this.ready,
      },
    };
  }

  private async tick(): Promise<void> {
    await this.parts.partition.tick();
    await this.facts.update();
    await this.suspensions.update();
  }

  /** A snapshot that fails is told and costs nothing but a longer restart, so it ends neither a run nor a stop. */
  private async snapshot(): Promise<void> {
    const { logger } = this.parts.options;
    try {
      await this.writeSnapshot(logger);
    } catch (error) {
      logger.error({ err: error }, "snapshot failed");
    }
  }

  private async writeSnapshot(logger: Logger): Promise<void> {
    const result = await this.snapshotter.write();
    if (result.type === "refused") logger.warn({ detail: result.detail }, "snapshot not written");
    if (result.type !== "written") return;
    this.newestSnapshot = result.snapshot;
    logger.debug({ name: result.snapshot.name, bytes: result.snapshot.bytes }, "snapshot written");
  }
}

function listenError(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code === "EADDRINUSE") {
    const text = `Port ${port} of ${host} is in use by another program. Name another with --port, or 0 for a free one.`;
    return new StorageError("address", text);
  }
  if (code === "EACCES" || code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return new StorageError(
      "address",
      `The service cannot listen on ${host}, port ${port} (${code}). Name another with --host and --port.`,
    );
  }
  return error;
}

/** Waits for the work, but no longer than the time given. */
async function atMost(limitMs: number, work: PromiseLike<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, limitMs);
  await Promise.race([work, promise]);
  clearTimeout(timer);
}
