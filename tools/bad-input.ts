/**
 * Sends generated bad requests to every route of the service, in this process, and proves that each is answered
 * properly: no answer of 5xx except that the table of subscriptions is full, every refusal a problem document with a
 * known code, nothing thrown past the handlers, and afterwards a service that still takes and shows a good event and
 * has not kept the memory.
 *
 *     npm run bad-input -- --count 1000000 [--seed 1] [--json]
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ERRORS } from "../packages/contract/src/problem.ts";
import { createHttpApp, send, type HttpApp } from "../packages/server/test/http-app.ts";
import { HostileRequests, WORKERS, type HostileRequest } from "./hostile-requests.ts";

/** A service takes so many and is then replaced, because what it accepts it has to keep. */
const INPUTS_PER_SERVICE = 25_000;
const CONCURRENT = 64;
const ANSWER_MAX_MS = 20_000;
/** Looks at the memory that is left of a service. */
const SETTLING_ROUNDS = 5;
/** What a service may have grown by during its inputs: events that it accepted, and answers kept for repeats. */
const GROWTH_MAX_BYTES = 128 << 20;
/** What may be left of services that were closed: two, whose memory the collector has not come round to. */
const LEAK_MAX_BYTES = 96 << 20;

export interface BadInputOptions {
  readonly count: number;
  readonly seed: number;
  readonly onService?: (summary: BadInputSummary) => void;
}

export interface BadInputSummary {
  readonly inputs: number;
  /** How many were answered with each status. */
  readonly statuses: { readonly [status: string]: number };
  /** How many were answered with each code of a problem. */
  readonly codes: { readonly [code: string]: number };
  readonly durationMs: number;
  /** Most that a service grew by, and what was left after all of them were closed. */
  readonly growthBytes: number;
  readonly leakBytes: number;
}

/** @throws Error that says which request was answered how, or what else is wrong */
export async function badInput({ count, seed, onService }: BadInputOptions): Promise<BadInputSummary> {
  const tally = new Tally();
  const watch = new CrashWatch();
  try {
    for (let service = 0; tally.inputs < count; service++) {
      const inputs = Math.min(INPUTS_PER_SERVICE, count - tally.inputs);
      await attackOne(inputs, seed + service, tally, watch);
      // Here, where nothing holds the service any more.
      tally.closed(await settledBytes());
      onService?.(tally.summary());
    }
    return tally.summary();
  } finally {
    watch.stop();
  }
}

/** The life of one service. */
async function attackOne(inputs: number, seed: number, tally: Tally, watch: CrashWatch): Promise<void> {
  const app = await createHttpApp();
  try {
    await welcomeWorkers(app);
    const requests = new HostileRequests(
      {
        routes: app.server.routeTable.rows,
        tokens: Object.values(app.tokens),
        policy: app.app.policies.active("provider")!.document,
        now: () => app.clock.now(),
      },
      seed,
    );
    const beforeBytes = heapBytes();
    for (let sent = 0; sent < inputs; sent += CONCURRENT) {
      const batch = Array.from({ length: Math.min(CONCURRENT, inputs - sent) }, () => requests.next());
      await answersOf(app, batch, requests, tally);
      watch.check(batch);
      app.clock.advance(1 + (sent % 1000 === 0 ? 60_000 : 0));
      app.lines.length = 0;
    }
    await proveAlive(app);
    tally.grew(heapBytes() - beforeBytes);
  } catch (error) {
    const causes = app.lines.filter((line) => line.includes("request failed"));
    throw new Error(`${(error as Error).message}\n${causes.join("")}`, { cause: error });
  } finally {
    await app.close();
  }
}

/** A kind whose members run jobs, so that bids and outcomes have somebody to be about. */
async function welcomeWorkers(app: HttpApp): Promise<void> {
  await send(app, "admin", "PUT", "/api/policies/worker", {
    body: { policy: { extends: "compute-worker" }, reason: "workers join" },
    headers: { "if-none-match": "*" },
  });
  const body = Array.from({ length: WORKERS }, (_, index) => {
    return { type: "job", subject: `worker-${index}`, kind: "worker", outcome: "success" };
  });
  const taken = await send(app, "ingest", "POST", "/api/events", { body });
  if (taken.statusCode !== 200) throw new Error(`workers were not taken: ${taken.body}`);
}

