/** Reports of misbehaviour taking effect: a confirmed one is a penalty, and enough of them are a ban. */
import type {
  Accountable,
  MisbehaviourConfirmed,
  MisbehaviourDismissed,
  MisbehaviourReported,
  PenaltyRevoked,
} from "../event/acts.ts";
import type { Decision } from "../sanction/decision.ts";
import {
  banIdOf,
  evidenceOf,
  penaltyIdOf,
  reportIdOf,
  REPORTS_PENDING_MAX,
  REPORTS_PENDING_OF_ONE_MAX,
  statusAt,
  type MisbehaviourReport,
} from "../sanction/misbehaviour.ts";
import { penaltyTerm, type Penalty } from "../sanction/sanction.ts";
import { isAheadOfLog, kindOf, type State } from "../state/state.ts";
import type { ActResult } from "./effects.ts";
import { givePenalty, isFull, nextId, revokePenalty, takeBack, tooMany } from "./sanctions.ts";

/** The issuer of what the rules about misbehaviour decide. */
export const MISBEHAVIOUR_ISSUER = "rule:misbehaviour";

/** Where the context of a ban says how many confirmed reports it takes. */
const REPORTS_NEEDED = "reports_needed";

/** A confirmed report may take two places among the sanctions in force: its penalty, and a ban. */
const PLACES = 2;

export function reportMisbehaviour(state: State, act: MisbehaviourReported): ActResult {
  const id = nextId(state, "mis");
  const { subject, reason, issuer, evidence, context, at } = act;
  const refusal = refusalOf(state, act);
  if (isAheadOfLog(state, subject)) {
    // It was refused when it was live, or the restored book would hold it.
    return state.sanctions.report(id) === undefined ? (refusal ?? tooMany) : { type: "done", id };
  }
  if (refusal !== null) return refusal;
  const isConfirmed = kindOf(state, subject).compiled.policy.misbehaviour.confirm === "none";
  if (isConfirmed && isFull(state, subject, PLACES)) return tooMany;
  const report: MisbehaviourReport = {
    id,
    subject,
    reason,
    reporter: issuer,
    evidence,
    context,
    jobId: act.jobId,
    at,
    reportedAt: state.now,
    position: state.position,
    status: "pending",
    confirmation: null,
    dismissal: null,
  };
  state.sanctions.addReport(report);
  state.effects.list.push({ type: "misbehaviour.reported", subject, report });
  if (isConfirmed) confirm(state, report, { issuer: MISBEHAVIOUR_ISSUER, reason: "by policy" });
  return { type: "done", id };
}

export function confirmMisbehaviour(state: State, act: MisbehaviourConfirmed): ActResult {
  const { reportId: id } = act;
  const report = state.sanctions.report(id);
  if (report === undefined) return { type: "report_not_found", id };
  if (report.reporter === act.issuer) return { type: "report_is_own", id };
  const isReplayed = isAheadOfLog(state, report.subject);
  if (isReplayed && report.confirmation?.position === state.position) return { type: "done", id };
  const status = isReplayed ? statusAt(report, state.position) : report.status;
  if (status !== "pending") return { type: "report_decided", id, status };
  if (isReplayed || isFull(state, report.subject, PLACES)) return tooMany;
  confirm(state, report, act);
  return { type: "done", id };
}

/** A report that was confirmed can be dismissed all the same: what it did is undone. */
export function dismissMisbehaviour(state: State, act: MisbehaviourDismissed): ActResult {
  const { reportId: id } = act;
  const report = state.sanctions.report(id);
  if (report === undefined) return { type: "report_not_found", id };
  if (report.reporter === act.issuer) return { type: "report_is_own", id };
  const isReplayed = isAheadOfLog(state, report.subject);
  if (isReplayed && report.dismissal?.position === state.position) return { type: "done", id };
  const status = isReplayed ? statusAt(report, state.position) : report.status;
  if (isReplayed || status === "dismissed") return { type: "report_decided", id, status };
  dismiss(state, report, act);
  return { type: "done", id };
}

/** Revokes a penalty, and with that of a confirmed report the report. */
export function revokePenaltyAndReport(state: State, act: PenaltyRevoked): ActResult {
  const result = revokePenalty(state, act.penaltyId);
  const report = state.sanctions.report(reportIdOf(act.penaltyId));
  const isConfirmed = report?.status === "confirmed" && penaltyIdOf(report) === act.penaltyId;
  if (result.type === "done" && isConfirmed) dismiss(state, report, act);
  return result;
}

