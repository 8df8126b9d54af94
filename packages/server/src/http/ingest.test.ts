import { IngestResult } from "@staunch/contract";
import { createState, STORAGE_PROVIDER } from "@staunch/engine";
import Fastify, { type FastifyInstance, type InjectOptions } from "fastify";
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { MemoryLog, MemoryLogStore } from "../adapters/memory-log/memory-log.ts";
import { Ingest } from "../app/ingest/ingest.ts";
import { MonitorGuard } from "../app/guards/monitor-guard.ts";
import { Partition } from "../app/partition/partition.ts";
import type { Role } from "../app/principal.ts";
import { testClock } from "../ports/clock.ts";
import { ingestRoutes } from "./ingest.ts";

const NOW = Date.UTC(2026, 10, 25, 3, 4, 5);
const METRIC = { type: "metric", subject: "node-1", metric: "uptime", value: 1 };
const PENALTY = { type: "penalty", subject: "node-1", penalty: "fraud", points: 1, reason: "seen" };

test("events are answered with counts, the position and the time of the log", async () => {
  const server = await serve();
  const response = await post(server, [METRIC, { ...METRIC, value: 2, id: "bad" }]);
  expect(response.statusCode).toBe(200);
  expect(response.headers["content-type"]).toBe("application/json; charset=utf-8");
  const detail = expect.any(String) as string;
  expect(IngestResult.parse(response.json())).toEqual({
    accepted: 1,
    rejected: 1,
    results: [{ index: 1, id: "bad", code: "out_of_range", field: "value", detail }],
    position: 2,
    logged_at: "2026-11-25T03:04:05.000Z",
  });
});

test("a sanction is answered with its id, and a repeat as a duplicate", async () => {
  const server = await serve("operator");
  const headers = { "idempotency-key": "k" };
  const first = IngestResult.parse((await post(server, [PENALTY], { headers })).json());
  expect(first.sanctions).toMatchObject([{ index: 0 }]);
  const second = await post(server, [PENALTY], { headers });
  expect(second.statusCode).toBe(200);
  expect(second.json()).toEqual({ ...first, duplicate: true });
  const other = await post(server, [METRIC], { headers });
  expect(other.json()).toMatchObject({ code: "idempotency_key_reused" });
});

describe("media types", () => {
  const envelope = { specversion: "1.0", source: "s", type: "staunch.metric.v1", subject: "n" };
  const data = { metric: "uptime", value: 1 };

  test.each([
    ["application/json", JSON.stringify([METRIC]), {}],
    ["application/json; charset=utf-8", JSON.stringify(METRIC), {}],
    ["Application/X-NDJSON", `${JSON.stringify(METRIC)}\n`, {}],
    ["application/cloudevents+json", JSON.stringify({ ...envelope, id: "1", data }), {}],
    ["application/cloudevents-batch+json", JSON.stringify([{ ...envelope, id: "1", data }]), {}],
    [
      "application/json",
      JSON.stringify(data),
      {
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "s",
        "ce-type": "staunch.metric.v1",
        "ce-subject": "n%C3%A9",
      },
    ],
  ])("%s", async (type, payload, headers) => {
    const response = await post(await serve(), payload, { headers: { ...headers, "content-type": type } });
    expect(response.json()).toMatchObject({ accepted: 1, rejected: 0 });
  });

  test.each([
    ["text/plain", {}],
    ["application/xml", {}],
    ["application/json", { "content-encoding": "gzip" }],
  ])("%s %j is refused", async (type, headers) => {
    const response = await post(await serve(), "[]", { headers: { ...headers, "content-type": type } });
    expect(response.statusCode).toBe(415);
    expect(response.json()).toMatchObject({ code: "media_type_unsupported" });
  });
});

