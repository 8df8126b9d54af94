/** API keys as rows. */
import type { Kysely } from "kysely";
import type { KeyRecord, KeyStore } from "../../ports/store.ts";
import type { Tables } from "./schema.ts";
import { stored } from "./stored.ts";

export function keyTable(db: Kysely<Tables>): KeyStore {
  return {
    list: async () => {
      const rows = await db.selectFrom("api_keys").selectAll().orderBy("created_at").orderBy("id").execute();
      return rows.map(toRecord);
    },
    insert: (record) => stored(() => db.insertInto("api_keys").values(toRow(record)).execute()),
    revoke: (id, atMs) =>
      stored(() =>
        db
          .updateTable("api_keys")
          .set({ revoked_at: atMs })
          .where("id", "=", id)
          .where("revoked_at", "is", null)
          .execute(),
      ),
    touch: (uses) =>
      stored(() =>
        db.transaction().execute(async (tx) => {
          for (const { id, atMs } of uses) {
            await tx.updateTable("api_keys").set({ last_used_at: atMs }).where("id", "=", id).execute();
          }
        }),
      ),
  };
}

function toRow(record: KeyRecord): Tables["api_keys"] {
  const { id, name, role, hash, createdAt, lastUsedAt, revokedAt } = record;
  return { id, name, role, hash, created_at: createdAt, last_used_at: lastUsedAt, revoked_at: revokedAt };
}

function toRecord(row: Tables["api_keys"]): KeyRecord {
  const {
    id,
    name,
    role,
    hash,
    created_at: createdAt,
    last_used_at: lastUsedAt,
    revoked_at: revokedAt,
  } = row;
  return { id, name, role, hash, createdAt, lastUsedAt, revokedAt };
}
