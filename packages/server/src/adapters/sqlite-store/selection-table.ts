/** Selections as rows; their records are deflated, because the names of a bid's parts repeat with every bid. */
import type { Kysely, Transaction } from "kysely";
import { promisify } from "node:util";
import { constants, deflateRaw, inflateRaw } from "node:zlib";
import type { SelectionClosing, SelectionRow, StoredSelection } from "../../ports/store.ts";
import type { Tables } from "./schema.ts";

/** A record of the most bids there can be is well below this. */
const RECORD_BYTES_MAX = 1 << 26;

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

export async function toSelectionRow(row: SelectionRow): Promise<Tables["selections"]> {
  const record = await deflate(row.record, { level: constants.Z_BEST_SPEED });
  return { number: row.number, made_at: row.madeAt, record, outcome: null, closed_at: null };
}

export async function insertSelections(
  tx: Transaction<Tables>,
  rows: readonly Tables["selections"][],
): Promise<void> {
  for (const row of rows) {
    await tx
      .insertInto("selections")
      .values(row)
      .onConflict((conflict) => conflict.column("number").doNothing())
      .execute();
  }
}

export async function closeSelections(
  tx: Transaction<Tables>,
  closings: readonly SelectionClosing[],
): Promise<void> {
  for (const { number, outcome, closedAt } of closings) {
    await tx
      .updateTable("selections")
      .set({ outcome, closed_at: closedAt })
      .where("number", "=", number)
      .execute();
  }
}

export async function readSelection(db: Kysely<Tables>, number: number): Promise<StoredSelection | null> {
  const row = await db.selectFrom("selections").selectAll().where("number", "=", number).executeTakeFirst();
  if (row === undefined) return null;
  const record = await inflate(row.record, { maxOutputLength: RECORD_BYTES_MAX });
  // A view of its own kind: who asked for bytes gets no Buffer.
  const bytes = new Uint8Array(record.buffer, record.byteOffset, record.length);
  return { number, madeAt: row.made_at, record: bytes, outcome: row.outcome, closedAt: row.closed_at };
}
