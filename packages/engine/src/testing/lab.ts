/** A log in memory for tests: builds batches from readable parts, applies them, and keeps them for a replay. */
import type {
  Act,
  MisbehaviourReported,
  PenaltyApplied,
  RewardGranted,
  SuspensionStarted,
  WindowVoided,
} from "../event/acts.ts";
import {
  SAMPLE_FAILED,
  type Batch,
  type Entry,
  type Registration,
  type SampleColumns,
} from "../event/batch.ts";
import type { HealthColumns, JobColumns } from "../event/jobs.ts";
import { metricCode, type MetricName } from "../event/metrics.ts";
import type { SelectionMade } from "../event/selection.ts";
import { apply } from "../fold/apply.ts";
import type { Effects } from "../fold/effects.ts";
import type { Policy } from "../policy/policy.ts";
import { STORAGE_PROVIDER } from "../policy/presets.ts";
import type { PenaltyType } from "../policy/vocabulary.ts";
import { explain, type Explanation } from "../read/explain.ts";
import { standing, type ComponentStanding, type Standing } from "../read/standing.ts";
import { CHANGE_STAMP, ROW_SIZE, rowStart } from "../state/row-table.ts";
import { MONITOR_WINDOW_MS, windowOf } from "../state/monitor-window.ts";
import { createState, type State } from "../state/state.ts";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
/** Midnight of 1 January 2026, UTC: the start of a window, a slot, a block and a day. */
export const T0 = 1_767_225_600_000;

export interface Sample {
  readonly subject: number;
  readonly metric: MetricName;
  readonly value: number;
  readonly at: number;
  readonly weight?: number;
  readonly failed?: boolean;
  readonly monitor?: string;
}

export function metric(
  subject: number,
  name: MetricName,
  value: number,
  at: number,
  more: Partial<Sample> = {},
): Sample {
  return { subject, metric: name, value, at, ...more };
}

export function columnsOf(samples: readonly Sample[]): SampleColumns {
  const weighted = samples.some(({ weight }) => weight !== undefined);
  return {
    count: samples.length,
    at: Float64Array.from(samples, ({ at }) => at),
    value: Float64Array.from(samples, ({ value }) => value),
    subject: Uint32Array.from(samples, ({ subject }) => subject),
    kind: Uint8Array.from(
      samples,
      ({ metric: name, failed }) => metricCode(name) + (failed === true ? SAMPLE_FAILED : 0),
    ),
    weight: weighted ? Float64Array.from(samples, ({ weight }) => weight ?? 1) : null,
    monitor: samples.some(({ monitor }) => monitor !== undefined)
      ? samples.map(({ monitor }) => monitor ?? null)
      : null,
    context: null,
  };
}

/** What a request holds, with everything that a test does not name left empty. */
export interface Parts {
  readonly samples?: readonly Sample[];
  readonly jobs?: JobColumns;
  readonly health?: HealthColumns;
  readonly selections?: readonly SelectionMade[];
  readonly acts?: readonly Act[];
  readonly registrations?: readonly Registration[];
  readonly producer?: string;
  readonly sequence?: number;
  readonly key?: string;
  readonly requestHash?: string;
  readonly answer?: string;
}

export function entryOf(parts: Parts): Entry {
  return {
    producer: parts.producer ?? "",
    sequence: parts.sequence ?? 0,
    idempotencyKey: parts.key ?? "",
    requestHash: parts.requestHash ?? "",
    answer: parts.answer ?? "",
    registrations: parts.registrations ?? [],
    samples: parts.samples === undefined || parts.samples.length === 0 ? null : columnsOf(parts.samples),
    jobs: parts.jobs ?? null,
    health: parts.health ?? null,
    selections: parts.selections ?? [],
    acts: parts.acts ?? [],
  };
}

export function penalty(subject: number, more: Partial<PenaltyApplied> = {}): PenaltyApplied {
  return {
    type: "penalty.applied",
    subject,
    penalty: "downtime",
    severity: "minor",
    points: 5,
    fraction: null,
    at: T0,
    expiresAt: null,
    fade: "none",
    evidence: [],
    context: {},
    issuer: "key:test",
    reason: "test",
    ...more,
  };
}

export function ban(subject: number, expiresAt: number | null): PenaltyApplied {
  const type: PenaltyType = "ban";
  return penalty(subject, { penalty: type, points: 0, expiresAt });
}

export function reward(subject: number, more: Partial<RewardGranted> = {}): RewardGranted {
  return {
    type: "reward.granted",
    subject,
    reward: "high_uptime",
    points: 5,
    at: T0,
    context: {},
    issuer: "key:test",
    reason: "test",
    ...more,
  };
}

/** An accusation by `key:test`. */
export function report(subject: number, more: Partial<MisbehaviourReported> = {}): MisbehaviourReported {
  return {
    type: "misbehaviour.reported",
    subject,
    evidence: ["trace-1"],
    context: {},
    at: T0,
    jobId: null,
    issuer: "key:test",
    reason: "test",
    ...more,
  };
}

/** By hand, until lifted. */
export function suspended(subject: number, more: Partial<SuspensionStarted> = {}): SuspensionStarted {
  return {
    type: "suspension.started",
    subject,
    isAutomatic: false,
    expiresAt: null,
    evidence: [],
    context: {},
    issuer: "key:test",
    reason: "test",
    ...more,
  };
}

