import fc from "fast-check";
import { expect, test } from "vitest";
import { fromWords, highWord, lowWord } from "./bits.ts";
import { sqrt } from "./sqrt.ts";

function nextUp(value: number): number {
  const low = lowWord(value);
  return low === 0xffffffff ? fromWords(highWord(value) + 1, 0) : fromWords(highWord(value), low + 1);
}

test("is at most one unit in the last place from the true root of every double of at least 0", () => {
  fc.assert(
    fc.property(fc.double({ min: 5e-324, noNaN: true, noDefaultInfinity: true }), (x) => {
      const ours = sqrt(x);
      const theirs = Math.sqrt(x);
      expect(ours === theirs || ours === nextUp(theirs) || nextUp(ours) === theirs).toBe(true);
    }),
    { numRuns: 20_000 },
  );
});

test("is whole for squares of whole numbers", () => {
  for (let root = 1; root <= 100_000; root++) expect(sqrt(root * root)).toBe(root);
});

test.each([
  [0, 0],
  [-0, -0],
  [-1, NaN],
  [NaN, NaN],
  [Infinity, Infinity],
])("sqrt(%d) is %d", (x, expected) => {
  expect(sqrt(x)).toBe(expected);
});

test("gives these bits on every machine", () => {
  const roots = [2, 3, 0.5, 0.1, 0.999, 1e-9, 1e15, 5e-324, 1.7976931348623157e308].map((x) => sqrt(x));
  expect(roots).toMatchInlineSnapshot(`
    [
      1.414213562373095,
      1.7320508075688772,
      0.7071067811865475,
      0.31622776601683794,
      0.9994998749374608,
      0.000031622776601683795,
      31622776.601683795,
      2.2227587494850775e-162,
      1.3407807929942597e+154,
    ]
  `);
});
