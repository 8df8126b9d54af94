/** Counting values in buckets of constant relative error. */
export {
  LOG_BUCKET_COUNT,
  LOG_BUCKET_ERROR,
  LOG_BUCKET_MAX,
  LOG_BUCKET_MIN,
  bucketOf,
  bucketValue,
  nearestRank,
  percentileBucket,
} from "./log-buckets.ts";
