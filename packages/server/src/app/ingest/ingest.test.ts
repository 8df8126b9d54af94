import {
  createState,
  decodeBatch,
  HEALTH_PARTS,
  KINDS_MAX,
  parsePolicy,
  standing,
  STORAGE_PROVIDER,
  type Policy,
  type State,
} from "@staunch/engine";
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { MemoryLog, MemoryLogStore } from "../../adapters/memory-log/memory-log.ts";
import { testClock } from "../../ports/clock.ts";
import { MonitorGuard } from "../guards/monitor-guard.ts";
import { Partition } from "../partition/partition.ts";
import type { Role } from "../principal.ts";
import { Ingest, type Answer, type IngestOutcome, type IngestRequest } from "./ingest.ts";

const NOW = Date.UTC(2026, 10, 25, 3, 4, 5);
const DAY_MS = 86_400_000;

describe("a list of events", () => {
  test("is durable and counted when it is answered", async () => {
    const { send, state, store } = await service();
    const answer = await send([metric("a"), metric("b", { ok: false }), metric("a", { value: 0.5 })]);
    expect(answer).toMatchObject({
      type: "answered",
      accepted: 3,
      rejected: 0,
      rejections: [],
      duplicate: false,
    });
    expect((answer as Answer).position).toBe(store.records.length);
    expect(state.eventCount).toBe(3);
    expect([state.ids.at(0), state.ids.at(1)]).toEqual(["a", "b"]);
  });

  test("keeps its good events when others are bad, and registers nobody for the bad", async () => {
    const { send, state } = await service();
    const answer = await send([
      metric("a"),
      metric("ghost-1", { value: 7 }),
      metric("ghost-2", { at: NOW - DAY_MS - 1 }),
      metric("ghost-3", { kind: "client" }),
      metric("b"),
    ]);
    expect(answer).toMatchObject({ accepted: 2, rejected: 3 });
    expect((answer as Answer).rejections.map(({ index, code }) => [index, code])).toEqual([
      [1, "out_of_range"],
      [2, "time_too_old"],
      [3, "unknown_kind"],
    ]);
    expect(state.ids.size).toBe(2);
    expect(state.eventCount).toBe(2);
  });

  test("keeps columns together when a sample in the middle is rejected late", async () => {
    const { send, state } = await service();
    await send([metric("old"), metric("good")]);
    await send([
      metric("old", { at: NOW - DAY_MS - 1, weight: 2, monitor: "m1", context: "c1" }),
      metric("good", { at: NOW - 5, value: 0.25, weight: 3, monitor: "m2", context: "c2" }),
    ]);
    const [sample] = state.kinds[0]!.aggregates!.samples(1, 0, NOW).filter(({ value }) => value === 0.25);
    expect(sample).toMatchObject({ atMs: NOW - 5, weight: 3, monitor: "m2", context: "c2" });
  });

  test("writes nothing when all or nothing was asked for and one is bad", async () => {
    const { send, state, store } = await service();
    const before = store.records.length;
    const outcome = await send([metric("a"), metric("b", { value: 7 })], { atomic: true });
    expect(outcome).toMatchObject({
      type: "atomic_rejected",
      rejections: [{ index: 1, code: "out_of_range" }],
    });
    expect(store.records.length).toBe(before);
    // The number that was kept for `a` is free again.
    expect(state.ids.size).toBe(0);
    expect(await send([metric("c")])).toMatchObject({ accepted: 1 });
    expect(state.ids.at(0)).toBe("c");
  });

  test("writes nothing when nothing in it is good", async () => {
    const { send, store } = await service();
    const before = store.records.length;
    expect(await send([metric("a", { value: 7 })])).toMatchObject({ accepted: 0, rejected: 1 });
    expect(await send([])).toMatchObject({ accepted: 0, rejected: 0 });
    expect(store.records.length).toBe(before);
  });

  test("may be one event", async () => {
    const { send } = await service();
    expect(await send(metric("a"))).toMatchObject({ accepted: 1, rejected: 0 });
  });

  test.each([
    ["", { type: "empty_body" }],
    [" \n", { type: "empty_body" }],
    ['[{"type":', { type: "malformed_json", position: 9 }],
  ])("%j is refused", async (body, refusal) => {
    const { sendText } = await service();
    expect(await sendText(body)).toMatchObject(refusal);
  });

  test("must be UTF-8", async () => {
    const { sendBytes } = await service();
    expect(await sendBytes(Uint8Array.of(0x5b, 0xff, 0x5d))).toMatchObject({
      type: "malformed_json",
      position: null,
    });
  });
});

