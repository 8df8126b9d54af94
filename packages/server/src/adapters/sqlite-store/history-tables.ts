/** What the projector writes and history reads, as rows. */
import type { Kysely, Transaction } from "kysely";
import {
  RANGE_SIZE,
  type CrossingRow,
  type HistoryStore,
  type Projection,
  type SanctionQuery,
  type SanctionRow,
  type SnapshotBlock,
  type SnapshotRow,
  type Span,
} from "../../ports/store.ts";
import { packBlock, rowOf } from "./block-format.ts";
import type { Tables } from "./schema.ts";
import { closeSelections, insertSelections, readSelection, toSelectionRow } from "./selection-table.ts";
import { stored } from "./stored.ts";

/** Rows of one insert: one statement must not hold up the thread that composes it. */
const INSERT_ROWS_MAX = 200;
/** Blocks that are fetched and opened at a time. */
const READ_BLOCKS_MAX = 64;
/** The only cursor there is; more partitions will have one each. */
const CURSOR = "partition-0";

export function historyTables(db: Kysely<Tables>): HistoryStore {
  return {
    cursor: async () => {
      const row = await db
        .selectFrom("projector_cursor")
        .selectAll()
        .where("name", "=", CURSOR)
        .executeTakeFirst();
      return row === undefined ? null : { position: row.position, memory: row.memory };
    },
    project: async (projection) => {
      const blocks = await Promise.all(projection.blocks.map(toBlockRow));
      const selections = await Promise.all(projection.selections.map(toSelectionRow));
      return stored(() => db.transaction().execute((tx) => write(tx, projection, { blocks, selections })));
    },
    prune: (beforeMs) => stored(() => db.transaction().execute((tx) => prune(tx, beforeMs))),
    snapshots: (subject, span, limit) => readSnapshots(db, subject, span, limit),
    crossings: async (subject, span, limit) => {
      const rows = await db
        .selectFrom("crossings")
        .selectAll()
        .where("subject", "=", subject)
        .where("at", ">=", span.fromMs)
        .where("at", "<=", span.toMs)
        .orderBy("position", "desc")
        .orderBy("place", "desc")
        .limit(limit)
        .execute();
      return rows.toReversed();
    },
    sanctions: async (subject, span, limit) => {
      const rows = await db
        .selectFrom("sanctions")
        .selectAll()
        .where("subject", "=", subject)
        .where("applied_at", "<=", span.toMs)
        .where((where) => where.or([where("ended_at", "is", null), where("ended_at", ">=", span.fromMs)]))
        .orderBy("applied_at", "desc")
        .orderBy("id", "desc")
        .limit(limit)
        .execute();
      return rows.toReversed().map(toSanction);
    },
    selection: (number) => readSelection(db, number),
    sanctionPage: (subject, query) => readSanctionPage(db, subject, query),
  };
}

/** What had to be packed before the transaction. */
interface Packed {
  readonly blocks: readonly Tables["history_blocks"][];
  readonly selections: readonly Tables["selections"][];
}

async function write(
  tx: Transaction<Tables>,
  projection: Projection,
  { blocks, selections }: Packed,
): Promise<void> {
  for (const block of blocks) {
    const { subject_range: _range, hour: _hour, ...values } = block;
    await tx
      .insertInto("history_blocks")
      .values(block)
      .onConflict((conflict) => conflict.columns(["subject_range", "hour"]).doUpdateSet(values))
      .execute();
  }
  for (const rows of slices(projection.crossings)) {
    await tx
      .insertInto("crossings")
      .values(rows.map(toCrossingRow))
      .onConflict((conflict) => conflict.columns(["position", "place"]).doNothing())
      .execute();
  }
  for (const rows of slices(projection.sanctions)) await upsertSanctions(tx, rows);
  await insertSelections(tx, selections);
  await closeSelections(tx, projection.closings);
  const { position, memory } = projection;
  await tx
    .insertInto("projector_cursor")
    .values({ name: CURSOR, position, memory: memory ?? new Uint8Array(0) })
    .onConflict((conflict) =>
      conflict.column("name").doUpdateSet(memory === null ? { position } : { position, memory }),
    )
    .execute();
}

