/** The REST interface. */
import { fastify, type FastifyInstance, type FastifyReply } from "fastify";
import { serializerCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import type { App } from "../app/app.ts";
import type { Ops } from "../ops/ops.ts";
import { controlAccess } from "./access.ts";
import { readJsonBodies } from "./body.ts";
import { keyRoutes } from "./keys.ts";
import { observe } from "./observe.ts";
import { describeInterface } from "./openapi.ts";
import { policyRoutes } from "./policies.ts";
import { HttpProblem, problemDocument, sendError } from "./problem.ts";
import { rankingRoutes } from "./rankings.ts";
import type { Server } from "./route.ts";
import { RouteTable } from "./route-table.ts";
import { sanctionRoutes } from "./sanctions.ts";
import { statusRoutes } from "./status.ts";
import { subjectRoutes } from "./subjects.ts";
import { validateRequest } from "./validation.ts";

/** Path and query together. */
export const URL_LENGTH_MAX = 8192;
/** All headers, the request line among them. */
export const HEADER_BYTES_MAX = 16_384;
/** An id of 256 bytes with every byte percent-encoded. */
const PARAMETER_LENGTH_MAX = 768;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_TIMEOUT_MS = 72_000;

/** What the interface needs of the configuration. */
export interface HttpConfig {
  readonly server: { readonly publicRequestsPerSecond: number };
  readonly ingest: { readonly bodyMaxBytes: number; readonly batchBodyMaxBytes: number };
}

/** The server with all its routes, not yet listening. */
export function createHttpServer(app: App, config: HttpConfig, ops: Ops): Server {
  const server: Server = fastify({
    loggerInstance: ops.logger,
    disableRequestLogging: true,
    bodyLimit: config.ingest.bodyMaxBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    http: { maxHeaderSize: HEADER_BYTES_MAX, headersTimeout: HEADERS_TIMEOUT_MS },
    routerOptions: { maxParamLength: PARAMETER_LENGTH_MAX },
    genReqId: () => randomUUID(),
    // Requests on open connections are answered until the end; writes among them are refused by the use cases.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      setSecurityHeaders(reply, request.id);
      sendError(error, request, reply);
    },
    clientErrorHandler: answerBrokenRequest,
  }).withTypeProvider<ZodTypeProvider>();
  server.setValidatorCompiler(validateRequest);
  server.setSerializerCompiler(serializerCompiler);
  addHooks(server, app, config, ops);
  describeInterface(server, app.service.version);
  readJsonBodies(server);
  void server.register(async (scope) => {
    const routes = scope.withTypeProvider<ZodTypeProvider>() as Server;
    subjectRoutes(routes, app);
    sanctionRoutes(routes, app);
    rankingRoutes(routes, app);
    policyRoutes(routes, app);
    keyRoutes(routes, app);
    statusRoutes(routes, app, ops);
  });
  return server;
}
