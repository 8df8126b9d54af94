import { fastify } from "fastify";
import { serializerCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { apply, type State } from "@staunch/engine";
import { LiveHub } from "../app/live/hub.ts";
import { newState, registration, START_MS, uptime } from "../app/projector/fixtures.ts";
import { liveRoutes } from "./live.ts";
import { sendError } from "./problem.ts";
import type { Server } from "./route.ts";
import { validateRequest } from "./validation.ts";

let state: State;
let hub: LiveHub;
let server: Server;
let address: string;

beforeEach(async () => {
  state = newState();
  hub = new LiveHub(state, { connectionsMax: 2, backlogMaxBytes: 1 << 20, framesPerSecond: 4 });
  hub.applied(apply(state, registration(1, START_MS, 0, 3)));
  server = fastify().withTypeProvider<ZodTypeProvider>();
  server.setValidatorCompiler(validateRequest);
  server.setSerializerCompiler(serializerCompiler);
  server.setErrorHandler((error, request, reply) => sendError(error, request, reply));
  liveRoutes(server, hub);
  address = await server.listen({ host: "127.0.0.1", port: 0 });
});

afterEach(async () => {
  await server.close();
});

test("changes arrive as server-sent events, and the stream ends when the server closes", async () => {
  const response = await fetch(`${address}/api/live?subject=node-1&type=score.changed,tier.changed`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  hub.applied(apply(state, uptime(2, START_MS + 1_000, [0, 1], 0.2)));
  hub.tick();
  const text = response.text();
  await server.close();
  expect(await text).toContain("id: 2\nevent: frame\n");
  expect(await text).toContain('"subject":"node-1"');
  expect(await text).not.toContain('"subject":"node-0"');
});

test("Last-Event-ID brings what was missed", async () => {
  hub.applied(apply(state, uptime(2, START_MS + 1_000, [0], 0.2)));
  hub.applied(apply(state, uptime(3, START_MS + 2_000, [1], 0.2)));
  hub.tick();
  const response = await fetch(`${address}/api/live?type=score.changed`, {
    headers: { "last-event-id": "2" },
  });
  hub.tick();
  await server.close();
  const text = await response.text();
  expect(text).toContain('"subject":"node-1"');
  expect(text).not.toContain('"subject":"node-0"');
  expect(text).not.toContain("event: gap");
});

test("a full house is told when to come again, and a client that left makes room", async () => {
  const { port } = server.server.address() as AddressInfo;
  const leaving = connect(port, "127.0.0.1");
  leaving.write("GET /api/live HTTP/1.1\r\nhost: x\r\n\r\n");
  await new Promise((resolve) => leaving.once("data", resolve));
  await fetch(`${address}/api/live`);
  const refused = await fetch(`${address}/api/live`);
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("30");
  expect(await refused.json()).toMatchObject({ code: "overloaded", status: 503 });
  leaving.destroy();
  await expect.poll(() => hub.connectionCount).toBe(1);
  expect((await fetch(`${address}/api/live`)).status).toBe(200);
});

test("unknown types, fields and ids are named", async () => {
  for (const [query, word] of [
    ["type=score.change", "type"],
    ["subjects=a", "subjects"],
    ["kind=No", "kind"],
  ]) {
    const response = await fetch(`${address}/api/live?${query}`);
    expect(response.status).toBe(400);
    expect(JSON.stringify(await response.json())).toContain(word);
  }
  const response = await fetch(`${address}/api/live`, { headers: { "last-event-id": "abc" } });
  expect(response.status).toBe(400);
});
