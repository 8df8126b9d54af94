import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  NOT_RANKED,
  type OrderOfTies,
  RANK_BUCKET_MAX,
  RANK_LIST_MAX,
  RANK_SUBJECTS_MAX,
  RANK_TIES_COMPARED_MAX,
  RankIndex,
  rankBucket,
  rankScore,
} from "./rank-index.ts";

/** Few buckets for ties, all for spread, and some moves out of the ranking. */
const bucket = fc.oneof(
  fc.integer({ min: 4998, max: 5000 }),
  fc.nat(RANK_BUCKET_MAX),
  fc.constantFrom(0, RANK_BUCKET_MAX, NOT_RANKED),
);
/** Close together, and over several blocks and chunks. */
const subject = fc.oneof(fc.nat(20), fc.nat(40_000));
const moves = fc.array(fc.tuple(subject, bucket), { maxLength: 120 });

const byNumber: OrderOfTies = () => 0;
/** An order that has nothing to do with numbers, and ties of its own. */
const scrambled: OrderOfTies = (a, b) => ((a * 7919) % 13) - ((b * 7919) % 13);

function indexOf(steps: readonly (readonly [number, number])[]): RankIndex {
  const index = new RankIndex();
  for (const [number, next] of steps) index.set(number, next);
  return index;
}

/** What the ranking has to be: subjects and buckets after all moves, best first, ties by `order`, then number. */
function oracle(steps: readonly (readonly [number, number])[], order: OrderOfTies): [number, number][] {
  return [...new Map(steps)]
    .filter(([, last]) => last !== NOT_RANKED)
    .toSorted(([a, bucketA], [b, bucketB]) => bucketB - bucketA || order(a, b) || a - b);
}