async function upsertSanctions(tx: Transaction<Tables>, rows: readonly SanctionRow[]): Promise<void> {
  await tx
    .insertInto("sanctions")
    .values(rows.map(toSanctionRow))
    .onConflict((conflict) =>
      conflict.column("id").doUpdateSet((eb) => ({
        status: eb.ref("excluded.status"),
        ended_at: eb.ref("excluded.ended_at"),
        facts: eb.ref("excluded.facts"),
      })),
    )
    .execute();
}

async function prune(tx: Transaction<Tables>, beforeMs: number): Promise<void> {
  await tx
    .deleteFrom("history_blocks")
    .where("hour", "<", beforeMs)
    .where("last_at", "<", beforeMs)
    .execute();
  await tx.deleteFrom("crossings").where("at", "<", beforeMs).execute();
  await tx.deleteFrom("selections").where("made_at", "<", beforeMs).execute();
  await tx.deleteFrom("sanctions").where("ended_at", "<", beforeMs).execute();
}

/** Newest blocks first, until there are rows enough or no more blocks. */
async function readSnapshots(
  db: Kysely<Tables>,
  subject: number,
  span: Span,
  limit: number,
): Promise<readonly SnapshotRow[]> {
  const range = Math.floor(subject / RANGE_SIZE);
  const newestFirst: SnapshotRow[] = [];
  let before = Infinity;
  while (newestFirst.length < limit) {
    const query = db
      .selectFrom("history_blocks")
      .select(["hour", "block"])
      .where("subject_range", "=", range)
      .where("first_at", "<=", span.toMs)
      .where("last_at", ">=", span.fromMs)
      .orderBy("hour", "desc")
      .limit(READ_BLOCKS_MAX);
    const blocks = await (before === Infinity ? query : query.where("hour", "<", before)).execute();
    for (const row of await Promise.all(blocks.map(({ block }) => rowOf(block, subject % RANGE_SIZE)))) {
      // A block closed late repeats what the one before it has.
      const repeated = row !== null && newestFirst.at(-1)?.at === row.at;
      if (row !== null && !repeated && row.at >= span.fromMs && row.at <= span.toMs) newestFirst.push(row);
    }
    if (blocks.length < READ_BLOCKS_MAX) break;
    before = blocks.at(-1)!.hour;
  }
  return newestFirst.slice(0, limit).toReversed();
}

async function readSanctionPage(
  db: Kysely<Tables>,
  subject: number,
  { kind, status, after, limit }: SanctionQuery,
): Promise<readonly SanctionRow[]> {
  let query = db.selectFrom("sanctions").selectAll().where("subject", "=", subject).where("kind", "=", kind);
  if (status !== null) query = query.where("status", "=", status);
  if (after !== null) {
    query = query.where((where) =>
      where.or([
        where("applied_at", "<", after.appliedAt),
        where.and([where("applied_at", "=", after.appliedAt), where("id", "<", after.id)]),
      ]),
    );
  }
  const rows = await query.orderBy("applied_at", "desc").orderBy("id", "desc").limit(limit).execute();
  return rows.map(toSanction);
}

async function toBlockRow(block: SnapshotBlock): Promise<Tables["history_blocks"]> {
  return {
    subject_range: block.range,
    hour: block.hour,
    first_at: block.at.reduce((first, at) => Math.min(first, at), Infinity),
    last_at: block.at.reduce((last, at) => Math.max(last, at), 0),
    row_count: block.offset.length,
    block: await packBlock(block),
  };
}

function toCrossingRow({ position, place, subject, at, type, detail }: CrossingRow): Tables["crossings"] {
  return { position, place, subject, at, type, detail };
}

function toSanctionRow(row: SanctionRow): Tables["sanctions"] {
  const { id, subject, kind, status, appliedAt, endedAt, facts } = row;
  return { id, subject, kind, status, applied_at: appliedAt, ended_at: endedAt, facts };
}

function toSanction(row: Tables["sanctions"]): SanctionRow {
  const { id, subject, status, applied_at: appliedAt, ended_at: endedAt, facts } = row;
  // Written from the same words.
  return { id, subject, kind: row.kind as SanctionRow["kind"], status, appliedAt, endedAt, facts };
}

function* slices<Row>(rows: readonly Row[]): Generator<readonly Row[]> {
  for (let first = 0; first < rows.length; first += INSERT_ROWS_MAX)
    yield rows.slice(first, first + INSERT_ROWS_MAX);
}
