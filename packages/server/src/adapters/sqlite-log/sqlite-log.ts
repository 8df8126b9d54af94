/**
 * The log of a single machine: a SQLite file in the data directory, written by one worker thread so that no
 * fsync ever holds up the engine.
 */
import { Worker } from "node:worker_threads";
import type {
  AppendRequest,
  AppendResult,
  ClaimRequest,
  ClaimResult,
  Log,
  LogRecord,
  OpenLogResult,
  Tail,
  TrimResult,
  VerifyResult,
} from "../../ports/log.ts";
import { LogDamagedError } from "../../ports/log.ts";
import type { ChainLink } from "../../ports/log-record.ts";
import { assertWithinLimits, EMPTY_TAIL } from "../../ports/log-record.ts";
import type { Exchanges, OpenReply, ReplyMessage, Verb, WriterOptions } from "./protocol.ts";
import type { Chunk } from "./record-store.ts";

export interface SqliteLogOptions {
  /** Data directory; created when missing. */
  readonly directory: string;
  /**
   * Position up to which the log is known to be good, for example a snapshot's: the records behind it are
   * verified before the log opens. Default: only the last record is.
   */
  readonly verifyAfter?: number;
  /** Opens a damaged log too, so that it can be looked at. Whoever inspects must not write. */
  readonly inspect?: boolean;
}

/** Requests that may wait for the writer at once: one write, a trim and some readers. */
const PENDING_MAX = 64;

/** Opens the log of a data directory; no other process can until it is closed or this process ends. */
export function openSqliteLog(options: SqliteLogOptions): Promise<OpenLogResult> {
  const { directory, verifyAfter = Infinity, inspect = false } = options;
  const workerData: WriterOptions = { directory, verifyAfter: inspect ? null : verifyAfter };
  const worker = new Worker(new URL("./writer.ts", import.meta.url), { workerData, name: "log writer" });
  return new Promise((resolve) => {
    const fail = (detail: string): void => resolve({ type: "failed", detail });
    worker.once("error", (error) => fail(String(error)));
    worker.once("exit", (code) => fail(`the log writer ended with code ${code}`));
    worker.once("message", (reply: OpenReply) => {
      if (reply.type !== "opened") resolve(reply);
      else resolve({ type: "opened", log: new SqliteLog(worker, inspect), tail: reply.tail });
    });
  });
}

interface Pending {
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: Error) => void;
}

class SqliteLog implements Log {
  readonly capabilities = { driver: "sqlite", durability: "strict", shared: false } as const;
  private readonly worker: Worker;
  private readonly inspect: boolean;
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;
  private writing = false;
  private closing: Promise<void> | null = null;
  private stopped: string | null = null;

  constructor(worker: Worker, inspect: boolean) {
    this.worker = worker;
    this.inspect = inspect;
    worker.on("message", (message: ReplyMessage) => this.settle(message));
    worker.on("error", (error) => this.stop(String(error)));
    worker.on("exit", (code) => this.stop(`the log writer ended with code ${code}`));
  }

  tail(): Promise<Tail> {
    return this.ask("tail", null);
  }

  claim(request: ClaimRequest): Promise<ClaimResult> {
    return this.write("claim", request, []);
  }

  async append(request: AppendRequest): Promise<AppendResult> {
    assertWithinLimits(request);
    const acts = wholeBuffer(request.body.acts);
    const samples = wholeBuffer(request.body.samples);
    return this.write("append", { ...request, body: { acts, samples } }, [acts.buffer, samples.buffer]);
  }

  async *read(fromPosition: number, toPosition = Infinity): AsyncGenerator<LogRecord> {
    for await (const chunk of this.chunks(fromPosition, toPosition, true)) {
      yield* chunk.records;
      if (chunk.damage !== null) throw new LogDamagedError(chunk.damage);
    }
  }

  positionBefore(loggedAtMs: number): Promise<number> {
    return this.ask("positionBefore", loggedAtMs);
  }

  async trim(upToPosition: number): Promise<TrimResult> {
    let records = 0;
    let bytes = 0;
    let next: number | null = 0;
    while (next !== null) {
      const chunk: Exchanges["trim"]["reply"] = await this.ask("trim", { from: next, upTo: upToPosition });
      if (chunk.type !== "trimmed") return chunk;
      records += chunk.records;
      bytes += chunk.bytes;
      next = chunk.next;
    }
    return { type: "trimmed", records, bytes };
  }

