/**
 * Buckets of constant relative width, for percentiles of any number of values within 1 %.
 *
 * A bucket is one of 64 equal parts of an octave 2^e..2^(e+1). For a bucket from a to b the value 2ab/(a+b) is off by
 * (b-a)/(b+a) at both ends and by less inside; that is largest in the first part of an octave, where a = 64 units
 * and b = 65: 1/129 = .775 %. (Buckets in equal ratio would need 35 an octave instead of 64, and a logarithm per
 * value; these are read off the bits, since exponent and upper mantissa bits of a double are the bucket's number.)
 */
import { fromWords, highWord } from "../num/bits.ts";

/** The largest relative error of {@link bucketValue} from {@link LOG_BUCKET_MIN} to {@link LOG_BUCKET_MAX}. */
export const LOG_BUCKET_ERROR = 1 / 129;
/** Values below it, 2^-31 = 4.7e-10, are in bucket 0 and read as 0. */
export const LOG_BUCKET_MIN = 1 / 2147483648;
/** Values from it on, 2^50 = 1.1e15, are in the last bucket. */
export const LOG_BUCKET_MAX = 1125899906842624;
/** Buckets are numbered 0..LOG_BUCKET_COUNT - 1: zero, then 64 for each of 81 octaves, then the rest. */
export const LOG_BUCKET_COUNT = 1 + 64 * 81 + 1;

/** Upper mantissa bits that number the parts of an octave, and where they lie in the high word of a double. */
const PART_SHIFT = 14;
/** One before the number that the bits of LOG_BUCKET_MIN give, so that its bucket is 1. */
const BEFORE_FIRST = (highWord(LOG_BUCKET_MIN) >>> PART_SHIFT) - 1;

/** The bucket of a value of at least 0; negative values and NaN throw RangeError. Larger values never have smaller buckets. */
export function bucketOf(value: number): number {
  if (value < LOG_BUCKET_MIN) {
    if (value < 0) throw new RangeError(`a sketch takes values of at least 0, not ${value}`);
    return 0;
  }
  if (value >= LOG_BUCKET_MAX) return LOG_BUCKET_COUNT - 1;
  if (Number.isNaN(value)) throw new RangeError("a sketch takes no NaN");
  return (highWord(value) >>> PART_SHIFT) - BEFORE_FIRST;
}

/** The value that stands for a bucket: 0 for bucket 0, LOG_BUCKET_MAX for the last. */
export function bucketValue(bucket: number): number {
  if (!(bucket >= 0 && bucket < LOG_BUCKET_COUNT)) throw new RangeError(`there is no bucket ${bucket}`);
  if (bucket === 0) return 0;
  const lower = bucketStart(bucket);
  if (lower === LOG_BUCKET_MAX) return lower;
  const upper = bucketStart(bucket + 1);
  return (2 * lower * upper) / (lower + upper);
}

function bucketStart(bucket: number): number {
  return fromWords((bucket + BEFORE_FIRST) << PART_SHIFT, 0);
}

/**
 * The bucket that holds the nearest-rank percentile: the smallest bucket with at least `share` (0..1) of all counts in
 * or below it, and at least one count. `buckets` ascend and `counts[i]` belongs to `buckets[i]`; -1 when nothing is
 * counted. Sketches merge by adding the counts of equal buckets.
 */
export function percentileBucket(
  buckets: ArrayLike<number>,
  counts: ArrayLike<number>,
  share: number,
): number {
  let total = 0;
  for (let index = 0; index < buckets.length; index++) total += counts[index]!;
  const rank = nearestRank(share, total);
  let below = 0;
  for (let index = 0; index < buckets.length; index++) {
    below += counts[index]!;
    if (below >= rank && below > 0) return buckets[index]!;
  }
  return -1;
}

/**
 * The 1-based rank of a percentile among `count` ascending values, 1..count (0 when there are none): the smallest whole
 * number of at least share x count, where a product within 1e-9 above a whole number is that number (.07 x 100 is
 * 7.000000000000001 in doubles and means 7).
 */
export function nearestRank(share: number, count: number): number {
  return Math.min(count, Math.max(1, Math.ceil(share * count - 1e-9)));
}
