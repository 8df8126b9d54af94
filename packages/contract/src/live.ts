/** Live updates: what can be subscribed to, and what is told. */
import { z } from "zod";
import { KindName, SubjectId, Time } from "./common.ts";
import { Crossing } from "./subjects.ts";
import { Network } from "./work.ts";
import { COMPONENT_NAMES, LIVE_TYPES, METRIC_NAMES } from "./vocabulary.ts";

export const LiveQuery = z.strictObject({
  subject: SubjectId.optional().describe("Only this subject."),
  kind: KindName.optional().describe("Only subjects of this kind."),
  operator: SubjectId.optional().describe("Only subjects of this operator."),
  tier: z.string().min(1).max(64).optional().describe("Only subjects in this tier now."),
  type: z
    .string()
    .transform((text) => text.split(","))
    .pipe(z.array(z.enum(LIVE_TYPES)))
    .optional()
    .describe(`Only these, joined by commas: ${LIVE_TYPES.map((type) => `\`${type}\``).join(", ")}.`),
});

export const LiveHeaders = z.looseObject({
  "last-event-id": z
    .string()
    .regex(/^\d{1,15}$/u, "must be the id of the last frame that arrived")
    .transform(Number)
    .optional()
    .describe(
      "Id of the last frame that arrived: what came after it is told again, or a `gap` if it is too long ago.",
    ),
});

const score = z.number().describe("On the policy's scale, rounded to four decimals.");

/** The newest score of a subject since the frame before. */
export const ScoreChange = z
  .object({
    type: z.literal("score.changed"),
    subject: z.string(),
    kind: z.string(),
    tier: z.string(),
    old_score: score,
    new_score: score,
    change: score,
    reason: z.string().describe("Why it changed last."),
    breakdown: z.partialRecord(z.enum(COMPONENT_NAMES), score),
    at: Time,
  })
  .meta({ id: "ScoreChange" });

const EventHead = { id: z.string().describe("Its place in the log."), at: Time, kind: z.string() };

/** Something that happened at one instant. */
export const LiveEvent = z
  .union([
    z.intersection(Crossing, z.object({ kind: z.string() })),
    z.object({
      ...EventHead,
      type: z.literal("subject.registered"),
      subject: z.string(),
      detail: z.object({}),
    }),
    z.object({
      ...EventHead,
      type: z.literal("policy.activated"),
      subject: z.null(),
      detail: z.object({ policy: z.string() }),
    }),
    z.object({
      ...EventHead,
      type: z.literal("window.voided"),
      subject: z.null(),
      kind: z.null(),
      detail: z.object({
        monitor: z.string(),
        metric: z.enum(METRIC_NAMES),
        starts_at: Time,
        ends_at: Time,
        operators: z.int().describe("Measured by it in the window."),
        failing: z.int(),
        samples: z.int().describe("Dropped with it."),
      }),
    }),
  ])
  .meta({ id: "LiveEvent" });

/** Data of a `frame`; its id is the position. */
export const LiveFrame = z
  .object({
    position: z.int().describe("Log position up to which everything is told."),
    at: Time,
    changes: z.array(ScoreChange),
    events: z.array(LiveEvent),
    networks: z
      .array(Network.omit({ as_of: true }))
      .describe("Networks of workers that changed since the frame before, and all of them in the first one."),
  })
  .meta({ id: "LiveFrame" });
export type LiveFrame = z.infer<typeof LiveFrame>;

/** Data of a `gap`: something up to the position was left out, so the standings have to be read again. */
export const LiveGap = z
  .object({
    position: z.int(),
    reason: z
      .enum(["resume", "backlog", "too_many"])
      .describe(
        "`resume`: it was too long ago; `backlog`: the reader was too slow; `too_many`: more than a frame takes.",
      ),
  })
  .meta({ id: "LiveGap" });
export type LiveGap = z.infer<typeof LiveGap>;
