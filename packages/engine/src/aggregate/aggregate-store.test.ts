import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { METRICS, metricCode } from "../event/metrics.ts";
import { ByteReader, ByteWriter } from "../num/bytes.ts";
import { AggregateStore } from "./aggregate-store.ts";
import type { Aggregate, AggregateOptions } from "./aggregate-store.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A whole hour. */
const NOW = 487_000 * HOUR;
const OPTIONS: AggregateOptions = { metricRetentionMs: DAY, aggregateIntervalMs: HOUR, sampleSize: 1000 };

const UPTIME = metricCode("uptime");
const RESPONSE_TIME = metricCode("response_time");

interface Sample {
  readonly atMs: number;
  readonly value: number;
  readonly row?: number;
  readonly metric?: number;
  readonly weight?: number;
  readonly failed?: boolean;
  readonly monitor?: string | null;
  readonly context?: string | null;
}

function newStore(options: Partial<AggregateOptions> = {}): AggregateStore {
  const store = new AggregateStore({ ...OPTIONS, ...options });
  store.ensureRows(3);
  return store;
}

function add(store: AggregateStore, sample: Sample, nowMs = sample.atMs): void {
  const { row = 0, metric = RESPONSE_TIME, atMs, value, weight = 1, failed = false } = sample;
  store.add(row, metric, atMs, value, weight, failed, sample.monitor ?? null, sample.context ?? null, nowMs);
}

function read(store: AggregateStore, nowMs: number, metric = RESPONSE_TIME): Aggregate {
  const aggregate = store.read(0, metric, nowMs);
  if (aggregate === null) throw new Error("no samples");
  return aggregate;
}

/** The smallest value with at least `percent` of the values at or below it. */
function nearestRankOf(values: readonly number[], percent: number): number {
  const ascending = [...values].sort((left, right) => left - right);
  return ascending[Math.ceil((percent * ascending.length) / 100) - 1]!;
}

function bytesOf(store: AggregateStore): Uint8Array {
  const writer = new ByteWriter();
  store.encodeHeader(writer);
  store.encodeRows(0, 2, writer);
  return writer.finish();
}

function restored(bytes: Uint8Array, options: Partial<AggregateOptions> = {}): AggregateStore {
  const store = new AggregateStore({ ...OPTIONS, ...options });
  const reader = new ByteReader(bytes);
  store.decodeHeader(reader);
  store.decodeRows(reader);
  expect(reader.remaining).toBe(0);
  return store;
}

function answersOf(store: AggregateStore, nowMs: number): unknown[] {
  return [0, 1, 2].flatMap((row) =>
    METRICS.map((_, metric) => [
      store.read(row, metric, nowMs),
      store.steps(row, metric, nowMs),
      store.samples(row, metric, nowMs),
    ]),
  );
}

describe("the statistics of a window", () => {
  test("are those of the document's third test", () => {
    const store = newStore();
    for (let index = 0; index < 10; index++) {
      add(store, { metric: UPTIME, atMs: NOW, value: 0.98 + index * 0.001 });
    }
    const aggregate = read(store, NOW, UPTIME);
    expect(aggregate.count).toBe(10);
    expect(aggregate.average).toBeGreaterThanOrEqual(0.98);
    expect(aggregate.average).toBeCloseTo(0.9845, 12);
    expect([aggregate.min, aggregate.max]).toEqual([0.98, 0.98 + 9 * 0.001]);
  });

  test("use the population's standard deviation, within a step and over several", () => {
    const store = newStore();
    [2, 4, 4, 4, 5, 5, 7, 9].forEach((value, index) =>
      add(store, { atMs: NOW + index * 20 * MINUTE, value }),
    );
    expect(read(store, NOW + 3 * HOUR)).toMatchObject({
      count: 8,
      sum: 40,
      average: 5,
      min: 2,
      max: 9,
      stdDev: 2,
    });
    expect(store.steps(0, RESPONSE_TIME, NOW + 3 * HOUR).map((step) => step.sum)).toEqual([10, 14, 16]);
  });

  test("are absent where nothing was sampled", () => {
    const store = newStore();
    add(store, { atMs: NOW, value: 1 });
    expect(store.read(1, RESPONSE_TIME, NOW)).toBeNull();
    expect(store.read(0, UPTIME, NOW)).toBeNull();
    expect(store.read(999_999, UPTIME, NOW)).toBeNull();
    expect(store.steps(1, RESPONSE_TIME, NOW)).toEqual([]);
  });

  test("leave failed calls out of times, and count them", () => {
    const store = newStore();
    add(store, { atMs: NOW, value: 100 });
    for (let index = 0; index < 300; index++) add(store, { atMs: NOW, value: 1, failed: true });
    expect(read(store, NOW)).toMatchObject({ count: 1, failedCount: 300, average: 100, exact: true });
    expect(read(store, NOW).percentiles).toEqual({ 50: 100, 90: 100, 95: 100, 99: 100 });
  });

  test("have no average when every call failed", () => {
    const store = newStore();
    add(store, { atMs: NOW, value: 1, failed: true });
    expect(read(store, NOW)).toMatchObject({
      count: 0,
      failedCount: 1,
      sum: 0,
      average: null,
      percentiles: null,
    });
  });

  test("keep the value of a failed probe that is no time", () => {
    const store = newStore();
    add(store, { metric: UPTIME, atMs: NOW, value: 0, failed: true });
    expect(read(store, NOW, UPTIME)).toMatchObject({ count: 1, failedCount: 1, average: 0 });
  });
});

