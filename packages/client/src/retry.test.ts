import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  faultyFetch,
  restlessClock,
  startTestService,
  type Fault,
  type TestService,
} from "../test/service.ts";
import {
  createClient,
  RETRY_AFTER_MAX_MS,
  RETRY_DEFAULTS,
  StaunchAnswerInvalid,
  StaunchProblem,
  StaunchUnreachable,
  type Client,
} from "./index.ts";
import { backoffMs, retryAfterMs } from "./retry.ts";

const cut = (): never => {
  throw new TypeError("the cable is cut");
};
const answer =
  (status: number, headers: { [name: string]: string } = {}) =>
  async (): Promise<Response> =>
    new Response("<h1>somebody else</h1>", { status, headers });
const overloaded = (retryAfter: string) => async (): Promise<Response> =>
  new Response(JSON.stringify({ code: "overloaded", status: 503, detail: "too much is waiting" }), {
    status: 503,
    headers: { "content-type": "application/problem+json", "retry-after": retryAfter },
  });
/** The request arrives and acts; its answer is lost. */
const answerLost: Fault = async (url, init) => {
  await fetch(url, init);
  return cut();
};

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
  await clientWith().client.subjects.write({ id: "node-1" });
});
afterAll(() => service.close());

function clientWith(
  faults: readonly Fault[] = [],
  options: Partial<Parameters<typeof createClient>[0]> = {},
) {
  const clock = restlessClock();
  const { fetch: faulty, requests } = faultyFetch(...faults);
  const { baseUrl, adminKey: apiKey } = service;
  const client: Client = createClient({
    baseUrl,
    apiKey,
    fetch: faulty,
    clock,
    random: () => 0.5,
    ...options,
  });
  return { client, requests, waitsMs: clock.waitsMs };
}

async function thrownBy(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => null,
    (error: unknown) => error,
  );
}

const penalty = { id: "node-1", type: "downtime", points: 1, reason: "test" } as const;

describe("a request that may be repeated", () => {
  test("is sent again after growing waits until it is answered", async () => {
    const { client, requests, waitsMs } = clientWith([cut, answer(502), answer(504)]);
    expect(await client.subjects.get({ id: "node-1" })).toMatchObject({ id: "node-1" });
    expect(requests).toHaveLength(4);
    expect(waitsMs).toEqual([100, 200, 400]);
  });

  test("acts once although its first answer was lost, because its key stays", async () => {
    const { client, requests } = clientWith([answerLost, answerLost]);
    const given = await client.penalties.apply(penalty);
    const keys = requests.map(({ headers }) => headers["idempotency-key"]);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    const { items } = await client.penalties.list({ id: "node-1" });
    expect(items.filter(({ id }) => id === given.id)).toHaveLength(1);
    expect(items).toHaveLength(1);
  });

  test("gets another key each time, and the caller's own where there is one", async () => {
    const { client, requests } = clientWith();
    await client.events.ingest([]);
    await client.events.ingest([]);
    await client.events.ingest([], { idempotencyKey: "batch-7" });
    const [first, second, third] = requests.map(({ headers }) => headers["idempotency-key"]);
    expect(first).toMatch(/^[0-9a-f]{32}$/u);
    expect(second).not.toBe(first);
    expect(third).toBe("batch-7");
  });

  test("is given up after the attempts it has, and tells the key to ask under", async () => {
    const { client, requests } = clientWith([cut, cut, cut, cut, cut]);
    const error = await thrownBy(client.penalties.apply(penalty, { idempotencyKey: "mine" }));
    expect(error).toBeInstanceOf(StaunchUnreachable);
    const attempts = RETRY_DEFAULTS.attemptsMax;
    expect(error).toMatchObject({ type: "unreachable", reason: "network", attempts, idempotencyKey: "mine" });
    expect((error as Error).message).toContain("/api/subjects/node-1/penalties after 4 attempts");
    expect(requests).toHaveLength(attempts);
  });

  test("is not sent again when the answer is about the request", async () => {
    const { client, requests } = clientWith();
    await thrownBy(client.subjects.get({ id: "nobody" }));
    expect(requests).toHaveLength(1);
  });

  test("waits as long as it is asked to, and a little for itself", async () => {
    const { client, waitsMs } = clientWith([overloaded("7"), answer(429, { "retry-after": "3" })]);
    await client.service.status();
    expect(waitsMs).toEqual([7_100, 3_200]);
  });

  test("does not wait longer than anybody would, but says how long that is", async () => {
    const { client, waitsMs } = clientWith([overloaded("61")]);
    const error = await thrownBy(client.service.status());
    expect(error).toBeInstanceOf(StaunchProblem);
    expect(error).toMatchObject({ code: "overloaded", retryAfterMs: RETRY_AFTER_MAX_MS + 1_000 });
    expect(waitsMs).toEqual([]);
  });

  test("that somebody else answers is told as such", async () => {
    const { client, requests } = clientWith([answer(404)]);
    const error = await thrownBy(client.subjects.get({ id: "node-1" }));
    expect(error).toBeInstanceOf(StaunchAnswerInvalid);
    expect(error).toMatchObject({ type: "answer_invalid", status: 404 });
    expect((error as Error).message).toContain("somebody else");
    expect(requests).toHaveLength(1);
    const page = clientWith([answer(200)]).client.service.status();
    expect(await thrownBy(page)).toMatchObject({ type: "answer_invalid", status: 200 });
  });
});

