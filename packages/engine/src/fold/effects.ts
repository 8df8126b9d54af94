/** What a batch did: score changes as columns that are used again for the next batch, everything else as a list. */
import type { MetricName } from "../event/metrics.ts";
import { CHANGE_REASONS } from "../policy/vocabulary.ts";
import type { SelectionMade } from "../event/selection.ts";
import type { MaintenanceWindow } from "../sanction/maintenance.ts";
import type { MisbehaviourReport } from "../sanction/misbehaviour.ts";
import type { Penalty, Reward } from "../sanction/sanction.ts";
import type { Suspension } from "../sanction/suspension.ts";

/** Score changes of a batch: one per subject, old and new as scored, at most {@link CHANGES_MAX}. */
export interface Changes {
  count: number;
  /** Number of the batch, which starts over now and then. */
  batch: number;
  readonly subject: Uint32Array;
  readonly before: Float64Array;
  readonly after: Float64Array;
  /** Index into `CHANGE_REASONS`. */
  readonly reason: Uint8Array;
}

/** Events of a batch, deadlines it may drain and subjects it may refresh, together. */
export const CHANGES_MAX = 65_536;

/** Places in `CHANGE_REASONS`. */
export const REASON = {
  metric: CHANGE_REASONS.indexOf("metric_update"),
  penalty: CHANGE_REASONS.indexOf("penalty_applied"),
  reward: CHANGE_REASONS.indexOf("reward_granted"),
  decay: CHANGE_REASONS.indexOf("score_decay"),
  recovery: CHANGE_REASONS.indexOf("score_recovery"),
  penaltyEnded: CHANGE_REASONS.indexOf("penalty_ended"),
  revoked: CHANGE_REASONS.indexOf("penalty_revoked"),
  rewardEnded: CHANGE_REASONS.indexOf("reward_ended"),
  policy: CHANGE_REASONS.indexOf("policy_activated"),
  alert: CHANGE_REASONS.indexOf("alert_opened"),
  prior: CHANGE_REASONS.indexOf("prior_set"),
} as const;
/** Time alone moved it; the sign of the change decides between decay and recovery. */
export const BY_TIME = 255;

/** A crossing or an act that took effect; rare beside samples. */
export type Effect =
  | { readonly type: "subject.registered"; readonly subject: number }
  | {
      readonly type: "tier.changed";
      readonly subject: number;
      readonly from: string;
      readonly to: string;
      readonly score: number;
    }
  | {
      readonly type: "score.low";
      readonly subject: number;
      readonly score: number;
      readonly threshold: number;
    }
  | {
      readonly type: "score.recovered";
      readonly subject: number;
      readonly score: number;
      readonly threshold: number;
    }
  | {
      readonly type: "alert.opened" | "alert.extended" | "alert.closed";
      readonly subject: number;
      readonly penalty: Penalty;
    }
  | {
      readonly type: "penalty.applied" | "penalty.ended" | "penalty.revoked";
      readonly subject: number;
      readonly penalty: Penalty;
    }
  | {
      readonly type: "reward.granted" | "reward.ended" | "reward.revoked";
      readonly subject: number;
      readonly reward: Reward;
    }
  | {
      readonly type: "misbehaviour.reported" | "misbehaviour.confirmed" | "misbehaviour.dismissed";
      readonly subject: number;
      readonly report: MisbehaviourReport;
    }
  | {
      readonly type: "suspension.started" | "suspension.ended";
      readonly subject: number;
      readonly suspension: Suspension;
    }
  | {
      readonly type:
        | "maintenance.announced"
        | "maintenance.started"
        | "maintenance.ended"
        | "maintenance.cancelled";
      readonly subject: number;
      readonly window: MaintenanceWindow;
    }
  | { readonly type: "ban.started" | "ban.ended"; readonly subject: number; readonly penalty: Penalty }
  | {
      readonly type: "probation.started";
      readonly subject: number;
      readonly reason: ProbationReason;
      readonly level: number;
    }
  | { readonly type: "probation.ended"; readonly subject: number; readonly level: number }
  | { readonly type: "subject.silent"; readonly subject: number; readonly since: number }
  | { readonly type: "subject.heard"; readonly subject: number }
  | { readonly type: "policy.activated"; readonly kind: string; readonly policy: string }
  | {
      readonly type: "window.voided";
      readonly monitor: string;
      /** The window, ms since 1970. */
      readonly from: number;
      readonly to: number;
      readonly metric: MetricName;
      readonly operators: number;
      readonly failing: number;
      /** Samples dropped with it. */
      readonly samples: number;
    }
  /** The same, told to a subject that failed there. */
  | {
      readonly type: "evidence.voided";
      readonly subject: number;
      readonly monitor: string;
      readonly from: number;
      readonly to: number;
      readonly metric: MetricName;
    };

