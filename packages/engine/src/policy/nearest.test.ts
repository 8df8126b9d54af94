import fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance, nearest } from "./nearest.ts";

test.each([
  ["kitten", "sitting", 3],
  ["", "abc", 3],
  ["abc", "", 3],
  ["decay_rate", "decay_rate", 0],
  ["uptme", "uptime", 1],
])("%j to %j takes %d edits", (from, to, edits) => {
  expect(editDistance(from, to)).toBe(edits);
});

test("it is a distance", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 });
  fc.assert(
    fc.property(word, word, word, (a, b, c) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
      expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
    }),
  );
});

test("of equals the first is nearest, and nothing is nearest to nothing", () => {
  expect(nearest("ax", ["ay", "az"])).toBe("ay");
  expect(() => nearest("a", [])).toThrow(RangeError);
});
