/**
 * `POST /api/events`. The one route that Fastify neither parses nor validates: the bytes of the body go to the
 * decoder as they came, which is what the throughput rests on.
 */
import { EVENT_ERRORS, type IngestResult } from "@staunch/contract";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Answer, Ingest, IngestOutcome, IngestRequest } from "../app/ingest/ingest.ts";
import type { Rejection } from "../app/ingest/rejection.ts";
import { callerOf } from "./access.ts";
import { HttpProblem, refusalProblem, sendError } from "./problem.ts";
import { routeOf } from "./route.ts";
import { jsonPointer, RequestInvalid } from "./validation.ts";

export interface IngestRoutesOptions {
  readonly ingest: Ingest;
  /** Largest body with one CloudEvent, and with anything else. */
  readonly bodyMaxBytes: number;
  readonly batchBodyMaxBytes: number;
}

const FORMATS: ReadonlyMap<string, IngestRequest["format"]> = new Map([
  ["application/json", "json"],
  ["application/x-ndjson", "ndjson"],
  ["application/cloudevents+json", "cloudevents"],
  ["application/cloudevents-batch+json", "cloudevents-batch"],
]);
const NAME_LENGTH_MAX = 256;
/** Attributes of a CloudEvent in binary mode, as the specification limits their names. */
const ATTRIBUTE_HEADER = /^ce-([a-z0-9]{1,20})$/u;

/** A plugin, so that its parsers are seen by its route only: `server.register(ingestRoutes, options)`. */
export async function ingestRoutes(server: FastifyInstance, options: IngestRoutesOptions): Promise<void> {
  const { ingest, bodyMaxBytes, batchBodyMaxBytes } = options;
  server.removeAllContentTypeParsers();
  for (const [type, format] of FORMATS) {
    const bodyLimit = format === "cloudevents" ? bodyMaxBytes : batchBodyMaxBytes;
    server.addContentTypeParser(type, { parseAs: "buffer", bodyLimit }, (_request, body, done) =>
      done(null, body),
    );
  }
  server.route({
    // The schemas are for the reference; the decoder does what they say.
    ...routeOf("events", "ingest"),
    validatorCompiler: () => () => true,
    serializerCompiler: () => JSON.stringify,
    errorHandler: (error, request, reply) => void sendError(error, request, reply),
    handler: async (request, reply) => sendOutcome(await ingest.ingest(requestOf(request)), request, reply),
  });
}

function requestOf(request: FastifyRequest): IngestRequest {
  const { headers } = request;
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    throw new HttpProblem(
      "media_type_unsupported",
      `send the body without Content-Encoding, not as ${encoding}`,
    );
  }
  const type = (headers["content-type"] ?? "").split(";", 1)[0]!.trim().toLowerCase();
  // A request without a body needs no type and has passed the parsers.
  const format = FORMATS.get(type) ?? "json";
  const isBinary = format === "json" && "ce-specversion" in headers;
  const producer = nameHeader(request, "staunch-producer");
  return {
    format: isBinary ? "cloudevents" : format,
    body: (request.body as Buffer | null | undefined) ?? new Uint8Array(0),
    attributes: isBinary ? attributesOf(headers) : null,
    atomic: isAtomic(request.query as { readonly [name: string]: unknown }),
    idempotencyKey: nameHeader(request, "idempotency-key"),
    producer,
    sequence: sequenceOf(request, producer),
    principal: callerOf(request),
  };
}

function isAtomic(query: { readonly [name: string]: unknown }): boolean {
  for (const [parameter, value] of Object.entries(query)) {
    if (parameter !== "atomic")
      throw invalid(parameter, `unknown parameter ${parameter.slice(0, 64)}; there is atomic`);
    if (value !== "true" && value !== "false") throw invalid(parameter, "atomic must be true or false");
  }
  return query["atomic"] === "true";
}

function nameHeader({ headers }: FastifyRequest, name: string): string {
  const value = headers[name] as string | undefined;
  if (value === undefined) return "";
  // Headers come without control characters and cut to size already; what is left is to be of use as a name.
  if (value === "" || value.length > NAME_LENGTH_MAX)
    throw invalid(name, `${name} must have 1 to ${NAME_LENGTH_MAX} characters`);
  return value;
}

