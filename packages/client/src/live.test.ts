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
  EVENT_CHARACTERS_MAX,
  RECONNECTS_MAX,
  StaunchAnswerInvalid,
  StaunchProblem,
  StaunchUnreachable,
  type LiveFilter,
  type LiveMessage,
  type LiveOptions,
} from "./index.ts";

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.close());

const cut: Fault = () => {
  throw new TypeError("the cable is cut");
};
const streamOf = (stream: ReadableStream): Response =>
  new Response(stream, { headers: { "content-type": "text/event-stream" } });

function clientWith(...faults: readonly Fault[]) {
  const clock = restlessClock();
  const { fetch: faulty, requests } = faultyFetch(...faults);
  const { baseUrl, adminKey: apiKey } = service;
  const options = { baseUrl, apiKey, fetch: faulty, clock, random: () => 0.5, validate: true };
  return { client: createClient(options), requests, waitsMs: clock.waitsMs };
}

/** Reports an uptime; answers the position as of which it counts. */
async function report(subject: string, value: number): Promise<number> {
  const { position } = await clientWith().client.events.ingest({
    type: "metric",
    subject,
    metric: "uptime",
    value,
  });
  return position;
}

/** The first messages of a subscription, until one satisfies. */
async function readUntil(
  { client }: Pick<ReturnType<typeof clientWith>, "client">,
  isLast: (message: LiveMessage) => boolean,
  filter: LiveFilter,
  options: LiveOptions,
): Promise<LiveMessage[]> {
  const messages: LiveMessage[] = [];
  for await (const message of client.live.subscribe(filter, options)) {
    messages.push(message);
    if (isLast(message)) return messages;
  }
  return messages;
}

const reaches = (position: number) => (message: LiveMessage) => message.position >= position;

describe("a subscription", () => {
  test("tells what came after the position given, and goes on from there", async () => {
    const before = await report("node-1", 1);
    const first = await report("node-1", 0.2);
    const link = clientWith();
    const messages: LiveMessage[] = [];
    for await (const message of link.client.live.subscribe({ subject: "node-1" }, { lastEventId: before })) {
      messages.push(message);
      if (message.position >= first + 1) break;
      await report("node-1", 0.9);
    }
    expect(messages.map(({ type, position }) => ({ type, position }))).toEqual([
      { type: "frame", position: first },
      { type: "frame", position: first + 1 },
    ]);
    expect(messages[0]).toMatchObject({ changes: [{ subject: "node-1", kind: "provider" }] });
    expect(link.requests[0]!.headers).toMatchObject({ "last-event-id": String(before) });
  });

  test("tells every kind of event as the contract says, filtered by type", async () => {
    const start = await report("judged", 1);
    const { client } = clientWith();
    const { id } = await client.penalties.apply({
      id: "judged",
      type: "fraud",
      points: 50,
      severity: "critical",
      reason: "x",
    });
    await client.penalties.revoke({ id, reason: "it was not" });
    await client.rewards.grant({ id: "judged", type: "high_uptime", points: 1, reason: "x" });
    await client.penalties.apply({ id: "judged", type: "ban", reason: "x" });
    await report("newcomer", 1);
    const policy = { kind: "relay", policy: {}, reason: "x" };
    const { position } = await client.policies.activate(policy, { ifMatch: null });
    const messages = await readUntil(clientWith(), reaches(position), {}, { lastEventId: start });
    const types = messages.flatMap((message) =>
      message.type === "frame" ? message.events.map(({ type }) => type) : [],
    );
    for (const type of [
      "penalty.applied",
      "score.low",
      "penalty.revoked",
      "reward.granted",
      "ban.started",
      "subject.registered",
      "policy.activated",
    ])
      expect(types).toContain(type);
    const filter: LiveFilter = { types: ["policy.activated"] };
    const [only] = await readUntil(clientWith(), reaches(position), filter, { lastEventId: start });
    expect(only).toMatchObject({
      type: "frame",
      changes: [],
      events: [{ type: "policy.activated", subject: null }],
    });
  });

  test("surfaces a gap when the position is not of this log", async () => {
    const position = await report("node-1", 1);
    const [gap] = await readUntil(clientWith(), () => true, {}, { lastEventId: position + 1_000 });
    expect(gap).toMatchObject({ type: "gap", reason: "resume" });
  });

  test("lets go of its connection when the loop is left", async () => {
    const start = await report("node-1", 0.3);
    await report("node-1", 0.4);
    let signal: AbortSignal | null | undefined;
    const noted: Fault = (url, init) => {
      signal = init.signal;
      return fetch(url, init);
    };
    await readUntil(clientWith(noted), () => true, {}, { lastEventId: start });
    expect(signal!.aborted).toBe(true);
  });

  test("ends quietly when the signal aborts, also while it waits for a message or for a connection", async () => {
    const controller = new AbortController();
    const connected: Fault = (url, init) => {
      setTimeout(() => controller.abort());
      return fetch(url, init);
    };
    const { signal } = controller;
    expect(await readUntil(clientWith(connected), () => true, {}, { signal })).toEqual([]);
    expect(await readUntil(clientWith(), () => true, {}, { signal })).toEqual([]);
  });

  test("that is refused says why, and does not try again", async () => {
    const { baseUrl } = service;
    const { fetch: noted, requests } = faultyFetch();
    const stranger = createClient({ baseUrl, apiKey: "stn_wrong", fetch: noted });
    const reading = stranger.live.subscribe().next();
    await expect(reading).rejects.toThrow(StaunchProblem);
    await expect(reading).rejects.toMatchObject({ code: "key_invalid" });
    expect(requests).toHaveLength(1);
  });
});

