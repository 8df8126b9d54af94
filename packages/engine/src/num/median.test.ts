import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { median } from "./median.ts";

function bySorting(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >>> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : sorted[middle - 1]! / 2 + sorted[middle]! / 2;
}

describe("median", () => {
  test.each([
    ["any numbers", fc.double({ noNaN: true, noDefaultInfinity: true })],
    ["few different numbers", fc.integer({ min: 0, max: 3 })],
  ])("is what sorting gives: %s", (_, number) => {
    fc.assert(
      fc.property(fc.array(number, { minLength: 1, maxLength: 200 }), (values) => {
        // What lies behind the count is none of it.
        const column = Float64Array.from([...values, -1e9, 1e9]);
        expect(median(column, values.length) + 0).toBe(bySorting(values) + 0);
      }),
    );
  });

  test.each([
    ["rising", (index: number) => index],
    ["falling", (index: number) => -index],
    ["all equal", () => 7],
    ["up and down", (index: number) => Math.min(index, 9_999 - index)],
    ["half equal", (index: number) => (index % 2 === 0 ? 5 : index)],
  ])("of 10,000 numbers: %s", (_, numberAt) => {
    const values = Array.from({ length: 10_000 }, (__, index) => numberAt(index));
    expect(median(Float64Array.from(values), values.length)).toBe(bySorting(values));
  });

  test("of numbers laid so that each partition takes off a single one", () => {
    const values = resisting(1_000);
    expect(median(Float64Array.from(values), values.length)).toBe(bySorting(values));
  });

  test("of none is 0, and of the largest numbers finite", () => {
    expect(median(new Float64Array(4), 0)).toBe(0);
    expect(median(Float64Array.of(Number.MAX_VALUE, Number.MAX_VALUE), 2)).toBe(Number.MAX_VALUE);
  });
});

/** Numbers of which first, middle and last are at every step the smallest, the second smallest and a large one. */
function resisting(count: number): number[] {
  const places = Array.from({ length: count }, (_, place) => place);
  const rank = new Map<number, number>();
  for (let low = 0; low < count - 2; low++) {
    const middle = places[(low + count - 1) >>> 1]!;
    for (const place of [places[low]!, middle]) if (!rank.has(place)) rank.set(place, rank.size);
    const smallest = rank.get(places[low]!)! < rank.get(middle)! ? places[low]! : middle;
    const at = places.indexOf(smallest);
    for (let place = low; place <= at; place++) [places[place], places[low]] = [places[low]!, places[place]!];
  }
  return Array.from({ length: count }, (_, place) => rank.get(place) ?? count + place);
}
