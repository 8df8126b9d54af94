/**
 * Taking in events: bytes of a request become one entry of the log, and the answer says which events it holds.
 *
 * Within a request the samples are folded first, then health reports, job outcomes and acts, each in the order in which
 * they were sent.
 * A rejected event never loses the others, unless the caller asked for all or nothing.
 */
import { EMPTY_ENTRY, type Decided, type Entry, type EntryResult } from "@staunch/engine";
import { undoneDetail } from "../acts.ts";
import type { Outcome, Partition, Refusal } from "../partition/partition.ts";
import type { Principal } from "../principal.ts";
import { readJson, readLines, readText, type BodyFlaw } from "./body.ts";
import { unwrapCloudEvent } from "./cloud-events.ts";
import { EventColumns } from "./decode.ts";
import { eventsAtMost, MetricScanner } from "./metric-scanner.ts";
import { refusedJob, type Rejection } from "./rejection.ts";
import { resolve, type Resolved } from "./resolve.ts";

/** Most events in one request, which is what one record of the log can hold. */
export const REQUEST_EVENTS_MAX = 16_384;
/** Rejections that are kept with the answer for a repeat; a million answers can be in memory. */
const REMEMBERED_REJECTIONS_MAX = 100;

export interface IngestRequest {
  readonly format: "json" | "ndjson" | "cloudevents" | "cloudevents-batch";
  readonly body: Uint8Array;
  /** Attributes of a CloudEvent in binary mode, whose body is the data; null for all other requests. */
  readonly attributes: { readonly [name: string]: string } | null;
  /** All or nothing. */
  readonly atomic: boolean;
  /** The client's key for this request, or "". */
  readonly idempotencyKey: string;
  /** Stable name of a sender with its own counter, or "" and 0. */
  readonly producer: string;
  readonly sequence: number;
  readonly principal: Principal;
}

export type IngestOutcome = Answer | Failure;

/** What became of the events. With `accepted` 0 nothing was written. */
export interface Answer {
  readonly type: "answered";
  readonly accepted: number;
  readonly rejected: number;
  /** In the order of the request; of a repeat perhaps fewer than `rejected`. */
  readonly rejections: readonly Rejection[];
  /** Ids of the penalties, rewards and reports given or revoked, by the place of their event. */
  readonly sanctions: readonly { readonly index: number; readonly id: string }[];
  /** A position in the log as of which the state has these events, and when it was logged (ms since 1970). */
  readonly position: number;
  readonly loggedAt: number;
  /** The request had been taken before and has changed nothing now. */
  readonly duplicate: boolean;
}

export type Failure =
  | BodyFlaw
  | { readonly type: "too_many_events"; readonly limit: number }
  /** Asked for all or nothing, and something is wrong: nothing was written. */
  | { readonly type: "atomic_rejected"; readonly rejections: readonly Rejection[] }
  | { readonly type: "idempotency_key_reused" }
  | { readonly type: "refused"; readonly refusal: Refusal };

export interface IngestOptions {
  /** A digest of bytes that nobody can find a second text for, such as SHA-256, as text. */
  readonly hash: (bytes: Uint8Array) => string;
}

/** What tells a repeat from a new request. */
type Identity = Pick<Entry, "producer" | "sequence" | "idempotencyKey" | "requestHash">;

/** The part of an answer that is known before the log has it: it is logged with the entry for a repeat. */
interface Remembered {
  readonly accepted: number;
  readonly rejected: number;
  readonly rejections: readonly Rejection[];
  readonly actIndexes: readonly number[];
  readonly jobIndexes: readonly number[];
}

export class Ingest {
  private readonly partition: Partition;
  private readonly hash: (bytes: Uint8Array) => string;

  constructor(partition: Partition, options: IngestOptions) {
    this.partition = partition;
    this.hash = options.hash;
  }

  /** Takes the events of one request. Resolves when they are durable and folded, or nothing will be. */
  async ingest(request: IngestRequest): Promise<IngestOutcome> {
    const identity = this.identityOf(request);
    const repeat = this.recall(identity);
    if (repeat !== null) return repeat;
    const text = readText(request.body);
    if (text.type !== "read") return text;
    if (request.format === "cloudevents" || request.format === "cloudevents-batch") {
      return this.ingestCloudEvents(request, text.value, identity);
    }
    const columns = decode(request.format, request.body, text.value, this.partition.now());
    return columns instanceof EventColumns ? this.write(columns, request, identity) : columns;
  }

