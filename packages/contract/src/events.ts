/**
 * Events as they are sent to `POST /api/events`, and the answer.
 *
 * The server's decoder accepts exactly what {@link eventSchemaAt} accepts; a property test holds it to that. What
 * depends on the state (a kind that exists and reads such events, a selection that is open, a penalty that is there,
 * points up to the policy's maximum, the caller's role) is decided by the server alone.
 */
import { z } from "zod";
import {
  at,
  attributes,
  duration,
  facts,
  id,
  kind,
  ownId,
  POINTS_MAX,
  reason,
  subject,
  text,
  time,
  toMs,
} from "./event-fields.ts";
import { healthEvent, jobEvent } from "./work-events.ts";
import { METRIC_NAMES, PENALTY_TYPES, REWARD_TYPES, SEVERITIES } from "./vocabulary.ts";

/** Most events in one request. */
export const EVENTS_MAX = 16_384;
/** An event may lie this far ahead of the server's clock, for clocks that differ. */
export const EVENT_AHEAD_MAX_MS = 300_000;

/** Ranges of metric values, both ends included, in the metric's unit. */
export const METRIC_RANGES = {
  uptime: [0, 1],
  response_time: [0, 86_400_000],
  throughput: [0, 1e12],
  availability: [0, 1],
  data_integrity: [0, 1],
  network_latency: [0, 86_400_000],
  storage_reliability: [0, 1],
  service_quality: [0, 1],
} as const satisfies { readonly [metric in (typeof METRIC_NAMES)[number]]: readonly [number, number] };

const metricEvent = z
  .strictObject({
    type: z.literal("metric"),
    subject,
    metric: z.enum(METRIC_NAMES),
    value: z.number().describe("In the metric's unit: fraction 0..1, milliseconds, or bytes per second."),
    at,
    weight: z.number().gt(0).max(10).optional().describe("More than 0, at most 10; 1 when absent."),
    ok: z.boolean().optional().describe("false: the call failed, so its time says nothing of speed."),
    monitor: id(
      "Who measured. The sample then counts once its five-minute window is over, see `GET /api/monitors`.",
    ).optional(),
    context: text(256).optional().describe("Free text kept with the raw sample."),
    kind,
    id: ownId,
  })
  .refine(({ metric, value }) => value >= METRIC_RANGES[metric][0] && value <= METRIC_RANGES[metric][1]);

const subjectEvent = z.strictObject({
  type: z.literal("subject"),
  subject,
  kind,
  operator: id("Who owns the subject; null removes it.").nullable().optional(),
  attributes,
  id: ownId,
});

const penaltyEvent = z
  .strictObject({
    type: z.literal("penalty"),
    subject,
    penalty: z.enum(PENALTY_TYPES),
    severity: z.enum(SEVERITIES).optional().describe("minor when absent."),
    points: z.number().min(0).max(POINTS_MAX).optional().describe("At most the policy's maximum score."),
    fraction: z.number().min(0).max(1).optional().describe("Part of the maximum score, instead of points."),
    reason,
    at,
    expires_at: time(
      "When it ends; null: until revoked, for a ban with evidence only. Without it and `duration` the policy decides.",
    )
      .nullable()
      .optional(),
    duration: duration("How long it lasts from now (or from `at`, if that is later).").optional(),
    fade: z
      .enum(["none", "linear"])
      .optional()
      .describe("linear needs an end. When absent: linear for types that end by policy, else none."),
    evidence: z.array(text(1024)).max(32).optional().describe("Links or ids of what proves it."),
    context: facts,
    job_id: id("The job it is for.").optional(),
    kind,
    id: ownId,
  })
  .refine(({ points, fraction }) => points === undefined || fraction === undefined)
  .refine(
    ({ points, fraction, penalty }) => penalty === "ban" || points !== undefined || fraction !== undefined,
  )
  .refine(({ penalty, expires_at, evidence }) => {
    const isFinal = penalty === "ban" && expires_at === null;
    return !isFinal || (evidence ?? []).length > 0;
  })
  .refine((event) => event.expires_at === undefined || event.duration === undefined)
  .refine(
    (event) => event.fade !== "linear" || (event.expires_at ?? null) !== null || event.duration !== undefined,
  );

const penaltyRevokedEvent = z.strictObject({
  type: z.literal("penalty_revoked"),
  penalty_id: id("Id of the penalty, as it was answered."),
  reason,
  id: ownId,
});

