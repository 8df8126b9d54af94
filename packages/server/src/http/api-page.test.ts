/** `docs/api.md`: the words stand here, the examples are what the server answers, the tables come from the code. */
import { ERRORS } from "@staunch/contract";
import type { Json } from "@staunch/engine";
import { expect, test } from "vitest";
import { createHttpApp, send, START_MS, type HttpApp } from "../../test/http-app.ts";
import type { Role } from "../app/principal.ts";

/** Items of a list that an example shows. */
const SHOWN_ITEMS = 2;

// `vitest run packages/server/src/http -u` writes it anew after a change on purpose.
test("the reference page is what the server answers", async () => {
  const http = await createHttpApp();
  const page = await renderPage(http);
  await http.close();
  await expect(page).toMatchFileSnapshot("../../../../docs/api.md");
});

type Method = "GET" | "POST" | "PUT" | "DELETE";
interface Example {
  readonly role: Role | null;
  readonly method: Method;
  readonly url: string;
  readonly body?: Json;
  readonly headers?: { readonly [name: string]: string };
}

async function renderPage(http: HttpApp): Promise<string> {
  const show = (example: Example): Promise<string> => renderExample(http, example);
  const parts = [INTRODUCTION, renderRoutes(http)];
  parts.push(EVENTS, await show({ role: "ingest", method: "POST", url: "/api/events", body: events() }));
  parts.push(
    SUBJECTS,
    await show({ role: "viewer", method: "GET", url: "/api/subjects?sort=score&limit=2&count=exact" }),
  );
  const profile = {
    operator: "acme",
    attributes: { region: "eu-west", price: 4.2 },
    reason: "moved to acme",
  };
  parts.push(
    PROFILE,
    await show({ role: "operator", method: "PUT", url: "/api/subjects/node-1", body: profile }),
  );
  parts.push(
    EXPLANATION,
    await show({ role: "viewer", method: "GET", url: "/api/subjects/node-2/explanation" }),
  );
  const metric = "/api/subjects/node-1/metrics/response_time?samples=1";
  parts.push(METRICS, await show({ role: "viewer", method: "GET", url: metric }));
  const history = "/api/subjects/node-1/history?from=2026-11-01T00:00:00Z&limit=100";
  parts.push(HISTORY, await show({ role: "viewer", method: "GET", url: history }));
  const penalty = { type: "data_loss", severity: "major", points: 2, reason: "lost 3 of 40 audited shards" };
  const headers = { "idempotency-key": "audit-881" };
  const penalties = "/api/subjects/node-2/penalties";
  parts.push(
    SANCTIONS,
    await show({ role: "operator", method: "POST", url: penalties, body: penalty, headers }),
  );
  const id = http.app.sanctions.penaltiesOf(http.app.subjects.find("node-2")!)[0]!.sanction.id;
  const revoke = `/api/penalties/${id}?reason=the%20audit%20was%20wrong`;
  parts.push(REVOKE, await show({ role: "operator", method: "DELETE", url: revoke }));
  parts.push(
    PAST,
    await show({
      role: "viewer",
      method: "GET",
      url: "/api/subjects/node-2/history?from=2026-11-01T00:00:00Z",
    }),
  );
  parts.push(
    RANKINGS,
    await show({ role: "viewer", method: "GET", url: "/api/rankings/provider?order=best&limit=2" }),
  );
  parts.push(await show({ role: "viewer", method: "GET", url: "/api/rankings/provider/node-2" }));
  parts.push(MONITORS, await show({ role: "viewer", method: "GET", url: "/api/monitors" }));
  const draft = { policy: { reputation: { initial_skore: 60 } } };
  parts.push(
    POLICIES,
    await show({ role: "viewer", method: "POST", url: "/api/policies/validate", body: draft }),
  );
  const tag = `"${http.app.policies.active("provider")!.hash}"`;
  const policy = {
    policy: { name: "strict", reputation: { initial_score: 60 } },
    reason: "newcomers start lower",
  };
  const put = { role: "admin", method: "PUT", url: "/api/policies/provider", body: policy } as const;
  parts.push(ACTIVATE, await show({ ...put, headers: { "if-match": tag } }));
  const key = { name: "probe fleet eu", role: "ingest" };
  parts.push(KEYS, await show({ role: "admin", method: "POST", url: "/api/keys", body: key }));
  parts.push(LIVE, SERVICE, await show({ role: "viewer", method: "GET", url: "/api/status" }));
  parts.push(
    ERRORS_TEXT,
    await show({ role: "viewer", method: "GET", url: "/api/subjects/nobody" }),
    renderCodes(),
  );
  return `${parts.join("\n\n")}\n`;
}

