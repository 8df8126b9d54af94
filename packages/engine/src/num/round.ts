/** `value`, but at least `min` and at most `max`; NaN stays NaN. */
export function clamp(value: number, min: number, max: number): number {
  return value < min ? min : value > max ? max : value;
}

const SCALES = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000] as const;

/** Decimals that {@link roundHalfUp} knows. */
export type Digits = 0 | 1 | 2 | 3 | 4 | 5 | 6;

/**
 * `value` to `digits` decimals, halves toward +Infinity, and never -0. What is rounded is the double times the power
 * of ten: 1.005 is stored as 1.00499999999999989 and gives 1. For |value| below 1e9.
 */
export function roundHalfUp(value: number, digits: Digits = 2): number {
  const scale = SCALES[digits];
  return Math.round(value * scale) / scale + 0;
}