const rewardEvent = z.strictObject({
  type: z.literal("reward"),
  subject,
  reward: z.enum(REWARD_TYPES),
  points: z.number().gt(0).max(POINTS_MAX).describe("More than 0, at most the policy's maximum score."),
  reason,
  at,
  context: facts,
  kind,
  id: ownId,
});

const rewardRevokedEvent = z.strictObject({
  type: z.literal("reward_revoked"),
  reward_id: id("Id of the reward, as it was answered."),
  reason,
  id: ownId,
});

const misbehaviourEvent = z.strictObject({
  type: z.literal("misbehaviour"),
  subject,
  reason,
  evidence: z.array(text(1024)).min(1).max(32).describe("Links or ids of what proves it."),
  at,
  context: facts,
  job_id: id("The job it is about.").optional(),
  kind,
  id: ownId,
});

/** One event as sent, without what depends on the time of day. */
export const Event = z.discriminatedUnion("type", [
  metricEvent,
  jobEvent,
  healthEvent,
  subjectEvent,
  penaltyEvent,
  penaltyRevokedEvent,
  rewardEvent,
  rewardRevokedEvent,
  misbehaviourEvent,
]);
export type Event = z.infer<typeof Event>;

const SAMPLE_TYPES: ReadonlySet<Event["type"]> = new Set(["metric", "job", "health"]);

/**
 * One event as it is accepted at an instant: nothing lies more than {@link EVENT_AHEAD_MAX_MS} ahead, a sample is not
 * older than the retention of metrics, and a penalty ends in the future.
 */
export function eventSchemaAt(nowMs: number, metricRetentionMs: number) {
  return Event.refine((event) => {
    const atMs = "at" in event && event.at !== undefined ? toMs(event.at) : nowMs;
    if (atMs > nowMs + EVENT_AHEAD_MAX_MS) return false;
    if (SAMPLE_TYPES.has(event.type)) return atMs >= nowMs - metricRetentionMs;
    return event.type !== "penalty" || toMs(event.expires_at ?? Infinity) > nowMs;
  });
}

/** Body of `POST /api/events`: one event, or a list. NDJSON has one event a line. */
export const Events = z
  .union([Event, z.array(Event).max(EVENTS_MAX)])
  .meta({ examples: [[{ type: "metric", subject: "node-17", metric: "uptime", value: 1 }]] });

/** What can be said of all events of a request; the rest is in the table of errors. */
export const EVENT_ERRORS = {
  events_rejected: {
    status: 422,
    title: "No event was taken",
    meaning:
      "Every event is wrong, or one is and `atomic=true` was asked for; `errors` names each, nothing was written.",
  },
  too_many_events: {
    status: 413,
    title: "There are too many events in the request",
    meaning: `A request has at most ${EVENTS_MAX} events; nothing was written, split it.`,
  },
} as const;

export const IngestQuery = z.strictObject({
  atomic: z.enum(["true", "false"]).default("false").describe("`true`: all events are taken or none."),
});

/** An event that was not taken. */
export const RejectedEvent = z.object({
  index: z.int().describe("Place in the list, or line of NDJSON, from 0."),
  id: z.string().optional().describe("The event's own id, when it had one."),
  code: z.string().describe("Stable name of the mistake."),
  field: z.string().optional().describe("Field that is wrong."),
  detail: z.string().describe("What is wrong and what would be right."),
});
export type RejectedEvent = z.infer<typeof RejectedEvent>;

/** The answer to events that were taken, wholly or in part. */
export const IngestResult = z.object({
  accepted: z.int(),
  rejected: z.int(),
  results: z.array(RejectedEvent).describe("Rejected events only, in order."),
  results_omitted: z.int().optional().describe("Rejected events that the repeated answer no longer lists."),
  sanctions: z
    .array(z.object({ index: z.int(), id: z.string() }))
    .optional()
    .describe("Ids of the penalties, rewards and reports given or revoked, by the place of their event."),
  position: z.int().describe("Log position as of which reads know these events."),
  logged_at: z.string().describe("When that position was logged, RFC 3339."),
  duplicate: z
    .literal(true)
    .optional()
    .describe("The request had been taken before and changed nothing now."),
});
export type IngestResult = z.infer<typeof IngestResult>;
