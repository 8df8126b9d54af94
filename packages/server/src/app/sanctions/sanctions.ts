/** Penalties and rewards: given by hand, revoked, and listed. */
import {
  kindNamed,
  kindOf,
  penaltyTerm,
  standing,
  type Accountable,
  type Context,
  type Penalty,
  type PenaltyType,
  type Policy,
  type Reward,
  type RewardType,
  type Severity,
} from "@staunch/engine";
import { NOT_IDEMPOTENT, repeatedAct, submitAct, type ActOutcome, type Idempotency } from "../acts.ts";
import type { Partition } from "../partition/partition.ts";
import { readTime } from "../read-time.ts";

/** An act may name a time this far ahead of the clock of the service. */
export const AHEAD_MAX_MS = 300_000;

export interface PenaltyOrder extends Accountable {
  readonly type: PenaltyType;
  readonly severity: Severity;
  /** Exactly one of the two is a number, except that a ban may have neither. */
  readonly points: number | null;
  readonly fraction: number | null;
  /** Ms since 1970; null for now. */
  readonly at: number | null;
  /** Ms since 1970; null until revoked, undefined as the policy says. */
  readonly expiresAt: number | null | undefined;
  readonly fade: "none" | "linear" | undefined;
  readonly evidence: readonly string[];
  readonly context: Context;
  readonly jobId: string | null;
}

export interface RewardOrder extends Accountable {
  readonly type: RewardType;
  readonly points: number;
  readonly at: number | null;
  readonly context: Context;
}

/** A penalty or reward with the points it counts now. */
export interface Counting<Sanction> {
  readonly sanction: Sanction;
  readonly points: number;
}

export type SanctionOutcome<Sanction> =
  | Exclude<ActOutcome, { type: "done" }>
  | { readonly type: "given"; readonly given: Counting<Sanction> }
  | { readonly type: "subject_not_found" }
  | { readonly type: "time_invalid"; readonly field: "at" | "expires_at" }
  | { readonly type: "points_too_high"; readonly max: number };

export class Sanctions {
  private readonly partition: Partition;

  constructor(partition: Partition) {
    this.partition = partition;
  }

  async givePenalty(
    subjectId: string,
    order: PenaltyOrder,
    idempotency: Idempotency,
  ): Promise<SanctionOutcome<Penalty>> {
    const repeat = repeatedAct(this.partition, idempotency);
    if (repeat !== null) return this.penaltyGiven(repeat);
    const draft = this.partition.draft();
    const subject = draft.find(subjectId);
    if (subject === -1) return { type: "subject_not_found" };
    const now = this.partition.now();
    const { type: penalty, ...rest } = order;
    const at = order.at ?? now;
    if (at > now + AHEAD_MAX_MS) return { type: "time_invalid", field: "at" };
    if ((order.expiresAt ?? Infinity) <= now) return { type: "time_invalid", field: "expires_at" };
    const policy = this.policyOf(draft.kindOf(subject));
    const max = policy.maxScore;
    if ((rest.points ?? 0) > max) return { type: "points_too_high", max };
    const points = rest.points ?? (rest.fraction === null ? 0 : null);
    const term = penaltyTerm(policy, penalty, order, Math.max(at, now));
    const act = { ...rest, ...term, type: "penalty.applied", subject, penalty, points, at } as const;
    return this.penaltyGiven(await submitAct(this.partition, draft, act, idempotency));
  }

  async giveReward(
    subjectId: string,
    order: RewardOrder,
    idempotency: Idempotency,
  ): Promise<SanctionOutcome<Reward>> {
    const repeat = repeatedAct(this.partition, idempotency);
    if (repeat !== null) return this.rewardGiven(repeat);
    const draft = this.partition.draft();
    const subject = draft.find(subjectId);
    if (subject === -1) return { type: "subject_not_found" };
    const now = this.partition.now();
    const { type: reward, ...rest } = order;
    const at = order.at ?? now;
    if (at > now + AHEAD_MAX_MS) return { type: "time_invalid", field: "at" };
    const max = this.policyOf(draft.kindOf(subject)).maxScore;
    if (rest.points > max) return { type: "points_too_high", max };
    const act = { ...rest, type: "reward.granted", subject, reward, at } as const;
    return this.rewardGiven(await submitAct(this.partition, draft, act, idempotency));
  }

  async revokePenalty(penaltyId: string, by: Accountable): Promise<ActOutcome> {
    const act = { type: "penalty.revoked", penaltyId, ...by } as const;
    return submitAct(this.partition, this.partition.draft(), act, NOT_IDEMPOTENT);
  }

  async revokeReward(rewardId: string, by: Accountable): Promise<ActOutcome> {
    const act = { type: "reward.revoked", rewardId, ...by } as const;
    return submitAct(this.partition, this.partition.draft(), act, NOT_IDEMPOTENT);
  }

  /** All penalties that are kept, in the order in which they were given. */
  penaltiesOf(subject: number): Counting<Penalty>[] {
    const { state } = this.partition;
    const inForce = standing(state, subject, this.timeOf(subject)).penalties;
    const points = new Map(inForce.map((one) => [one.penalty.id, one.points]));
    const penalties = state.sanctions.of(subject)?.penalties ?? [];
    return penalties.map((sanction) => ({ sanction, points: points.get(sanction.id) ?? 0 }));
  }

  rewardsOf(subject: number): Counting<Reward>[] {
    const { state } = this.partition;
    const inForce = standing(state, subject, this.timeOf(subject)).rewards;
    const points = new Map(inForce.map((one) => [one.reward.id, one.points]));
    const rewards = state.sanctions.of(subject)?.rewards ?? [];
    return rewards.map((sanction) => ({ sanction, points: points.get(sanction.id) ?? 0 }));
  }

  /** A penalty with the points it takes now, or null. A repeated request finds the one that the first gave. */
  penalty(id: string): Counting<Penalty> | null {
    const penalty = this.partition.state.sanctions.penalty(id);
    if (penalty === undefined) return null;
    return this.penaltiesOf(penalty.subject).find(({ sanction }) => sanction.id === id) ?? null;
  }

  reward(id: string): Counting<Reward> | null {
    const reward = this.partition.state.sanctions.reward(id);
    if (reward === undefined) return null;
    return this.rewardsOf(reward.subject).find(({ sanction }) => sanction.id === id) ?? null;
  }

  private penaltyGiven(outcome: ActOutcome): SanctionOutcome<Penalty> {
    if (outcome.type !== "done") return outcome;
    const id = outcome.id ?? "";
    const given = this.penalty(id);
    return given === null ? { type: "penalty_not_found", id } : { type: "given", given };
  }

  private rewardGiven(outcome: ActOutcome): SanctionOutcome<Reward> {
    if (outcome.type !== "done") return outcome;
    const id = outcome.id ?? "";
    const given = this.reward(id);
    return given === null ? { type: "reward_not_found", id } : { type: "given", given };
  }

  private policyOf(kindName: string): Policy {
    return kindNamed(this.partition.state, kindName)!.compiled.policy;
  }

  private timeOf(subject: number): number {
    return readTime(this.partition, kindOf(this.partition.state, subject));
  }
}
