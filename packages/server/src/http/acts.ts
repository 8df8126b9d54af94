/** What acts share on the wire: the idempotency key, and what can become of them. */
import type { FastifyRequest } from "fastify";
import { createHash } from "node:crypto";
import { NOT_IDEMPOTENT, undoneDetail, type ActOutcome, type Idempotency } from "../app/acts.ts";
import { callerOf } from "./access.ts";
import { HttpProblem, refusalProblem } from "./problem.ts";

const KEY = /^[\x21-\x7e]{1,255}$/u;

/** The request's `Idempotency-Key`, which counts for its caller and this very request only. */
export function idempotencyOf(request: FastifyRequest): Idempotency {
  const key = request.headers["idempotency-key"];
  if (key === undefined) return NOT_IDEMPOTENT;
  if (typeof key !== "string" || !KEY.test(key)) {
    const errors = [{ parameter: "Idempotency-Key", detail: "must be 1 to 255 visible ASCII characters" }];
    throw new HttpProblem("request_invalid", errors[0]!.detail, { errors });
  }
  const content = JSON.stringify([request.method, request.url, request.body]);
  const requestHash = createHash("sha256").update(content).digest("hex");
  return { key: `${callerOf(request).id}:${key}`, requestHash };
}

/** Why an act had no effect, as a problem. */
export function actProblem(outcome: Exclude<ActOutcome, { type: "done" }>): HttpProblem {
  switch (outcome.type) {
    case "refused":
      return refusalProblem(outcome.refusal);
    case "key_reused":
      return new HttpProblem(
        "idempotency_key_reused",
        "this Idempotency-Key came with another request before",
      );
    default:
      return new HttpProblem(outcome.type, undoneDetail(outcome));
  }
}
