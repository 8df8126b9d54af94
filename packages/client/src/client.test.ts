import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import { startTestService, type TestService } from "../test/service.ts";
import {
  createClient,
  items,
  pages,
  StaunchAnswerInvalid,
  StaunchProblem,
  type AnswerOf,
  type Client,
  type EventInput,
  type Fetch,
  type InputOf,
} from "./index.ts";

const FLEET = 120;

let service: TestService;
let client: Client;

beforeAll(async () => {
  service = await startTestService();
  client = clientOf({ validate: true });
  await client.events.ingest(
    Array.from({ length: FLEET }, (_, index) => uptime(`node-${index}`, index / FLEET)),
  );
  await client.subjects.write({ id: "worker-1", kind: "worker" });
});
afterAll(() => service.close());

function clientOf(options: Partial<Parameters<typeof createClient>[0]> = {}): Client {
  return createClient({ baseUrl: service.baseUrl, apiKey: service.adminKey, ...options });
}

function uptime(subject: string, value: number): EventInput {
  return { type: "metric", subject, metric: "uptime", value };
}

async function problemOf(call: Promise<unknown>): Promise<StaunchProblem> {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StaunchProblem);
  return error as StaunchProblem;
}

describe("the answers of the service fit the contract", () => {
  test.each<[string, () => Promise<unknown>]>([
    ["subjects.list", () => client.subjects.list({ sort: "id", score_min: 10, limit: 3, count: "exact" })],
    ["subjects.get", () => client.subjects.get({ id: "node-1" })],
    ["subjects.explain", () => client.subjects.explain({ id: "node-1" })],
    ["subjects.history", () => client.subjects.history({ id: "node-1", limit: 10 })],
    ["subjects.metrics", () => client.subjects.metrics({ id: "node-1" })],
    [
      "subjects.metric",
      () => client.subjects.metric({ id: "node-1", metric: "uptime", steps: "true", samples: 5 }),
    ],
    [
      "subjects.write",
      () => client.subjects.write({ id: "node-1", operator: "acme", attributes: { region: "eu" } }),
    ],
    ["penalties.list", () => client.penalties.list({ id: "node-1", status: "active" })],
    ["rewards.list", () => client.rewards.list({ id: "node-1" })],
    [
      "rewards.grant",
      () => client.rewards.grant({ id: "node-2", type: "high_uptime", points: 1, reason: "a good year" }),
    ],
    ["rankings.list", () => client.rankings.list({ kind: "provider", order: "worst", limit: 2 })],
    ["rankings.place", () => client.rankings.place({ kind: "provider", id: "node-1" })],
    ["workers.get", () => client.workers.get({ id: "worker-1" })],
    ["workers.eligibility", () => client.workers.eligibility({ id: "worker-1" })],
    ["network.get", () => client.network.get({ kind: "worker" })],
    [
      "selections.get",
      async () => {
        const bids = [{ id: "worker-1", price: 1, time_ms: 1 }];
        const { id } = await client.selections.make({ kind: "worker", bids });
        return client.selections.get({ id });
      },
    ],
    ["policies.list", () => client.policies.list()],
    ["policies.get", () => client.policies.get({ kind: "provider" })],
    [
      "policies.check",
      () => client.policies.check({ policy: { reputation: { initial_score: 60 } }, kind: "provider" }),
    ],
    ["keys.list", () => client.keys.list()],
    ["service.status", () => client.service.status()],
    ["service.health", () => client.service.health()],
    ["service.ready", () => client.service.ready({ verbose: "" })],
    ["service.measurements", () => client.service.measurements()],
    ["service.description", () => client.service.description()],
  ])("%s", async (_, call) => {
    expect(await call()).toBeDefined();
  });

  test("and one that does not fit is told where it is asked for, and only there", async () => {
    const falsified: Fetch = async () => Response.json({ status: "splendid" });
    await expect(clientOf({ fetch: falsified, validate: true }).service.health()).rejects.toThrow(
      StaunchAnswerInvalid,
    );
    expect(await clientOf({ fetch: falsified }).service.health()).toEqual({ status: "splendid" });
  });
});

