/** Acts: one function for each type. */
import type {
  Act,
  Attributes,
  JobClassesMeasured,
  PolicyActivated,
  PriorSet,
  SubjectUpdated,
  TierCuts,
} from "../event/acts.ts";
import { compilePolicy, type CompiledPolicy } from "../policy/compile.ts";
import { completePolicy } from "../policy/complete.ts";
import type { Policy } from "../policy/policy.ts";
import { DecisionWindow } from "../select/decision-window.ts";
import { closeEvidence } from "../score/evidence.ts";
import { respanAverage } from "../score/trust.ts";
import {
  ALERT_HOUR,
  ALL_STALE,
  FIRST_AT,
  NUMBER,
  PRIOR_SHIFT,
  isFolded,
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
  kindOf,
  KINDS_MAX,
  type Kind,
  type State,
} from "../state/state.ts";
import { HEALTH_PRESENT, OPERATOR, workStart } from "../state/work-row.ts";
import { rankBucket, rankScore } from "../rank/rank-index.ts";
import { REASON, type ActResult } from "./effects.ts";
import { evaluate } from "./evaluate.ts";
import { indexRow } from "./index-row.ts";
import { announceMaintenance, cancelMaintenance } from "./maintenance.ts";
import {
  confirmMisbehaviour,
  dismissMisbehaviour,
  reportMisbehaviour,
  revokePenaltyAndReport,
} from "./misbehaviour.ts";
import { rescaleRow, type Rescaling } from "./rescale.ts";
import { voidWindow } from "./monitored.ts";
import { applyPenalty, grantReward, revokeReward } from "./sanctions.ts";
import { liftSuspension, startSuspension } from "./suspension.ts";
import { takeUpWork } from "./take-up.ts";

export function applyAct(state: State, act: Act): ActResult {
  state.actCount += 1;
  switch (act.type) {
    case "subject.updated":
      return updateSubject(state, act);
    case "penalty.applied":
      return applyPenalty(state, act);
    case "penalty.revoked":
      return revokePenaltyAndReport(state, act);
    case "reward.granted":
      return grantReward(state, act);
    case "reward.revoked":
      return revokeReward(state, act.rewardId);
    case "misbehaviour.reported":
      return reportMisbehaviour(state, act);
    case "misbehaviour.confirmed":
      return confirmMisbehaviour(state, act);
    case "misbehaviour.dismissed":
      return dismissMisbehaviour(state, act);
    case "suspension.started":
      return startSuspension(state, act);
    case "suspension.lifted":
      return liftSuspension(state, act);
    case "maintenance.announced":
      return announceMaintenance(state, act);
    case "maintenance.cancelled":
      return cancelMaintenance(state, act);
    case "policy.activated":
      return activatePolicy(state, act);
    case "tier.cuts":
      return setCuts(state, act);
    case "prior.set":
      return setPrior(state, act);
    case "job_classes.measured":
      return setMedians(state, act);
    case "window.voided":
      voidWindow(state, act);
      return { type: "done", id: null };
  }
}

function updateSubject(state: State, act: SubjectUpdated): ActResult {
  const row = state.places.rowOf(act.subject);
  const chunk = kindOf(state, act.subject).table.chunkOf(row);
  // Numbers follow the order of the log, whatever a restored row holds already.
  const operatorNumber = typeof act.operator === "string" ? state.operators.numberOf(act.operator) + 1 : 0;
  if (isFolded(chunk, row, state.position)) return { type: "done", id: null };
  const profile = state.profiles.get(act.subject) ?? { operator: null, attributes: {} };
  const attributes: { [key: string]: Attributes[string] } = { ...profile.attributes };
  for (const [key, value] of Object.entries(act.attributes ?? {})) {
    if (value === null) delete attributes[key];
    else attributes[key] = value;
  }
  const operator = act.operator === undefined ? profile.operator : act.operator;
  state.profiles.set(act.subject, { operator, attributes });
  if (act.operator !== undefined && chunk.work !== null)
    chunk.work.u32[workStart(rowStart(row)) * 2 + OPERATOR] = operatorNumber;
  return { type: "done", id: null };
}

/** Only for who has no evidence yet: a record of one's own is not replaced by another's. */
function setPrior(state: State, { subject, prior }: PriorSet): ActResult {
  const kind = kindOf(state, subject);
  const row = state.places.rowOf(subject);
  const chunk = kind.table.chunkOf(row);
  const start = rowStart(row);
  if (isFolded(chunk, row, state.position) || chunk.f64[start + FIRST_AT]! > 0)
    return { type: "done", id: null };
  chunk.f64[start + PRIOR_SHIFT] = prior - kind.compiled.priorUtility;
  chunk.u32[start * 2 + STALE_MEANS] = ALL_STALE;
  evaluate(state, kind, row, chunk, start, REASON.prior);
  return { type: "done", id: null };
}