test("of NDJSON a line that is cut off loses itself only, and is named by its number", async () => {
  const { sendText } = await service();
  const body = `${JSON.stringify(metric("a"))}\r\n\n${JSON.stringify(metric("b"))}\n{"type":"met`;
  const answer = await sendText(body, { format: "ndjson" });
  expect(answer).toMatchObject({ accepted: 2, rejected: 1 });
  expect((answer as Answer).rejections).toMatchObject([{ index: 3, code: "malformed_json" }]);
});

describe("acts", () => {
  const penalty = {
    type: "penalty",
    subject: "a",
    penalty: "data_loss",
    severity: "major",
    points: 5,
    reason: "lost it",
  };

  test("lower and restore the score, and are answered with their ids", async () => {
    const { send, state, partition } = await service();
    await send([metric("a")]);
    const scoreOf = (): number => standing(state, 0, partition.now()).score;
    const before = scoreOf();
    const given = (await send([penalty], { role: "operator" })) as Answer;
    const { id } = given.sanctions[0]!;
    expect(state.sanctions.penalty(id)).toMatchObject({
      subject: 0,
      issuer: "key:tester",
      reason: "lost it",
      at: NOW,
    });
    expect(scoreOf()).toBeLessThan(before);
    const revoke = { type: "penalty_revoked", penalty_id: id, reason: "it was not them" };
    expect(await send([revoke], { role: "admin" })).toMatchObject({
      accepted: 1,
      sanctions: [{ index: 0, id }],
    });
    expect(scoreOf()).toBe(before);
    expect(await send([revoke], { role: "admin" })).toMatchObject({
      accepted: 0,
      rejections: [{ code: "penalty_not_active", field: "penalty_id" }],
    });
  });

  test("of one instant are decided one after the other", async () => {
    const { send } = await service();
    const given = (await send([penalty], { role: "operator" })) as Answer;
    const revoke = { type: "penalty_revoked", penalty_id: given.sanctions[0]!.id, reason: "once" };
    const answer = await send([revoke, revoke], { role: "operator" });
    expect(answer).toMatchObject({
      accepted: 1,
      rejected: 1,
      rejections: [{ index: 1, code: "penalty_not_active" }],
    });
  });

  test("need an operator; samples and subjects do not", async () => {
    const { send } = await service();
    const reward = { type: "reward", subject: "a", reward: "high_uptime", points: 2, reason: "good" };
    const subject = { type: "subject", subject: "a", operator: "acme" };
    const answer = await send([penalty, metric("a"), reward, subject], { role: "ingest" });
    expect(answer).toMatchObject({ accepted: 2, rejected: 2 });
    expect((answer as Answer).rejections.map(({ index, code }) => [index, code])).toEqual([
      [0, "role_not_allowed"],
      [2, "role_not_allowed"],
    ]);
    expect(await send([penalty, reward], { role: "operator" })).toMatchObject({ accepted: 2 });
  });

  test("come after the samples of the same request", async () => {
    const { send, state } = await service();
    const answer = (await send([penalty, metric("a")], { role: "operator" })) as Answer;
    expect(answer.accepted).toBe(2);
    const applied = state.sanctions.penalty(answer.sanctions[0]!.id)!;
    expect(applied.position).toBe(answer.position);
    expect(state.ids.at(0)).toBe("a");
  });

  test("last from now, or from when they happened if that is ahead", async () => {
    const { send, state } = await service();
    const ends = async (fields: object): Promise<number | null> => {
      const answer = (await send([{ ...penalty, ...fields }], { role: "operator" })) as Answer;
      return state.sanctions.penalty(answer.sanctions[0]!.id)!.expiresAt;
    };
    expect(await ends({})).toBeNull();
    expect(await ends({ duration: "1h30m", at: NOW - DAY_MS })).toBe(NOW + 5_400_000);
    expect(await ends({ duration: 1000, at: NOW + 60_000 })).toBe(NOW + 61_000);
    expect(await ends({ expires_at: "2026-11-26T03:04:05Z", fade: "linear" })).toBe(NOW + DAY_MS);
  });

  test("have at most the points of the policy's scale", async () => {
    const { send } = await service();
    const answer = await send([{ ...penalty, points: 101 }], { role: "operator" });
    expect(answer).toMatchObject({ rejections: [{ code: "out_of_range", field: "points" }] });
  });
});

