/** What can come of a request instead of its answer; each has a `type` to switch on. */
import type { ErrorCode, Problem, RejectedEvent } from "@staunch/contract";

export type StaunchError = StaunchProblem | StaunchUnreachable | StaunchAnswerInvalid;

export function isStaunchError(error: unknown): error is StaunchError {
  return [StaunchProblem, StaunchUnreachable, StaunchAnswerInvalid].some((one) => error instanceof one);
}

/** The service refused, and said why in a problem document (RFC 9457). */
export class StaunchProblem extends Error {
  readonly type = "problem";
  /** Stable name of the mistake. A service that is newer than the client may know more of them. */
  readonly code: ErrorCode;
  readonly status: number;
  readonly title: string;
  /** What happened and what to do about it, one sentence. */
  readonly detail: string;
  /** The single mistakes, by JSON pointer or parameter; empty where the detail says it all. */
  readonly errors: NonNullable<Problem["errors"]>;
  /** Under which the service's log has the request. */
  readonly requestId: string;
  /** How long the service asks to wait before another try; null when it does not say. */
  readonly retryAfterMs: number | null;

  constructor(problem: Problem, retryAfterMs: number | null) {
    super(`${problem.code}: ${problem.detail}`);
    this.name = "StaunchProblem";
    this.code = problem.code;
    this.status = problem.status;
    this.title = problem.title;
    this.detail = problem.detail;
    this.errors = problem.errors ?? [];
    this.requestId = problem.request_id;
    this.retryAfterMs = retryAfterMs;
  }

  /** The events for which `events_rejected` took none; empty for every other code. */
  get rejected(): readonly RejectedEvent[] {
    if (this.code !== "events_rejected") return [];
    return this.errors.map(({ pointer = "", code = "", detail }) => {
      const [, index, field] = pointer.split("/", 3);
      return { index: Number(index), code, ...(field === undefined ? {} : { field }), detail };
    });
  }
}

/**
 * No answer came: the network failed or time ran out, as often as it was tried. Whether a write was taken is not
 * known; where there is a key, the same request under it tells without acting twice.
 */
export class StaunchUnreachable extends Error {
  readonly type = "unreachable";
  readonly reason: "network" | "timeout";
  /** Where the service was looked for, without the query. */
  readonly url: string;
  readonly attempts: number;
  /** The `Idempotency-Key` under which the request was sent; null when it had none. */
  readonly idempotencyKey: string | null;

  constructor(
    reason: "network" | "timeout",
    facts: { url: string; attempts: number; idempotencyKey: string | null; cause: unknown },
  ) {
    const url = facts.url.split("?", 1)[0]!;
    const tries = facts.attempts === 1 ? "one attempt" : `${facts.attempts} attempts`;
    super(`no answer ${reason === "timeout" ? "in time " : ""}from ${url} after ${tries}`, {
      cause: facts.cause,
    });
    this.name = "StaunchUnreachable";
    this.reason = reason;
    this.url = url;
    this.attempts = facts.attempts;
    this.idempotencyKey = facts.idempotencyKey;
  }
}

/** What answered is not the service, such as a proxy in between, or its answer does not fit the contract. */
export class StaunchAnswerInvalid extends Error {
  readonly type = "answer_invalid";
  readonly status: number;
  /** As in the problem document. */
  readonly retryAfterMs: number | null;

  constructor(status: number, detail: string, facts: { retryAfterMs?: number | null; cause?: unknown } = {}) {
    super(`status ${status}: ${detail}`, { cause: facts.cause });
    this.name = "StaunchAnswerInvalid";
    this.status = status;
    this.retryAfterMs = facts.retryAfterMs ?? null;
  }
}
