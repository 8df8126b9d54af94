/** When to try again, and after how long. */

export interface RetryOptions {
  /** Attempts in all, the first included; 1 never tries again. */
  readonly attemptsMax: number;
  /** Longest wait before the second attempt; it doubles with every one that follows. */
  readonly delayFirstMs: number;
  /** Longest wait before any attempt. */
  readonly delayMaxMs: number;
}

export const RETRY_DEFAULTS: RetryOptions = { attemptsMax: 4, delayFirstMs: 200, delayMaxMs: 10_000 };

/** Who is asked to wait longer than this is not kept waiting: the problem is thrown and says how long. */
export const RETRY_AFTER_MAX_MS = 60_000;

/** Answers that say nothing against the request itself: another attempt may find things better. */
const PASSING_STATUS: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

export function isPassing(status: number): boolean {
  return PASSING_STATUS.has(status);
}

/**
 * A wait drawn evenly from 0 to min(delayMaxMs, delayFirstMs x 2^(failures - 1)). Drawn from the whole span ("full
 * jitter"), because clients that failed together would otherwise come back together: with it they need the least
 * work in all (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 *
 * @param failures attempts that failed so far, from 1
 * @param random a number from 0 to below 1
 */
export function backoffMs(
  failures: number,
  { delayFirstMs, delayMaxMs }: Pick<RetryOptions, "delayFirstMs" | "delayMaxMs">,
  random: number,
): number {
  return random * Math.min(delayMaxMs, delayFirstMs * 2 ** (failures - 1));
}

/** The wait that a `Retry-After` header asks for (RFC 9110, 10.2.3: seconds or a date); null without a valid one. */
export function retryAfterMs(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  if (/^\d+$/u.test(header)) return Number(header) * 1000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}
