/** What all routes share: their type, and what the reference says of each. */
import { Problem } from "@staunch/contract";
import type { FastifyInstance, RawServerDefault } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import type { z } from "zod";

/** The server with requests and answers typed by their schemas. */
export type Server = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, Logger, ZodTypeProvider>;

/** Any error, in the reference of every route. */
const problem = {
  description: "Any error, by its `code`.",
  content: { "application/problem+json": { schema: Problem } },
} as const;

/** Instants are shown in ISO 8601, UTC. */
export function time(ms: number): string {
  return new Date(ms).toISOString();
}

export function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : time(ms);
}

/** Answer schemas by status, with the problem document for everything else. */
export function answers<Answers extends { readonly [status: number]: z.ZodType }>(
  byStatus: Answers,
): Answers & { default: typeof problem } {
  return { ...byStatus, default: problem };
}
