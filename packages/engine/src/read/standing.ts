/** Standing of a subject at an instant: score, interval, tier, sanctions in force, and the components behind them. */
import type { Attributes } from "../event/acts.ts";
import type { ComponentName } from "../policy/policy.ts";
import { rewardSharesAt, sharesAt, type Penalty, type Reward } from "../sanction/sanction.ts";
import { componentInterval } from "../score/interval.ts";
import { afterSilence, componentScore, scoreRow } from "../score/score.ts";
import { idleMs } from "../score/silence.ts";
import {
  EVENT_COUNT,
  EVIDENCE_DAYS,
  FIRST_AT,
  LAST_AT,
  REGISTERED_AT,
  rowStart,
  TIER,
} from "../state/row-table.ts";
import { kindOf, type State } from "../state/state.ts";

/** One component, on the score's scale. */
export interface ComponentStanding {
  readonly name: ComponentName;
  /** Weight in the score, 0..1. */
  readonly weight: number;
  readonly score: number;
  /** Ends of the 95 % interval. */
  readonly lower: number;
  readonly upper: number;
  /** Effective number of observations, prior included and without it. */
  readonly effectiveSize: number;
  readonly evidenceSize: number;
}

export interface PenaltyInForce {
  readonly penalty: Penalty;
  /** Points it takes off now. */
  readonly points: number;
}

export interface RewardInForce {
  readonly reward: Reward;
  readonly points: number;
}

export interface Standing {
  readonly subject: number;
  readonly id: string;
  readonly kind: string;
  readonly operator: string | null;
  readonly attributes: Attributes;
  readonly policy: string;
  readonly score: number;
  readonly lower: number;
  readonly upper: number;
  readonly tier: string;
  readonly components: readonly ComponentStanding[];
  readonly penalties: readonly PenaltyInForce[];
  readonly rewards: readonly RewardInForce[];
  readonly banned: boolean;
  readonly suspended: boolean;
  /** Place among the ranked of its kind, 1 is best; null when not ranked. */
  readonly place: number | null;
  /** Share of the ranked that are not better, 0..1, itself included; null when not ranked. */
  readonly percentile: number | null;
  readonly ranked: number;
  /** Samples folded, days with evidence. */
  readonly eventCount: number;
  readonly evidenceDays: number;
  /** Times in ms since 1970; null before any evidence. */
  readonly registeredAt: number;
  readonly firstEvidenceAt: number | null;
  readonly lastEvidenceAt: number | null;
  /** Instant this is the standing of. */
  readonly asOf: number;
}

/**
 * @param subject dense number, registered
 * @param nowMs ms since 1970, not before the newest batch
 */
export function standing(state: State, subject: number, nowMs: number): Standing {
  const kind = kindOf(state, subject);
  const row = state.places.rowOf(subject);
  const chunk = kind.table.chunkOf(row);
  const start = rowStart(row);
  const { compiled } = kind;
  const sanctions = state.sanctions.of(subject);
  const score = scoreRow(chunk, start, compiled, sanctions, nowMs);
  const components = componentStandings(state, subject, nowMs);
  const half = components.reduce((sum, one) => sum + (one.weight * (one.upper - one.lower)) / 2, 0);
  const { minScore, maxScore, tiers } = compiled.policy;
  const profile = state.profiles.get(subject);
  const place = kind.rank.place(row);
  const first = chunk.f64[start + FIRST_AT]!;
  const penalties = penaltiesInForce(state, subject, nowMs);
  return {
    subject,
    id: state.ids.at(subject),
    kind: kind.name,
    operator: profile?.operator ?? null,
    attributes: profile?.attributes ?? {},
    policy: compiled.policy.name,
    score,
    lower: Math.max(minScore, score - half),
    upper: Math.min(maxScore, score + half),
    tier: tiers.names[chunk.u32[start * 2 + TIER]!]!,
    components,
    penalties,
    rewards: rewardsInForce(state, subject, nowMs),
    banned: penalties.some(({ penalty }) => penalty.type === "ban"),
    suspended: isSuspended(state, subject, nowMs),
    place: place === 0 ? null : place,
    percentile: place === 0 ? null : kind.rank.percentile(row),
    ranked: kind.rank.count,
    eventCount: chunk.u32[start * 2 + EVENT_COUNT]!,
    evidenceDays: chunk.u32[start * 2 + EVIDENCE_DAYS]!,
    registeredAt: chunk.f64[start + REGISTERED_AT]!,
    firstEvidenceAt: first === 0 ? null : first,
    lastEvidenceAt: first === 0 ? null : chunk.f64[start + LAST_AT]!,
    asOf: nowMs,
  };
}

function isSuspended(state: State, subject: number, nowMs: number): boolean {
  const suspension = state.sanctions.suspended.get(subject);
  return suspension !== undefined && nowMs < (suspension.expiresAt ?? Infinity);
}

function componentStandings(state: State, subject: number, nowMs: number): ComponentStanding[] {
  const { compiled, table } = kindOf(state, subject);
  const row = state.places.rowOf(subject);
  const chunk = table.chunkOf(row);
  const start = rowStart(row);
  const silenceMs = idleMs(chunk, start, compiled, state.sanctions.of(subject), nowMs);
  return compiled.components.map((rule) => {
    const score = componentScore(chunk, start, rule, compiled, silenceMs, nowMs);
    const interval = componentInterval(chunk, start, rule, compiled, nowMs);
    // Silence lowers the component, so its interval goes down with it.
    const aged = (points: number): number =>
      rule.name === "trust" ? points : afterSilence(points, compiled, silenceMs);
    return {
      name: rule.name,
      weight: rule.weight,
      score,
      lower: Math.min(score, aged(interval.lower)),
      upper: Math.max(score, aged(interval.upper)),
      effectiveSize: interval.effectiveSize,
      evidenceSize: interval.evidenceSize,
    };
  });
}

/** Active penalties with the points each takes at `nowMs`; a penalty that is covered by a larger one takes 0. */
function penaltiesInForce(state: State, subject: number, nowMs: number): PenaltyInForce[] {
  const sanctions = state.sanctions.of(subject);
  if (sanctions === undefined) return [];
  const shares: number[] = [];
  sharesAt(sanctions.penalties, kindOf(state, subject).compiled.policy, nowMs, shares);
  return sanctions.penalties
    .map((penalty, index) => ({ penalty, points: shares[index]! }))
    .filter(
      ({ penalty }) =>
        penalty.status === "active" && (penalty.expiresAt === null || nowMs < penalty.expiresAt),
    );
}

function rewardsInForce(state: State, subject: number, nowMs: number): RewardInForce[] {
  const sanctions = state.sanctions.of(subject);
  if (sanctions === undefined) return [];
  const shares: number[] = [];
  rewardSharesAt(sanctions.rewards, kindOf(state, subject).compiled.policy, nowMs, shares);
  return sanctions.rewards
    .map((reward, index) => ({ reward, points: shares[index]! }))
    .filter(({ reward }) => reward.status === "active" && nowMs < reward.expiresAt);
}
