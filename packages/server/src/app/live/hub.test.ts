import { beforeEach, describe, expect, test } from "vitest";
import {
  apply,
  createState,
  EMPTY_ENTRY,
  FAILURE,
  MONITOR_WINDOW_MS,
  parsePolicy,
  standing,
  SUCCESS,
  type Batch,
  type Effects,
  type Entry,
  type State,
} from "@staunch/engine";
import { act, newState, penalty, registration, START_MS, uptime } from "../projector/fixtures.ts";
import { RING_CHANGES } from "./change-ring.ts";
import type { LiveFilter } from "./filter.ts";
import { FLEET_FILTERS_MAX, FRAME_CHANGES_MAX, LiveHub, type LiveLimits, type Sink } from "./hub.ts";

const LIMITS: LiveLimits = { connectionsMax: 1_000, backlogMaxBytes: 1_000, framesPerSecond: 4 };
const ALL: LiveFilter = { subject: null, kind: null, operator: null, tier: null, types: null };

describe("live updates", () => {
  let state: State;
  let hub: LiveHub;
  let position: number;

  beforeEach(() => {
    state = newState();
    position = 0;
    hub = new LiveHub(state, LIMITS);
    run(registration(1, START_MS, 0, 10));
  });

  function run(batch: Batch): Effects {
    const effects = apply(state, batch);
    hub.applied(effects);
    position = batch.position;
    return effects;
  }

  /** The next batch gives each subject a new score. */
  function move(subjects: readonly number[], value: number): void {
    run(uptime(position + 1, state.now + 1_000, subjects, value));
  }

  function subscribe(filter: Partial<LiveFilter> = {}, lastEventId: number | null = null): TestSink {
    const sink = new TestSink();
    const result = hub.subscribe({ ...ALL, ...filter }, lastEventId, sink);
    if (result.type !== "subscribed") throw new Error(result.type);
    sink.unsubscribe = result.unsubscribe;
    return sink;
  }

  test("a frame has old score, new score, reason and components, under the log position", () => {
    const sink = subscribe();
    const before = standing(state, 3, state.now);
    move([3], 0.1);
    const after = standing(state, 3, state.now);
    hub.tick();
    const [frame] = sink.frames();
    expect(frame!.id).toBe(2);
    expect(frame!.data.changes).toHaveLength(1);
    const change = frame!.data.changes[0]!;
    expect(change).toMatchObject({
      type: "score.changed",
      subject: "node-3",
      kind: "provider",
      reason: "metric_update",
    });
    expect(change.at).toBe(new Date(state.now).toISOString());
    expect(change.old_score).toBeCloseTo(before.score, 3);
    expect(change.new_score).toBeCloseTo(after.score, 3);
    expect(change.change).toBeCloseTo(after.score - before.score, 3);
    for (const { name, score } of after.components) expect(change.breakdown[name]).toBeCloseTo(score, 3);
  });

  test("between two frames only the newest value of a subject is told, from where it was", () => {
    const sink = subscribe();
    const before = standing(state, 3, state.now).score;
    for (const value of [0.9, 0.1, 0.5]) move([3], value);
    hub.tick();
    hub.tick();
    const frames = sink.frames();
    expect(frames).toHaveLength(1);
    expect(frames[0]!.id).toBe(4);
    expect(frames[0]!.data.changes).toHaveLength(1);
    expect(frames[0]!.data.changes[0]!.old_score).toBeCloseTo(before, 3);
    expect(frames[0]!.data.changes[0]!.new_score).toBeCloseTo(standing(state, 3, state.now).score, 3);
  });

  test("acts and crossings come with their place in the log, as they were at that moment", () => {
    const sink = subscribe();
    run(act(2, state.now + 10, penalty(4, START_MS, START_MS + 5_000)));
    move([4], 1);
    run(uptime(4, START_MS + 10_000, [4], 1));
    hub.tick();
    const events = sink.frames()[0]!.data.events.filter(({ subject }) => subject === "node-4");
    expect(events[0]).toMatchObject({
      id: "2.0",
      type: "penalty.applied",
      detail: {
        id: "pen_2_0",
        penalty_type: "data_loss",
        expires_at: new Date(START_MS + 5_000).toISOString(),
      },
    });
    expect(events.map(({ type }) => type)).toContain("penalty.ended");
  });

  test("a failed monitor is told to those who watch everything, and to each whom it wronged", () => {
    const sinks = [subscribe(), subscribe({ kind: "provider" }), subscribe({ subject: "node-4" })];
    const named = uptime(2, START_MS, [4], 0);
    const samples = { ...named.entries[0]!.samples!, monitor: ["probe-fra"] };
    run({ ...named, entries: [{ ...named.entries[0]!, samples }] });
    const from = START_MS;
    const to = from + MONITOR_WINDOW_MS;
    const counts = { operators: 40, failing: 19, observed: 0.5, expected: 0.01, tail: 1e-20 };
    const evidence = { metric: "uptime", ...counts, subjects: [4], others: [] } as const;
    const by = { issuer: "rule:test", reason: "test" };
    run(act(3, to, { type: "window.voided", monitor: "probe-fra", from, to, evidence, ...by }));
    hub.tick();
    const span = { starts_at: new Date(from).toISOString(), ends_at: new Date(to).toISOString() };
    const detail = { monitor: "probe-fra", metric: "uptime", ...span };
    const head = { at: new Date(to).toISOString() };
    const toAll = { operators: 40, failing: 19, samples: 1 };
    const all = {
      id: "3.0",
      type: "window.voided",
      ...head,
      subject: null,
      kind: null,
      detail: { ...detail, ...toAll },
    };
    const one = { id: "3.1", type: "evidence.voided", ...head, subject: "node-4", kind: "provider", detail };
    expect(sinks.map((sink) => sink.frames().at(-1)!.data.events)).toEqual([[all, one], [one], [one]]);
  });

  test("what the fold changes after a batch does not change what was said of it", () => {
    const sink = subscribe({ types: ["penalty.applied"] });
    const [effect] = run(act(2, state.now + 10, penalty(4, START_MS))).list;
    if (effect?.type !== "penalty.applied") throw new Error("no penalty");
    const { deduction } = effect.penalty;
    effect.penalty.deduction += 1;
    hub.tick();
    expect(sink.frames()[0]!.data.events[0]).toMatchObject({ detail: { deduction } });
  });

  test("filters let through what they name", () => {
    run(
      act(2, state.now, {
        type: "subject.updated",
        subject: 1,
        operator: "acme",
        issuer: "key:test0000",
        reason: "owner",
      }),
    );
    const sinks = {
      one: subscribe({ subject: "node-2" }),
      acme: subscribe({ operator: "acme" }),
      providers: subscribe({ kind: "provider" }),
      workers: subscribe({ kind: "worker" }),
      basic: subscribe({ tier: standing(state, 0, state.now).tier }),
      gold: subscribe({ tier: "no such tier" }),
      acts: subscribe({ types: ["penalty.applied"] }),
    };
    hub.tick();
    run(act(3, state.now + 1, penalty(3, START_MS)));
    move([1, 2], 0.3);
    hub.tick();
    const told = Object.fromEntries(Object.entries(sinks).map(([name, sink]) => [name, sink.subjects()]));
    expect(told).toEqual({
      one: ["node-2"],
      acme: ["node-1"],
      providers: ["node-1", "node-2", "node-3"],
      workers: [],
      basic: ["node-1", "node-2", "node-3"],
      gold: [],
      acts: ["node-3"],
    });
    expect(sinks.acts.frames()[0]!.data.changes).toEqual([]);
  });

  test("a subject that is registered later is followed from its first change on", () => {
    const sink = subscribe({ subject: "node-10" });
    hub.tick();
    run(registration(2, state.now + 1, 10, 1));
    move([10, 1], 0.2);
    hub.tick();
    expect(
      sink
        .frames()
        .at(-1)!
        .data.changes.map(({ subject }) => subject),
    ).toEqual(["node-10"]);
  });

  test("who comes back gets what it missed, and nothing twice", () => {
    const first = subscribe();
    move([1], 0.2);
    hub.tick();
    first.unsubscribe();
    move([1, 2], 0.4);
    move([3], 0.6);
    hub.tick();
    const again = subscribe({}, first.frames().at(-1)!.id);
    move([4], 0.1);
    hub.tick();
    hub.tick();
    expect(again.gaps()).toEqual([]);
    expect(again.frames()).toHaveLength(1);
    expect(again.subjects()).toEqual(["node-1", "node-2", "node-3", "node-4"]);
  });

  test("who was away too long is told of the gap first", () => {
    hub = new LiveHub(state, LIMITS);
    const sink = subscribe({}, 0);
    hub.tick();
    expect(sink.gaps()).toEqual(["resume"]);
    expect(sink.texts[1]).toMatch(/^id: 1\nevent: gap\n/u);
    const future = subscribe({}, 1_000);
    hub.tick();
    expect(future.gaps()).toEqual(["resume"]);
  });

  test("the ring says when it does not reach back", () => {
    const many = Array.from({ length: 10_000 }, (_, index) => index + 10);
    run(registration(2, state.now, 10, 10_000));
    const position2 = position;
    for (let round = 0; round * many.length <= RING_CHANGES; round++) move(many, (round % 2) * 0.9 + 0.05);
    const sinks = [subscribe({}, position2), subscribe({}, position - 1)];
    hub.tick();
    expect(sinks.map((sink) => sink.gaps())).toEqual([["resume", "too_many"], ["too_many"]]);
  });

  test("a frame has room for so many changes; the rest is a gap, but not for who watches one of them", () => {
    run(registration(2, state.now, 10, 5_000));
    const sink = subscribe();
    const watcher = subscribe({ subject: "node-10" });
    hub.tick();
    move(
      Array.from({ length: 5_000 }, (_, index) => index + 10),
      0.2,
    );
    hub.tick();
    expect(sink.gaps()).toEqual(["too_many"]);
    expect(sink.frames().at(-1)!.data.changes).toHaveLength(FRAME_CHANGES_MAX);
    expect(watcher.gaps()).toEqual([]);
    expect(watcher.subjects()).toEqual(["node-10"]);
  });

  test("who does not read loses frames, is told so, and holds up nobody", () => {
    const slow = subscribe();
    const fast = subscribe();
    hub.tick();
    slow.backlog = 1_001;
    for (let step = 0; step < 3; step++) {
      move([1], step / 3);
      hub.tick();
    }
    expect(slow.frames()).toHaveLength(0);
    expect(fast.frames()).toHaveLength(3);
    slow.backlog = 0;
    hub.tick();
    expect(slow.gaps()).toEqual(["backlog"]);
    move([1], 0.9);
    hub.tick();
    expect(slow.gaps()).toEqual(["backlog"]);
    expect(slow.frames()).toHaveLength(1);
  });

  test("subscribers with the same filter get the very same text", () => {
    const sinks = [
      subscribe({ types: ["tier.changed", "score.changed"] }),
      subscribe({ types: ["score.changed", "tier.changed"] }),
    ];
    hub.tick();
    move([1], 0.3);
    hub.tick();
    expect(sinks[0]!.texts.at(-1)).toBe(sinks[1]!.texts.at(-1));
    expect(sinks[0]!.frames()).toHaveLength(1);
  });

  test("connections and fleet filters have a limit, and leaving makes room", () => {
    hub = new LiveHub(state, { ...LIMITS, connectionsMax: 2 });
    const first = subscribe();
    subscribe();
    expect(hub.subscribe(ALL, null, new TestSink())).toEqual({ type: "too_many_connections", limit: 2 });
    first.unsubscribe();
    first.unsubscribe();
    expect(hub.connectionCount).toBe(1);
    subscribe();
    hub = new LiveHub(state, LIMITS);
    for (let index = 0; index < FLEET_FILTERS_MAX; index++) subscribe({ operator: `operator-${index}` });
    expect(hub.subscribe(ALL, null, new TestSink())).toEqual({
      type: "too_many_filters",
      limit: FLEET_FILTERS_MAX,
    });
    subscribe({ subject: "node-1" });
    subscribe({ operator: "operator-1" });
  });

  test("frames and heartbeats come by their timers; closing sends the rest and ends all", () => {
    const timers: { intervalMs: number; run: () => void; stopped: boolean }[] = [];
    hub.start((intervalMs, runs) => {
      const timer = { intervalMs, run: runs, stopped: false };
      timers.push(timer);
      return () => {
        timer.stopped = true;
      };
    });
    expect(timers.map(({ intervalMs }) => intervalMs)).toEqual([250, 15_000]);
    const sink = subscribe();
    timers[1]!.run();
    expect(sink.texts.at(-1)).toMatch(/^:.*\n\n$/u);
    move([1], 0.3);
    hub.close();
    expect(sink.frames()).toHaveLength(1);
    expect(sink.ended).toBe(true);
    expect(timers.every(({ stopped }) => stopped)).toBe(true);
    expect(hub.subscribe(ALL, null, new TestSink())).toEqual({ type: "closing" });
    expect(hub.connectionCount).toBe(0);
  });
});

