/** Announced maintenance: as it is announced, and as it is shown. */
import { z } from "zod";
import { Reason, Time, TimeInput } from "./common.ts";

export const MaintenanceWindow = z
  .object({
    id: z.string(),
    subject: z.string(),
    reason: z.string(),
    issuer: z.string().describe("`key:<id>` of who announced it."),
    announced_at: Time,
    position: z.int().describe("Position in the log."),
    policy: z.string(),
    from: Time,
    to: Time.describe("Not part of it."),
    status: z.enum(["announced", "running", "ended", "cancelled"]),
    cancelled_at: Time.nullable().describe("When it was cancelled; a running one ends then."),
  })
  .meta({ id: "MaintenanceWindow" });
export type MaintenanceWindow = z.infer<typeof MaintenanceWindow>;

export const MaintenancePlan = z
  .object({
    items: z
      .array(MaintenanceWindow)
      .describe("By their beginning: those to come and those of the last 30 days."),
    allowance_ms: z.number().describe("Most maintenance in any 30 days."),
    left_ms: z.number().describe("What of it is left for a window that begins now."),
    as_of: Time,
  })
  .meta({ id: "MaintenancePlan" });

export const MaintenanceRequest = z
  .strictObject({
    reason: Reason,
    from: TimeInput.optional().describe(
      "When it begins; now unless given. What has happened is never excused.",
    ),
    to: TimeInput.describe("When it ends."),
  })
  .meta({
    id: "MaintenanceRequest",
    examples: [{ reason: "new disks", from: "2026-11-26T02:00:00Z", to: "2026-11-26T04:00:00Z" }],
  });
