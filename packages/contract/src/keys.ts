/** API keys. */
import { z } from "zod";
import { isPlainText, Time } from "./common.ts";
import { ROLES } from "./vocabulary.ts";

export const KeyRecord = z
  .object({
    id: z.string().describe("Public part; acts name it as their issuer, `key:<id>`."),
    name: z.string(),
    role: z.enum(ROLES),
    created_at: Time,
    last_used_at: Time.nullable().describe("To the minute."),
    revoked_at: Time.nullable(),
  })
  .meta({ id: "KeyRecord" });

export const KeyList = z.object({ items: z.array(KeyRecord) }).meta({ id: "KeyList" });

export const KeyRequest = z
  .strictObject({
    name: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .refine(isPlainText, "must be plain text")
      .describe("Who uses it, for people."),
    role: z.enum(ROLES).describe("Each role may do what the ones before it may."),
  })
  .meta({ id: "KeyRequest", examples: [{ name: "probe fleet eu", role: "ingest" }] });

export const CreatedKey = z
  .object({ key: z.string().describe("The secret. It is shown this once."), record: KeyRecord })
  .meta({ id: "CreatedKey" });

export const KeyPath = z.strictObject({ id: z.string().min(1).max(64) });
