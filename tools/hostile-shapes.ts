/** Requests as they should be: fields with valid values for every body, parameters and headers. */

/** Name of a field and valid values for it, as JSON. */
export type Field = readonly [name: string, values: readonly string[]];

export const METHODS = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "PROPFIND",
  "PURGE",
];
export const KINDS = ["provider", "provider", "worker", "validator", "a", "constructor", "x-1", "toString"];
export const METRICS = [
  "uptime",
  "response_time",
  "throughput",
  "availability",
  "data_integrity",
  "network_latency",
];

/** Values that stand for one that is made anew each time. */
export const SUBJECT = "a subject";
export const WORKER = "a worker";
export const BIDS = "bids of workers";
export const LEARNED = "a name from an answer";
export const NOW = "about now";

export const REQUIRED = new Set([
  "type",
  "subject",
  "metric",
  "value",
  "penalty",
  "reward",
  "points",
  "reason",
  "policy",
  "name",
  "role",
  "outcome",
  "parts",
  "kind",
  "bids",
  "price",
  "time_ms",
]);
const COMMON: readonly Field[] = [
  ["id", texts("own-1")],
  ["kind", texts("provider", "provider", "provider", "validator")],
  ["at", [NOW, '"2026-11-25T03:00:00Z"', '"2026-11-25T03:00:00.123456+01:00"', "0", "1e15"]],
];
const FACTS: Field = ["context", ['{"a":1}', '{"a":{"b":[1,2,{}]}}']];
const PENALTY: readonly Field[] = [
  ["severity", texts("minor", "moderate", "major", "critical")],
  ["points", ["0", "1", "0.1", "99.9", "1e6"]],
  ["fraction", ["0", "0.5", "1"]],
  ["reason", texts("why", "\u00e4\u{1f600}")],
  ["expires_at", ['"2027-01-01T00:00:00Z"', "1795575845678", '"2026-11-25T03:04:05.679Z"']],
  ["duration", ['"1h"', '"30d"', "1", '"1ms"']],
  ["fade", texts("none", "linear")],
  ["evidence", ["[]", '["a","b"]']],
  FACTS,
];
const REWARD: readonly Field[] = [["points", ["1", "0.001", "50"]], ["reason", texts("why")], FACTS];
const REVOKED: readonly Field[] = [["reason", texts("why")]];
const MISBEHAVIOUR: readonly Field[] = [
  ["reason", texts("why")],
  ["evidence", ['["a"]', '["a","b"]', "[]"]],
  ["job_id", texts("job-1")],
  FACTS,
];
/** One bid inside {@link BIDS}. */
export const BID: readonly Field[] = [
  ["id", [WORKER]],
  ["price", ["0", "10", "12.5", "1e15"]],
  ["time_ms", ["1", "1500", "31622400000"]],
];
export const EVENTS: readonly (readonly Field[])[] = [
  [
    ["type", texts("metric")],
    ["subject", [SUBJECT]],
    ["metric", texts(...METRICS)],
    ["value", ["0", "1", "0.5", "0.999999", "5e-324", "12.5"]],
    ["weight", ["1", "10", "0.1", "5e-324"]],
    ["ok", ["true", "false"]],
    ["monitor", texts("probe")],
    ["context", texts("raw", "")],
    ...COMMON,
  ],
  [
    ["type", texts("subject")],
    ["subject", [SUBJECT]],
    ["operator", ['"acme"', "null"]],
    ["attributes", ["{}", '{"a":1,"b":"c","d":null,"e":[1]}']],
    ...COMMON,
  ],
  [
    ["type", texts("penalty")],
    ["subject", [SUBJECT]],
    ["penalty", texts("fraud", "ban", "spam")],
    ...PENALTY,
    ...COMMON,
  ],
  [
    ["type", texts("job")],
    ["subject", [WORKER]],
    ["kind", texts("worker")],
    ["outcome", texts("success", "failure", "timeout", "invalid_result", "declined", "client_fault")],
    ["selection_id", [LEARNED, '"sel_1_0"']],
    ["duration_ms", ["1", "1500.5", "31622400000"]],
    ["expected_ms", ["1000", "5e-324"]],
    ["reserved", ['{"cpu":4,"gb":8}']],
    ["used", ['{"cpu":4,"gb":8}', '{"cpu":0,"gb":99}']],
    ["quality", ["0", "0.5", "1"]],
    ["earnings", ["0", "12.5", "1e15"]],
    ["sla_met", ["true", "false"]],
    ["job_class", texts("transcode")],
    ["job_id", texts("job-1")],
    ...COMMON.slice(2),
  ],
  [
    ["type", texts("health")],
    ["subject", [WORKER]],
    ["kind", texts("worker")],
    ["parts", ['{"cpu_usage":100,"temperature":-40}', '{"response_time":150,"memory_usage":0}']],
    ["request_count", ["1", "9007199254740991"]],
    ["error_count", ["0", "1"]],
    ...COMMON.slice(2),
  ],
  [["type", texts("reward")], ["subject", [SUBJECT]], ["reward", texts("high_uptime")], ...REWARD, ...COMMON],
  [["type", texts("penalty_revoked")], ["penalty_id", [LEARNED]], ...REVOKED],
  [["type", texts("reward_revoked")], ["reward_id", [LEARNED]], ...REVOKED],
  [["type", texts("misbehaviour")], ["subject", [SUBJECT]], ...MISBEHAVIOUR, ...COMMON],
];
export const BODIES: { readonly [url: string]: readonly Field[] } = {
  "/api/keys": [
    ["name", texts("probe")],
    ["role", texts("viewer", "admin")],
  ],
  "/api/subjects/:id": [
    ["kind", texts("provider")],
    ["operator", ['"acme"', "null"]],
    ["attributes", ["{}", '{"a":"b","c":[]}']],
    ["reason", texts("why")],
  ],
  "/api/subjects/:id/penalties": [
    ["type", texts("fraud", "ban")],
    ...PENALTY,
    ["at", ['"2026-11-25T03:00:00Z"']],
  ],
  "/api/selections": [
    ["kind", texts("worker")],
    ["bids", [BIDS, BIDS, BIDS, "[]"]],
    ["method", texts("power-of-two", "greedy", "proportional", "thompson")],
    ["price_reference", ["10", "5e-324"]],
    ["time_reference_ms", ["1000"]],
    ["seed", ["0", "4294967295"]],
    ["job_id", texts("job-1")],
    ["job_class", texts("transcode")],
  ],
  "/api/subjects/:id/misbehaviour": [...MISBEHAVIOUR, ["at", ['"2026-11-25T03:00:00Z"']]],
  "/api/subjects/:id/suspensions": [
    ["reason", texts("why")],
    ["evidence", ["[]", '["a","b"]']],
    ["expires_at", ['"2027-01-01T00:00:00Z"', "null", '"2026-11-25T03:04:05.679Z"']],
    FACTS,
  ],
  "/api/subjects/:id/maintenance": [
    ["reason", texts("why")],
    ["from", ['"2026-11-25T03:10:00Z"', '"2026-11-25T03:00:00Z"', '"9999-12-31T23:59:59Z"']],
    ["to", ['"2026-11-25T04:00:00Z"', '"2026-11-25T03:00:00Z"', '"2027-01-01T00:00:00Z"']],
  ],
  "/api/misbehaviour/:id/confirm": REVOKED,
  "/api/misbehaviour/:id/dismiss": REVOKED,
  "/api/subjects/:id/rewards": [
    ["type", texts("high_uptime")],
    ...REWARD,
    ["at", ['"2026-11-25T03:00:00Z"']],
  ],
};

