import type { Entry, HealthColumns, JobColumns, SampleColumns } from "@staunch/engine";
import {
  countEvents,
  EMPTY_ENTRY,
  encodeBatch,
  selectionNumber,
  SLA_MET,
  SUCCESS,
  TIMEOUT,
} from "@staunch/engine";
import { beforeEach, describe, expect, test } from "vitest";
import { MemoryLog, MemoryLogStore } from "../adapters/memory-log/memory-log.ts";
import { LogDamagedError } from "../ports/log.ts";
import { logCat, logVerify } from "./log-lines.ts";

const T0 = Date.UTC(2026, 0, 1);

let store: MemoryLogStore;
let log: MemoryLog;

beforeEach(async () => {
  store = new MemoryLogStore();
  log = new MemoryLog(store);
  await log.claim({ owner: "node-a", loggedAt: T0 });
  await append([
    entry({
      producer: "sensor\u001b[31m",
      sequence: 12,
      idempotencyKey: "k-1",
      registrations: [{ number: 0, kind: "provider", id: "storage-7" }],
      samples: samples(),
    }),
    entry({ acts: [{ type: "penalty.revoked", issuer: "key:1", reason: "appeal", penaltyId: "p-9" }] }),
  ]);
  await append([]);
});

describe("log cat", () => {
  test("tells people who sent what", async () => {
    const [, record, ...rest] = await cat(false);
    expect(record).toMatch(
      /^2 {2}2026-01-01T00:00:00\.000Z {2}data {2}epoch 1 {2}4 events {2}[0-9a-f]{12}$/u,
    );
    expect(rest.slice(0, 5)).toEqual([
      String.raw`    entry  producer "sensor\u001b[31m" 12  key "k-1"`,
      '      subject 0 is "provider" "storage-7"',
      "      3 samples, 2026-01-01T00:00:00.000Z to 2026-01-01T00:00:02.000Z: uptime 2, response_time 1",
      "    entry",
      '      {"issuer":"key:1","penaltyId":"p-9","reason":"appeal","type":"penalty.revoked"}',
    ]);
  });

  test("names the owner of an epoch and shows a tick as a record without entries", async () => {
    const lines = await cat(false);
    expect(lines[0]).toMatch(/ epoch {2}epoch 1 {2}0 events {2}[0-9a-f]{12} {2}owner "node-a"$/u);
    expect(lines.at(-1)).toMatch(/^3 .* 0 events {2}[0-9a-f]{12}$/u);
  });

  test("as JSON gives everything, one object a line", async () => {
    const [epoch, data] = (await cat(true)).map((line) => JSON.parse(line));
    expect(epoch).toMatchObject({ position: 1, kind: "epoch", owner: "node-a" });
    expect(data).toMatchObject({
      position: 2,
      loggedAt: T0,
      eventCount: 4,
      prevHash: epoch.hash,
      trimmed: false,
    });
    expect(data.entries[0].samples).toEqual([
      { at: T0, subject: 0, metric: "uptime", value: 1, monitor: "probe-1" },
      { at: T0 + 1000, subject: 0, metric: "uptime", value: 0.5, monitor: null },
      { at: T0 + 2000, subject: 0, metric: "response_time", value: 40, failed: true, monitor: "probe-1" },
    ]);
    expect(data.entries[1].acts).toEqual([
      { type: "penalty.revoked", issuer: "key:1", reason: "appeal", penaltyId: "p-9" },
    ]);
  });

  test("tells jobs, health and selections, to people and as JSON", async () => {
    const made = { kind: "worker", chosen: 0, operator: 0, exploring: false, record: Uint8Array.of(1, 2) };
    await append([entry({ jobs: jobs(), health: health(), selections: [made] })]);
    expect((await cat(false, 4)).slice(2)).toEqual([
      "      1 health report",
      "      2 jobs: success 1, timeout 1",
      '      selection {"chosen":0,"exploring":false,"kind":"worker","recordBytes":2}',
    ]);
    const { entries } = JSON.parse((await cat(true, 4))[0]!);
    expect(entries[0]).toMatchObject({
      jobs: [
        { at: T0, subject: 0, outcome: "success", slaMet: true, durationMs: 900, selection: "sel_2_1" },
        { at: T0, subject: 0, outcome: "timeout" },
      ],
      health: [{ at: T0, subject: 0, parts: { temperature: 61 } }],
      selections: [{ kind: "worker", chosen: 0, exploring: false, recordBytes: 2 }],
    });
    expect(entries[0].jobs[1]).not.toHaveProperty("durationMs");
    expect(entries[0].health[0].parts).not.toHaveProperty("cpu_usage");
  });

  test("keeps to the positions asked for", async () => {
    const positions = (await cat(true, 2, 2)).map((line) => JSON.parse(line).position);
    expect(positions).toEqual([2]);
  });

  test("says when samples were trimmed and still shows acts and names", async () => {
    await log.trim(2);
    const lines = await cat(false, 2, 2);
    expect(lines[0]).toContain("samples trimmed");
    expect(lines.join("\n")).toContain("storage-7");
    expect(lines.join("\n")).toContain("p-9");
    expect(lines.join("\n")).not.toContain("uptime");
  });

  test("says when a record of another format cannot be decoded", async () => {
    const { position, hash, epoch, loggedAt } = await log.tail();
    const body = { acts: new TextEncoder().encode("something else"), samples: new Uint8Array(0) };
    await log.append({ prevPosition: position, prevHash: hash, epoch, loggedAt, eventCount: 0, body });
    expect((await cat(false, 4))[0]).toContain("cannot be decoded");
    expect(JSON.parse((await cat(true, 4))[0]!)).toHaveProperty("undecodable");
  });

  test("stops at a damaged record", async () => {
    store.records[1]!.body.acts[9]! ^= 1;
    await expect(cat(true)).rejects.toThrow(LogDamagedError);
  });
});