describe("RankIndex", () => {
  test("places, percentiles, counts and cuts are those of the sorted fleet", () => {
    fc.assert(
      fc.property(moves, subject, bucket, (steps, stranger, probe) => {
        const index = indexOf(steps);
        const sorted = oracle(steps, byNumber);
        expect(index.count).toBe(sorted.length);
        sorted.forEach(([number, own], position) => {
          const better = sorted.filter(([, other]) => other > own).length;
          expect(index.bucketOf(number)).toBe(own);
          expect(index.place(number)).toBe(better + 1);
          expect(index.percentile(number)).toBe((sorted.length - better) / sorted.length);
          expect(index.bucketAtPlace(position + 1)).toBe(own);
        });
        expect(index.countAbove(probe)).toBe(sorted.filter(([, other]) => other > probe).length);
        if (!sorted.some(([number]) => number === stranger)) {
          expect(index.bucketOf(stranger)).toBe(NOT_RANKED);
          expect(index.place(stranger)).toBe(0);
          expect(index.percentile(stranger)).toBe(0);
        }
        expect(index.bucketAtPlace(0)).toBe(NOT_RANKED);
        expect(index.bucketAtPlace(sorted.length + 1)).toBe(NOT_RANKED);
      }),
      { numRuns: 300 },
    );
  });

  test("the best and the worst are the ends of the sorted fleet", () => {
    fc.assert(
      fc.property(moves, fc.nat(150), (steps, k) => {
        const index = indexOf(steps);
        const best = oracle(steps, scrambled).map(([number]) => number);
        const worstFirst = oracle(steps, (a, b) => scrambled(a, b) || b - a)
          .map(([number]) => number)
          .toReversed();
        expect(index.topK(k, scrambled)).toEqual(best.slice(0, k));
        expect(index.bottomK(k, scrambled)).toEqual(worstFirst.slice(0, k));
      }),
      { numRuns: 300 },
    );
  });

  test("pages put together are the whole fleet, whatever their length", () => {
    fc.assert(
      fc.property(moves, fc.integer({ min: 1, max: 60 }), (steps, k) => {
        const index = indexOf(steps);
        const listed: number[] = [];
        let page = index.page(NOT_RANKED, 0, k);
        while (page.length > 0) {
          listed.push(...page);
          const last = page[page.length - 1]!;
          page = index.page(index.bucketOf(last), last, k);
        }
        expect(listed).toEqual(oracle(steps, byNumber).map(([number]) => number));
      }),
      { numRuns: 300 },
    );
  });

  test("a cursor whose subject has moved away goes on behind where it was", () => {
    const index = indexOf([
      [1, 500],
      [2, 500],
      [3, 500],
      [4, 400],
    ]);
    index.set(2, 900);
    expect(index.page(500, 2, 10)).toEqual([3, 4]);
  });

  test("the cut of a top share takes in at least that share, and the next better bucket less", () => {
    fc.assert(
      fc.property(moves, fc.constantFrom(0.05, 0.2, 0.5, 0.8, 1), (steps, share) => {
        const index = indexOf(steps);
        const cut = index.bucketOfTopShare(share);
        if (index.count === 0) {
          expect(cut).toBe(NOT_RANKED);
          return;
        }
        const above = index.countAbove(cut);
        const inOrAbove = index.countAbove(cut - 1);
        expect(inOrAbove).toBeGreaterThanOrEqual(share * index.count - 1e-9);
        expect(above === 0 || above < share * index.count).toBe(true);
      }),
    );
  });

  test("of twenty subjects the best alone is in the top 5 %", () => {
    const index = indexOf(Array.from({ length: 20 }, (_, number) => [number, number * 100] as const));
    expect(index.bucketOfTopShare(0.05)).toBe(1900);
    expect(index.percentile(19)).toBe(1);
    expect(index.percentile(0)).toBe(0.05);
  });

  test("more ties than are compared are listed by number, others by their order", () => {
    const falling: OrderOfTies = (a, b) => b - a;
    const rising: OrderOfTies = (a, b) => a - b;
    const ties = (count: number) => Array.from({ length: count }, (_, number) => [number, 7500] as const);
    const few = indexOf([...ties(RANK_TIES_COMPARED_MAX), [1000, 9000], [1001, 100]]);
    expect(few.topK(4, falling)).toEqual([1000, 255, 254, 253]);
    expect(few.bottomK(4, rising)).toEqual([1001, 255, 254, 253]);
    const many = indexOf([...ties(RANK_TIES_COMPARED_MAX + 1), [1000, 9000], [1001, 100]]);
    expect(many.topK(4, falling)).toEqual([1000, 0, 1, 2]);
    expect(many.bottomK(4, rising)).toEqual([1001, 0, 1, 2]);
  });

  test("the last of a block's best falling uncovers the next, and its leaving too", () => {
    const index = indexOf([
      [0, 9000],
      [1, 8000],
      [2, 7000],
      [500, 6000],
    ]);
    index.set(0, 10);
    expect(index.topK(2, byNumber)).toEqual([1, 2]);
    index.remove(1);
    expect(index.topK(2, byNumber)).toEqual([2, 500]);
    expect(index.count).toBe(3);
  });

  test("buckets, subjects and lists that do not exist are refused and change nothing", () => {
    const index = indexOf([[0, 5]]);
    for (const wrong of [-1, 1.5, RANK_BUCKET_MAX + 1, NaN])
      expect(() => index.set(0, wrong)).toThrow(RangeError);
    for (const wrong of [-1, RANK_SUBJECTS_MAX]) expect(() => index.set(wrong, 5)).toThrow(RangeError);
    for (const wrong of [-1, RANK_LIST_MAX + 1, 1.5]) {
      expect(() => index.topK(wrong, byNumber)).toThrow(RangeError);
      expect(() => index.bottomK(wrong, byNumber)).toThrow(RangeError);
      expect(() => index.page(NOT_RANKED, 0, wrong)).toThrow(RangeError);
    }
    expect(index.bucketOf(0)).toBe(5);
    expect(index.count).toBe(1);
  });
});

test.each([
  [0, 0],
  [74.994, 7499],
  [74.995, 7500],
  [100, 10_000],
  [100.001, 10_000],
  [-0.001, 0],
])("a score of %d is in rank bucket %d", (score, expected) => {
  expect(rankBucket(score)).toBe(expected);
});

test("a bucket reads as the rounded score, whatever the maximum", () => {
  expect(rankScore(rankBucket(63.217))).toBe(63.22);
  expect(rankScore(rankBucket(0.5, 1), 1)).toBe(0.5);
  expect(rankScore(rankBucket(632.17, 1000), 1000)).toBe(632.2);
});
