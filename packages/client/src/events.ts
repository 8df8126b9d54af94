/** Sending events. */
import { EVENTS_MAX, ROUTES, type Event, type IngestResult } from "@staunch/contract";
import type { z } from "zod";
import type { Caller } from "./caller.ts";
import { StaunchProblem } from "./errors.ts";
import type { CallOptions } from "./transport.ts";

/** Events that one request of {@link EventMethods.ingestAll} carries, unless it is told otherwise. */
export const BATCH_EVENTS = 1_000;

/** An event as it is sent. */
export type EventInput = z.input<typeof Event>;

export interface IngestOptions extends CallOptions {
  /** All events are taken or none; unless set, a wrong event does not keep the others out. */
  readonly atomic?: boolean | undefined;
}

/** What became of one batch; places count from the first event of all. */
export type BatchResult = Pick<IngestResult, "accepted" | "rejected" | "results">;

export interface EventMethods {
  /**
   * Sends one event, a list of at most {@link EVENTS_MAX}, or NDJSON as text or bytes. The answer comes when they are
   * durable and counted.
   *
   * @throws StaunchProblem with the code `events_rejected` when none was taken; its `rejected` tells why
   */
  ingest(
    events: EventInput | readonly EventInput[] | string | Uint8Array<ArrayBuffer>,
    options?: IngestOptions,
  ): Promise<IngestResult>;

  /**
   * Sends any number of events, one request after the other, and tells what became of each. It takes events from the
   * source only as fast as they are sent. Stops at the first request that fails for another reason than its events.
   *
   * @param options.batchEvents events in one request, 1 to {@link EVENTS_MAX}
   */
  ingestAll(
    events: Iterable<EventInput> | AsyncIterable<EventInput>,
    options?: Omit<IngestOptions, "idempotencyKey"> & { readonly batchEvents?: number },
  ): AsyncGenerator<BatchResult>;
}

export function eventMethods(caller: Caller): EventMethods {
  const ingest: EventMethods["ingest"] = (events, { atomic = false, ...options } = {}) => {
    const isLines = typeof events === "string" || events instanceof Uint8Array;
    const body = isLines ? events : JSON.stringify(events);
    const contentType = isLines ? "application/x-ndjson" : "application/json";
    const parts = { body, contentType, query: { atomic: atomic ? "true" : undefined } };
    return caller.call(ROUTES.events.ingest, parts, options) as Promise<IngestResult>;
  };
  return {
    ingest,
    async *ingestAll(events, { batchEvents = BATCH_EVENTS, ...options } = {}) {
      if (!(batchEvents >= 1 && batchEvents <= EVENTS_MAX))
        throw new RangeError(`batchEvents must be 1 to ${EVENTS_MAX}`);
      let sent = 0;
      for await (const batch of batchesOf(events, batchEvents)) {
        yield shifted(await resultOf(ingest(batch, options), batch.length), sent);
        sent += batch.length;
      }
    },
  };
}

async function* batchesOf<Item>(
  source: Iterable<Item> | AsyncIterable<Item>,
  size: number,
): AsyncGenerator<Item[]> {
  let batch: Item[] = [];
  for await (const item of source) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** A batch of which nothing was taken is no reason to stop: the next may be better. */
async function resultOf(sending: Promise<IngestResult>, count: number): Promise<BatchResult> {
  try {
    return await sending;
  } catch (error) {
    if (!(error instanceof StaunchProblem) || error.code !== "events_rejected") throw error;
    return { accepted: 0, rejected: count, results: [...error.rejected] };
  }
}

function shifted({ accepted, rejected, results }: BatchResult, by: number): BatchResult {
  return { accepted, rejected, results: results.map((one) => ({ ...one, index: one.index + by })) };
}