describe("the methods", () => {
  test("read back what they wrote", async () => {
    const given = await client.penalties.apply({
      id: "node-3",
      type: "downtime",
      points: 5,
      reason: "rack power",
    });
    expect((await client.penalties.list({ id: "node-3" })).items).toEqual([given]);
    const revoked = await client.penalties.revoke({ id: given.id, reason: "it was the network" });
    expect(revoked).toMatchObject({ id: given.id, status: "revoked" });
  });

  test("encode what stands in a path, and refuse what cannot stand there", async () => {
    const id = "eu/rack 7?#%ü";
    expect(await client.subjects.write({ id })).toMatchObject({ id });
    expect(await client.subjects.get({ id })).toMatchObject({ id });
    await expect(client.subjects.get({ id: ".." })).rejects.toThrow(RangeError);
  });

  test("replace the version of a policy that was read, and no other", async () => {
    const { hash } = await client.policies.get({ kind: "provider" });
    const input = {
      kind: "provider",
      policy: { name: "strict", reputation: { initial_score: 60 } },
      reason: "test",
    };
    const activated = await client.policies.activate(input, { ifMatch: hash });
    expect(activated.diff).toContainEqual({ path: "reputation.initial_score", before: 75, after: 60 });
    const { code, status } = await problemOf(client.policies.activate(input, { ifMatch: hash }));
    expect({ code, status }).toEqual({ code: "precondition_failed", status: 412 });
    const created = await client.policies.activate({ ...input, kind: "relay" }, { ifMatch: null });
    expect(created).toMatchObject({ kind: "relay", name: "strict" });
  });

  test("act with the key that they are given", async () => {
    const { key, record } = await client.keys.create({ name: "a reader", role: "viewer" });
    const reader = clientOf({ apiKey: key });
    expect(await reader.subjects.get({ id: "node-1" })).toMatchObject({ id: "node-1" });
    const { code } = await problemOf(reader.subjects.write({ id: "node-1" }));
    expect(code).toBe("role_not_allowed");
    await client.keys.revoke({ id: record.id });
    expect((await problemOf(reader.subjects.get({ id: "node-1" }))).code).toBe("key_invalid");
    expect((await problemOf(clientOf({ apiKey: undefined }).service.status())).code).toBe("key_missing");
  });

  test("keep a path in front of the service", async () => {
    const asked: string[] = [];
    const proxied = clientOf({
      baseUrl: "https://example.org/staunch/",
      fetch: async (url) => {
        asked.push(url);
        return Response.json({ status: "ok" });
      },
    });
    await proxied.service.health();
    expect(asked).toEqual(["https://example.org/staunch/healthz"]);
  });

  test("are typed by the schemas", () => {
    expectTypeOf<InputOf<"subjects", "get">>().toEqualTypeOf<{ id: string }>();
    expectTypeOf<AnswerOf<"subjects", "get">["components"][number]["score"]>().toEqualTypeOf<number>();
    expectTypeOf(client.subjects.list).toBeCallableWith({ tier: "gold", limit: 10 });
    type Applied = InputOf<"penalties", "apply">;
    expectTypeOf<{ id: string; type: "fraud" }>().not.toExtend<Applied>();
    expectTypeOf<{ id: string; type: "fraud"; reason: string }>().toExtend<Applied>();
    expectTypeOf<Applied["severity"]>().toEqualTypeOf<
      "minor" | "moderate" | "major" | "critical" | undefined
    >();
  });
});

