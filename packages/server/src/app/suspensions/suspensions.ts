/** Suspensions by hand. What the rule suspends comes from the guard. */
import type { Accountable, Context, Suspension } from "@staunch/engine";
import { NOT_IDEMPOTENT, repeatedAct, submitAct, type ActOutcome, type Idempotency } from "../acts.ts";
import type { Partition } from "../partition/partition.ts";

export interface SuspensionOrder extends Accountable {
  /** Ms since 1970; null until somebody lifts it. */
  readonly expiresAt: number | null;
  readonly evidence: readonly string[];
  readonly context: Context;
}

export type SuspensionOutcome =
  | Exclude<ActOutcome, { type: "done" }>
  | { readonly type: "done"; readonly suspension: Suspension }
  | { readonly type: "subject_not_found" }
  | { readonly type: "time_invalid"; readonly field: "expires_at" };

export class Suspensions {
  private readonly partition: Partition;

  constructor(partition: Partition) {
    this.partition = partition;
  }

  async start(
    subjectId: string,
    order: SuspensionOrder,
    idempotency: Idempotency,
  ): Promise<SuspensionOutcome> {
    const repeat = repeatedAct(this.partition, idempotency);
    if (repeat !== null) return this.done(repeat);
    const draft = this.partition.draft();
    const subject = draft.find(subjectId);
    if (subject === -1) return { type: "subject_not_found" };
    if ((order.expiresAt ?? Infinity) <= this.partition.now())
      return { type: "time_invalid", field: "expires_at" };
    const act = { ...order, type: "suspension.started", subject, isAutomatic: false } as const;
    return this.done(await submitAct(this.partition, draft, act, idempotency));
  }

  async lift(suspensionId: string, by: Accountable): Promise<SuspensionOutcome> {
    const act = { type: "suspension.lifted", suspensionId, ...by } as const;
    return this.done(await submitAct(this.partition, this.partition.draft(), act, NOT_IDEMPOTENT));
  }

  private done(outcome: ActOutcome): SuspensionOutcome {
    if (outcome.type !== "done") return outcome;
    const id = outcome.id ?? "";
    const suspension = this.partition.state.sanctions.suspension(id);
    return suspension === undefined ? { type: "suspension_not_found", id } : { type: "done", suspension };
  }
}
