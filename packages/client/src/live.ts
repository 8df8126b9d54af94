/** Live updates: server-sent events over `fetch`, which unlike EventSource sends a key and tells why it failed. */
import { LiveFrame, LiveGap, ROUTES, type LIVE_TYPES, type LiveQuery } from "@staunch/contract";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import type { z } from "zod";
import type { Caller } from "./caller.ts";
import { isStaunchError, StaunchAnswerInvalid, StaunchUnreachable, type StaunchError } from "./errors.ts";
import { backoffMs, isPassing, RETRY_AFTER_MAX_MS } from "./retry.ts";
import { open, type CallOptions, type ClientClock, type Request } from "./transport.ts";

/** Longest event that is put together; the service sends far shorter ones. */
export const EVENT_CHARACTERS_MAX = 4 << 20;
/** A connection without a sign of life for so long is given up: three heartbeats of the service. */
export const IDLE_MAX_MS = 45_000;
/** New connections, one after the other, that may fail before the subscription gives up. */
export const RECONNECTS_MAX = 1_000;
/** Longest wait before a new connection. */
export const RECONNECT_DELAY_MAX_MS = 30_000;

/** What is wanted; all that are given must fit. */
export interface LiveFilter extends Omit<z.input<typeof LiveQuery>, "type"> {
  readonly types?: readonly (typeof LIVE_TYPES)[number][] | undefined;
}

export interface LiveOptions extends Omit<CallOptions, "idempotencyKey" | "ifMatch"> {
  /** Position of the last message that was seen; what came after it is told first. */
  readonly lastEventId?: number | undefined;
  /** {@link IDLE_MAX_MS} unless given. */
  readonly idleMaxMs?: number | undefined;
  /** {@link RECONNECTS_MAX} unless given; 0 leaves it at the first connection. */
  readonly reconnectsMax?: number | undefined;
  /** Told of every connection that failed or broke, and after how long the next is tried. */
  readonly onBreak?: ((failure: StaunchError, delayMs: number) => void) | undefined;
}

/** A `frame` tells what is new. A `gap` says that something was left out: the standings have to be read again. */
export type LiveMessage = ({ readonly type: "frame" } & LiveFrame) | ({ readonly type: "gap" } & LiveGap);

export interface LiveMethods {
  /**
   * Messages as they come, until the loop over them is left or the signal aborts. A connection that breaks is opened
   * again, and what came meanwhile is told then. Nothing is read ahead of the loop: for who is too slow the service
   * leaves out what is older, and says so with a `gap`.
   *
   * @throws StaunchProblem when the subscription is refused, StaunchUnreachable when it breaks too often
   */
  subscribe(filter?: LiveFilter, options?: LiveOptions): AsyncGenerator<LiveMessage, void>;
}

/** How far a subscription has come. */
interface Progress {
  lastEventId: number | undefined;
  /** As the service asks for it in its stream. */
  delayFirstMs: number;
}

const SCHEMAS = { frame: LiveFrame, gap: LiveGap } as const;

export function liveMethods(caller: Caller): LiveMethods {
  const { clock, random, retry } = caller;
  return {
    async *subscribe(filter = {}, options = {}) {
      const { signal, onBreak, reconnectsMax = RECONNECTS_MAX } = options;
      const progress: Progress = { lastEventId: options.lastEventId, delayFirstMs: retry.delayFirstMs };
      for (let failures = 1; ; failures++) {
        const openedMs = clock.now();
        try {
          yield* messagesOf(caller, filter, options, progress);
        } catch (error) {
          if (signal?.aborted === true) return;
          const asked = askedWaitMs(error);
          if (asked === null || failures > reconnectsMax) throw error;
          // What held for a while was sound, whatever had failed before it.
          if (clock.now() - openedMs > RECONNECT_DELAY_MAX_MS) failures = 1;
          const limits = { delayFirstMs: progress.delayFirstMs, delayMaxMs: RECONNECT_DELAY_MAX_MS };
          const delayMs = asked + backoffMs(failures, limits, random());
          onBreak?.(error as StaunchError, delayMs);
          if (!(await slept(clock, delayMs, signal))) return;
        }
      }
    },
  };
}

