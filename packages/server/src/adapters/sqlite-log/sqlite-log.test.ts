import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SQLInputValue } from "node:sqlite";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { logContract } from "../../ports/log.contract.ts";
import type { Log } from "../../ports/log.ts";
import { versionFault } from "./database.ts";
import { LOG_FILE } from "./record-store.ts";
import { openSqliteLog } from "./sqlite-log.ts";

logContract("sqlite", async () => {
  const directory = await mkdtemp(join(tmpdir(), "staunch-log-"));
  return {
    open: async () => expectOpened(directory),
    replace: async (record) => {
      const { position, epoch, loggedAt, crc, body } = record;
      const values = [
        epoch,
        loggedAt,
        crc,
        Buffer.from(record.prevHash, "hex"),
        Buffer.from(record.hash, "hex"),
      ];
      sql(
        directory,
        `update log set epoch = ?, logged_at = ?, crc = ?, prev_hash = ?, hash = ?, acts = ?, samples = ?
         where position = ? returning 1`,
        ...values,
        body.acts,
        body.samples,
        position,
      );
    },
    remove: async (position) => {
      sql(directory, `delete from log where position = ${position} returning 1`);
    },
    destroy: () => rm(directory, { recursive: true }),
  };
});

describe("the log in SQLite", () => {
  let directory: string;
  let log: Log | null = null;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "staunch-log-"));
  });

  afterEach(async () => {
    await log?.close();
    log = null;
    await rm(directory, { recursive: true });
  });

  test("is refused to a second opener, who is told who has it, and free again after close", async () => {
    log = await expectOpened(directory);
    expect(await openSqliteLog({ directory })).toEqual({ type: "locked", pid: process.pid });
    await log.close();
    log = await expectOpened(directory);
  });

  test("is refused when the database was made with other settings", async () => {
    const database = new DatabaseSync(join(directory, LOG_FILE));
    database.exec("pragma page_size = 4096; create table other (id integer)");
    database.close();
    const opened = await openSqliteLog({ directory });
    expect(opened).toMatchObject({ type: "refused", detail: expect.stringContaining("page_size") });
  });

  test.each([
    ["3.7.0", true],
    ["3.51.2", true],
    ["3.51.3", false],
    ["3.51.10", false],
    ["4.0", false],
  ])("refuses SQLite %s: %s", (version, refused) => {
    expect(versionFault(version) !== null).toBe(refused);
  });

  test("is refused when a later build wrote it", async () => {
    log = await expectOpened(directory);
    await log.close();
    sql(directory, "pragma user_version = 2");
    expect(await openSqliteLog({ directory })).toMatchObject({ type: "refused" });
  });

  test("does not open when its last record is damaged, except for inspection", async () => {
    await write(directory, 4);
    sql(directory, "update log set acts = x'00' where position = 5 returning 1");
    expect(await openSqliteLog({ directory })).toMatchObject({ type: "damaged", damage: { position: 5 } });
    const opened = await openSqliteLog({ directory, inspect: true });
    if (opened.type !== "opened") throw new Error(opened.type);
    log = opened.log;
    expect(await log.verify()).toMatchObject({ type: "damaged", damage: { position: 5, what: "checksum" } });
    await expect(log.claim({ owner: "inspector", loggedAt: 0 })).rejects.toThrow("inspection");
  });

  test("verifies at opening what comes after the position given", async () => {
    await write(directory, 6);
    sql(directory, "update log set acts = x'00' where position = 4 returning 1");
    expect(await openSqliteLog({ directory, verifyAfter: 3 })).toMatchObject({
      type: "damaged",
      damage: { position: 4 },
    });
    log = await expectOpened(directory, 4);
  });

  test("misses its last record, which no chain could", async () => {
    await write(directory, 4);
    sql(directory, "delete from log where position = 5 returning 1");
    expect(await openSqliteLog({ directory })).toMatchObject({ type: "damaged" });
  });

  test("does not open when the end noted beside the records is another", async () => {
    await write(directory, 4);
    sql(
      directory,
      "update tail set position = 4, hash = (select hash from log where position = 4) returning 1",
    );
    expect(await openSqliteLog({ directory })).toMatchObject({
      type: "damaged",
      damage: { position: 5, what: "tail" },
    });
  });

  test("does not trim a damaged record and goes on writing", async () => {
    await write(directory, 4);
    sql(directory, "update log set samples = x'00' where position = 3 returning 1");
    log = await expectOpened(directory);
    expect(await log.trim(5)).toMatchObject({ type: "failed", detail: expect.stringContaining("record 3") });
    expect(await log.claim({ owner: "second", loggedAt: 0 })).toMatchObject({ type: "claimed" });
  });

  test("answers a file that is no database as damage", async () => {
    await writeFile(
      join(directory, LOG_FILE),
      "not a database at all, but long enough to be read".repeat(50),
    );
    expect(await openSqliteLog({ directory })).toMatchObject({ type: "damaged", damage: { position: null } });
  });
});

async function expectOpened(directory: string, verifyAfter?: number): Promise<Log> {
  const opened = await openSqliteLog(verifyAfter === undefined ? { directory } : { directory, verifyAfter });
  if (opened.type !== "opened") throw new Error(JSON.stringify(opened));
  return opened.log;
}

/** An epoch record at 1 and `count` records behind it. */
async function write(directory: string, count: number): Promise<void> {
  const log = await expectOpened(directory);
  await log.claim({ owner: "first", loggedAt: 1 });
  for (let index = 0; index < count; index++) {
    const tail = await log.tail();
    const body = { acts: new Uint8Array(50).fill(index), samples: new Uint8Array(200).fill(index) };
    const prev = { prevPosition: tail.position, prevHash: tail.hash, epoch: tail.epoch };
    const result = await log.append({ ...prev, loggedAt: 1, eventCount: 1, body });
    if (result.type !== "appended") throw new Error(result.type);
  }
  await log.close();
}

/** Runs one statement on the closed log and gives its first row. */
function sql(directory: string, statement: string, ...values: SQLInputValue[]): Record<string, unknown> {
  const database = new DatabaseSync(join(directory, LOG_FILE));
  try {
    return database.prepare(statement).get(...values) ?? {};
  } finally {
    database.close();
  }
}
