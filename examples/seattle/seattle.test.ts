import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkReplay, samplesOf } from "../replay-checks.ts";
import { DEVICES, packRounds, type Rounds, SLICES, unpackRounds } from "./rounds.ts";
import { SEATTLE_FILE, seattleSource } from "./seattle.ts";

const bytes = readFileSync(SEATTLE_FILE);
const source = seattleSource(bytes);

describe("the shipped file", () => {
  test("holds all 688 published matrices", () => {
    const hash = createHash("sha256");
    for (const matrix of matricesOf(unpackRounds(brotliDecompressSync(bytes)))) hash.update(matrix);
    // Of the published values x 100 as little-endian 16-bit numbers, computed from the archive by another program.
    expect(hash.digest("hex")).toBe("593f3c5718e6f099a2c8bf03d0196e735f12ff0deba189bf9d829b2e27cef4d8");
  });

  test("is refused when it is cut off", () => {
    expect(() => seattleSource(bytes.subarray(0, 1_000))).toThrow();
    expect(() => unpackRounds(brotliDecompressSync(bytes).subarray(1))).toThrow();
  });
});

describe("the import", () => {
  const { subjects, digest } = checkReplay(source);

  test("brings in 99 devices, each its own operator, and 1,246,120 samples", () => {
    expect(source.eventCount).toBe(1_246_120);
    expect(subjects).toHaveLength(99);
    expect(subjects[0]).toEqual({
      id: "seattle-1",
      kind: "peer",
      operator: "seattle-1",
      attributes: { network: "seattle" },
    });
  });

  test("is the same each time", () => {
    expect(checkReplay(seattleSource(bytes)).digest).toBe(digest);
  });

  test("spans three hours", () => {
    expect((source.lastAt - source.firstAt) / 3_600_000).toBeCloseTo(3, 1);
  });

  test("reads the first matrix in milliseconds, target by target", () => {
    const ofSecond = [...samplesOf(source, (id) => id === "seattle-2")].filter(
      ({ at }) => at === source.firstAt,
    );
    // Of 98 devices that ask, two got no answer.
    expect(ofSecond).toHaveLength(96);
    expect(ofSecond[0]).toEqual({
      subject: "seattle-2",
      metric: "network_latency",
      value: 170,
      at: source.firstAt,
      monitor: "seattle-1",
      context: null,
    });
    expect(ofSecond.some(({ monitor }) => monitor === "seattle-2")).toBe(false);
  });
});

describe("packing", () => {
  const change = fc.record({
    slice: fc.nat(SLICES - 1),
    cell: fc.nat(DEVICES * DEVICES - 1),
    value: fc.nat(0xffff),
  });

  test("loses nothing", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
        const matrices = Array.from({ length: SLICES }, () => new Uint16Array(DEVICES * DEVICES));
        for (const { slice, cell, value } of changes) matrices[slice]![cell] = value;
        const found = [...matricesOf(unpackRounds(packRounds(matrices)))];
        const differing = found.filter((matrix, slice) => !sameCells(matrix, matrices[slice]!));
        expect([found.length, differing.length]).toEqual([SLICES, 0]);
      }),
      { numRuns: 10 },
    );
  });

  test("keeps a row that repeats only once", () => {
    const still = Array.from({ length: SLICES }, () => new Uint16Array(DEVICES * DEVICES).fill(7));
    expect(unpackRounds(packRounds(still)).count).toBe(DEVICES);
  });
});

/** Without the cost of a deep comparison, cell by cell, of seven million. */
function sameCells(a: Uint16Array, b: Uint16Array): boolean {
  return a.every((value, index) => value === b[index]);
}

/** The matrices again: a row without a round in a slice is the one before. */
function* matricesOf(rounds: Rounds): Generator<Uint16Array> {
  const matrix = new Uint16Array(DEVICES * DEVICES);
  let round = 0;
  for (let slice = 0; slice < SLICES; slice++) {
    for (; round < rounds.count && rounds.slice[round] === slice; round++) {
      const row = rounds.values.subarray(round * DEVICES, (round + 1) * DEVICES);
      matrix.set(row, rounds.monitor[round]! * DEVICES);
    }
    yield matrix.slice();
  }
}
