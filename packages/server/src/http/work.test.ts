import { EMPTY_ENTRY, parsePolicy, type Json } from "@staunch/engine";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createHttpApp, send, START_MS, type HttpApp } from "../../test/http-app.ts";
import { Facts } from "../app/facts/facts.ts";
import { time } from "./route.ts";

const WORKERS = ["worker-1", "worker-2", "worker-3", "worker-4"];
const BIDS = WORKERS.map((id, index) => ({ id, price: 10 + index, time_ms: 1000 }));
/** Of what is drawn from it the choice is an ordinary one, not one of exploration. */
const SEED = 7;

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
  expect(await report(made, "failure")).toMatchObject({ accepted: 1, rejected: 0 });
  const closed = (await send(http, "viewer", "GET", `/api/selections/${made.id}`)).json();
  const best = Math.max(...made.bids.map(({ value }: { value: number }) => value));
  expect(closed).toMatchObject({ outcome: "failure", closed_at: expect.any(String) });
  expect(closed.regret).toBeCloseTo(best - made.bids[0].value, 12);
  expect(await work(made.chosen)).toMatchObject({
    momentum: 0.9,
    jobs: { completed: 0, failed: 1, in_flight: 0, success_rate: 0 },
  });
  const second = await report(made, "success");
  expect(second).toMatchObject({ errors: [{ pointer: "/0/selection_id", code: "selection_not_open" }] });
  expect(await work(made.chosen)).toMatchObject({ jobs: { completed: 0, failed: 1 } });
});

test("a burst of selections keeps to the limits of exploration and to the operator's share", async () => {
  const operators = ["a", "a", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "new"];
  const bids = operators.map((operator, index) => {
    return { id: `node-${index}`, price: operator === "a" ? 5 : 10, time_ms: 1000 };
  });
  await sendEvents(
    operators.map((operator, index) => ({
      type: "subject",
      subject: `node-${index}`,
      kind: "worker",
      operator,
    })),
  );
  // All but the last have proven themselves, so that one lives on the exploration share.
  await sendEvents(
    bids.slice(0, -1).flatMap(({ id }) => {
      return Array.from({ length: 120 }, () => ({ type: "job", subject: id, outcome: "success" }));
    }),
  );
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, seed) => select({ bids, seed }).then((answer) => answer.json())),
  );
  const exploring = answers.filter(({ mode }) => mode === "exploration");
  expect(exploring.length).toBeGreaterThan(0);
  expect(exploring.length).toBeLessThanOrEqual(2);
  const ofA = answers.filter(({ chosen }) => ["node-0", "node-1", "node-2"].includes(chosen)).length;
  expect(ofA / answers.length).toBeLessThanOrEqual(0.36);
});

test("regret looks at those who could have been chosen", async () => {
  await send(http, "operator", "POST", "/api/subjects/worker-1/penalties", {
    body: { type: "ban", severity: "critical", points: 0, reason: "fraud" },
  });
  const bids = [{ id: "worker-1", price: 0.001, time_ms: 1 }, ...BIDS.slice(1)];
  const made = (await select({ bids, method: "greedy" })).json();
  expect(made.bids.find(({ id }: { id: string }) => id === "worker-1")).toMatchObject({ excluded: "banned" });
  await report(made, "success");
  expect((await send(http, "viewer", "GET", `/api/selections/${made.id}`)).json().regret).toBe(0);
});

test("ten thousand bids fit into a request, and the rates of thompson are told", async () => {
  const names = Array.from({ length: 10_000 }, (_, index) => `a-worker-with-quite-a-long-name-${index}`);
  await sendEvents(names.map((subject) => ({ type: "subject", subject, kind: "worker" })));
  const bids = names.map((id, index) => ({ id, price: 1 + index / 7, time_ms: 1000 + index / 3 }));
  const made = (await select({ bids, method: "thompson" })).json();
  expect(made.bids).toHaveLength(1_000);
  expect(made.bids_omitted).toBe(9_000);
  expect(made.bids[0]).toMatchObject({ id: made.chosen, rate: expect.any(Number) });
});

