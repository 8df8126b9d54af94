/** What can go wrong under the log: processes killed, disks full or failing, bytes flipped, two at once. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AppendResult, Log, LogRecord } from "../../ports/log.ts";
import { openRecordStore, LOG_FILE } from "./record-store.ts";
import { openSqliteLog } from "./sqlite-log.ts";

const FIXTURE = new URL("./fixtures/append-until-stopped.ts", import.meta.url).pathname;

let directory: string;
let log: Log | null = null;
const children: ChildProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "staunch-faults-"));
});

afterEach(async () => {
  await log?.close();
  log = null;
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await rm(directory, { recursive: true });
});

describe("a killed process", () => {
  test("loses nothing it was answered, and leaves no lock behind", async () => {
    const acknowledged = new Map<number, string>();
    for (const killAfter of [1, 4, 9, 25, 60, 240]) {
      const lines = run(directory);
      let answers = 0;
      for await (const line of lines.lines) {
        const answer = JSON.parse(line);
        if (answer.type === "appended") acknowledged.set(answer.position, answer.hash);
        answers += 1;
        if (answers === killAfter) lines.child.kill("SIGKILL");
      }
      await lines.ended;
      const reopened = await open();
      expect((await reopened.verify()).type).toBe("sound");
      const hashes = new Map<number, string>();
      for await (const record of reopened.read(1)) hashes.set(record.position, record.hash);
      for (const [position, hash] of acknowledged) expect(hashes.get(position)).toBe(hash);
      await reopened.close();
    }
    expect(acknowledged.size).toBeGreaterThan(300);
  });

  test("has the directory to itself as long as it lives", async () => {
    const { child, lines, ended } = run(directory);
    for await (const line of lines) {
      if (JSON.parse(line).type !== "appended") continue;
      expect(await openSqliteLog({ directory })).toEqual({ type: "locked", pid: child.pid });
      const second = run(directory);
      expect(JSON.parse((await second.lines[Symbol.asyncIterator]().next()).value)).toEqual({
        type: "locked",
        pid: child.pid,
      });
      child.kill("SIGKILL");
      break;
    }
    await ended;
    expect((await (await open()).verify()).type).toBe("sound");
  });
});

describe("a full disk", () => {
  test("refuses appends, keeps what it acknowledged, serves reads, and goes on when there is room", async ({
    skip,
  }) => {
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=6m", "tmpfs", directory]);
    if (mounted.status !== 0) {
      process.stderr.write("SKIPPED: the full-disk test needs permission to mount a tmpfs\n");
      skip("mounting a tmpfs is not permitted");
    }
    try {
      const ballast = join(directory, "ballast");
      writeFileSync(ballast, new Uint8Array(2 * 1024 * 1024));
      const full = await open();
      await full.claim({ owner: "first", loggedAt: 1 });
      const acknowledged: string[] = [];
      for (let round = 0; round < 3; round++) {
        let result = await append(full);
        while (result.type === "appended") {
          acknowledged.push(result.hash);
          result = await append(full);
        }
        expect(result).toEqual({ type: "full" });
        expect(await append(full)).toEqual({ type: "full" });
        expect((await readAll(full)).slice(1).map((record) => record.hash)).toEqual(acknowledged);
        if (round === 0) rmSync(ballast);
        else expect((await full.trim(1_000_000)).type).toMatch(/trimmed|full/u);
      }
      await full.close();
      const reopened = await open();
      expect((await readAll(reopened)).slice(1).map((record) => record.hash)).toEqual(acknowledged);
    } finally {
      await log?.close();
      log = null;
      spawnSync("umount", [directory]);
    }
  });
});

describe("a failing disk", () => {
  test("ends all writing, reads go on, and what was acknowledged is there afterwards", async () => {
    // Beyond the limit on the size of a file a write fails with EFBIG, which SQLite reports as an I/O error. The
    // second attempt is small enough to fit: it must be refused all the same.
    const limited = 'ulimit -f 2000 && exec "$@"';
    const shell = spawnSync("sh", ["-c", limited, "sh", process.execPath, FIXTURE, directory, "200000"], {
      encoding: "utf8",
    });
    const answers = shell.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const appended = answers.filter((answer) => answer.type === "appended");
    const refused = answers.slice(2 + appended.length, -1);
    expect(appended.length).toBeGreaterThan(2);
    expect(refused).toEqual([
      { type: "failed", detail: expect.any(String) },
      { type: "failed", detail: expect.any(String) },
    ]);
    expect(answers.at(-1)).toMatchObject({ type: "sound", records: appended.length + 1 });
    const hashes = (await readAll(await open())).map((record) => record.hash);
    for (const { hash } of appended) expect(hashes).toContain(hash);
  });
});

describe("a flipped byte in the database file", () => {
  test("is found and named, or harms nothing, wherever it lies", async () => {
    const original = await smallLog();
    const before = recordsOf(directory);
    const stride = 211;
    const outcomes = { damaged: 0, harmless: 0, refused: 0 };
    const work = await mkdtemp(join(tmpdir(), "staunch-flip-"));
    try {
      for (let offset = 0; offset < original.length; offset += offset < 600 ? 1 : stride) {
        const flipped = original.slice();
        flipped[offset]! ^= 1 << (offset % 8);
        writeFileSync(join(work, LOG_FILE), flipped);
        const after = recordsOf(work);
        if (typeof after === "string") {
          outcomes[after] += 1;
        } else {
          expect(after).toEqual(before);
          outcomes.harmless += 1;
        }
        for (const suffix of ["", "-wal", "-journal"]) rmSync(join(work, LOG_FILE + suffix), { force: true });
      }
    } finally {
      await rm(work, { recursive: true });
    }
    expect(outcomes.damaged).toBeGreaterThan(original.length / stride / 3);
    expect(outcomes.harmless).toBeGreaterThan(0);
  });

  test("cut short anywhere, the file is refused or served in full", async () => {
    const original = await smallLog();
    const before = recordsOf(directory);
    const path = join(directory, LOG_FILE);
    for (let length = 0; length < original.length; length += 4099) {
      writeFileSync(path, original.subarray(0, length));
      const after = recordsOf(directory);
      // A file of no bytes is a new log: only the snapshot, which names a position and a hash, can contradict it.
      if (length === 0) expect(after).toEqual([]);
      else if (typeof after !== "string") expect(after).toEqual(before);
    }
  });
});

describe("the write-ahead log", () => {
  test("with a flipped byte is refused, or loses no more than a crash in the last append could", async () => {
    const writing = await open();
    await writing.claim({ owner: "first", loggedAt: 1 });
    for (const bytes of [100, 20_000, 10, 3000, 40_000, 10, 5000]) await append(writing, bytes);
    // As a kill would leave it: nothing has been moved into the database yet.
    const database = readFileSync(join(directory, LOG_FILE));
    const wal = readFileSync(join(directory, `${LOG_FILE}-wal`));
    const work = await mkdtemp(join(tmpdir(), "staunch-wal-"));
    const reopen = (bytes: Buffer): LogRecord[] | "damaged" | "refused" => {
      writeFileSync(join(work, LOG_FILE), database);
      writeFileSync(join(work, `${LOG_FILE}-wal`), bytes);
      return recordsOf(work);
    };
    let refused = 0;
    try {
      const before = reopen(wal);
      expect(before).toHaveLength(8);
      for (let offset = 0; offset < wal.length; offset += 509) {
        const flipped = Buffer.from(wal);
        flipped[offset]! ^= 1 << (offset % 8);
        const after = reopen(flipped);
        if (typeof after === "string") refused += 1;
        else expect([before, before.slice(0, -1)]).toContainEqual(after);
      }
    } finally {
      await rm(work, { recursive: true });
    }
    expect(refused).toBeGreaterThan((wal.length / 509) * 0.7);
  });

  test("is moved into the database often enough to stay small", async () => {
    const writing = await open();
    await writing.claim({ owner: "first", loggedAt: 1 });
    for (let count = 0; count < 300; count++) await append(writing, 64 * 1024);
    expect(statSync(join(directory, `${LOG_FILE}-wal`)).size).toBeLessThan(6 * 1024 * 1024);
  });
});

async function open(): Promise<Log> {
  const opened = await openSqliteLog({ directory });
  if (opened.type !== "opened") throw new Error(JSON.stringify(opened));
  log = opened.log;
  return log;
}

async function append(to: Log, bytes = 30_000): Promise<AppendResult> {
  const { position, hash, epoch } = await to.tail();
  const body = { acts: new Uint8Array(100).fill(position), samples: new Uint8Array(bytes).fill(position) };
  return to.append({ prevPosition: position, prevHash: hash, epoch, loggedAt: 1, eventCount: 1, body });
}

async function readAll(from: Log): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const record of from.read(1)) records.push(record);
  return records;
}

function run(dataDirectory: string): {
  child: ChildProcess;
  lines: AsyncIterable<string>;
  ended: Promise<unknown>;
} {
  const child = spawn(process.execPath, [FIXTURE, dataDirectory], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const ended = new Promise((resolve) => child.once("close", resolve));
  return { child, lines: createInterface({ input: child.stdout }), ended };
}

/** Bytes of a closed log of records small and large, some trimmed. */
async function smallLog(): Promise<Uint8Array> {
  const writing = await open();
  await writing.claim({ owner: "first", loggedAt: 1 });
  for (const bytes of [10, 100, 5000, 20_000, 300, 0, 40_000, 200, 200, 200]) await append(writing, bytes);
  await writing.trim(4);
  await writing.close();
  return new Uint8Array(readFileSync(join(directory, LOG_FILE)));
}

/** All records of a log file, straight from the store; or how it was refused. */
function recordsOf(dataDirectory: string): LogRecord[] | "damaged" | "refused" {
  const opened = openRecordStore(dataDirectory, Infinity);
  if (opened.type === "damaged" || opened.type === "refused") return opened.type;
  if (opened.type !== "opened") throw new Error(JSON.stringify(opened));
  const records: LogRecord[] = [];
  try {
    let next: number | null = 1;
    let link = null;
    while (next !== null) {
      const chunk = opened.store.readChunk(next, Infinity, link);
      records.push(...chunk.records);
      if (chunk.damage !== null) return "damaged";
      ({ next, link } = chunk);
    }
    return records;
  } finally {
    opened.store.close();
  }
}
