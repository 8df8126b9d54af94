/** `docs/client.md`: the words stand here, the code is that of the functions below, the output is what it printed. */
import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { createHttpApp } from "../../server/test/http-app.ts";
import {
  BATCH_EVENTS,
  createClient,
  EVENT_CHARACTERS_MAX,
  IDLE_MAX_MS,
  items,
  RECONNECT_DELAY_MAX_MS,
  RECONNECTS_MAX,
  RETRY_AFTER_MAX_MS,
  RETRY_DEFAULTS,
  StaunchProblem,
  StaunchUnreachable,
  TIMEOUT_MS,
  type Client,
} from "./index.ts";

interface Tour {
  readonly client: Client;
  readonly console: { readonly log: (...values: readonly unknown[]) => void };
}

async function sendEvents({ client, console }: Tour): Promise<void> {
  const answer = await client.events.ingest([
    { type: "metric", subject: "node-1", metric: "response_time", value: 120 },
    { type: "metric", subject: "node-1", metric: "uptime", value: 1 },
    { type: "metric", subject: "node-2", metric: "uptime", value: 0.97 },
    { type: "metric", subject: "node-2", metric: "uptime", value: 97 },
  ]);
  console.log(answer);
}

async function sendMany({ client, console }: Tour): Promise<void> {
  async function* probes() {
    for (let node = 3; node < 9; node++)
      yield { type: "metric", subject: `node-${node}`, metric: "uptime", value: 1 - node / 100 } as const;
  }
  for await (const { accepted, rejected } of client.events.ingestAll(probes(), { batchEvents: 4 }))
    console.log(`${accepted} taken, ${rejected} not`);
}

async function read({ client, console }: Tour): Promise<void> {
  const { score, lower, upper, tier } = await client.subjects.get({ id: "node-1" });
  console.log(`${score.toFixed(2)} (${lower.toFixed(2)} to ${upper.toFixed(2)}), ${tier}`);
  const { improvements } = await client.subjects.explain({ id: "node-1" });
  console.log(improvements[0]);
}

async function page({ client, console }: Tour): Promise<void> {
  for await (const { place, id, score } of items(client.rankings.list, { kind: "provider", limit: 3 }))
    console.log(place, id, score.toFixed(2));
}

async function act({ client, console }: Tour): Promise<void> {
  const penalty = await client.penalties.apply(
    { id: "node-2", type: "data_loss", severity: "major", points: 2, reason: "lost 3 of 40 audited shards" },
    { idempotencyKey: "audit-881" },
  );
  console.log(penalty.id, penalty.deduction, penalty.status);
  const { status } = await client.penalties.revoke({ id: penalty.id, reason: "the audit was wrong" });
  console.log(status);
}

async function fail({ client, console }: Tour): Promise<void> {
  try {
    await client.penalties.apply({ id: "nobody", type: "fraud", points: 5, reason: "invented receipts" });
  } catch (error) {
    if (error instanceof StaunchProblem) console.log(error.code, error.status, error.detail);
    else if (error instanceof StaunchUnreachable) console.log(error.reason, error.idempotencyKey);
    else throw error;
  }
}

async function activate({ client, console }: Tour): Promise<void> {
  const { hash } = await client.policies.get({ kind: "provider" });
  const policy = { name: "strict", reputation: { initial_score: 60 } };
  const reason = "newcomers start lower";
  const { diff } = await client.policies.activate({ kind: "provider", policy, reason }, { ifMatch: hash });
  console.log(diff);
}

async function watch({ client, console }: Tour): Promise<void> {
  const { position } = await client.service.status();
  await client.events.ingest({ type: "metric", subject: "node-1", metric: "uptime", value: 0.5 });
  const filter = { kind: "provider", types: ["score.changed", "tier.changed"] } as const;
  for await (const message of client.live.subscribe(filter, { lastEventId: position })) {
    if (message.type === "gap") break; // something was left out: read the standings again
    for (const { subject, old_score, new_score } of message.changes)
      console.log(subject, old_score, "->", new_score);
    if (message.position > position) break;
  }
}

