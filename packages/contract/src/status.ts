/** The service about itself. */
import { z } from "zod";
import { Time } from "./common.ts";

export const Status = z
  .object({
    version: z.string(),
    started_at: Time,
    uptime_seconds: z.number(),
    position: z.int().describe("Log position that everything answered now is the state of."),
    logged_at: Time.nullable().describe("When that was logged; null while the log is empty."),
    subjects: z.int(),
    kinds: z.array(z.object({ kind: z.string(), policy: z.string(), subjects: z.int(), ranked: z.int() })),
    events: z.int().describe("Samples and acts folded since the log began."),
    acts: z.int(),
    storage: z.object({
      driver: z.string(),
      durability: z.enum(["strict", "none"]),
      writable: z.boolean(),
      stopped: z.string().nullable().describe("Why nothing is written; null when writing works."),
    }),
    snapshot: z
      .object({ name: z.string(), position: z.int(), bytes: z.int() })
      .nullable()
      .describe("The newest."),
  })
  .meta({ id: "Status" });

export const Health = z.object({ status: z.literal("ok") }).meta({ id: "Health" });

export const ReadyQuery = z.strictObject({
  verbose: z.string().optional().describe("Adds the single checks."),
});

export const Readiness = z
  .object({
    status: z.enum(["ready", "not_ready"]),
    checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })).optional(),
  })
  .meta({ id: "Readiness" });
