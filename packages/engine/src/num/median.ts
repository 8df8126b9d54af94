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
    let left = low;
    let right = high;
    while (left <= right) {
      while (values[left]! < pivot) left++;
      while (values[right]! > pivot) right--;
      if (left > right) break;
      const moved = values[left]!;
      values[left++] = values[right]!;
      values[right--] = moved;
    }
    if (k <= right) high = right;
    else if (k >= left) low = left;
    else break;
  }
  return values[k]!;
}

function middleOf(a: number, b: number, c: number): number {
  if (a < b) return b < c ? b : a < c ? c : a;
  return a < c ? a : b < c ? c : b;
}
