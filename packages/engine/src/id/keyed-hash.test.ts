import { describe, expect, test } from "vitest";
import { keyedHash } from "./keyed-hash.ts";

function hash(text: string, keyLow: number, keyHigh: number): number {
  const words = new Uint32Array(Math.ceil(text.length / 4));
  const bytes = new Uint8Array(words.buffer);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return keyedHash(words, 0, text.length, keyLow, keyHigh);
}

describe("keyedHash", () => {
  test("ids that collide under one key do not collide under another", () => {
    const seen = new Map<number, string>();
    const pairs: [string, string][] = [];
    for (let number = 0; number < 300_000; number++) {
      const id = `node-${number}`;
      const other = seen.get(hash(id, 1, 2));
      if (other !== undefined) pairs.push([id, other]);
      seen.set(hash(id, 1, 2), id);
    }
    // 300,000^2 / 2 / 2^32 = 10.5 pairs are expected.
    expect(pairs.length).toBeGreaterThan(1);
    expect(pairs.length).toBeLessThan(30);
    for (const [one, other] of pairs) expect(hash(one, 3, 2)).not.toBe(hash(other, 3, 2));
  });

  test("upper and lower bits spread numbered ids evenly", () => {
    for (const shift of [0, 22]) {
      const counts = new Uint32Array(1024);
      for (let number = 0; number < 102_400; number++)
        counts[(hash(`n${number}`, 5, 9) >>> shift) & 1023]! += 1;
      const chiSquared = counts.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0);
      // 1023 +- 45 for an even spread; five deviations.
      expect(chiSquared).toBeGreaterThan(800);
      expect(chiSquared).toBeLessThan(1250);
    }
  });

  test("zeros at the end count", () => {
    expect(hash("ab", 1, 2)).not.toBe(hash("ab\0", 1, 2));
  });
});
