/** The writer thread: all SQLite calls of the log happen here, one after the other. */
import type { MessagePort, Transferable } from "node:worker_threads";
import { parentPort, workerData } from "node:worker_threads";
import type { LogRecord } from "../../ports/log.ts";
import type { LockResult } from "./directory-lock.ts";
import { lockDirectory } from "./directory-lock.ts";
import type { OpenReply, ReplyMessage, RequestMessage, WriterOptions } from "./protocol.ts";
import type { RecordStore } from "./record-store.ts";
import { openRecordStore } from "./record-store.ts";

if (parentPort === null) throw new Error("the writer runs as a worker thread");
start(parentPort, workerData as WriterOptions);

function start(port: MessagePort, options: WriterOptions): void {
  const lock = takeLock(options.directory);
  if (lock.type !== "held") {
    answerOpen(port, lock);
    return;
  }
  const opened = openRecordStore(options.directory, options.verifyAfter);
  if (opened.type !== "opened") {
    lock.release();
    answerOpen(port, opened);
    return;
  }
  port.on("message", (message: RequestMessage) => {
    serve(port, opened.store, message);
    if (message.verb !== "close") return;
    lock.release();
    port.close();
  });
  answerOpen(port, { type: "opened", tail: opened.tail });
}

function takeLock(directory: string): LockResult | { type: "failed"; detail: string } {
  try {
    return lockDirectory(directory);
  } catch (error) {
    return { type: "failed", detail: `cannot lock ${directory}: ${String(error)}` };
  }
}

function answerOpen(port: MessagePort, reply: OpenReply): void {
  port.postMessage(reply);
}

function serve(port: MessagePort, store: RecordStore, message: RequestMessage): void {
  const { id } = message;
  try {
    const { reply, transfer } = perform(store, message);
    port.postMessage({ id, type: "reply", reply } satisfies ReplyMessage, transfer);
  } catch (error) {
    port.postMessage({ id, type: "error", message: String(error) } satisfies ReplyMessage);
    return;
  }
  // The answer is under way; only the next request waits for this.
  if (message.verb !== "close") store.checkpointIfDue();
}

function perform(store: RecordStore, message: RequestMessage): { reply: unknown; transfer: Transferable[] } {
  switch (message.verb) {
    case "append":
      return { reply: store.append(message.request), transfer: [] };
    case "claim":
      return { reply: store.claim(message.request), transfer: [] };
    case "tail":
      return { reply: store.tail, transfer: [] };
    case "read":
      return read(store, message.request);
    case "positionBefore":
      return { reply: store.positionBefore(message.request), transfer: [] };
    case "trim":
      return { reply: store.trimChunk(message.request.from, message.request.upTo), transfer: [] };
    case "close":
      store.close();
      return { reply: null, transfer: [] };
  }
}

function read(
  store: RecordStore,
  { from, to, previous, bodies }: Extract<RequestMessage, { verb: "read" }>["request"],
): { reply: unknown; transfer: Transferable[] } {
  const chunk = store.readChunk(from, to, previous);
  if (!bodies) return { reply: { ...chunk, records: chunk.records.map(withoutBody) }, transfer: [] };
  const transfer: Transferable[] = [];
  for (const { body } of chunk.records) {
    transfer.push(body.acts.buffer);
    if (body.samples !== null) transfer.push(body.samples.buffer);
  }
  return { reply: chunk, transfer };
}

/** What a verification counts: trimmed or not still shows. */
function withoutBody(record: LogRecord): LogRecord {
  const nothing = new Uint8Array(0);
  return { ...record, body: { acts: nothing, samples: record.body.samples === null ? null : nothing } };
}
