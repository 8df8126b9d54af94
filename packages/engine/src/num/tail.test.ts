import fc from "fast-check";
import { expect, test } from "vitest";
import { tailBound } from "./tail.ts";

/** Probability of at least `from` failures of trials with these probabilities, by adding one trial after the other. */
function exactTail(probabilities: readonly number[], from: number): number {
  let counts = [1];
  for (const p of probabilities)
    counts = [...counts, 0].map((share, count) => share * (1 - p) + (counts[count - 1] ?? 0) * p);
  return counts.slice(from).reduce((sum, share) => sum + share, 0);
}

test("is never below the tail of trials with unequal probabilities, and near it where the tail is small", () => {
  const trials = fc.array(fc.double({ min: 1e-4, max: 0.5, noNaN: true }), { minLength: 5, maxLength: 60 });
  fc.assert(
    fc.property(trials, fc.nat(), (probabilities, pick) => {
      const count = probabilities.length;
      const from = 1 + (pick % count);
      const expected = probabilities.reduce((sum, p) => sum + p, 0) / count;
      const bound = tailBound(count, from / count, expected);
      const exact = exactTail(probabilities, from);
      expect(bound).toBeGreaterThanOrEqual(exact * (1 - 1e-9));
      expect(bound).toBeLessThanOrEqual(1);
    }),
    { numRuns: 300 },
  );
  // 19 of 40 at one percent: 1.1e-27, and the bound 8.5e-27.
  const fleet = Array.from({ length: 40 }, () => 0.01);
  expect(tailBound(40, 19 / 40, 0.01) / exactTail(fleet, 19)).toBeLessThan(10);
});

test("all of n fail with exactly the power of the probability", () => {
  expect(tailBound(5, 1, 0.04)).toBeCloseTo(0.04 ** 5, 16);
  expect(tailBound(5, 1, 0.04) / 0.04 ** 5).toBeCloseTo(1, 12);
});

test("is 1 where no more is seen than was expected, and 0 where the impossible is seen", () => {
  expect(tailBound(100, 0.1, 0.1)).toBe(1);
  expect(tailBound(100, 0.05, 0.1)).toBe(1);
  expect(tailBound(100, 0, 0)).toBe(1);
  expect(tailBound(100, 0.01, 0)).toBe(0);
  expect(tailBound(3, 1, 1)).toBe(1);
});
