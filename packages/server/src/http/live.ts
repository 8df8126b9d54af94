/** Live updates as server-sent events. */
import type { LiveQuery } from "@staunch/contract";
import type { ServerResponse } from "node:http";
import type { z } from "zod";
import type { LiveFilter } from "../app/live/filter.ts";
import type { LiveHub, Sink, SubscribeResult } from "../app/live/hub.ts";
import { HttpProblem } from "./problem.ts";
import { routeOf, type Server } from "./route.ts";

/** A client that found no room asks again after this. */
const RETRY_SECONDS = 30;

/** `GET /api/live`; closes all subscriptions when the server closes. */
export function liveRoutes(server: Server, live: LiveHub): void {
  server.addHook("preClose", async () => live.close());
  server.route({
    ...routeOf("live", "subscribe"),
    exposeHeadRoute: false,
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
