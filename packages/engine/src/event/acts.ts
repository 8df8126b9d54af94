/**
 * Acts: low-volume events that somebody must answer for. They are kept for ever and decided when applied.
 */
import type { MetricName } from "./metrics.ts";
import type { PenaltyType, RewardType, Severity } from "../policy/vocabulary.ts";
import type { Policy } from "../policy/policy.ts";

/** JSON value as it travels in evidence and context. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
/** Free facts of an act, at most 4 KiB as JSON. */
export type Context = { readonly [key: string]: Json };
/** Attributes of a subject: region, capabilities, price and whatever else the network filters by. */
export type Attributes = { readonly [key: string]: string | number | boolean | readonly string[] };

/** Who did it and why; every act carries both. */
export interface Accountable {
  /** The principal that issued the act, for example `key:ab12cd34`. */
  readonly issuer: string;
  readonly reason: string;
}

export interface SubjectUpdated extends Accountable {
  readonly type: "subject.updated";
  readonly subject: number;
  /** The owner; null removes it; absent keeps it. */
  readonly operator?: string | null;
  /** Replaces the attributes named; a null value removes the attribute. */
  readonly attributes?: { readonly [key: string]: Attributes[string] | null };
}

export interface PenaltyApplied extends Accountable {
  readonly type: "penalty.applied";
  readonly subject: number;
  readonly penalty: PenaltyType;
  /** Named severity with points, as the provider document has it ... */
  readonly severity: Severity;
  /** Points before the severity multiplier and the type's weight, 0..max score; null when `fraction` is given. */
  readonly points: number | null;
  /** ... or the worker document's severity 0..1 as a fraction of the maximum score; null otherwise. */
  readonly fraction: number | null;
  /** When the penalised thing happened, ms since 1970. */
  readonly at: number;
  /** End, ms since 1970; null lasts until revoked. */
  readonly expiresAt: number | null;
  readonly fade: "none" | "linear";
  /** Links or ids of what proves it. */
  readonly evidence: readonly string[];
  readonly context: Context;
  /** The job it was for; absent where it was for none. */
  readonly jobId?: string | null;
}

export interface PenaltyRevoked extends Accountable {
  readonly type: "penalty.revoked";
  readonly penaltyId: string;
}

export interface RewardGranted extends Accountable {
  readonly type: "reward.granted";
  readonly subject: number;
  readonly reward: RewardType;
  /** Points before the type's multiplier, more than 0. */
  readonly points: number;
  readonly at: number;
  readonly context: Context;
}

export interface RewardRevoked extends Accountable {
  readonly type: "reward.revoked";
  readonly rewardId: string;
}

/** Somebody accuses a subject; the reason says of what. */
export interface MisbehaviourReported extends Accountable {
  readonly type: "misbehaviour.reported";
  readonly subject: number;
  /** Links or ids of what proves it, one at least. */
  readonly evidence: readonly string[];
  readonly context: Context;
  /** When it happened, ms since 1970. */
  readonly at: number;
  readonly jobId: string | null;
}

/** Decided by somebody else than who reported. */
export interface MisbehaviourConfirmed extends Accountable {
  readonly type: "misbehaviour.confirmed";
  readonly reportId: string;
}

export interface MisbehaviourDismissed extends Accountable {
  readonly type: "misbehaviour.dismissed";
  readonly reportId: string;
}

/** Takes a subject out of selections for a while. */
export interface SuspensionStarted extends Accountable {
  readonly type: "suspension.started";
  readonly subject: number;
  /** True where the rule decided: it lasts as the policy says, longer each time. */
  readonly isAutomatic: boolean;
  /** End of one given by hand, ms since 1970; null lasts until it is lifted. */
  readonly expiresAt: number | null;
  readonly evidence: readonly string[];
  readonly context: Context;
}

export interface SuspensionLifted extends Accountable {
  readonly type: "suspension.lifted";
  readonly suspensionId: string;
}

/** A subject will be away: what its absence looks like meanwhile says nothing about it. */
export interface MaintenanceAnnounced extends Accountable {
  readonly type: "maintenance.announced";
  readonly subject: number;
  /** Ms since 1970; the end is not part of it. */
  readonly from: number;
  readonly to: number;
}

export interface MaintenanceCancelled extends Accountable {
  readonly type: "maintenance.cancelled";
  readonly windowId: string;
}

export interface PolicyActivated extends Accountable {
  readonly type: "policy.activated";
  /** The kind of subject that is scored by this policy from here on. */
  readonly kind: string;
  readonly policy: Policy;
}

/** Percentile cuts of a kind, computed outside the fold from its ranking and logged as a network fact. */
export interface TierCuts extends Accountable {
  readonly type: "tier.cuts";
  readonly kind: string;
  /** Score at which each tier starts, best tier first, as many as the policy has tiers less the last. */
  readonly cuts: readonly number[];
  /** Rated subjects the cuts were taken from. */
  readonly rated: number;
}

/** A subject without a record of its own starts from its operator's, shrunk; computed outside the fold and logged. */
export interface PriorSet extends Accountable {
  readonly type: "prior.set";
  readonly subject: number;
  /** Utility 0..1 that the prior of its components stands for from here on. */
  readonly prior: number;
  readonly evidence: {
    readonly operator: string | null;
    /** The operator's subjects with evidence, their mean utility, and the observations behind it. */
    readonly subjects: number;
    readonly mean: number;
    readonly observations: number;
  };
}

/** How long jobs of a class take over the network, computed outside the fold and logged as a network fact. */
export interface JobClassesMeasured extends Accountable {
  readonly type: "job_classes.measured";
  readonly kind: string;
  /**
   * Those that changed, at most twice `JOB_CLASSES_MAX`, where every class gave way to another: a median of null means
   * that the class is known no longer.
   */
  readonly medians: readonly {
    readonly jobClass: string;
    readonly medianMs: number | null;
    /** Completed jobs that it was taken from, decayed. */
    readonly jobs: number;
  }[];
}

/** A monitor failed, not those it measured: what it saw in a window of five minutes does not count. */
export interface WindowVoided extends Accountable {
  readonly type: "window.voided";
  readonly monitor: string;
  /** The window, ms since 1970; its end is not part of it. */
  readonly from: number;
  readonly to: number;
  readonly evidence: MonitorFault;
}

/** What speaks for a fault of the monitor; shares are 0..1. */
export interface MonitorFault {
  readonly metric: MetricName;
  /** Operators it measured, and those who failed there; a subject without operator is its own. */
  readonly operators: number;
  readonly failing: number;
  /** Mean over the operators of the share that failed, and of the share that their own records let expect. */
  readonly observed: number;
  readonly expected: number;
  /** The probability that chance brings as much is at most this. */
  readonly tail: number;
  /** Dense numbers of subjects that failed there, the first hundred. */
  readonly subjects: readonly number[];
  /** What other monitors saw of the failing operators in the same window, the first twenty that saw any. */
  readonly others: readonly {
    readonly monitor: string;
    readonly measured: number;
    readonly failing: number;
  }[];
}

export type Act =
  | SubjectUpdated
  | PenaltyApplied
  | PenaltyRevoked
  | RewardGranted
  | RewardRevoked
  | MisbehaviourReported
  | MisbehaviourConfirmed
  | MisbehaviourDismissed
  | SuspensionStarted
  | SuspensionLifted
  | MaintenanceAnnounced
  | MaintenanceCancelled
  | PolicyActivated
  | TierCuts
  | PriorSet
  | JobClassesMeasured
  | WindowVoided;