test("a worker's service levels, quality and use of resources are told as the jobs said them", async () => {
  const job = { type: "job", subject: "worker-1", outcome: "success", reserved: { cpu: 4 } };
  const taken = await sendEvents([
    { ...job, sla_met: true, quality: 0.5, used: { cpu: 1 } },
    { ...job, sla_met: false, quality: 1, used: { cpu: 3 } },
    { type: "job", subject: "worker-1", outcome: "failure" },
  ]);
  expect(taken.json()).toMatchObject({ accepted: 3 });
  const { jobs } = await work("worker-1");
  expect(jobs.mean_quality).toBeCloseTo(0.75, 12);
  expect(jobs.sla).toMatchObject({ mean: 0.5, trials: 2 });
  expect(jobs.resource_use.mean).toBeCloseTo(0.5, 12);
  expect(jobs.resource_use.upper).toBeGreaterThan(0.5);
  expect((await work("worker-2")).jobs).toMatchObject({ sla: null, resource_use: null, mean_quality: null });
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

test("two outcomes of one selection in one request count once, and a repeat says the same", async () => {
  const made = (await select({})).json();
  const job = { type: "job", subject: made.chosen, outcome: "success", selection_id: made.id };
  const events = [{ type: "job", subject: "worker-9", kind: "worker", outcome: "failure" }, job, job];
  const key = { "idempotency-key": "outcomes-1" };
  const answer = (await sendEvents(events, key)).json();
  expect(answer).toMatchObject({
    accepted: 2,
    rejected: 1,
    results: [{ index: 2, code: "selection_not_open" }],
  });
  const again = (await sendEvents(events, key)).json();
  expect(again).toEqual({
    ...answer,
    duplicate: true,
    position: expect.any(Number),
    logged_at: expect.any(String),
  });
  expect((await work(made.chosen)).jobs).toMatchObject({ completed: 1, in_flight: 0 });
});

test("health and jobs over the interface are what a worker is judged by", async () => {
  const parts = { memory_usage: 98, temperature: 40, cpu_usage: 100 };
  const answer = await sendEvents([
    { type: "health", subject: "worker-1", parts, request_count: 200, error_count: 2 },
    {
      type: "job",
      subject: "worker-1",
      outcome: "success",
      duration_ms: 2000,
      expected_ms: 1000,
      earnings: 5,
    },
    { type: "job", subject: "worker-1", outcome: "declined" },
  ]);
  expect(answer.json()).toMatchObject({ accepted: 3, rejected: 0 });
  const worker = await work("worker-1");
  // Memory is at its bad end; load says nothing beside the others when the machine is idle but in the mean.
  expect(worker.health.parts).toEqual([
    { name: "cpu_usage", value: 100, score: 0, counts: true },
    { name: "memory_usage", value: 98, score: 0, counts: true },
    { name: "temperature", value: 40, score: 100, counts: true },
    { name: "error_rate", value: 1, score: 100, counts: true },
  ]);
  expect(worker.health.reported).toBeCloseTo((0 + 200 / 4) / 2, 9);
  expect(worker.jobs).toMatchObject({ completed: 1, declined: 1, earnings: 5, mean_duration_ms: 2000 });
  const bids = [{ id: "worker-1", price: 1, time_ms: 1 }, BIDS[1]!];
  const made = (await select({ bids })).json();
  expect(made.bids.at(-1)).toMatchObject({ id: "worker-1", excluded: "low_health" });
});

test("how long the completed jobs took is told as percentiles, failures left out", async () => {
  const jobs = Array.from({ length: 99 }, (_, index) => {
    return { type: "job", subject: "worker-1", outcome: "success", duration_ms: 10 * (index + 1) };
  });
  const failed = { type: "job", subject: "worker-1", outcome: "failure", duration_ms: 1 };
  expect((await sendEvents([...jobs, failed])).json()).toMatchObject({ accepted: 100 });
  const { durations, mean_duration_ms: mean } = (await work("worker-1")).jobs;
  expect(mean).toBe(500);
  expect(durations).toMatchObject({ count: 99, average: 500, min: 10, max: 990, exact: true });
  expect(durations.percentiles).toEqual({ p50: 500, p90: 900, p95: 950, p99: 990 });
});

test("classes of jobs have their medians, which count once they are logged", async () => {
  const job = {
    type: "job",
    subject: "worker-1",
    outcome: "success",
    duration_ms: 1000,
    job_class: "transcode",
  };
  await sendEvents([...Array.from({ length: 20 }, () => job), { ...job, job_class: "rare" }]);
  const path = "/api/network/worker/job-classes";
  const before = (await send(http, "viewer", "GET", path)).json();
  expect(before.items).toMatchObject([
    { job_class: "rare", median_ms: null, jobs: 1 },
    { job_class: "transcode", median_ms: null, jobs: 20 },
  ]);
  const { partition } = http.app;
  await new Facts(partition).update();
  const { items } = (await send(http, "viewer", "GET", path)).json();
  expect(items.map(({ median_ms }: { median_ms: number | null }) => median_ms)).toEqual([
    null,
    before.items[1].observed_ms,
  ]);
  expect(Math.abs(items[1].observed_ms / 1000 - 1)).toBeLessThan(0.01);
  const { position } = partition.state;
  await new Facts(partition).update();
  expect(partition.state.position).toBe(position);
  const provider = await send(http, "viewer", "GET", "/api/network/provider/job-classes");
  expect(provider.json()).toMatchObject({ code: "no_job_source" });
});

test("a new worker of a known operator starts from the operator's record, however it is registered", async () => {
  const jobs = Array.from({ length: 100 }, () => ({ type: "job", subject: "worker-1", outcome: "failure" }));
  await sendEvents([{ type: "subject", subject: "worker-1", operator: "acme" }, ...jobs]);
  await sendEvents([{ type: "subject", subject: "worker-8", kind: "worker", operator: "acme" }]);
  const profile = { kind: "worker", operator: "acme", attributes: {}, reason: "joins" };
  await send(http, "operator", "PUT", "/api/subjects/worker-9", { body: profile });
  const scoreOf = async (id: string): Promise<number> =>
    (await send(http, "viewer", "GET", `/api/subjects/${id}`)).json().score;
  const known = await scoreOf("worker-1");
  // In one request with its first evidence all the same.
  await sendEvents([
    { type: "health", subject: "worker-7", kind: "worker", parts: { memory_usage: 10 } },
    { type: "subject", subject: "worker-7", kind: "worker", operator: "acme" },
  ]);
  // Success, and reliability as long as no health is reported, are what every job feeds.
  const expected = 60 + (0.4 + 0.25) * ((50 * 60 + 100 * known) / 150 - 60);
  expect(await scoreOf("worker-8")).toBeCloseTo(expected, 3);
  expect(await scoreOf("worker-9")).toBeCloseTo(expected, 3);
  expect(await scoreOf("worker-2")).toBeCloseTo(60, 3);
  expect(await scoreOf("worker-7")).toBeLessThan(55);
});

test("anybody may name an operator, but only who may be believed gains by it, and leaving leaves the name as well", async () => {
  const good = Array.from({ length: 100 }, () => ({ type: "job", subject: "worker-1", outcome: "success" }));
  await sendEvents([{ type: "subject", subject: "worker-1", operator: "acme" }, ...good]);
  const scoreOf = async (id: string): Promise<number> =>
    (await send(http, "viewer", "GET", `/api/subjects/${id}`)).json().score;
  await sendEvents([{ type: "subject", subject: "worker-8", kind: "worker", operator: "acme" }]);
  expect(await scoreOf("worker-8")).toBeCloseTo(60, 3);
  const write = (operator: string | null) =>
    send(http, "operator", "PUT", "/api/subjects/worker-9", {
      body: { kind: "worker", operator, attributes: {}, reason: "joins" },
    });
  await write("acme");
  expect(await scoreOf("worker-9")).toBeGreaterThan(65);
  await write(null);
  expect(await scoreOf("worker-9")).toBeCloseTo(60, 3);
});

test.each([
  ["an outcome of nobody's selection", { selection_id: "sel_1_0" }, "selection_not_open", "/0/selection_id"],
  ["a kind that reads no jobs", { subject: "disk-1" }, "source_not_read", "/0/type"],
  ["an unknown outcome", { outcome: "fine" }, "unknown_value", "/0/outcome"],
  ["a duration of 0", { duration_ms: 0 }, "out_of_range", "/0/duration_ms"],
])("%s is refused and nobody is registered", async (_, change, code, pointer) => {
  const job = { type: "job", subject: "worker-1", outcome: "success", ...change };
  const answer = await sendEvents([job]);
  expect(answer.json()).toMatchObject({ status: 422, code: "events_rejected", errors: [{ code, pointer }] });
  expect((await work("worker-1")).jobs.completed).toBe(0);
  expect((await send(http, "viewer", "GET", "/api/subjects/disk-1")).statusCode).toBe(404);
});

test("an outcome for another than was chosen, and a part that the policy does not know", async () => {
  const made = (await select({})).json();
  const other = WORKERS.find((id) => id !== made.chosen)!;
  expect(await report({ id: made.id, chosen: other }, "success")).toMatchObject({
    errors: [{ code: "selection_of_another" }],
  });
  const unknown = await sendEvents([{ type: "health", subject: other, parts: { temprature: 50 } }]);
  expect(unknown.json().errors[0]).toMatchObject({
    code: "unknown_part",
    detail: expect.stringContaining("temperature?"),
  });
  expect((await work(made.chosen)).jobs.in_flight).toBe(1);
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
  await report(made, "success");
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
  expect(metrics).toContain('staunch_network_known{kind="worker"} 4');
  expect(metrics).toContain('staunch_network_part{kind="worker",part="success"} 1');
  expect(metrics).not.toContain('staunch_network_active{kind="provider"}');
  const provider = await send(http, "viewer", "GET", "/api/network/provider");
  expect(provider.json()).toMatchObject({ code: "no_job_source" });
});

function select(
  change: { readonly [key: string]: unknown },
  headers: { readonly [name: string]: string } = {},
) {
  const body = JSON.parse(JSON.stringify({ kind: "worker", bids: BIDS, seed: SEED, ...change }));
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

async function report(made: { id: string; chosen: string }, outcome: string) {
  const body = { type: "job", subject: made.chosen, outcome, duration_ms: 1000, selection_id: made.id };
  return (await sendEvents([body])).json();
}

function sendEvents(events: readonly Json[], headers: { readonly [name: string]: string } = {}) {
  return send(http, "ingest", "POST", "/api/events", { body: events, headers });
}
