/** Routes as requests: addresses, headers and bodies made, answers read and checked. */
import type { Route } from "@staunch/contract";
import type { z } from "zod";
import { StaunchAnswerInvalid } from "./errors.ts";
import { RETRY_DEFAULTS, type RetryOptions } from "./retry.ts";
import {
  send,
  TIMEOUT_MS,
  type CallOptions,
  type ClientClock,
  type Fetch,
  type Request,
  type TransportOptions,
} from "./transport.ts";

export interface ClientOptions {
  /** Where the service answers, for example `http://127.0.0.1:8080`; a path in front of it stays. */
  readonly baseUrl: string;
  /** Sent as `Authorization: Bearer`; without one only public routes answer. */
  readonly apiKey?: string | undefined;
  /** Instead of the platform's own, for example to go through a proxy. */
  readonly fetch?: Fetch | undefined;
  readonly clock?: ClientClock | undefined;
  /** A number from 0 to below 1, by which waits are spread. */
  readonly random?: (() => number) | undefined;
  readonly retry?: Partial<RetryOptions> | undefined;
  /** For one attempt; {@link TIMEOUT_MS} unless given. */
  readonly timeoutMs?: number | undefined;
  /** Holds every answer to its schema: one that does not fit is thrown as {@link StaunchAnswerInvalid}. */
  readonly validate?: boolean | undefined;
}

/** What the methods need of the client that they belong to. */
export interface Caller extends TransportOptions {
  /** The request of a route, to which authorization and limits of the client are added. */
  readonly request: (route: Route, parts: RequestParts, options: CallOptions) => Request;
  /** The answer, read and where it is wanted checked. */
  readonly call: (route: Route, parts: RequestParts, options: CallOptions) => Promise<unknown>;
  /** Checks a value against its schema where that is wanted, and gives it back as it is. */
  readonly checked: <Value>(schema: z.ZodType, value: Value, status: number) => Value;
}

export interface RequestParts {
  readonly path?: { readonly [name: string]: unknown };
  readonly query?: { readonly [name: string]: unknown };
  readonly body?: Request["body"];
  readonly contentType?: string;
}

/** Lays the options over the defaults. */
export function callerOf(options: ClientOptions): Caller {
  const { baseUrl, apiKey, clock = systemClock, random = Math.random, validate = false } = options;
  const base = baseUrl.replace(/\/+$/u, "");
  const retry = { ...RETRY_DEFAULTS, ...options.retry };
  // Called by its own name, because browsers refuse it as a method of another object.
  const transport = { fetch: options.fetch ?? ((url, init) => fetch(url, init)), clock, random, retry };
  const checked: Caller["checked"] = (schema, value, status) => {
    if (!validate) return value;
    const { error } = schema.safeParse(value);
    if (error === undefined) return value;
    throw new StaunchAnswerInvalid(status, `the answer does not fit the contract: ${error.message}`, {
      cause: error,
    });
  };
  const request: Caller["request"] = (route, parts, call) => ({
    method: route.method,
    url: base + pathOf(route, parts.path ?? {}) + queryOf(parts.query ?? {}),
    headers: { ...headersOf(route, parts, call), ...authorization(apiKey), ...call.headers },
    body: parts.body ?? null,
    isRepeatable: route.method === "GET" || route.repeat !== undefined,
    isAnswer: (status) => status !== 304 && status in route.responses,
    signal: call.signal,
    timeoutMs: call.timeoutMs ?? options.timeoutMs ?? TIMEOUT_MS,
  });
  const call: Caller["call"] = async (route, parts, callOptions) => {
    const { status, text } = await send(request(route, parts, callOptions), transport);
    const value = route.mediaType === undefined ? jsonOf(text, status) : text;
    return checked(route.responses[status]!, value, status);
  };
  return { ...transport, request, call, checked };
}

function pathOf(route: Route, values: { readonly [name: string]: unknown }): string {
  return route.path.replaceAll(/\{(\w+)\}/gu, (_, name: string) => {
    const value = String(values[name]);
    // Addresses are resolved before they are sent, so that these would ask for something else.
    if (value === "." || value === "..")
      throw new RangeError(`${name}: ${value} cannot be written in a path`);
    return encodeURIComponent(value);
  });
}

function queryOf(values: { readonly [name: string]: unknown }): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  if (given.length === 0) return "";
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()}`;
}

function headersOf(
  route: Route,
  { contentType }: RequestParts,
  { ifMatch, idempotencyKey }: CallOptions,
): { readonly [name: string]: string } {
  const version = ifMatch === null ? { "if-none-match": "*" } : { "if-match": `"${ifMatch}"` };
  return {
    ...(contentType === undefined ? {} : { "content-type": contentType }),
    ...(ifMatch === undefined ? {} : version),
    ...(route.repeat === "keyed" ? { "idempotency-key": idempotencyKey ?? randomKey() } : {}),
  };
}

function authorization(apiKey: string | undefined): { readonly [name: string]: string } {
  return apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
}

/** 128 bits in hexadecimal digits; `crypto.randomUUID` is not there on pages that came without TLS. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function jsonOf(text: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new StaunchAnswerInvalid(status, "the answer is not JSON", { cause: error });
  }
}

const systemClock: ClientClock = {
  now: () => Date.now(),
  sleep: (delayMs, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = (): void => reject(signal?.reason);
    const timer = setTimeout(resolve, delayMs);
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted === true) stop();
    return promise.finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    });
  },
};
