/** Kysely's SQLite dialect with the database in a worker thread: no statement runs on the engine thread. */
import { Worker } from "node:worker_threads";
import type { SQLInputValue } from "node:sqlite";
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
} from "kysely";
import type { OpenReply, QueryMessage, QueryReply } from "./protocol.ts";

/** Statements that may wait for the thread; Kysely's single connection keeps it at one. */
const PENDING_MAX = 64;
/** Among others: there is no transaction. */
const SQLITE_ERROR = 1;

export class SqliteError extends Error {
  /** SQLite's primary result code; null when the thread is gone. */
  readonly code: number | null;

  constructor(message: string, code: number | null) {
    super(message);
    this.name = "SqliteError";
    this.code = code;
  }
}

export function workerDialect(connection: WorkerConnection): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => driverOf(connection),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

export type OpenConnectionResult =
  | { readonly type: "opened"; readonly connection: WorkerConnection }
  | Exclude<OpenReply, { type: "opened" }>;

/** Starts the thread that owns the database at `path`. */
export function openConnection(path: string): Promise<OpenConnectionResult> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: path, name: "store" });
  return new Promise((resolve) => {
    worker.once("error", (error) => resolve({ type: "failed", detail: String(error) }));
    worker.once("message", (reply: OpenReply) => {
      resolve(reply.type === "opened" ? { type: "opened", connection: new WorkerConnection(worker) } : reply);
    });
  });
}

interface Pending {
  readonly resolve: (reply: Extract<QueryReply, { type: "rows" }>) => void;
  readonly reject: (error: SqliteError) => void;
}

export class WorkerConnection implements DatabaseConnection {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;
  private stopped: string | null = null;

  constructor(worker: Worker) {
    this.worker = worker;
    worker.on("message", (reply: QueryReply) => this.settle(reply));
    worker.on("error", (error) => this.stop(String(error)));
    worker.on("exit", (code) => this.stop(`the store's thread ended with code ${code}`));
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    // Values come from our own row types, which hold what SQLite can bind.
    const parameters = query.parameters as readonly SQLInputValue[];
    const { rows, changes } = await this.ask({ sql: query.sql, parameters });
    const result = { rows: rows as unknown as Row[] };
    return changes === null ? result : { ...result, numAffectedRows: BigInt(changes) };
  }

  // oxlint-disable-next-line require-yield -- the interface asks for a generator; nothing here streams.
  async *streamQuery(): AsyncGenerator<never> {
    throw new Error("the store does not stream");
  }

  async close(): Promise<void> {
    if (this.stopped !== null) return;
    const ended = new Promise((resolve) => this.worker.once("exit", resolve));
    await this.ask(null);
    await ended;
  }

  private ask(query: QueryMessage["query"]): Promise<Extract<QueryReply, { type: "rows" }>> {
    if (this.stopped !== null) return Promise.reject(new SqliteError(this.stopped, null));
    if (this.pending.size >= PENDING_MAX)
      throw new Error(`more than ${PENDING_MAX} statements wait for the store`);
    const id = this.nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Extract<QueryReply, { type: "rows" }>>();
    this.pending.set(id, { resolve, reject });
    const message: QueryMessage = { id, query };
    this.worker.postMessage(message, []);
    return promise;
  }

  private settle(reply: QueryReply): void {
    const pending = this.pending.get(reply.id);
    if (pending === undefined) throw new Error(`the store answers ${reply.id}, which nobody asked`);
    this.pending.delete(reply.id);
    if (reply.type === "rows") pending.resolve(reply);
    else pending.reject(new SqliteError(reply.message, reply.code));
  }

  private stop(detail: string): void {
    this.stopped ??= detail;
    for (const { reject } of this.pending.values()) reject(new SqliteError(this.stopped, null));
    this.pending.clear();
  }
}

/** SQLite's adapter says that there is one connection, so Kysely itself lets one caller after the other have it. */
function driverOf(connection: WorkerConnection): Driver {
  const execute = async (sql: string): Promise<void> => {
    await connection.executeQuery(CompiledQuery.raw(sql));
  };
  return {
    init: async () => undefined,
    acquireConnection: async () => connection,
    beginTransaction: () => execute("begin immediate"),
    commitTransaction: () => execute("commit"),
    rollbackTransaction: () => execute("rollback").catch(ignoreRolledBack),
    releaseConnection: async () => undefined,
    destroy: () => connection.close(),
  };
}

/** On a full disk SQLite has rolled back by itself and says so; the error that led here is the one to tell. */
function ignoreRolledBack(error: unknown): void {
  if (!(error instanceof SqliteError) || error.code !== SQLITE_ERROR) throw error;
}
