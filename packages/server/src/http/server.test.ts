import { Problem } from "@staunch/contract";
import { connect, type AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  createHttpApp,
  registerFleet,
  send,
  START_MS,
  subjectName,
  type HttpApp,
} from "../../test/http-app.ts";
import { time } from "./route.ts";

let http: HttpApp;
beforeEach(async () => {
  http = await createHttpApp();
});
afterEach(() => http.close());

const write = (id: string, body = {}) =>
  send(http, "operator", "PUT", `/api/subjects/${encodeURIComponent(id)}`, { body });
const read = (path: string) => send(http, "viewer", "GET", path);
const penalise = (id: string, body = {}, headers = {}) =>
  send(http, "operator", "POST", `/api/subjects/${id}/penalties`, {
    body: { type: "data_loss", severity: "major", points: 5, reason: "lost shards", ...body },
    headers,
  });

describe("subjects", () => {
  test("a profile registers, replaces and is shown with the standing", async () => {
    const created = await write("node-1", {
      operator: "acme",
      attributes: { region: "eu", tags: ["a", "b"] },
    });
    expect(created.statusCode).toBe(201);
    const replaced = await write("node-1", { attributes: { price: 4.5 } });
    expect(replaced.statusCode).toBe(200);
    const standing = (await read("/api/subjects/node-1")).json();
    expect(standing).toMatchObject({
      id: "node-1",
      kind: "provider",
      operator: null,
      attributes: { price: 4.5 },
      score: 75,
      tier: "basic",
      place: null,
      banned: false,
      registered_at: time(START_MS),
      last_evidence_at: null,
    });
    expect(standing.components.map(({ name }: { name: string }) => name)).toEqual([
      "reliability",
      "performance",
      "uptime",
      "response",
      "trust",
    ]);
  });

  test.each(["a/b/c", "ä ö/€ 🜚", "100%", "a?b#c&d", "x".repeat(256), "🜚".repeat(64)])(
    "an id may be %s",
    async (id) => {
      await write(id, { operator: "o/p" });
      const path = `/api/subjects/${encodeURIComponent(id)}`;
      expect((await read(path)).json().id).toBe(id);
      expect((await read(`${path}/metrics`)).json().id).toBe(id);
      expect((await read(`/api/rankings/provider/${encodeURIComponent(id)}`)).json().id).toBe(id);
      expect((await read(`/api/subjects?operator=o%2Fp`)).json().items[0].id).toBe(id);
    },
  );

  test.each(["\u0000", "a\u0085b", "x".repeat(257), "🜚".repeat(65)])("an id may not be %j", async (id) => {
    const answer = await read(`/api/subjects/${encodeURIComponent(id)}`);
    expect([answer.statusCode, answer.json().code, answer.json().errors[0].parameter]).toEqual([
      400,
      "request_invalid",
      "id",
    ]);
  });

  test("the explanation sums to the score to the last bit", async () => {
    await registerFleet(http, 30);
    await penalise("node-0007");
    const { standing, contributions } = (await read("/api/subjects/node-0007/explanation")).json();
    const sum = contributions.reduce((total: number, one: { points: number }) => total + one.points, 0);
    expect(sum).toBe(standing.score);
    expect(contributions.map(({ source }: { source: string }) => source)).toContain("penalty");
  });

  test("metrics give aggregates, intervals and raw samples with their context", async () => {
    const events = [1, 2, 3, 4].map((value) => ({
      type: "metric",
      subject: "node-1",
      metric: "response_time",
      value: value * 100,
      at: START_MS - value * 1000,
      weight: value,
      ok: value !== 4,
      monitor: "probe-1",
      context: `call ${value}`,
    }));
    await send(http, "ingest", "POST", "/api/events", { body: events });
    const all = (await read("/api/subjects/node-1/metrics")).json();
    expect(all.metrics).toHaveLength(8);
    const metric = (await read("/api/subjects/node-1/metrics/response_time?steps=true&samples=2")).json();
    expect(metric).toMatchObject({ metric: "response_time", unit: "ms" });
    expect(metric.aggregate).toMatchObject({
      count: 3,
      failed_count: 1,
      sum: 600,
      average: 200,
      min: 100,
      max: 300,
    });
    expect(metric.aggregate.percentiles).toEqual({ p50: 200, p90: 300, p95: 300, p99: 300 });
    expect(metric.steps).toHaveLength(1);
    expect(metric.samples).toEqual([
      { at: time(START_MS - 2000), value: 200, weight: 2, ok: true, monitor: "probe-1", context: "call 2" },
      { at: time(START_MS - 1000), value: 100, weight: 1, ok: true, monitor: "probe-1", context: "call 1" },
    ]);
    expect((await read("/api/subjects/node-1/metrics/uptime")).json().aggregate).toBeNull();
  });

  test("history is asked for the span and limit that were given", async () => {
    await write("node-1");
    await penalise("node-1");
    await penalise("node-1");
    const history = (query: string) => read(`/api/subjects/node-1/history?${query}`);
    const past = (await history("from=2026-11-25T04:00:00%2B02:00&to=2026-11-25T02:30:00Z")).json();
    expect(past).toEqual({ id: "node-1", snapshots: [], crossings: [], sanctions: [] });
    const newest = (await history("from=2026-11-25T04:00:00%2B02:00&limit=1")).json();
    expect([newest.crossings.length, newest.sanctions.length]).toEqual([1, 1]);
  });

  test("history shows sanctions as their lists do, and crossings as the live stream does", async () => {
    await write("node-1");
    const expiry = { expires_at: time(START_MS + 60_000), fade: "linear" };
    const penalty = (
      await penalise("node-1", { evidence: ["audit-881"], context: { shardCount: 3 }, ...expiry })
    ).json();
    const body = { type: "long_term_service", points: 3, reason: "two years" };
    const reward = (await send(http, "operator", "POST", "/api/subjects/node-1/rewards", { body })).json();
    const { crossings, sanctions } = (await read("/api/subjects/node-1/history")).json();
    expect(sanctions).toEqual(
      expect.arrayContaining([
        { kind: "penalty", ...penalty },
        { kind: "reward", ...reward },
      ]),
    );
    const applied = crossings.find(({ type }: { type: string }) => type === "penalty.applied");
    expect(applied).toEqual({
      id: `${penalty.position}.0`,
      at: penalty.applied_at,
      subject: "node-1",
      type: "penalty.applied",
      detail: {
        id: penalty.id,
        penalty_type: penalty.type,
        severity: penalty.severity,
        deduction: penalty.deduction,
        reason: penalty.reason,
        expires_at: time(START_MS + 60_000),
      },
    });
  });

  test("history tells of an alert in ISO times and snake case", async () => {
    const at = (index: number) => time(START_MS - (10 - index) * 1000);
    const body = Array.from({ length: 10 }, (_, index) => {
      return { type: "metric", subject: "node-1", metric: "response_time", value: 5000, at: at(index) };
    });
    await send(http, "ingest", "POST", "/api/events", { body });
    const { crossings, sanctions } = (await read("/api/subjects/node-1/history")).json();
    const opened = crossings.find(({ type }: { type: string }) => type === "alert.opened");
    expect(opened.detail).toMatchObject({
      metric: "response_time",
      value: 5000,
      threshold: 1000,
      incident: sanctions[0].alert.incident,
    });
    expect(JSON.stringify({ crossings, sanctions })).not.toMatch(/"[a-z]+[A-Z]\w*":/u);
  });
});

