/** What acts share on the wire: the idempotency key, and what can become of them. */
import type { FastifyRequest } from "fastify";
import { createHash } from "node:crypto";
import { NOT_IDEMPOTENT, type ActOutcome, type Idempotency } from "../app/acts.ts";
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
    case "penalty_not_found":
    case "reward_not_found":
      return new HttpProblem(
        outcome.type,
        `there is no ${outcome.type.slice(0, -"_not_found".length)} ${outcome.id}`,
      );
    case "penalty_not_active":
    case "reward_not_active":
      return new HttpProblem(outcome.type, `${outcome.id} is ${outcome.status} already`);
    case "too_many_sanctions":
      return new HttpProblem(
        outcome.type,
        `the subject has ${outcome.limit} sanctions in force; revoke some first`,
      );
    case "report_not_found":
      return new HttpProblem(outcome.type, `there is no report ${outcome.id}`);
    case "report_is_own":
      return new HttpProblem(outcome.type, `${outcome.id} was reported with this key; use another`);
    case "report_decided":
      return new HttpProblem(outcome.type, `${outcome.id} is ${outcome.status} already`);
    case "too_many_reports":
      return new HttpProblem(
        outcome.type,
        `the subject has ${outcome.limit} reports that nobody has decided; confirm or dismiss some first`,
      );
    case "too_many_kinds":
      return new HttpProblem(outcome.type, `there can be ${outcome.limit} kinds`);
  }
}