/** Voids what a monitor saw in the window that an instant lies in. */
export function verdict(monitor: string, atMs: number, subjects: readonly number[] = []): WindowVoided {
  const from = windowOf(atMs) * MONITOR_WINDOW_MS;
  const counts = { operators: 40, failing: 19, observed: 0.5, expected: 0.01, tail: 1e-20 };
  return {
    type: "window.voided",
    monitor,
    from,
    to: from + MONITOR_WINDOW_MS,
    evidence: { metric: "uptime", ...counts, subjects, others: [] },
    issuer: "rule:test",
    reason: "test",
  };
}

export function activation(policy: Policy, kind = "provider"): Act {
  return { type: "policy.activated", kind, policy, issuer: "key:test", reason: "test" };
}

export function policyWith(change: Partial<Policy>): Policy {
  return { ...STORAGE_PROVIDER, ...change };
}

/** The same policy with scores up to `maxScore`: all that it says in points is the same share of the maximum. */
export function onScale(policy: Policy, maxScore: number): Policy {
  const scaled = (points: number): number => (points * maxScore) / policy.maxScore;
  const { thresholds } = policy.rewardRules;
  const share = (points: number | null): number | null => (points === null ? null : scaled(points));
  return {
    ...policy,
    name: `${policy.name} of ${maxScore}`,
    maxScore,
    minScore: scaled(policy.minScore),
    initialScore: scaled(policy.initialScore),
    recoveryRatePerDay: scaled(policy.recoveryRatePerDay),
    trustThreshold: scaled(policy.trustThreshold),
    performanceThreshold: scaled(policy.performanceThreshold),
    lowThreshold: scaled(policy.lowThreshold),
    rewardPointsMax: scaled(policy.rewardPointsMax),
    rewardRules: {
      ...policy.rewardRules,
      points: scaled(policy.rewardRules.points),
      thresholds: {
        high_uptime: share(thresholds.high_uptime),
        fast_response: share(thresholds.fast_response),
        data_integrity: share(thresholds.data_integrity),
        long_term_service: thresholds.long_term_service,
        exceptional_performance: share(thresholds.exceptional_performance),
      },
    },
    alerts: { ...policy.alerts, pointsMax: scaled(policy.alerts.pointsMax) },
    tiers: { ...policy.tiers, scoreCuts: policy.tiers.scoreCuts.map(scaled) },
  };
}

/** A state with the log that made it. Subjects are registered with the next batch that is applied. */
export class Lab {
  readonly state: State;
  readonly log: Batch[] = [];
  private readonly pending: Registration[] = [];

  constructor(policy: Policy = STORAGE_PROVIDER, options: { readonly aggregates?: boolean } = {}) {
    this.state = createState({
      seed: 7,
      policies: { provider: policy },
      aggregates: options.aggregates ?? false,
    });
  }

  /** Number of a new subject. */
  register(id: string, kind = "provider"): number {
    const number = this.state.ids.insert(id);
    this.pending.push({ number, kind, id });
    return number;
  }

  /** Applies one batch with one entry for each of the parts, and the registrations before the first of them. */
  apply(loggedAt: number, ...parts: readonly Parts[]): Effects {
    const entries = parts.map(entryOf);
    if (this.pending.length > 0) entries.unshift(entryOf({ registrations: this.pending.splice(0) }));
    const batch: Batch = { position: this.state.position + 1, loggedAt, entries };
    this.log.push(batch);
    return apply(this.state, batch);
  }

  /** One batch of one metric of one subject, logged when it happened. */
  sample(subject: number, name: MetricName, value: number, at: number, more: Partial<Sample> = {}): Effects {
    return this.apply(at, { samples: [metric(subject, name, value, at, more)] });
  }

  standing(subject: number, nowMs = this.state.now): Standing {
    return standing(this.state, subject, nowMs);
  }

  explain(subject: number, nowMs = this.state.now): Explanation {
    return explain(this.state, subject, nowMs);
  }

  score(subject: number, nowMs = this.state.now): number {
    return this.standing(subject, nowMs).score;
  }

  component(subject: number, name: string, nowMs = this.state.now): ComponentStanding {
    return this.standing(subject, nowMs).components.find((one) => one.name === name)!;
  }
}

/**
 * Everything of a state that must not depend on how the same entries were cut into batches: rows, ranking, sanctions
 * without ids and positions, profiles, and what is remembered of requests without the ids in their answers.
 */
export function comparable(state: State): unknown {
  const withoutPlace = (key: string, value: unknown): unknown =>
    key === "id" || key === "position" || key === "acts" ? undefined : value;
  return {
    now: state.now,
    eventCount: state.eventCount,
    actCount: state.actCount,
    kinds: state.kinds.map((kind) => ({
      name: kind.name,
      rows: Array.from({ length: kind.table.count }, (_, row) => {
        const start = rowStart(row) * 2;
        const words = [...kind.table.chunkOf(row).u32.subarray(start, start + ROW_SIZE * 2)];
        // The stamp says where the newest change stood in its batch.
        words[CHANGE_STAMP] = 0;
        return [kind.rank.bucketOf(row), ...words].join(" ");
      }),
    })),
    sanctions: Array.from({ length: state.places.count }, (_, subject) =>
      JSON.stringify(state.sanctions.of(subject), withoutPlace),
    ),
    profiles: [...state.profiles],
    memory: JSON.stringify(state.memory.dump(), withoutPlace),
  };
}