async function answersOf(
  app: HttpApp,
  batch: readonly HostileRequest[],
  requests: HostileRequests,
  tally: Tally,
): Promise<void> {
  const late = Promise.withResolvers<never>();
  const open = new Set(batch);
  const timer = setTimeout(() => {
    late.reject(finding("no answer", [...open][0]!));
  }, ANSWER_MAX_MS);
  const answered = batch.map(async (request) => {
    const answer = await answerTo(app, request);
    open.delete(request);
    return answer;
  });
  try {
    // Judged, and learned from, in the order of the requests, so that the next ones depend on the seed alone.
    for (const [index, answer] of (await Promise.race([Promise.all(answered), late.promise])).entries())
      tally.add(answer.statusCode, judge(batch[index]!, answer, requests));
  } finally {
    clearTimeout(timer);
  }
}

interface Answer {
  readonly statusCode: number;
  readonly headers: { readonly [name: string]: string | number | readonly string[] | undefined };
  readonly body: string;
}

async function answerTo({ server }: HttpApp, request: HostileRequest): Promise<Answer> {
  const { method, url, headers, body } = request;
  try {
    return await server.inject({
      // Only known to the types is what the routes use.
      method: method as "GET",
      url,
      headers: { ...headers },
      ...(body === null ? {} : { payload: body }),
    });
  } catch (error) {
    throw finding(`thrown: ${(error as Error).stack}`, request);
  }
}

/** The code of the problem, "" for an answer that is none. */
function judge(request: HostileRequest, answer: Answer, requests: HostileRequests): string {
  const { statusCode, headers, body } = answer;
  const type = String(headers["content-type"] ?? "");
  const hasBody = request.method !== "HEAD" && statusCode !== 304 && statusCode !== 204;
  if (statusCode < 400) {
    if (hasBody && type.startsWith("application/json") && body.length < 100_000)
      learn(request, body, requests);
    return "";
  }
  if (!type.startsWith("application/problem+json"))
    throw finding(`${statusCode} as ${type}: ${body.slice(0, 300)}`, request);
  if (!hasBody) {
    if (statusCode >= 500 && statusCode !== 503) throw finding(`${statusCode} without a body`, request);
    return "";
  }
  const problem = parsed(request, body) as { code?: unknown; status?: unknown; detail?: unknown };
  const meaning = Object.entries(ERRORS).find(([code]) => code === problem.code)?.[1];
  const isProper =
    meaning?.status === statusCode &&
    problem.status === statusCode &&
    typeof problem.detail === "string" &&
    problem.detail !== "" &&
    !STACK.test(body);
  // Nobody fills the disk, stops the log or the service here, so these are the requests' doing.
  if (!isProper || (statusCode >= 500 && problem.code !== "overloaded"))
    throw finding(`${statusCode}: ${body.slice(0, 1000)}`, request);
  return String(problem.code);
}

/** What only the inside of the program would say. */
const STACK = /node_modules|node:internal|\.ts:\d/u;

function learn(request: HostileRequest, body: string, requests: HostileRequests): void {
  const value = parsed(request, body) as {
    id?: unknown;
    next?: unknown;
    sanctions?: readonly { id: unknown }[];
  };
  requests.learn(value.next);
  requests.learn(value.id);
  if (Array.isArray(value.sanctions)) requests.learn(value.sanctions[0]?.id);
}

function parsed(request: HostileRequest, body: string): object {
  try {
    return JSON.parse(body) as object;
  } catch {
    throw finding(`an answer that is not JSON: ${body.slice(0, 300)}`, request);
  }
}

