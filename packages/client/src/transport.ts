/** Requests over `fetch`: authorization, time limits, repeats, and failures as errors with a type. */
import type { Problem } from "@staunch/contract";
import {
  isStaunchError,
  StaunchAnswerInvalid,
  StaunchProblem,
  StaunchUnreachable,
  type StaunchError,
} from "./errors.ts";
import { backoffMs, isPassing, RETRY_AFTER_MAX_MS, retryAfterMs, type RetryOptions } from "./retry.ts";

/** An attempt that takes longer is given up, unless the client or the call says otherwise. */
export const TIMEOUT_MS = 30_000;
/** Of an answer that is not the service's, in the message of the error. */
const EXCERPT_CHARACTERS = 200;

/** Time as the client sees it; tests hand in their own. */
export interface ClientClock {
  /** Ms since 1970. */
  now(): number;
  /** Resolves after so long, and rejects with the signal's reason as soon as that aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** What every method takes beside its input. */
export interface CallOptions {
  /** Ends the call, attempts to come included. */
  readonly signal?: AbortSignal | undefined;
  /** For one attempt, its answer included. */
  readonly timeoutMs?: number | undefined;
  /** Names the request where the route takes a key; one is made up unless given. 1 to 255 visible ASCII characters. */
  readonly idempotencyKey?: string | undefined;
  /** Version that a write replaces, as its `hash` was answered; null: there is none yet. */
  readonly ifMatch?: string | null | undefined;
  /** Further headers, for example `staunch-producer` and `staunch-sequence`. */
  readonly headers?: { readonly [name: string]: string } | undefined;
}

export interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
  readonly body: string | Uint8Array<ArrayBuffer> | null;
  /** Whether it may be sent again when it is not known what became of it. */
  readonly isRepeatable: boolean;
  /** Statuses whose bodies are answers. */
  readonly isAnswer: (status: number) => boolean;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
}

/** The part of `fetch` that is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface TransportOptions {
  readonly fetch: Fetch;
  readonly clock: ClientClock;
  /** A number from 0 to below 1. */
  readonly random: () => number;
  readonly retry: RetryOptions;
}

/** An answer with its whole body. */
export interface Answered {
  readonly status: number;
  readonly text: string;
}

/**
 * The answer to a request, which is sent again as long as that may help.
 *
 * @throws StaunchProblem, StaunchUnreachable, StaunchAnswerInvalid, or the reason of the caller's signal
 */
export async function send(request: Request, options: TransportOptions): Promise<Answered> {
  const { clock, random, retry } = options;
  for (let attempts = 1; ; attempts++) {
    const result = await attempt(request, attempts, options);
    if (!(result instanceof Error)) return result;
    const asked = "retryAfterMs" in result ? (result.retryAfterMs ?? 0) : 0;
    const mayHelp = request.isRepeatable && (result.type === "unreachable" || isPassing(result.status));
    if (!mayHelp || attempts >= retry.attemptsMax || asked > RETRY_AFTER_MAX_MS) throw result;
    // On top of what was asked for, so that all who were sent away do not come back at once.
    await clock.sleep(asked + backoffMs(attempts, retry, random()), request.signal);
  }
}

/**
 * The body of an answer as it comes in; one attempt. The time limit is for its beginning, the signal for all of it.
 *
 * @throws as {@link send}
 */
export async function open(
  request: Request,
  options: TransportOptions,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), request.timeoutMs);
  try {
    const response = await begin(request, timeout.signal, options);
    if (response.ok && response.body !== null) return response.body;
    throw refusal(response, await response.text(), options.clock.now());
  } catch (error) {
    throw failureOf(error, { isLate: timeout.signal.aborted, attempts: 1, request });
  } finally {
    clearTimeout(timer);
  }
}

async function attempt(
  request: Request,
  attempts: number,
  options: TransportOptions,
): Promise<Answered | StaunchError> {
  const timeout = AbortSignal.timeout(request.timeoutMs);
  try {
    const response = await begin(request, timeout, options);
    const text = await response.text();
    const { status } = response;
    if (request.isAnswer(status) && !isProblem(response)) return { status, text };
    return refusal(response, text, options.clock.now());
  } catch (error) {
    return failureOf(error, { isLate: timeout.aborted, attempts, request });
  }
}

function begin(request: Request, timeout: AbortSignal, options: TransportOptions): Promise<Response> {
  const { method, url, headers, body } = request;
  const signal = request.signal === undefined ? timeout : AbortSignal.any([request.signal, timeout]);
  return options.fetch(url, { method, headers, body, signal });
}

/** What was thrown on the way to an answer; what the caller's own signal ended is thrown on as it is. */
function failureOf(
  error: unknown,
  { isLate, attempts, request }: { isLate: boolean; attempts: number; request: Request },
): StaunchError {
  if (request.signal?.aborted === true) throw error;
  if (isStaunchError(error)) return error;
  const idempotencyKey = request.headers["idempotency-key"] ?? null;
  const facts = { url: request.url, attempts, idempotencyKey, cause: error };
  return new StaunchUnreachable(isLate ? "timeout" : "network", facts);
}

function refusal(response: Response, text: string, nowMs: number): StaunchProblem | StaunchAnswerInvalid {
  const wait = retryAfterMs(response.headers.get("retry-after"), nowMs);
  const document = isProblem(response) ? (parsed(text) as Partial<Problem> | null) : null;
  if (typeof document?.code === "string") return new StaunchProblem(document as Problem, wait);
  const excerpt = text.slice(0, EXCERPT_CHARACTERS).replaceAll(/\s+/gu, " ");
  return new StaunchAnswerInvalid(response.status, `not an answer of the service: ${excerpt}`, {
    retryAfterMs: wait,
  });
}

function isProblem(response: Response): boolean {
  return response.headers.get("content-type")?.startsWith("application/problem+json") === true;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