describe("sanctions", () => {
  beforeEach(() => write("node-1"));

  test("a penalty counts at once, is listed, and its revocation undoes it", async () => {
    const before = (await read("/api/subjects/node-1")).json().score;
    const given = await penalise("node-1", { evidence: ["audit-881"], context: { shard: 3 } });
    expect(given.statusCode).toBe(201);
    const penalty = given.json();
    // 5 points x 4 (major) x 2 (data loss).
    expect(penalty).toMatchObject({
      deduction: 40,
      current_points: 40,
      status: "active",
      evidence: ["audit-881"],
    });
    expect(penalty.issuer).toBe(`key:${http.tokens.operator.split("_")[1]}`);
    const during = (await read("/api/subjects/node-1")).json();
    expect(during.score).toBeLessThan(before - 39);
    expect(during.penalties).toHaveLength(1);

    const url = `/api/penalties/${penalty.id}?reason=wrong%20node`;
    const revoked = await send(http, "operator", "DELETE", url);
    expect(revoked.json()).toMatchObject({ id: penalty.id, status: "revoked", current_points: 0 });
    expect((await read("/api/subjects/node-1")).json().penalties).toEqual([]);
    const listed = (await read("/api/subjects/node-1/penalties?status=revoked")).json().items;
    expect(listed.map(({ id }: { id: string }) => id)).toEqual([penalty.id]);
    expect((await read("/api/subjects/node-1/penalties?status=active")).json().items).toEqual([]);
    expect((await send(http, "operator", "DELETE", url)).json().code).toBe("penalty_not_active");
  });

  test("a worker's penalty names its job, and ends and fades by policy unless it says otherwise", async () => {
    const job = { type: "job_timeout", points: undefined, fraction: 0.3, job_id: "job-7" };
    const byPolicy = (await penalise("node-1", job)).json();
    expect(byPolicy).toMatchObject({ job_id: "job-7", fade: "linear", current_points: 30 });
    expect(Date.parse(byPolicy.expires_at) - START_MS).toBe(7 * 86_400_000);
    const lasting = (await penalise("node-1", { ...job, expires_at: null })).json();
    expect(lasting).toMatchObject({ expires_at: null, fade: "none" });
    const event = { type: "penalty", subject: "node-1", penalty: "job_failure", fraction: 0.1, reason: "r" };
    await send(http, "operator", "POST", "/api/events", { body: [{ ...event, job_id: "job-8" }] });
    const [newest] = (await read("/api/subjects/node-1/penalties")).json().items;
    expect(newest).toMatchObject({ job_id: "job-8", fade: "linear" });
    expect(Date.parse(newest.expires_at) - START_MS).toBe(7 * 86_400_000);
  });

  test("penalties are listed newest first, page by page", async () => {
    const given: string[] = [];
    for (const points of [1, 2, 3]) given.unshift((await penalise("node-1", { points })).json().id);
    const first = await read("/api/subjects/node-1/penalties?limit=2");
    const ids = (answer: typeof first): string[] => answer.json().items.map(({ id }: { id: string }) => id);
    expect(ids(first)).toEqual(given.slice(0, 2));
    const second = await read(/<([^>]+)>/u.exec(String(first.headers["link"]))![1]!);
    expect([ids(second), second.json().next]).toEqual([given.slice(2), null]);
    expect((await read("/api/subjects/node-1/penalties?cursor=bm8")).json().code).toBe("cursor_invalid");
    http.faults.history = true;
    expect((await read("/api/subjects/node-1/penalties")).json().code).toBe("database_failed");
    expect((await read("/api/subjects/node-1/penalties?status=active")).statusCode).toBe(200);
  });

  test("a repeat under one Idempotency-Key is one penalty, for its caller only", async () => {
    const headers = { "idempotency-key": "retry-1" };
    const first = await penalise("node-1", {}, headers);
    const second = await penalise("node-1", {}, headers);
    expect(second.statusCode).toBe(201);
    expect(second.json()).toEqual(first.json());
    expect((await read("/api/subjects/node-1")).json().penalties).toHaveLength(1);
    const other = await send(http, "admin", "POST", "/api/subjects/node-1/penalties", {
      body: { type: "data_loss", severity: "major", points: 5, reason: "lost shards" },
      headers,
    });
    expect(other.json().id).not.toBe(first.json().id);
    expect((await penalise("node-1", { points: 6 }, headers)).json().code).toBe("idempotency_key_reused");
  });

  test("a repeat is answered as the first was although the end it names has passed", async () => {
    const headers = { "idempotency-key": "retry-2" };
    const end = { expires_at: time(START_MS + 60_000) };
    const first = await penalise("node-1", end, headers);
    http.clock.advance(120_000);
    const second = await penalise("node-1", end, headers);
    expect([second.statusCode, second.json().id]).toEqual([201, first.json().id]);
    expect((await penalise("node-1", end)).json().code).toBe("time_invalid");
  });

  test("a reward raises the score, with the multiplier of its type", async () => {
    const before = (await read("/api/subjects/node-1")).json().score;
    const body = { type: "long_term_service", points: 3, reason: "two quiet years" };
    const reward = (await send(http, "operator", "POST", "/api/subjects/node-1/rewards", { body })).json();
    expect(reward.value).toBeCloseTo(3.9, 12);
    expect((await read("/api/subjects/node-1")).json().score).toBeGreaterThan(before + 3.8);
    expect((await read("/api/subjects/node-1/rewards")).json().items).toHaveLength(1);
    const revoked = await send(http, "operator", "DELETE", `/api/rewards/${reward.id}?reason=mistake`);
    expect(revoked.json().status).toBe("revoked");
  });

  test("a ban needs no points and takes the subject out of the ranking", async () => {
    await registerFleet(http, 3);
    const ban = { type: "ban", points: undefined, reason: "confirmed fraud" };
    expect((await penalise("node-0001", ban)).statusCode).toBe(201);
    const standing = (await read("/api/subjects/node-0001")).json();
    expect([standing.banned, standing.place]).toEqual([true, null]);
    expect((await read("/api/rankings/provider")).json().ranked).toBe(2);
  });

  test("a ban ends after thirty days; until revoked it lasts only on evidence", async () => {
    const ban = { type: "ban", points: undefined, reason: "fraud" };
    expect((await penalise("node-1", ban)).json()).toMatchObject({
      expires_at: time(START_MS + 30 * 86_400_000),
      fade: "none",
    });
    const refused = await penalise("node-1", { ...ban, expires_at: null });
    expect(refused.json()).toMatchObject({ code: "request_invalid", errors: [{ pointer: "/evidence" }] });
    const final = await penalise("node-1", { ...ban, expires_at: null, evidence: ["audit-17"] });
    expect(final.json()).toMatchObject({ expires_at: null, evidence: ["audit-17"] });
  });
});