describe("percentiles", () => {
  test("are the nearest rank, not biased upward", () => {
    const store = newStore();
    for (let value = 100; value >= 1; value--) add(store, { atMs: NOW, value });
    expect(read(store, NOW)).toMatchObject({ exact: true, percentiles: { 50: 50, 90: 90, 95: 95, 99: 99 } });
  });

  test("say that they are estimates once the sample size is passed", () => {
    const store = newStore({ sampleSize: 10 });
    for (let value = 1; value <= 10; value++) add(store, { atMs: NOW, value });
    expect(read(store, NOW).exact).toBe(true);
    add(store, { atMs: NOW, value: 11 });
    expect(read(store, NOW).exact).toBe(false);
  });

  test("are exact again for a narrower window that the raw samples cover", () => {
    const store = newStore({ sampleSize: 10 });
    for (let index = 0; index < 15; index++)
      add(store, { atMs: NOW + (index < 10 ? 0 : HOUR), value: index });
    expect(read(store, NOW + HOUR).exact).toBe(false);
    expect(store.read(0, RESPONSE_TIME, NOW + HOUR, { fromMs: NOW + HOUR })).toMatchObject({
      count: 5,
      exact: true,
    });
    expect(store.steps(0, RESPONSE_TIME, NOW + HOUR).map((step) => step.exact)).toEqual([false, true]);
  });

  test("are within 1 % when estimated, for all spreads and numbers of values", () => {
    const values = fc.array(fc.double({ min: 0.001, max: 8e7, noNaN: true }), {
      minLength: 3,
      maxLength: 250,
    });
    const narrow = fc.array(fc.double({ min: 20, max: 400, noNaN: true }), { minLength: 3, maxLength: 250 });
    fc.assert(
      fc.property(fc.oneof(values, narrow), (samples) => {
        const store = newStore({ sampleSize: 2 });
        samples.forEach((value, index) => add(store, { atMs: NOW + Math.floor(index / 100) * HOUR, value }));
        const { percentiles, exact } = read(store, NOW + 3 * HOUR);
        expect(exact).toBe(false);
        for (const percent of [50, 90, 95, 99] as const) {
          const truth = nearestRankOf(samples, percent);
          expect(Math.abs(percentiles![percent] - truth)).toBeLessThanOrEqual(0.01 * truth);
        }
      }),
    );
  });

  test("keep .98 and .999 apart, and total failure from both", () => {
    const store = newStore({ sampleSize: 0 });
    const values = [
      ...Array<number>(60).fill(0.98),
      ...Array<number>(35).fill(0.999),
      ...Array<number>(5).fill(1),
    ];
    values.push(0);
    for (const value of values) add(store, { metric: UPTIME, atMs: NOW, value });
    const { percentiles } = read(store, NOW, UPTIME);
    expect(Math.abs(percentiles![50] - 0.98)).toBeLessThanOrEqual(0.01 * 0.02);
    expect(Math.abs(percentiles![90] - 0.999)).toBeLessThanOrEqual(0.01 * 0.001);
    expect(percentiles![99]).toBe(1);
  });

  test("of a busy step stay within 1 % in memory that does not grow with its samples", () => {
    const store = newStore({ sampleSize: 0 });
    const values: number[] = [];
    for (let index = 0; index < 50_000; index++) values.push(1 + ((index * 7919) % 50_000) / 10);
    for (const value of values.slice(0, 1000)) add(store, { atMs: NOW, value });
    const before = store.bytesUsed;
    for (const value of values.slice(1000)) add(store, { atMs: NOW, value });
    expect(store.bytesUsed).toBe(before);
    const { percentiles, count } = read(store, NOW);
    expect(count).toBe(50_000);
    for (const percent of [50, 90, 95, 99] as const) {
      const truth = nearestRankOf(values, percent);
      expect(Math.abs(percentiles![percent] - truth)).toBeLessThanOrEqual(0.01 * truth);
    }
  });
});

