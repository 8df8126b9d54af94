/** Live updates as server-sent events. */
import { KindName, SubjectId } from "@staunch/contract";
import type { ServerResponse } from "node:http";
import { z } from "zod";
import { LIVE_TYPES, type LiveFilter } from "../app/live/filter.ts";
import type { LiveHub, Sink, SubscribeResult } from "../app/live/hub.ts";
import { HttpProblem } from "./problem.ts";
import type { Server } from "./route.ts";

/** A client that found no room asks again after this. */
const RETRY_SECONDS = 30;

const LiveQuery = z.strictObject({
  subject: SubjectId.optional().describe("Only this subject."),
  kind: KindName.optional().describe("Only subjects of this kind."),
  operator: SubjectId.optional().describe("Only subjects of this operator."),
  tier: z.string().min(1).max(64).optional().describe("Only subjects in this tier now."),
  type: z
    .string()
    .transform((text) => text.split(","))
    .pipe(z.array(z.enum(LIVE_TYPES)))
    .optional()
    .describe(`Only these, joined by commas: ${LIVE_TYPES.map((type) => `\`${type}\``).join(", ")}.`),
});

const LiveHeaders = z.looseObject({
  "last-event-id": z
    .string()
    .regex(/^\d{1,15}$/u, "must be the id of the last frame that arrived")
    .transform(Number)
    .optional()
    .describe(
      "Id of the last frame that arrived: what came after it is told again, or a `gap` if it is too long ago.",
    ),
});

/** `GET /api/live`; closes all subscriptions when the server closes. */
export function liveRoutes(server: Server, live: LiveHub): void {
  server.addHook("preClose", async () => live.close());
  server.route({
    method: "GET",
    url: "/api/live",
    exposeHeadRoute: false,
    config: { role: "viewer" },
    schema: {
      summary: "Changes as they happen",
      description:
        "Server-sent events. A `frame` has the score changes since the last one, the newest of each subject with old score, new score, reason and components, and the crossings and acts; its id is the log position. A `gap` says that something was left out: read the standings again.",
      tags: ["live"],
      querystring: LiveQuery,
      headers: LiveHeaders,
      response: { 200: z.string().describe("A stream of type `text/event-stream`.") },
    },
    handler: (request, reply) => {
      const { raw } = reply;
      const headers = {
        ...reply.getHeaders(),
        "content-type": "text/event-stream; charset=utf-8",
        "x-accel-buffering": "no",
      };
      const sink = sinkOf(raw, () => raw.writeHead(200, headers as Record<string, string>));
      const result = live.subscribe(filterOf(request.query), request.headers["last-event-id"] ?? null, sink);
      if (result.type !== "subscribed") throw refusal(result);
      reply.hijack();
      raw.once("close", result.unsubscribe);
    },
  });
}

function filterOf(query: z.output<typeof LiveQuery>): LiveFilter {
  const { subject = null, kind = null, operator = null, tier = null, type = null } = query;
  return { subject, kind, operator, tier, types: type };
}

/** @param begin writes the head, once there is something to send */
function sinkOf(raw: ServerResponse, begin: () => void): Sink {
  return {
    send: (text) => {
      if (raw.destroyed || raw.writableEnded) return;
      if (!raw.headersSent) begin();
      raw.write(text);
    },
    backlogBytes: () => raw.writableLength,
    end: () => raw.end(),
  };
}

function refusal(result: Exclude<SubscribeResult, { type: "subscribed" }>): HttpProblem {
  const headers = { "retry-after": String(RETRY_SECONDS) };
  switch (result.type) {
    case "closing":
      return new HttpProblem("closing", "the service is shutting down; subscribe again later");
    case "too_many_connections":
      return new HttpProblem(
        "overloaded",
        `there can be ${result.limit} subscriptions at a time (live.connections_max); try again later`,
        { headers },
      );
    case "too_many_filters":
      return new HttpProblem(
        "overloaded",
        `there can be ${result.limit} different filters without a subject at a time; use a broader one`,
        { headers },
      );
  }
}
