/** The relational store of a single machine: a SQLite file beside the log, owned by one worker thread. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Kysely } from "kysely";
import { Migrator } from "kysely/migration";
import type { OpenStoreResult } from "../../ports/store.ts";
import { openConnection, workerDialect } from "./dialect.ts";
import { historyTables } from "./history-tables.ts";
import { keyTable } from "./key-table.ts";
import { MIGRATIONS, type Tables } from "./schema.ts";
import { refusalFor } from "./stored.ts";

export const STORE_FILE = "staunch.db";

/** Opens the store of a data directory and brings its tables up to date; the directory is created when missing. */
export async function openSqliteStore(directory: string): Promise<OpenStoreResult> {
  await mkdir(directory, { recursive: true });
  const opened = await openConnection(join(directory, STORE_FILE));
  if (opened.type !== "opened") return opened;
  const db = new Kysely<Tables>({ dialect: workerDialect(opened.connection) });
  const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) {
    await opened.connection.close();
    return refusalFor(error);
  }
  return {
    type: "opened",
    store: { keys: keyTable(db), history: historyTables(db), close: () => db.destroy() },
  };
}