describe("the window", () => {
  test("is named exactly: whole steps from the one the retention reaches to the open one", () => {
    const store = newStore();
    add(store, { atMs: NOW + 10 * MINUTE, value: 1 });
    expect(read(store, NOW + 30 * MINUTE)).toMatchObject({
      startTime: NOW - DAY,
      endTime: NOW + HOUR,
      periodMs: 25 * HOUR,
    });
  });

  test("loses samples as they age, and all of them in the end", () => {
    const store = newStore();
    for (let hour = 0; hour < 5; hour++) add(store, { atMs: NOW + hour * HOUR, value: hour });
    expect(read(store, NOW + DAY).count).toBe(5);
    expect(read(store, NOW + DAY + HOUR - 1).count).toBe(5);
    expect(read(store, NOW + DAY + HOUR).count).toBe(4);
    expect(read(store, NOW + DAY + 4 * HOUR)).toMatchObject({ count: 1, sum: 4 });
    expect(store.read(0, RESPONSE_TIME, NOW + DAY + 5 * HOUR)).toBeNull();
    expect(store.samples(0, RESPONSE_TIME, NOW + DAY + 5 * HOUR)).toEqual([]);
  });

  test("has edges that belong to the later step", () => {
    const store = newStore();
    for (const atMs of [NOW - 1, NOW, NOW + HOUR - 1, NOW + HOUR]) add(store, { atMs, value: 1 });
    const nowMs = NOW + 2 * HOUR;
    const count = (fromMs: number, toMs: number) =>
      store.read(0, RESPONSE_TIME, nowMs, { fromMs, toMs })?.count;
    expect(count(NOW, NOW + HOUR)).toBe(2);
    expect(count(NOW - 1, NOW + HOUR)).toBe(3);
    expect(count(NOW, NOW + HOUR + 1)).toBe(3);
    expect(store.read(0, RESPONSE_TIME, nowMs, { fromMs: NOW + 1, toMs: NOW + 2 })).toMatchObject({
      startTime: NOW,
      endTime: NOW + HOUR,
    });
    expect(store.read(0, RESPONSE_TIME, nowMs, { fromMs: NOW + HOUR, toMs: NOW })).toBeNull();
  });

  test("sees a sample that is minutes ahead of time", () => {
    const store = newStore();
    add(store, { atMs: NOW + 2 * MINUTE, value: 7 }, NOW - MINUTE);
    expect(read(store, NOW - MINUTE)).toMatchObject({ count: 1, endTime: NOW + HOUR });
  });

  test("takes late samples into the step where they happened, and none older than the retention", () => {
    const store = newStore({ sampleSize: 6 });
    add(store, { atMs: NOW, value: 1 });
    for (const hours of [3, 20, 1, 24, 3]) add(store, { atMs: NOW - hours * HOUR, value: hours }, NOW);
    const samples = store.samples(0, RESPONSE_TIME, NOW);
    add(store, { atMs: NOW - DAY - 1, value: 99 }, NOW);
    expect(store.samples(0, RESPONSE_TIME, NOW)).toEqual(samples);
    expect(
      store.steps(0, RESPONSE_TIME, NOW).map((step) => [(step.startTime - NOW) / HOUR, step.sum]),
    ).toEqual([
      [-24, 24],
      [-20, 20],
      [-3, 6],
      [-1, 1],
      [0, 1],
    ]);
  });

  test("finds late steps after the one it found last aged out and another series took its memory", () => {
    const store = newStore({ metricRetentionMs: 3 * HOUR });
    for (const hour of [0, 1, 2, 3]) add(store, { atMs: NOW + hour * HOUR, value: 1 });
    add(store, { atMs: NOW, value: 1 }, NOW + 3 * HOUR);
    for (const hour of [5, 6]) add(store, { atMs: NOW + hour * HOUR, value: 1 });
    for (const hour of [3, 4]) add(store, { row: 1, atMs: NOW + hour * HOUR, value: 1 }, NOW + 6 * HOUR);
    add(store, { atMs: NOW + 4 * HOUR, value: 7 }, NOW + 6 * HOUR);
    expect(store.steps(0, RESPONSE_TIME, NOW + 6 * HOUR).map((step) => step.sum)).toEqual([1, 7, 1, 1]);
    expect(store.steps(1, RESPONSE_TIME, NOW + 6 * HOUR).map((step) => step.sum)).toEqual([1, 1]);
  });

  test("gives memory back for what aged out: more steps and spreads than a chunk holds fit where a few did", () => {
    const store = newStore({ metricRetentionMs: 10_000, aggregateIntervalMs: 1000, sampleSize: 10 });
    const fill = (fromSecond: number, toSecond: number) => {
      for (let second = fromSecond; second < toSecond; second++) {
        for (const value of [0.01, 10, 10_000]) add(store, { atMs: NOW + second * 1000, value });
      }
    };
    fill(0, 100);
    const before = store.bytesUsed;
    fill(100, 70_000);
    expect(store.bytesUsed).toBe(before);
    expect(store.steps(0, RESPONSE_TIME, NOW + 69_999_000).length).toBe(11);
  });
});

