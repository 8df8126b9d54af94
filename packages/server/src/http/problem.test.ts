import { ERROR_CODES, ERRORS, Problem, type ErrorCode } from "@staunch/contract";
import type { Json } from "@staunch/engine";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createHttpApp, send, START_MS, type HttpApp } from "../../test/http-app.ts";
import type { Refusal } from "../app/partition/partition.ts";
import type { Role } from "../app/principal.ts";
import { HttpProblem, problemDocument, refusalProblem } from "./problem.ts";
import { time } from "./route.ts";

type Answer = Awaited<ReturnType<typeof send>>;

let http: HttpApp;
beforeAll(async () => {
  http = await createHttpApp();
  await send(http, "operator", "PUT", "/api/subjects/node-1", { body: {} });
});
afterAll(() => http.close());

const ask = (
  role: Role | null,
  method: "GET" | "POST" | "PUT" | "DELETE" | "PATCH",
  url: string,
  body?: Json,
) => send(http, role, method, url, { body });
const raw = (url: string, payload: string | Buffer, type = "application/json") =>
  http.server.inject({
    method: "POST",
    url,
    payload,
    headers: { authorization: `Bearer ${http.tokens.admin}`, "content-type": type },
  });
const penalise = (body: { readonly [key: string]: Json }) =>
  ask("operator", "POST", "/api/subjects/node-1/penalties", {
    type: "fraud",
    points: 1,
    reason: "x",
    ...body,
  });
const reward = (points: number) =>
  ask("operator", "POST", "/api/subjects/node-1/rewards", { type: "high_uptime", points, reason: "x" });
const accuse = (role: Role, subject: string, headers: { readonly [name: string]: string } = {}) =>
  send(http, role, "POST", `/api/subjects/${subject}/misbehaviour`, {
    body: { reason: "x", evidence: ["trace"] },
    headers,
  });
const confirmReport = (id: string) =>
  ask("operator", "POST", `/api/misbehaviour/${id}/confirm`, { reason: "x" });
const suspend = (subject = "node-1") =>
  ask("operator", "POST", `/api/subjects/${subject}/suspensions`, { reason: "x" });
/** Hours from now. */
const maintain = (subject: string, from: number, to: number) =>
  ask("ingest", "POST", `/api/subjects/${subject}/maintenance`, {
    reason: "x",
    from: time(START_MS + from * 3_600_000),
    to: time(START_MS + to * 3_600_000),
  });
const putPolicy = (policy: Json, headers: { [name: string]: string }, kind = "provider") =>
  send(http, "admin", "PUT", `/api/policies/${kind}`, { body: { policy, reason: "test" }, headers });

async function withFault<Result>(
  fault: Partial<HttpApp["faults"]>,
  run: () => Promise<Result>,
): Promise<Result> {
  const before = { ...http.faults };
  Object.assign(http.faults, fault);
  try {
    return await run();
  } finally {
    Object.assign(http.faults, before);
  }
}

async function revokedTwice(url: string): Promise<Answer> {
  await ask("operator", "DELETE", url);
  return ask("operator", "DELETE", url);
}