  /**
   * The events of a batch are written each for itself, because each has its own identity: in whatever bundles they
   * are delivered again, none counts twice. Where the caller names the request or wants all or nothing, the request
   * is the unit.
   */
  private async ingestCloudEvents(
    request: IngestRequest,
    text: string,
    identity: Identity,
  ): Promise<IngestOutcome> {
    const parsed = readJson(text);
    if (parsed.type !== "read") return parsed;
    const data = request.attributes === null ? parsed.value : { ...request.attributes, data: parsed.value };
    const isBatch = request.format === "cloudevents-batch";
    const envelopes: readonly unknown[] = isBatch && Array.isArray(data) ? data : [data];
    if (envelopes.length > REQUEST_EVENTS_MAX) return { type: "too_many_events", limit: REQUEST_EVENTS_MAX };
    const isNamed = identity.idempotencyKey !== "" || identity.producer !== "";
    if (envelopes.length <= 1 || isNamed || request.atomic) {
      return this.writeEnvelopes(envelopes, request, isNamed ? identity : null);
    }
    // All are begun before the first is waited for, so that they share records of the log.
    const begun = envelopes.map((envelope) => this.writeEnvelopes([envelope], request, null));
    return joinOutcomes(await Promise.all(begun));
  }

  private async writeEnvelopes(
    envelopes: readonly unknown[],
    request: IngestRequest,
    named: Identity | null,
  ): Promise<IngestOutcome> {
    const columns = new EventColumns(envelopes.length, this.partition.now());
    const keys: string[] = [];
    for (const [index, envelope] of envelopes.entries()) {
      const unwrapped = unwrapCloudEvent(envelope);
      if (unwrapped.type === "flaw") {
        columns.reject(index, unwrapped.flaw, unwrapped.id);
      } else {
        keys.push(unwrapped.key);
        columns.add(unwrapped.event, index);
      }
    }
    const identity = named ?? this.identityOfEvents(keys, request.principal);
    return this.recall(identity) ?? this.write(columns, request, identity);
  }

  /** Resolves and queues without a pause in between, then waits for the log. */
  private async write(
    columns: EventColumns,
    request: IngestRequest,
    identity: Identity,
  ): Promise<IngestOutcome> {
    const { partition } = this;
    const draft = partition.draft();
    const { state } = partition;
    const resolved = resolve(columns, { state, draft, principal: request.principal, nowMs: partition.now() });
    const { rejections } = columns;
    if (request.atomic && rejections.length > 0) {
      draft.discard();
      return { type: "atomic_rejected", rejections };
    }
    const remembered: Remembered = {
      accepted: resolved.accepted,
      rejected: rejections.length,
      rejections,
      actIndexes: resolved.actIndexes,
      jobIndexes: resolved.jobs?.selection.some((number) => number !== 0) === true ? resolved.jobIndexes : [],
    };
    if (resolved.accepted === 0) {
      return answerOf(remembered, NONE, { position: state.position, loggedAt: state.now, duplicate: false });
    }
    const outcome = await partition.submit(entryOf(resolved, remembered, identity, draft.registrations));
    return this.answerTo(outcome, remembered);
  }

  private answerTo(outcome: Outcome, remembered: Remembered): IngestOutcome {
    if (outcome.type === "refused") return { type: "refused", refusal: outcome.refusal };
    const { result, position, loggedAt } = outcome;
    if (result.type === "applied")
      return answerOf(remembered, result, { position, loggedAt, duplicate: false });
    return repeatedAnswer(result, position, loggedAt);
  }

  /** The answer to a request that has been folded before; null for a new one. */
  private recall(identity: Identity): IngestOutcome | null {
    const { state } = this.partition;
    const result = state.memory.recall(identity);
    return result === null ? null : repeatedAnswer(result, state.position, state.now);
  }

  /** Names are kept apart by API key, so that no client can speak for, silence or overhear another. */
  private identityOf({ producer, sequence, idempotencyKey, body, principal }: IngestRequest): Identity {
    return {
      producer: producer === "" ? "" : `${principal.id}\n${producer}`,
      sequence,
      idempotencyKey: idempotencyKey === "" ? "" : `${principal.id}\n${idempotencyKey}`,
      requestHash: idempotencyKey === "" ? "" : this.hash(body),
    };
  }

  /** Source and id are the identity; another content under them is a repeat too, as CloudEvents has it. */
  private identityOfEvents(keys: readonly string[], principal: Principal): Identity {
    const idempotencyKey =
      keys.length === 0
        ? ""
        : `${principal.id}\ncloudevents\n${this.hash(new TextEncoder().encode(keys.join("\n")))}`;
    return { producer: "", sequence: 0, idempotencyKey, requestHash: "" };
  }
}

/** Columns of a body in our own formats. */
export function decode(
  format: "json" | "ndjson",
  body: Uint8Array,
  text: string,
  nowMs: number,
): EventColumns | Failure {
  if (format === "ndjson") return decodeLines(text, nowMs);
  return scanJson(body, text, nowMs) ?? decodeJson(text, nowMs);
}

/** A list of plain metric events, or null when it is anything else. ASCII has as many characters as bytes. */
function scanJson(body: Uint8Array, text: string, nowMs: number): EventColumns | null {
  if (text.length !== body.length) return null;
  const columns = new EventColumns(Math.min(eventsAtMost(body.length), REQUEST_EVENTS_MAX), nowMs);
  return new MetricScanner(body, text, columns).scanList() ? columns : null;
}

