/** The thread that owns the relational database: statements come in, rows go out, one after the other. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { MessagePort } from "node:worker_threads";
import { parentPort, workerData } from "node:worker_threads";
import { openDatabase, primaryCode, SQLITE_FULL } from "./database.ts";
import type { OpenReply, QueryMessage, QueryReply } from "./protocol.ts";

/** Prepared statements kept; the one that was idle longest goes first. */
const STATEMENTS_MAX = 64;

if (parentPort === null) throw new Error("the database runs in a worker thread");
start(parentPort, workerData as string);

function start(port: MessagePort, path: string): void {
  let database: DatabaseSync;
  try {
    database = openDatabase(path);
  } catch (error) {
    const refusal: OpenReply =
      primaryCode(error) === SQLITE_FULL
        ? { type: "full" }
        : { type: "failed", detail: `${path}: ${String(error)}` };
    port.postMessage(refusal);
    return;
  }
  const statements = new Map<string, StatementSync>();
  port.on("message", ({ id, query }: QueryMessage) => {
    port.postMessage(query === null ? closed(database, id) : run(database, statements, id, query));
    if (query === null) port.close();
  });
  port.postMessage({ type: "opened" } satisfies OpenReply);
}

function run(
  database: DatabaseSync,
  statements: Map<string, StatementSync>,
  id: number,
  query: NonNullable<QueryMessage["query"]>,
): QueryReply {
  try {
    const statement = prepared(database, statements, query.sql);
    if (statement.columns().length > 0) {
      return { id, type: "rows", rows: statement.all(...query.parameters), changes: null };
    }
    return { id, type: "rows", rows: [], changes: Number(statement.run(...query.parameters).changes) };
  } catch (error) {
    return { id, type: "error", code: primaryCode(error), message: String(error) };
  }
}

function closed(database: DatabaseSync, id: number): QueryReply {
  database.close();
  return { id, type: "rows", rows: [], changes: null };
}

function prepared(
  database: DatabaseSync,
  statements: Map<string, StatementSync>,
  sql: string,
): StatementSync {
  const known = statements.get(sql);
  const statement = known ?? database.prepare(sql);
  // Put back at the young end of the map's order.
  statements.delete(sql);
  statements.set(sql, statement);
  if (statements.size > STATEMENTS_MAX) statements.delete(statements.keys().next().value!);
  return statement;
}
