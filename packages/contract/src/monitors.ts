/** Monitors: what of their samples is held back, and which of their windows were voided. */
import { z } from "zod";
import { Cursor, Limit, NextCursor, Time } from "./common.ts";
import { METRIC_NAMES } from "./vocabulary.ts";

export const MonitorsQuery = z.strictObject({ cursor: Cursor, limit: Limit });

const share = z.number().describe("0..1.");

const PendingWindow = z
  .object({
    starts_at: Time,
    ends_at: Time,
    counts_from: Time.describe("When its samples count, unless it is voided before."),
    samples: z.int(),
    voided: z.boolean(),
  })
  .meta({ id: "PendingWindow" });

const VoidedWindow = z
  .object({
    starts_at: Time,
    ends_at: Time,
    voided_at: Time,
    position: z.int().describe("Log position of the act."),
    reason: z.string(),
    samples: z.int().describe("Dropped with it."),
    metric: z.enum(METRIC_NAMES),
    operators: z.int().describe("Measured by it; a subject without operator is its own."),
    failing: z.int().describe("Those of them that failed there."),
    observed: share.describe("Mean share that failed over the operators, 0..1."),
    expected: share.describe("What their own records let expect of it, 0..1."),
    tail: share.describe("The probability that chance brings as much is at most this."),
    subjects: z.array(z.string()).describe("Subjects that failed there, the first hundred."),
    others: z
      .array(z.object({ monitor: z.string(), measured: z.int(), failing: z.int() }))
      .describe("What other monitors saw of the failing operators, the first twenty that saw any."),
  })
  .meta({ id: "VoidedWindow" });

export const MonitorPage = z
  .object({
    items: z.array(
      z.object({
        monitor: z.string(),
        pending: z.array(PendingWindow).describe("Oldest first."),
        voided: z.array(VoidedWindow).describe("The newest twenty, newest first."),
      }),
    ),
    pending_samples: z.int().describe("Over all monitors."),
    unguarded_samples: z.int().describe("Samples that counted at once, because no more could be held back."),
    next: NextCursor,
    as_of: Time,
  })
  .meta({ id: "MonitorPage" });
