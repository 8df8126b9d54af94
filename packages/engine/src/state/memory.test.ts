import { describe, expect, test } from "vitest";
import { entryOf } from "../testing/lab.ts";
import { KEY_RETENTION_MS, KEYS_MAX, Memory, PRODUCERS_MAX } from "./memory.ts";

describe("the memory of requests", () => {
  test("forgets the producer that was silent longest", () => {
    const memory = new Memory();
    const send = (producer: string, sequence: number): void =>
      memory.remember(entryOf({ producer, sequence }), [], [], 0);
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
      memory.remember(entryOf({ key, answer: key }), [], [], loggedAt);
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
      acts: [],
      selections: [],
    });
    restored.remember(entryOf({ key: "d" }), [], [], KEY_RETENTION_MS + 10);
    expect(restored.recall(entryOf({ key: "b" }))).toBeNull();
    expect(restored.dump().keys.map(([key]) => key)).toEqual(["c", "d"]);
  });

  test("drops the oldest key when it is full, without walking over those it dropped before", () => {
    const memory = new Memory();
    for (let index = 0; index < KEYS_MAX + 200_000; index++)
      memory.remember(entryOf({ key: `k${index}` }), [], [], 0);
    expect(memory.dump().keys).toHaveLength(KEYS_MAX);
    expect(memory.recall(entryOf({ key: "k199999" }))).toBeNull();
    expect(memory.recall(entryOf({ key: "k200000" }))).not.toBeNull();
  });
});