export const CLOUD_VALUES: { readonly [name: string]: readonly string[] } = {
  specversion: ["1.0", "1.0", "0.3"],
  type: ["staunch.metric", "metric", "penalty", "com.example"],
  source: ["/probe", "urn:x", ""],
  id: ["1", "2", "a%20b", "%zz"],
  time: ["2026-11-25T03:00:00Z", "yesterday"],
  subject: ["node-1", "node%2D1", ""],
  datacontenttype: ["application/json", "text/xml"],
};
export const CLOUD_ATTRIBUTES = Object.keys(CLOUD_VALUES);

export const HEADERS = [
  "idempotency-key",
  "staunch-producer",
  "staunch-sequence",
  "if-match",
  "if-none-match",
  "last-event-id",
  "content-encoding",
  "content-type",
  "accept",
  "accept-encoding",
  "accept-version",
  "range",
  "expect",
  "cookie",
  "origin",
  "access-control-request-method",
  "x-forwarded-for",
  "x-request-id",
  "traceparent",
  "x-http-method-override",
  "ce-specversion",
  "ce-id",
  "__proto__",
  "constructor",
];
export const PARAMETERS = [
  "kind",
  "operator",
  "tier",
  "q",
  "score_min",
  "score_max",
  "sort",
  "cursor",
  "limit",
  "count",
  "steps",
  "samples",
  "from",
  "to",
  "reason",
  "status",
  "atomic",
  "type",
  "subject",
  "order",
  "around",
  "verbose",
  "percentile",
];
export const PARAMETER_VALUES: { readonly [name: string]: readonly string[] } = {
  kind: KINDS,
  score_min: ["0", "-1", "1e308", "Infinity", "NaN", "", "0x10"],
  score_max: ["100", "1e309", "-0"],
  sort: ["score", "id", "last_evidence"],
  limit: ["1", "2", "1000", "0", "-1", "1.5", "1e3", "99999999999999999999"],
  count: ["exact"],
  steps: ["true", "false"],
  samples: ["0", "5", "10000", "10001"],
  from: ["2026-11-25T00:00:00Z", "0", "+275760-09-13T00:00:00Z", "2026-02-30T00:00:00Z"],
  to: ["2026-11-26T00:00:00Z", "9999-12-31T23:59:59.999Z", "1969-12-31T00:00:00Z"],
  reason: ["why"],
  status: ["active", "all"],
  atomic: ["true", "false"],
  type: ["score.changed", "score.changed,,", "policy.activated"],
  order: ["best", "worst", "asc"],
};

function texts(...values: readonly string[]): readonly string[] {
  return values.map((value) => JSON.stringify(value));
}
