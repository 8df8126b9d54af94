import { MisbehaviourReport } from "@staunch/contract";
import type { Json } from "@staunch/engine";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createHttpApp, send, START_MS, type HttpApp } from "../../test/http-app.ts";
import type { Role } from "../app/principal.ts";
import { time } from "./route.ts";

let http: HttpApp;

beforeEach(async () => {
  http = await createHttpApp();
  await send(http, "operator", "PUT", "/api/subjects/node-1", { body: {} });
});

afterEach(() => http.close());

const ACCUSATION = { reason: "returned another job's result", evidence: ["diff-1"], job_id: "job-1" };

describe("a report of misbehaviour", () => {
  test("is made with the key of a probe, confirmed by an operator, and becomes a penalty and a crossing", async () => {
    const made = await accuse();
    expect(made.statusCode).toBe(201);
    const report = MisbehaviourReport.parse(made.json());
    expect(report).toMatchObject({
      subject: "node-1",
      status: "pending",
      ...ACCUSATION,
      at: time(START_MS),
      confirmation: null,
      penalty_id: null,
    });
    const before = (await standing()).score;
    const confirmed = (await decide("operator", report.id, "confirm")).json();
    expect(confirmed).toMatchObject({ id: report.id, status: "confirmed", confirmation: { reason: "seen" } });
    const after = await standing();
    expect(after.score).toBeLessThan(before);
    expect(after.penalties).toMatchObject([
      { id: confirmed.penalty_id, type: "malicious_behavior", evidence: [`misbehaviour:${report.id}`] },
    ]);
    const { crossings, sanctions } = (await readAs("operator", "/api/subjects/node-1/history")).json();
    expect(crossings).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          type: "misbehaviour.confirmed",
          detail: { id: report.id, issuer: confirmed.confirmation.issuer, reason: "seen", job_id: "job-1" },
        }),
      ]),
    );
    expect(sanctions).toContainEqual({ kind: "misbehaviour", ...confirmed });
  });

  test("is overturned by dismissing it, and by revoking its penalty", async () => {
    const before = (await standing()).components;
    const [first, second] = [(await accuse()).json().id, (await accuse()).json().id];
    for (const id of [first, second]) await decide("operator", id, "confirm");
    const dismissed = (await decide("admin", first, "dismiss")).json();
    expect(dismissed).toMatchObject({
      status: "dismissed",
      confirmation: { reason: "seen" },
      dismissal: { reason: "seen" },
    });
    await send(http, "operator", "DELETE", `/api/penalties/${second.replace("mis", "pen")}?reason=appeal`);
    const list = (await read("/api/subjects/node-1/misbehaviour?status=dismissed")).json();
    expect(list.items.map(({ id }: { id: string }) => id)).toEqual([second, first]);
    expect((await standing()).components).toEqual(before);
  });

  test("is listed newest first, page by page, by status", async () => {
    const ids: string[] = [];
    for (let index = 0; index < 3; index++) {
      ids.push((await accuse()).json().id);
      http.clock.advance(1000);
    }
    await decide("operator", ids[1]!, "dismiss");
    const first = (await read("/api/subjects/node-1/misbehaviour?limit=2")).json();
    const cursor = `&cursor=${first.next}`;
    const second = (await read(`/api/subjects/node-1/misbehaviour?limit=2${cursor}`)).json();
    const listed = [...first.items, ...second.items].map(({ id }: { id: string }) => id);
    expect(listed).toEqual(ids.toReversed());
    expect(second.next).toBeNull();
    const pending = (await read("/api/subjects/node-1/misbehaviour?status=pending")).json();
    expect(pending.items.map(({ id }: { id: string }) => id)).toEqual([ids[2], ids[0]]);
  });

  test("waits with those of all subjects, oldest first, until somebody decides", async () => {
    await send(http, "operator", "PUT", "/api/subjects/node-2", { body: {} });
    const url = "/api/subjects/node-2/misbehaviour";
    const first = (await accuse()).json();
    const second = (await send(http, "ingest", "POST", url, { body: ACCUSATION })).json();
    http.clock.advance(1000);
    const third = (await accuse()).json();
    const page = (await readAs("operator", "/api/misbehaviour?limit=2")).json();
    expect(page.items).toEqual([first, second]);
    const rest = (await readAs("operator", `/api/misbehaviour?limit=2&cursor=${page.next}`)).json();
    expect(rest).toMatchObject({ items: [third], next: null });
    await decide("operator", first.id, "confirm");
    await decide("operator", third.id, "dismiss");
    expect((await readAs("operator", "/api/misbehaviour")).json().items).toEqual([second]);
  });

  test("shows its evidence and who made it to operators only, wherever it is told", async () => {
    const { reporter } = (await accuse({ ...ACCUSATION, context: { trace: 17 } })).json();
    const list = "/api/subjects/node-1/misbehaviour";
    const history = "/api/subjects/node-1/history";
    for (const url of [list, history]) {
      expect((await readAs("operator", url)).body).toContain(reporter);
      for (const role of ["viewer", "ingest"] as const) {
        const { body } = await readAs(role, url);
        expect(body).toContain(ACCUSATION.reason);
        for (const hidden of [reporter, "diff-1", "trace"]) expect(body).not.toContain(hidden);
      }
    }
    expect((await read("/api/misbehaviour")).json().code).toBe("role_not_allowed");
  });

  test("acts once under one idempotency key", async () => {
    const headers = { "idempotency-key": "audit-1" };
    const first = await accuse(ACCUSATION, headers);
    expect((await accuse(ACCUSATION, headers)).json()).toEqual(first.json());
    expect((await read("/api/subjects/node-1/misbehaviour")).json().items).toHaveLength(1);
  });

  test.each<[string, { readonly [key: string]: Json }, number, string]>([
    ["without evidence", { evidence: [] }, 400, "request_invalid"],
    ["with too much evidence", { evidence: Array.from({ length: 33 }, () => "x") }, 400, "request_invalid"],
    ["without a reason", { reason: " " }, 400, "request_invalid"],
    ["from the future", { at: time(START_MS + 600_000) }, 422, "time_invalid"],
  ])("%s is refused", async (_, change, status, code) => {
    const answer = await accuse({ ...ACCUSATION, ...change });
    expect([answer.statusCode, answer.json().code]).toEqual([status, code]);
    expect((await read("/api/subjects/node-1/misbehaviour")).json().items).toEqual([]);
  });

  test("needs the role to send events, and a decision that of an operator", async () => {
    const { id } = (await accuse()).json();
    expect((await decide("ingest", id, "confirm")).json().code).toBe("role_not_allowed");
    const answer = await send(http, "viewer", "POST", "/api/subjects/node-1/misbehaviour", {
      body: ACCUSATION,
    });
    expect(answer.json().code).toBe("role_not_allowed");
  });
});