describe("a write without a key", () => {
  test.each<[string, (client: Client) => Promise<unknown>]>([
    ["subjects.write", (client) => client.subjects.write({ id: "node-1" })],
    ["penalties.revoke", (client) => client.penalties.revoke({ id: "pen_1_0", reason: "test" })],
    ["keys.create", (client) => client.keys.create({ name: "test", role: "viewer" })],
    [
      "policies.activate",
      (client) => client.policies.activate({ kind: "x", policy: {}, reason: "test" }, { ifMatch: null }),
    ],
  ])("%s is sent once", async (_, call) => {
    for (const fault of [cut, overloaded("1")]) {
      const { client, requests } = clientWith([fault]);
      const error = await thrownBy(call(client));
      expect(error).toHaveProperty("type");
      expect(requests).toHaveLength(1);
    }
  });
});

describe("time", () => {
  /** Answers only when it is told to stop. */
  const never: Fault = (_url, init) =>
    new Promise((_, reject) => {
      init.signal!.addEventListener("abort", () => reject(init.signal!.reason as Error), { once: true });
    });

  test("that runs out ends an attempt, and the next may succeed", async () => {
    const { client, requests } = clientWith([never], { timeoutMs: 1 });
    // Enough for the real service on a busy machine.
    expect(await client.service.health({}, { timeoutMs: 500 })).toEqual({ status: "ok" });
    expect(requests).toHaveLength(2);
  });

  test("that ran out is told as such", async () => {
    const { client } = clientWith([never], { retry: { attemptsMax: 1 }, timeoutMs: 5 });
    expect(await thrownBy(client.service.health())).toMatchObject({ type: "unreachable", reason: "timeout" });
  });

  test("is the caller's to end, with the caller's reason", async () => {
    const reason = new Error("the user went away");
    const stopped = AbortSignal.abort(reason);
    expect(await thrownBy(clientWith().client.service.health({}, { signal: stopped }))).toBe(reason);
    const controller = new AbortController();
    const { client, requests } = clientWith([never]);
    const asking = thrownBy(client.subjects.write({ id: "node-1" }, { signal: controller.signal }));
    controller.abort(reason);
    expect(await asking).toBe(reason);
    expect(requests).toHaveLength(1);
  });

  test("between attempts ends with the caller's signal, on the real clock as well", async () => {
    const reason = new Error("the user went away");
    const controller = new AbortController();
    const stopping: Fault = async () => {
      // After the answer was read: by then the client waits.
      setTimeout(() => controller.abort(reason));
      return overloaded("50")();
    };
    const { client, requests } = clientWith([stopping], { clock: undefined });
    expect(await thrownBy(client.service.health({}, { signal: controller.signal }))).toBe(reason);
    expect(requests).toHaveLength(1);
  });
});

describe("waits", () => {
  const limits = { delayFirstMs: 200, delayMaxMs: 10_000 };

  test("are drawn from spans that double up to their limit", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (failures, random) => {
          const spanMs = Math.min(10_000, 200 * 2 ** (failures - 1));
          expect(backoffMs(failures, limits, random)).toBeCloseTo(random * spanMs, 6);
        },
      ),
    );
  });

  test("are read from seconds and from dates", () => {
    const nowMs = Date.UTC(2026, 10, 25, 3, 4, 5);
    expect(retryAfterMs("120", nowMs)).toBe(120_000);
    expect(retryAfterMs("Wed, 25 Nov 2026 03:04:35 GMT", nowMs)).toBe(30_000);
    expect(retryAfterMs("Wed, 25 Nov 2026 03:00:00 GMT", nowMs)).toBe(0);
    expect(retryAfterMs("soon", nowMs)).toBeNull();
    expect(retryAfterMs(null, nowMs)).toBeNull();
  });
});
