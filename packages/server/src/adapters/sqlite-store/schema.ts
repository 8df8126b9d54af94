/** Tables as the queries see them, and the migrations that make them. Everything here also runs on PostgreSQL. */
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export interface Tables {
  api_keys: {
    id: string;
    name: string;
    role: string;
    hash: Uint8Array;
    created_at: number;
    last_used_at: number | null;
    revoked_at: number | null;
  };
  history_blocks: {
    subject_range: number;
    hour: number;
    /** First and last `at` of the rows inside. */
    first_at: number;
    last_at: number;
    row_count: number;
    block: Uint8Array;
  };
  crossings: {
    position: number;
    place: number;
    subject: number;
    at: number;
    type: string;
    detail: string;
  };
  sanctions: {
    id: string;
    subject: number;
    kind: string;
    status: string;
    applied_at: number;
    ended_at: number | null;
    facts: string;
  };
  selections: {
    number: number;
    made_at: number;
    /** Deflated. */
    record: Uint8Array;
    outcome: string | null;
    closed_at: number | null;
  };
  projector_cursor: {
    name: string;
    position: number;
    memory: Uint8Array;
  };
}

/**
 * In the order of their names, each run once. Numbers of milliseconds and positions are `bigint`, bytes are `bytea`:
 * SQLite takes both words and keeps integers and blobs as they are.
 */
export const MIGRATIONS: Record<string, Migration> = {
  "001_keys_and_history": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable("api_keys")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("name", "text", (column) => column.notNull())
        .addColumn("role", "text", (column) => column.notNull())
        .addColumn("hash", "bytea", (column) => column.notNull())
        .addColumn("created_at", "bigint", (column) => column.notNull())
        .addColumn("last_used_at", "bigint")
        .addColumn("revoked_at", "bigint")
        .execute();
      await createHistoryTables(db);
    },
  },
  "002_selections": {
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable("selections")
        .addColumn("number", "bigint", (column) => column.primaryKey())
        .addColumn("made_at", "bigint", (column) => column.notNull())
        .addColumn("record", "bytea", (column) => column.notNull())
        .addColumn("outcome", "text")
        .addColumn("closed_at", "bigint")
        .execute();
      await db.schema.createIndex("selections_made_at").on("selections").column("made_at").execute();
    },
  },
};

async function createHistoryTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("history_blocks")
    .addColumn("subject_range", "integer", (column) => column.notNull())
    .addColumn("hour", "bigint", (column) => column.notNull())
    .addColumn("first_at", "bigint", (column) => column.notNull())
    .addColumn("last_at", "bigint", (column) => column.notNull())
    .addColumn("row_count", "integer", (column) => column.notNull())
    .addColumn("block", "bytea", (column) => column.notNull())
    .addPrimaryKeyConstraint("history_blocks_key", ["subject_range", "hour"])
    .execute();
  await db.schema.createIndex("history_blocks_hour").on("history_blocks").column("hour").execute();
  await db.schema
    .createTable("crossings")
    .addColumn("position", "bigint", (column) => column.notNull())
    .addColumn("place", "integer", (column) => column.notNull())
    .addColumn("subject", "bigint", (column) => column.notNull())
    .addColumn("at", "bigint", (column) => column.notNull())
    .addColumn("type", "text", (column) => column.notNull())
    .addColumn("detail", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("crossings_key", ["position", "place"])
    .execute();
  await db.schema.createIndex("crossings_subject").on("crossings").columns(["subject", "at"]).execute();
  await db.schema.createIndex("crossings_at").on("crossings").column("at").execute();
  await db.schema
    .createTable("sanctions")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("subject", "bigint", (column) => column.notNull())
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("status", "text", (column) => column.notNull())
    .addColumn("applied_at", "bigint", (column) => column.notNull())
    .addColumn("ended_at", "bigint")
    .addColumn("facts", "text", (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex("sanctions_subject")
    .on("sanctions")
    .columns(["subject", "applied_at"])
    .execute();
  await db.schema.createIndex("sanctions_ended_at").on("sanctions").column("ended_at").execute();
  await db.schema
    .createTable("projector_cursor")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("position", "bigint", (column) => column.notNull())
    .addColumn("memory", "bytea", (column) => column.notNull())
    .execute();
}
