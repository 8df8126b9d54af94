/** Statistics of a window, gathered from step blocks and, where they cover it, from raw samples. */
import { nearestRank } from "../sketch/log-buckets.ts";
import { sqrt } from "../num/sqrt.ts";
import { BUCKET_COUNT, bucketValue } from "./geometric-buckets.ts";

/** Nearest-rank percentiles, in the metric's unit: the smallest value with at least that share at or below it. */
export interface Percentiles {
  readonly 50: number;
  readonly 90: number;
  readonly 95: number;
  readonly 99: number;
}

/** Gathers first, then answers; made anew for every window. */
export class Summary {
  count = 0;
  failedCount = 0;
  sum = 0;
  min = Infinity;
  max = -Infinity;
  /** Values per bucket. */
  readonly counts = new Float64Array(BUCKET_COUNT);
  /** Sum of squared deviations from the mean. */
  private moment = 0;

  /**
   * Adds another set of values. Two sets with means a and b, n and m values, have the moment of each and what lies
   * between their means: (b - a)^2 n m / (n + m) (Chan, Golub and LeVeque 1979).
   */
  merge(count: number, sum: number, moment: number, min: number, max: number): void {
    if (this.count > 0) {
      const between = sum / count - this.sum / this.count;
      this.moment += between * between * ((this.count * count) / (this.count + count));
    }
    this.moment += moment;
    this.count += count;
    this.sum += sum;
    this.min = Math.min(this.min, min);
    this.max = Math.max(this.max, max);
  }

  /** Population standard deviation; rounding may leave a moment just below 0, which is 0. */
  get stdDev(): number {
    return sqrt(Math.max(0, this.moment) / this.count);
  }

  /** Of all values of the window, which need not be sorted. */
  exactPercentiles(values: Float64Array): Percentiles {
    values.sort();
    return percentiles((share) => values[nearestRank(share, values.length) - 1]!);
  }

  /**
   * From the buckets. `bounded` values are counted by what they lack to 1, so that the largest bucket holds the
   * smallest values. What is estimated lies between the smallest and the largest value, so the answer does as well.
   */
  estimatedPercentiles(bounded: boolean): Percentiles {
    return percentiles((share) => {
      const rank = nearestRank(share, this.count);
      const bucket = this.bucketOfRank(bounded ? this.count + 1 - rank : rank);
      const value = bounded ? 1 - bucketValue(bucket) : bucketValue(bucket);
      return Math.min(this.max, Math.max(this.min, value));
    });
  }

  private bucketOfRank(rank: number): number {
    let bucket = 0;
    let below = this.counts[0]!;
    while (below < rank) below += this.counts[++bucket]!;
    return bucket;
  }
}

function percentiles(at: (share: number) => number): Percentiles {
  return { 50: at(0.5), 90: at(0.9), 95: at(0.95), 99: at(0.99) };
}
