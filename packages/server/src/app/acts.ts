/** One act as one request: logged first, decided when applied. */
import { EMPTY_ENTRY, type Act, type ActResult } from "@staunch/engine";
import type { Draft, Partition, Refusal } from "./partition/partition.ts";

/** What makes a repeated request the same one. */
export interface Idempotency {
  /** The client's key made unique among clients, or "" for none. */
  readonly key: string;
  /** Digest of the request. */
  readonly requestHash: string;
}

export const NOT_IDEMPOTENT: Idempotency = { key: "", requestHash: "" };

export type ActOutcome =
  | { readonly type: "done"; readonly id: string | null; readonly position: number }
  | { readonly type: "refused"; readonly refusal: Refusal }
  /** The idempotency key came with another request before. */
  | { readonly type: "key_reused" }
  | Exclude<ActResult, { type: "done" }>;

/** Submits an act with what `draft` registered; a repeat has the outcome of the first. */
export async function submitAct(
  partition: Partition,
  draft: Draft,
  act: Act,
  idempotency: Idempotency,
): Promise<ActOutcome> {
  const outcome = await partition.submit({
    ...EMPTY_ENTRY,
    idempotencyKey: idempotency.key,
    requestHash: idempotency.requestHash,
    registrations: draft.registrations,
    acts: [act],
  });
  if (outcome.type === "refused") return outcome;
  if (outcome.result.type === "key_reused") return { type: "key_reused" };
  const result = outcome.result.acts[0]!;
  return result.type === "done" ? { type: "done", id: result.id, position: outcome.position } : result;
}
