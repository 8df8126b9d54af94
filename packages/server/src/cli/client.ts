/** The REST interface of a running service, as the commands use it. */
import { readFileSync } from "node:fs";
import { CliError, EXIT } from "./exit-codes.ts";
import type { Io } from "./output.ts";

const TIMEOUT_MS = 30_000;
const DEFAULT_URL = "http://127.0.0.1:8080";

export interface ClientOptions {
  readonly url?: string | undefined;
  /** A key, or `@FILE` for a file that holds one. */
  readonly key?: string | undefined;
}

export interface RequestOptions {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly query?: { readonly [name: string]: string | number | undefined };
  readonly body?: unknown;
  readonly headers?: { readonly [name: string]: string };
}

export class Client {
  readonly url: string;
  private readonly key: string | null;

  /** `--url` and `--key` over `STAUNCH_URL` and `STAUNCH_KEY`. */
  constructor(io: Io, options: ClientOptions) {
    this.url = (options.url ?? io.env["STAUNCH_URL"] ?? DEFAULT_URL).replace(/\/+$/u, "");
    this.key = readKey(options.key ?? io.env["STAUNCH_KEY"]);
    if (!URL.canParse(this.url))
      throw new CliError("usage", EXIT.usage, `--url ${this.url} is not an address`);
  }

  /** The JSON of an answer; every failure becomes a {@link CliError}. */
  async json<T>(path: string, options: RequestOptions = {}): Promise<T> {
    const response = await this.send(path, options, AbortSignal.timeout(TIMEOUT_MS));
    return (response.status === 204 ? null : await response.json()) as T;
  }

  /** The answer as it streams in, until `signal` ends it. */
  async stream(
    path: string,
    options: RequestOptions,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    const response = await this.send(path, options, signal);
    return response.body!;
  }

  private async send(path: string, options: RequestOptions, signal: AbortSignal): Promise<Response> {
    const url = new URL(this.url + path);
    for (const [name, value] of Object.entries(options.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const headers: { [name: string]: string } = { ...options.headers };
    if (this.key !== null) headers["authorization"] = `Bearer ${this.key}`;
    if (options.body !== undefined) headers["content-type"] = "application/json";
    const body = options.body === undefined ? null : JSON.stringify(options.body);
    let response: Response;
    try {
      response = await fetch(url, { method: options.method ?? "GET", headers, body, signal });
    } catch (error) {
      throw unreachable(this.url, error);
    }
    if (!response.ok) throw await refused(response);
    return response;
  }
}

function readKey(text: string | undefined): string | null {
  if (text === undefined || text === "") return null;
  if (!text.startsWith("@")) return text.trim();
  try {
    return readFileSync(text.slice(1), "utf8").trim();
  } catch (error) {
    throw new CliError("usage", EXIT.usage, `the key file cannot be read: ${messageOf(error)}`);
  }
}

function unreachable(url: string, error: unknown): CliError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const advice = "Start it with `npm start`, or say where it is with --url or STAUNCH_URL.";
  return new CliError(
    "unreachable",
    EXIT.unreachable,
    `no service answers at ${url} (${messageOf(cause)}). ${advice}`,
  );
}

/** The problem document in words, with what to do where it does not say so itself. */
async function refused(response: Response): Promise<CliError> {
  const { status } = response;
  const problem = await readProblem(response);
  const exit = exitOf(status);
  const advice = exit === EXIT.denied ? " Give the key in STAUNCH_KEY, or as --key @FILE." : "";
  const again = response.headers.get("retry-after");
  const wait = again === null ? "" : ` Try again in ${again} s.`;
  const text = /[.!?:]$/u.test(problem.text) ? problem.text : `${problem.text}.`;
  return new CliError(problem.code, exit, `${text}${advice}${wait}`);
}

async function readProblem(response: Response): Promise<{ code: string; text: string }> {
  const fallback = { code: `http_${response.status}`, text: `the service answered ${response.status}` };
  try {
    const body = (await response.json()) as { [field: string]: unknown };
    const errors = Array.isArray(body["errors"]) ? (body["errors"] as { detail?: unknown }[]) : [];
    const details = errors.map(({ detail }) => `\n  ${String(detail)}`).join("");
    const text = typeof body["detail"] === "string" ? body["detail"] : fallback.text;
    return { code: typeof body["code"] === "string" ? body["code"] : fallback.code, text: text + details };
  } catch {
    // Not ours: a proxy in between, or another program on this port.
    return fallback;
  }
}

function exitOf(status: number): number {
  if (status === 401 || status === 403) return EXIT.denied;
  if (status === 404) return EXIT.notFound;
  if (status === 409 || status === 412 || status === 428) return EXIT.conflict;
  if (status === 429 || status === 503 || status === 507) return EXIT.limited;
  if (status === 400 || status === 422) return EXIT.usage;
  return EXIT.failure;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