describe("subjects", () => {
  test("take the kind of their first mention, whatever sort of event that is", async () => {
    const { send, state } = await service();
    const answer = await send([
      { type: "subject", subject: "w", kind: "worker", operator: "acme", attributes: { region: "eu" } },
      metric("w"),
      metric("p"),
      { type: "subject", subject: "p", kind: "worker" },
      metric("p", { kind: "worker" }),
    ]);
    expect(answer).toMatchObject({ accepted: 3, rejected: 2 });
    expect((answer as Answer).rejections.map(({ code }) => code)).toEqual(["kind_mismatch", "kind_mismatch"]);
    expect(state.profiles.get(0)).toEqual({ operator: "acme", attributes: { region: "eu" } });
    expect(state.kinds[state.places.kindOf(0)]!.name).toBe("worker");
    expect(state.kinds[state.places.kindOf(1)]!.name).toBe("provider");
  });

  test("keep what is not named and lose what is null", async () => {
    const { send, state } = await service();
    await send([{ type: "subject", subject: "a", operator: "acme", attributes: { region: "eu", price: 2 } }]);
    await send([{ type: "subject", subject: "a", attributes: { price: null, tags: ["ssd"] } }]);
    expect(state.profiles.get(0)).toEqual({ operator: "acme", attributes: { region: "eu", tags: ["ssd"] } });
  });

  test("cannot gather attributes without end", async () => {
    const { send } = await service();
    const attributes = (prefix: string): object =>
      Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`${prefix}${index}`, index]));
    await send([{ type: "subject", subject: "a", attributes: attributes("x") }]);
    const answer = await send([{ type: "subject", subject: "a", attributes: attributes("y") }]);
    expect(answer).toMatchObject({
      accepted: 0,
      rejections: [{ code: "too_many_attributes", field: "attributes" }],
    });
  });
});

describe("a repeated request", () => {
  test("under its key changes nothing and gets the first answer, rejections included", async () => {
    const { send, state } = await service();
    const events = [metric("a"), metric("b", { value: 7 })];
    const first = (await send(events, { idempotencyKey: "k1" })) as Answer;
    const second = (await send(events, { idempotencyKey: "k1" })) as Answer;
    expect(second).toEqual({ ...first, duplicate: true });
    expect(state.eventCount).toBe(1);
  });

  test("with another body is a mistake", async () => {
    const { send } = await service();
    await send([metric("a")], { idempotencyKey: "k1" });
    expect(await send([metric("b")], { idempotencyKey: "k1" })).toEqual({ type: "idempotency_key_reused" });
  });

  test("that is sent before the first is answered counts once too", async () => {
    const { send, state } = await service();
    const options = { idempotencyKey: "k1" };
    const [first, second] = await Promise.all([send([metric("a")], options), send([metric("a")], options)]);
    expect(first).toMatchObject({ accepted: 1, duplicate: false });
    expect(second).toMatchObject({ accepted: 1, duplicate: true });
    expect(state.eventCount).toBe(1);
  });

  test("gives the ids of sanctions again", async () => {
    const { send } = await service();
    const reward = { type: "reward", subject: "a", reward: "high_uptime", points: 2, reason: "good" };
    const options = { idempotencyKey: "k1", role: "operator" } as const;
    const first = (await send([metric("a"), reward], options)) as Answer;
    const second = (await send([metric("a"), reward], options)) as Answer;
    expect(second.sanctions).toEqual(first.sanctions);
    expect(second.sanctions).toMatchObject([{ index: 1 }]);
  });

  test("of another API key under the same name is none", async () => {
    const { send, state } = await service();
    await send([metric("a")], { idempotencyKey: "k1", principalId: "one" });
    expect(await send([metric("a")], { idempotencyKey: "k1", principalId: "two" })).toMatchObject({
      duplicate: false,
    });
    await send([metric("a")], { producer: "p", sequence: 9, principalId: "one" });
    expect(await send([metric("a")], { producer: "p", sequence: 1, principalId: "two" })).toMatchObject({
      duplicate: false,
    });
    expect(state.eventCount).toBe(4);
  });

  test("of a producer is told by a sequence that does not rise", async () => {
    const { send, state } = await service();
    await send([metric("a")], { producer: "p", sequence: 4 });
    expect(await send([metric("a")], { producer: "p", sequence: 4 })).toMatchObject({
      accepted: 0,
      duplicate: true,
    });
    expect(await send([metric("a")], { producer: "p", sequence: 3 })).toMatchObject({
      accepted: 0,
      duplicate: true,
    });
    expect(await send([metric("a")], { producer: "p", sequence: 5 })).toMatchObject({
      accepted: 1,
      duplicate: false,
    });
    expect(state.eventCount).toBe(2);
  });
});

