/** What the engine thread and the writer thread say to each other. */
import type {
  AppendRequest,
  AppendResult,
  ClaimRequest,
  ClaimResult,
  OpenRefusal,
  Tail,
} from "../../ports/log.ts";
import type { ChainLink } from "../../ports/log-record.ts";
import type { Chunk, TrimChunk } from "./record-store.ts";

export interface WriterOptions {
  readonly directory: string;
  /** Position up to which the log is known to be good; null: open even when damaged. */
  readonly verifyAfter: number | null;
}

/** First message of the writer. */
export type OpenReply = { readonly type: "opened"; readonly tail: Tail } | OpenRefusal;

/** Each kind of request with what it answers. */
export interface Exchanges {
  append: { request: AppendRequest; reply: AppendResult };
  claim: { request: ClaimRequest; reply: ClaimResult };
  tail: { request: null; reply: Tail };
  /** `bodies` false: the records are verified and counted but their bodies stay with the writer. */
  read: {
    request: { from: number; to: number; previous: ChainLink | null; bodies: boolean };
    reply: Chunk;
  };
  positionBefore: { request: number; reply: number };
  trim: { request: { from: number; upTo: number }; reply: TrimChunk };
  close: { request: null; reply: null };
}

export type Verb = keyof Exchanges;
export type RequestMessage = { [V in Verb]: { id: number; verb: V; request: Exchanges[V]["request"] } }[Verb];

export type ReplyMessage =
  | { readonly id: number; readonly type: "reply"; readonly reply: unknown }
  /** A broken assertion in the writer. */
  | { readonly id: number; readonly type: "error"; readonly message: string };
