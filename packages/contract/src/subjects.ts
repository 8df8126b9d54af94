/** Subjects: lists, standing, explanation, history and metrics. */
import { z } from "zod";
import {
  Attributes,
  Cursor,
  isPlainText,
  KindName,
  Limit,
  NextCursor,
  Reason,
  SubjectId,
  Time,
  TimeInput,
} from "./common.ts";
import { MisbehaviourReport } from "./misbehaviour.ts";
import { Penalty, Reward } from "./sanctions.ts";
import { Suspension } from "./suspensions.ts";
import {
  COMPONENT_NAMES,
  METRIC_NAMES,
  PENALTY_TYPES,
  REWARD_TYPES,
  SEVERITIES,
  SIGNAL_NAMES,
} from "./vocabulary.ts";

const ATTRIBUTES_MAX = 64;
const SAMPLES_MAX = 10_000;

const score = z.number().describe("On the policy's scale, 0..100 unless it says otherwise.");
const score0 = z.coerce.number<number>().pipe(z.number()).optional();

export const SubjectsQuery = z.strictObject({
  kind: KindName.default("provider"),
  operator: SubjectId.optional().describe("Only subjects of this owner."),
  tier: z.string().min(1).max(64).optional(),
  q: z.string().min(1).max(256).optional().describe("Only ids that start with this."),
  score_min: score0.describe("Lowest score, itself included."),
  score_max: score0.describe("Highest score, itself included."),
  sort: z
    .enum(["score", "id", "last_evidence"])
    .default("score")
    .describe(
      "`score`: best first, the unranked at the end; `id`: by code unit; `last_evidence`: newest first.",
    ),
  cursor: Cursor,
  limit: Limit,
  count: z.enum(["exact"]).optional().describe("`exact` adds `total`, which looks through the whole kind."),
});
export type SubjectsQuery = z.output<typeof SubjectsQuery>;

export const SubjectSummary = z
  .object({
    id: z.string(),
    kind: z.string(),
    operator: z.string().nullable(),
    score,
    lower: score,
    upper: score,
    tier: z.string(),
    banned: z.boolean(),
    suspended: z.boolean(),
    place: z.int().nullable().describe("1 is best; ties share it; null while not ranked."),
    event_count: z.int(),
    last_evidence_at: Time.nullable(),
  })
  .meta({ id: "SubjectSummary" });

export const SubjectPage = z
  .object({ items: z.array(SubjectSummary), next: NextCursor, total: z.int().optional(), as_of: Time })
  .meta({ id: "SubjectPage" });

export const ComponentStanding = z
  .object({
    name: z.enum(COMPONENT_NAMES),
    weight: z.number().describe("Share of the score, 0..1."),
    score,
    lower: score,
    upper: score,
    effective_size: z.number().describe("Effective number of observations, the prior included."),
    evidence_size: z.number().describe("The same without the prior."),
  })
  .meta({ id: "ComponentStanding" });

export const Standing = z
  .object({
    id: z.string(),
    kind: z.string(),
    operator: z.string().nullable(),
    attributes: Attributes,
    policy: z.string(),
    score,
    lower: score.describe("Lower end of the 95 % interval."),
    upper: score.describe("Upper end of the 95 % interval."),
    tier: z.string(),
    components: z.array(ComponentStanding),
    penalties: z.array(Penalty).describe("Those in force."),
    rewards: z.array(Reward).describe("Those in force."),
    banned: z.boolean(),
    suspended: z.boolean(),
    place: z.int().nullable(),
    ranked: z.int().describe("Ranked subjects of the kind."),
    percentile: z.number().nullable().describe("Share of the ranked that are not better, 0..1."),
    event_count: z.int(),
    evidence_days: z.int(),
    registered_at: Time,
    first_evidence_at: Time.nullable(),
    last_evidence_at: Time.nullable(),
    position: z.int().describe("Log position that this is the state of."),
    as_of: Time.describe(
      "Instant that this is the standing at; moves at most once per update interval by itself.",
    ),
  })
  .meta({ id: "Standing" });
export type Standing = z.infer<typeof Standing>;