  async verify(): Promise<VerifyResult> {
    let records = 0;
    let events = 0;
    let trimmed = 0;
    let tail: Tail = EMPTY_TAIL;
    for await (const chunk of this.chunks(1, Infinity, false)) {
      if (chunk.damage !== null) return { type: "damaged", damage: chunk.damage };
      for (const record of chunk.records) {
        records += 1;
        events += record.eventCount;
        if (record.body.samples === null) trimmed += 1;
      }
      tail = chunk.link ?? tail;
    }
    return { type: "sound", records, events, trimmed, tail };
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    if (this.stopped !== null) return;
    const ended = new Promise((resolve) => this.worker.once("exit", resolve));
    await this.send("close", null, []);
    await ended;
  }

  /** Chunks from the writer, the next one asked for while the caller works on this one. */
  private async *chunks(from: number, to: number, bodies: boolean): AsyncGenerator<Chunk> {
    const askFor = (position: number, previous: ChainLink | null): Promise<Chunk> => {
      const chunk = this.ask("read", { from: position, to, previous, bodies });
      // A caller that stops early leaves it unawaited; should it fail, nobody is there to be told.
      chunk.catch(() => undefined);
      return chunk;
    };
    let ahead: Promise<Chunk> | null = askFor(from, null);
    while (ahead !== null) {
      const chunk: Chunk = await ahead;
      ahead = chunk.next === null ? null : askFor(chunk.next, chunk.link);
      yield chunk;
    }
  }

  private async write<V extends "append" | "claim">(
    verb: V,
    request: Exchanges[V]["request"],
    transfer: ArrayBuffer[],
  ): Promise<Exchanges[V]["reply"] | { type: "unknown" } | { type: "failed"; detail: string }> {
    if (this.inspect) throw new Error("the log is open for inspection only");
    if (this.writing) throw new Error("a write is in flight already");
    if (this.stopped !== null && this.closing === null) return { type: "failed", detail: this.stopped };
    this.writing = true;
    try {
      return await this.ask(verb, request, transfer);
    } catch (error) {
      // The writer died with the request in its hands.
      if (error instanceof WriterStoppedError) return { type: "unknown" };
      throw error;
    } finally {
      this.writing = false;
    }
  }

  private async ask<V extends Verb>(
    verb: V,
    request: Exchanges[V]["request"],
    transfer: ArrayBuffer[] = [],
  ): Promise<Exchanges[V]["reply"]> {
    if (this.closing !== null) throw new Error("the log is closed");
    return this.send(verb, request, transfer);
  }

  private send<V extends Verb>(
    verb: V,
    request: Exchanges[V]["request"],
    transfer: ArrayBuffer[],
  ): Promise<Exchanges[V]["reply"]> {
    if (this.stopped !== null) throw new WriterStoppedError(this.stopped);
    if (this.pending.size >= PENDING_MAX)
      throw new Error(`more than ${PENDING_MAX} requests wait for the log writer`);
    const id = this.nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Exchanges[V]["reply"]>();
    this.pending.set(id, { resolve: resolve as (reply: unknown) => void, reject });
    this.worker.postMessage({ id, verb, request }, transfer);
    return promise;
  }

  private settle(message: ReplyMessage): void {
    const pending = this.pending.get(message.id);
    if (pending === undefined) throw new Error(`the log writer answers ${message.id}, which nobody asked`);
    this.pending.delete(message.id);
    if (message.type === "reply") pending.resolve(message.reply);
    else pending.reject(new Error(message.message));
  }

  private stop(detail: string): void {
    this.stopped ??= detail;
    for (const { reject } of this.pending.values()) reject(new WriterStoppedError(this.stopped));
    this.pending.clear();
  }
}

class WriterStoppedError extends Error {}

/** The bytes with a buffer of their own, so that transferring it takes nothing else along. */
function wholeBuffer(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const owned = bytes.byteLength > 0 && bytes.byteLength === bytes.buffer.byteLength;
  return owned ? bytes : bytes.slice();
}