const SECTIONS: readonly (readonly [text: string, run: (tour: Tour) => Promise<void>])[] = [
  [
    `## Send events

An answer comes when the events are durable and counted. A wrong event does not keep the others out, unless the
request is \`atomic\`; when none was taken the call throws, and \`rejected\` of the error lists why.`,
    sendEvents,
  ],
  [
    `NDJSON goes as text or bytes. Any number of events, from anything that can be iterated, goes in batches, no faster
than they are taken:`,
    sendMany,
  ],
  [
    `## Read

What a route takes, in path, query and body, is one object; what it answers is typed by the same schema that the
service is held to.`,
    read,
  ],
  [
    `Lists come in pages. \`items\` goes through all of them, \`pages\` a page at a time; each page is asked for when it
is wanted.`,
    page,
  ],
  [
    `## Act

An act under an idempotency key happens once, however often it is sent within a day. Without one of yours the client
makes one up and keeps it over its own attempts.`,
    act,
  ],
  [
    `A policy replaces the version that was read, by its hash; \`ifMatch: null\` is for a kind that has none yet.`,
    activate,
  ],
  [
    `## When it fails

Each error has a \`type\`. \`StaunchProblem\` is a refusal with its code, the words for people, the single mistakes and
the id of the request. \`StaunchUnreachable\` says that no answer came; whether a write was taken is then unknown,
and the same call with the \`idempotencyKey\` of the error finds out. \`StaunchAnswerInvalid\` says that something else
answered.`,
    fail,
  ],
  [
    `## Watch

A subscription is a loop. A connection that breaks or falls silent is opened again and goes on where it was; leaving the
loop, or the signal of its options, closes it. Nothing is read ahead: for who is too slow the service leaves out what is
older, and says so with a \`gap\`, as it does after a restart.`,
    watch,
  ],
];

// `vitest run packages/client/src/page.test.ts -u` writes it anew after a change on purpose.
test("the page shows code that runs, and what it prints", async () => {
  const http = await createHttpApp({ liveConnectionsMax: 1 });
  const baseUrl = await http.server.listen({ port: 0, host: "127.0.0.1" });
  const client = createClient({ baseUrl, apiKey: http.tokens.admin, validate: true });
  const parts = [INTRODUCTION];
  for (const [text, run] of SECTIONS) {
    const lines: string[] = [];
    const log = (...values: readonly unknown[]): void => void lines.push(values.map(shown).join(" "));
    await run({ client, console: { log } });
    parts.push(text, `\`\`\`ts\n${bodyOf(run.name)}\n\`\`\``, `\`\`\`text\n${lines.join("\n")}\n\`\`\``);
  }
  await http.close();
  await expect(`${[...parts, REFERENCE].join("\n\n")}\n`).toMatchFileSnapshot("../../../docs/client.md");
});

const source = readFileSync(new URL(import.meta.url), "utf8");

/** The statements of a function of this file, as they are written. */
function bodyOf(name: string): string {
  const body = new RegExp(`^async function ${name}\\(.*\\{\\n((?:.*\\n)*?)\\}$`, "mu").exec(source)![1]!;
  return body.trimEnd().replaceAll(/^ {2}/gmu, "");
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : inspect(value);
}

const INTRODUCTION = `# Client

<!-- Generated by packages/client/src/page.test.ts: every example is run against the service. -->

\`@staunch/client\` speaks to the REST interface from Node 24 or newer and from browsers. Its methods are the routes of
[the interface](api.md), typed by the schemas of the contract: \`client.subjects.explain({ id })\` asks for
\`/api/subjects/{id}/explanation\`. The interface has no CORS headers, so a page comes from the service's own address.

\`\`\`ts
import { createClient, items, StaunchProblem, StaunchUnreachable } from "@staunch/client";

const client = createClient({ baseUrl: "http://127.0.0.1:8080", apiKey: process.env.STAUNCH_KEY });
\`\`\``;

const REFERENCE = `## What is sent again

A request is sent again when nothing came back in time, or with status 408, 429, 502, 503 or 504, and only if it
cannot act twice: reads, and writes that take an \`Idempotency-Key\` (\`events.ingest\`, and acts where
[the interface](api.md) says so). Everything else is sent once.

| limit | value | where to change it |
| --- | --- | --- |
| attempts in all | ${RETRY_DEFAULTS.attemptsMax} | \`retry.attemptsMax\` |
| wait before attempt n + 1: drawn evenly from 0 to | ${RETRY_DEFAULTS.delayFirstMs} ms x 2^(n - 1) | \`retry.delayFirstMs\` |
| ... but at most | ${RETRY_DEFAULTS.delayMaxMs / 1000} s | \`retry.delayMaxMs\` |
| \`Retry-After\`, waited for on top of that, up to | ${RETRY_AFTER_MAX_MS / 1000} s, else the error tells it | |
| time for one attempt | ${TIMEOUT_MS / 1000} s | \`timeoutMs\`, of the client or of a call |
| events in a batch of \`ingestAll\` | ${BATCH_EVENTS} | \`batchEvents\` |
| silence after which a live connection is given up | ${IDLE_MAX_MS / 1000} s | \`idleMaxMs\` |
| longest wait before a new live connection | ${RECONNECT_DELAY_MAX_MS / 1000} s | |
| new live connections that fail in a row | ${RECONNECTS_MAX} | \`reconnectsMax\` |
| longest event of the stream | ${EVENT_CHARACTERS_MAX / (1 << 20)} Mi characters | |

Every call takes \`signal\`, \`timeoutMs\` and \`headers\` in its last argument. \`validate: true\` holds every answer to its
schema, for tests and while you develop; \`fetch\`, \`clock\` and \`random\` can be handed in.`;
