/** Penalties and rewards: as they are given, and as they are shown. */
import { z } from "zod";
import { Context, Cursor, JobId, Limit, NextCursor, Reason, Time, TimeInput } from "./common.ts";
import { METRIC_NAMES, PENALTY_TYPES, REWARD_TYPES, SEVERITIES } from "./vocabulary.ts";

const EVIDENCE_MAX = 32;
const POINTS_MAX = 1e6;

const Status = z.enum(["active", "ended", "revoked"]);

export const Penalty = z
  .object({
    id: z.string(),
    subject: z.string(),
    type: z.enum(PENALTY_TYPES),
    severity: z.enum(SEVERITIES),
    points: z.number().nullable().describe("Points as given; null where `fraction` was."),
    fraction: z
      .number()
      .nullable()
      .describe("Share of the maximum score, 0..1; null where `points` were given."),
    deduction: z.number().describe("Points off the score in full: points x severity x weight of the type."),
    current_points: z.number().describe("Points it takes off now, after fading and the limits of alerts."),
    trust_impact: z.number().describe("Trust points it cost; worked off after the penalty."),
    reason: z.string(),
    issuer: z.string().describe("`key:<id>` of who gave it, or the rule that did."),
    evidence: z.array(z.string()),
    context: z.record(z.string(), z.unknown()),
    job_id: z.string().nullable().describe("The job it was for."),
    at: Time.describe("When the penalised thing happened."),
    applied_at: Time,
    position: z.int().describe("Position in the log."),
    policy: z.string(),
    expires_at: Time.nullable().describe("Null: until revoked."),
    fade: z.enum(["none", "linear"]),
    status: Status,
    ended_at: Time.nullable(),
    alert: z
      .object({
        metric: z.enum(METRIC_NAMES),
        incident: Time.describe("Alerts of one incident share it; only the largest counts."),
        value: z.number(),
        threshold: z.number(),
        open: z.boolean(),
      })
      .nullable()
      .describe("The alert behind it; null for penalties given by hand."),
  })
  .meta({ id: "Penalty" });
export type Penalty = z.infer<typeof Penalty>;

export const Reward = z
  .object({
    id: z.string(),
    subject: z.string(),
    type: z.enum(REWARD_TYPES),
    points: z.number().describe("Points as granted."),
    value: z.number().describe("Points with the multiplier of the type."),
    current_points: z.number().describe("Points it adds now; all rewards together have a limit."),
    reason: z.string(),
    issuer: z.string(),
    context: z.record(z.string(), z.unknown()),
    at: Time,
    applied_at: Time,
    position: z.int(),
    expires_at: Time,
    status: Status,
    ended_at: Time.nullable(),
  })
  .meta({ id: "Reward" });
export type Reward = z.infer<typeof Reward>;

export const PenaltyPage = z
  .object({ items: z.array(Penalty), next: NextCursor, as_of: Time })
  .meta({ id: "PenaltyPage" });
export const RewardPage = z
  .object({ items: z.array(Reward), next: NextCursor, as_of: Time })
  .meta({ id: "RewardPage" });

export const SanctionsQuery = z.strictObject({
  status: z.enum(["active", "ended", "revoked", "all"]).default("all"),
  cursor: Cursor,
  limit: Limit,
});

const pointsGiven = z
  .number()
  .min(0)
  .max(POINTS_MAX)
  .describe("Points before the severity's multiplier and the weight of the type.");

export const PenaltyRequest = z
  .strictObject({
    type: z.enum(PENALTY_TYPES).describe("`ban` also takes the subject out of the ranking until it ends."),
    severity: z.enum(SEVERITIES).default("minor"),
    points: pointsGiven.optional(),
    fraction: z.number().min(0).max(1).optional().describe("Share of the maximum score instead of points."),
    reason: Reason,
    evidence: z.array(z.string().min(1).max(1024)).max(EVIDENCE_MAX).default([]),
    context: Context.default({}),
    job_id: JobId.optional().describe("The job it is for."),
    at: TimeInput.optional().describe("When it happened; now unless given."),
    expires_at: TimeInput.nullable()
      .optional()
      .describe(
        "When it ends; null: until revoked, for a ban with evidence only. Unless given the policy decides, by the type.",
      ),
    fade: z
      .enum(["none", "linear"])
      .optional()
      .describe(
        "`linear` shrinks the deduction to 0 at its end. Unless given: `linear` for types that end by policy.",
      ),
  })
  .refine(
    ({ points, fraction, type }) => type === "ban" || (points === undefined) !== (fraction === undefined),
    {
      message: "exactly one of points and fraction must be given",
      path: ["points"],
    },
  )
  .refine(({ points, fraction }) => points === undefined || fraction === undefined, {
    message: "exactly one of points and fraction must be given",
    path: ["fraction"],
  })
  .refine(({ type, expires_at, evidence }) => type !== "ban" || expires_at !== null || evidence.length > 0, {
    message: "a ban until revoked needs evidence; without expires_at it ends by policy",
    path: ["evidence"],
  })
  .refine(({ fade, expires_at }) => fade !== "linear" || typeof expires_at === "string", {
    message: "a penalty that fades needs an end",
    path: ["expires_at"],
  })
  .meta({
    id: "PenaltyRequest",
    examples: [
      {
        type: "data_loss",
        severity: "major",
        points: 5,
        reason: "lost 3 of 40 audited shards",
        evidence: ["audit-881"],
      },
    ],
  });
export type PenaltyRequest = z.output<typeof PenaltyRequest>;

export const RewardRequest = z
  .strictObject({
    type: z.enum(REWARD_TYPES),
    points: z.number().positive().max(POINTS_MAX).describe("Points before the multiplier of the type."),
    reason: Reason,
    context: Context.default({}),
    at: TimeInput.optional(),
  })
  .meta({
    id: "RewardRequest",
    examples: [{ type: "long_term_service", points: 3, reason: "two years without an incident" }],
  });
export type RewardRequest = z.output<typeof RewardRequest>;

export const SanctionPath = z.strictObject({ id: z.string().min(1).max(64) });
export const RevokeQuery = z.strictObject({ reason: Reason });
