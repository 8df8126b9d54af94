import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fieldsAt, rowTranslation, type RowLayout, type RowTranslation } from "./row-layout.ts";

const WRITTEN: RowLayout = {
  size: 40,
  fields: {
    ...fieldsAt(0, { f64: { SCORE: 0, BUCKETS: [1, 2] }, u32: { TIER: 6 }, f32: { SUM: 7 } }),
    ...fieldsAt(4, { u16: { COUNT: 0, OLD: 1 } }, "uptime."),
  },
};
/** Another order, without `OLD`, with `NEW`. */
const READ: RowLayout = {
  size: 48,
  fields: {
    ...fieldsAt(0, { u16: { COUNT: 3 } }, "uptime."),
    ...fieldsAt(1, { f64: { NEW: 0, BUCKETS: [3, 2], SCORE: 1 }, u32: { TIER: 5 }, f32: { SUM: 4 } }),
  },
};

describe("rows of another layout", () => {
  test("keep every field that both know by its name, whatever its bits; new ones are 0", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 120, maxLength: 120 }), (rows) => {
        const { writtenSize, translate } = translation(WRITTEN, READ);
        expect(writtenSize).toBe(40);
        const read = translate(rows);
        expect(read).toHaveLength(144);
        for (let row = 0; row < 3; row++) {
          const was = (from: number, size: number) => rows.slice(row * 40 + from, row * 40 + from + size);
          const is = (from: number, size: number) => read.slice(row * 48 + from, row * 48 + from + size);
          expect(is(16, 8)).toEqual(was(0, 8)); // SCORE
          expect(is(32, 16)).toEqual(was(8, 16)); // BUCKETS
          expect(is(28, 4)).toEqual(was(24, 4)); // TIER
          expect(is(24, 4)).toEqual(was(28, 4)); // SUM
          expect(is(6, 2)).toEqual(was(32, 2)); // uptime.COUNT
          expect(is(0, 6)).toEqual(new Uint8Array(6));
          expect(is(8, 8)).toEqual(new Uint8Array(8)); // NEW
        }
      }),
    );
  });

  test("that is the same are the bytes given", () => {
    const rows = new Uint8Array(80);
    expect(translation(WRITTEN, structuredClone(WRITTEN)).translate(rows)).toBe(rows);
  });

  test("are refused when a field of both has another type or count", () => {
    const wider: RowLayout = { size: 40, fields: fieldsAt(0, { u32: { "uptime.COUNT": 8 } }) };
    expect(rowTranslation(WRITTEN, wider)).toBe("field uptime.COUNT was written as u16 and is read as u32");
    const more: RowLayout = { size: 40, fields: fieldsAt(0, { f64: { BUCKETS: [1, 3] } }) };
    expect(rowTranslation(WRITTEN, more)).toBe("field BUCKETS was written as 2 f64 and is read as 3 f64");
    const sameWidth: RowLayout = { size: 40, fields: fieldsAt(0, { u32: { SUM: 7 } }) };
    expect(rowTranslation(WRITTEN, sameWidth)).toContain("field SUM");
  });
});

function translation(written: RowLayout, read: RowLayout): RowTranslation {
  const result = rowTranslation(written, read);
  if (typeof result === "string") throw new Error(result);
  return result;
}