/**
 * What put a subject on probation: momentum, a run of failures, the share of the recent jobs that failed, the upper
 * bound of score x momentum, or that of its success rate.
 */
export type ProbationReason = "momentum" | "run" | "recent" | "score" | "success";

/** An outcome that was not taken, by its row. */
export interface RefusedJob {
  readonly row: number;
  /** Not open: unknown, reported already, or forgotten because no outcome came in time. */
  readonly code: "selection_not_open" | "selection_of_another";
}

/** What became of an act; refusals are results, not exceptions. */
export type ActResult =
  | { readonly type: "done"; readonly id: string | null }
  | { readonly type: "penalty_not_found"; readonly id: string }
  | { readonly type: "penalty_not_active"; readonly id: string; readonly status: string }
  | { readonly type: "reward_not_found"; readonly id: string }
  | { readonly type: "reward_not_active"; readonly id: string; readonly status: string }
  | { readonly type: "too_many_sanctions"; readonly limit: number }
  | { readonly type: "report_not_found"; readonly id: string }
  /** Whoever reported does not decide. */
  | { readonly type: "report_is_own"; readonly id: string }
  | { readonly type: "report_decided"; readonly id: string; readonly status: string }
  | { readonly type: "too_many_reports"; readonly limit: number }
  | { readonly type: "too_many_own_reports"; readonly limit: number }
  | { readonly type: "already_suspended" }
  /** It ends before it begins, or has ended already. */
  | { readonly type: "maintenance_empty" }
  | { readonly type: "maintenance_too_soon"; readonly noticeMs: number }
  | { readonly type: "maintenance_too_far"; readonly horizonMs: number }
  | { readonly type: "maintenance_too_long"; readonly limitMs: number }
  | { readonly type: "maintenance_overlaps"; readonly id: string }
  | { readonly type: "maintenance_over_allowance"; readonly allowanceMs: number; readonly leftMs: number }
  | { readonly type: "too_many_windows"; readonly limit: number }
  | { readonly type: "maintenance_not_found"; readonly id: string }
  | { readonly type: "maintenance_not_active"; readonly id: string; readonly status: string }
  | { readonly type: "suspension_not_found"; readonly id: string }
  | { readonly type: "suspension_not_active"; readonly id: string; readonly status: string }
  | { readonly type: "too_many_kinds"; readonly limit: number };

/** What could be known of an entry only when it was applied. */
export interface Decided {
  readonly acts: readonly ActResult[];
  readonly refusedJobs: readonly RefusedJob[];
  /** Numbers of the entry's selections, in order, see `selectionId`. */
  readonly selections: readonly number[];
}

/** What became of an entry. A repeat has the answer of the first. */
export type EntryResult =
  | ({ readonly type: "applied" } & Decided)
  | ({ readonly type: "repeated"; readonly answer: string } & Decided)
  | { readonly type: "key_reused" };

/** Valid until the next batch is applied. */
export interface Effects {
  position: number;
  loggedAt: number;
  readonly changes: Changes;
  readonly list: Effect[];
  readonly results: EntryResult[];
  /** Selections of the batch, with the numbers they got. */
  readonly selections: { readonly number: number; readonly made: SelectionMade }[];
  /** Selections whose outcome came, with its code; null where none came in time. */
  readonly closings: { readonly number: number; readonly outcome: number | null }[];
}

export function newEffects(): Effects {
  return {
    position: 0,
    loggedAt: 0,
    changes: {
      count: 0,
      batch: 0,
      subject: new Uint32Array(CHANGES_MAX),
      before: new Float64Array(CHANGES_MAX),
      after: new Float64Array(CHANGES_MAX),
      reason: new Uint8Array(CHANGES_MAX),
    },
    list: [],
    results: [],
    selections: [],
    closings: [],
  };
}