/** A request that is answered with each code. Those of the socket are in `server.test.ts`. */
const PROVOKED: { readonly [code in ErrorCode]?: () => Promise<Answer> } = {
  malformed_request: () => ask("viewer", "GET", "/api/subjects/%zz"),
  malformed_json: () => raw("/api/keys", '{"name": "x", '),
  forbidden_key: () => raw("/api/keys", '{"name": "x", "__proto__": {"role": "admin"}}'),
  json_too_deep: () => raw("/api/policies/validate", `{"policy": ${"[".repeat(40)}${"]".repeat(40)}}`),
  request_invalid: () => penalise({ points: -1 }),
  cursor_invalid: () => ask("viewer", "GET", "/api/subjects?cursor=abc"),
  key_missing: () => ask(null, "GET", "/api/status"),
  key_invalid: () => send(http, null, "GET", "/api/status", { headers: { authorization: "Bearer stn_x" } }),
  role_not_allowed: () => ask("viewer", "GET", "/api/keys"),
  route_not_found: () => ask("viewer", "GET", "/api/subject"),
  subject_not_found: () => ask("viewer", "GET", "/api/subjects/nobody"),
  kind_not_found: () => ask("viewer", "GET", "/api/rankings/robot"),
  selection_not_found: () => ask("viewer", "GET", "/api/selections/sel_1_0"),
  no_job_source: () => ask("viewer", "GET", "/api/network/provider"),
  metric_not_found: () => ask("viewer", "GET", "/api/subjects/node-1/metrics/up_time"),
  penalty_not_found: () => ask("operator", "DELETE", "/api/penalties/pen_0_0?reason=x"),
  reward_not_found: () => ask("operator", "DELETE", "/api/rewards/rew_0_0?reason=x"),
  report_not_found: () => confirmReport("mis_0_0"),
  report_is_own: async () => {
    const { id } = (await accuse("operator", "node-1")).json();
    return confirmReport(id);
  },
  report_decided: async () => {
    const { id } = (await accuse("ingest", "node-1")).json();
    await ask("operator", "POST", `/api/misbehaviour/${id}/dismiss`, { reason: "x" });
    return confirmReport(id);
  },
  too_many_reports: async () => {
    await ask("operator", "PUT", "/api/subjects/accused", {});
    for (let reporter = 0; reporter < 10; reporter++) {
      const { key } = (await ask("admin", "POST", "/api/keys", { name: "x", role: "ingest" })).json();
      const headers = { authorization: `Bearer ${key}` };
      for (let index = 0; index < 10; index++) await accuse("ingest", "accused", headers);
    }
    return accuse("ingest", "accused");
  },
  too_many_own_reports: async () => {
    await ask("operator", "PUT", "/api/subjects/disliked", {});
    for (let index = 0; index < 10; index++) await accuse("ingest", "disliked");
    return accuse("ingest", "disliked");
  },
  too_many_waiting_reports: async () => {
    const crowded = await createHttpApp();
    await send(crowded, "operator", "PUT", "/api/subjects/node-1", { body: {} });
    Object.defineProperty(crowded.app.partition.state.sanctions.pendingReports, "size", { value: 100_000 });
    const body = { reason: "x", evidence: ["trace"] };
    const answer = await send(crowded, "ingest", "POST", "/api/subjects/node-1/misbehaviour", { body });
    await crowded.close();
    return answer;
  },
  suspension_not_found: () => ask("operator", "DELETE", "/api/suspensions/sus_0_0?reason=x"),
  already_suspended: async () => {
    await suspend();
    return suspend();
  },
  suspension_not_active: async () => {
    await ask("operator", "PUT", "/api/subjects/node-2", {});
    return revokedTwice(`/api/suspensions/${(await suspend("node-2")).json().id}?reason=x`);
  },
  maintenance_not_found: () => ask("ingest", "DELETE", "/api/maintenance/mnt_0_0?reason=x"),
  maintenance_not_active: async () => {
    await ask("operator", "PUT", "/api/subjects/node-3", {});
    const url = `/api/maintenance/${(await maintain("node-3", 1, 2)).json().id}?reason=x`;
    await ask("ingest", "DELETE", url);
    return ask("ingest", "DELETE", url);
  },
  maintenance_of_another: async () => {
    await ask("operator", "PUT", "/api/subjects/node-6", {});
    const body = { reason: "x", to: time(START_MS + 3_600_000) };
    const { id } = (await ask("operator", "POST", "/api/subjects/node-6/maintenance", body)).json();
    return ask("ingest", "DELETE", `/api/maintenance/${id}?reason=x`);
  },
  maintenance_empty: () => maintain("node-1", 2, 1),
  maintenance_too_far: () => maintain("node-1", 24 * 31, 24 * 31 + 1),
  maintenance_too_soon: () => maintain("node-1", -1, 1),
  maintenance_too_long: () => maintain("node-1", 1, 10),
  maintenance_overlaps: async () => {
    await maintain("node-1", 1, 2);
    return maintain("node-1", 1, 2);
  },
  maintenance_over_allowance: async () => {
    await ask("operator", "PUT", "/api/subjects/node-5", {});
    for (const hour of [10, 20, 30]) await maintain("node-5", hour, hour + 8);
    return maintain("node-5", 40, 41);
  },
  too_many_windows: async () => {
    await ask("operator", "PUT", "/api/subjects/node-4", {});
    for (let index = 0; index < 100; index++)
      await maintain("node-4", 1 + index / 100, 1 + (index + 1) / 100);
    return maintain("node-4", 3, 3.01);
  },
  key_not_found: () => ask("admin", "DELETE", "/api/keys/none"),
  method_not_allowed: () => ask("viewer", "PATCH", "/api/subjects/node-1"),
  penalty_not_active: async () => revokedTwice(`/api/penalties/${(await penalise({})).json().id}?reason=x`),
  reward_not_active: async () => revokedTwice(`/api/rewards/${(await reward(1)).json().id}?reason=x`),
  kind_mismatch: async () => {
    await putPolicy({ name: "other" }, { "if-none-match": "*" }, "machine");
    return ask("operator", "PUT", "/api/subjects/node-1", { kind: "machine" });
  },
  too_many_sanctions: async () => {
    await ask("operator", "PUT", "/api/subjects/crowded", {});
    const event = { type: "penalty", subject: "crowded", penalty: "spam", points: 0, reason: "x" };
    await ask(
      "operator",
      "POST",
      "/api/events",
      Array.from({ length: 1000 }, () => event),
    );
    return ask("operator", "POST", "/api/subjects/crowded/rewards", {
      type: "high_uptime",
      points: 1,
      reason: "x",
    });
  },
  too_many_kinds: async () => {
    for (let index = 0; index < 15; index++)
      await putPolicy({ name: "k" }, { "if-none-match": "*" }, `kind-${index}`);
    return putPolicy({ name: "k" }, { "if-none-match": "*" }, "kind-15");
  },
  precondition_failed: () => putPolicy({ name: "x" }, { "if-match": '"0000000000000000"' }),
  precondition_required: () => putPolicy({ name: "x" }, {}),
  body_too_large: () => raw("/api/keys", JSON.stringify({ name: "x".repeat(1 << 20) })),
  url_too_long: () => ask("viewer", "GET", `/api/subjects?q=${"x".repeat(9000)}`),
  media_type_unsupported: () => raw("/api/keys", "name: x", "application/yaml"),
  policy_invalid: () => putPolicy({ name: "x", reputation: { initial_score: 101 } }, { "if-match": "*" }),
  time_invalid: () => penalise({ at: time(START_MS + 600_000) }),
  idempotency_key_reused: async () => {
    const once = (points: number) =>
      send(http, "operator", "POST", "/api/subjects/node-1/rewards", {
        body: { type: "high_uptime", points, reason: "x" },
        headers: { "idempotency-key": "k" },
      });
    await once(1);
    return once(2);
  },
  too_many_requests: async () => {
    const limited = await createHttpApp({ publicRequestsPerSecond: 1 });
    await send(limited, null, "GET", "/healthz");
    const answer = await send(limited, null, "GET", "/healthz");
    await limited.close();
    return answer;
  },
  overloaded: () => ask("viewer", "GET", "/api/live"),
  storage_full: () => withFault({ append: { type: "full" } }, () => penalise({})),
  database_failed: () =>
    withFault({ history: true }, () => ask("viewer", "GET", "/api/subjects/node-1/history")),
  events_rejected: () => ask("ingest", "POST", "/api/events", [{ type: "metric" }]),
  too_many_events: () => raw("/api/events", `[${Array.from({ length: 16_385 }, () => "0").join(",")}]`),
  storage_stopped: async () => {
    const broken = await createHttpApp();
    broken.faults.append = { type: "failed", detail: "fsync" };
    const put = () => send(broken, "operator", "PUT", "/api/subjects/node-1", { body: {} });
    await put();
    const answer = await put();
    await broken.close();
    return answer;
  },
  closing: async () => {
    const closing = await createHttpApp();
    await closing.app.partition.close();
    const answer = await send(closing, "operator", "PUT", "/api/subjects/node-1", { body: {} });
    await closing.close();
    return answer;
  },
  internal_error: () =>
    withFault({}, async () => {
      const explanation = http.app.subjects.explanation.bind(http.app.subjects);
      http.app.subjects.explanation = () => {
        throw new Error("secret detail");
      };
      const answer = await ask("viewer", "GET", "/api/subjects/node-1/explanation");
      http.app.subjects.explanation = explanation;
      return answer;
    }),
};

