/** How every error is reported: RFC 9457, with a stable code for programs beside the words for people. */
import { z } from "zod";
import { EVENT_ERRORS } from "./events.ts";

interface ErrorMeaning {
  readonly status: number;
  readonly title: string;
  /** One sentence for the reference page: when it is answered and what to do. */
  readonly meaning: string;
}

/** Every code that a problem document can have. Codes never change their meaning and are never used again. */
export const ERRORS = {
  malformed_request: {
    status: 400,
    title: "The request is not valid HTTP",
    meaning:
      "The request line, a header or the percent encoding of the address cannot be read; repair the client.",
  },
  malformed_json: {
    status: 400,
    title: "The body is not JSON",
    meaning: "The body is empty, cut off or not JSON in UTF-8; the detail says where reading stopped.",
  },
  forbidden_key: {
    status: 400,
    title: "The body has a forbidden key",
    meaning: "`__proto__` and `constructor.prototype` are not accepted anywhere in a body; remove them.",
  },
  json_too_deep: {
    status: 400,
    title: "The body is nested too deeply",
    meaning: "Lists and maps lie in each other more than 32 deep; send flatter data.",
  },
  request_invalid: {
    status: 400,
    title: "The request does not fit the schema",
    meaning:
      "A field of the body, the query or the path is missing, unknown or out of range; `errors` names each.",
  },
  cursor_invalid: {
    status: 400,
    title: "The cursor is not one of ours",
    meaning: "Cursors are valid only as they were given and with the same order; start again without one.",
  },
  key_missing: {
    status: 401,
    title: "An API key is needed",
    meaning: "Send `Authorization: Bearer <key>`.",
  },
  key_invalid: {
    status: 401,
    title: "The API key is not valid",
    meaning: "The key is unknown, revoked or cut off; ask an administrator for a new one.",
  },
  role_not_allowed: {
    status: 403,
    title: "The key's role does not allow this",
    meaning: "The route needs a higher role than the key has; the detail names both.",
  },
  report_is_own: {
    status: 403,
    title: "The report is your own",
    meaning: "Whoever reports misbehaviour does not decide about it; use another operator's key.",
  },
  maintenance_of_another: {
    status: 403,
    title: "Another key announced the maintenance",
    meaning: "Maintenance is cancelled with the key that announced it, or by an operator.",
  },
  route_not_found: {
    status: 404,
    title: "There is no such address",
    meaning: "Nothing answers under this path; `/docs` lists all routes.",
  },
  subject_not_found: {
    status: 404,
    title: "There is no such subject",
    meaning: "No event has named this id and nobody has registered it; ids are case-sensitive.",
  },
  kind_not_found: {
    status: 404,
    title: "There is no such kind of subject",
    meaning: "No policy is active for this kind; `GET /api/policies` lists the kinds.",
  },
  selection_not_found: {
    status: 404,
    title: "There is no such selection",
    meaning: "The id was never given, or the selection is older than the history.",
  },
  metric_not_found: {
    status: 404,
    title: "There is no such metric",
    meaning: "The metric's name is not one of the list; the detail names the nearest.",
  },
  penalty_not_found: {
    status: 404,
    title: "There is no such penalty",
    meaning: "The id is unknown, or the penalty ended long ago and only history and log still have it.",
  },
  reward_not_found: {
    status: 404,
    title: "There is no such reward",
    meaning: "The id is unknown, or the reward ended long ago and only history and log still have it.",
  },
  report_not_found: {
    status: 404,
    title: "There is no such report",
    meaning: "The id is unknown, or the report was decided long ago and only history and log still have it.",
  },
  suspension_not_found: {
    status: 404,
    title: "There is no such suspension",
    meaning: "The id is unknown, or the suspension ended long ago and only history and log still have it.",
  },
  maintenance_not_found: {
    status: 404,
    title: "There is no such maintenance",
    meaning: "The id is unknown, or the window is longer ago than 30 days and only the log still has it.",
  },
  key_not_found: {
    status: 404,
    title: "There is no such API key",
    meaning: "`GET /api/keys` lists the ids of all keys.",
  },
  method_not_allowed: {
    status: 405,
    title: "The method is not allowed here",
    meaning: "The path exists with other methods; the `Allow` header lists them.",
  },
  request_timeout: {
    status: 408,
    title: "The request took too long to arrive",
    meaning: "Headers or body did not arrive in time; send again on a new connection.",
  },
  penalty_not_active: {
    status: 409,
    title: "The penalty is not active",
    meaning: "It was revoked already, so there is nothing to revoke.",
  },
  reward_not_active: {
    status: 409,
    title: "The reward is not active",
    meaning: "It has ended or was revoked already, so there is nothing to revoke.",
  },
  already_suspended: {
    status: 409,
    title: "The subject is suspended already",
    meaning: "A subject has one suspension at a time; lift it first to give another.",
  },
  suspension_not_active: {
    status: 409,
    title: "The suspension is not active",
    meaning: "It has ended or was lifted already, so there is nothing to lift.",
  },
  maintenance_over_allowance: {
    status: 409,
    title: "There is not so much maintenance left",
    meaning:
      "In 30 days a subject may announce as much as `maintenance.per_30_days` says; the detail says what is left. Make it shorter, or cancel another.",
  },
  maintenance_overlaps: {
    status: 409,
    title: "There is maintenance at that time already",
    meaning: "The detail names the other window; cancel it first.",
  },
  maintenance_not_active: {
    status: 409,
    title: "The maintenance is over",
    meaning: "It has ended or was cancelled already, so there is nothing to cancel.",
  },
  too_many_windows: {
    status: 409,
    title: "The subject has too many maintenance windows",
    meaning: "A subject can have 100 windows, those of the last 30 days included; join some.",
  },
  report_decided: {
    status: 409,
    title: "The report is decided",
    meaning: "It was confirmed or dismissed already; only a confirmed one can still be dismissed.",
  },
  too_many_reports: {
    status: 409,
    title: "The subject has too many undecided reports",
    meaning: "A subject can have 100 reports that nobody has decided; confirm or dismiss some first.",
  },
  too_many_own_reports: {
    status: 409,
    title: "The key has too many undecided reports about the subject",
    meaning: "One key can have 10 reports about a subject that nobody has decided; wait for a decision.",
  },
  too_many_waiting_reports: {
    status: 409,
    title: "There are too many undecided reports",
    meaning: "An installation keeps 100,000 reports that nobody has decided; confirm or dismiss some first.",
  },
  kind_mismatch: {
    status: 409,
    title: "The subject is of another kind",
    meaning: "A subject keeps the kind under which it was registered; leave `kind` out or name that one.",
  },
  no_job_source: {
    status: 409,
    title: "The kind runs no jobs",
    meaning:
      "Its policy reads neither jobs nor health; name them in `reputation.sources`, or use a preset of workers.",
  },
  too_many_sanctions: {
    status: 409,
    title: "The subject has too many sanctions in force",
    meaning: "A subject can have 1000 active penalties and rewards; revoke some first.",
  },
  too_many_kinds: {
    status: 409,
    title: "There are too many kinds",
    meaning: "An installation has at most 16 kinds of subjects.",
  },
  too_many_keys: {
    status: 409,
    title: "There are too many API keys",
    meaning: "An installation has at most 10,000 keys, revoked ones included.",
  },
  precondition_failed: {
    status: 412,
    title: "It has changed meanwhile",
    meaning: "`If-Match` names another version than the current one; read again, decide again, send again.",
  },
  body_too_large: {
    status: 413,
    title: "The body is too large",
    meaning: "Split the request; the limits are `ingest.body_max` and `ingest.batch_body_max`.",
  },
  url_too_long: {
    status: 414,
    title: "The address is too long",
    meaning: "Path and query together have at most 8192 characters.",
  },
  media_type_unsupported: {
    status: 415,
    title: "The media type is not supported",
    meaning:
      "Send the body with the `Content-Type` that the route takes, `application/json` unless it says otherwise.",
  },
  policy_invalid: {
    status: 422,
    title: "The policy is not valid",
    meaning: "`errors` names each key with what is wrong; nothing was activated.",
  },
  maintenance_too_long: {
    status: 422,
    title: "The maintenance is too long",
    meaning: "One window may be as long as `maintenance.longest` says.",
  },
  maintenance_empty: {
    status: 422,
    title: "The maintenance has no length",
    meaning: "`to` must lie behind `from` and in the future.",
  },
  maintenance_too_far: {
    status: 422,
    title: "The maintenance is too far ahead",
    meaning: "It may begin so long after its announcement as `maintenance.horizon` says; announce it later.",
  },
  maintenance_too_soon: {
    status: 422,
    title: "The maintenance is announced too late",
    meaning:
      "It must be announced as long before as `maintenance.notice` says, and never afterwards: what has happened is not excused.",
  },
  time_invalid: {
    status: 422,
    title: "The time is out of range",
    meaning: "`at` may be at most five minutes ahead, and `expires_at` must lie in the future.",
  },
  idempotency_key_reused: {
    status: 422,
    title: "The idempotency key belongs to another request",
    meaning:
      "The same `Idempotency-Key` came with another body within a day; use a new key for a new request.",
  },
  precondition_required: {
    status: 428,
    title: "A precondition is required",
    meaning: "Send `If-Match` with the version that was read, or `If-None-Match: *` to create.",
  },
  too_many_requests: {
    status: 429,
    title: "Too many requests without a valid key",
    meaning:
      "One address may make `server.public_requests_per_second` such requests; wait as `Retry-After` says.",
  },
  headers_too_large: {
    status: 431,
    title: "The headers are too large",
    meaning: "All headers together have at most 16 KiB.",
  },
  internal_error: {
    status: 500,
    title: "Something is wrong on our side",
    meaning: "The log of the service has the cause under the request id; nothing is known to be written.",
  },
  overloaded: {
    status: 503,
    title: "Too much is asked at once",
    meaning: "The queue of writes or the table of live subscriptions is full; ask again after `Retry-After`.",
  },
  storage_stopped: {
    status: 503,
    title: "The storage has stopped",
    meaning:
      "The log failed or has another owner: nothing is written until the service is restarted, reads go on.",
  },
  closing: {
    status: 503,
    title: "The service is shutting down",
    meaning: "Nothing was written; send the same request again once the service is back.",
  },
  database_failed: {
    status: 503,
    title: "The database has failed",
    meaning:
      "Keys and history cannot be read or written now; scores, rankings and events go on. See the service's log.",
  },
  storage_full: {
    status: 507,
    title: "The disk is full",
    meaning: "Nothing was written; make room and send the same request again, reads go on.",
  },
  ...EVENT_ERRORS,
} as const satisfies { readonly [code: string]: ErrorMeaning };

