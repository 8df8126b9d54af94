import { exp, log } from "./exp.ts";

/**
 * How likely `count` independent shares 0..1, whose expectations have the mean `expected`, have a mean of at least
 * `observed`: at most this. For trials that fail or do not, this bounds the binomial tail, whether or not all have the
 * same probability.
 *
 * Hoeffding, J. Am. Stat. Assoc. 58 (1963), theorem 1: ((p/m)^m ((1-p)/(1-m))^(1-m))^n for the expectation p and the
 * mean m > p of n shares; 1 where the mean is not above the expectation.
 */
export function tailBound(count: number, observed: number, expected: number): number {
  if (observed <= expected) return 1;
  if (expected <= 0) return 0;
  const divergence = part(observed, expected) + part(1 - observed, 1 - expected);
  return exp(-count * divergence);
}

/** m ln(m/p), whose limit at m = 0 is 0. */
function part(share: number, expected: number): number {
  return share <= 0 ? 0 : share * log(share / expected);
}
