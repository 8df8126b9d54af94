/**
 * A policy comes into force: rows keep their evidence, what is kept in the terms of the policy before is carried over,
 * and everybody is evaluated again in the refresh.
 */
import type { PolicyActivated } from "../event/acts.ts";
import { compilePolicy, type CompiledPolicy } from "../policy/compile.ts";
import { completePolicy } from "../policy/complete.ts";
import type { Policy } from "../policy/policy.ts";
import { rankBucket, rankScore } from "../rank/rank-index.ts";
import { closeEvidence } from "../score/evidence.ts";
import { respanAverage } from "../score/trust.ts";
import { DecisionWindow } from "../select/decision-window.ts";
import {
  ALERT_HOUR,
  ALL_STALE,
  isFolded,
  NUMBER,
  rowStart,
  SLOT_OFFSETS,
  STALE_MEANS,
  TIER,
  TIER_AT,
  TIER_CANDIDATE,
  type Chunk,
} from "../state/row-table.ts";
import {
  addKind,
  addWorkRows,
  aggregateOptions,
  durationOptions,
  kindNamed,
  KINDS_MAX,
  type Kind,
  type State,
} from "../state/state.ts";
import { HEALTH_PRESENT, OPERATOR, workStart } from "../state/work-row.ts";
import type { ActResult } from "./effects.ts";
import { indexRow } from "./index-row.ts";
import { rescaleRow, type Rescaling } from "./rescale.ts";
import { takeUpWork } from "./take-up.ts";

export function activatePolicy(state: State, act: PolicyActivated): ActResult {
  const kind = kindNamed(state, act.kind);
  if (kind === undefined && state.kinds.length === KINDS_MAX)
    return { type: "too_many_kinds", limit: KINDS_MAX };
  if (kind === undefined) addKind(state, act.kind, act.policy);
  else changePolicy(state, kind, compilePolicy(completePolicy(act.policy)));
  state.refreshOwed = state.places.count;
  state.effects.list.push({ type: "policy.activated", kind: act.kind, policy: act.policy.name });
  return { type: "done", id: null };
}

/**
 * The order matters. What is carried over is told by comparing the next policy with the one before, so that one stays
 * `kind.compiled` until all of it is done. What is derived by the policy in force comes behind: the ranking, and the
 * aggregates, also those that the first policy which reads jobs has just brought.
 */
function changePolicy(state: State, kind: Kind, next: CompiledPolicy): void {
  const scale = { from: kind.compiled.policy.maxScore, to: next.policy.maxScore };
  carryEvidence(state, kind, next);
  if (scale.from !== scale.to) changeScale(state, kind, scale);
  carryTiers(state, kind, next.policy);
  carryWork(state, kind, next);
  kind.compiled = next;
  kind.policyAt = state.now;
  if (scale.from !== scale.to) rankAnew(kind);
  kind.aggregates?.reconfigure(aggregateOptions(state.options, next.policy), state.now);
  kind.durations?.reconfigure(durationOptions(state.options, next.policy), state.now);
}

function carryEvidence(state: State, kind: Kind, next: CompiledPolicy): void {
  closeChangedWindows(state, kind, next);
  restartHours(state, kind, next);
  forgetMeans(state, kind);
  if (next.policy.historyRetentionMs !== kind.compiled.policy.historyRetentionMs)
    respanAverages(state, kind, next);
}

function carryTiers(state: State, kind: Kind, next: Policy): void {
  const { policy } = kind.compiled;
  if (!sameNames(next.tiers.names, policy.tiers.names)) placeAnew(state, kind, next);
  if (!sameCuts(policy, next)) kind.cuts = null;
}

function carryWork(state: State, kind: Kind, next: CompiledPolicy): void {
  if (next.hasWork && kind.table.workSize === 0) beginWork(state, kind);
  if (!sameNames(partNames(next), partNames(kind.compiled))) forgetHealth(state, kind);
  const { operatorWindow } = next.policy.selection;
  if (operatorWindow !== kind.selections.window.size)
    kind.selections.window = resized(kind.selections.window, operatorWindow);
}

function closeChangedWindows(state: State, kind: Kind, next: CompiledPolicy): void {
  for (const [code, rule] of kind.compiled.metrics.entries()) {
    const after = next.metrics[code]!;
    if (rule.windowMs === after.windowMs && rule.unitMs === after.unitMs) continue;
    eachRow(state, kind, (chunk, start) => closeEvidence(chunk, start + SLOT_OFFSETS[code]!, rule, after));
  }
}

