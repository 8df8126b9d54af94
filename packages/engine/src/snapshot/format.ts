/**
 * Subject-wise snapshots of the state, written in small steps between batches.
 *
 * What concerns all subjects is taken at the start position. Rows follow in units of 16 with their sanctions,
 * profiles and aggregates, each unit as of the position at which it is written. A restore therefore replays from the
 * start position and leaves out, for each unit, what that unit already holds.
 */
import type { TierCuts } from "../event/acts.ts";
import type { Network } from "../fold/network.ts";
import type { Policy } from "../policy/policy.ts";
import type { JobClassesHead } from "../state/job-classes.ts";
import type { RowLayout } from "../state/row-layout.ts";

/** Format of the parts; a snapshot of another version is not read. */
export const SNAPSHOT_VERSION = 6;

export interface Part {
  /** One of the types below. */
  readonly type: number;
  /** Log position up to which the part holds everything. */
  readonly position: number;
  readonly bytes: Uint8Array;
}

export const HEADER = 1;
export const IDS = 2;
export const KEYS = 3;
export const ROWS = 4;
export const AGGREGATES = 5;
/** The beginning of the part that follows. */
export const BEGINNING = 6;
export const HELD = 7;
export const VOIDS = 8;
export const PRODUCERS = 9;
export const OPERATORS = 10;
/** Of one kind, whose index comes first: open selections, operators of the newest decisions, durations of jobs. */
export const OPEN_SELECTIONS = 11;
export const DECISIONS = 12;
export const JOB_CLASSES = 13;

/** What has a fixed size; everything that grows with the network has parts of its own. */
export interface Header {
  readonly version: number;
  /** What the numbers of metrics stand for, and how the rows lie. */
  readonly metrics: readonly string[];
  readonly layouts: { readonly row: RowLayout; readonly work: RowLayout };
  readonly position: number;
  readonly now: number;
  readonly refreshNext: number;
  readonly refreshOwed: number;
  readonly eventCount: number;
  readonly actCount: number;
  readonly provisional: ProvisionalHead;
  readonly kinds: readonly KindHead[];
}

export interface KindHead {
  readonly name: string;
  readonly policy: Policy;
  readonly rows: number;
  readonly cuts: { readonly scores: TierCuts["cuts"]; readonly rated: number } | null;
  readonly policyAt: number;
  readonly hasWork: boolean;
  readonly outcomes: Pick<Network, "finished" | "succeeded" | "outcomesAt">;
  readonly jobClasses: JobClassesHead;
}

/** What is held, but for the samples; `released` is how far each window that is being released has come. */
export interface ProvisionalHead {
  readonly count: number;
  readonly closedTo: number;
  readonly unheld: number;
  readonly released: readonly (readonly [index: number, observations: number])[];
}