function events(): Json {
  const at = (secondsAgo: number): string => new Date(START_MS - secondsAgo * 1000).toISOString();
  return [
    {
      type: "metric",
      subject: "node-1",
      metric: "response_time",
      value: 120,
      at: at(60),
      monitor: "probe-fra",
    },
    { type: "metric", subject: "node-1", metric: "uptime", value: 1, at: at(60) },
    { type: "metric", subject: "node-2", metric: "uptime", value: 0.97, at: at(30) },
    { type: "metric", subject: "node-2", metric: "uptyme", value: 1 },
  ];
}

async function renderExample(
  http: HttpApp,
  { role, method, url, body, headers = {} }: Example,
): Promise<string> {
  const answer = await send(http, role, method, url, { body, headers });
  const sent = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const head = [`${method} ${url}`, ...sent, ...(body === undefined ? [] : ["", format(body)])];
  const link = answer.headers["link"];
  const told = ["etag", "link"].flatMap((name) => (answer.headers[name] === undefined ? [] : [name]));
  const lines = [
    `HTTP ${answer.statusCode}`,
    ...told.map((name) => `${name}: ${String(name === "link" ? link : answer.headers[name])}`),
    "",
    format(shortened(answer.json())),
  ];
  return `\`\`\`http\n${head.join("\n")}\n\`\`\`\n\n\`\`\`http\n${withoutChance(lines.join("\n"))}\n\`\`\``;
}

/** Long lists cut after their first items, and no whole policies. */
function shortened(value: Json): Json {
  if (Array.isArray(value)) {
    const items = value.slice(0, SHOWN_ITEMS).map(shortened);
    return value.length > SHOWN_ITEMS ? [...items, `... ${value.length - SHOWN_ITEMS} more`] : items;
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, one]): [string, Json] => [
    name,
    name === "document" && one !== null ? { "...": "the whole policy" } : shortened(one),
  ]);
  return Object.fromEntries(entries);
}

/** JSON with short lists and maps on one line. */
function format(value: Json, indent = ""): string {
  const flat = JSON.stringify(value).replace(/(":|,)(?=["\d[{tfn-])/gu, "$1 ");
  if (typeof value !== "object" || value === null || flat.length + indent.length <= 100) return flat;
  const deeper = `${indent}  `;
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  const items = Array.isArray(value)
    ? value.map((item: Json) => `${deeper}${format(item, deeper)}`)
    : Object.entries(value).map(
        ([name, item]) => `${deeper}${JSON.stringify(name)}: ${format(item, deeper)}`,
      );
  return `${open}\n${items.join(",\n")}\n${indent}${close}`;
}

/** What differs from run to run, replaced by something that looks the same. */
function withoutChance(text: string): string {
  return text
    .replace(/stn_[0-9a-z]{8}_[0-9a-z]{32}_[0-9a-z]{6}/gu, "stn_4f7kd92m_<32 characters>_<6 more>")
    .replace(/-[0-9a-f]{12}"/gu, '-d4c1a09be7f2"')
    .replace(/key:[0-9a-z]{8}/gu, "key:4f7kd92m")
    .replace(/"id": "[0-9a-hjkmnp-tv-z]{8}"/gu, '"id": "4f7kd92m"')
    .replace(
      /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/gu,
      "0c1f6f0e-7c55-4c8e-9b5b-8a2a0b1f6a11",
    );
}

function renderRoutes(http: HttpApp): string {
  const rows = http.server.routeTable.rows
    .filter(({ method, url }) => method !== "HEAD" && !url.startsWith("/docs"))
    .toSorted((a, b) => (a.url < b.url ? -1 : a.url > b.url ? 1 : a.method < b.method ? -1 : 1))
    .map(({ method, url, role }) => `| \`${method} ${url.replace(/:(\w+)/gu, "{$1}")}\` | ${role} |`);
  return `## Routes\n\n| route | role |\n|---|---|\n${rows.join("\n")}`;
}

function renderCodes(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { status, meaning }]) => `| \`${code}\` | ${status} | ${meaning} |`,
  );
  return `| code | status | meaning |\n|---|---|---|\n${rows.join("\n")}`;
}