/** The policy counts from here on: rows keep their evidence, and everybody is evaluated again in the refresh. */
function activatePolicy(state: State, act: PolicyActivated): ActResult {
  const kind = kindNamed(state, act.kind);
  if (kind === undefined) {
    if (state.kinds.length === KINDS_MAX) return { type: "too_many_kinds", limit: KINDS_MAX };
    addKind(state, act.kind, act.policy);
  } else {
    const next = compilePolicy(completePolicy(act.policy));
    closeChangedWindows(state, kind, next);
    restartHours(state, kind, next);
    forgetMeans(state, kind);
    if (next.policy.historyRetentionMs !== kind.compiled.policy.historyRetentionMs)
      respanAverages(state, kind, next);
    const scale = { from: kind.compiled.policy.maxScore, to: next.policy.maxScore };
    if (scale.from !== scale.to) changeScale(state, kind, scale);
    if (!sameNames(next.policy.tiers.names, kind.compiled.policy.tiers.names)) placeAnew(state, kind, next);
    if (!sameCuts(kind.compiled.policy, next.policy)) kind.cuts = null;
    if (next.hasWork && kind.table.workSize === 0) beginWork(state, kind);
    if (!sameNames(partNames(next), partNames(kind.compiled))) forgetHealth(state, kind);
    if (next.policy.selection.operatorWindow !== kind.selections.window.size)
      kind.selections.window = resized(kind.selections.window, next.policy.selection.operatorWindow);
    kind.compiled = next;
    kind.policyAt = state.now;
    if (scale.from !== scale.to) rankAnew(kind);
    kind.aggregates?.reconfigure(aggregateOptions(state.options, act.policy), state.now);
    kind.durations?.reconfigure(durationOptions(state.options, act.policy), state.now);
  }
  state.refreshOwed = state.places.count;
  state.effects.list.push({ type: "policy.activated", kind: act.kind, policy: act.policy.name });
  return { type: "done", id: null };
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

function resized(window: DecisionWindow, size: number): DecisionWindow {
  const next = new DecisionWindow(size);
  next.restore(window.dump());
  return next;
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

function partNames({ healthParts }: CompiledPolicy): string[] {
  return healthParts.map(({ name }) => name);
}

/** The columns have other names from here on; the next report fills them. */
function forgetHealth(state: State, kind: Kind): void {
  eachRow(state, kind, ({ work }, start) => {
    if (work !== null) work.u32[workStart(start) * 2 + HEALTH_PRESENT] = 0;
  });
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

/** Every row: also one that a restored chunk holds on the new scale was ranked by the old one. */
function rankAnew(kind: Kind): void {
  for (let row = 0; row < kind.table.count; row++) indexRow(kind, row);
}

/** Tiers of other names: each subject keeps its tier by name, or falls to the last, and is placed at its next evaluation. */
function placeAnew(state: State, kind: Kind, next: CompiledPolicy): void {
  const { names } = next.policy.tiers;
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

/** Every row of the kind but those that a restored chunk already holds as they are after this batch. */
function eachRow(state: State, kind: Kind, visit: (chunk: Chunk, start: number) => void): void {
  for (let row = 0; row < kind.table.count; row++) {
    const chunk = kind.table.chunkOf(row);
    if (!isFolded(chunk, row, state.position)) visit(chunk, rowStart(row));
  }
}

/** Cuts in force were taken for these tiers: they hold until the next are taken. */
function sameCuts(before: Policy, after: Policy): boolean {
  if (!sameNames(before.tiers.names, after.tiers.names)) return false;
  const { percentileCuts } = after.tiers;
  return before.tiers.percentileCuts.every((share, place) => share === percentileCuts[place]);
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, place) => name === b[place]);
}

/** Cuts that were taken under a policy with another number of tiers fit no longer and are left out. */
function setCuts(state: State, act: TierCuts): ActResult {
  const kind = kindNamed(state, act.kind);
  const fits = kind !== undefined && act.cuts.length === kind.compiled.policy.tiers.names.length - 1;
  if (fits) kind.cuts = { scores: act.cuts, rated: act.rated };
  return { type: "done", id: null };
}

function setMedians(state: State, act: JobClassesMeasured): ActResult {
  const medians = kindNamed(state, act.kind)?.jobClasses.medians;
  for (const { jobClass, medianMs } of act.medians) {
    if (medianMs === null) medians?.delete(jobClass);
    else medians?.set(jobClass, medianMs);
  }
  return { type: "done", id: null };
}
