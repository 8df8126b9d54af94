import { ROUTES, type LIVE_TYPES, type Problem, type Route } from "@staunch/contract";
import type { Json } from "@staunch/engine";
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import { createHttpApp, send, type HttpApp } from "../../test/http-app.ts";
import type { LiveType } from "../app/live/filter.ts";

const rows = Object.entries(ROUTES).flatMap(([group, operations]) =>
  Object.entries(operations).map(([name, route]): [string, Route] => [`${group}.${name}`, route]),
);

let http: HttpApp;
beforeAll(async () => {
  http = await createHttpApp();
  await send(http, "operator", "PUT", "/api/subjects/node-1", { body: {} });
});
afterAll(() => http.close());

describe("the routes of the contract", () => {
  test("are those of the server, with their roles, and no other", () => {
    const served = http.server.routeTable.rows
      .filter(({ method, url }) => method !== "HEAD" && !url.startsWith("/docs"))
      .map(({ method, url, role }) => `${method} ${url.replaceAll(/:(\w+)/gu, "{$1}")} ${role}`);
    const declared = rows.map(([, { method, path, role }]) => `${method} ${path} ${role}`);
    expect(served.toSorted()).toEqual(declared.toSorted());
  });

  test("name no two parts of a request alike, so that one object can hold them all", () => {
    for (const [name, { params, query, body }] of rows) {
      const names = [params, query, body].flatMap((part) =>
        part !== undefined && "shape" in part ? Object.keys(part.shape as object) : [],
      );
      expect(names, name).toEqual([...new Set(names)]);
    }
  });

  test("declare the parameters of their path", () => {
    for (const [name, { path, params }] of rows) {
      const inPath = [...path.matchAll(/\{(\w+)\}/gu)].map((match) => match[1]!);
      expect(Object.keys(params?.shape ?? {}), name).toEqual(inPath);
    }
  });

  test("take an Idempotency-Key exactly where they say so", async () => {
    for (const [name, { method, path, body, query, repeat }] of rows) {
      if (method === "GET") continue;
      const url = path.replaceAll(/\{\w+\}/gu, "node-1");
      const reason = query !== undefined && "reason" in query.shape ? "?reason=x" : "";
      const example = (body?.meta()?.["examples"] as Json[] | undefined)?.[0];
      const headers = { "idempotency-key": "x".repeat(300) };
      const answer = await send(http, "admin", method, url + reason, { body: example, headers });
      const { errors = [] }: Partial<Problem> = answer.json();
      const refused = errors.some(({ parameter }) => parameter?.toLowerCase() === "idempotency-key");
      expect(refused, name).toBe(repeat === "keyed");
    }
  });

  test("offer every effect of the engine as a live update", () => {
    expectTypeOf<(typeof LIVE_TYPES)[number]>().toEqualTypeOf<LiveType>();
  });
});