/** Needs more keys than a test makes, or bytes that only a socket can send. */
const ELSEWHERE: readonly ErrorCode[] = ["too_many_keys", "request_timeout", "headers_too_large"];

describe("every code", () => {
  test("has a request here that is answered with it", () => {
    expect([...Object.keys(PROVOKED), ...ELSEWHERE].toSorted()).toEqual([...ERROR_CODES].toSorted());
  });

  test.each(Object.entries(PROVOKED))("%s", async (code, provoke) => {
    const answer = await provoke();
    const { status } = ERRORS[code as ErrorCode];
    expect([answer.json().code, answer.statusCode], answer.body).toEqual([code, status]);
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/u);
    const problem = Problem.parse(answer.json());
    expect(problem.request_id).toBe(answer.headers["x-request-id"]);
    expect(problem.type).toBe(`urn:staunch:error:${code}`);
    expect(problem.detail).not.toBe("");
    expect(answer.body).not.toMatch(/ {4}at |node_modules|secret detail|FST_/u);
  });

  test("too many keys", async () => {
    const create = http.app.keys.create.bind(http.app.keys);
    http.app.keys.create = async () => ({ type: "too_many_keys", limit: 10_000 });
    expect((await ask("admin", "POST", "/api/keys", { name: "x", role: "viewer" })).json().code).toBe(
      "too_many_keys",
    );
    http.app.keys.create = create;
  });

  test.each<[Refusal, ErrorCode]>([
    [{ type: "full" }, "storage_full"],
    [{ type: "stopped", detail: "fsync" }, "storage_stopped"],
    [{ type: "overloaded" }, "overloaded"],
    [{ type: "closing" }, "closing"],
  ])("a refused write, %j", (refusal, code) => {
    expect(refusalProblem(refusal).code).toBe(code);
  });
});

