import { highWord, fromWords } from "./bits.ts";

const SMALLEST_NORMAL = 2.2250738585072014e-308;
const TWO_54 = 18014398509481984;
const TWO_27 = 134217728;

/**
 * Square root with the same bits on every machine, at most one unit in the last place off; whole numbers for the
 * squares of whole numbers; NaN below 0.
 *
 * Halving the exponent in the bits gives a first guess at most 7 % off. A step of Heron's rule, y = (y + x/y) / 2,
 * turns a relative error d into d^2 / 2: .07, 2.5e-3, 3e-6, 5e-12, 1e-23.
 */
export function sqrt(x: number): number {
  if (!(x > 0)) return x === 0 ? x : NaN;
  if (x === Infinity) return x;
  if (x < SMALLEST_NORMAL) return sqrt(x * TWO_54) / TWO_27;
  let root = fromWords((highWord(x) >>> 1) + 0x1ff80000, 0);
  root = 0.5 * (root + x / root);
  root = 0.5 * (root + x / root);
  root = 0.5 * (root + x / root);
  return 0.5 * (root + x / root);
}