describe("CloudEvents", () => {
  const envelope = (id: string, fields: object = {}): object => ({
    specversion: "1.0",
    id,
    source: "/probes/1",
    type: "staunch.metric.v1",
    subject: "node-1",
    time: "2026-11-25T03:00:00Z",
    traceparent: "carried along",
    data: { metric: "uptime", value: 0.5 },
    ...fields,
  });

  test("carry subject and time in the envelope", async () => {
    const { send, state } = await service();
    expect(await send(envelope("1"), { format: "cloudevents" })).toMatchObject({ accepted: 1 });
    const [sample] = state.kinds[0]!.aggregates!.samples(0, 0, NOW);
    expect(sample).toMatchObject({ atMs: Date.UTC(2026, 10, 25, 3), value: 0.5 });
    expect(state.ids.at(0)).toBe("node-1");
  });

  test("in binary mode have their attributes beside the body", async () => {
    const { send, state } = await service();
    const attributes = { specversion: "1.0", id: "1", source: "s", type: "staunch.metric.v1", subject: "n" };
    const answer = await send({ metric: "uptime", value: 1 }, { format: "cloudevents", attributes });
    expect(answer).toMatchObject({ accepted: 1 });
    expect(state.ids.at(0)).toBe("n");
  });

  test("that are delivered again count once, in whatever bundles they come", async () => {
    const { send, state } = await service();
    await send(envelope("1"), { format: "cloudevents" });
    const again = await send([envelope("1"), envelope("2"), envelope("2")], { format: "cloudevents-batch" });
    expect(again).toMatchObject({ accepted: 3, rejected: 0, duplicate: false });
    expect(state.eventCount).toBe(2);
    const third = await send([envelope("2"), envelope("1")], { format: "cloudevents-batch" });
    expect(third).toMatchObject({ accepted: 2, duplicate: true });
    expect(await send(envelope("1", { source: "/probes/2" }), { format: "cloudevents" })).toMatchObject({
      duplicate: false,
    });
    expect(state.eventCount).toBe(3);
  });

  test("of a batch are rejected one by one, or all when asked", async () => {
    const { send, state } = await service();
    const batch = [envelope("1"), envelope("2", { data: { metric: "uptime", value: 9 } }), { id: "3" }];
    const answer = await send(batch, { format: "cloudevents-batch" });
    expect(answer).toMatchObject({
      accepted: 1,
      rejected: 2,
      rejections: [
        { index: 1, id: "2", code: "out_of_range" },
        { index: 2, id: "3", code: "cloud_event_invalid", field: "specversion" },
      ],
    });
    const atomic = await send([envelope("4"), { id: "5" }], { format: "cloudevents-batch", atomic: true });
    expect(atomic).toMatchObject({ type: "atomic_rejected" });
    expect(state.eventCount).toBe(1);
    expect(
      await send([envelope("4"), envelope("5")], { format: "cloudevents-batch", atomic: true }),
    ).toMatchObject({
      accepted: 2,
    });
  });

  test.each([
    [{ specversion: "0.3" }, "cloud_event_invalid", "specversion"],
    [{ source: "" }, "cloud_event_invalid", "source"],
    [{ type: "com.example.thing" }, "unknown_type", "type"],
    [{ type: "staunch.metric.v2" }, "unknown_type", "type"],
    [{ time: "yesterday" }, "cloud_event_invalid", "time"],
    [{ datacontenttype: "text/xml" }, "cloud_event_invalid", "datacontenttype"],
    [{ data: "text" }, "cloud_event_invalid", "data"],
    [{ data: { subject: "other", metric: "uptime", value: 1 } }, "conflicting_fields", "subject"],
    [{ data: { type: "penalty", metric: "uptime", value: 1 } }, "conflicting_fields", "type"],
    [{ data: { metric: "uptime", value: 1, extra: 1 } }, "unknown_field", "extra"],
    [{ subject: undefined }, "missing_field", "subject"],
  ])("with %j are rejected as %s", async (fields, code, field) => {
    const { send } = await service();
    const answer = await send(envelope("1", fields), { format: "cloudevents" });
    expect(answer).toMatchObject({ accepted: 0, rejections: [{ code, field }] });
  });
});

