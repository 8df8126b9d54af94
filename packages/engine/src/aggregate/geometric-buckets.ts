/**
 * Buckets in equal ratio, as few as 1 % relative error allows: 35 an octave, so that a byte spans a factor of 156.
 *
 * A bucket from a to b is read as 2ab/(a+b), which is off by (b-a)/(b+a) at both ends and by less inside. With
 * b/a = 2^(1/35) = 1.02000 that is .9901 %. (The linear parts of `sketch/log-buckets.ts` need no table, but 64 an
 * octave for the same error: a byte would span a factor of 16, and the samples of an ordinary hour would not fit.)
 */
import { highWord, powerOfTwo } from "../num/bits.ts";

/** Largest relative error of {@link bucketValue} within the range: .9901 % and the rounding of the edges to 2^-20. */
export const BUCKET_ERROR = 0.00991;
/** Values below it, 2^-31 = 4.7e-10, are in bucket 0 and read as 0. */
export const BUCKET_MIN = powerOfTwo(-31);
/** Values from it on, 2^40 = 1.1e12, are in the last bucket. */
export const BUCKET_MAX = powerOfTwo(40);

const PER_OCTAVE = 35;
const OCTAVES = 71;
/** Buckets are numbered 0..BUCKET_COUNT - 1: zero, then 35 for each of 71 octaves, then the rest. */
export const BUCKET_COUNT = 1 + PER_OCTAVE * OCTAVES + 1;

/** 2^(1/35). */
const RATIO = 1.020001609421199;
/** EDGES[i]: where part i of an octave starts, in units of 2^-20 above 1; the last is the end of the octave. */
const EDGES = edgesOfOctave();
/** The part in which each 128th of an octave starts. A part is wider than a 128th, so the next part is the only other. */
const PARTS = Uint8Array.from({ length: 128 }, (_, cell) => partOf(cell << 13));
/** Exponent bits of BUCKET_MIN in the high word of a double. */
const FIRST_EXPONENT = highWord(BUCKET_MIN) >>> 20;
const VALUES = Float64Array.from({ length: BUCKET_COUNT }, (_, bucket) => middleOf(bucket));

/** The bucket of a value of at least 0 (everything below, too, is in bucket 0). Larger values never have smaller buckets. */
export function bucketOf(value: number): number {
  if (value < BUCKET_MIN) return 0;
  if (value >= BUCKET_MAX) return BUCKET_COUNT - 1;
  const high = highWord(value);
  const mantissa = high & 0xfffff;
  const part = PARTS[mantissa >>> 13]!;
  const next = mantissa >= EDGES[part + 1]! ? 1 : 0;
  return ((high >>> 20) - FIRST_EXPONENT) * PER_OCTAVE + part + next + 1;
}

/** The value that stands for a bucket 0..BUCKET_COUNT - 1: 0 for bucket 0, BUCKET_MAX for the last. */
export function bucketValue(bucket: number): number {
  return VALUES[bucket]!;
}

function edgesOfOctave(): Uint32Array {
  const edges = new Uint32Array(PER_OCTAVE + 1);
  let edge = 1;
  for (let part = 0; part < PER_OCTAVE; part++) {
    edges[part] = Math.round((edge - 1) * 1048576);
    edge *= RATIO;
  }
  edges[PER_OCTAVE] = 1048576;
  return edges;
}

function partOf(mantissa: number): number {
  let part = 0;
  while (mantissa >= EDGES[part + 1]!) part += 1;
  return part;
}

function middleOf(bucket: number): number {
  if (bucket === 0) return 0;
  if (bucket === BUCKET_COUNT - 1) return BUCKET_MAX;
  const part = (bucket - 1) % PER_OCTAVE;
  const octave = powerOfTwo((bucket - 1 - part) / PER_OCTAVE - 31);
  const lower = octave * (1 + EDGES[part]! / 1048576);
  const upper = octave * (1 + EDGES[part + 1]! / 1048576);
  return (2 * lower * upper) / (lower + upper);
}
