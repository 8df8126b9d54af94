/** Suspensions: out of every selection for a while, longer each time, and scored all the while. */
import type { Context } from "../event/acts.ts";
import type { Decision } from "./decision.ts";

export interface Suspension {
  readonly id: string;
  readonly subject: number;
  readonly reason: string;
  readonly issuer: string;
  readonly evidence: readonly string[];
  readonly context: Context;
  /** Which one in a row it is where the rule decided, 0 where a person did. */
  readonly level: number;
  readonly startedAt: number;
  readonly position: number;
  readonly policy: string;
  /** Null until somebody lifts it. */
  readonly expiresAt: number | null;
  status: "active" | "ended" | "revoked";
  endedAt: number | null;
  /** Who lifted it, and why. */
  revocation: Decision | null;
  /** Windows of evidence of the subject at its start: the rule asks for new ones before the next. */
  readonly evidenceCount: number;
}

/** The issuer of what the rule about suspensions decides. */
export const SUSPENSION_ISSUER = "rule:suspension";
/** Ended ones kept in memory, the newest; the log keeps all. More in a row last no longer. */
export const SUSPENSIONS_ENDED_MAX = 20;

export interface SuspensionTerm {
  readonly firstMs: number;
  readonly factor: number;
  readonly longestMs: number;
}

/** Length of the n-th in a row: first x factor^(n - 1), at most the longest. */
export function suspensionMs({ firstMs, factor, longestMs }: SuspensionTerm, level: number): number {
  let lengthMs = firstMs;
  for (let step = 1; step < level && lengthMs < longestMs; step++) lengthMs *= factor;
  return Math.min(Math.floor(lengthMs), longestMs);
}

/** Windows of evidence since the last suspension, of all that a subject has: the rule asks for so many. */
export function freshWindows(suspensions: readonly Suspension[] | undefined, windowCount: number): number {
  return windowCount - (suspensions?.at(-1)?.evidenceCount ?? 0);
}

/** Automatic suspensions that are neither taken back nor forgiven, with the next one. */
export function nextLevel(
  suspensions: readonly Suspension[],
  forgivenAfterMs: number,
  nowMs: number,
): number {
  const counts = ({ level, status, endedAt }: Suspension): boolean =>
    level > 0 && status !== "revoked" && nowMs - (endedAt ?? nowMs) < forgivenAfterMs;
  return 1 + suspensions.filter(counts).length;
}
