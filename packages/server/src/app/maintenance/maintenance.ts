/** Announced maintenance: what a subject says of its own absence beforehand. */
import { allowanceLeftMs, kindOf, type Accountable, type MaintenanceWindow } from "@staunch/engine";
import { NOT_IDEMPOTENT, repeatedAct, submitAct, type ActOutcome, type Idempotency } from "../acts.ts";
import type { Partition } from "../partition/partition.ts";

export interface MaintenanceOrder extends Accountable {
  /** Ms since 1970; null for now. */
  readonly from: number | null;
  readonly to: number;
}

export type MaintenanceOutcome =
  | Exclude<ActOutcome, { type: "done" }>
  | { readonly type: "done"; readonly window: MaintenanceWindow }
  | { readonly type: "subject_not_found" }
  | { readonly type: "maintenance_of_another"; readonly id: string };

/** Of a subject: its windows, in the order of their beginning, and how much it may still announce from now on. */
export interface MaintenancePlan {
  readonly windows: readonly MaintenanceWindow[];
  readonly allowanceMs: number;
  readonly leftMs: number;
}

export class Maintenance {
  private readonly partition: Partition;

  constructor(partition: Partition) {
    this.partition = partition;
  }

  async announce(
    subjectId: string,
    order: MaintenanceOrder,
    idempotency: Idempotency,
  ): Promise<MaintenanceOutcome> {
    const repeat = repeatedAct(this.partition, idempotency);
    if (repeat !== null) return this.done(repeat);
    const draft = this.partition.draft();
    const subject = draft.find(subjectId);
    if (subject === -1) return { type: "subject_not_found" };
    const now = this.partition.now();
    const act = { ...order, type: "maintenance.announced", subject, from: order.from ?? now } as const;
    return this.done(await submitAct(this.partition, draft, act, idempotency));
  }

  /** Whoever announced it may cancel it, and an operator. */
  async cancel(windowId: string, by: Accountable, isOperator: boolean): Promise<MaintenanceOutcome> {
    const window = this.partition.state.sanctions.maintenance(windowId);
    if (!isOperator && window !== undefined && window.issuer !== by.issuer)
      return { type: "maintenance_of_another", id: windowId };
    const act = { type: "maintenance.cancelled", windowId, ...by } as const;
    return this.done(await submitAct(this.partition, this.partition.draft(), act, NOT_IDEMPOTENT));
  }

  plan(subject: number): MaintenancePlan {
    const { state } = this.partition;
    const { allowanceMs } = kindOf(state, subject).compiled.policy.maintenance;
    const windows = state.sanctions.of(subject)?.maintenance ?? [];
    const leftMs = allowanceLeftMs(windows, this.partition.now(), allowanceMs);
    return { windows: windows.toSorted((a, b) => a.from - b.from), allowanceMs, leftMs };
  }

  private done(outcome: ActOutcome): MaintenanceOutcome {
    if (outcome.type !== "done") return outcome;
    const id = outcome.id ?? "";
    const window = this.partition.state.sanctions.maintenance(id);
    return window === undefined ? { type: "maintenance_not_found", id } : { type: "done", window };
  }
}