describe("raw samples", () => {
  test("come back as they were given, newest last, at most as many as asked for", () => {
    const store = newStore();
    add(store, { atMs: NOW + 2, value: 2, weight: 2.5, monitor: "eu-1", context: "probe" });
    add(store, { atMs: NOW + 1, value: 1, failed: true }, NOW + 2);
    add(store, { atMs: NOW + 3, value: 3, context: "ü" });
    const plain = { weight: 1, failed: false, monitor: null, context: null };
    const first = { ...plain, atMs: NOW + 1, value: 1, failed: true };
    const second = { atMs: NOW + 2, value: 2, weight: 2.5, failed: false, monitor: "eu-1", context: "probe" };
    const third = { ...plain, atMs: NOW + 3, value: 3, context: "ü" };
    expect(store.samples(0, RESPONSE_TIME, NOW + 3)).toEqual([first, second, third]);
    expect(store.samples(0, RESPONSE_TIME, NOW + 3, { limit: 2 })).toEqual([second, third]);
    expect(store.samples(0, RESPONSE_TIME, NOW + 3, { sinceMs: NOW + 2 })).toEqual([third]);
  });

  test("are the newest of the sample size", () => {
    const store = newStore({ sampleSize: 20 });
    for (let index = 0; index < 100; index++) add(store, { atMs: NOW + index, value: index });
    const values = store.samples(0, RESPONSE_TIME, NOW + 100).map((sample) => sample.value);
    expect(values).toEqual(Array.from({ length: 20 }, (_, index) => 80 + index));
  });

  test("take their own oldest page when the pool is empty, and are counted as dropped", () => {
    const store = newStore({ rawSamplesMax: 32 });
    for (let index = 0; index < 33; index++) add(store, { atMs: NOW + index, value: index });
    expect(store.samples(0, RESPONSE_TIME, NOW + 33).map((sample) => sample.value)[0]).toBe(16);
    expect(store.droppedRawSamples).toBe(16);
    expect(read(store, NOW + 33)).toMatchObject({ count: 33, exact: false });
    add(store, { row: 1, atMs: NOW + 40, value: 5 });
    expect(store.samples(1, RESPONSE_TIME, NOW + 40)).toEqual([]);
    expect(store.droppedRawSamples).toBe(17);
    expect(store.read(1, RESPONSE_TIME, NOW + 40)).toMatchObject({ count: 1, average: 5, exact: false });
  });

  test("of a silent series make room when their row is expired", () => {
    const store = newStore({ rawSamplesMax: 16 });
    add(store, { row: 0, atMs: NOW, value: 1 });
    add(store, { row: 1, atMs: NOW + 1, value: 1 });
    expect(store.samples(1, RESPONSE_TIME, NOW + 1)).toEqual([]);
    const later = NOW + 2 * DAY;
    store.expire(0, later);
    add(store, { row: 1, atMs: later, value: 2 });
    expect(store.samples(1, RESPONSE_TIME, later).map((sample) => sample.value)).toEqual([2]);
    expect(store.read(0, RESPONSE_TIME, later)).toBeNull();
  });

  test("lose their texts, not themselves, when the text budget is spent, until texts are given back", () => {
    const store = newStore({ sampleSize: 2, rawTextMax: 7 });
    for (let index = 0; index < 4; index++) add(store, { atMs: NOW + index, value: index, monitor: "four" });
    expect(store.droppedRawTexts).toBe(2);
    expect(store.samples(0, RESPONSE_TIME, NOW + 4).map((sample) => sample.monitor)).toEqual(["four", null]);
  });
});