describe("lists", () => {
  const COUNT = 1203;
  beforeEach(() => registerFleet(http, COUNT));

  async function pages(path: string): Promise<{ id: string; score: number; place: number }[]> {
    const items = [];
    for (let next: string | null = path; next !== null; ) {
      const answer = await read(next);
      expect(answer.statusCode).toBe(200);
      items.push(...answer.json().items);
      const link = /^<([^>]+)>; rel="next"$/u.exec(String(answer.headers["link"] ?? ""))?.[1] ?? null;
      const cursor = link === null ? null : new URLSearchParams(link.split("?")[1]).get("cursor");
      expect(cursor).toBe(answer.json().next);
      next = link;
    }
    return items;
  }

  test.each(["score", "id", "last_evidence"])("by %s show everybody once", async (sort) => {
    await write("unranked-b");
    await write("unranked-a");
    const items = await pages(`/api/subjects?sort=${sort}&limit=100`);
    const expected = [
      ...Array.from({ length: COUNT }, (_, index) => subjectName(index)),
      "unranked-a",
      "unranked-b",
    ];
    expect(items.map(({ id }) => id).toSorted()).toEqual(expected);
    if (sort === "id") expect(items.map(({ id }) => id)).toEqual(expected);
    if (sort === "score") {
      const places = items.slice(0, -2).map(({ place }) => place);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      expect(items.slice(-2).map(({ id, place }) => [id, place])).toEqual([
        ["unranked-b", null],
        ["unranked-a", null],
      ]);
    }
  });

  test.each(["best", "worst"])("rankings show the %s in order, everybody once", async (order) => {
    const items = await pages(`/api/rankings/provider?order=${order}&limit=97`);
    expect(new Set(items.map(({ id }) => id)).size).toBe(COUNT);
    expect(items).toHaveLength(COUNT);
    const places = items.map(({ place }) => place);
    expect(places).toEqual(places.toSorted((a, b) => (order === "best" ? a - b : b - a)));
  });

  test("subjects that stay appear once although others come and move between the pages", async () => {
    const first = (await read("/api/subjects?sort=id&limit=500")).json();
    await write("a-newcomer");
    await penalise(subjectName(3));
    const rest = await pages(`/api/subjects?sort=id&limit=500&cursor=${first.next}`);
    const seen = [...first.items, ...rest].map(({ id }) => id);
    expect(seen).toEqual(Array.from({ length: COUNT }, (_, index) => subjectName(index)));
  });

  test("filters: prefix, score range, tier and owner, with an exact total", async () => {
    await write("node-0001", { operator: "acme" });
    const total = async (query: string): Promise<number> =>
      (await read(`/api/subjects?count=exact&limit=1&${query}`)).json().total;
    expect(await total("")).toBe(COUNT);
    expect(await total("q=node-00")).toBe(100);
    expect(await total("operator=acme")).toBe(1);
    expect(await total("tier=basic")).toBe(COUNT);
    expect(await total("tier=gold")).toBe(0);
    const everybody = await pages("/api/subjects?limit=200");
    const median = everybody[Math.floor(COUNT / 2)]!.score;
    const low = everybody.filter(({ score }) => score <= median).length;
    expect(await total(`score_max=${median}`)).toBe(low);
    expect(await total(`score_min=${median}`)).toBe(everybody.filter(({ score }) => score >= median).length);
    const items = await pages(`/api/subjects?score_max=${median}&limit=200`);
    expect(items).toHaveLength(low);
    expect(Math.max(...items.map(({ score }) => score))).toBe(median);
    expect((await read("/api/subjects?limit=1")).json()).not.toHaveProperty("total");
  });
});