describe("problems tell where", () => {
  test("each field of a body by its pointer", async () => {
    const answer = await penalise({ points: -1, sevrity: "minor", evidence: ["ok", ""], "a/b~c": 1 });
    const pointers = answer.json().errors.map(({ pointer }: { pointer: string }) => pointer);
    expect(pointers.toSorted()).toEqual(["/a~1b~0c", "/evidence/1", "/points", "/sevrity"]);
    expect(answer.body).toContain("the nearest known one is severity");
  });

  test("parameters of the query by their names", async () => {
    const answer = await ask("viewer", "GET", "/api/subjects?limit=501&sort=size");
    expect(answer.json().errors.map(({ parameter }: { parameter: string }) => parameter)).toEqual([
      "sort",
      "limit",
    ]);
  });

  test("the right methods of a path", async () => {
    const answer = await ask("viewer", "PATCH", "/api/subjects/a%2Fb");
    expect(answer.headers["allow"]).toBe("GET, HEAD, PUT");
  });

  test.each(["nothing.js", "%00", "%5c", "/", "a".repeat(700), "..%2f..%2fpackage.json"])(
    "there is no file of the reference page %s",
    async (name) => {
      const answer = await ask(null, "GET", `/docs/static/${name}`);
      expect([answer.statusCode, answer.json<Problem>().code]).toEqual([404, "route_not_found"]);
    },
  );

  test("keys of a policy", async () => {
    const answer = await putPolicy({ reputation: { initial_score: "high" } }, { "if-match": "*" });
    expect(answer.json().errors).toMatchObject([
      { pointer: "/policy/reputation/initial_score", code: "wrong_type" },
    ]);
  });

  test("how to authenticate", async () => {
    expect((await ask(null, "GET", "/api/status")).headers["www-authenticate"]).toBe(
      'Bearer realm="staunch"',
    );
  });
});

describe("hostile bodies", () => {
  test.each([
    ['{"name":"x","role":"viewer"', "malformed_json"],
    ["", "malformed_json"],
    ['{"name":1e999,"role":"viewer"}', "request_invalid"],
    ['{"name":"x","role":"viewer","constructor":{"prototype":{"a":1}}}', "forbidden_key"],
    ["[]", "request_invalid"],
    ["null", "request_invalid"],
    ['{"name":"\\ud800","role":"viewer"}', "request_invalid"],
    ['{"name":"a\\u0000b","role":"viewer"}', "request_invalid"],
    ["[".repeat(500_000), "json_too_deep"],
  ])("%.60s", async (text, code) => {
    expect((await raw("/api/keys", text)).json().code).toBe(code);
  });

  test("bytes that are not UTF-8", async () => {
    expect((await raw("/api/keys", Buffer.from([0x22, 0xff, 0x22]))).json().code).toBe("malformed_json");
  });

  test("brackets inside strings do not count as depth", async () => {
    const name = `${"[".repeat(60)}\\"`;
    expect((await raw("/api/keys", `{"name":"${name}","role":"viewer"}`)).statusCode).toBe(201);
  });

  test("facts that could not be written again", async () => {
    const text = '{"type":"fraud","points":1,"reason":"x","context":{"a":[1e999]}}';
    expect((await raw("/api/subjects/node-1/penalties", text)).json().errors[0].pointer).toBe("/context");
  });
});

test("every answer, refused or not, carries the security headers", async () => {
  const answers = [
    await ask("viewer", "GET", "/api/status"),
    await ask(null, "GET", "/nowhere"),
    await ask(null, "GET", "/%zz"),
    await ask(null, "GET", "/healthz"),
  ];
  for (const { headers } of answers) {
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["content-security-policy"]).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(headers["cache-control"]).toBe("no-store");
  }
});

test("a problem without errors has no list of them", () => {
  expect(problemDocument(new HttpProblem("closing", "later"), "r")).not.toHaveProperty("errors");
});
