/** Policies: what is in force, what is on offer, checking and activating. */
import { z } from "zod";
import { KindName, Reason } from "./common.ts";

export const PolicyPath = z.strictObject({ kind: KindName });

const hash = z
  .string()
  .regex(/^[0-9a-f]{16}$/u)
  .describe("16 hex digits of the document; equal for equal policies. The `ETag` is the same in quotes.");
const document = z.record(z.string(), z.unknown()).describe("The document as `staunch.yaml` would hold it.");

export const PolicyList = z
  .object({
    kinds: z.array(z.object({ kind: z.string(), policy: z.string(), hash, subjects: z.int() })),
    presets: z.array(
      z.object({
        name: z.string(),
        title: z.string(),
        available: z.boolean(),
        reason: z.string().nullable().describe("Why it cannot be used in this version; null when it can."),
      }),
    ),
  })
  .meta({ id: "PolicyList" });

export const ActivePolicy = z
  .object({
    kind: z.string(),
    name: z.string(),
    hash,
    version: z.string().describe("`<name>@<hash>`."),
    document: document.describe("Complete, every key present."),
  })
  .meta({ id: "ActivePolicy" });

export const PolicyChange = z
  .object({ path: z.string(), before: z.unknown(), after: z.unknown() })
  .meta({ id: "PolicyChange" });

export const PolicyCheckRequest = z
  .strictObject({
    policy: document,
    kind: KindName.optional().describe("Compare with the policy of this kind."),
  })
  .meta({
    id: "PolicyCheckRequest",
    examples: [
      { policy: { name: "strict", extends: "storage-provider", reputation: { initial_score: 60 } } },
    ],
  });

export const PolicyCheck = z
  .object({
    valid: z.boolean(),
    problems: z.array(
      z.object({
        path: z.string().describe("Keys from the root joined by dots."),
        pointer: z.string().describe("The same as a JSON pointer into the document."),
        code: z.string(),
        message: z.string(),
      }),
    ),
    hash: hash.nullable(),
    document: document.nullable(),
    diff: z.array(PolicyChange).nullable().describe("Against the policy of `kind`; null without one."),
  })
  .meta({ id: "PolicyCheck" });

export const PolicyRequest = z.strictObject({ policy: document, reason: Reason }).meta({
  id: "PolicyRequest",
  examples: [
    { policy: { name: "strict", reputation: { initial_score: 60 } }, reason: "newcomers start lower" },
  ],
});

export const PolicyActivation = z
  .object({ ...ActivePolicy.shape, diff: z.array(PolicyChange), position: z.int() })
  .meta({ id: "PolicyActivation" });