function decodeJson(text: string, nowMs: number): EventColumns | Failure {
  const parsed = readJson(text);
  if (parsed.type !== "read") return parsed;
  const items: readonly unknown[] = Array.isArray(parsed.value) ? parsed.value : [parsed.value];
  if (items.length > REQUEST_EVENTS_MAX) return { type: "too_many_events", limit: REQUEST_EVENTS_MAX };
  const columns = new EventColumns(items.length, nowMs);
  for (let index = 0; index < items.length; index++) columns.add(items[index], index);
  return columns;
}

function decodeLines(text: string, nowMs: number): EventColumns | Failure {
  const columns = new EventColumns(Math.min(countLines(text), REQUEST_EVENTS_MAX), nowMs);
  const end = readLines(text, REQUEST_EVENTS_MAX, (line, index) => {
    if (line.type === "read") columns.add(line.value, index);
    else if (line.type === "malformed_json")
      columns.reject(index, { code: line.type, field: null, detail: line.detail }, null);
  });
  return end === "complete" ? columns : { type: "too_many_events", limit: REQUEST_EVENTS_MAX };
}

function countLines(text: string): number {
  let count = 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

function entryOf(
  resolved: Resolved,
  remembered: Remembered,
  identity: Identity,
  registrations: Entry["registrations"],
): Entry {
  const rejections = remembered.rejections.slice(0, REMEMBERED_REJECTIONS_MAX);
  const answer = identity.idempotencyKey === "" ? "" : JSON.stringify({ ...remembered, rejections });
  return {
    ...EMPTY_ENTRY,
    ...identity,
    answer,
    registrations,
    samples: resolved.samples,
    jobs: resolved.jobs,
    health: resolved.health,
    acts: resolved.acts,
  };
}

/** A repeated sequence has no answer on record: its producer knows what it sent. */
const NOTHING: Remembered = { accepted: 0, rejected: 0, rejections: [], actIndexes: [], jobIndexes: [] };
const NONE: Decided = { acts: [], refusedJobs: [], selections: [] };

function repeatedAnswer(result: EntryResult, position: number, loggedAt: number): IngestOutcome {
  if (result.type === "key_reused") return { type: "idempotency_key_reused" };
  if (result.type === "applied") throw new Error("what was applied is no repeat");
  const remembered = result.answer === "" ? NOTHING : (JSON.parse(result.answer) as Remembered);
  return answerOf(remembered, result, { position, loggedAt, duplicate: true });
}

/** Acts, and outcomes of selections, are decided when they are applied: those that came to nothing count as rejected. */
function answerOf(
  { accepted, rejected, rejections, actIndexes, jobIndexes }: Remembered,
  { acts, refusedJobs }: Decided,
  when: Pick<Answer, "position" | "loggedAt" | "duplicate">,
): Answer {
  const failed: Rejection[] = refusedJobs.map(({ row, code }) => ({
    index: jobIndexes[row]!,
    id: null,
    ...refusedJob(code),
  }));
  const sanctions: { index: number; id: string }[] = [];
  for (const [place, result] of acts.entries()) {
    const index = actIndexes[place]!;
    if (result.type !== "done") {
      failed.push({ index, id: null, code: result.type, field: null, detail: undoneDetail(result) });
    } else if (result.id !== null) {
      sanctions.push({ index, id: result.id });
    }
  }
  return {
    type: "answered",
    accepted: accepted - failed.length,
    rejected: rejected + failed.length,
    rejections:
      failed.length === 0 ? rejections : [...rejections, ...failed].toSorted((a, b) => a.index - b.index),
    sanctions,
    ...when,
  };
}

/** One answer for events that were written each for itself. */
function joinOutcomes(outcomes: readonly IngestOutcome[]): IngestOutcome {
  const answers = outcomes.filter((outcome) => outcome.type === "answered");
  const firstFailure = outcomes.find((outcome) => outcome.type !== "answered");
  if (answers.length === 0 && firstFailure !== undefined) return firstFailure;
  const rejections: Rejection[] = [];
  const sanctions: { index: number; id: string }[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.type === "answered") {
      for (const rejection of outcome.rejections) rejections.push({ ...rejection, index });
      for (const { id } of outcome.sanctions) sanctions.push({ index, id });
    } else {
      const detail = "the log took no more events; send this one again";
      rejections.push({ index, id: null, code: "not_written", field: null, detail });
    }
  }
  return {
    type: "answered",
    accepted: answers.reduce((sum, { accepted }) => sum + accepted, 0),
    rejected: answers.reduce((sum, { rejected }) => sum + rejected, 0) + outcomes.length - answers.length,
    rejections,
    sanctions,
    position: Math.max(...answers.map(({ position }) => position), 0),
    loggedAt: Math.max(...answers.map(({ loggedAt }) => loggedAt), 0),
    duplicate: answers.length > 0 && answers.every(({ duplicate }) => duplicate),
  };
}
