/** One measured figure; printed as a JSON object a line. */
export interface Result {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly conditions: { readonly [key: string]: string | number | boolean };
}

export type Bench = () => AsyncIterable<Result> | Iterable<Result>;

/** Value at share `p` (0..1) of sorted numbers, nearest rank. */
export function quantile(sorted: ArrayLike<number>, p: number): number {
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)]!;
}

/** Seconds since `start`, a value of `performance.now()`. */
export function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}