/** @throws Error unless a good event is taken and shown */
async function proveAlive(app: HttpApp): Promise<void> {
  const subject = "good-after-all";
  const body = [{ type: "metric", subject, metric: "uptime", value: 1 }];
  const taken = await send(app, "ingest", "POST", "/api/events", { body });
  const shown = await send(app, "viewer", "GET", `/api/subjects/${subject}`);
  const standing = shown.json<{ id?: string; event_count?: number }>();
  if (taken.statusCode !== 200 || taken.json<{ accepted: number }>().accepted !== 1)
    throw new Error(`a good event was not taken after the bad ones: ${taken.body}`);
  if (shown.statusCode !== 200 || standing.id !== subject || standing.event_count !== 1)
    throw new Error(`a good event was not counted after the bad ones: ${shown.body}`);
}

/** What was thrown past all handlers. */
class CrashWatch {
  private readonly thrown: unknown[] = [];
  private readonly note = (error: unknown): void => void this.thrown.push(error);

  constructor() {
    process.on("uncaughtException", this.note);
    process.on("unhandledRejection", this.note);
  }

  check(batch: readonly HostileRequest[]): void {
    const [error] = this.thrown;
    if (error === undefined) return;
    const told = error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(error);
    throw new Error(`thrown past all handlers: ${told}\none of:\n${batch.map(requestText).join("\n")}`);
  }

  stop(): void {
    process.off("uncaughtException", this.note);
    process.off("unhandledRejection", this.note);
  }
}

class Tally {
  inputs = 0;
  private readonly statuses: { [status: string]: number } = {};
  private readonly codes: { [code: string]: number } = {};
  private readonly startMs = performance.now();
  private growthBytes = 0;
  /** After the first service, which also pays for what the process loads once. */
  private firstBytes: number | null = null;
  private leakBytes = 0;

  add(status: number, code: string): void {
    this.inputs += 1;
    this.statuses[status] = (this.statuses[status] ?? 0) + 1;
    if (code !== "") this.codes[code] = (this.codes[code] ?? 0) + 1;
  }

  grew(bytes: number): void {
    this.growthBytes = Math.max(this.growthBytes, bytes);
    if (bytes > GROWTH_MAX_BYTES) throw new Error(`the service has grown by ${bytes} bytes`);
  }

  closed(bytes: number): void {
    this.firstBytes ??= bytes;
    this.leakBytes = bytes - this.firstBytes;
    if (this.leakBytes > LEAK_MAX_BYTES)
      throw new Error(`${this.leakBytes} bytes are left of services that were closed`);
  }

  summary(): BadInputSummary {
    const { inputs, growthBytes, leakBytes } = this;
    const durationMs = Math.round(performance.now() - this.startMs);
    return { inputs, statuses: this.statuses, codes: this.codes, durationMs, growthBytes, leakBytes };
  }
}

/** Bytes in use after all garbage is gone. */
function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Memory of buffers is given back a while after the collector has found that nobody holds them. */
async function settledBytes(): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < SETTLING_ROUNDS; round++) {
    await nextTurn();
    least = Math.min(least, heapBytes());
  }
  return least;
}

function finding(what: string, request: HostileRequest): Error {
  return new Error(`${what}\nto ${requestText(request)}`);
}

/** Enough to send it again; the body in base64, because it need not be text. */
function requestText({ method, url, headers, body }: HostileRequest): string {
  return JSON.stringify({ method, url, headers, body: body?.toString("base64") ?? null });
}

if (import.meta.main) {
  const options = {
    count: { type: "string" },
    seed: { type: "string" },
    json: { type: "boolean" },
  } as const;
  const { values } = parseArgs({ options });
  const show =
    values.json === true ? null : (summary: BadInputSummary) => console.error(summaryLine(summary));
  const count = Number(values.count ?? 100_000);
  const seed = Number(values.seed ?? 1);
  const summary = await badInput({ count, seed, ...(show !== null && { onService: show }) });
  console.log(values.json === true ? JSON.stringify(summary) : `passed: ${summaryLine(summary)}`);
}

function summaryLine({ inputs, statuses, durationMs, growthBytes, leakBytes }: BadInputSummary): string {
  const answers = Object.entries(statuses).map(([status, times]) => `${times} x ${status}`);
  return (
    `${inputs} bad inputs in ${Math.round(durationMs / 1000)} s, answered ${answers.join(", ")}; ` +
    `a service grew by ${growthBytes >> 20} MiB at most, ${leakBytes >> 20} MiB were left`
  );
}