describe("conditional requests", () => {
  beforeEach(() => write("node-1"));
  const conditional = (tag: string) =>
    send(http, "viewer", "GET", "/api/subjects/node-1", { headers: { "if-none-match": tag } });

  test("a standing that is known is not sent again until the log or an interval of time moves", async () => {
    const first = await read("/api/subjects/node-1");
    const tag = String(first.headers["etag"]);
    expect(tag).toMatch(/^"[^"]+"$/u);
    for (const sent of [tag, `"other", ${tag}`, `W/${tag}`, "*"]) {
      const again = await conditional(sent);
      expect([again.statusCode, again.body, again.headers["etag"]]).toEqual([304, "", tag]);
    }
    expect((await conditional('"other"')).statusCode).toBe(200);

    http.clock.advance(10_000);
    const sameInterval = await read("/api/subjects/node-1");
    expect([sameInterval.headers["etag"], sameInterval.body]).toEqual([tag, first.body]);

    await penalise("node-1");
    const moved = await conditional(tag);
    expect(moved.statusCode).toBe(200);
    http.clock.advance(60_000);
    expect((await conditional(String(moved.headers["etag"]))).statusCode).toBe(200);
  });

  test("a policy changes only for who has read it", async () => {
    const policy = { name: "strict", reputation: { initial_score: 60 } };
    const put = (headers: { [name: string]: string }, kind = "provider") =>
      send(http, "admin", "PUT", `/api/policies/${kind}`, {
        body: { policy, reason: "start lower" },
        headers,
      });
    const active = await read("/api/policies/provider");
    expect(active.headers["etag"]).toBe(`"${active.json().hash}"`);
    const tag = String(active.headers["etag"]);
    expect((await put({})).json().code).toBe("precondition_required");
    expect((await put({ "if-match": '"0123456789abcdef"' })).json().code).toBe("precondition_failed");
    expect((await put({ "if-none-match": "*" })).json().code).toBe("precondition_failed");
    expect((await put({ "if-match": "*" }, "robot")).json().code).toBe("precondition_failed");

    const answer = await put({ "if-match": tag });
    expect(answer.statusCode).toBe(200);
    expect(answer.json().diff).toContainEqual({ path: "reputation.initial_score", before: 75, after: 60 });
    expect(answer.headers["etag"]).toBe(`"${answer.json().hash}"`);
    expect((await read("/api/policies/provider")).json()).toMatchObject({
      name: "strict",
      hash: answer.json().hash,
    });
    expect((await put({ "if-match": tag })).json().code).toBe("precondition_failed");
    expect((await put({ "if-none-match": "*" }, "robot")).statusCode).toBe(201);
    expect((await write("r2", { kind: "robot" })).json()).toMatchObject({ kind: "robot", score: 60 });
  });

  test("of two that change a policy at once one is too late", async () => {
    const tag = String((await read("/api/policies/provider")).headers["etag"]);
    const put = (score: number) =>
      send(http, "admin", "PUT", "/api/policies/provider", {
        body: { policy: { name: "p", reputation: { initial_score: score } }, reason: "race" },
        headers: { "if-match": tag },
      });
    const answers = await Promise.all([put(50), put(51)]);
    expect(answers.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([200, 412]);
  });
});

test("policies are checked with all problems at once, and presets say why they are not available", async () => {
  const check = (body: { policy: { [key: string]: string | number | object } }) =>
    send(http, "viewer", "POST", "/api/policies/validate", { body: JSON.parse(JSON.stringify(body)) });
  const bad = (await check({ policy: { reputation: { initial_skore: 1, decay_rate: "x" } } })).json();
  expect(bad.valid).toBe(false);
  expect(bad.problems.map(({ pointer }: { pointer: string }) => pointer).toSorted()).toEqual([
    "/reputation/decay_rate",
    "/reputation/initial_skore",
  ]);
  const good = await send(http, "viewer", "POST", "/api/policies/validate", {
    body: { policy: { reputation: { initial_score: 60 } }, kind: "provider" },
  });
  expect(good.json()).toMatchObject({
    valid: true,
    problems: [],
    diff: [{ path: "reputation.initial_score", before: 75, after: 60 }],
  });
  const { kinds, presets } = (await read("/api/policies")).json();
  expect(kinds).toMatchObject([{ kind: "provider", policy: "storage-provider", subjects: 0 }]);
  expect(
    presets.map(({ name, available }: { name: string; available: boolean }) => [name, available]),
  ).toEqual([
    ["storage-provider", true],
    ["compute-worker", true],
    ["marketplace-provider", true],
    ["api-client", false],
  ]);
});

test("keys: created once with their secret, listed without, refused when revoked", async () => {
  const admin = (method: "GET" | "POST" | "DELETE", url: string, body?: { name: string; role: string }) =>
    send(http, "admin", method, url, { body });
  const created = (await admin("POST", "/api/keys", { name: "probe", role: "viewer" })).json();
  const use = () =>
    send(http, null, "GET", "/api/status", { headers: { authorization: `bearer ${created.key}` } });
  expect((await use()).statusCode).toBe(200);
  const listed = await admin("GET", "/api/keys");
  expect(listed.body).not.toContain(created.key);
  expect(listed.json().items.at(-1)).toMatchObject({ id: created.record.id, name: "probe", role: "viewer" });
  expect((await admin("DELETE", `/api/keys/${created.record.id}`)).json().revoked_at).toBe(time(START_MS));
  expect((await use()).json().code).toBe("key_invalid");
  expect(http.lines.join("")).not.toContain(created.key);
});

test("status, health and measurements tell what is", async () => {
  await registerFleet(http, 20);
  http.clock.advance(90_000);
  expect((await read("/api/status")).json()).toMatchObject({
    uptime_seconds: 90,
    subjects: 20,
    events: 20,
    kinds: [{ kind: "provider", policy: "storage-provider", subjects: 20, ranked: 20 }],
    storage: { driver: "memory", durability: "none", writable: true, stopped: null },
    snapshot: null,
  });
  const ready = () => send(http, null, "GET", "/readyz?verbose");
  expect((await ready()).json().status).toBe("ready");
  http.faults.ready = false;
  expect([(await ready()).statusCode, (await ready()).json().status]).toEqual([503, "not_ready"]);
  expect((await send(http, null, "GET", "/healthz")).json()).toEqual({ status: "ok" });
  const text = (await read("/metrics")).body;
  expect(text).toMatch(/^staunch_subjects\{kind="provider"\} 20$/mu);
  expect(text).toMatch(/^staunch_events_total 20$/mu);
  expect(text).toMatch(/^staunch_log_append_seconds_count\{result="appended"\} 1$/mu);
  expect(text).toMatch(
    /^staunch_http_request_seconds_count\{method="GET",route="\/readyz",status="503"\} 2$/mu,
  );
  expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds /mu);
});

