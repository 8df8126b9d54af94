/** Typed client of the Staunch REST interface, for Node and browsers. */
export type { ClientOptions } from "./caller.ts";
export { createClient, type AnswerOf, type Client, type InputOf } from "./client.ts";
export {
  isStaunchError,
  StaunchAnswerInvalid,
  StaunchProblem,
  StaunchUnreachable,
  type StaunchError,
} from "./errors.ts";
export { BATCH_EVENTS, type BatchResult, type EventInput, type IngestOptions } from "./events.ts";
export {
  EVENT_CHARACTERS_MAX,
  IDLE_MAX_MS,
  RECONNECT_DELAY_MAX_MS,
  RECONNECTS_MAX,
  type LiveFilter,
  type LiveMessage,
  type LiveOptions,
} from "./live.ts";
export { items, pages } from "./paging.ts";
export { RETRY_AFTER_MAX_MS, RETRY_DEFAULTS, type RetryOptions } from "./retry.ts";
export { TIMEOUT_MS, type CallOptions, type ClientClock, type Fetch } from "./transport.ts";
