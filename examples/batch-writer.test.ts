import { BATCH_EVENTS_MAX } from "@staunch/engine";
import { describe, expect, test } from "vitest";
import { BatchWriter } from "./batch-writer.ts";

const SUBJECT = { id: "a", kind: "node", operator: "o", attributes: {} } as const;

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
    for (let index = 0; index < BATCH_EVENTS_MAX; index++) {
      expect(writer.isFull).toBe(false);
      writer.add(0, 0, 1, index, null, null);
    }
    expect(writer.isFull).toBe(true);
    expect(() => writer.add(0, 0, 1, 0, null, null)).toThrow(RangeError);
  });
});
