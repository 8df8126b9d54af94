/** Acts: one function for each type. */
import type { Act, PolicyActivated, SubjectUpdated, TierCuts } from "../event/acts.ts";
import { compilePolicy, type CompiledPolicy } from "../policy/compile.ts";
import { closeEvidence } from "../score/evidence.ts";
import { isFolded, rowStart, SLOT_OFFSETS } from "../state/row-table.ts";
import { addKind, kindNamed, kindOf, KINDS_MAX, type Kind, type State } from "../state/state.ts";
import type { ActResult } from "./effects.ts";
import { applyPenalty, grantReward, revokePenalty, revokeReward } from "./sanctions.ts";

export function applyAct(state: State, act: Act): ActResult {
  state.actCount += 1;
  switch (act.type) {
    case "subject.updated":
      return updateSubject(state, act);
    case "penalty.applied":
      return applyPenalty(state, act);
    case "penalty.revoked":
      return revokePenalty(state, act.penaltyId);
    case "reward.granted":
      return grantReward(state, act);
    case "reward.revoked":
      return revokeReward(state, act.rewardId);
    case "policy.activated":
      return activatePolicy(state, act);
    case "tier.cuts":
      return setCuts(state, act);
  }
}

function updateSubject(state: State, act: SubjectUpdated): ActResult {
  const row = state.places.rowOf(act.subject);
  if (isFolded(kindOf(state, act.subject).table.chunkOf(row), row, state.position)) return { type: "done", id: null };
  const profile = state.profiles.get(act.subject) ?? { operator: null, attributes: {} };
  const attributes: { [key: string]: string | number | boolean | readonly string[] } = { ...profile.attributes };
  for (const [key, value] of Object.entries(act.attributes ?? {})) {
    if (value === null) delete attributes[key];
    else attributes[key] = value;
  }
  const operator = act.operator === undefined ? profile.operator : act.operator;
  state.profiles.set(act.subject, { operator, attributes });
  return { type: "done", id: null };
}

/** The policy counts from here on: rows keep their evidence, and everybody is evaluated again in the refresh. */
function activatePolicy(state: State, act: PolicyActivated): ActResult {
  const kind = kindNamed(state, act.kind);
  if (kind === undefined) {
    if (state.kinds.length === KINDS_MAX) return { type: "too_many_kinds", limit: KINDS_MAX };
    addKind(state, act.kind, act.policy);
  } else {
    const next = compilePolicy(act.policy);
    closeChangedWindows(state, kind, next);
    kind.compiled = next;
    const { metricRetentionMs, aggregateIntervalMs, sampleSize } = act.policy;
    kind.aggregates?.reconfigure({ metricRetentionMs, aggregateIntervalMs, sampleSize }, state.now);
    // Cuts were taken for the tiers of the policy before.
    kind.cuts = null;
  }
  state.refreshOwed = state.places.count;
  state.effects.list.push({ type: "policy.activated", kind: act.kind, policy: act.policy.name });
  return { type: "done", id: null };
}

function closeChangedWindows(state: State, kind: Kind, next: CompiledPolicy): void {
  for (const [code, rule] of kind.compiled.metrics.entries()) {
    const after = next.metrics[code]!;
    if (rule.windowMs === after.windowMs && rule.unitMs === after.unitMs) continue;
    for (let row = 0; row < kind.table.count; row++) {
      const chunk = kind.table.chunkOf(row);
      if (isFolded(chunk, row, state.position)) continue;
      closeEvidence(chunk, rowStart(row) + SLOT_OFFSETS[code]!, rule, after);
    }
  }
}

function setCuts(state: State, act: TierCuts): ActResult {
  const kind = kindNamed(state, act.kind);
  if (kind !== undefined) kind.cuts = { scores: act.cuts, rated: act.rated };
  return { type: "done", id: null };
}
