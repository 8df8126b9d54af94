import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Problem } from "@staunch/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createHttpApp, type HttpApp } from "../../test/http-app.ts";

let http: HttpApp;
beforeAll(async () => {
  http = await createHttpApp();
  await http.server.listen({ port: 0, host: "127.0.0.1" });
});
afterAll(() => http.close());

/** Bytes over a connection of their own, and what came back until the service closed it. */
async function exchange(bytes: string): Promise<{ head: string; body: string }> {
  const { port } = http.server.server.address() as AddressInfo;
  const socket = connect(port, "127.0.0.1");
  socket.write(bytes);
  const [head = "", body = ""] = (await text(socket)).split("\r\n\r\n");
  return { head, body };
}

test.each([
  ["without Host", "GET /healthz HTTP/1.1\r\n"],
  ["with two", "GET /healthz HTTP/1.1\r\nhost: a\r\nHOST: b\r\n"],
  ["with the same twice", "GET /healthz HTTP/1.1\r\nhost: a\r\nhost: a\r\n"],
  ["of HTTP/1.0 with two", "GET /healthz HTTP/1.0\r\nhost: a\r\nhost: b\r\n"],
])("a request %s is refused with a problem document", async (_, request) => {
  const { head, body } = await exchange(`${request}connection: close\r\n\r\n`);
  expect(head).toMatch(/^HTTP\/1\.1 400 /u);
  expect(head).toContain("application/problem+json");
  expect(Problem.parse(JSON.parse(body)).code).toBe("malformed_request");
});

test("HTTP/1.0 knows no Host and needs none", async () => {
  const { head } = await exchange("GET /healthz HTTP/1.0\r\n\r\n");
  expect(head).toMatch(/^HTTP\/1\.1 200 /u);
});

test("an unknown expectation does not keep the request from being answered", async () => {
  const { head, body } = await exchange(
    "GET /api/status HTTP/1.1\r\nhost: x\r\nexpect: miracles\r\nconnection: close\r\n\r\n",
  );
  expect(head).toMatch(/^HTTP\/1\.1 401 /u);
  expect(Problem.parse(JSON.parse(body)).code).toBe("key_missing");
});

test("a client that hangs up within its body is no failure of the service", async () => {
  const { port } = http.server.server.address() as AddressInfo;
  const arrived = once(http.server.server, "request") as Promise<[IncomingMessage]>;
  const socket = connect(port, "127.0.0.1");
  socket.write(
    `POST /api/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${http.tokens.ingest}\r\n` +
      "content-type: application/json\r\ncontent-length: 100\r\n\r\n[",
  );
  const [request] = await arrived;
  const ended = once(request, "close");
  socket.resetAndDestroy();
  await ended.catch(() => undefined);
  await nextTurn();
  expect(http.lines.filter((line) => line.includes("failed"))).toEqual([]);
});