function sequenceOf({ headers }: FastifyRequest, producer: string): number {
  const value = headers["staunch-sequence"] as string | undefined;
  if (value === undefined && producer === "") return 0;
  const sequence = /^\d{1,16}$/u.test(value ?? "") ? Number(value) : 0;
  if (producer !== "" && sequence >= 1 && Number.isSafeInteger(sequence)) return sequence;
  const detail =
    "staunch-producer and staunch-sequence belong together; the sequence counts 1, 2, 3 ... up to 2^53 - 1";
  throw invalid("staunch-sequence", detail);
}

function attributesOf(headers: FastifyRequest["headers"]): { readonly [name: string]: string } {
  const attributes: { [name: string]: string } = {};
  for (const [header, value] of Object.entries(headers)) {
    const name = ATTRIBUTE_HEADER.exec(header)?.[1];
    if (name !== undefined && typeof value === "string") attributes[name] = percentDecoded(value);
  }
  return attributes;
}

/** Values are percent-encoded where they are more than printable ASCII; a stray percent sign stands for itself. */
function percentDecoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function sendOutcome(outcome: IngestOutcome, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  switch (outcome.type) {
    case "answered":
      if (outcome.accepted === 0 && outcome.rejected > 0)
        return sendRejected(outcome.rejections, request, reply);
      return reply.type("application/json; charset=utf-8").send(answerText(outcome));
    case "atomic_rejected":
      return sendRejected(outcome.rejections, request, reply);
    case "empty_body":
      throw new HttpProblem("malformed_json", "the body is empty; send a list of events");
    case "malformed_json":
      throw new HttpProblem("malformed_json", outcome.detail);
    case "too_many_events":
      return sendEventError(
        "too_many_events",
        `a request has at most ${outcome.limit} events; split it`,
        [],
        request,
        reply,
      );
    case "idempotency_key_reused":
      throw new HttpProblem("idempotency_key_reused", "the key came with another body before; use a new key");
    case "refused":
      throw refusalProblem(outcome.refusal);
  }
}

function answerText(answer: Answer): string {
  const { accepted, rejected, rejections, sanctions, position, loggedAt, duplicate } = answer;
  const results = rejections.length === 0 ? "[]" : JSON.stringify(rejections.map(rejectedEvent));
  let text = `{"accepted":${accepted},"rejected":${rejected},"results":${results}`;
  if (rejections.length < rejected) text += `,"results_omitted":${rejected - rejections.length}`;
  if (sanctions.length > 0) text += `,"sanctions":${JSON.stringify(sanctions)}`;
  text += `,"position":${position},"logged_at":"${new Date(loggedAt).toISOString()}"`;
  return duplicate ? `${text},"duplicate":true}` : `${text}}`;
}

function rejectedEvent({ index, id, code, field, detail }: Rejection): IngestResult["results"][number] {
  return { index, ...(id === null ? {} : { id }), code, ...(field === null ? {} : { field }), detail };
}

/** Nothing was written. Where only the role is wrong, the answer is that of every other route. */
function sendRejected(
  rejections: readonly Rejection[],
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const first = rejections[0]!;
  if (rejections.every(({ code }) => code === "role_not_allowed"))
    throw new HttpProblem("role_not_allowed", first.detail);
  const others = rejections.length === 1 ? "" : ` (and ${rejections.length - 1} more)`;
  return sendEventError(
    "events_rejected",
    `event ${first.index}: ${first.detail}${others}`,
    rejections,
    request,
    reply,
  );
}

function sendEventError(
  code: keyof typeof EVENT_ERRORS,
  detail: string,
  rejections: readonly Rejection[],
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { status, title } = EVENT_ERRORS[code];
  const errors = rejections.map((rejection) => ({
    pointer: jsonPointer(rejection.field === null ? [rejection.index] : [rejection.index, rejection.field]),
    code: rejection.code,
    detail: rejection.detail,
  }));
  const document = {
    type: `urn:staunch:error:${code}`,
    title,
    status,
    code,
    detail,
    errors,
    request_id: request.id,
  };
  return reply.code(status).type("application/problem+json").send(JSON.stringify(document));
}

function invalid(parameter: string, detail: string): RequestInvalid {
  return new RequestInvalid([{ parameter, detail }]);
}