export const Explanation = z
  .object({
    standing: Standing,
    contributions: z
      .array(
        z.object({
          source: z.enum(["component", "reward", "penalty", "limit"]),
          name: z
            .string()
            .describe(
              "Component name, reward or penalty id, or `limit`: what the ends of the scale cut off.",
            ),
          points: z.number(),
        }),
      )
      .describe("Added from the first to the last they give the score to the last bit."),
    components: z.array(
      z.object({
        ...ComponentStanding.shape,
        metrics: z.array(
          z.object({
            metric: z.enum(METRIC_NAMES),
            mean: z.number().describe("Mean utility, 0..1."),
            share: z.number().describe("Share of the component's weight, 0..1."),
            points: z.number().describe("Points of the score that come from it."),
            observations: z.number().describe("Decayed number of observations."),
          }),
        ),
        signals: z
          .array(
            z.object({
              signal: z.enum(SIGNAL_NAMES),
              mean: z.number().describe("Mean of the trials, 0..1, with its interval."),
              lower: z.number(),
              upper: z.number(),
              share: z.number().describe("Share of the component's weight, 0..1."),
              points: z.number().describe("Points of the score that come from it."),
              trials: z.number().describe("Decayed number of jobs, or of health reports due."),
            }),
          )
          .describe("What jobs and health reports say."),
        prior: z.object({ share: z.number(), points: z.number() }),
        inactivity_points: z.number().describe("Points of the score lost by silence."),
        trust: z
          .object({
            evidence_days: z.int(),
            average_score: z.number(),
            impact: z.number(),
            recovered: z.number(),
          })
          .nullable(),
      }),
    ),
    improvements: z
      .array(
        z.object({
          action: z.enum([
            "improve_metric",
            "report_metric",
            "improve_jobs",
            "penalty_ends",
            "keep_serving",
            "resume_reporting",
          ]),
          name: z.string(),
          gain: z.number().describe("Points the score would gain at most."),
          at: Time.nullable().describe("When it happens by itself; null when it is up to the subject."),
        }),
      )
      .describe("Largest gain first."),
    thresholds: z.array(
      z.object({
        name: z.string().describe("A tier, `reputation_low`, or `suspension`."),
        direction: z.enum(["above", "below"]),
        score: z.number().describe("Score at which it takes effect, margin included."),
        distance: z.number().min(0).describe("Points from here to there, 0 when it is reached."),
        is_past: z.boolean().describe("Whether a threshold below is passed already."),
        blocked_by: z
          .enum(["trust", "evidence"])
          .nullable()
          .describe("What holds the higher tier back whatever the score."),
        missing: z.number().describe("Trust points, or windows of evidence, that are missing."),
      }),
    ),
  })
  .meta({ id: "Explanation" });

export const Aggregate = z
  .object({
    count: z.int(),
    failed_count: z.int().describe("Samples of failed calls; for times they are not in `count`."),
    sum: z.number(),
    average: z.number().nullable(),
    min: z.number().nullable(),
    max: z.number().nullable(),
    std_dev: z.number().nullable(),
    percentiles: z.object({ p50: z.number(), p90: z.number(), p95: z.number(), p99: z.number() }).nullable(),
    exact: z.boolean().describe("False: percentiles are within 1 %."),
    period_ms: z.number(),
    start_time: Time,
    end_time: Time,
  })
  .meta({ id: "Aggregate" });

export const MetricName = z.enum(METRIC_NAMES);
/** Any name, so that one that does not exist is not found rather than invalid. */
export const MetricPath = z.strictObject({ id: SubjectId, metric: z.string().min(1).max(64) });
const unit = z.enum(["fraction", "ms", "bytes/s"]);

export const Metrics = z
  .object({
    id: z.string(),
    metrics: z.array(z.object({ metric: MetricName, unit, aggregate: Aggregate.nullable() })),
    as_of: Time,
  })
  .meta({ id: "Metrics" });

export const MetricQuery = z.strictObject({
  steps: z
    .enum(["true", "false"])
    .default("false")
    .describe("`true` adds one aggregate for each interval with samples."),
  samples: z.coerce
    .number<number>()
    .pipe(z.int().min(0).max(SAMPLES_MAX))
    .default(0)
    .describe("Adds so many raw samples, the newest."),
});

export const Metric = z
  .object({
    id: z.string(),
    metric: MetricName,
    unit,
    aggregate: Aggregate.nullable().describe("Over the metric retention; null without samples."),
    steps: z.array(Aggregate).optional(),
    samples: z
      .array(
        z.object({
          at: Time,
          value: z.number(),
          weight: z.number(),
          ok: z.boolean(),
          monitor: z.string().nullable(),
          context: z.string().nullable(),
        }),
      )
      .optional(),
    as_of: Time,
  })
  .meta({ id: "Metric" });

const text = z.string().max(256).refine(isPlainText, "must be well-formed text without control characters");
const attributeValue = z.union([text, z.number(), z.boolean(), z.array(text).max(64)]);

export const SubjectRequest = z
  .strictObject({
    kind: KindName.optional().describe("Of a new subject, `provider` unless given."),
    operator: SubjectId.nullable().default(null).describe("The owner; null or absent for none."),
    attributes: z
      .record(z.string().min(1).max(64).refine(isPlainText, "must be plain text"), attributeValue)
      .refine(
        (all) => Object.keys(all).length <= ATTRIBUTES_MAX,
        `must be at most ${ATTRIBUTES_MAX} attributes`,
      )
      .default({})
      .describe("All of them: what is not named is removed."),
    reason: Reason.default("profile written"),
  })
  .meta({
    id: "SubjectRequest",
    examples: [{ operator: "acme", attributes: { region: "eu-west", price: 4.2, capabilities: ["ssd"] } }],
  });
export type SubjectRequest = z.output<typeof SubjectRequest>;

export const HistoryQuery = z.strictObject({
  from: TimeInput.optional().describe("From when on; from the start unless given."),
  to: TimeInput.optional().describe("Until when; until now unless given."),
  limit: z.coerce
    .number<number>()
    .pipe(z.int().min(1).max(10_000))
    .default(1000)
    .describe("Most entries of each list, the newest."),
});

