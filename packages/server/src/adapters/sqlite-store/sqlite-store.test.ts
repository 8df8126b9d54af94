import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { storeContract } from "../../ports/store.contract.ts";
import type { Store } from "../../ports/store.ts";
import { openSqliteStore, STORE_FILE } from "./sqlite-store.ts";

storeContract("sqlite", async () => {
  const directory = await mkdtemp(join(tmpdir(), "staunch-store-"));
  return { open: () => expectOpened(directory), destroy: () => rm(directory, { recursive: true }) };
});

describe("the store in SQLite", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "staunch-store-"));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  test("a file that is no database is refused with its name", async () => {
    await writeFile(join(directory, STORE_FILE), "x".repeat(8_192));
    const result = await openSqliteStore(directory);
    expect(result).toMatchObject({ type: "failed" });
    expect(JSON.stringify(result)).toContain(STORE_FILE);
  });

  test("keeps integers as integers and blobs as blobs, as the migrations' types promise", async () => {
    const store = await expectOpened(directory);
    await store.keys.insert({
      id: "aaaaaaaa",
      name: "a",
      role: "viewer",
      hash: new Uint8Array(32),
      createdAt: 1_700_000_000_000,
      lastUsedAt: null,
      revokedAt: null,
    });
    await store.close();
    const database = new DatabaseSync(join(directory, STORE_FILE));
    const types = database
      .prepare("select typeof(created_at) as at, typeof(hash) as hash from api_keys")
      .get();
    database.close();
    expect({ ...types }).toEqual({ at: "integer", hash: "blob" });
  });

  test("a second process is refused while one has the store open", async () => {
    const store = await expectOpened(directory);
    expect(await openSqliteStore(directory)).toMatchObject({ type: "failed" });
    await store.close();
    await (await expectOpened(directory)).close();
  });

  test("a projection that fails half way leaves nothing behind", async () => {
    const store = await expectOpened(directory);
    const crossings = [{ position: 1, place: 0, subject: 1, at: 1, type: "tier.changed", detail: "{}" }];
    const sanction = {
      id: "pen_1_0",
      subject: 1,
      kind: "penalty",
      status: "active",
      appliedAt: 1,
      endedAt: null,
    } as const;
    // Not what the type promises: the table refuses it after the crossings are written.
    const sanctions = [{ ...sanction, facts: null as unknown as string }];
    const result = await store.history.project({
      position: 1,
      memory: null,
      blocks: [],
      selections: [],
      closings: [],
      crossings,
      sanctions,
    });
    expect(result).toMatchObject({ type: "failed" });
    expect(await store.history.crossings(1, { fromMs: 0, toMs: 10 }, 10)).toEqual([]);
    expect(await store.history.cursor()).toBeNull();
    await store.close();
  });

  test("killed while projecting: cursor and rows are of one mind", async () => {
    const script = fileURLToPath(new URL("./fixtures/project-until-stopped.ts", import.meta.url));
    const child = spawn(process.execPath, [script, directory], { stdio: ["ignore", "pipe", "inherit"] });
    let stored = 0;
    for await (const text of child.stdout.setEncoding("utf8")) {
      stored = Number(String(text).trim().split("\n").at(-1));
      if (stored >= 10) break;
    }
    child.kill("SIGKILL");
    await once(child, "exit");
    const store = await expectOpened(directory);
    const cursor = await store.history.cursor();
    const rows = await store.history.crossings(1, { fromMs: 0, toMs: 1e9 }, 1_000_000);
    await store.close();
    expect(cursor!.position).toBeGreaterThanOrEqual(stored);
    // As many rows a position as the fixture writes, in several statements.
    expect(rows).toHaveLength(cursor!.position * 1_000);
    expect(rows.at(-1)!.position).toBe(cursor!.position);
  });
});

async function expectOpened(directory: string): Promise<Store> {
  const result = await openSqliteStore(directory);
  if (result.type !== "opened") throw new Error(JSON.stringify(result));
  return result.store;
}
