/** Reports of misbehaviour: an accusation with evidence, which somebody else confirms or dismisses. */
import type { Context } from "../event/acts.ts";
import type { Decision } from "./decision.ts";

export interface MisbehaviourReport {
  readonly id: string;
  readonly subject: number;
  /** What it is said to have done. */
  readonly reason: string;
  readonly reporter: string;
  readonly evidence: readonly string[];
  readonly context: Context;
  /** The job it is about, or null. */
  readonly jobId: string | null;
  /** When it happened, when the report was logged, and where in the log. */
  readonly at: number;
  readonly reportedAt: number;
  readonly position: number;
  /** A confirmed report that is overturned is dismissed. */
  status: "pending" | "confirmed" | "dismissed";
  confirmation: Decision | null;
  dismissal: Decision | null;
}

/** Undecided reports that a subject can have; one more is refused. */
export const REPORTS_PENDING_MAX = 100;
/** Undecided reports of one reporter about a subject; one more is refused: nobody fills the subject's places alone. */
export const REPORTS_PENDING_OF_ONE_MAX = 10;
/**
 * Undecided reports of all subjects; one more is not logged. It is judged before the log, because a fold that replays
 * over restored rows cannot know how many there were.
 */
export const REPORTS_PENDING_TOTAL_MAX = 100_000;
/** Decided ones kept in memory beside them and those of the newest batch; the log keeps all. No ban counts more. */
export const REPORTS_DECIDED_MAX = 100;

/** The report's own numbers name its penalty and its ban: what a decision does must not depend on its place in a batch. */
export function penaltyIdOf({ id }: Pick<MisbehaviourReport, "id">): string {
  return `pen_${numbersOf(id)}`;
}

export function banIdOf({ id }: Pick<MisbehaviourReport, "id">): string {
  return `ban_${numbersOf(id)}`;
}

/** The id that the report behind a penalty has, if there is one. */
export function reportIdOf(penaltyId: string): string {
  return `mis_${numbersOf(penaltyId)}`;
}

/** How a penalty names the report that it rests on. */
export function evidenceOf({ id }: Pick<MisbehaviourReport, "id">): string {
  return `misbehaviour:${id}`;
}

/** Status as it was when the log was at `position`: a restored report may know what came later. */
export function statusAt(
  { confirmation, dismissal }: MisbehaviourReport,
  position: number,
): MisbehaviourReport["status"] {
  if (dismissal !== null && dismissal.position <= position) return "dismissed";
  return confirmation !== null && confirmation.position <= position ? "confirmed" : "pending";
}

/**
 * Drops reports that were decided before `position`, beyond the limit, and returns them: dismissed ones before
 * confirmed ones, and of either those decided longest ago. What is decided at `position` is still to be answered.
 */
export function dropDecided(reports: MisbehaviourReport[], position: number): MisbehaviourReport[] {
  const before = reports.filter(
    (report) => report.status !== "pending" && decidedPosition(report) < position,
  );
  if (before.length <= REPORTS_DECIDED_MAX) return [];
  const dropped = before
    .sort((a, b) => rankOf(a) - rankOf(b) || decidedPosition(a) - decidedPosition(b))
    .slice(0, before.length - REPORTS_DECIDED_MAX);
  const gone = new Set(dropped);
  reports.splice(0, Infinity, ...reports.filter((report) => !gone.has(report)));
  return dropped;
}

/** Where in the log the newest decision about a decided report is. */
export function decidedPosition({ confirmation, dismissal }: MisbehaviourReport): number {
  return (dismissal ?? confirmation)!.position;
}

function rankOf({ status }: MisbehaviourReport): number {
  return status === "dismissed" ? 0 : 1;
}

function numbersOf(id: string): string {
  return id.slice(id.indexOf("_") + 1);
}
