import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteReader, ByteWriter } from "../num/bytes.ts";
import { IdTable, ID_BYTES_MAX } from "./id-table.ts";

const seed = fc.maxSafeNat();
/** Short alphabets make collisions and repeats likely; whole Unicode makes every length of UTF-8. */
const id = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "b", "é", "\0"), minLength: 1, maxLength: 6 }),
  fc.string({ unit: "binary", minLength: 1, maxLength: 64 }),
);

describe("IdTable", () => {
  test("behaves as a Map from id to order of insertion, with the newest withdrawn at times", () => {
    const step = fc.oneof({ weight: 8, arbitrary: id }, { weight: 1, arbitrary: fc.nat(30) });
    fc.assert(
      fc.property(seed, fc.array(step, { maxLength: 200 }), id, (secret, steps, stranger) => {
        const table = new IdTable(secret);
        let ids: string[] = [];
        for (const next of steps) {
          if (typeof next === "number") {
            ids = ids.slice(0, Math.max(0, ids.length - next));
            table.truncate(ids.length);
          } else if (!ids.includes(next)) {
            expect(table.find(next)).toBe(-1);
            expect(table.insert(next)).toBe(ids.length);
            ids.push(next);
          }
        }
        expect(table.size).toBe(ids.length);
        ids.forEach((known, number) => {
          expect(table.find(known)).toBe(number);
          expect(table.at(number)).toBe(known);
        });
        expect(table.find(stranger)).toBe(ids.indexOf(stranger));
        const asked = [...ids.toReversed(), stranger, ...ids];
        const numbers = new Int32Array(asked.length);
        table.findAll(asked, numbers);
        expect([...numbers]).toEqual(asked.map((name) => ids.indexOf(name)));
      }),
      { numRuns: 500 },
    );
  });

  test("keeps 200,000 ids through growth, withdrawal of half of them and return in another order", () => {
    const table = new IdTable(7);
    // All lengths, so that keys meet the ends of chunks in every way.
    const nameOf = (number: number) => `${(number * 7919) % 200_000}${"-".repeat(number % 29)}`;
    for (let number = 0; number < 200_000; number++) table.insert(nameOf(number));
    table.truncate(100_000);
    for (let number = 100_000; number < 200_000; number++) expect(table.find(nameOf(number))).toBe(-1);
    const bytesBefore = table.bytesUsed;
    for (let number = 199_999; number >= 100_000; number--) table.insert(nameOf(number));
    for (let number = 0; number < 200_000; number++) {
      const expected = number < 100_000 ? number : 299_999 - number;
      if (table.find(nameOf(number)) !== expected || table.at(expected) !== nameOf(number)) {
        expect.fail(`${nameOf(number)} is not number ${expected}`);
      }
    }
    // Withdrawn memory serves again: at most a chunk more where the ends of chunks fall differently.
    expect(table.bytesUsed - bytesBefore).toBeLessThanOrEqual(2 * 262_144);
  });

  test("takes ids of 1 to 256 bytes and refuses others", () => {
    const table = new IdTable(1);
    const longest = ["x".repeat(ID_BYTES_MAX), "é".repeat(ID_BYTES_MAX / 2), "😀".repeat(ID_BYTES_MAX / 4)];
    longest.forEach((name, number) => {
      expect(table.insert(name)).toBe(number);
      expect(table.at(number)).toBe(name);
    });
    const many = Array.from({ length: 200 }, (_, at) => longest[at % 3]!);
    const numbers = new Int32Array(many.length);
    table.findAll(many, numbers);
    expect([...numbers]).toEqual(many.map((_, at) => at % 3));
    for (const refused of ["", "x".repeat(ID_BYTES_MAX + 1), `${"é".repeat(ID_BYTES_MAX / 2)}x`]) {
      expect(() => table.insert(refused)).toThrow(RangeError);
      expect(() => table.find(refused)).toThrow(RangeError);
    }
    expect(table.size).toBe(longest.length);
  });

  test("a shorter id is not found in what a longer one left behind", () => {
    const table = new IdTable(1);
    table.insert("abcdefgh");
    for (const prefix of ["abcdefg", "abcde", "abcd", "a"]) expect(table.find(prefix)).toBe(-1);
    table.insert("abcde");
    expect(table.find("abcdefgh")).toBe(0);
    expect(table.find("abcde\0")).toBe(-1);
    expect(table.find("abcde")).toBe(1);
  });

  test("refuses a second number for an id, numbers that nobody has, and keeping more than there are", () => {
    const table = new IdTable(1);
    table.insert("a");
    expect(() => table.insert("a")).toThrow(RangeError);
    expect(() => table.at(1)).toThrow(RangeError);
    expect(() => table.at(-1)).toThrow(RangeError);
    expect(() => table.truncate(2)).toThrow(RangeError);
    expect(table.size).toBe(1);
  });

  test("names that are special elsewhere are ids like others", () => {
    const table = new IdTable(1);
    ["__proto__", "constructor", "toString"].forEach((name, number) => {
      expect(table.find(name)).toBe(-1);
      expect(table.insert(name)).toBe(number);
    });
  });

  test("comes back from a snapshot in parts, under another seed, with the same bytes", () => {
    fc.assert(
      fc.property(fc.uniqueArray(id, { maxLength: 100 }), fc.nat(100), seed, (ids, cut, secret) => {
        const table = new IdTable(1);
        for (const next of ids) table.insert(next);
        const middle = Math.min(cut, ids.length);
        const writer = new ByteWriter(1);
        table.encode(writer, 0, middle);
        table.encode(writer, middle);

        const restored = new IdTable(secret);
        const reader = new ByteReader(writer.finish());
        restored.decode(reader);
        restored.decode(reader);
        expect(reader.remaining).toBe(0);
        ids.forEach((name, number) => expect(restored.find(name)).toBe(number));
        const again = new ByteWriter();
        restored.encode(again, 0, middle);
        restored.encode(again, middle);
        expect(again.finish()).toEqual(writer.finish());
      }),
    );
  });

  test("a part that does not follow, repeats an id or is cut off is refused", () => {
    const table = new IdTable(1);
    table.insert("a");
    table.insert("b");
    const writer = new ByteWriter();
    table.encode(writer, 1);
    expect(() => new IdTable(1).decode(new ByteReader(writer.finish()))).toThrow("do not follow");
    writer.clear();
    table.encode(writer);
    const bytes = writer.finish();
    expect(() => new IdTable(1).decode(new ByteReader(bytes.subarray(0, bytes.length - 1)))).toThrow(
      "cut off",
    );
    bytes[bytes.length - 1] = bytes[bytes.length - 3]!;
    expect(() => new IdTable(1).decode(new ByteReader(bytes))).toThrow("has a number already");
  });
});
