import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BUCKET_COUNT,
  BUCKET_ERROR,
  BUCKET_MAX,
  BUCKET_MIN,
  bucketOf,
  bucketValue,
} from "./geometric-buckets.ts";

const inRange = fc.double({ min: BUCKET_MIN, max: BUCKET_MAX, noNaN: true, maxExcluded: true });

describe("geometric buckets", () => {
  test("stand for every value of their range within 1 %", () => {
    fc.assert(
      fc.property(inRange, (value) => {
        const read = bucketValue(bucketOf(value));
        expect(Math.abs(read - value)).toBeLessThanOrEqual(BUCKET_ERROR * value);
      }),
    );
    expect(BUCKET_ERROR).toBeLessThan(0.01);
  });

  test("stand for every value of an octave, edge by edge, within 1 %", () => {
    for (let step = 0; step < 20_000; step++) {
      const value = 1 + step / 20_000;
      expect(Math.abs(bucketValue(bucketOf(value)) - value)).toBeLessThanOrEqual(BUCKET_ERROR * value);
    }
  });

  test("keep the order of values", () => {
    fc.assert(
      fc.property(inRange, inRange, (left, right) => {
        expect(bucketOf(Math.min(left, right))).toBeLessThanOrEqual(bucketOf(Math.max(left, right)));
      }),
    );
  });

  test("end in a bucket of zero and a bucket of the rest", () => {
    expect([bucketOf(0), bucketOf(BUCKET_MIN / 2), bucketOf(BUCKET_MIN)]).toEqual([0, 0, 1]);
    expect([bucketOf(BUCKET_MAX), bucketOf(1e300)]).toEqual([BUCKET_COUNT - 1, BUCKET_COUNT - 1]);
    expect(bucketValue(0)).toBe(0);
  });

  test("span a factor of 156 with 255", () => {
    expect(bucketOf(155)).toBeLessThan(bucketOf(1) + 255);
  });
});
