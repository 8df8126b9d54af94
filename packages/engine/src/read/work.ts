/** How a worker is doing: condition, momentum, probation, health with its parts, and what its jobs came to. */
import type { Aggregate } from "../aggregate/aggregate-store.ts";
import { goodJobsNeeded, momentumOf, probationLimits, type ProbationLimit } from "../fold/momentum.ts";
import { newHealthReading, partScore, readHealth } from "../score/health.ts";
import { isSilent } from "../score/silence.ts";
import { scoreRow } from "../score/score.ts";
import { newSums, PLACE, readSignal } from "../score/signal.ts";
import { signalRate } from "../score/work-component.ts";
import {
  FIRST_AT,
  FLAGS,
  ON_PROBATION,
  rowStart,
  IN_MAINTENANCE,
  IS_BANNED,
  IS_SUSPENDED,
  type WorkChunk,
} from "../state/row-table.ts";
import { kindOf, type Kind, type State } from "../state/state.ts";
import {
  CLIENT_FAULTS,
  COMPLETED,
  DECLINED_COUNT,
  DURATION_COUNT,
  DURATION_SUM,
  EARNINGS,
  EXPLORING,
  FAILED,
  GOOD_RUN,
  HEALTH_PRESENT,
  HEALTH_VALUES,
  IN_FLIGHT,
  INVALID,
  PROBATION_LEVEL,
  PROBATION_SINCE,
  TIMED_OUT,
  finishedJobs,
  workStart,
} from "../state/work-row.ts";

export interface HealthPartStanding {
  readonly name: string;
  /** As reported, and what it is worth 0..100. */
  readonly value: number;
  readonly score: number;
  /** False where it does not count now, because a job is assigned. */
  readonly counts: boolean;
}

export interface HealthStanding {
  /** 0..100, and the interval that the age of the report leaves. */
  readonly score: number;
  readonly lower: number;
  readonly upper: number;
  /** What the report said when it was fresh. */
  readonly reported: number;
  readonly reportedAt: number;
  readonly parts: readonly HealthPartStanding[];
}

/** A decayed mean 0..1 with its 95 % interval, and the decayed number of jobs behind it. */
export interface JobRate {
  readonly mean: number;
  readonly lower: number;
  readonly upper: number;
  readonly trials: number;
}

/** What is known of the jobs of a subject since it was registered. */
export interface JobStatistics {
  readonly completed: number;
  readonly failed: number;
  readonly timedOut: number;
  readonly invalid: number;
  readonly declined: number;
  readonly clientFaults: number;
  /** Completed over finished jobs, 0..1; null before the first. */
  readonly successRate: number | null;
  /** Of the completed jobs that said how long they took, ms: the mean over all ... */
  readonly meanDurationMs: number | null;
  /** ... and the distribution over the metric retention; null where there are none, or no aggregates are kept. */
  readonly durations: Aggregate | null;
  readonly earnings: number;
  /** Of the results of completed jobs, 0..1, those without a word counting 1; null before the first. */
  readonly meanQuality: number | null;
  /** Service levels kept, and used over reserved resources; null where no job said. */
  readonly sla: JobRate | null;
  readonly resourceUse: JobRate | null;
  readonly inFlight: number;
  readonly exploring: number;
}

export interface WorkStanding {
  readonly subject: number;
  readonly id: string;
  readonly kind: string;
  /** Score x momentum, in points: what selection and probation look at. */
  readonly condition: number;
  /** floor..1 */
  readonly momentum: number;
  readonly state: "unheard" | "active" | "silent";
  readonly isHealthy: boolean;
  readonly probation: {
    readonly since: number;
    readonly level: number;
    readonly goodInARow: number;
    readonly goodNeeded: number;
  } | null;
  /** What would put it on probation, and how near that is. */
  readonly probationLimits: readonly ProbationLimit[];
  readonly health: HealthStanding | null;
  readonly jobs: JobStatistics;
  readonly asOf: number;
}