const INTRODUCTION = `# REST interface

<!-- Generated by packages/server/src/http/api-page.test.ts: every example is what the server answers. -->

A running service describes itself: \`/docs\` shows every route with its schemas, \`/api/openapi.json\` is the same as
OpenAPI 3.1. This page has the rules that hold everywhere and one example of each group.

- **Keys.** Every request but the public ones carries \`Authorization: Bearer <key>\`. The roles contain each other:
  viewer, ingest, operator, admin. Without a valid key an address may make \`server.public_requests_per_second\`
  requests. \`/metrics\` needs a viewer's key: behind a proxy on the same machine everybody would look local.
- **JSON** is in snake case, numbers have full precision, times are ISO 8601 in UTC.
- **Ids** of subjects stand percent-encoded in the path, slashes too: \`/api/subjects/eu%2Fnode-1\`. The ids \`.\` and
  \`..\` cannot be written in a path, because addresses are resolved before they are sent.
- **Pages.** \`next\` in the body and \`Link: rel="next"\` lead to the next page; cursors are opaque and hold while the
  list moves: who stays in place is shown exactly once. \`limit\` is at most 500.
- **Freshness.** \`as_of\` is the instant an answer is for. Every write is in it when its answer has arrived; time alone
  moves it once per update interval of the policy (a minute).
- **Versions.** Standings, explanations and policies have a strong \`ETag\`; \`If-None-Match\` is answered with 304.
- **Repeats.** \`Idempotency-Key\` makes a repeated event batch, penalty or reward one; keys are kept for a day, of more than a million, or 512 MiB with their answers, the newest.
- **Limits.** Path and query 8192 characters, headers 16 KiB, JSON 32 levels, bodies \`ingest.body_max\`, batches
  \`ingest.batch_body_max\`. A request must arrive within 30 seconds, its headers within 10.`;

const EVENTS = `## Events

What happened, as a list, as NDJSON or as CloudEvents. The answer comes when it is durable and counted; wrong events
are told by their place and do not keep the others out.`;

const SUBJECTS = `## Subjects

Sorted by score, id or newest evidence; filtered by owner, tier, start of the id and score.`;

const PROFILE = `Owner and attributes are written as a whole. The answer is the standing, which \`GET\` of the same path gives
as well.`;

const EXPLANATION = `### Why

The contributions, added from the first to the last, are the score to the last bit.`;

const METRICS = `### Metrics

The aggregate of the metric retention; \`steps=true\` adds one for each interval, \`samples\` the newest raw samples.`;

const HISTORY = `### History

Hourly scores, everything that was crossed, and sanctions, over the history retention. Crossings read as in the live
stream, sanctions as in their own lists, of which only the newest that ended are left there.`;

const SANCTIONS = `## Penalties and rewards

Acts: logged for ever with issuer and reason, in force when the answer arrives.`;

const REVOKE = `A revocation is an act as well; what it undoes stays on record.`;

const PAST = `The subject's history has it for the whole history retention, also when the lists have let it go.`;

const RANKINGS = `## Rankings

Subjects without evidence and banned ones have no place. Ties share the place.`;

const MONITORS = `## Monitors

A sample that names its monitor is shown at once and counts when its window of five minutes is over, unless the monitor
itself failed in it: then the window is voided, with its evidence. Both are told live as \`window.voided\` and, to each
subject concerned, \`evidence.voided\`.`;

const POLICIES = `## Policies

Checking changes nothing and tells all problems at once.`;

const ACTIVATE = `Activating needs the \`ETag\` of the policy that it replaces as \`If-Match\`, or \`If-None-Match: *\` for a new kind,
so that nobody overwrites what he has not read. The answer says what changed.`;

const KEYS = `## Keys

The secret is shown once; the service keeps a digest.`;

const LIVE = `## Live updates

\`GET /api/live\` is a stream of server-sent events, filtered by \`subject\`, \`kind\`, \`operator\`, \`tier\` and \`type\`.
\`Last-Event-ID\` resumes; a \`gap\` says that something was left out.

\`\`\`sh
curl -N -H "Authorization: Bearer $STAUNCH_KEY" "http://127.0.0.1:8080/api/live?kind=provider"
\`\`\``;

const SERVICE = `## The service

\`/healthz\` answers while the process does; \`/readyz\` answers 503 while it restores or stops and when the storage
has stopped until a restart (\`?verbose\` says which); \`/metrics\` is for Prometheus.`;

const ERRORS_TEXT = `## Errors

Every error is a problem document (RFC 9457, \`application/problem+json\`). \`code\` is for programs and never changes its
meaning; \`detail\` says what to do; \`errors\` names each mistake by a JSON pointer into the body, or by the parameter;
\`request_id\` stands in the service's log.`;
