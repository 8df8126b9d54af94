/** What all routes share. */
import { ROUTES, type Route, type RouteGroup } from "@staunch/contract";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { IncomingMessage, ServerResponse } from "node:http";

/** The server with requests and answers typed by their schemas. */
export type Server = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/**
 * A route of the contract as Fastify registers it: all but the handler, which is typed by the route's schemas.
 * The group is its tag in the reference.
 */
export function routeOf<Group extends RouteGroup, Operation extends keyof (typeof ROUTES)[Group]>(
  group: Group,
  operation: Operation,
): Registered<(typeof ROUTES)[Group][Operation]> {
  const route = ROUTES[group][operation] as Route;
  const { method, path, role, params, query, headers, body, responses, mediaType } = route;
  const { summary, description } = route;
  const told = { summary, description, tags: [group], produces: mediaType && [mediaType] };
  const schema = { ...told, params, querystring: query, headers, body, response: responses };
  return {
    method,
    url: path.replaceAll(/\{(\w+)\}/gu, ":$1"),
    config: { role },
    schema: Object.fromEntries(Object.entries(schema).filter(([, part]) => part !== undefined)),
  } as Registered<(typeof ROUTES)[Group][Operation]>;
}

interface Registered<Declared> {
  readonly method: Route["method"];
  readonly url: string;
  readonly config: { readonly role: Route["role"] };
  readonly schema: Part<Declared, "params", "params"> &
    Part<Declared, "query", "querystring"> &
    Part<Declared, "headers", "headers"> &
    Part<Declared, "body", "body"> &
    Part<Declared, "responses", "response">;
}

/** A part of a request or answer under the name that Fastify has for it, where the route declares it. */
type Part<Declared, Name extends keyof Route, Named extends string> = Declared extends {
  readonly [name in Name]: infer Schema;
}
  ? { readonly [name in Named]: Schema }
  : unknown;

/** An instant as answers show it: ISO 8601, UTC. */
export function time(ms: number): string {
  return new Date(ms).toISOString();
}

export function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : time(ms);
}
