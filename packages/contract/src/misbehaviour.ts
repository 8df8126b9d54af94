/** Reports of misbehaviour: as they are made, decided and shown. */
import { z } from "zod";
import { Context, Cursor, JobId, Limit, NextCursor, Reason, Time, TimeInput } from "./common.ts";

const EVIDENCE_MAX = 32;

const Status = z.enum(["pending", "confirmed", "dismissed"]);

const Decision = z.object({ issuer: z.string(), reason: z.string(), at: Time });

export const MisbehaviourReport = z
  .object({
    id: z.string(),
    subject: z.string(),
    status: Status,
    reason: z.string().describe("What it is said to have done."),
    evidence: z.array(z.string()).describe("Shown to operators; empty for others."),
    context: z.record(z.string(), z.unknown()).describe("Shown to operators; empty for others."),
    job_id: z.string().nullable().describe("The job it is about."),
    reporter: z
      .string()
      .nullable()
      .describe("`key:<id>` of who reported it; somebody else decides. Shown to operators; null for others."),
    at: Time.describe("When it happened."),
    reported_at: Time,
    position: z.int().describe("Position in the log."),
    confirmation: Decision.nullable(),
    dismissal: Decision.nullable().describe(
      "Beside a confirmation: it was overturned, and what it did undone.",
    ),
    penalty_id: z.string().nullable().describe("The penalty that a confirmed report is."),
  })
  .meta({ id: "MisbehaviourReport" });
export type MisbehaviourReport = z.infer<typeof MisbehaviourReport>;

export const MisbehaviourPage = z
  .object({ items: z.array(MisbehaviourReport), next: NextCursor, as_of: Time })
  .meta({ id: "MisbehaviourPage" });

export const MisbehaviourQuery = z.strictObject({
  status: z.enum([...Status.options, "all"]).default("all"),
  cursor: Cursor,
  limit: Limit,
});

export const PendingQuery = z.strictObject({ cursor: Cursor, limit: Limit });

export const MisbehaviourRequest = z
  .strictObject({
    reason: Reason,
    evidence: z
      .array(z.string().min(1).max(1024))
      .min(1)
      .max(EVIDENCE_MAX)
      .describe("Links or ids of what proves it."),
    context: Context.default({}),
    job_id: JobId.optional(),
    at: TimeInput.optional().describe("When it happened; now unless given."),
  })
  .meta({
    id: "MisbehaviourRequest",
    examples: [
      {
        reason: "returned another job's result",
        evidence: ["s3://audit/job-4711.diff"],
        job_id: "job-4711",
      },
    ],
  });
export type MisbehaviourRequest = z.output<typeof MisbehaviourRequest>;

export const DecisionRequest = z
  .strictObject({ reason: Reason })
  .meta({ id: "DecisionRequest", examples: [{ reason: "the results differ in every byte" }] });