/** Null for a subject whose kind's policy reads neither jobs nor health. */
export function workStanding(state: State, subject: number, nowMs: number): WorkStanding | null {
  const kind = kindOf(state, subject);
  const row = state.places.rowOf(subject);
  const chunk = kind.table.chunkOf(row);
  const { work } = chunk;
  if (work === null || !kind.compiled.hasWork) return null;
  const start = rowStart(row);
  const from = workStart(start);
  const momentum = momentumOf(work, from);
  const health = healthStanding(kind, work, from, nowMs);
  const isHeard = chunk.f64[start + FIRST_AT]! > 0;
  const sanctions = state.sanctions.of(subject);
  const isQuiet = isSilent(chunk, start, kind.compiled, sanctions, nowMs);
  const isOnProbation = (chunk.u32[start * 2 + FLAGS]! & ON_PROBATION) !== 0;
  const isOut = (chunk.u32[start * 2 + FLAGS]! & (IS_BANNED | IS_SUSPENDED | IN_MAINTENANCE)) !== 0;
  const { healthyFrom } = kind.compiled.policy.health;
  return {
    subject,
    id: state.ids.at(subject),
    kind: kind.name,
    condition: scoreRow(chunk, start, kind.compiled, sanctions, nowMs) * momentum,
    momentum,
    state: isHeard ? (isQuiet ? "silent" : "active") : "unheard",
    isHealthy: isHeard && !isQuiet && !isOut && (health?.score ?? Infinity) >= healthyFrom,
    probation: isOnProbation ? probationOf(kind, work, from) : null,
    probationLimits: probationLimits(kind, chunk, start, nowMs),
    health,
    jobs: {
      ...jobStatistics(work, from),
      ...jobRates(work, from, kind, nowMs),
      durations: kind.durations?.read(row, 0, nowMs) ?? null,
    },
    asOf: nowMs,
  };
}

function probationOf(kind: Kind, work: WorkChunk, from: number): WorkStanding["probation"] {
  return {
    since: work.f64[from + PROBATION_SINCE]!,
    level: work.u32[from * 2 + PROBATION_LEVEL]!,
    goodInARow: work.u32[from * 2 + GOOD_RUN]!,
    goodNeeded: goodJobsNeeded(kind, work, from),
  };
}

function healthStanding(kind: Kind, work: WorkChunk, from: number, nowMs: number): HealthStanding | null {
  const reading = newHealthReading();
  readHealth(work, from, kind.compiled, nowMs, reading);
  if (!reading.known) return null;
  const present = work.u32[from * 2 + HEALTH_PRESENT]!;
  const isBusy = work.u32[from * 2 + IN_FLIGHT]! > 0;
  const parts = kind.compiled.healthParts.flatMap((part, place): HealthPartStanding[] => {
    if ((present & (1 << place)) === 0) return [];
    const value = work.f64[from + HEALTH_VALUES + place]!;
    return [{ name: part.name, value, score: partScore(part, value), counts: !(part.idleOnly && isBusy) }];
  });
  const { score, lower, upper, reported, at } = reading;
  return { score, lower, upper, reported, reportedAt: at, parts };
}

function jobRates(work: WorkChunk, from: number, { compiled }: Kind, nowMs: number): JobRates {
  const rateOf = (place: number): JobRate | null => {
    const { mean, lower, upper, trials } = signalRate(work, from, place, compiled, nowMs);
    return trials === 0 ? null : { mean, lower, upper, trials };
  };
  const good = newSums();
  readSignal(work, from, PLACE.success, good);
  const completed = newSums();
  readSignal(work, from, PLACE.completed, completed);
  return {
    // A success counts its quality, a completed job counts 1.
    meanQuality: completed.wv === 0 ? null : good.wv / completed.wv,
    sla: rateOf(PLACE.sla),
    resourceUse: rateOf(PLACE.use),
  };
}

type JobRates = Pick<JobStatistics, "meanQuality" | "sla" | "resourceUse">;
type JobCounts = Omit<JobStatistics, keyof JobRates | "durations">;

function jobStatistics({ f64, u32 }: WorkChunk, from: number): JobCounts {
  const ints = from * 2;
  const completed = u32[ints + COMPLETED]!;
  const finished = finishedJobs(u32, ints);
  const timed = u32[ints + DURATION_COUNT]!;
  return {
    completed,
    failed: u32[ints + FAILED]!,
    timedOut: u32[ints + TIMED_OUT]!,
    invalid: u32[ints + INVALID]!,
    declined: u32[ints + DECLINED_COUNT]!,
    clientFaults: u32[ints + CLIENT_FAULTS]!,
    successRate: finished === 0 ? null : completed / finished,
    meanDurationMs: timed === 0 ? null : f64[from + DURATION_SUM]! / timed,
    earnings: f64[from + EARNINGS]!,
    inFlight: u32[ints + IN_FLIGHT]!,
    exploring: u32[ints + EXPLORING]!,
  };
}
