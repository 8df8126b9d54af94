/** History of a subject. */
import { History, HistoryQuery, SubjectPath } from "@staunch/contract";
import type { z } from "zod";
import type { App } from "../app/app.ts";
import type { SubjectHistory } from "../app/history/history.ts";
import { HttpProblem } from "./problem.ts";
import { time, timeOrNull, type Server } from "./route.ts";
import { subjectOf } from "./subjects.ts";

export function historyRoutes(server: Server, app: App): void {
  server.route({
    method: "GET",
    url: "/api/subjects/:id/history",
    config: { role: "viewer" },
    schema: {
      summary: "History of a subject",
      description: "Hourly scores, what was crossed, and sanctions, over the history retention.",
      tags: ["subjects"],
      params: SubjectPath,
      querystring: HistoryQuery,
      response: { 200: History },
    },
    handler: async ({ params, query, log }) => {
      const subject = subjectOf(app, params.id);
      const fromMs = query.from === undefined ? 0 : Date.parse(query.from);
      const toMs = query.to === undefined ? app.partition.now() : Date.parse(query.to);
      try {
        return present(params.id, await app.history.read(subject, { fromMs, toMs, limit: query.limit }));
      } catch (error) {
        log.error({ err: error }, "history cannot be read");
        throw new HttpProblem("database_failed", "the history cannot be read now; see the service's log");
      }
    },
  });
}

function present(id: string, history: SubjectHistory): z.output<typeof History> {
  return {
    id,
    snapshots: history.snapshots.map(({ at, score, components, eventCount, reason }) => {
      return { at: time(at), score, components: { ...components }, event_count: eventCount, reason };
    }),
    crossings: history.crossings.map(({ id: place, at, type, detail }) => {
      return { id: place, at: time(at), type, detail: { ...detail } };
    }),
    sanctions: history.sanctions.map((one) => ({
      id: one.id,
      kind: one.kind,
      status: one.status,
      applied_at: time(one.appliedAt),
      ended_at: timeOrNull(one.endedAt),
      facts: { ...one.facts },
    })),
  };
}
