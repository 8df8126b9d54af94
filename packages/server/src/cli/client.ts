/** The client of a running service as the commands use it, and its failures in their words. */
import { readFileSync } from "node:fs";
import {
  createClient,
  StaunchProblem,
  StaunchUnreachable,
  type Client,
  type StaunchError,
} from "@staunch/client";
import { CliError, EXIT } from "./exit-codes.ts";
import type { Io } from "./output.ts";

const DEFAULT_URL = "http://127.0.0.1:8080";

export interface ClientOptions {
  readonly url?: string | undefined;
  /** A key, or `@FILE` for a file that holds one. */
  readonly key?: string | undefined;
}

/** `--url` and `--key` over `STAUNCH_URL` and `STAUNCH_KEY`. A person can try again, so nothing is sent twice. */
export function serviceClient(io: Io, options: ClientOptions): Client {
  const baseUrl = serviceUrl(io, options);
  if (!URL.canParse(baseUrl)) throw new CliError("usage", EXIT.usage, `--url ${baseUrl} is not an address`);
  const apiKey = readKey(options.key ?? io.env["STAUNCH_KEY"]);
  return createClient({ baseUrl, apiKey, retry: { attemptsMax: 1 } });
}

export function serviceUrl(io: Io, options: ClientOptions): string {
  return options.url ?? io.env["STAUNCH_URL"] ?? DEFAULT_URL;
}

/** What the service or the way to it had to say, with what to do where it does not say so itself. */
export function serviceError(error: StaunchError): CliError {
  if (error instanceof StaunchUnreachable) {
    const advice = "Start it with `npm start`, or say where it is with --url or STAUNCH_URL.";
    const message = `no answer from ${error.url} (${innermost(error)}). ${advice}`;
    return new CliError("unreachable", EXIT.unreachable, message);
  }
  // Not ours: a proxy in between, or another program on this port.
  if (!(error instanceof StaunchProblem))
    return new CliError(`http_${error.status}`, exitOf(error.status), sentence(error.message));
  const { code, status, detail, errors, retryAfterMs } = error;
  const details = errors.map((one) => `\n  ${one.detail}`).join("");
  const exit = exitOf(status);
  const advice = exit === EXIT.denied ? " Give the key in STAUNCH_KEY, or as --key @FILE." : "";
  const wait = retryAfterMs === null ? "" : ` Try again in ${Math.ceil(retryAfterMs / 1000)} s.`;
  return new CliError(code, exit, `${sentence(detail + details)}${advice}${wait}`);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function readKey(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  if (!text.startsWith("@")) return text.trim();
  try {
    return readFileSync(text.slice(1), "utf8").trim();
  } catch (error) {
    throw new CliError("usage", EXIT.usage, `the key file cannot be read: ${messageOf(error)}`);
  }
}

/** `fetch` says only that it failed; why is in its cause. */
function innermost(error: Error): string {
  return error.cause instanceof Error ? innermost(error.cause) : error.message;
}

function sentence(text: string): string {
  return /[.!?:]$/u.test(text) ? text : `${text}.`;
}

function exitOf(status: number): number {
  if (status === 401 || status === 403) return EXIT.denied;
  if (status === 404) return EXIT.notFound;
  if (status === 409 || status === 412 || status === 428) return EXIT.conflict;
  if (status === 429 || status === 503 || status === 507) return EXIT.limited;
  if (status === 400 || status === 422) return EXIT.usage;
  return EXIT.failure;
}