export type ErrorCode = keyof typeof ERRORS;
export const ERROR_CODES = Object.keys(ERRORS) as readonly ErrorCode[];

/** One thing that is wrong with the request. */
export const ProblemError = z
  .object({
    detail: z.string(),
    pointer: z.string().optional().describe("JSON pointer into the body."),
    parameter: z.string().optional().describe("Name of the query or path parameter."),
    code: z
      .string()
      .optional()
      .describe("What is wrong, for programs, where the list is longer than the schema."),
  })
  .meta({ id: "ProblemError" });

export const Problem = z
  .object({
    type: z.string().describe("`urn:staunch:error:<code>`."),
    title: z.string(),
    status: z.int().min(400).max(599),
    code: z.enum(ERROR_CODES),
    detail: z.string().describe("What happened and what to do about it."),
    errors: z.array(ProblemError).optional(),
    request_id: z.string().describe("Also in the `X-Request-Id` header and in the service's log."),
  })
  .meta({
    id: "Problem",
    examples: [
      {
        type: "urn:staunch:error:subject_not_found",
        title: "There is no such subject",
        status: 404,
        code: "subject_not_found",
        detail: "there is no subject node-17",
        request_id: "0c1f6f0e-7c55-4c8e-9b5b-8a2a0b1f6a11",
      },
    ],
  });
export type Problem = z.infer<typeof Problem>;