/** The messages of one connection; throws when it ends, for it has no end of its own. */
async function* messagesOf(
  caller: Caller,
  filter: LiveFilter,
  options: LiveOptions,
  progress: Progress,
): AsyncGenerator<LiveMessage, void> {
  const connection = new AbortController();
  const events: EventSourceMessage[] = [];
  const parser = createParser({
    maxBufferSize: EVENT_CHARACTERS_MAX,
    onEvent: (event) => void events.push(event),
    onRetry: (delayMs) => {
      progress.delayFirstMs = delayMs;
    },
    onError: (error) => {
      if (error.type === "max-buffer-size-exceeded")
        throw new StaunchAnswerInvalid(200, `an event of more than ${EVENT_CHARACTERS_MAX} characters`);
    },
  });
  try {
    const request = requestOf(caller, filter, options, progress, connection.signal);
    const stream = await open(request, caller);
    const decoder = new TextDecoder();
    for await (const bytes of chunksOf(stream, request.url, options.idleMaxMs ?? IDLE_MAX_MS)) {
      parser.feed(decoder.decode(bytes, { stream: true }));
      for (const event of events.splice(0)) {
        const message = messageOf(caller, event);
        if (event.id !== undefined) progress.lastEventId = Number(event.id);
        if (message !== null) yield message;
      }
    }
  } finally {
    connection.abort();
  }
}

function requestOf(
  caller: Caller,
  filter: LiveFilter,
  options: LiveOptions,
  { lastEventId }: Progress,
  connection: AbortSignal,
): Request {
  const { types, ...query } = filter;
  const seen = lastEventId === undefined ? {} : { "last-event-id": String(lastEventId) };
  const headers = { accept: "text/event-stream", ...seen, ...options.headers };
  const signal = options.signal === undefined ? connection : AbortSignal.any([options.signal, connection]);
  const parts = { query: { ...query, type: types?.join(",") } };
  return caller.request(ROUTES.live.subscribe, parts, { ...options, headers, signal });
}

/** What comes in, as it is asked for; throws when nothing comes for too long, and at the end. */
async function* chunksOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  url: string,
  idleMaxMs: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>, never> {
  const broken = (reason: "network" | "timeout", cause: unknown): StaunchUnreachable =>
    new StaunchUnreachable(reason, { url, attempts: 1, idempotencyKey: null, cause });
  const reader = stream.getReader();
  for (;;) {
    const { promise: idle, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(broken("timeout", null)), idleMaxMs);
    const reading = reader.read().catch((error: unknown) => Promise.reject(broken("network", error)));
    const { done, value } = await Promise.race([reading, idle]).finally(() => clearTimeout(timer));
    if (done) throw broken("network", new Error("the service ended the stream"));
    yield value;
  }
}

/** Null for an event of a type that this client does not know. */
function messageOf(caller: Caller, { event, data }: EventSourceMessage): LiveMessage | null {
  if (event !== "frame" && event !== "gap") return null;
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch (error) {
    throw new StaunchAnswerInvalid(200, `the data of a ${event} is not JSON`, { cause: error });
  }
  return { type: event, ...(caller.checked(SCHEMAS[event], value, 200) as object) } as LiveMessage;
}

/** How long a failure asks to wait, 0 if it does not say; null where another connection would fail as well. */
function askedWaitMs(error: unknown): number | null {
  if (!isStaunchError(error)) return null;
  if (error.type === "unreachable") return 0;
  const asked = error.retryAfterMs ?? 0;
  return isPassing(error.status) && asked <= RETRY_AFTER_MAX_MS ? asked : null;
}

/** False when the signal ended it. */
async function slept(clock: ClientClock, delayMs: number, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await clock.sleep(delayMs, signal);
    return true;
  } catch (error) {
    if (signal?.aborted === true) return false;
    throw error;
  }
}
