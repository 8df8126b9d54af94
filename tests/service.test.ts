import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { serve, staunch, type Running } from "./staunch.ts";

let directory: string;
let running: Running[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "staunch-service-"));
  running = [];
});

afterEach(async () => {
  for (const { child, ended } of running) {
    child.kill("SIGKILL");
    await ended;
  }
  await rm(directory, { recursive: true, force: true });
});

describe("the service", () => {
  test("takes events, stops on SIGTERM, and knows them again without a replay", async () => {
    const first = await started();
    const key = first.started.admin_key!;
    expect(await ingest(first, key, 40)).toMatchObject({ accepted: 40, rejected: 0 });
    const before = await read(first, key, "/api/subjects/node-3");
    expect(before).toMatchObject({ id: "node-3", event_count: 10 });
    first.child.kill("SIGTERM");
    expect(await first.ended).toMatchObject({ code: 0 });

    const second = await started();
    expect(second.started.restored).toMatchObject({ subjects: 4, records: 0 });
    expect(second.started.restored.snapshot).toMatch(/^snapshot-/u);
    const after = await read(second, key, "/api/subjects/node-3");
    expect(after).toMatchObject({ event_count: 10, registered_at: before["registered_at"] });
  });

  test("shows the administrator key once, and a key made by it works", async () => {
    const first = await started();
    const admin = first.started.admin_key!;
    expect(admin).toMatch(/^stn_/u);
    const options = ["--url", first.address, "--json"];
    const created = await staunch(["keys", "create", "--name", "probe", "--role", "viewer", ...options], {
      STAUNCH_KEY: admin,
    });
    const { key } = JSON.parse(created.out) as { key: string };
    expect((await staunch(["rank", ...options], { STAUNCH_KEY: key })).code).toBe(0);
    const denied = await staunch(["keys", "list", ...options], { STAUNCH_KEY: key });
    expect(denied.code).toBe(4);
    expect(JSON.parse(denied.err)).toMatchObject({ error: "role_not_allowed" });
    first.child.kill("SIGINT");
    await first.ended;

    const second = await started();
    expect(second.started.admin_key).toBeNull();
  });

  test("refuses a second process on its directory and goes on serving", async () => {
    const first = await started();
    const second = await staunch(["serve", "--empty", "--port", "0", "--data", directory]);
    expect(second.code).toBe(10);
    expect(second.err).toContain(`in use by process ${first.started.pid}`);
    expect((await fetch(`${first.address}/readyz`)).status).toBe(200);
  });

  test("refuses a damaged log and says what to do", async () => {
    const first = await started();
    await ingest(first, first.started.admin_key!, 500);
    first.child.kill("SIGTERM");
    await first.ended;
    await rm(join(directory, "snapshots"), { recursive: true });
    await flipByte(join(directory, "log.db"), "node-3");
    const second = await staunch(["serve", "--empty", "--port", "0", "--data", directory]);
    expect(second.code).toBe(11);
    expect(second.err).toContain("staunch restore");
    const verified = await staunch(["log", "verify", "--data", directory, "--json"]);
    expect(verified.code).toBe(8);
    expect(JSON.parse(verified.out)).toMatchObject({ type: "damaged" });
  });

  test("a second signal while it stops changes nothing", async () => {
    const first = await started();
    await ingest(first, first.started.admin_key!, 100);
    first.child.kill("SIGTERM");
    first.child.kill("SIGINT");
    expect(await first.ended).toMatchObject({ code: 0 });
    expect((await staunch(["log", "verify", "--data", directory])).out).toContain("sound");
  });

  test("a wrong setting and a port in use are told before anything is served", async () => {
    const wrong = await staunch(["serve", "--port", "eighty", "--data", directory]);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain("server.port must be a port");
    const first = await started();
    const port = new URL(first.address).port;
    const second = await staunch(["serve", "--empty", "--port", port, "--data", join(directory, "other")]);
    expect(second.code).toBe(5);
    expect(second.err).toContain(`Port ${port}`);
  });
});

describe("a directory that no service has open", () => {
  test("is sound by the doctor, and a copy of it serves the same", async () => {
    const first = await started();
    const key = first.started.admin_key!;
    await ingest(first, key, 80);
    const before = await read(first, key, "/api/subjects/node-1");
    first.child.kill("SIGTERM");
    await first.ended;
    const doctor = await staunch(["doctor", "--data", directory, "--json", "--config", await configFile()]);
    expect(JSON.parse(doctor.out)).toMatchObject({ sound: true });
    expect(doctor.code).toBe(0);

    const other = join(directory, "other");
    const inside = await staunch(["backup", join(directory, "copy"), "--data", directory]);
    expect(inside).toMatchObject({ code: 13, err: expect.stringContaining("lies in") });
    const outside = await mkdtemp(join(tmpdir(), "staunch-backup-"));
    try {
      expect((await staunch(["backup", join(outside, "a"), "--data", directory])).code).toBe(0);
      expect((await staunch(["restore", join(outside, "a"), "--data", other])).code).toBe(0);
      const second = await serve(other);
      running.push(second);
      expect(await read(second, key, "/api/subjects/node-1")).toMatchObject({
        event_count: before["event_count"],
      });
    } finally {
      await rm(outside, { recursive: true, force: true });
    }
  });
});

async function started(): Promise<Running> {
  const one = await serve(directory);
  running.push(one);
  return one;
}

async function configFile(): Promise<string> {
  const path = join(directory, "staunch.yaml");
  await writeFile(path, "storage:\n  disk_free_min: 0\n");
  return path;
}

async function ingest(
  { address }: Running,
  key: string,
  count: number,
): Promise<{ readonly [name: string]: unknown }> {
  const at = Date.now();
  const events = Array.from({ length: count }, (_, index) => {
    return { type: "metric", subject: `node-${index % 4}`, metric: "uptime", value: 0.99, at: at - index };
  });
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const response = await fetch(`${address}/api/events`, {
    method: "POST",
    headers,
    body: JSON.stringify(events),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as { readonly [name: string]: unknown };
}

async function read(
  { address }: Running,
  key: string,
  path: string,
): Promise<{ readonly [name: string]: unknown }> {
  const response = await fetch(address + path, { headers: { authorization: `Bearer ${key}` } });
  expect(response.status).toBe(200);
  return (await response.json()) as { readonly [name: string]: unknown };
}

/** Changes one byte where `text` stands in the file. */
async function flipByte(path: string, text: string): Promise<void> {
  await using file = await open(path, "r+");
  const bytes = await file.readFile();
  const place = bytes.indexOf(text);
  expect(place).toBeGreaterThan(0);
  await file.write(Buffer.from([bytes[place]! ^ 1]), 0, 1, place);
}
