/** Acts: one function for each type. */
import type {
  Act,
  Attributes,
  JobClassesMeasured,
  PriorSet,
  SubjectUpdated,
  TierCuts,
} from "../event/acts.ts";
import { ALL_STALE, FIRST_AT, isFolded, PRIOR_SHIFT, rowStart, STALE_MEANS } from "../state/row-table.ts";
import { kindNamed, kindOf, type State } from "../state/state.ts";
import { OPERATOR, workStart } from "../state/work-row.ts";
import { activatePolicy } from "./activation.ts";
import { REASON, type ActResult } from "./effects.ts";
import { evaluate } from "./evaluate.ts";
import { announceMaintenance, cancelMaintenance } from "./maintenance.ts";
import {
  confirmMisbehaviour,
  dismissMisbehaviour,
  reportMisbehaviour,
  revokePenaltyAndReport,
} from "./misbehaviour.ts";
import { voidWindow } from "./monitored.ts";
import { applyPenalty, grantReward, revokeReward } from "./sanctions.ts";
import { liftSuspension, startSuspension } from "./suspension.ts";

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
