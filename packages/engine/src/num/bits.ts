/** The two 32-bit halves of a double, as IEEE 754 lays them out, whatever the byte order of the machine. */

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

double[0] = 1;
/** 1 is 0x3ff00000 00000000, so the half that is not zero is the high one. */
const HIGH = words[0] === 0 ? 1 : 0;
const LOW = 1 - HIGH;

/** Sign, exponent and the upper 20 bits of the mantissa, as an unsigned number. */
export function highWord(value: number): number {
  double[0] = value;
  return words[HIGH]!;
}

/** The lower 32 bits of the mantissa, as an unsigned number. */
export function lowWord(value: number): number {
  double[0] = value;
  return words[LOW]!;
}

/** The double with these halves. */
export function fromWords(high: number, low: number): number {
  words[HIGH] = high;
  words[LOW] = low;
  return double[0]!;
}

const EXPONENT_MIN = -1022;
const EXPONENT_MAX = 1023;
/** Read instead of made from words: a double that is read where two halves were just written waits for both. */
const POWERS_OF_TWO = Float64Array.from({ length: EXPONENT_MAX - EXPONENT_MIN + 1 }, (_, index) =>
  fromWords((index + 1) << 20, 0),
);

/** 2 to an exponent of -1022..1023, where doubles are normal. */
export function powerOfTwo(exponent: number): number {
  return POWERS_OF_TWO[exponent - EXPONENT_MIN]!;
}