/** Sums of deviations from another threshold say nothing: the hour starts over. */
function restartHours(state: State, kind: Kind, next: CompiledPolicy): void {
  for (const [code, rule] of kind.compiled.metrics.entries()) {
    if (rule.alertThreshold === next.metrics[code]!.alertThreshold) continue;
    eachRow(state, kind, ({ u32 }, start) => {
      u32[(start + SLOT_OFFSETS[code]!) * 2 + ALERT_HOUR] = 0;
    });
  }
}

/** Weights and prior may have changed, and with them every mean. */
function forgetMeans(state: State, kind: Kind): void {
  eachRow(state, kind, ({ u32 }, start) => {
    u32[start * 2 + STALE_MEANS] = ALL_STALE;
  });
}

function respanAverages(state: State, kind: Kind, next: CompiledPolicy): void {
  eachRow(state, kind, ({ f64 }, start) => respanAverage(f64, start, kind.compiled.policy, next.policy));
}

/** Points are carried over to the new maximum, in rows, sanctions and cuts. */
function changeScale(state: State, kind: Kind, scale: Rescaling): void {
  eachRow(state, kind, (chunk, start) => rescaleRow(state, kind, chunk, start, scale));
  if (kind.cuts === null) return;
  // Cuts are scores that rank, so they go by the ranking's own steps.
  const scores = kind.cuts.scores.map((cut) => rankScore(rankBucket(cut, scale.from), scale.to));
  kind.cuts = { ...kind.cuts, scores };
}

/** Tiers of other names: each subject keeps its tier by name, or falls to the last, and is placed at its next evaluation. */
function placeAnew(state: State, kind: Kind, next: Policy): void {
  const { names } = next.tiers;
  const places = kind.compiled.policy.tiers.names.map((name) => {
    const place = names.indexOf(name);
    return place === -1 ? names.length - 1 : place;
  });
  eachRow(state, kind, ({ f64, u32 }, start) => {
    u32[start * 2 + TIER] = places[u32[start * 2 + TIER]!]!;
    u32[start * 2 + TIER_CANDIDATE] = 0;
    f64[start + TIER_AT] = 0;
  });
}

/** Cuts in force were taken for these tiers: they hold until the next are taken. */
function sameCuts(before: Policy, after: Policy): boolean {
  if (!sameNames(before.tiers.names, after.tiers.names)) return false;
  const { percentileCuts } = after.tiers;
  return before.tiers.percentileCuts.every((share, place) => share === percentileCuts[place]);
}

/** Rows get the part for jobs and health, and in it their operators; those of a snapshot that has it are taken up. */
function beginWork(state: State, kind: Kind): void {
  addWorkRows(state, kind);
  for (let row = 0; row < kind.table.count; row++)
    if (isFolded(kind.table.chunkOf(row), row, state.position)) takeUpWork(state, kind, row);
  // By row, for a restored profile may be that of a subject whose registration is not replayed yet.
  eachRow(state, kind, ({ u32, work }, start) => {
    const operator = state.profiles.get(u32[start * 2 + NUMBER]!)?.operator ?? null;
    if (operator !== null)
      work!.u32[workStart(start) * 2 + OPERATOR] = state.operators.numberOf(operator) + 1;
  });
}

/** The columns have other names from here on; the next report fills them. */
function forgetHealth(state: State, kind: Kind): void {
  eachRow(state, kind, ({ work }, start) => {
    if (work !== null) work.u32[workStart(start) * 2 + HEALTH_PRESENT] = 0;
  });
}

function partNames({ healthParts }: CompiledPolicy): string[] {
  return healthParts.map(({ name }) => name);
}

function resized(window: DecisionWindow, size: number): DecisionWindow {
  const next = new DecisionWindow(size);
  next.restore(window.dump());
  return next;
}

/** Every row: also one that a restored chunk holds on the new scale was ranked by the old one. */
function rankAnew(kind: Kind): void {
  for (let row = 0; row < kind.table.count; row++) indexRow(kind, row);
}

/** Every row of the kind but those that a restored chunk already holds as they are after this batch. */
function eachRow(state: State, kind: Kind, visit: (chunk: Chunk, start: number) => void): void {
  for (let row = 0; row < kind.table.count; row++) {
    const chunk = kind.table.chunkOf(row);
    if (!isFolded(chunk, row, state.position)) visit(chunk, rowStart(row));
  }
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, place) => name === b[place]);
}