test("measurements tell that history is behind and cannot be stored, and how many samples found no room", async () => {
  const small = await createHttpApp({ rawSamplesMax: 16 });
  const measured = async () => (await send(small, "viewer", "GET", "/metrics")).body;
  expect(await measured()).toMatch(/^staunch_history_lag 0$/mu);
  // A page of 16 samples belongs to one series: the first gets it, the other nineteen none.
  await registerFleet(small, 20);
  const text = await measured();
  expect(text).toMatch(/^staunch_raw_samples_dropped_total 19$/mu);
  expect(text).toMatch(/^staunch_history_lag 2$/mu);
  expect(text).toMatch(/^staunch_history_trouble 0$/mu);
  // Its store refuses everything.
  await small.projector.flush();
  expect(await measured()).toMatch(/^staunch_history_trouble 1$/mu);
  await small.close();
});

describe("a storage that refuses", () => {
  test("is told in writes while reads go on; what a restart must heal ends readiness", async () => {
    await write("node-1");
    http.faults.append = { type: "full" };
    expect((await penalise("node-1")).json().code).toBe("storage_full");
    expect((await read("/api/subjects/node-1")).json().penalties).toEqual([]);
    expect((await read("/api/status")).json().storage).toMatchObject({
      writable: false,
      stopped: "the disk is full",
    });
    expect((await send(http, null, "GET", "/readyz")).statusCode).toBe(200);
    http.faults.append = null;
    expect((await penalise("node-1")).statusCode).toBe(201);
    expect((await send(http, null, "GET", "/readyz")).statusCode).toBe(200);
    http.faults.append = { type: "failed", detail: "fsync" };
    expect((await penalise("node-1")).json()).toMatchObject({ status: 503, code: "storage_stopped" });
    expect((await send(http, null, "GET", "/readyz")).statusCode).toBe(503);
    expect((await read("/api/subjects/node-1")).statusCode).toBe(200);
    expect((await read("/api/status")).json().storage).toMatchObject({ writable: false, stopped: "fsync" });
  });
});

describe("over a socket", () => {
  async function exchange(bytes: string): Promise<{ status: number; problem: Problem }> {
    await http.server.listen({ port: 0, host: "127.0.0.1" });
    const { port } = http.server.server.address() as AddressInfo;
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => socket.end(bytes));
      let received = "";
      socket.setEncoding("utf8");
      socket.on("data", (chunk) => (received += String(chunk)));
      socket.on("end", () => resolve(received));
      socket.on("error", reject);
    });
    const [head = "", body = ""] = text.split("\r\n\r\n");
    expect(head).toContain("application/problem+json");
    return { status: Number(head.split(" ")[1]), problem: Problem.parse(JSON.parse(body)) };
  }

  test("what is no HTTP gets a problem document", async () => {
    expect((await exchange("NONSENSE\r\n\r\n")).problem.code).toBe("malformed_request");
  });

  test("headers beyond the limit get 431", async () => {
    const { status, problem } = await exchange(
      `GET / HTTP/1.1\r\nhost: x\r\nlong: ${"x".repeat(20_000)}\r\n\r\n`,
    );
    expect([status, problem.code]).toEqual([431, "headers_too_large"]);
  });
});
