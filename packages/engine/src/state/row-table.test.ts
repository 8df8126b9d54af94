/** A snapshot says how its rows lie, so every byte that the fold writes needs a name. */
import { expect, test } from "vitest";
import { METRICS } from "../event/metrics.ts";
import type { RowLayout } from "./row-layout.ts";
import { ROW_LAYOUT } from "./row-table.ts";
import { WORK_LAYOUT } from "./work-row.ts";

test("the fields of a row fill it without overlap", () => {
  // The two 16-bit counts of blocks leave half a double free.
  const free = METRICS.filter(({ correlated }) => correlated).length * 4;
  expect(unnamedBytes(ROW_LAYOUT)).toBe(free);
  expect(unnamedBytes(WORK_LAYOUT)).toBe(0);
});

/** Bytes of a row that no field names; throws when two fields share one. */
function unnamedBytes({ size, fields }: RowLayout): number {
  const owners: (string | undefined)[] = Array.from({ length: size });
  for (const [name, { type, offset, count }] of Object.entries(fields)) {
    const end = offset + (Number.parseInt(type.slice(1), 10) / 8) * count;
    for (let byte = offset; byte < end; byte++) {
      expect(`${name} shares ${owners[byte] ?? "nothing"}`).toBe(`${name} shares nothing`);
      owners[byte] = name;
    }
  }
  return owners.filter((owner) => owner === undefined).length;
}
