/** One act as one request: logged first, decided when applied. */
import { EMPTY_ENTRY, formatDuration, type Act, type ActResult, type EntryResult } from "@staunch/engine";
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

/** Submits an act with what `draft` registered and what follows from it; a repeat has the outcome of the first. */
export async function submitAct(
  partition: Partition,
  draft: Draft,
  act: Act,
  idempotency: Idempotency,
  following: readonly Act[] = [],
): Promise<ActOutcome> {
  const outcome = await partition.submit({
    ...EMPTY_ENTRY,
    idempotencyKey: idempotency.key,
    requestHash: idempotency.requestHash,
    registrations: draft.registrations,
    acts: [act, ...following],
  });
  return outcome.type === "refused" ? outcome : outcomeOf(outcome.result, outcome.position);
}

/**
 * The outcome of a request that was carried out before, or null for a new one. To be asked before the request is
 * judged: an end that lay ahead when it was sent first may be past when it is sent again.
 */
export function repeatedAct({ state }: Partition, { key, requestHash }: Idempotency): ActOutcome | null {
  const result = state.memory.recall({ producer: "", sequence: 0, idempotencyKey: key, requestHash });
  return result === null ? null : outcomeOf(result, state.position);
}

/** Why an act came to nothing, and what to do about it. */
export function undoneDetail(result: Exclude<ActResult, { type: "done" }>): string {
  switch (result.type) {
    case "penalty_not_found":
      return `there is no penalty ${result.id}`;
    case "reward_not_found":
      return `there is no reward ${result.id}`;
    case "report_not_found":
      return `there is no report ${result.id}`;
    case "suspension_not_found":
      return `there is no suspension ${result.id}`;
    case "maintenance_not_found":
      return `there is no maintenance ${result.id}`;
    case "penalty_not_active":
    case "reward_not_active":
    case "report_decided":
    case "suspension_not_active":
    case "maintenance_not_active":
      return `${result.id} is ${result.status} already`;
    case "report_is_own":
      return `${result.id} was reported with this key; use another`;
    case "already_suspended":
      return "the subject is suspended already; lift that first";
    case "maintenance_empty":
      return "maintenance ends after it begins, and not in the past";
    case "maintenance_too_far":
      return `maintenance begins at most ${formatDuration(result.horizonMs)} after it is announced`;
    case "maintenance_too_soon":
      return `maintenance is announced ${formatDuration(result.noticeMs)} before it begins, and never afterwards`;
    case "maintenance_too_long":
      return `maintenance lasts at most ${formatDuration(result.limitMs)}`;
    case "maintenance_overlaps":
      return `${result.id} is announced for that time already; cancel it first`;
    case "maintenance_over_allowance": {
      const { allowanceMs, leftMs } = result;
      return `of ${formatDuration(allowanceMs)} in 30 days ${formatDuration(leftMs)} are left; make it shorter`;
    }
    case "too_many_windows":
      return `the subject has ${result.limit} windows, which is the most; join some`;
    case "too_many_reports":
      return `the subject has ${result.limit} reports that nobody has decided; confirm or dismiss some first`;
    case "too_many_own_reports":
      return `this key has made ${result.limit} reports about the subject that nobody has decided; wait for that`;
    case "too_many_sanctions":
      return `the subject has ${result.limit} sanctions in force; revoke some first`;
    case "too_many_kinds":
      return `there can be ${result.limit} kinds`;
  }
}

function outcomeOf(entry: EntryResult, position: number): ActOutcome {
  if (entry.type === "key_reused") return { type: "key_reused" };
  const result = entry.acts[0]!;
  return result.type === "done" ? { type: "done", id: result.id, position } : result;
}
