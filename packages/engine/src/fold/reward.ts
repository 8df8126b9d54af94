/** Entering a reward in the book, the row and the deadline queue; the caller evaluates the subject. */
import type { Reward } from "../sanction/sanction.ts";
import { FLAGS, HAS_SANCTIONS, rowStart } from "../state/row-table.ts";
import { kindOf, type State } from "../state/state.ts";

export type RewardGiven = Pick<
  Reward,
  "id" | "subject" | "type" | "points" | "reason" | "issuer" | "context" | "at"
>;

export function enterReward(state: State, given: RewardGiven): void {
  const kind = kindOf(state, given.subject);
  const { policy } = kind.compiled;
  const reward: Reward = {
    ...given,
    value: given.points * policy.rewardMultipliers[given.type],
    appliedAt: state.now,
    position: state.position,
    expiresAt: state.now + policy.historyRetentionMs,
    status: "active",
    endedAt: null,
  };
  state.sanctions.addReward(reward);
  const row = state.places.rowOf(given.subject);
  kind.table.chunkOf(row).u32[rowStart(row) * 2 + FLAGS]! |= HAS_SANCTIONS;
  state.deadlines.push(reward.expiresAt, given.subject);
  state.effects.list.push({ type: "reward.granted", subject: given.subject, reward });
}
