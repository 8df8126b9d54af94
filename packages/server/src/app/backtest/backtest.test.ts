import { createState, parsePolicy, STORAGE_PROVIDER, type Policy } from "@staunch/engine";
import { beforeAll, describe, expect, test } from "vitest";
import { MemoryLog, MemoryLogStore } from "../../adapters/memory-log/memory-log.ts";
import { testClock } from "../../ports/clock.ts";
import { importSource } from "../import/import.ts";
import { MonitorGuard } from "../guards/monitor-guard.ts";
import { Partition } from "../partition/partition.ts";
import { Facts } from "../facts/facts.ts";
import { backtest, type BacktestReport } from "./backtest.ts";

const DAY_MS = 86_400_000;
const START_MS = 1_000 * DAY_MS;
const SUBJECTS = 40;

describe("a backtest", () => {
  const store = new MemoryLogStore();
  let live: Partition;

  beforeAll(async () => {
    live = await filled(store);
  });

  test("under the policy in force moves nobody, and its tiers are those of the service", async () => {
    const report = await compared(STORAGE_PROVIDER);
    const { eventCount, actCount } = live.state;
    expect(report).toMatchObject({ subjects: SUBJECTS, up: 0, down: 0, tierChanged: 0, samplesMissingTo: 0 });
    expect(report.events).toBe(eventCount + actCount);
    expect(report.asOf).toBe(live.state.now);
  });

  test("counts everybody once in every table", async () => {
    const report = await compared(policy({ name: "uptime-only", reputation: { components: { uptime: 1 } } }));
    const sum = (list: readonly { readonly subjects: number }[]): number =>
      list.reduce((total, one) => total + one.subjects, 0);
    expect(sum(report.flows)).toBe(SUBJECTS);
    expect(sum(report.changes)).toBe(SUBJECTS);
    expect(report.up + report.down).toBeGreaterThan(0);
  });

  test("lists those who move farthest first, with scores of both sides", async () => {
    const report = await compared(policy({ name: "harsh", reputation: { initial_score: 10 } }));
    expect(report.down).toBe(SUBJECTS);
    const changes = report.lowered.map(({ score }) => score.after - score.before);
    expect(changes).toHaveLength(10);
    expect(changes).toEqual(changes.toSorted((a, b) => a - b));
    expect(report.raised).toEqual([]);
  });

  test("says from where it could replay when samples were trimmed", async () => {
    const trimmed = new MemoryLogStore();
    const partition = await filled(trimmed);
    const trimmedTo = partition.state.position - 5;
    const log = new MemoryLog(trimmed);
    await log.trim(trimmedTo);
    const result = await backtest(log, { kind: "node", policy: STORAGE_PROVIDER });
    expect(result).toMatchObject({
      type: "compared",
      report: { subjects: SUBJECTS, asOf: partition.state.now },
    });
    // The last of the records trimmed may hold no samples.
    const missingTo = result.type === "compared" ? result.report.samplesMissingTo : 0;
    expect([trimmedTo, trimmedTo - 1]).toContain(missingTo);
  });

  test("of a kind that nobody has is refused with those that exist", async () => {
    const result = await backtest(new MemoryLog(store), { kind: "worker", policy: STORAGE_PROVIDER });
    expect(result).toEqual({ type: "unknown_kind", known: ["node"] });
  });

  async function compared(candidate: Policy): Promise<BacktestReport> {
    const result = await backtest(new MemoryLog(store), { kind: "node", policy: candidate });
    if (result.type !== "compared") throw new Error(result.type);
    return result.report;
  }
});

describe("cuts of percentile tiers", () => {
  test("enter the log once enough are rated, and again only when they have moved", async () => {
    const partition = await filled(new MemoryLogStore());
    const kind = partition.state.kinds[0]!;
    expect(kind.cuts?.rated).toBe(SUBJECTS);
    expect(kind.cuts?.scores).toHaveLength(STORAGE_PROVIDER.tiers.names.length - 1);
    const { position } = partition.state;
    await new Facts(partition).update();
    expect(partition.state.position).toBe(position);
  });

  test("are left alone while fewer are rated than the policy asks for", async () => {
    const partition = await filled(new MemoryLogStore(), STORAGE_PROVIDER.tiers.ratedMin - 1);
    expect(partition.state.kinds[0]!.cuts).toBeNull();
  });
});

function policy(document: object): Policy {
  const parsed = parsePolicy(document);
  if (parsed.type !== "ok") throw new Error(JSON.stringify(parsed.problems));
  return parsed.policy;
}

/** Forty days of uptime, each subject somewhat worse than the one before. */
async function filled(store: MemoryLogStore, subjects = SUBJECTS): Promise<Partition> {
  const log = new MemoryLog(store);
  const claimed = await log.claim({ owner: "test", loggedAt: START_MS });
  if (claimed.type !== "claimed") throw new Error(claimed.type);
  const state = createState({ seed: 1, policies: {}, aggregates: false });
  const partition = new Partition({
    log,
    clock: testClock(0),
    state,
    tail: claimed.tail,
    commitEventsMax: 16_384,
    gate: new MonitorGuard(),
  });
  const source = {
    name: "test",
    subjectCount: subjects,
    eventCount: subjects * 40,
    firstAt: START_MS,
    lastAt: START_MS + 40 * DAY_MS,
    *batches() {
      for (let day = 1; day <= 40; day++) {
        const named = Array.from({ length: subjects }, (_, index) => ({
          id: `n${index}`,
          kind: "node",
          operator: null,
          attributes: {},
        }));
        yield {
          loggedAt: START_MS + day * DAY_MS,
          jobs: null,
          health: null,
          subjects: day === 1 ? named : [],
          samples: samplesOf(day, subjects),
        };
      }
    },
  };
  const options = { shiftMs: 0, policyOf: () => STORAGE_PROVIDER };
  expect(await importSource(partition, new Facts(partition), source, options)).toMatchObject({
    type: "imported",
  });
  return partition;
}

function samplesOf(day: number, count: number) {
  return {
    count,
    at: new Float64Array(count).fill(START_MS + day * DAY_MS),
    value: Float64Array.from({ length: count }, (_, index) => 1 - index / 200),
    subject: Uint32Array.from({ length: count }, (_, index) => index),
    kind: new Uint8Array(count),
    weight: null,
    monitor: null,
    context: null,
  };
}
