/** Errors as problem documents (RFC 9457), and nothing else: no stack traces, no words of the framework. */
import { ERRORS, type ErrorCode, type Problem } from "@staunch/contract";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { Refusal } from "../app/partition/partition.ts";
import { RequestInvalid } from "./validation.ts";

type ProblemErrors = NonNullable<Problem["errors"]>;

/** What a handler throws to answer with a problem. */
export class HttpProblem extends Error {
  readonly code: ErrorCode;
  readonly errors: ProblemErrors;
  readonly headers: { readonly [name: string]: string };

  /** @param detail what happened and what to do, one sentence */
  constructor(
    code: ErrorCode,
    detail: string,
    more: { errors?: ProblemErrors; headers?: { readonly [name: string]: string } } = {},
  ) {
    super(detail);
    this.name = "HttpProblem";
    this.code = code;
    this.errors = more.errors ?? [];
    this.headers = more.headers ?? {};
  }
}

/** Seconds after which a request that was refused for lack of room in the queue is worth another try. */
const RETRY_SECONDS = 1;

/** Why nothing was written, as a problem. */
export function refusalProblem(refusal: Refusal): HttpProblem {
  switch (refusal.type) {
    case "full":
      return new HttpProblem("storage_full", "the disk is full; make room and send the same request again");
    case "stopped":
      return new HttpProblem("storage_stopped", `nothing is written until a restart: ${refusal.detail}`);
    case "overloaded": {
      const headers = { "retry-after": String(RETRY_SECONDS) };
      return new HttpProblem("overloaded", "too much is waiting; send the same request again", { headers });
    }
    case "closing":
      return new HttpProblem("closing", "the service is shutting down; send the same request again later");
  }
}

/** The document of a problem. */
export function problemDocument(problem: HttpProblem, requestId: string): Problem {
  const { status, title } = ERRORS[problem.code];
  return {
    type: `urn:staunch:error:${problem.code}`,
    title,
    status,
    code: problem.code,
    detail: problem.message,
    ...(problem.errors.length > 0 ? { errors: problem.errors } : {}),
    request_id: requestId,
  };
}

/** Answers any error; what nobody expected is logged and answered without its words. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = error instanceof HttpProblem ? error : problemOf(error as FastifyError, request);
  if (problem.code === "internal_error") request.log.error({ err: error }, "request failed");
  return reply
    .code(ERRORS[problem.code].status)
    .headers(problem.headers)
    .type("application/problem+json")
    .serializer(JSON.stringify)
    .send(problemDocument(problem, request.id));
}

/** What the framework and its parsers throw. */
function problemOf(error: FastifyError, request: FastifyRequest): HttpProblem {
  if (error instanceof RequestInvalid) {
    return new HttpProblem("request_invalid", error.message, { errors: [...error.errors] });
  }
  switch (error.code) {
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE": {
      const given = request.headers["content-type"];
      const detail = given === undefined ? "the body has no Content-Type" : `${given} is not taken here`;
      return new HttpProblem("media_type_unsupported", `${detail}; /docs tells what each route takes`);
    }
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new HttpProblem("body_too_large", "the body is larger than this route takes; split the request");
    case "FST_ERR_MAX_PARAM_LENGTH":
      return new HttpProblem("url_too_long", "a part of the path is longer than any id can be");
    case "FST_ERR_BAD_URL":
      return new HttpProblem("malformed_request", "the percent encoding of the path cannot be read");
    case "FST_STATIC_FORBIDDEN_PATH":
      // The files of the reference page; which paths are out of bounds there is nobody's business.
      return new HttpProblem("route_not_found", "nothing answers here; /docs lists all routes");
    // The client hung up within its body: no fault of ours, and nobody is left to read the answer.
    case "ECONNRESET":
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return new HttpProblem("malformed_request", "the body has not the length that Content-Length says");
    default:
      return new HttpProblem(
        "internal_error",
        "something is wrong on our side; the log has the cause under request_id",
      );
  }
}
