/**
 * Layout of a work row: what job outcomes, health reports and selections leave behind for one subject. It stands
 * beside the subject's row, in the same chunk, for kinds whose policy reads jobs or health.
 */
import { HEALTH_PARTS_MAX } from "../event/jobs.ts";
import { SIGNALS } from "../policy/compile.ts";
import { fieldsAt, type Fields, type RowLayout } from "./row-layout.ts";
import { ROW_SIZE } from "./row-table.ts";

/** Doubles from the work row's start. */
export const JOB_AT = 0; // end of the newest job, 0 before any
export const JOB_SPAN_MS = 1; // evidence time from the first job to the newest
export const MOMENTUM_LOST = 2; // 1 - momentum, so that a row of zeros has lost none
export const FAILED_AT = 3; // end of the newest failure
export const PROBATION_SINCE = 4; // loggedAt, 0 outside
export const EXPLORE_NOT_BEFORE = 5; // loggedAt from which an exploration job may come
export const RECENT = 6; // assignments, decayed to RECENT_AT
export const RECENT_AT = 7;
export const EARNINGS = 8;
export const DURATION_SUM = 9; // ms, over the jobs that said how long they took
export const HEALTH_AT = 10; // `at` of the newest report, 0 before any
export const HEALTH_SPAN_MS = 11;
export const SILENT_AT = 12; // instant at which it falls silent, as it stands in the deadline queue; 0 for none
/** 32-bit fields from twice the work row's start. */
export const COMPLETED = 26;
export const FAILED = 27;
export const TIMED_OUT = 28;
export const INVALID = 29;
export const DECLINED_COUNT = 30;
export const CLIENT_FAULTS = 31;
export const DURATION_COUNT = 32;
export const PROBATION_LEVEL = 33; // entries into probation that are not forgiven
export const GOOD_RUN = 34; // good jobs in a row
export const OUTSIDE_RUN = 35; // finished jobs outside probation since the last entry was forgiven
export const IN_FLIGHT = 36; // selections whose outcome is open
export const EXPLORING = 37; // of those: exploration
export const EXPLORE_LEVEL = 38; // incidents since the last good job
export const HEALTH_PRESENT = 39; // bit p: part p was reported
export const REPORTS = 40;
export const COUNTED = 41; // how the network's totals count it, see `fold/network.ts`
export const COUNTED_SCORE = 42;
export const COUNTED_UTILITY = 43;
export const OPERATOR = 44; // number of its operator + 1; 0 for none
export const BAD_RUN = 45; // failures in a row
/** Doubles again. */
export const RECENT_FAILED = 23; // share of the recent jobs that failed
export const IDLE_MS = 24; // idleness up to the newest job that good jobs have not worked off
export const PUNCTUAL_AT = 25; // `at` of the newest report that was judged for coming on time
/** Three doubles a signal: weight, weight x value, weight x value squared. */
export const SIGNAL_SUMS = 26;
export const SIGNAL_SIZE = 3;
export const HEALTH_VALUES = SIGNAL_SUMS + SIGNALS.length * SIGNAL_SIZE;
export const WORK_ROW_SIZE = HEALTH_VALUES + HEALTH_PARTS_MAX;

/** Jobs that the worker finished, well or not; `ints` is twice the work row's start. */
export function finishedJobs(u32: Uint32Array, ints: number): number {
  return u32[ints + COMPLETED]! + u32[ints + FAILED]! + u32[ints + TIMED_OUT]! + u32[ints + INVALID]!;
}

/** Every field by name; sums of a signal stand under its own name, so that signals may be added. */
export const WORK_LAYOUT: RowLayout = { size: WORK_ROW_SIZE * 8, fields: workFields() };

function workFields(): Fields {
  const jobs = { JOB_AT, JOB_SPAN_MS, MOMENTUM_LOST, FAILED_AT, RECENT_FAILED, EARNINGS, DURATION_SUM };
  const times = { IDLE_MS, PROBATION_SINCE, EXPLORE_NOT_BEFORE, RECENT, RECENT_AT };
  const health = {
    HEALTH_AT,
    PUNCTUAL_AT,
    HEALTH_SPAN_MS,
    SILENT_AT,
    HEALTH_VALUES: [HEALTH_VALUES, HEALTH_PARTS_MAX],
  } as const;
  const signals = Object.fromEntries(
    SIGNALS.map((name, place) => [`signal.${name}`, sumsAt(place)] as const),
  );
  const outcomes = { COMPLETED, FAILED, TIMED_OUT, INVALID, DECLINED_COUNT, CLIENT_FAULTS, DURATION_COUNT };
  const runs = { PROBATION_LEVEL, GOOD_RUN, BAD_RUN, OUTSIDE_RUN, IN_FLIGHT, EXPLORING, EXPLORE_LEVEL };
  const marks = { HEALTH_PRESENT, REPORTS, COUNTED, COUNTED_SCORE, COUNTED_UTILITY, OPERATOR };
  return fieldsAt(0, {
    f64: { ...jobs, ...times, ...health, ...signals },
    u32: { ...outcomes, ...runs, ...marks },
  });
}

function sumsAt(place: number): readonly [offset: number, count: number] {
  return [SIGNAL_SUMS + place * SIGNAL_SIZE, SIGNAL_SIZE];
}

/** First double of the work row that belongs to the row which starts at double `start` of its chunk. */
export function workStart(start: number): number {
  return (start / ROW_SIZE) * WORK_ROW_SIZE;
}