describe("a connection that breaks", () => {
  test("is opened again after growing waits, and asks for what came after the last message", async () => {
    const start = await report("node-2", 1);
    const first = await report("node-2", 0.5);
    const cutAfterFrame: Fault = async (url, init) => {
      const response = await fetch(url, init);
      const reader = response.body!.getReader();
      return streamOf(
        new ReadableStream({
          pull: async (controller) => {
            const { value } = await reader.read();
            controller.enqueue(value);
            if (!new TextDecoder().decode(value).includes("event: frame")) return;
            await report("node-2", 0.7);
            controller.error(new Error("the cable is cut"));
          },
        }),
      );
    };
    const link = clientWith(cut, cutAfterFrame, cut);
    const breaks: string[] = [];
    const onBreak: LiveOptions["onBreak"] = ({ type }) => breaks.push(type);
    const options = { lastEventId: start, onBreak };
    const messages = await readUntil(link, reaches(first + 1), { subject: "node-2" }, options);
    expect(messages.map(({ position }) => position)).toEqual([first, first + 1]);
    expect(link.requests.map(({ headers }) => headers["last-event-id"])).toEqual(
      [start, start, first, first].map(String),
    );
    // The second wait starts from what the service asked for in its stream, two seconds.
    expect(link.waitsMs).toEqual([100, 2_000, 4_000]);
    expect(breaks).toEqual(["unreachable", "unreachable", "unreachable"]);
  });

  test("by a restart of the service goes on with a gap, for the service has forgotten what it told", async () => {
    const start = await report("node-3", 1);
    const first = await report("node-3", 0.8);
    const stream = clientWith().client.live.subscribe({ subject: "node-3" }, { lastEventId: start });
    const { value: before } = await stream.next();
    expect(before).toMatchObject({ type: "frame", position: first });
    await service.restart();
    const last = await report("node-3", 0.6);
    const { value: gap } = await stream.next();
    expect(gap).toMatchObject({ type: "gap", reason: "resume", position: last });
    const { value: after } = await stream.next();
    expect(after).toMatchObject({ type: "frame", position: last, changes: [{ subject: "node-3" }] });
    await stream.return();
  });

  test("for want of room waits as long as the service asks", async () => {
    const full: Fault = async () =>
      new Response(JSON.stringify({ code: "overloaded", status: 503, detail: "full" }), {
        status: 503,
        headers: { "content-type": "application/problem+json", "retry-after": "30" },
      });
    const start = await report("node-4", 1);
    const last = await report("node-4", 0.5);
    const link = clientWith(full);
    await readUntil(link, reaches(last), {}, { lastEventId: start });
    expect(link.waitsMs).toEqual([30_100]);
  });

  test("by silence is noticed", async () => {
    const start = await report("node-5", 1);
    const last = await report("node-5", 0.5);
    const silent: Fault = async () => streamOf(new ReadableStream());
    const link = clientWith(silent);
    const reasons: unknown[] = [];
    const onBreak: LiveOptions["onBreak"] = (failure) => reasons.push("reason" in failure && failure.reason);
    // Enough for the real service, which begins at once, on a busy machine.
    await readUntil(link, reaches(last), {}, { lastEventId: start, idleMaxMs: 1_000, onBreak });
    expect(reasons[0]).toBe("timeout");
    expect(link.requests.length).toBeGreaterThan(1);
  });

  test("for ever is given up", async () => {
    const { client, requests } = clientWith(...Array.from({ length: 2 * RECONNECTS_MAX }, () => cut));
    await expect(client.live.subscribe().next()).rejects.toThrow(StaunchUnreachable);
    expect(requests).toHaveLength(1 + RECONNECTS_MAX);
    const once = clientWith(cut, cut);
    await expect(once.client.live.subscribe({}, { reconnectsMax: 0 }).next()).rejects.toThrow(
      StaunchUnreachable,
    );
    expect(once.requests).toHaveLength(1);
  });
});

describe("a stream that is none of the service's", () => {
  test("is not gathered without end", async () => {
    let sent = 0;
    const endless: Fault = async () =>
      streamOf(
        new ReadableStream({
          pull: (controller) => {
            sent += 1 << 16;
            controller.enqueue(new TextEncoder().encode(`data: ${"x".repeat((1 << 16) - 6)}`));
          },
        }),
      );
    const reading = clientWith(endless).client.live.subscribe().next();
    await expect(reading).rejects.toThrow(StaunchAnswerInvalid);
    expect(sent).toBeLessThan(EVENT_CHARACTERS_MAX + (1 << 20));
  });

  test("is told as such when its data make no sense, and events of unknown types are passed over", async () => {
    const text =
      'event: news\ndata: {}\n\nid: 7\nevent: gap\ndata: {"position":7,"reason":"backlog"}\n\nevent: frame\ndata: {\n\n';
    const odd: Fault = async () => streamOf(new Response(text).body!);
    const stream = clientWith(odd).client.live.subscribe();
    expect(await stream.next()).toEqual({
      done: false,
      value: { type: "gap", position: 7, reason: "backlog" },
    });
    await expect(stream.next()).rejects.toThrow(StaunchAnswerInvalid);
  });
});
