import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createHttpApp, send, type HttpApp } from "../../test/http-app.ts";
import { ROLES, type Role } from "../app/principal.ts";
import { RateLimit } from "./rate-limit.ts";

/** Parameters of the routes' patterns; what they name exists, so that a denied request is denied by its role. */
const PARAMETERS: { readonly [name: string]: string } = {
  id: "node-1",
  metric: "uptime",
  kind: "provider",
};

let http: HttpApp;
beforeAll(async () => {
  http = await createHttpApp();
  await send(http, "operator", "PUT", "/api/subjects/node-1", { body: {} });
});
afterAll(() => http.close());

describe("every route of the server", () => {
  test("is known by method, path and role", async () => {
    const table = http.server.routeTable.rows
      .filter(({ method, url }) => method !== "HEAD" && !url.startsWith("/docs"))
      .map(({ method, url, role }) => `${role.padEnd(8)} ${method.padEnd(6)} ${url}`)
      .toSorted();
    await expect(`${table.join("\n")}\n`).toMatchFileSnapshot("./routes.snapshot.txt");
  });

  test("only health, readiness, the reference page and its description need no key", () => {
    const open = http.server.routeTable.rows.filter(({ role }) => role === "public").map(({ url }) => url);
    const others = open.filter((url) => !url.startsWith("/docs"));
    expect([...new Set(others)].toSorted()).toEqual(["/api/openapi.json", "/healthz", "/readyz"]);
  });

  test("lets in who has its role or a higher one, and nobody else", async () => {
    const { rows } = http.server.routeTable;
    expect(rows.length).toBeGreaterThan(40);
    for (const { method, url, role } of rows) {
      const path = url.replace(/:(\w+)/gu, (_, name: string) => PARAMETERS[name]!).replace("*", "none");
      for (const asked of [null, ...ROLES]) {
        const answer = await send(http, asked, method as "GET", path);
        const allowed = role === "public" || (asked !== null && ROLES.indexOf(asked) >= ROLES.indexOf(role));
        const denied = answer.statusCode === 401 || answer.statusCode === 403;
        expect(denied, `${asked} ${method} ${path}: ${answer.statusCode}`).toBe(!allowed);
        if (denied) expect(answer.statusCode).toBe(asked === null ? 401 : 403);
      }
    }
  });

  test("has a role that exists", () => {
    const roles: readonly (Role | "public")[] = ["public", ...ROLES];
    for (const { role } of http.server.routeTable.rows) expect(roles).toContain(role);
  });
});

test("a route that does not say its role keeps the server from starting", async () => {
  const other = await createHttpAppWithExtraRoute();
  expect(other).toThrow(/does not say its role/u);
});

describe("requests without a valid key", () => {
  test("have a limit per address that grows back with time, and valid keys have none", async () => {
    const limited = await createHttpApp({ publicRequestsPerSecond: 3 });
    const statuses = async (role: Role | null, count: number): Promise<number[]> => {
      const answers = [];
      for (let index = 0; index < count; index++)
        answers.push((await send(limited, role, "GET", "/healthz")).statusCode);
      return answers;
    };
    expect(await statuses(null, 5)).toEqual([200, 200, 200, 429, 429]);
    expect(await statuses("viewer", 5)).toEqual([200, 200, 200, 200, 200]);
    limited.clock.advance(1000);
    expect(await statuses(null, 4)).toEqual([200, 200, 200, 429]);
    await limited.close();
  });

  test("wrong keys count as none, so guessing is slow", async () => {
    const limited = await createHttpApp({ publicRequestsPerSecond: 2 });
    const guess = { headers: { authorization: "Bearer stn_guess" } };
    const answers = [];
    for (let index = 0; index < 3; index++)
      answers.push(await send(limited, null, "GET", "/api/status", guess));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([401, 401, 429]);
    expect(answers[2]!.headers["retry-after"]).toBe("1");
    expect(answers[0]!.headers["ratelimit-policy"]).toBe('"public";q=2;w=1');
    expect(answers[0]!.headers["ratelimit"]).toBe('"public";r=1;t=1');
    await limited.close();
  });

  test("addresses of one IPv6 network share the limit, others do not", () => {
    const limit = new RateLimit(1, () => 0);
    expect(limit.take("2001:db8:1:2:3::1").allowed).toBe(true);
    expect(limit.take("2001:db8:1:2::ffff").allowed).toBe(false);
    expect(limit.take("2001:db8:1:3::1").allowed).toBe(true);
    expect(limit.take("::1").allowed).toBe(true);
    expect(limit.take("10.0.0.1").allowed).toBe(true);
    expect(limit.take("10.0.0.2").allowed).toBe(true);
    expect(limit.take("10.0.0.1").allowed).toBe(false);
  });
});

async function createHttpAppWithExtraRoute(): Promise<() => void> {
  const { fastify } = await import("fastify");
  const { controlAccess } = await import("./access.ts");
  const server = fastify();
  controlAccess(server, {
    authenticate: () => null,
    publicRequestsPerSecond: 1,
    now: () => 0,
  });
  return () => server.get("/open", async () => "open");
}
