import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "./random.ts";

const DRAWS = 40_000;

function momentsOf(draw: () => number): { mean: number; variance: number } {
  const values = Array.from({ length: DRAWS }, draw);
  const mean = values.reduce((sum, value) => sum + value) / DRAWS;
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / DRAWS };
}

/** Four standard errors of a mean, so that a right generator does not fail and a wrong one does. */
function tolerance(variance: number): number {
  return 4 * Math.sqrt(variance / DRAWS);
}

describe("Random", () => {
  // Fixed bits: a change here makes every recorded decision unverifiable.
  test("draws these numbers for ever", () => {
    const random = new Random(1);
    const drawn = [random.next(), random.normal(), random.normal(), random.gamma(0.5), random.beta(3, 2)];
    expect(drawn).toMatchInlineSnapshot(`
      [
        0.05254733131732792,
        1.093211006571798,
        0.09743039147206377,
        0.0645530331060067,
        0.562189923049132,
      ]
    `);
  });

  test("reseeding starts the stream over, in the middle of a pair of normals too", () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), fc.nat(5), (seed, before) => {
        const stream = (random: Random) => Array.from({ length: 6 }, () => random.normal());
        const used = new Random(7);
        for (let draw = 0; draw < before; draw++) used.normal();
        used.reseed(seed);
        expect(stream(used)).toEqual(stream(new Random(seed)));
      }),
    );
  });

  test.each([
    ["one seed", () => nextOf(new Random(5))],
    ["the first draws of neighbouring seeds", firstDraws],
  ])("uniform draws fill 64 equal parts evenly: %s", (_, source) => {
    const draw = source();
    const parts = new Float64Array(64);
    for (let drawn = 0; drawn < DRAWS; drawn++) parts[Math.floor(draw() * 64)]! += 1;
    const chiSquare = parts.reduce((sum, count) => sum + (count - DRAWS / 64) ** 2 / (DRAWS / 64), 0);
    // 63 degrees of freedom: mean 63, and 120 in one case of 50,000.
    expect(chiSquare).toBeLessThan(120);
  });

  test("uniform draws are never 0 or 1, and followers are not related", () => {
    const random = new Random(9);
    let before = random.next();
    let product = 0;
    let inside = true;
    for (let drawn = 0; drawn < DRAWS; drawn++) {
      const value = random.next();
      inside &&= value > 0 && value < 1;
      product += (before - 0.5) * (value - 0.5);
      before = value;
    }
    expect(inside).toBe(true);
    expect(Math.abs(product / DRAWS)).toBeLessThan(tolerance(1 / 144));
  });

  test("normal draws have mean 0, variance 1 and the tails they should have", () => {
    const random = new Random(3);
    const { mean, variance } = momentsOf(() => random.normal());
    expect(Math.abs(mean)).toBeLessThan(tolerance(1));
    expect(Math.abs(variance - 1)).toBeLessThan(tolerance(2));
    const beyond = Array.from({ length: DRAWS }, () => Number(random.normal() > 1.959964));
    expect(Math.abs(beyond.reduce((a, b) => a + b) / DRAWS - 0.025)).toBeLessThan(tolerance(0.025 * 0.975));
  });

  test.each([0.2, 0.9, 1, 2.5, 400])("gamma draws of shape %d have it as mean and variance", (shape) => {
    const random = new Random(11);
    const { mean, variance } = momentsOf(() => random.gamma(shape));
    expect(Math.abs(mean - shape)).toBeLessThan(tolerance(shape));
    // The fourth central moment of a gamma is 3 shape^2 + 6 shape.
    expect(Math.abs(variance - shape)).toBeLessThan(tolerance(2 * shape ** 2 + 6 * shape));
  });

  test.each([
    [6, 4],
    [0.5, 0.5],
    [990, 10],
  ])("beta draws of %d and %d have its mean and variance", (successes, failures) => {
    const random = new Random(13);
    const { mean, variance } = momentsOf(() => random.beta(successes, failures));
    const n = successes + failures;
    const expected = (successes * failures) / (n * n * (n + 1));
    expect(Math.abs(mean - successes / n)).toBeLessThan(tolerance(expected));
    expect(variance / expected).toBeGreaterThan(0.93);
    expect(variance / expected).toBeLessThan(1.07);
  });

  test("beta: certain where only one side has evidence, anything where none has", () => {
    const random = new Random(17);
    expect(random.beta(5, 0)).toBe(1);
    expect(random.beta(0, 5)).toBe(0);
    const { mean, variance } = momentsOf(() => random.beta(0, 0));
    expect(Math.abs(mean - 0.5)).toBeLessThan(tolerance(1 / 12));
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.003);
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e3, noNaN: true }),
        fc.double({ min: 0, max: 1e3, noNaN: true }),
        (s, f) => {
          const drawn = random.beta(s, f);
          expect(drawn >= 0 && drawn <= 1).toBe(true);
        },
      ),
    );
  });
});

function nextOf(random: Random): () => number {
  return () => random.next();
}

function firstDraws(): () => number {
  let seed = 0;
  return () => new Random(seed++).next();
}
