/** Suspensions: as they are given by hand, and as they are shown. */
import { z } from "zod";
import { Context, NextCursor, Reason, Time, TimeInput } from "./common.ts";

const EVIDENCE_MAX = 32;

export const Suspension = z
  .object({
    id: z.string(),
    subject: z.string(),
    reason: z.string(),
    issuer: z.string().describe("`key:<id>` of who suspended, or the rule that did."),
    evidence: z.array(z.string()),
    context: z.record(z.string(), z.unknown()),
    level: z.int().describe("Which one in a row, where the rule decided; 0 where a person did."),
    started_at: Time,
    position: z.int().describe("Position in the log."),
    policy: z.string(),
    expires_at: Time.nullable().describe("Null: until it is lifted."),
    status: z.enum(["active", "ended", "revoked"]),
    ended_at: Time.nullable(),
  })
  .meta({ id: "Suspension" });
export type Suspension = z.infer<typeof Suspension>;

export const SuspensionPage = z
  .object({ items: z.array(Suspension), next: NextCursor, as_of: Time })
  .meta({ id: "SuspensionPage" });

export const SuspensionRequest = z
  .strictObject({
    reason: Reason,
    expires_at: TimeInput.nullable().default(null).describe("When it ends; null: until it is lifted."),
    evidence: z.array(z.string().min(1).max(1024)).max(EVIDENCE_MAX).default([]),
    context: Context.default({}),
  })
  .meta({
    id: "SuspensionRequest",
    examples: [{ reason: "answers nobody since the upgrade", evidence: ["OPS-1204"] }],
  });
