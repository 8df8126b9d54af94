import { EMPTY_ENTRY, FAILURE, parsePolicy, parseSelectionId, SUCCESS } from "@staunch/engine";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createHttpApp, send, START_MS, type HttpApp } from "../../test/http-app.ts";
import { time } from "./route.ts";

const WORKERS = ["worker-1", "worker-2", "worker-3", "worker-4"];
const BIDS = WORKERS.map((id, index) => ({ id, price: 10 + index, time_ms: 1000 }));
const NAN = Float64Array.of(Number.NaN);

let http: HttpApp;

beforeEach(async () => {
  http = await createHttpApp();
  const parsed = parsePolicy({ extends: "compute-worker" });
  if (parsed.type === "invalid") throw new Error("the preset is no policy");
  const why = { issuer: "key:test", reason: "test" };
  const acts = [{ type: "policy.activated", kind: "worker", policy: parsed.policy, ...why } as const];
  await http.app.partition.submit({ ...EMPTY_ENTRY, acts });
  for (const id of WORKERS) {
    await send(http, "operator", "PUT", `/api/subjects/${id}`, {
      body: { kind: "worker", operator: null, attributes: {}, reason: "joins" },
    });
  }
});

afterEach(() => http.close());

test("a selection names the choice, every bid with its parts, and the same again under its id", async () => {
  const made = (await select({})).json();
  expect(made).toMatchObject({
    kind: "worker",
    policy: "compute-worker",
    method: "power-of-two",
    mode: "draw",
  });
  expect(made.bids).toHaveLength(4);
  expect(made.bids[0].id).toBe(made.chosen);
  expect(made.pair).toContain(made.chosen);
  for (const bid of made.bids) {
    const { parts } = bid;
    const sum = parts.reputation + parts.health + parts.price + parts.time;
    const value = sum * bid.condition_factor * bid.load_factor;
    expect(bid.value).toBeCloseTo(value, 12);
  }
  const read = await send(http, "viewer", "GET", `/api/selections/${made.id}`);
  expect(read.json()).toEqual(made);
});

test("the same seed and the same state give the same choice, and a repeat under one key acts once", async () => {
  const key = { "idempotency-key": "job-1" };
  const first = (await select({ seed: 7 }, key)).json();
  const again = (await select({ seed: 7 }, key)).json();
  expect(again).toEqual(first);
  expect((await work(first.chosen)).jobs.in_flight).toBe(1);
  const other = await select({ seed: 8 }, key);
  expect(other.json()).toMatchObject({ code: "idempotency_key_reused" });
});

test("the outcome closes the selection and frees the worker; a second one is refused", async () => {
  const made = (await select({})).json();
  expect(await report(made, FAILURE)).toMatchObject({ type: "applied", refusedJobs: [] });
  const closed = (await send(http, "viewer", "GET", `/api/selections/${made.id}`)).json();
  const best = Math.max(...made.bids.map(({ value }: { value: number }) => value));
  expect(closed).toMatchObject({ outcome: "failure", closed_at: expect.any(String) });
  expect(closed.regret).toBeCloseTo(best - made.bids[0].value, 12);
  expect(await work(made.chosen)).toMatchObject({
    momentum: 0.9,
    jobs: { completed: 0, failed: 1, in_flight: 0, success_rate: 0 },
  });
  const second = await report(made, SUCCESS);
  expect(second).toMatchObject({ refusedJobs: [{ row: 0, code: "selection_not_open" }] });
  expect(await work(made.chosen)).toMatchObject({ jobs: { completed: 0, failed: 1 } });
});

test("a banned worker is never chosen, and with none left the answer says why", async () => {
  for (const id of WORKERS) {
    await send(http, "operator", "POST", `/api/subjects/${id}/penalties`, {
      body: { type: "ban", severity: "critical", points: 0, reason: "fraud" },
    });
  }
  const made = (await select({})).json();
  expect(made).toMatchObject({ mode: "none", chosen: null });
  expect(made.bids.map(({ excluded }: { excluded: string }) => excluded)).toEqual(
    WORKERS.map(() => "banned"),
  );
});

test("who may not be chosen is told why, in the words of the selection", async () => {
  expect((await eligibilityOf("worker-1")).json()).toEqual({
    id: "worker-1",
    kind: "worker",
    eligible: true,
    reasons: [],
    as_of: time(START_MS),
  });
  const until = time(START_MS + 3_600_000);
  const banned = await send(http, "operator", "POST", "/api/subjects/worker-1/penalties", {
    body: { type: "ban", reason: "fraud", expires_at: until },
  });
  const detail = `banned until ${until}: fraud`;
  expect((await eligibilityOf("worker-1")).json()).toMatchObject({
    eligible: false,
    reasons: [{ code: "banned", detail, penalty_id: banned.json().id, until }],
  });
  const made = (await select({})).json();
  expect(made.bids.at(-1)).toMatchObject({ id: "worker-1", excluded: "banned" });
  await send(http, "operator", "DELETE", `/api/penalties/${banned.json().id}?reason=appeal`);
  expect((await eligibilityOf("worker-1")).json()).toMatchObject({ eligible: true });
});

