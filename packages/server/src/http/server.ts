/** The REST interface. */
import { fastify, LogController, type FastifyBaseLogger, type FastifyReply } from "fastify";
import { serializerCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { randomUUID } from "node:crypto";
import { STATUS_CODES, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { App } from "../app/app.ts";
import type { Ops } from "../ops/ops.ts";
import { controlAccess } from "./access.ts";
import { readJsonBodies } from "./body.ts";
import { historyRoutes } from "./history.ts";
import { ingestRoutes } from "./ingest.ts";
import { keyRoutes } from "./keys.ts";
import { liveRoutes } from "./live.ts";
import { maintenanceRoutes } from "./maintenance.ts";
import { misbehaviourRoutes } from "./misbehaviour.ts";
import { monitorRoutes } from "./monitors.ts";
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
import { suspensionRoutes } from "./suspensions.ts";
import { workRoutes } from "./work.ts";
import { validateRequest } from "./validation.ts";

declare module "fastify" {
  interface FastifyInstance {
    /** All routes, as they were registered. */
    readonly routeTable: RouteTable;
  }
}

/** Path and query together. */
const URL_LENGTH_MAX = 8192;
/** All headers, the request line among them. */
const HEADER_BYTES_MAX = 16_384;
/** An id of 256 bytes with every byte percent-encoded. */
const PARAMETER_LENGTH_MAX = 768;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Both are looked at so often; Node.js by itself does so every 30 seconds, and would hold slow headers for 40. */
const TIMEOUT_CHECK_INTERVAL_MS = 2_000;
const KEEP_ALIVE_TIMEOUT_MS = 72_000;

/** What the interface needs of the configuration. */
export interface HttpConfig {
  readonly server: { readonly publicRequestsPerSecond: number };
  readonly ingest: { readonly bodyMaxBytes: number; readonly batchBodyMaxBytes: number };
}

/** The server with all its routes, not yet listening. */
export function createHttpServer(app: App, config: HttpConfig, ops: Ops): Server {
  // Named so that the server's type does not depend on which logger it is.
  const loggerInstance: FastifyBaseLogger = ops.logger;
  const server: Server = fastify({
    loggerInstance,
    // Requests are logged by `observe`, once each.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: config.ingest.bodyMaxBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    http: {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
      // Refused below instead, with a problem document.
      requireHostHeader: false,
    },
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
    const routes = scope.withTypeProvider<ZodTypeProvider>();
    subjectRoutes(routes, app);
    historyRoutes(routes, app);
    sanctionRoutes(routes, app);
    misbehaviourRoutes(routes, app);
    maintenanceRoutes(routes, app);
    suspensionRoutes(routes, app);
    rankingRoutes(routes, app);
    workRoutes(routes, app, config.ingest.batchBodyMaxBytes);
    monitorRoutes(routes, app);
    policyRoutes(routes, app);
    keyRoutes(routes, app);
    liveRoutes(routes, app.live);
    statusRoutes(routes, app, ops);
  });
  const { bodyMaxBytes, batchBodyMaxBytes } = config.ingest;
  void server.register(ingestRoutes, { ingest: app.ingest, bodyMaxBytes, batchBodyMaxBytes });
  return server;
}

function addHooks(server: Server, app: App, config: HttpConfig, ops: Ops): void {
  const table = new RouteTable();
  server.decorate("routeTable", table);
  server.addHook("onRoute", (route) => {
    // The reference page registers its own routes, which cannot say their role.
    if (route.url === "/docs" || route.url.startsWith("/docs/"))
      route.config = { ...route.config, role: "public" };
  });
  server.addHook("onRequest", async (request, reply) => {
    setSecurityHeaders(reply, request.id);
    const hosts = hostCount(request.raw);
    if (hosts > 1 || (hosts === 0 && request.raw.httpVersion === "1.1")) {
      throw new HttpProblem("malformed_request", "the header Host must be there once");
    }
    if (request.url.length > URL_LENGTH_MAX) {
      throw new HttpProblem("url_too_long", `path and query have more than ${URL_LENGTH_MAX} characters`);
    }
  });
  observe(server, app, ops);
  controlAccess(server, {
    authenticate: (token) => app.keys.authenticate(token),
    publicRequestsPerSecond: config.server.publicRequestsPerSecond,
    now: ops.now,
  });
  // Here, not in the handler for what is not found: that would first read and judge a body nobody wants.
  server.addHook("onRequest", async (request) => {
    if (request.is404) throw notFound(request.method, request.url, table);
  });
  table.watch(server);
  server.setNotFoundHandler((request) => {
    throw notFound(request.method, request.url, table);
  });
  server.setErrorHandler((error, request, reply) => sendError(error, request, reply));
  // RFC 9110, 10.1.1: an expectation that is not known may be ignored; Node.js would answer without a document.
  server.server.on("checkExpectation", (request, response) => {
    server.server.emit("request", request, response);
  });
}

/** Of several Node.js keeps the first, and something in front of it perhaps another: RFC 9112, 3.2 refuses both. */
function hostCount({ rawHeaders }: IncomingMessage): number {
  let count = 0;
  for (let name = 0; name < rawHeaders.length; name += 2)
    if (rawHeaders[name]!.toLowerCase() === "host") count += 1;
  return count;
}

function notFound(method: string, url: string, table: RouteTable): HttpProblem {
  const path = url.split("?", 1)[0]!;
  const methods = table.methodsOf(path);
  // A path under a wildcard fits its route even where there is no such file.
  if (methods.length === 0 || methods.includes(method))
    return new HttpProblem("route_not_found", "nothing answers here; /docs lists all routes");
  const allow = methods.join(", ");
  return new HttpProblem("method_not_allowed", `${method} is not one of ${allow}`, { headers: { allow } });
}

function setSecurityHeaders(reply: FastifyReply, requestId: string): void {
  void reply.headers({
    "x-request-id": requestId,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
  });
}

/** Bytes that are no request: the connection has no reply object, so the answer is written by hand. */
function answerBrokenRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem =
    error.code === "HPE_HEADER_OVERFLOW"
      ? new HttpProblem("headers_too_large", `the headers have more than ${HEADER_BYTES_MAX} bytes`)
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? new HttpProblem("request_timeout", "the request did not arrive in time; send it again")
        : new HttpProblem("malformed_request", "the connection does not speak HTTP/1.1");
  const document = problemDocument(problem, randomUUID());
  const body = JSON.stringify(document);
  const head = [
    `HTTP/1.1 ${document.status} ${STATUS_CODES[document.status]}`,
    "content-type: application/problem+json",
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${document.request_id}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
