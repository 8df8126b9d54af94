/**
 * Trust (`scoring.md`, section 3):
 * clamp(initial + (average - initial) x tenure + .2 x max x tenure - impact + recovered, 0, max).
 *
 * The average is the time-weighted mean of the score over the history retention. Its clock is evidence time: a gap
 * between two pieces of evidence counts at most `maxGap`, and it stands still while nothing arrives, so neither
 * waiting nor silence turns a bad record into a better average.
 */
import { DAY_MS } from "../policy/compile.ts";
import type { Policy } from "../policy/policy.ts";
import {
  EVALUATED_AT,
  EVIDENCE_DAYS,
  IMPACT,
  RECOVERED,
  SCORE,
  TRUST_AT,
  TRUST_BUCKET_COUNT,
  TRUST_BUCKETS,
  TRUST_POSITION,
  type Chunk,
} from "../state/row-table.ts";

/** Days with evidence after which a subject has full tenure. */
const TENURE_DAYS = 30;
/** Share of the maximum that full tenure adds. */
const TENURE_BONUS = 0.2;

/** Trust of the row that starts at double `row`, 0..maxScore, at `nowMs`. */
export function trustOf(chunk: Chunk, row: number, policy: Policy, nowMs: number): number {
  const { f64, u32 } = chunk;
  const tenure = Math.min(1, u32[row * 2 + EVIDENCE_DAYS]! / TENURE_DAYS);
  const initial = policy.initialScore;
  const average = averageScore(f64, row, policy);
  const worth = initial + (average - initial) * tenure + TENURE_BONUS * policy.maxScore * tenure;
  const trust = worth - f64[row + IMPACT]! + recoveredOf(chunk, row, policy, nowMs);
  return Math.max(0, Math.min(policy.maxScore, trust));
}

/** Trust points worked off by `nowMs`: they grow while the score is at least `performanceThreshold`. */
export function recoveredOf(chunk: Chunk, row: number, policy: Policy, nowMs: number): number {
  const { f64 } = chunk;
  const impact = f64[row + IMPACT]!;
  const recovered = f64[row + RECOVERED]!;
  if (recovered >= impact || !policy.recoveryEnabled) return Math.min(recovered, impact);
  if (f64[row + SCORE]! < policy.performanceThreshold) return recovered;
  const days = Math.max(0, nowMs - f64[row + EVALUATED_AT]!) / DAY_MS;
  return Math.min(impact, recovered + policy.recoveryRatePerDay * days);
}

/** Lets the average run up to new evidence; the score has been what it was at the last evaluation. */
export function advanceTrust(chunk: Chunk, row: number, policy: Policy, loggedAtMs: number): void {
  const { f64 } = chunk;
  const since = f64[row + TRUST_AT]!;
  f64[row + TRUST_AT] = loggedAtMs;
  if (since === 0) return;
  runAverage(
    f64,
    row,
    f64[row + SCORE]!,
    Math.min(loggedAtMs - since, policy.maxGapMs),
    bucketLength(policy),
  );
}

/** Another history retention: the average stays what it is, over as much of the time behind it as is still wanted. */
export function respanAverage(f64: Float64Array, row: number, old: Policy, next: Policy): void {
  const average = averageScore(f64, row, old);
  const coveredMs = Math.min(f64[row + TRUST_POSITION]!, old.historyRetentionMs, next.historyRetentionMs);
  f64.fill(0, row + TRUST_BUCKETS, row + TRUST_BUCKETS + TRUST_BUCKET_COUNT);
  f64[row + TRUST_POSITION] = 0;
  runAverage(f64, row, average, coveredMs, bucketLength(next));
}

function runAverage(f64: Float64Array, row: number, score: number, forMs: number, bucketMs: number): void {
  let left = forMs;
  // Seven steps fill every bucket; what is longer than the whole window can only repeat them.
  for (let step = 0; left > 0 && step <= TRUST_BUCKET_COUNT; step++) {
    const position = f64[row + TRUST_POSITION]!;
    const bucket = Math.floor(position / bucketMs);
    const room = (bucket + 1) * bucketMs - position;
    const spent = Math.min(left, room);
    f64[row + TRUST_BUCKETS + (bucket % TRUST_BUCKET_COUNT)]! += score * spent;
    f64[row + TRUST_POSITION] = position + spent;
    if (spent === room) f64[row + TRUST_BUCKETS + ((bucket + 1) % TRUST_BUCKET_COUNT)] = 0;
    left -= spent;
  }
}

/** Mean of the score over the newest retention of evidence time; the oldest bucket counts by the part inside. */
export function averageScore(f64: Float64Array, row: number, policy: Policy): number {
  const position = f64[row + TRUST_POSITION]!;
  if (position === 0) return policy.initialScore;
  const bucketMs = bucketLength(policy);
  const bucket = Math.floor(position / bucketMs);
  const inside = position - bucket * bucketMs;
  let integral = 0;
  for (let back = 0; back < TRUST_BUCKET_COUNT - 1 && back <= bucket; back++) {
    integral += f64[row + TRUST_BUCKETS + ((bucket - back) % TRUST_BUCKET_COUNT)]!;
  }
  let coveredMs = Math.min(position, inside + (TRUST_BUCKET_COUNT - 2) * bucketMs);
  if (bucket >= TRUST_BUCKET_COUNT - 1) {
    const share = 1 - inside / bucketMs;
    integral += f64[row + TRUST_BUCKETS + ((bucket + 1) % TRUST_BUCKET_COUNT)]! * share;
    coveredMs += bucketMs * share;
  }
  return coveredMs === 0 ? policy.initialScore : integral / coveredMs;
}

function bucketLength(policy: Policy): number {
  return policy.historyRetentionMs / (TRUST_BUCKET_COUNT - 1);
}
