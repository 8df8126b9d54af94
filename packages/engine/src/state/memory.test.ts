import { describe, expect, test } from "vitest";
import type { Decided } from "../fold/effects.ts";
import { entryOf } from "../testing/lab.ts";
import { KEY_RETENTION_MS, KEYS_BYTES_MAX, KEYS_MAX, Memory, PRODUCERS_MAX } from "./memory.ts";

const NOTHING: Decided = { acts: [], refusedJobs: [], selections: [] };

describe("the memory of requests", () => {
  test("forgets the producer that was silent longest", () => {
    const memory = new Memory();
    const send = (producer: string, sequence: number): void =>
      memory.remember(entryOf({ producer, sequence }), NOTHING, 0);
    for (let index = 0; index < PRODUCERS_MAX; index++) send(`p${index}`, 1);
    send("p0", 2);
    send("new", 1);
    const known = (producer: string): boolean => memory.recall(entryOf({ producer, sequence: 1 })) !== null;
    // p0 spoke again, so p1 is the oldest.
    expect([known("p0"), known("p1"), known("p2"), known("new")]).toEqual([true, false, true, true]);
    send("newer", 1);
    expect([known("p0"), known("p2"), known("p3")]).toEqual([true, false, true]);
  });

  test("forgets keys by age and by number, and keeps what a dump restores", () => {
    const memory = new Memory();
    const remember = (key: string, loggedAt: number): void =>
      memory.remember(entryOf({ key, answer: key }), NOTHING, loggedAt);
    const known = (key: string): boolean => memory.recall(entryOf({ key })) !== null;
    remember("a", 0);
    remember("b", 10);
    remember("c", KEY_RETENTION_MS + 5);
    expect([known("a"), known("b"), known("c")]).toEqual([false, true, true]);
    const restored = new Memory();
    restored.restore(memory.dump());
    expect(restored.recall(entryOf({ key: "b" }))).toEqual({
      type: "repeated",
      answer: "b",
      ...NOTHING,
    });
    restored.remember(entryOf({ key: "d" }), NOTHING, KEY_RETENTION_MS + 10);
    expect(restored.recall(entryOf({ key: "b" }))).toBeNull();
    expect(restored.dump().keys.map(([key]) => key)).toEqual(["c", "d"]);
  });

  test("drops the oldest key when it is full, without walking over those it dropped before", () => {
    const memory = new Memory();
    for (let index = 0; index < KEYS_MAX + 200_000; index++)
      memory.remember(entryOf({ key: `k${index}` }), NOTHING, 0);
    expect(memory.dump().keys).toHaveLength(KEYS_MAX);
    expect(memory.recall(entryOf({ key: "k199999" }))).toBeNull();
    expect(memory.recall(entryOf({ key: "k200000" }))).not.toBeNull();
  });

  test("drops the oldest keys when their answers take too much, restored or not", () => {
    // A text that all answers share costs the test nothing.
    const answer = "x".repeat(1 << 20);
    const fit = Math.floor(KEYS_BYTES_MAX / (2 * answer.length + 1000));
    const remember = (memory: Memory, index: number): void =>
      memory.remember(entryOf({ key: `k${index}`, answer }), NOTHING, 0);
    const keysOf = (memory: Memory): string[] => memory.dump().keys.map(([key]) => key);
    const memory = new Memory();
    for (let index = 0; index < fit; index++) remember(memory, index);
    expect(keysOf(memory)).toHaveLength(fit);
    const restored = new Memory();
    restored.restore(memory.dump());
    for (const each of [memory, restored]) {
      for (let index = fit; index < fit + 10; index++) remember(each, index);
      expect(keysOf(each)[0]).not.toBe("k0");
      expect(keysOf(each).at(-1)).toBe(`k${fit + 9}`);
    }
    expect(keysOf(restored)).toEqual(keysOf(memory));
  });

  test("counts what acts came to, with the ids that people named", () => {
    const memory = new Memory();
    const id = "x".repeat(256);
    const acts = Array.from({ length: 16_384 }, () => ({ type: "penalty_not_found", id }) as const);
    for (let index = 0; index < 100; index++) {
      memory.remember(entryOf({ key: `k${index}` }), { ...NOTHING, acts }, 0);
    }
    // 16,384 ids of 256 characters are 8 MiB of UTF-16.
    expect(memory.dump().keys.length).toBeLessThanOrEqual(KEYS_BYTES_MAX / (8 << 20));
  });
});
