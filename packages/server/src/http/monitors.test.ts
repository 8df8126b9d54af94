import { MONITOR_GRACE_MS, MONITOR_WINDOW_MS, windowOf } from "@staunch/engine";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createHttpApp, send, START_MS, type HttpApp } from "../../test/http-app.ts";

const NODES = 40;
const DOWN = 19;
const FROM = windowOf(START_MS) * MONITOR_WINDOW_MS;
const TO = FROM + MONITOR_WINDOW_MS;

let http: HttpApp;

beforeEach(async () => {
  http = await createHttpApp();
  // Twelve hours in which everybody was up.
  for (const hoursAgo of [12, 6]) await probe(START_MS - hoursAgo * 3_600_000, null, 0);
});
afterEach(() => http.close());

/** A probe of all nodes, of which the first so many are down. */
async function probe(at: number, monitor: string | null, down: number): Promise<void> {
  const named = monitor === null ? {} : { monitor };
  const body = Array.from({ length: NODES }, (_, node) => {
    const value = node < down ? 0 : 1;
    return { type: "metric", subject: `node-${node}`, metric: "uptime", value, at, ...named };
  });
  const answer = await send(http, "ingest", "POST", "/api/events", { body });
  expect(answer.json()).toMatchObject({ accepted: NODES });
}

/** The clock runs until what is held back has been judged and let in. */
async function passWindow(): Promise<void> {
  http.clock.set(TO + MONITOR_GRACE_MS);
  for (let tick = 0; tick < 4; tick++) {
    await http.app.partition.tick();
    http.clock.advance(250);
  }
}

const list = async (query = "") => (await send(http, "viewer", "GET", `/api/monitors${query}`)).json();
const time = (ms: number): string => new Date(ms).toISOString();

test("a window waits until it is over, and then counts", async () => {
  expect(await list()).toMatchObject({ items: [], pending_samples: 0, unguarded_samples: 0, next: null });
  await probe(START_MS, "probe-fra", 0);
  const window = { starts_at: time(FROM), ends_at: time(TO), counts_from: time(TO + MONITOR_GRACE_MS) };
  expect(await list()).toMatchObject({
    items: [{ monitor: "probe-fra", pending: [{ ...window, samples: NODES, voided: false }], voided: [] }],
    pending_samples: NODES,
  });
  await passWindow();
  expect(await list()).toMatchObject({ items: [], pending_samples: 0 });
  const node = (await send(http, "viewer", "GET", "/api/subjects/node-0")).json();
  expect(node.event_count).toBe(3);
});

test("a voided window is shown with its evidence, and told to whom it concerns", async () => {
  await probe(START_MS, "probe-fra", DOWN);
  await probe(START_MS, "probe-nyc", 1);
  const before = (await send(http, "viewer", "GET", "/api/subjects/node-1")).json();
  await passWindow();
  const { items } = await list();
  expect(items).toHaveLength(1);
  const [voided, ...more] = items[0].voided;
  expect(more).toEqual([]);
  expect(voided).toMatchObject({
    starts_at: time(FROM),
    ends_at: time(TO),
    voided_at: time(TO + MONITOR_GRACE_MS),
    samples: NODES,
    metric: "uptime",
    operators: NODES,
    failing: DOWN,
    others: [{ monitor: "probe-nyc", measured: DOWN, failing: 1 }],
  });
  expect(voided.observed).toBeCloseTo(DOWN / NODES, 12);
  expect(voided.tail).toBeLessThan(1e-6);
  expect(voided.subjects).toEqual(Array.from({ length: DOWN }, (_, node) => `node-${node}`));
  const after = (await send(http, "viewer", "GET", "/api/subjects/node-1")).json();
  expect(after.event_count).toBe(before.event_count + 1);
  expect(after.score).toBeGreaterThanOrEqual(before.score);
  const { crossings } = (await send(http, "viewer", "GET", "/api/subjects/node-1/history")).json();
  expect(crossings).toMatchObject([
    {
      type: "evidence.voided",
      subject: "node-1",
      detail: { monitor: "probe-fra", metric: "uptime", starts_at: time(FROM), ends_at: time(TO) },
    },
  ]);
});

test("monitors come by name, page by page", async () => {
  for (const monitor of ["probe-nyc", "probe-fra", "probe-sin"]) await probe(START_MS, monitor, 0);
  const first = await list("?limit=2");
  expect(first.items.map(({ monitor }: { monitor: string }) => monitor)).toEqual(["probe-fra", "probe-nyc"]);
  const second = await list(`?limit=2&cursor=${first.next}`);
  expect(second.items.map(({ monitor }: { monitor: string }) => monitor)).toEqual(["probe-sin"]);
  expect(second.next).toBeNull();
  const foreign = await send(http, "viewer", "GET", "/api/monitors?cursor=bm90aGluZw");
  expect(foreign.json()).toMatchObject({ code: "cursor_invalid" });
});