/** Why there is no room for one more undecided report, as it was when the log was here. */
function refusalOf(
  { sanctions, position }: State,
  { subject, issuer }: MisbehaviourReported,
): ActResult | null {
  const pending = (sanctions.of(subject)?.reports ?? []).filter(
    (report) => report.position <= position && statusAt(report, position) === "pending",
  );
  if (pending.filter(({ reporter }) => reporter === issuer).length >= REPORTS_PENDING_OF_ONE_MAX)
    return { type: "too_many_own_reports", limit: REPORTS_PENDING_OF_ONE_MAX };
  if (pending.length < REPORTS_PENDING_MAX) return null;
  return { type: "too_many_reports", limit: REPORTS_PENDING_MAX };
}

function confirm(state: State, report: MisbehaviourReport, by: Accountable): void {
  const { subject, jobId, context, at } = report;
  const { policy } = kindOf(state, subject).compiled;
  report.status = "confirmed";
  report.confirmation = decisionOf(state, by);
  state.sanctions.reportDecided(report);
  state.effects.list.push({ type: "misbehaviour.confirmed", subject, report });
  const penalty = "malicious_behavior";
  givePenalty(state, penaltyIdOf(report), {
    type: "penalty.applied",
    subject,
    penalty,
    severity: "major",
    points: null,
    fraction: policy.misbehaviour.penaltyFraction,
    at,
    ...penaltyTerm(policy, penalty, { expiresAt: undefined, fade: undefined }, state.now),
    evidence: [evidenceOf(report)],
    context,
    jobId,
    issuer: by.issuer,
    reason: report.reason,
  });
  banWhenDue(state, report);
}

function banWhenDue(state: State, report: MisbehaviourReport): void {
  const { subject, jobId } = report;
  const { autoBan, autoBanAfter, autoBanDurationMs } = kindOf(state, subject).compiled.policy.misbehaviour;
  const confirmed = state.sanctions.of(subject)!.reports.filter(({ status }) => status === "confirmed");
  if (!autoBan || confirmed.length < autoBanAfter) return;
  givePenalty(state, banIdOf(report), {
    type: "penalty.applied",
    subject,
    penalty: "ban",
    severity: "critical",
    points: 0,
    fraction: null,
    at: state.now,
    expiresAt: state.now + autoBanDurationMs,
    fade: "none",
    evidence: confirmed.map(evidenceOf),
    context: { [REPORTS_NEEDED]: autoBanAfter },
    jobId,
    issuer: MISBEHAVIOUR_ISSUER,
    reason: `${confirmed.length} confirmed reports of misbehaviour`,
  });
}

/** What the report did is undone: its penalty, and every ban that rests on it and has too few reports left. */
function dismiss(state: State, report: MisbehaviourReport, by: Accountable): void {
  const { subject } = report;
  const penalty = report.status === "confirmed" ? state.sanctions.penalty(penaltyIdOf(report)) : undefined;
  report.status = "dismissed";
  report.dismissal = decisionOf(state, by);
  state.sanctions.reportDecided(report);
  state.effects.list.push({ type: "misbehaviour.dismissed", subject, report });
  if (penalty !== undefined && penalty.status !== "revoked") takeBack(state, penalty);
  const { reports, penalties } = state.sanctions.of(subject)!;
  const fallen = evidenceOf(report);
  const standing = new Set(reports.filter((one) => one.status === "confirmed").map(evidenceOf));
  for (const ban of penalties) {
    if (ban.type !== "ban" || ban.status !== "active" || ban.issuer !== MISBEHAVIOUR_ISSUER) continue;
    if (!ban.evidence.includes(fallen)) continue;
    if (ban.evidence.filter((one) => standing.has(one)).length < neededFor(ban)) takeBack(state, ban);
  }
}

/** The ban says so itself: the policy may ask for another number by now. */
function neededFor({ context, evidence }: Penalty): number {
  const needed = context[REPORTS_NEEDED];
  return typeof needed === "number" ? needed : evidence.length;
}

function decisionOf({ now, position }: State, { issuer, reason }: Accountable): Decision {
  return { issuer, reason, at: now, position };
}
