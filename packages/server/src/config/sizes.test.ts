import fc from "fast-check";
import { expect, test } from "vitest";
import { formatSize, parseSize } from "./sizes.ts";

test.each([
  ["1MiB", 1_048_576],
  ["4MiB", 4_194_304],
  ["512KiB", 524_288],
  ["1GiB", 1_073_741_824],
  ["1191582KiB", 1_220_179_968],
  ["100B", 100],
  ["100", 100],
  ["0", 0],
])("%s is %d bytes", (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(["", "MiB", "1.5MiB", "-1", "1MB", "1 MiB", "9999999GiB"])("%j is refused", (text) => {
  expect(parseSize(text)).toBeNull();
});

test("what was written reads back as the same number", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.nat(),
        fc.nat(4096).map((count) => count * 1_048_576),
      ),
      (bytes) => {
        expect(parseSize(formatSize(bytes))).toBe(bytes);
      },
    ),
  );
});