describe("changed options", () => {
  test("keep old steps and cut new ones by the new interval", () => {
    const store = newStore();
    add(store, { atMs: NOW + MINUTE, value: 1 });
    store.reconfigure({ ...OPTIONS, aggregateIntervalMs: 30 * MINUTE }, NOW + 2 * MINUTE);
    for (const minute of [40, 61, 95]) add(store, { atMs: NOW + minute * MINUTE, value: minute });
    const steps = store.steps(0, RESPONSE_TIME, NOW + 2 * HOUR);
    expect(steps.map((step) => [step.startTime - NOW, step.periodMs, step.count])).toEqual([
      [0, HOUR, 2],
      [HOUR, 30 * MINUTE, 1],
      [1.5 * HOUR, 30 * MINUTE, 1],
    ]);
  });

  test("let a longer retention fill with time instead of naming a window that is not whole", () => {
    const store = newStore({ metricRetentionMs: HOUR });
    for (let hour = 0; hour < 10; hour++) add(store, { atMs: NOW + hour * HOUR, value: 1 });
    store.reconfigure({ ...OPTIONS, metricRetentionMs: DAY }, NOW + 9 * HOUR);
    expect(read(store, NOW + 9 * HOUR)).toMatchObject({ startTime: NOW + 8 * HOUR, count: 2 });
    add(store, { atMs: NOW + 12 * HOUR, value: 1 });
    expect(read(store, NOW + 12 * HOUR)).toMatchObject({ startTime: NOW + 8 * HOUR, count: 3 });
  });

  test("shrink the raw samples of a series when it is next added to", () => {
    const store = newStore();
    for (let index = 0; index < 50; index++) add(store, { atMs: NOW + index, value: index });
    store.reconfigure({ ...OPTIONS, sampleSize: 3 }, NOW + 50);
    add(store, { atMs: NOW + 50, value: 50 });
    expect(store.samples(0, RESPONSE_TIME, NOW + 50).map((sample) => sample.value)).toEqual([48, 49, 50]);
  });
});

const anySample = fc.record({
  row: fc.integer({ min: 0, max: 2 }),
  metric: fc.constantFrom(UPTIME, RESPONSE_TIME),
  /** Up to five minutes ahead, often late, now and then too late. */
  lateMs: fc.oneof(fc.integer({ min: -300_000, max: 300_000 }), fc.integer({ min: 0, max: 5 * HOUR })),
  share: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1, 0.999)),
  repeat: fc.oneof(
    { weight: 9, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.integer({ min: 2, max: 150 }) },
  ),
  weight: fc.constantFrom(1, 1, 1, 2.5),
  failed: fc.boolean(),
  monitor: fc.option(fc.string({ maxLength: 4 })),
  context: fc.option(fc.string({ maxLength: 4 })),
  stepMs: fc.constantFrom(0, 1, 1000, 20 * MINUTE, HOUR),
});
type AnySample = typeof anySample extends fc.Arbitrary<infer Value> ? Value : never;
const anyHistory = fc.array(anySample, { maxLength: 120 });
const smallOptions = fc.record({
  metricRetentionMs: fc.constant(3 * HOUR),
  aggregateIntervalMs: fc.constantFrom(HOUR, 10 * MINUTE),
  sampleSize: fc.constantFrom(0, 1, 20, 1000),
  rawSamplesMax: fc.constantFrom(0, 48, 100_000),
  rawTextMax: fc.constantFrom(0, 20, 100_000),
});