test("eligibility of nobody is not found", async () => {
  expect((await eligibilityOf("nobody")).json()).toMatchObject({ code: "subject_not_found" });
});

test.each([
  ["a negative price", { bids: [{ id: "worker-1", price: -1, time_ms: 1 }] }, 400, "request_invalid"],
  ["an estimate of 0", { bids: [{ id: "worker-1", price: 1, time_ms: 0 }] }, 400, "request_invalid"],
  ["no bid", { bids: [] }, 400, "request_invalid"],
  ["an unknown worker", { bids: [{ id: "nobody", price: 1, time_ms: 1 }] }, 400, "request_invalid"],
  ["two bids of one", { bids: [BIDS[0]!, BIDS[0]!] }, 400, "request_invalid"],
  ["an unknown kind", { kind: "nothing" }, 404, "kind_not_found"],
  ["a kind without jobs", { kind: "provider" }, 409, "no_job_source"],
  ["an unknown field", { bid: 1 }, 400, "request_invalid"],
])("%s is refused and nobody gets a job", async (_, change, status, code) => {
  const answer = await select(change);
  expect(answer.json()).toMatchObject({ code });
  expect(answer.statusCode).toBe(status);
  for (const id of WORKERS) expect((await work(id)).jobs.in_flight).toBe(0);
});

test("an id that names no selection is not found", async () => {
  for (const id of ["sel_1_9", "sel_x", "pen_1_0"]) {
    const answer = await send(http, "viewer", "GET", `/api/selections/${id}`);
    expect(answer.json()).toMatchObject({ code: "selection_not_found", status: 404 });
  }
});

test("the network counts who is known, heard and well", async () => {
  const before = (await network()).json();
  expect(before).toMatchObject({ known: 4, rated: 0, active: 0, health: null, average_score: null });
  const made = (await select({})).json();
  expect((await network()).json()).toMatchObject({ open_selections: 1 });
  await report(made, SUCCESS);
  const after = (await network()).json();
  expect(after).toMatchObject({
    known: 4,
    rated: 1,
    active: 1,
    healthy: 1,
    success_rate: 1,
    open_selections: 0,
  });
  const sum = after.parts.reduce(
    (total: number, { value, weight }: { value: number | null; weight: number }) =>
      total + (value ?? 0) * weight,
    0,
  );
  expect(after.health).toBeCloseTo(100 * sum, 9);
  const metrics = (await send(http, "viewer", "GET", "/metrics")).body;
  expect(metrics).toContain('staunch_network_active{kind="worker"} 1');
  expect(metrics).not.toContain('staunch_network_active{kind="provider"}');
  const provider = await send(http, "viewer", "GET", "/api/network/provider");
  expect(provider.json()).toMatchObject({ code: "no_job_source" });
});

function select(
  change: { readonly [key: string]: unknown },
  headers: { readonly [name: string]: string } = {},
) {
  const body = JSON.parse(JSON.stringify({ kind: "worker", bids: BIDS, ...change }));
  return send(http, "ingest", "POST", "/api/selections", { body, headers });
}

async function work(id: string) {
  return (await send(http, "viewer", "GET", `/api/subjects/${id}/work`)).json();
}

function eligibilityOf(id: string) {
  return send(http, "viewer", "GET", `/api/subjects/${id}/eligibility`);
}

function network() {
  return send(http, "viewer", "GET", "/api/network/worker");
}

async function report(made: { id: string; chosen: string }, outcome: number) {
  const { state } = http.app.partition;
  const submitted = await http.app.partition.submit({
    ...EMPTY_ENTRY,
    jobs: {
      count: 1,
      at: Float64Array.of(START_MS),
      subject: Uint32Array.of(state.ids.find(made.chosen)),
      outcome: Uint8Array.of(outcome),
      durationMs: Float64Array.of(1000),
      expectedMs: NAN,
      usedShare: NAN,
      quality: NAN,
      earnings: NAN,
      selection: Float64Array.of(parseSelectionId(made.id)),
      jobClass: null,
      jobId: null,
    },
  });
  if (submitted.type === "refused") throw new Error("refused");
  return submitted.result;
}