describe("a refusal", () => {
  test("has the code, the words and the place of each mistake", async () => {
    const wrong = { id: "node-1", type: "fraud", points: -1, reason: "" } as const;
    const problem = await problemOf(client.penalties.apply(wrong));
    expect(problem).toMatchObject({
      type: "problem",
      code: "request_invalid",
      status: 400,
      retryAfterMs: null,
    });
    expect(problem.errors.map(({ pointer }) => pointer)).toEqual(["/points", "/reason"]);
    expect(problem.requestId).toMatch(/^[0-9a-f-]{36}$/u);
    expect(problem.message).toContain("request_invalid");
  });

  test("of all events of a batch tells what is wrong with each", async () => {
    const wrong = [uptime("node-1", 7), { type: "metric", subject: "node-1" } as EventInput];
    const problem = await problemOf(client.events.ingest(wrong));
    expect(problem.code).toBe("events_rejected");
    expect(problem.rejected).toMatchObject([
      { index: 0, code: "out_of_range", field: "value" },
      { index: 1, field: "metric" },
    ]);
  });
});

describe("events", () => {
  test("are taken as one, as a list and as lines, wrong ones told by their place", async () => {
    expect(await client.events.ingest(uptime("one", 1))).toMatchObject({ accepted: 1, rejected: 0 });
    expect(await client.events.ingest([uptime("one", 1), uptime("one", 2)])).toMatchObject({
      accepted: 1,
      rejected: 1,
      results: [{ index: 1, field: "value" }],
    });
    const lines = [uptime("one", 1), uptime("two", 1)].map((event) => JSON.stringify(event)).join("\n");
    expect(await client.events.ingest(lines)).toMatchObject({ accepted: 2 });
    expect(await client.events.ingest(new TextEncoder().encode(lines))).toMatchObject({ accepted: 2 });
  });

  test("are taken all or not at all when they are atomic", async () => {
    const mixed = [uptime("atomic", 1), uptime("atomic", 2)];
    expect((await problemOf(client.events.ingest(mixed, { atomic: true }))).rejected).toMatchObject([
      { index: 1 },
    ]);
    expect((await problemOf(client.subjects.get({ id: "atomic" }))).code).toBe("subject_not_found");
  });

  test("of any number go in batches, and their places count from the first of all", async () => {
    async function* source(): AsyncGenerator<EventInput> {
      for (const value of [1, 2, 1, 3, 4, 1]) yield uptime("many", value);
    }
    const results = [];
    for await (const { accepted, rejected, results: wrong } of client.events.ingestAll(source(), {
      batchEvents: 2,
    }))
      results.push([accepted, rejected, ...wrong.map(({ index }) => index)]);
    // Of the last two batches one is wrong altogether.
    expect(results).toEqual([
      [1, 1, 1],
      [1, 1, 3],
      [1, 1, 4],
    ]);
    const all = [];
    for await (const { accepted, rejected } of client.events.ingestAll([uptime("x", 2), uptime("x", 3)], {
      batchEvents: 1,
    }))
      all.push({ accepted, rejected });
    expect(all).toEqual([
      { accepted: 0, rejected: 1 },
      { accepted: 0, rejected: 1 },
    ]);
  });

  test("are read from their source no faster than they are sent", async () => {
    let read = 0;
    function* source(): Generator<EventInput> {
      for (;;) {
        read += 1;
        yield uptime("endless", 1);
      }
    }
    for await (const _ of client.events.ingestAll(source(), { batchEvents: 10 })) break;
    expect(read).toBe(10);
  });
});

describe("paging", () => {
  test("brings every item once and in order", async () => {
    const ids: string[] = [];
    for await (const { id } of items(client.subjects.list, { q: "node-", sort: "id", limit: 50 }))
      ids.push(id);
    expect(ids).toEqual(Array.from({ length: FLEET }, (_, index) => `node-${index}`).toSorted());
  });

  test("asks for a page when it is wanted, and passes on what was asked", async () => {
    let asked = 0;
    const counting: Fetch = (url, init) => {
      asked += 1;
      return fetch(url, init);
    };
    const list = clientOf({ fetch: counting }).rankings.list;
    for await (const { items: page, order } of pages(list, { kind: "provider", order: "worst", limit: 40 })) {
      expect(page).toHaveLength(40);
      expect(order).toBe("worst");
      if (asked === 2) break;
    }
    expect(asked).toBe(2);
  });

  test("ends at once where there is nothing", async () => {
    for await (const _ of items(client.subjects.list, { q: "nobody" })) throw new Error("there is nobody");
  });
});