/** Applies a history and returns the samples that count at its end, with the time of the end. */
function replay(store: AggregateStore, history: readonly AnySample[], fromMs: number, intervalMs: number) {
  let nowMs = fromMs;
  const counted: (Sample & { row: number; metric: number; failed: boolean })[] = [];
  const keptFromMs = () => Math.floor((nowMs - 3 * HOUR) / intervalMs) * intervalMs;
  for (const { lateMs, share, repeat, stepMs, ...rest } of history) {
    nowMs += stepMs;
    for (let time = 0; time < repeat; time++) {
      const value = rest.metric === UPTIME ? share : share * (1 + time * 40);
      const sample = { ...rest, atMs: nowMs - lateMs, value };
      add(store, sample, nowMs);
      if (sample.atMs >= keptFromMs()) counted.push(sample);
    }
  }
  return { nowMs, counted: counted.filter((sample) => sample.atMs >= keptFromMs()) };
}

describe("for any history", () => {
  test("the statistics are those of the samples in the window", () => {
    fc.assert(
      fc.property(anyHistory, smallOptions, (history, options) => {
        const store = newStore(options);
        const { nowMs, counted } = replay(store, history, NOW, options.aggregateIntervalMs);
        for (const metric of [UPTIME, RESPONSE_TIME]) {
          const all = counted.filter((sample) => sample.row === 0 && sample.metric === metric);
          const values = all
            .filter((sample) => !(sample.failed && metric === RESPONSE_TIME))
            .map((one) => one.value);
          expectStatistics(
            store.read(0, metric, nowMs),
            values,
            all.filter((sample) => sample.failed).length,
            metric,
          );
        }
      }),
    );
  });

  test("a snapshot gives the same answers, the same bytes and the same future", () => {
    fc.assert(
      fc.property(anyHistory, anyHistory, smallOptions, (past, future, options) => {
        const store = newStore(options);
        const { nowMs } = replay(store, past, NOW, options.aggregateIntervalMs);
        store.expire(1, nowMs);
        const bytes = bytesOf(store);
        const copy = restored(bytes, options);
        expect(bytesOf(copy)).toEqual(bytes);
        expect(answersOf(copy, nowMs)).toEqual(answersOf(store, nowMs));
        const end = replay(store, future, nowMs, options.aggregateIntervalMs).nowMs;
        replay(copy, future, nowMs, options.aggregateIntervalMs);
        expect(bytesOf(copy)).toEqual(bytesOf(store));
        expect(answersOf(copy, end)).toEqual(answersOf(store, end));
      }),
    );
  });
});

function expectStatistics(
  aggregate: Aggregate | null,
  values: number[],
  failedCount: number,
  metric: number,
): void {
  if (values.length + failedCount === 0) {
    expect(aggregate).toBeNull();
    return;
  }
  expect(aggregate).toMatchObject({ count: values.length, failedCount });
  if (values.length === 0) return;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  expect(aggregate!.average).toBeCloseTo(mean, 6);
  expect(aggregate!.stdDev).toBeCloseTo(Math.sqrt(variance), 6);
  expect([aggregate!.min, aggregate!.max]).toEqual([Math.min(...values), Math.max(...values)]);
  for (const percent of [50, 90, 95, 99] as const) {
    const truth = nearestRankOf(values, percent);
    const error = Math.abs(aggregate!.percentiles![percent] - truth);
    const relativeTo = metric === UPTIME ? 1 - truth : truth;
    expect(error).toBeLessThanOrEqual(aggregate!.exact ? 0 : 0.01 * relativeTo + 1e-9);
  }
}
