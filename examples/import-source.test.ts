import { describe, expect, test } from "vitest";
import { BatchWriter } from "./batch-writer.ts";
import { BATCH_SAMPLES_MAX, type ImportBatch, type ImportSource, shiftTo } from "./import-source.ts";

const SUBJECT = { id: "a", kind: "node", operator: "o", attributes: {} } as const;

describe("shiftTo", () => {
  test("moves every time by the same amount, so that the last sample is now", () => {
    const shifted = shiftTo(sourceOf([1_000, 1_500, 9_000]), 50_000);
    const batches = [...shifted.batches()];
    expect(batches.map((batch) => [...batch.samples.at])).toEqual([[42_000, 42_500], [50_000]]);
    expect(batches.map((batch) => batch.loggedAt)).toEqual([42_500, 50_000]);
    expect([shifted.firstAt, shifted.lastAt]).toEqual([42_000, 50_000]);
  });

  test("leaves the source and everything but times as they are", () => {
    const source = sourceOf([1_000, 1_500, 9_000]);
    const [shifted] = shiftTo(source, 50_000).batches();
    const [recorded] = source.batches();
    expect([...recorded!.samples.at]).toEqual([1_000, 1_500]);
    expect(shifted).toEqual({
      ...recorded,
      loggedAt: 42_500,
      samples: { ...recorded!.samples, at: shifted!.samples.at },
    });
  });

  test.each([0.5, Number.NaN, Infinity])("refuses %s as now", (now) => {
    expect(() => shiftTo(sourceOf([0, 1, 2]), now)).toThrow(RangeError);
  });
});

describe("BatchWriter", () => {
  test("hands out what was added, once, in arrays that later samples do not touch", () => {
    const writer = new BatchWriter();
    writer.introduce(SUBJECT);
    writer.add(0, 3, 0.5, 10, "m", "c");
    const named = writer.take(10);
    writer.add(0, 0, 1, 20, null, null);
    const unnamed = writer.take(20);
    expect(named.subjects).toEqual([SUBJECT]);
    expect(named.samples).toEqual({
      count: 1,
      at: Float64Array.of(10),
      value: Float64Array.of(0.5),
      subject: Uint32Array.of(0),
      kind: Uint8Array.of(3),
      weight: null,
      monitor: ["m"],
      context: ["c"],
    });
    expect(unnamed.subjects).toEqual([]);
    expect(unnamed.samples.monitor).toBeNull();
    expect(unnamed.samples.context).toBeNull();
    expect(writer.isEmpty).toBe(true);
  });

  test("is full at the limit and takes no more", () => {
    const writer = new BatchWriter();
    for (let index = 0; index < BATCH_SAMPLES_MAX; index++) {
      expect(writer.isFull).toBe(false);
      writer.add(0, 0, 1, index, null, null);
    }
    expect(writer.isFull).toBe(true);
    expect(() => writer.add(0, 0, 1, 0, null, null)).toThrow(RangeError);
  });
});

/** Three samples of one subject, the first two in one batch. */
function sourceOf(times: readonly [number, number, number]): ImportSource {
  return {
    name: "test",
    subjectCount: 1,
    sampleCount: 3,
    firstAt: times[0],
    lastAt: times[2],
    *batches(): Generator<ImportBatch, void, undefined> {
      const writer = new BatchWriter();
      writer.introduce(SUBJECT);
      for (const at of times.slice(0, 2)) writer.add(0, 3, 1, at, "m", null);
      yield writer.take(times[1]);
      writer.add(0, 3, 0, times[2], "m", "late");
      yield writer.take(times[2]);
    },
  };
}