describe("log verify", () => {
  test("counts what a sound log holds", async () => {
    const { hash } = await log.tail();
    expect(await logVerify(log)).toMatchObject({
      sound: true,
      summary: `sound: 3 records with 4 events, 0 of them without their samples; the last is 3 with hash ${hash}`,
    });
    expect((await logVerify(new MemoryLog(new MemoryLogStore()))).summary).toMatch(/^sound: 0 records/u);
  });

  test("names the damaged record", async () => {
    store.records[1]!.body.acts[9]! ^= 1;
    expect(await logVerify(log)).toMatchObject({
      sound: false,
      summary: expect.stringMatching(
        /^record 2 is damaged \(checksum\): expected [0-9a-f]{8}, found [0-9a-f]{8}$/u,
      ),
    });
  });
});

async function cat(json: boolean, from = 1, to = Infinity): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of logCat(log, { from, to, json })) lines.push(line);
  return lines;
}

async function append(entries: readonly Entry[]): Promise<void> {
  const { position, hash, epoch, loggedAt } = await log.tail();
  const eventCount = countEvents(entries);
  const body = encodeBatch({ loggedAt, entries });
  await log.append({ prevPosition: position, prevHash: hash, epoch, loggedAt, eventCount, body });
}

function entry(fields: Partial<Entry>): Entry {
  return { ...EMPTY_ENTRY, ...fields };
}

function jobs(): JobColumns {
  const none = new Float64Array(2).fill(Number.NaN);
  return {
    count: 2,
    at: Float64Array.of(T0, T0),
    subject: Uint32Array.of(0, 0),
    outcome: Uint8Array.of(SUCCESS | SLA_MET, TIMEOUT),
    durationMs: Float64Array.of(900, Number.NaN),
    expectedMs: none,
    usedShare: none,
    quality: none,
    earnings: none,
    selection: Float64Array.of(selectionNumber(2, 1), 0),
    jobClass: null,
    jobId: null,
  };
}

function health(): HealthColumns {
  const parts = [
    { name: "temperature", value: Float64Array.of(61) },
    { name: "cpu_usage", value: Float64Array.of(Number.NaN) },
  ];
  return { count: 1, at: Float64Array.of(T0), subject: Uint32Array.of(0), parts };
}

function samples(): SampleColumns {
  return {
    count: 3,
    at: Float64Array.of(T0, T0 + 1000, T0 + 2000),
    value: Float64Array.of(1, 0.5, 40),
    subject: Uint32Array.of(0, 0, 0),
    kind: Uint8Array.of(0, 0, 0x81),
    weight: null,
    monitor: ["probe-1", null, "probe-1"],
    context: null,
  };
}