const CrossingHead = { id: z.string().describe("Its place in the log."), at: Time, subject: z.string() };

/** Something that happened at one instant, as the live stream tells it. */
export const Crossing = z
  .discriminatedUnion("type", [
    z.object({
      ...CrossingHead,
      type: z.literal("tier.changed"),
      detail: z.object({ from: z.string(), to: z.string(), score }),
    }),
    z.object({
      ...CrossingHead,
      type: z.enum(["score.low", "score.recovered"]),
      detail: z.object({ score, threshold: score }),
    }),
    z.object({
      ...CrossingHead,
      type: z.literal("probation.started"),
      detail: z.object({
        reason: z
          .enum(["momentum", "run", "recent", "score", "success"])
          .describe(
            "Momentum, failures in a row, the share of the recent jobs that failed, or the upper bound of score x momentum or of the success rate.",
          ),
        level: z.int().describe("Entries that are not forgiven, this one included."),
      }),
    }),
    z.object({
      ...CrossingHead,
      type: z.literal("probation.ended"),
      detail: z.object({ level: z.int() }),
    }),
    z.object({
      ...CrossingHead,
      type: z.literal("subject.silent"),
      detail: z.object({ last_seen_at: Time }),
    }),
    z.object({ ...CrossingHead, type: z.literal("subject.heard"), detail: z.object({}) }),
    z.object({
      ...CrossingHead,
      type: z.enum([
        "alert.opened",
        "alert.extended",
        "alert.closed",
        "penalty.applied",
        "penalty.ended",
        "penalty.revoked",
        "ban.started",
        "ban.ended",
      ]),
      detail: z.object({
        id: z.string(),
        penalty_type: z.enum(PENALTY_TYPES),
        severity: z.enum(SEVERITIES),
        deduction: z.number(),
        reason: z.string(),
        expires_at: Time.nullable(),
        metric: MetricName.optional().describe("Of an alert, like the next three."),
        value: z.number().optional(),
        threshold: z.number().optional(),
        incident: Time.optional(),
      }),
    }),
    z.object({
      ...CrossingHead,
      type: z.enum(["reward.granted", "reward.ended", "reward.revoked"]),
      detail: z.object({
        id: z.string(),
        reward_type: z.enum(REWARD_TYPES),
        value: z.number(),
        reason: z.string(),
        expires_at: Time,
      }),
    }),
    z.object({
      ...CrossingHead,
      type: z.enum(["misbehaviour.reported", "misbehaviour.confirmed", "misbehaviour.dismissed"]),
      detail: z.object({
        id: z.string(),
        issuer: z.string().nullable().describe("Who decided; null where it was reported."),
        reason: z.string(),
        job_id: z.string().nullable(),
      }),
    }),
    z.object({
      ...CrossingHead,
      type: z.enum(["suspension.started", "suspension.ended"]),
      detail: z.object({
        id: z.string(),
        issuer: z.string(),
        reason: z.string(),
        level: z.int().describe("Which one in a row, where the rule decided; 0 where a person did."),
        expires_at: Time.nullable(),
        status: z.enum(["active", "ended", "revoked"]),
      }),
    }),
    z.object({
      ...CrossingHead,
      type: z.enum([
        "maintenance.announced",
        "maintenance.started",
        "maintenance.ended",
        "maintenance.cancelled",
      ]),
      detail: z.object({
        id: z.string(),
        issuer: z.string().describe("Who announced it, or cancelled."),
        reason: z.string(),
        starts_at: Time,
        ends_at: Time,
      }),
    }),
    z.object({
      ...CrossingHead,
      type: z.literal("evidence.voided"),
      detail: z.object({
        monitor: z.string().describe("It failed, not the subject: what it saw in the window does not count."),
        metric: MetricName,
        starts_at: Time,
        ends_at: Time,
      }),
    }),
  ])
  .meta({ id: "Crossing" });

/** A penalty, reward, report of misbehaviour or suspension as its own routes show it. */
export const PastSanction = z
  .discriminatedUnion("kind", [
    z.object({ kind: z.literal("penalty"), ...Penalty.shape }),
    z.object({ kind: z.literal("reward"), ...Reward.shape }),
    z.object({ kind: z.literal("misbehaviour"), ...MisbehaviourReport.shape }),
    z.object({ kind: z.literal("suspension"), ...Suspension.shape }),
  ])
  .meta({ id: "PastSanction" });

export const History = z
  .object({
    id: z.string(),
    snapshots: z
      .array(
        z.object({
          at: Time,
          score,
          components: z.partialRecord(z.enum(COMPONENT_NAMES), z.number()),
          event_count: z.int(),
          reason: z
            .string()
            .nullable()
            .describe("Why the score changed last; null when it has not within the hour."),
        }),
      )
      .describe("One for each hour in which the score changed, oldest first, and what is now."),
    crossings: z.array(Crossing).describe("Tiers, thresholds, alerts, sanctions and bans, oldest first."),
    sanctions: z
      .array(PastSanction)
      .describe("Those in force at some time of the span, oldest first, also the ended ones of long ago."),
  })
  .meta({ id: "History" });