test("what is refused because too much is waiting leaves the numbers of ids to those that follow", {
  timeout: 20_000,
}, async () => {
  const { send, state } = await service();
  const events = (from: number): object[] =>
    Array.from({ length: 16_384 }, (_, index) => metric(`s-${from + index}`));
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, request) => send(events(request * 16_384))),
  );
  const refused = outcomes.filter(({ type }) => type === "refused").length;
  expect(refused).toBeGreaterThan(0);
  expect(await send([metric("after")])).toMatchObject({ accepted: 1 });
  expect(state.ids.size).toBe((20 - refused) * 16_384 + 1);
  expect(state.ids.at(state.ids.size - 1)).toBe("after");
});

test("a refusal of the log is passed on, and what was refused is not there", async () => {
  const { send, state, partition } = await service();
  await partition.close();
  expect(await send([metric("a")])).toEqual({ type: "refused", refusal: { type: "closing" } });
  expect(state.ids.size).toBe(0);
});

test("reports of one request name as many parts as a record can tell apart, and the log is readable after them", async () => {
  const { send, state, partition, store } = await service(sixteenKinds());
  const reports = state.kinds.map(({ name }) => ({
    type: "health",
    subject: `of ${name}`,
    kind: name,
    parts: Object.fromEntries(Array.from({ length: 16 }, (_, part) => [`${name}_${part}`, part])),
  }));
  const answer = await send(reports);
  expect(answer).toMatchObject({ accepted: 15, rejections: [{ index: 15, code: "out_of_range" }] });
  expect(await send(reports.slice(15))).toMatchObject({ accepted: 1 });
  await partition.close();
  const read = store.records.map(({ position, body }) => decodeBatch(position, body));
  const named = read.map((one) =>
    one.type === "decoded" ? one.batch.entries[0]?.health?.parts.length : one.detail,
  );
  expect(named.slice(-2)).toEqual([240, 16]);
});

/** As many kinds as there can be, each with sixteen parts of health of its own. */
function sixteenKinds(): { [kind: string]: Policy } {
  const kinds = Array.from({ length: KINDS_MAX }, (_, number) => `k${number}`);
  return Object.fromEntries(
    kinds.map((kind) => {
      const known = Object.fromEntries(HEALTH_PARTS.map((part) => [part, null]));
      const own = Array.from({ length: 16 }, (_, part) => [`${kind}_${part}`, { good: 0, bad: 1 }]);
      const parts = { ...known, ...Object.fromEntries(own) };
      const parsed = parsePolicy({ extends: "compute-worker", health: { parts } });
      if (parsed.type === "invalid") throw new Error(JSON.stringify(parsed.problems));
      return [kind, parsed.policy];
    }),
  );
}

function metric(subject: string, fields: object = {}): object {
  return { type: "metric", subject, metric: "uptime", value: 1, ...fields };
}

interface SendOptions extends Partial<Omit<IngestRequest, "body" | "principal">> {
  readonly role?: Role;
  readonly principalId?: string;
}

interface Service {
  readonly send: (value: unknown, options?: SendOptions) => Promise<IngestOutcome>;
  readonly sendText: (text: string, options?: SendOptions) => Promise<IngestOutcome>;
  readonly sendBytes: (body: Uint8Array, options?: SendOptions) => Promise<IngestOutcome>;
  readonly state: State;
  readonly partition: Partition;
  readonly store: MemoryLogStore;
}

async function service(
  policies: { [kind: string]: Policy } = { provider: STORAGE_PROVIDER, worker: STORAGE_PROVIDER },
): Promise<Service> {
  const store = new MemoryLogStore();
  const log = new MemoryLog(store);
  const clock = testClock(NOW);
  const claimed = await log.claim({ owner: "test", loggedAt: NOW });
  if (claimed.type !== "claimed") throw new Error(claimed.type);
  const state = createState({ seed: 7, policies, aggregates: true });
  const partition = new Partition({
    log,
    clock,
    state,
    tail: claimed.tail,
    commitEventsMax: 16_384,
    gate: new MonitorGuard(),
  });
  const ingest = new Ingest(partition, { hash: (bytes) => createHash("sha256").update(bytes).digest("hex") });
  const sendBytes: Service["sendBytes"] = (
    body,
    { role = "ingest", principalId = "tester", ...options } = {},
  ) =>
    ingest.ingest({
      format: "json",
      attributes: null,
      atomic: false,
      idempotencyKey: "",
      producer: "",
      sequence: 0,
      ...options,
      body,
      principal: { id: principalId, name: "tester", role },
    });
  const sendText: Service["sendText"] = (text, options) => sendBytes(new TextEncoder().encode(text), options);
  const send: Service["send"] = (value, options) => sendText(JSON.stringify(value), options);
  return { send, sendText, sendBytes, state, partition, store };
}
