/** The health of a network of one kind, from totals that the fold keeps: reading them looks at no subject. */
import { SCORE_UNIT, UTILITY_UNIT } from "../fold/network.ts";
import type { Kind } from "../state/state.ts";

/** Weights of the parts of network health (`scoring.md`, section 6). */
const WEIGHTS = { healthy: 0.4, success: 0.3, reputation: 0.2, response: 0.1 } as const;
const HEALTH_MAX = 100;

/** One part of network health: 0..1, null where nothing says it, and its weight once those are left out. */
export interface NetworkPart {
  readonly name: keyof typeof WEIGHTS;
  readonly value: number | null;
  readonly weight: number;
}

export interface NetworkStanding {
  readonly kind: string;
  /** Registered, heard at some time, heard within three intervals, and of those healthy and not shut out. */
  readonly known: number;
  readonly rated: number;
  readonly active: number;
  readonly healthy: number;
  readonly suspended: number;
  readonly banned: number;
  /** Means over the active: score in points, and the response time that their utility stands for, ms. */
  readonly averageScore: number | null;
  readonly averageResponseMs: number | null;
  /** Decayed share of good jobs among the finished, 0..1. */
  readonly successRate: number | null;
  /** Jobs that were given out and have no outcome yet. */
  readonly openSelections: number;
  /** 0..100; null where nothing is known. */
  readonly health: number | null;
  readonly parts: readonly NetworkPart[];
}

/** Null for a kind whose policy reads neither jobs nor health. */
export function networkStanding(kind: Kind): NetworkStanding | null {
  if (!kind.compiled.hasWork) return null;
  const { network, compiled } = kind;
  const { active, finished, succeeded, answering } = network;
  const averageScore = active === 0 ? null : network.scoreSum / SCORE_UNIT / active;
  const response = answering === 0 ? null : network.utilitySum / UTILITY_UNIT / answering;
  const successRate = finished === 0 ? null : succeeded / finished;
  const values = {
    healthy: active === 0 ? null : network.healthy / active,
    success: successRate,
    reputation: averageScore === null ? null : averageScore / compiled.policy.maxScore,
    response,
  };
  const parts = partsOf(values);
  const isKnown = parts.some(({ value }) => value !== null);
  const { reference } = compiled.policy.metrics.response_time;
  return {
    kind: kind.name,
    known: kind.table.count,
    rated: network.rated,
    active,
    healthy: network.healthy,
    suspended: network.suspended,
    banned: network.banned,
    averageScore,
    // The inverse of utility = reference / (reference + time).
    averageResponseMs: response === null ? null : reference / response - reference,
    successRate,
    openSelections: kind.selections.open.size,
    health: isKnown
      ? HEALTH_MAX * parts.reduce((sum, { value, weight }) => sum + weight * (value ?? 0), 0)
      : null,
    parts,
  };
}

/** What nothing says is left out, never perfect: its weight goes to the others. */
function partsOf(values: { readonly [name in keyof typeof WEIGHTS]: number | null }): NetworkPart[] {
  const names = Object.keys(WEIGHTS) as (keyof typeof WEIGHTS)[];
  const known = names.reduce((sum, name) => sum + (values[name] === null ? 0 : WEIGHTS[name]), 0);
  return names.map((name) => {
    const value = values[name];
    return { name, value, weight: value === null || known === 0 ? 0 : WEIGHTS[name] / known };
  });
}
