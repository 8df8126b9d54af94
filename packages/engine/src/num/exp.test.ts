import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { highWord, lowWord } from "./bits.ts";
import { exp, log } from "./exp.ts";

/** |ours - theirs| / |theirs|; equal values, infinities included, differ by 0. */
function relativeError(ours: number, theirs: number): number {
  return ours === theirs ? 0 : Math.abs(ours - theirs) / Math.abs(theirs);
}

function bits(value: number): string {
  return highWord(value).toString(16).padStart(8, "0") + lowWord(value).toString(16).padStart(8, "0");
}

describe("exp", () => {
  test("agrees with Math.exp within 1e-15 wherever the result is normal", () => {
    fc.assert(
      fc.property(fc.double({ min: -708, max: 709.78, noNaN: true }), (x) => {
        expect(relativeError(exp(x), Math.exp(x))).toBeLessThanOrEqual(1e-15);
      }),
      { numRuns: 20_000 },
    );
  });

  test("agrees with Math.exp within 1e-15 over decay exponents", () => {
    for (let step = 0; step <= 20_000; step++) {
      const x = -step / 400;
      expect(relativeError(exp(x), Math.exp(x)), `exp(${x})`).toBeLessThanOrEqual(1e-15);
    }
  });

  test("never grows as the exponent falls, across the steps of the table", () => {
    let before = exp(2);
    for (let step = 1; step <= 20_000; step++) {
      const next = exp(2 - step / 5000);
      expect(next, `exp(${2 - step / 5000})`).toBeLessThan(before);
      before = next;
    }
  });

  test.each([
    [0, 1],
    [-0, 1],
    [709.782712893384, Math.exp(709.782712893384)],
    [709.7827128933841, Infinity],
    [Infinity, Infinity],
    [-745.1332191019411, 5e-324],
    [-745.1332191019413, 0],
    [-Infinity, 0],
    [NaN, NaN],
  ])("exp(%d) is %d", (x, expected) => {
    expect(relativeError(exp(x), expected) <= 1e-15 || Object.is(exp(x), expected)).toBe(true);
  });

  test("subnormal results are at most one unit off", () => {
    for (let x = -745; x < -708.5; x += 0.0625) {
      expect(Math.abs(exp(x) - Math.exp(x)), `exp(${x})`).toBeLessThanOrEqual(5e-324 + Math.exp(x) * 1e-15);
    }
  });
});

describe("log", () => {
  test("agrees with Math.log within 1e-15 for every positive double", () => {
    fc.assert(
      fc.property(fc.double({ min: 5e-324, noNaN: true }), (x) => {
        expect(relativeError(log(x), Math.log(x))).toBeLessThanOrEqual(1e-15);
      }),
      { numRuns: 20_000 },
    );
  });

  test("agrees with Math.log within 1e-15 near 1, where the logarithm vanishes", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 2, noNaN: true }), (x) => {
        expect(relativeError(log(x), Math.log(x))).toBeLessThanOrEqual(1e-15);
      }),
      { numRuns: 20_000 },
    );
    for (const x of [1 - 1.1102230246251565e-16, 1 + 2.220446049250313e-16, 0.999999, 1.000001]) {
      expect(relativeError(log(x), Math.log(x)), `log(${x})`).toBeLessThanOrEqual(1e-15);
    }
  });

  test("undoes exp", () => {
    fc.assert(
      fc.property(fc.double({ min: -700, max: 700, noNaN: true }), (x) => {
        expect(Math.abs(log(exp(x)) - x)).toBeLessThanOrEqual(1e-15 * Math.max(1, Math.abs(x)));
      }),
    );
  });

  test.each([
    [1, 0],
    [0, -Infinity],
    [-0, -Infinity],
    [-1, NaN],
    [-Infinity, NaN],
    [Infinity, Infinity],
    [NaN, NaN],
  ])("log(%d) is %d", (x, expected) => {
    expect(log(x)).toBe(expected);
  });
});

// Fixed bits: a change here changes stored state, so it needs a new engine version.
const GOLDEN = [
  -745, -700.5, -100, -50, -10, -6.93, -5, -3, -2, -1.5, -1, -0.75, -0.5, -0.34657359027997264, -0.1, -0.01,
  -1e-9, 0, 1e-9, 0.01, 0.1, 0.5, 1, 1.5, 2, 3, 10, 100, 700.25, 709.78,
];

test("exp and log give these bits on every machine", () => {
  const lines = GOLDEN.map((x) => `${x} ${bits(exp(x))} ${x > 0 ? bits(log(x)) : bits(log(-x / 3))}`);
  expect(lines).toMatchInlineSnapshot(`
    [
      "-745 0000000000000001 40160f205f6c09b7",
      "-700.5 00c4ff475c68ca02 4015d00ef66143e4",
      "-100 36ea8c1f14e2af5c 400c0d6e3a1428a6",
      "-50 3b6d257d547e083f 400681dd7a559a2a",
      "-10 3f07cd79b5647c9b 3ff34378fcbda721",
      "-6.93 3f5006086fb1a615 3feacabb5210ef47",
      "-5 3f7b993fe00d5376 3fe058aefa811452",
      "-3 3fa97db0ccceb0af 0000000000000000",
      "-2 3fc152aaa3bf81cc bfd9f323ecbf984d",
      "-1.5 3fcc8f87724b5c1e bfe62e42fefa39ef",
      "-1 3fd78b56362cef38 bff193ea7aad030b",
      "-0.75 3fde3b40ebefcd7e bff62e42fefa39ef",
      "-0.5 3fe368b2fc6f9609 bffcab0bfa2a2002",
      "-0.34657359027997264 3fe6a09e667f3bcc c00144245090bd75",
      "-0.1 3fecf46d99d52b3b c00b35a6f90bd69b",
      "-0.01 3fefae7cfd2b9cfe c016d0ac5a6095d8",
      "-1e-9 3fefffffff768fa1 c035d2669ad6cfe9",
      "0 3ff0000000000000 fff0000000000000",
      "1e-9 3ff000000044b830 c034b927f32bffb8",
      "0.01 3ff0292a5d2f2226 c0126bb1bbb55515",
      "0.1 3ff1aec7b35a00d3 c0026bb1bbb55515",
      "0.5 3ffa61298e1e069b bfe62e42fefa39ef",
      "1 4005bf0a8b145769 0000000000000000",
      "1.5 4011ed3fe64fc541 3fd9f323ecbf984c",
      "2 401d8e64b8d4ddae 3fe62e42fefa39ef",
      "3 403415e5bf6fb106 3ff193ea7aad030a",
      "10 40d5829dcf95055f 40026bb1bbb55516",
      "100 48f3494a9b171bf4 40126bb1bbb55516",
      "700.25 7f12fd8e4cbfa413 401a34ac026e1799",
      "709.78 7fefe9ce5c4c52b4 401a4283947ad848",
    ]
  `);
});
