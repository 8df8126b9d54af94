/**
 * Earned rewards: once a day each rule looks at a lower bound; after enough days in a row it grants its reward, one
 * open at a time. Ignorance earns nothing, because the lower bound of little evidence is low.
 */
import { DAY_MS } from "../policy/compile.ts";
import type { ComponentName } from "../policy/policy.ts";
import { EARNED_REWARDS, type EarnedReward } from "../policy/vocabulary.ts";
import { componentInterval } from "../score/interval.ts";
import { trustOf } from "../score/trust.ts";
import {
  EVIDENCE_DAYS,
  FIRST_AT,
  LAST_DAY,
  NUMBER,
  STREAK_DAY,
  STREAKS,
  type Chunk,
} from "../state/row-table.ts";
import type { Kind, State } from "../state/state.ts";
import { enterReward } from "./reward.ts";

export const REWARD_ISSUER = "rule:rewards";

/** Component whose lower bound a rule looks at; service is counted in days instead. */
const COMPONENT_OF: { readonly [type in EarnedReward]: ComponentName | null } = {
  high_uptime: "uptime",
  fast_response: "response",
  data_integrity: "reliability",
  long_term_service: null,
  exceptional_performance: "performance",
};
const STREAK_BITS = 6;
const STREAK_MASK = (1 << STREAK_BITS) - 1;

/** Counts today once; days on which nobody looked break the row. */
export function earnRewards(state: State, kind: Kind, chunk: Chunk, start: number): void {
  const { f64, u32 } = chunk;
  const today = Math.floor(state.now / DAY_MS);
  const newest = u32[start * 2 + STREAK_DAY]!;
  if (today === newest || f64[start + FIRST_AT] === 0) return;
  u32[start * 2 + STREAK_DAY] = today;
  // Silence earns nothing: a bound that nobody has fed since the day before yesterday breaks the row.
  if (u32[start * 2 + LAST_DAY]! < today - 1) {
    u32[start * 2 + STREAKS] = 0;
    return;
  }
  const before = today === newest + 1 ? u32[start * 2 + STREAKS]! : 0;
  let after = 0;
  for (const [place, type] of EARNED_REWARDS.entries()) {
    if (!holds(state, kind, chunk, start, type)) continue;
    const days = Math.min(((before >>> (place * STREAK_BITS)) & STREAK_MASK) + 1, STREAK_MASK);
    after |= days << (place * STREAK_BITS);
    if (days >= kind.compiled.policy.rewardRules.days) grant(state, kind, chunk, start, type);
  }
  u32[start * 2 + STREAKS] = after;
}

function holds(state: State, kind: Kind, chunk: Chunk, start: number, type: EarnedReward): boolean {
  const threshold = kind.compiled.policy.rewardRules.thresholds[type];
  if (threshold === null) return false;
  const name = COMPONENT_OF[type];
  if (name === null) return chunk.u32[start * 2 + EVIDENCE_DAYS]! >= threshold;
  const rule = kind.compiled.components.find((component) => component.name === name);
  if (rule === undefined) return false;
  return componentInterval(chunk, start, rule, kind.compiled, state.now).lower >= threshold;
}

function grant(state: State, kind: Kind, chunk: Chunk, start: number, type: EarnedReward): void {
  const { policy } = kind.compiled;
  const subject = chunk.u32[start * 2 + NUMBER]!;
  // Rewards stand in the order of granting, so the newest of the type is the only one that can be open.
  const newest = state.sanctions.of(subject)?.rewards.findLast((one) => one.type === type);
  if (newest?.status === "active" || trustOf(chunk, start, policy, state.now) < policy.trustThreshold) return;
  enterReward(state, {
    // One a day and type at most, so this names it whatever else the batch holds.
    id: `rew_${state.position}_${subject}_${type}`,
    subject,
    type,
    points: policy.rewardRules.points,
    reason: `${type} for ${policy.rewardRules.days} days in a row`,
    issuer: REWARD_ISSUER,
    context: {},
    at: state.now,
  });
}
