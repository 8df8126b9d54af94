/** Reports of misbehaviour: made by whoever measures, decided by an operator. */
import {
  placeOf,
  REPORTS_PENDING_TOTAL_MAX,
  type Accountable,
  type Context,
  type MisbehaviourReport,
  type ReportPlace,
  type State,
} from "@staunch/engine";
import { repeatedAct, submitAct, type ActOutcome, type Idempotency } from "../acts.ts";
import type { Partition } from "../partition/partition.ts";
import { AHEAD_MAX_MS } from "../sanctions/sanctions.ts";

export interface MisbehaviourOrder extends Accountable {
  readonly evidence: readonly string[];
  readonly context: Context;
  /** Ms since 1970; null for now. */
  readonly at: number | null;
  readonly jobId: string | null;
}

export type ReportOutcome =
  | Exclude<ActOutcome, { type: "done" }>
  | { readonly type: "reported"; readonly report: MisbehaviourReport }
  | { readonly type: "subject_not_found" }
  | { readonly type: "too_many_waiting_reports" }
  | { readonly type: "time_invalid"; readonly field: "at" };

export interface PendingPage {
  readonly items: readonly MisbehaviourReport[];
  /** Null on the last page. */
  readonly next: ReportPlace | null;
}

export class Misbehaviour {
  private readonly partition: Partition;

  constructor(partition: Partition) {
    this.partition = partition;
  }

  async report(
    subjectId: string,
    order: MisbehaviourOrder,
    idempotency: Idempotency,
  ): Promise<ReportOutcome> {
    const repeat = repeatedAct(this.partition, idempotency);
    if (repeat !== null) return this.reported(repeat);
    const draft = this.partition.draft();
    const subject = draft.find(subjectId);
    if (subject === -1) return { type: "subject_not_found" };
    if (hasNoRoom(this.partition.state)) return { type: "too_many_waiting_reports" };
    const now = this.partition.now();
    const at = order.at ?? now;
    if (at > now + AHEAD_MAX_MS) return { type: "time_invalid", field: "at" };
    const act = { ...order, type: "misbehaviour.reported", subject, at } as const;
    return this.reported(await submitAct(this.partition, draft, act, idempotency));
  }

  async confirm(reportId: string, by: Accountable, idempotency: Idempotency): Promise<ReportOutcome> {
    const act = { type: "misbehaviour.confirmed", reportId, ...by } as const;
    return this.reported(await submitAct(this.partition, this.partition.draft(), act, idempotency));
  }

  /** Also of a report that was confirmed: what it did is undone. */
  async dismiss(reportId: string, by: Accountable, idempotency: Idempotency): Promise<ReportOutcome> {
    const act = { type: "misbehaviour.dismissed", reportId, ...by } as const;
    return this.reported(await submitAct(this.partition, this.partition.draft(), act, idempotency));
  }

  /** Reports of all subjects that nobody has decided, oldest first. */
  pending(after: ReportPlace | null, limit: number): PendingPage {
    const found = this.partition.state.sanctions.pendingReports.after(after, limit + 1);
    const items = found.slice(0, limit);
    const last = items.at(-1);
    return { items, next: found.length > limit && last !== undefined ? placeOf(last) : null };
  }

  private reported(outcome: ActOutcome): ReportOutcome {
    if (outcome.type !== "done") return outcome;
    const id = outcome.id ?? "";
    const report = this.partition.state.sanctions.report(id);
    return report === undefined ? { type: "report_not_found", id } : { type: "reported", report };
  }
}

/** Whether as many reports wait as may. Those under way are not counted, so a few more may come. */
export function hasNoRoom({ sanctions }: State): boolean {
  return sanctions.pendingReports.size >= REPORTS_PENDING_TOTAL_MAX;
}

export const NO_ROOM_DETAIL = `${REPORTS_PENDING_TOTAL_MAX} reports wait for a decision, which is the most; decide some first`;