interface Frame {
  readonly id: number;
  readonly data: {
    readonly changes: readonly {
      readonly subject: string;
      readonly old_score: number;
      readonly new_score: number;
      readonly change: number;
      readonly at: string;
      readonly breakdown: { readonly [name: string]: number };
    }[];
    readonly events: readonly { readonly id: string; readonly type: string; readonly subject: string }[];
    readonly networks: readonly { readonly kind: string }[];
  };
}

describe("networks", () => {
  test("are told as they are when somebody comes, and again when they have changed", () => {
    const parsed = parsePolicy({ extends: "compute-worker" });
    if (parsed.type === "invalid") throw new Error("a preset is no policy");
    const state = createState({ seed: 7, policies: { worker: parsed.policy }, aggregates: false });
    const hub = new LiveHub(state, LIMITS);
    const sinkOf = (filter: Partial<LiveFilter>): TestSink => {
      const sink = new TestSink();
      hub.subscribe({ ...ALL, ...filter }, null, sink);
      return sink;
    };
    let position = 0;
    const run = (entry: Partial<Entry>): void => {
      position += 1;
      const loggedAt = START_MS + position * 1000;
      hub.applied(apply(state, { position, loggedAt, entries: [{ ...EMPTY_ENTRY, ...entry }] }));
      hub.tick();
    };
    const job = (code: number): Partial<Entry> => ({ jobs: oneJob(START_MS, code) });
    const early = sinkOf({ types: ["network.changed"] });
    const others = [
      sinkOf({ types: ["score.changed"] }),
      sinkOf({ kind: "provider" }),
      sinkOf({ subject: "w" }),
    ];
    run({ registrations: [{ number: 0, kind: "worker", id: "w" }] });
    expect(early.frames()).toEqual([]);
    run(job(SUCCESS));
    run({});
    run(job(FAILURE));
    expect(early.frames().map(({ data }) => data.networks)).toMatchObject([
      [{ kind: "worker", known: 1, active: 1, healthy: 1, success_rate: 1 }],
      [{ kind: "worker", known: 1, active: 1, success_rate: expect.closeTo(0.5, 5) }],
    ]);
    const late = sinkOf({ types: ["network.changed"] });
    hub.tick();
    expect(late.frames().map(({ data }) => data.networks)).toEqual([early.frames()[1]!.data.networks]);
    for (const other of others) expect(other.frames().flatMap(({ data }) => data.networks)).toEqual([]);
  });
});

