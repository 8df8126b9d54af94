/**
 * Exponential and natural logarithm with the same bits on every machine: only + - x / and views of bits, all of
 * which IEEE 754 fixes. The functions of `Math` may differ between engines and versions.
 */
import { highWord, lowWord, fromWords, powerOfTwo } from "./bits.ts";

/**
 * ln 2 in two parts. The first has 32 bits, so its product with a whole number below 2^21 is exact; the second
 * is the rest. x - n ln 2 computed with the parts keeps the digits that one rounded ln 2 would lose.
 */
const LN2_HIGH = 2977044471 / 4294967296;
const LN2_LOW = 1.9082149292705877e-10;

/** Steps of the table per power of two. */
const STEPS = 32;
const STEPS_PER_UNIT = STEPS / (LN2_HIGH + LN2_LOW);
const STEP_HIGH = LN2_HIGH / STEPS;
const STEP_LOW = LN2_LOW / STEPS;
/** 2^(step / STEPS) for step 0..STEPS - 1. */
const ROOTS = Float64Array.from({ length: STEPS }, (_, step) =>
  expSeries(step * STEP_HIGH + step * STEP_LOW),
);

/** Above it e^x is over the largest double, below the other it is under half the smallest. */
const EXP_OVERFLOW = 709.782712893384;
const EXP_UNDERFLOW = -745.1332191019412;

/**
 * e to the power of `x`, at most 5e-16 relative error where the result is normal; Infinity and 0 beyond the range.
 *
 * x = n ln2 / 32 + r with |r| <= ln2 / 64, and n = 32 k + step, so e^x = 2^k x 2^(step/32) x e^r. The Taylor series
 * of e^r ends after r^6 / 6!: what is cut off is under r^7 / 7! = 4e-18.
 */
export function exp(x: number): number {
  if (x > EXP_OVERFLOW) return Infinity;
  if (x < EXP_UNDERFLOW) return 0;
  if (Number.isNaN(x)) return x;
  const n = Math.floor(x * STEPS_PER_UNIT + 0.5);
  const r = x - n * STEP_HIGH - n * STEP_LOW;
  const less1 = r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720))))));
  const root = ROOTS[n & (STEPS - 1)]!;
  return scale(root + root * less1, n >> 5);
}

/** In two factors, because 2^k itself may be no normal double; only the second multiplication can round. */
function scale(value: number, exponent: number): number {
  if (exponent >= -1022 && exponent <= 1023) return value * powerOfTwo(exponent);
  const half = exponent >> 1;
  return value * powerOfTwo(half) * powerOfTwo(exponent - half);
}

/** Taylor series of e^x, smallest terms first, for 0 <= x < 1: 22 terms leave less than 1e-21. */
function expSeries(x: number): number {
  let sum = 1;
  for (let term = 22; term >= 1; term--) sum = 1 + (x / term) * sum;
  return sum;
}

const SQRT2 = 1.4142135623730951;
const SMALLEST_NORMAL = 2.2250738585072014e-308;
const TWO_54 = 18014398509481984;

/**
 * Natural logarithm, at most 5e-16 relative error; -Infinity for 0 and NaN below.
 *
 * x = 2^e m with m from 1/sqrt 2 to sqrt 2. With f = m - 1 and s = f / (2 + f), ln m = 2 (s + s^3/3 + s^5/5 + ...).
 * Since 2 s = f - s f this is f - s (f - tail), tail = 2 (s^2/3 + s^4/5 + ...), and so starts from f, which is exact.
 * |s| <= .1716: what is cut off behind s^20 is under 2e-18.
 */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return x;
  if (x < SMALLEST_NORMAL) return log(x * TWO_54) - 54 * (LN2_HIGH + LN2_LOW);
  const high = highWord(x);
  let exponent = (high >>> 20) - 1023;
  let mantissa = fromWords((high & 0xfffff) | 0x3ff00000, lowWord(x));
  if (mantissa > SQRT2) {
    mantissa /= 2;
    exponent += 1;
  }
  const f = mantissa - 1;
  const s = f / (2 + f);
  return exponent * LN2_HIGH + (f - (s * (f - logTail(s * s)) - exponent * LN2_LOW));
}

/** 2 (z/3 + z^2/5 + ... + z^10/21). */
function logTail(z: number): number {
  let sum = 2 / 21;
  for (let divisor = 19; divisor >= 3; divisor -= 2) sum = 2 / divisor + z * sum;
  return z * sum;
}
