/**
 * A policy with another maximum: what is kept in points is carried over to the new scale, in proportion, so that
 * scores, deductions and trust stay the same share of the maximum and nobody's standing moves by it. Evidence needs
 * nothing, because it is kept as utilities.
 */
import type { Penalty, Reward } from "../sanction/sanction.ts";
import {
  IMPACT,
  NUMBER,
  RECOVERED,
  SCORE,
  TRUST_BUCKET_COUNT,
  TRUST_BUCKETS,
  type Chunk,
} from "../state/row-table.ts";
import type { Kind, State } from "../state/state.ts";
import { recountScore } from "./network.ts";

export interface Rescaling {
  readonly from: number;
  readonly to: number;
}

/** Carries over the row that starts at double `start` of `chunk`, its share of the network's totals, and the sanctions of its subject. */
export function rescaleRow(state: State, kind: Kind, chunk: Chunk, start: number, scale: Rescaling): void {
  const { f64, u32 } = chunk;
  for (const field of [SCORE, IMPACT, RECOVERED]) f64[start + field] = rescaled(f64[start + field]!, scale);
  for (let bucket = 0; bucket < TRUST_BUCKET_COUNT; bucket++) {
    const field = start + TRUST_BUCKETS + bucket;
    f64[field] = rescaled(f64[field]!, scale);
  }
  if (chunk.work !== null) recountScore(kind, chunk, start);
  const sanctions = state.sanctions.of(u32[start * 2 + NUMBER]!);
  for (const penalty of sanctions?.penalties ?? []) rescalePenalty(penalty, scale);
  for (const reward of sanctions?.rewards ?? []) rescaleReward(reward, scale);
}

function rescalePenalty(penalty: Penalty, scale: Rescaling): void {
  if (penalty.points !== null) penalty.points = rescaled(penalty.points, scale);
  penalty.deduction = rescaled(penalty.deduction, scale);
  penalty.trustImpact = rescaled(penalty.trustImpact, scale);
}

function rescaleReward(reward: Reward, scale: Rescaling): void {
  reward.points = rescaled(reward.points, scale);
  reward.value = rescaled(reward.value, scale);
}

function rescaled(points: number, { from, to }: Rescaling): number {
  return (points * to) / from;
}