function oneJob(at: number, code: number): NonNullable<Entry["jobs"]> {
  const none = Float64Array.of(Number.NaN);
  return {
    count: 1,
    at: Float64Array.of(at),
    subject: Uint32Array.of(0),
    outcome: Uint8Array.of(code),
    durationMs: none,
    expectedMs: none,
    usedShare: none,
    quality: none,
    earnings: none,
    selection: Float64Array.of(0),
    jobClass: null,
    jobId: null,
  };
}

class TestSink implements Sink {
  readonly texts: string[] = [];
  backlog = 0;
  ended = false;
  unsubscribe = (): void => undefined;

  send(text: string): void {
    this.texts.push(text);
  }

  backlogBytes(): number {
    return this.backlog;
  }

  end(): void {
    this.ended = true;
    this.unsubscribe();
  }

  frames(): Frame[] {
    return this.events("frame").map(({ id, data }) => ({ id, data: JSON.parse(data) as Frame["data"] }));
  }

  /** Reasons of the gaps. */
  gaps(): string[] {
    return this.events("gap").map(({ data }) => (JSON.parse(data) as { reason: string }).reason);
  }

  /** Everybody that a frame speaks of. */
  subjects(): string[] {
    const named = this.frames().flatMap(({ data }) =>
      [...data.changes, ...data.events].map(({ subject }) => subject),
    );
    return [...new Set(named)].sort();
  }

  private events(name: string): { id: number; data: string }[] {
    const blocks = this.texts.join("").split("\n\n");
    return blocks.flatMap((block) => {
      const fields = new Map(
        block
          .split("\n")
          .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
      );
      return fields.get("event") === name
        ? [{ id: Number(fields.get("id")), data: fields.get("data")! }]
        : [];
    });
  }
}