describe("problems", () => {
  test.each([
    ["an empty body", "", 400, "malformed_json"],
    ["broken JSON", '[{"type":"metric",}]', 400, "malformed_json"],
    ["nothing that is right", JSON.stringify([{ ...METRIC, value: 5 }]), 422, "events_rejected"],
    ["a penalty without the role", JSON.stringify([PENALTY]), 403, "role_not_allowed"],
    ["too many events", `[${Array.from({ length: 16_385 }, () => 0).join(",")}]`, 413, "too_many_events"],
    ["a body that is too large", " ".repeat(2_000_000), 413, "body_too_large"],
  ])("%s", async (_what, payload, status, code) => {
    const response = await post(await serve(), payload);
    expect(response.headers["content-type"]).toMatch(/^application\/problem\+json/u);
    expect(response.json()).toMatchObject({ status, code, type: `urn:staunch:error:${code}` });
    expect(response.statusCode).toBe(status);
  });

  test("of an atomic request name each bad event with a pointer", async () => {
    const server = await serve();
    const response = await post(server, [METRIC, { ...METRIC, value: 5 }, 7], { query: { atomic: "true" } });
    expect(response.statusCode).toBe(422);
    expect(response.json()).toMatchObject({
      code: "events_rejected",
      errors: [
        { pointer: "/1/value", code: "out_of_range" },
        { pointer: "/2", code: "not_an_object" },
      ],
    });
  });

  test.each([
    [{ headers: { "staunch-producer": "p" } }, "staunch-sequence"],
    [{ headers: { "staunch-sequence": "1" } }, "staunch-sequence"],
    [{ headers: { "staunch-producer": "p", "staunch-sequence": "0" } }, "staunch-sequence"],
    [{ headers: { "staunch-producer": "p", "staunch-sequence": "1e3" } }, "staunch-sequence"],
    [{ headers: { "idempotency-key": "k".repeat(257) } }, "idempotency-key"],
    [{ query: { atomic: "yes" } }, "atomic"],
    [{ query: { atomik: "true" } }, "atomik"],
  ])("with %j name the parameter", async (options, parameter) => {
    const response = await post(await serve(), [METRIC], options);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ code: "request_invalid", errors: [{ parameter }] });
  });

  test("of storage are 503 or 507", async () => {
    const partition = await newPartition();
    const server = await serve("ingest", partition);
    await partition.close();
    const response = await post(server, [METRIC]);
    expect(response.statusCode).toBe(503);
    expect(response.json()).toMatchObject({ code: "closing" });
  });
});

test("other routes keep their own parsers", async () => {
  const server = await serve();
  const response = await server.inject({ method: "POST", url: "/other", payload: { a: 1 } });
  expect(response.json()).toEqual({ a: 1 });
});

async function post(
  server: FastifyInstance,
  payload: string | unknown[],
  options: { headers?: { [name: string]: string }; query?: { [name: string]: string } } = {},
) {
  const request: InjectOptions = {
    method: "POST",
    url: "/api/events",
    headers: { "content-type": "application/json", ...options.headers },
    query: options.query ?? {},
    payload: typeof payload === "string" ? payload : JSON.stringify(payload),
  };
  return server.inject(request);
}

async function serve(role: Role = "ingest", partition?: Partition): Promise<FastifyInstance> {
  const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
  const server = Fastify();
  server.decorateRequest("principal", null);
  server.addHook("onRequest", async (request) => {
    request.principal = { id: "tester", name: "tester", role };
  });
  server.post("/other", (request, reply) => reply.send(request.body));
  const ingest = new Ingest(partition ?? (await newPartition()), { hash });
  await server.register(ingestRoutes, { ingest, bodyMaxBytes: 100_000, batchBodyMaxBytes: 1_000_000 });
  return server;
}

async function newPartition(): Promise<Partition> {
  const log = new MemoryLog(new MemoryLogStore());
  const claimed = await log.claim({ owner: "test", loggedAt: NOW });
  if (claimed.type !== "claimed") throw new Error(claimed.type);
  const state = createState({ seed: 7, policies: { provider: STORAGE_PROVIDER }, aggregates: false });
  const clock = testClock(NOW);
  return new Partition({
    log,
    clock,
    state,
    tail: claimed.tail,
    commitEventsMax: 16_384,
    gate: new MonitorGuard(),
  });
}
