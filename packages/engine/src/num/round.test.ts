import fc from "fast-check";
import { expect, test } from "vitest";
import { clamp, roundHalfUp } from "./round.ts";

test.each([
  [5, 0, 10, 5],
  [-1, 0, 10, 0],
  [11, 0, 10, 10],
  [NaN, 0, 10, NaN],
])("clamp(%d, %d, %d) is %d", (value, min, max, expected) => {
  expect(clamp(value, min, max)).toBe(expected);
});

test.each([
  [74.994999, 2, 74.99],
  [74.995, 2, 75],
  [0.125, 2, 0.13],
  [-0.125, 2, -0.12],
  [1.005, 2, 1],
  [49.5, 0, 50],
  [0.000_000_5, 6, 0.000_001],
  [100, 2, 100],
] as const)("roundHalfUp(%d, %d) is %d", (value, digits, expected) => {
  expect(roundHalfUp(value, digits)).toBe(expected);
});

test("roundHalfUp takes two decimals unless told and gives no -0", () => {
  expect(roundHalfUp(12.3456)).toBe(12.35);
  expect(Object.is(roundHalfUp(-0.001), 0)).toBe(true);
});

test("roundHalfUp moves a score by at most half a hundredth and only once", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 100, noNaN: true }), (score) => {
      const rounded = roundHalfUp(score);
      expect(Math.abs(rounded - score)).toBeLessThanOrEqual(0.005 + 1e-13);
      expect(roundHalfUp(rounded)).toBe(rounded);
    }),
  );
});
