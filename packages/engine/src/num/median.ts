/** Partitions that shrink slowly this often mean numbers made to resist them; then they are sorted instead. */
const ROUNDS_MAX = 64;

/**
 * The median of the first `count` numbers, halfway between the middle two of an even count; 0 of none. Moves the
 * numbers about. No NaN. In linear time, whatever the order they come in.
 */
export function median(values: Float64Array, count: number): number {
  if (count === 0) return 0;
  const middle = count >>> 1;
  const upper = kthSmallest(values, count, middle);
  if (count % 2 === 1) return upper;
  // Everything before the middle is at most what stands there, so the largest of it is its neighbour.
  let lower = values[0]!;
  for (let index = 1; index < middle; index++) if (values[index]! > lower) lower = values[index]!;
  return lower / 2 + upper / 2;
}

/** Brings the k-th smallest (from 0) to place `k`, with none larger before it and none smaller behind. */
function kthSmallest(values: Float64Array, count: number, k: number): number {
  let low = 0;
  let high = count - 1;
  for (let round = 0; low < high; round++) {
    if (round === ROUNDS_MAX) {
      values.subarray(low, high + 1).sort();
      break;
    }
    const pivot = middleOf(values[low]!, values[(low + high) >>> 1]!, values[high]!);
    const border = bringBelow(values, low, high, pivot);
    if (k < border) high = border - 1;
    else if (border > low) low = border;
    else {
      // The pivot is the smallest; its equals may be many and are done with at once.
      low = bringEqual(values, low, high, pivot);
      if (k < low) break;
    }
  }
  return values[k]!;
}

/**
 * Moves what is below the pivot to the front, and returns the place behind it. Every number is exchanged and the sum
 * decides whether that counts: a branch would be guessed wrongly every other time, and take twice as long.
 */
function bringBelow(values: Float64Array, low: number, high: number, pivot: number): number {
  let border = low;
  for (let place = low; place <= high; place++) {
    const value = values[place]!;
    values[place] = values[border]!;
    values[border] = value;
    border += Number(value < pivot);
  }
  return border;
}

function bringEqual(values: Float64Array, low: number, high: number, pivot: number): number {
  let border = low;
  for (let place = low; place <= high; place++) {
    const value = values[place]!;
    values[place] = values[border]!;
    values[border] = value;
    border += Number(value === pivot);
  }
  return border;
}

function middleOf(a: number, b: number, c: number): number {
  if (a < b) return b < c ? b : a < c ? c : a;
  return a < c ? a : b < c ? c : b;
}
