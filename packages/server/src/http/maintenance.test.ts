import { MaintenanceWindow } from "@staunch/contract";
import type { Json } from "@staunch/engine";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createHttpApp, send, START_MS, type HttpApp } from "../../test/http-app.ts";
import { time } from "./route.ts";

const HOUR_MS = 3_600_000;
const FROM = time(START_MS + HOUR_MS);
const TO = time(START_MS + 3 * HOUR_MS);

let http: HttpApp;

beforeEach(async () => {
  http = await createHttpApp();
  await send(http, "operator", "PUT", "/api/subjects/node-1", { body: {} });
});

afterEach(() => http.close());

describe("announced maintenance", () => {
  test("is announced with the key of an agent, begins and ends by itself, and is told", async () => {
    const made = await announce({});
    expect(made.statusCode).toBe(201);
    const window = MaintenanceWindow.parse(made.json());
    expect(window).toMatchObject({ subject: "node-1", from: FROM, to: TO, status: "announced" });
    await passTo(START_MS + HOUR_MS);
    expect((await read("/eligibility")).json()).toMatchObject({
      eligible: false,
      reasons: [
        {
          code: "maintenance",
          window_id: window.id,
          until: TO,
          detail: `in maintenance until ${TO}: new disks`,
        },
      ],
    });
    await passTo(START_MS + 3 * HOUR_MS);
    expect((await read("/eligibility")).json()).toMatchObject({ eligible: true });
    const { crossings } = (await read("/history")).json();
    expect(crossings.map(({ type }: { type: string }) => type)).toEqual([
      "maintenance.announced",
      "maintenance.started",
      "maintenance.ended",
    ]);
    expect(crossings[1].detail).toMatchObject({ id: window.id, starts_at: FROM, ends_at: TO });
  });

  test("excuses the probes that find nobody, and shows them all the same", async () => {
    await announce({});
    await passTo(START_MS + 2 * HOUR_MS);
    const probe = { type: "metric", subject: "node-1", metric: "uptime", value: 0 };
    const before = (await read("")).json();
    const answer = await send(http, "ingest", "POST", "/api/events", { body: [probe] });
    expect(answer.json()).toMatchObject({ accepted: 1 });
    const after = (await read("")).json();
    expect(after.components).toEqual(before.components);
    expect((await read("/metrics/uptime")).json().aggregate).toMatchObject({ count: 1, average: 0 });
  });

  test("lists what is announced and what is left of the allowance", async () => {
    const later = (
      await announce({ from: time(START_MS + 24 * HOUR_MS), to: time(START_MS + 32 * HOUR_MS) })
    ).json();
    const sooner = (await announce({})).json();
    const plan = (await read("/maintenance")).json();
    expect(plan).toMatchObject({ items: [sooner, later], allowance_ms: 24 * HOUR_MS, left_ms: 14 * HOUR_MS });
    await send(http, "ingest", "DELETE", `/api/maintenance/${later.id}?reason=postponed`);
    const after = (await read("/maintenance")).json();
    expect(after.left_ms).toBe(22 * HOUR_MS);
    expect(after.items[1]).toMatchObject({ status: "cancelled", cancelled_at: time(START_MS) });
  });

  test("says how much is left when it is too much", async () => {
    for (const day of [1, 2, 3])
      await announce({
        from: time(START_MS + day * 24 * HOUR_MS),
        to: time(START_MS + (day * 24 + 7) * HOUR_MS),
      });
    const answer = await announce({
      from: time(START_MS + 96 * HOUR_MS),
      to: time(START_MS + 100 * HOUR_MS),
    });
    expect(answer.json()).toMatchObject({
      code: "maintenance_over_allowance",
      detail: "of 24h in 30 days 3h are left; make it shorter",
    });
  });

  test("acts once under one idempotency key", async () => {
    const headers = { "idempotency-key": "window-1" };
    const first = await announce({}, headers);
    expect((await announce({}, headers)).json()).toEqual(first.json());
    expect((await read("/maintenance")).json().items).toHaveLength(1);
  });

  test.each<[string, { readonly [key: string]: Json }, number, string]>([
    ["that ends before it begins", { from: TO, to: FROM }, 422, "maintenance_empty"],
    ["that is over", { from: time(START_MS - 1000), to: time(START_MS) }, 422, "maintenance_empty"],
    ["of yesterday", { from: time(START_MS - 24 * HOUR_MS) }, 422, "maintenance_too_soon"],
    ["without a reason", { reason: "" }, 400, "request_invalid"],
  ])("%s is refused", async (_, change, status, code) => {
    const answer = await announce(change);
    expect([answer.statusCode, answer.json().code]).toEqual([status, code]);
    expect((await read("/maintenance")).json().items).toEqual([]);
  });

  test("is cancelled by who announced it or an operator, not by another agent", async () => {
    const byOperator = await send(http, "operator", "POST", "/api/subjects/node-1/maintenance", {
      body: { reason: "new disks", from: FROM, to: TO },
    });
    const refused = await send(http, "ingest", "DELETE", `/api/maintenance/${byOperator.json().id}?reason=x`);
    expect([refused.statusCode, refused.json().code]).toEqual([403, "maintenance_of_another"]);
    const own = (await announce({ from: TO, to: time(START_MS + 4 * HOUR_MS) })).json();
    const lifted = await send(http, "operator", "DELETE", `/api/maintenance/${own.id}?reason=x`);
    expect(lifted.json()).toMatchObject({ id: own.id, status: "cancelled" });
  });

  test("of nobody is not found, and viewers announce nothing", async () => {
    const body = { reason: "x", to: TO };
    expect(
      (await send(http, "ingest", "POST", "/api/subjects/nobody/maintenance", { body })).json(),
    ).toMatchObject({
      code: "subject_not_found",
    });
    expect(
      (await send(http, "viewer", "POST", "/api/subjects/node-1/maintenance", { body })).json(),
    ).toMatchObject({
      code: "role_not_allowed",
    });
  });
});

async function passTo(ms: number): Promise<void> {
  http.clock.set(ms);
  await http.app.partition.tick();
}

function announce(
  change: { readonly [key: string]: Json },
  headers: { readonly [name: string]: string } = {},
) {
  const body = { reason: "new disks", from: FROM, to: TO, ...change };
  return send(http, "ingest", "POST", "/api/subjects/node-1/maintenance", { body, headers });
}

function read(path: string) {
  return send(http, "viewer", "GET", `/api/subjects/node-1${path}`);
}
