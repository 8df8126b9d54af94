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
/** Decided ones kept in memory beside them, the newest; the log keeps all. No ban counts more. */
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

/** Drops decided reports beyond the limit, dismissed ones before confirmed ones and the oldest first; returns them. */
export function dropDecided(reports: MisbehaviourReport[]): MisbehaviourReport[] {
  const dropped: MisbehaviourReport[] = [];
  let surplus = reports.filter(({ status }) => status !== "pending").length - REPORTS_DECIDED_MAX;
  for (const wanted of ["dismissed", "confirmed"] as const) {
    for (let index = 0; surplus > 0 && index < reports.length; index++) {
      if (reports[index]!.status !== wanted) continue;
      dropped.push(...reports.splice(index, 1));
      index--;
      surplus--;
    }
  }
  return dropped;
}

function numbersOf(id: string): string {
  return id.slice(id.indexOf("_") + 1);
}
