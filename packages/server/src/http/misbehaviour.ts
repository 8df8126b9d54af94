/** Reports of misbehaviour. */
import type { Context, MisbehaviourReport } from "@staunch/engine";
import { z } from "zod";
import type { App } from "../app/app.ts";
import { NO_ROOM_DETAIL, type ReportOutcome } from "../app/misbehaviour/misbehaviour.ts";
import { isOperator, issuerOf } from "./access.ts";
import { actProblem, idempotencyOf } from "./acts.ts";
import { fromStore } from "./history.ts";
import { readCursor, writeCursor } from "./paging.ts";
import { presentReport } from "./present.ts";
import { HttpProblem } from "./problem.ts";
import { routeOf, time, type Server } from "./route.ts";
import { pageOf, timeProblem } from "./sanctions.ts";
import { subjectNotFound, subjectOf } from "./subjects.ts";

export function misbehaviourRoutes(server: Server, app: App): void {
  reportRoutes(server, app);
  decisionRoutes(server, app);
}

const Behind = z.strictObject({ position: z.int(), place: z.int() });

function reportRoutes(server: Server, app: App): void {
  server.route({
    ...routeOf("misbehaviour", "pending"),
    handler: async (request, reply) => {
      const { cursor, limit } = request.query;
      const page = app.misbehaviour.pending(readCursor(Behind, cursor), limit);
      const { ids } = app.partition.state;
      const items = page.items.map((report) => presentReport(report, ids.at(report.subject), true));
      return { items, next: writeCursor(request, reply, page.next), as_of: time(app.partition.now()) };
    },
  });
  server.route({
    ...routeOf("misbehaviour", "list"),
    handler: async (request, reply) => {
      const { params, query, log } = request;
      const subject = subjectOf(app, params.id);
      const page = await fromStore(log, app.history.sanctionPage(subject, pageOf("misbehaviour", query)));
      const items = page.items.flatMap(({ kind, sanction }) =>
        kind === "misbehaviour" ? presentReport(sanction, params.id, isOperator(request)) : [],
      );
      const next = writeCursor(request, reply, page.next);
      return { items, next, as_of: time(app.subjects.readTime(subject)) };
    },
  });
  server.route({
    ...routeOf("misbehaviour", "report"),
    handler: async (request, reply) => {
      const { reason, evidence, at, context, job_id } = request.body;
      const order = {
        reason,
        evidence,
        at: at === undefined ? null : Date.parse(at),
        context: context as Context,
        jobId: job_id ?? null,
        issuer: issuerOf(request),
      };
      const { id } = request.params;
      const outcome = await app.misbehaviour.report(id, order, idempotencyOf(request));
      return reply.code(201).send(presentReport(reportOf(outcome, id), id, true));
    },
  });
}

function decisionRoutes(server: Server, app: App): void {
  const present = (outcome: ReportOutcome) => {
    const report = reportOf(outcome, "");
    return presentReport(report, app.partition.state.ids.at(report.subject), true);
  };
  server.route({
    ...routeOf("misbehaviour", "confirm"),
    handler: async (request) => {
      const by = { issuer: issuerOf(request), reason: request.body.reason };
      return present(await app.misbehaviour.confirm(request.params.id, by, idempotencyOf(request)));
    },
  });
  server.route({
    ...routeOf("misbehaviour", "dismiss"),
    handler: async (request) => {
      const by = { issuer: issuerOf(request), reason: request.body.reason };
      return present(await app.misbehaviour.dismiss(request.params.id, by, idempotencyOf(request)));
    },
  });
}

function reportOf(outcome: ReportOutcome, subject: string): MisbehaviourReport {
  switch (outcome.type) {
    case "reported":
      return outcome.report;
    case "subject_not_found":
      throw subjectNotFound(subject);
    case "time_invalid":
      throw timeProblem(outcome.field);
    case "too_many_waiting_reports":
      throw new HttpProblem(outcome.type, NO_ROOM_DETAIL);
    default:
      throw actProblem(outcome);
  }
}
