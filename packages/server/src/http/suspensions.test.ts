import { Suspension } from "@staunch/contract";
import type { Json } from "@staunch/engine";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createHttpApp, send, START_MS, type HttpApp } from "../../test/http-app.ts";
import { time } from "./route.ts";

const HOUR_MS = 3_600_000;
const UNTIL = time(START_MS + HOUR_MS);

let http: HttpApp;

beforeEach(async () => {
  http = await createHttpApp();
  await send(http, "operator", "PUT", "/api/subjects/node-1", { body: {} });
});

afterEach(() => http.close());

describe("a suspension by hand", () => {
  test("is shown everywhere, ends by itself, and stays on record", async () => {
    const made = await suspend({ expires_at: UNTIL, evidence: ["OPS-1"] });
    expect(made.statusCode).toBe(201);
    const suspension = Suspension.parse(made.json());
    expect(suspension).toMatchObject({ subject: "node-1", status: "active", level: 0, expires_at: UNTIL });
    expect((await read("")).json()).toMatchObject({ suspended: true, banned: false });
    expect((await read("/eligibility")).json()).toMatchObject({
      eligible: false,
      reasons: [
        {
          code: "suspended",
          suspension_id: suspension.id,
          until: UNTIL,
          detail: `suspended until ${UNTIL}: sick`,
        },
      ],
    });
    http.clock.advance(HOUR_MS);
    await http.app.partition.tick();
    expect((await read("")).json()).toMatchObject({ suspended: false });
    const { items } = (await read("/suspensions")).json();
    expect(items).toEqual([{ ...suspension, status: "ended", ended_at: UNTIL }]);
    const { crossings, sanctions } = (await read("/history")).json();
    expect(crossings.map(({ type }: { type: string }) => type)).toEqual([
      "suspension.started",
      "suspension.ended",
    ]);
    expect(sanctions).toEqual([{ kind: "suspension", ...items[0] }]);
  });

  test("is lifted, once", async () => {
    const { id } = (await suspend({})).json();
    const lift = () => send(http, "operator", "DELETE", `/api/suspensions/${id}?reason=well`);
    expect((await lift()).json()).toMatchObject({ id, status: "revoked", ended_at: time(START_MS) });
    expect((await lift()).json()).toMatchObject({ code: "suspension_not_active" });
    expect((await read("/eligibility")).json()).toMatchObject({ eligible: true });
  });

  test("acts once under one idempotency key, and there is one at a time", async () => {
    const headers = { "idempotency-key": "ops-1" };
    const first = await suspend({}, headers);
    expect((await suspend({}, headers)).json()).toEqual(first.json());
    expect((await suspend({})).json()).toMatchObject({ code: "already_suspended" });
  });

  test.each<[string, { readonly [key: string]: Json }, number, string]>([
    ["that has ended already", { expires_at: time(START_MS) }, 422, "time_invalid"],
    ["without a reason", { reason: "" }, 400, "request_invalid"],
    ["with an unknown field", { until: UNTIL }, 400, "request_invalid"],
  ])("%s is refused", async (_, change, status, code) => {
    const answer = await suspend(change);
    expect([answer.statusCode, answer.json().code]).toEqual([status, code]);
    expect((await read("")).json()).toMatchObject({ suspended: false });
  });

  test("needs an operator", async () => {
    const answer = await send(http, "ingest", "POST", "/api/subjects/node-1/suspensions", {
      body: { reason: "sick" },
    });
    expect(answer.json().code).toBe("role_not_allowed");
  });
});

function suspend(body: { readonly [key: string]: Json }, headers: { readonly [name: string]: string } = {}) {
  return send(http, "operator", "POST", "/api/subjects/node-1/suspensions", {
    body: { reason: "sick", ...body },
    headers,
  });
}

function read(path: string) {
  return send(http, "viewer", "GET", `/api/subjects/node-1${path}`);
}
