import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  LOG_BUCKET_COUNT,
  LOG_BUCKET_ERROR,
  LOG_BUCKET_MAX,
  LOG_BUCKET_MIN,
  bucketOf,
  bucketValue,
  nearestRank,
  percentileBucket,
} from "./log-buckets.ts";

/** Spread evenly over the exponents of 1e-9..1e15. */
const positive = fc
  .tuple(fc.double({ min: 1, max: 10, noNaN: true }), fc.integer({ min: -9, max: 14 }))
  .map(([mantissa, exponent]) => mantissa * 10 ** exponent);

/** The sketch of some values as ascending buckets with counts. */
function sketchOf(values: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(bucketOf(value), (counts.get(bucketOf(value)) ?? 0) + 1);
  return counts;
}

function percentile(sketch: Map<number, number>, share: number): number {
  const pairs = [...sketch].toSorted(([a], [b]) => a - b);
  return percentileBucket(
    pairs.map(([bucket]) => bucket),
    pairs.map(([, count]) => count),
    share,
  );
}

describe("bucketOf and bucketValue", () => {
  test("every value from 1e-9 to 1e15 is met within 1 %", () => {
    expect(LOG_BUCKET_ERROR).toBeLessThan(0.01);
    fc.assert(
      fc.property(positive, (value) => {
        const error = Math.abs(bucketValue(bucketOf(value)) - value) / value;
        expect(error).toBeLessThanOrEqual(LOG_BUCKET_ERROR * (1 + 1e-12));
      }),
      { numRuns: 20_000 },
    );
  });

  test("the error bound is met at the edges of every bucket, and reached", () => {
    let worst = 0;
    for (let bucket = 1; bucket < LOG_BUCKET_COUNT - 1; bucket++) {
      const value = bucketValue(bucket);
      expect(bucketOf(value)).toBe(bucket);
      const part = (bucket - 1) % 64;
      const edge = 2 ** (Math.floor((bucket - 1) / 64) - 31) * (1 + part / 64);
      expect(bucketOf(edge)).toBe(bucket);
      worst = Math.max(worst, (value - edge) / edge);
    }
    expect(worst).toBeCloseTo(LOG_BUCKET_ERROR, 12);
  });

  test("buckets ascend with values", () => {
    fc.assert(
      fc.property(positive, positive, (a, b) => {
        expect(Math.sign(bucketOf(a) - bucketOf(b)) * Math.sign(a - b)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test("zero and what is too small read as 0, what is too large as the upper end", () => {
    for (const value of [0, -0, 5e-324, LOG_BUCKET_MIN * 0.999]) expect(bucketValue(bucketOf(value))).toBe(0);
    expect(bucketOf(LOG_BUCKET_MIN)).toBe(1);
    for (const value of [LOG_BUCKET_MAX, 1e300, Infinity]) {
      expect(bucketOf(value)).toBe(LOG_BUCKET_COUNT - 1);
      expect(bucketValue(bucketOf(value))).toBe(LOG_BUCKET_MAX);
    }
    expect(bucketOf(LOG_BUCKET_MAX * 0.9999)).toBe(LOG_BUCKET_COUNT - 2);
  });

  test("negative values, NaN and buckets that do not exist are refused", () => {
    for (const value of [-1e-300, -1, -Infinity, NaN]) expect(() => bucketOf(value)).toThrow(RangeError);
    for (const bucket of [-1, LOG_BUCKET_COUNT, NaN]) expect(() => bucketValue(bucket)).toThrow(RangeError);
  });
});

describe("percentileBucket", () => {
  const shares = fc.constantFrom(0, 0.5, 0.9, 0.95, 0.99, 1);

  test("is within 1 % of the exact nearest-rank percentile, also after merging", () => {
    fc.assert(
      fc.property(fc.array(positive, { minLength: 1 }), fc.array(positive), shares, (left, right, share) => {
        const merged = sketchOf(left);
        for (const [bucket, count] of sketchOf(right)) merged.set(bucket, (merged.get(bucket) ?? 0) + count);
        const union = [...left, ...right].toSorted((a, b) => a - b);
        const exact = union[nearestRank(share, union.length) - 1]!;
        expect(percentile(merged, share)).toBe(bucketOf(exact));
        expect(merged).toEqual(sketchOf(union));
      }),
    );
  });

  test("nothing counted has no percentile", () => {
    expect(percentileBucket([], [], 0.5)).toBe(-1);
    expect(percentileBucket([3, 4], [0, 0], 0.5)).toBe(-1);
  });
});

test.each([
  [0, 10, 1],
  [0.5, 10, 5],
  [0.5, 11, 6],
  [0.07, 100, 7],
  [0.9, 10, 9],
  [0.95, 20, 19],
  [1, 7, 7],
  [0.5, 0, 0],
])("the percentile %d of %d values is number %d", (share, count, rank) => {
  expect(nearestRank(share, count)).toBe(rank);
});