test("events report misbehaviour too, and the answer names the report", async () => {
  const event = { type: "misbehaviour", subject: "node-1", ...ACCUSATION };
  const answer = await send(http, "ingest", "POST", "/api/events", { body: [event] });
  const [sanction] = answer.json().sanctions;
  const { items } = (await readAs("operator", "/api/subjects/node-1/misbehaviour")).json();
  expect(items).toMatchObject([{ id: sanction.id, ...ACCUSATION, status: "pending" }]);
});

test("events that find no room are rejected like reports", async () => {
  Object.defineProperty(http.app.partition.state.sanctions.pendingReports, "size", { value: 100_000 });
  const event = { type: "misbehaviour", subject: "node-1", ...ACCUSATION };
  const answer = await send(http, "ingest", "POST", "/api/events", { body: [event] });
  expect(answer.json().errors).toMatchObject([{ code: "too_many_waiting_reports" }]);
});

function accuse(body: Json = ACCUSATION, headers: { readonly [name: string]: string } = {}) {
  return send(http, "ingest", "POST", "/api/subjects/node-1/misbehaviour", { body, headers });
}

function decide(role: Role, id: string, verdict: "confirm" | "dismiss") {
  return send(http, role, "POST", `/api/misbehaviour/${id}/${verdict}`, { body: { reason: "seen" } });
}

function read(url: string) {
  return readAs("viewer", url);
}

function readAs(role: Role, url: string) {
  return send(http, role, "GET", url);
}

async function standing() {
  return (await read("/api/subjects/node-1")).json();
}
