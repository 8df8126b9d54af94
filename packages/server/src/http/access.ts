/** Who may do what: every route names its role, and a request without a valid key has a limit per address. */
import type { FastifyRequest } from "fastify";
import { ROLES, type Principal, type Role } from "../app/principal.ts";
import { HttpProblem } from "./problem.ts";
import { RateLimit } from "./rate-limit.ts";
import type { Server } from "./route.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The least role that may use the route, or `public` without a key. Every route has one. */
    role?: Role | "public";
  }
  interface FastifyRequest {
    /** Who asks; null without a key, which only public routes allow. */
    principal: Principal | null;
  }
}

export interface AccessOptions {
  readonly authenticate: (token: string) => Principal | null;
  readonly publicRequestsPerSecond: number;
  readonly now: () => number;
}

const BEARER = /^Bearer +(\S{1,512})$/iu;

/** Adds the check to every route of the server, and refuses to start when a route does not say its role. */
export function controlAccess(server: Server, options: AccessOptions): void {
  const limit = new RateLimit(options.publicRequestsPerSecond, options.now);
  server.decorateRequest("principal", null);
  server.addHook("onRoute", ({ method, url, config }) => {
    if (config?.role === undefined) throw new Error(`route ${String(method)} ${url} does not say its role`);
  });
  server.addHook("onRequest", async (request, reply) => {
    const { authorization } = request.headers;
    const token = BEARER.exec(authorization ?? "")?.[1];
    request.principal = token === undefined ? null : options.authenticate(token);
    if (request.principal === null) {
      const { allowed, remaining } = limit.take(request.ip);
      void reply.header("ratelimit-policy", `"public";q=${options.publicRequestsPerSecond};w=1`);
      void reply.header("ratelimit", `"public";r=${remaining};t=1`);
      if (!allowed) throw limited();
    }
    const role = request.is404 ? "public" : request.routeOptions.config.role;
    if (role !== "public") checkRole(request, role!, authorization);
  });
}

/** The caller of a route that is not public. */
export function callerOf(request: FastifyRequest): Principal {
  if (request.principal === null) throw new Error("the route has no role");
  return request.principal;
}

/** How acts of the caller are signed. */
export function issuerOf(request: FastifyRequest): string {
  return `key:${callerOf(request).id}`;
}

/** Whether the caller may do what operators may. */
export function isOperator(request: FastifyRequest): boolean {
  return ROLES.indexOf(callerOf(request).role) >= ROLES.indexOf("operator");
}

function checkRole(request: FastifyRequest, role: Role, authorization: string | undefined): void {
  const { principal } = request;
  if (principal === null) throw unauthenticated(authorization);
  if (ROLES.indexOf(principal.role) >= ROLES.indexOf(role)) return;
  throw new HttpProblem("role_not_allowed", `this needs the role ${role}, and the key has ${principal.role}`);
}

function unauthenticated(authorization: string | undefined): HttpProblem {
  if (authorization === undefined) {
    const headers = { "www-authenticate": 'Bearer realm="staunch"' };
    return new HttpProblem("key_missing", "send the header Authorization: Bearer <key>", { headers });
  }
  const headers = { "www-authenticate": 'Bearer realm="staunch", error="invalid_token"' };
  return new HttpProblem("key_invalid", "the key is unknown or revoked, or not sent as Bearer", { headers });
}

function limited(): HttpProblem {
  const headers = { "retry-after": "1" };
  return new HttpProblem("too_many_requests", "too many requests without a valid key; wait a second", {
    headers,
  });
}
