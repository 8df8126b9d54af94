/** Announced maintenance of a subject. */
import type { MaintenanceWindow } from "@staunch/engine";
import type { App } from "../app/app.ts";
import type { MaintenanceOutcome } from "../app/maintenance/maintenance.ts";
import { isOperator, issuerOf } from "./access.ts";
import { actProblem, idempotencyOf } from "./acts.ts";
import { presentWindow } from "./present.ts";
import { HttpProblem } from "./problem.ts";
import { routeOf, time, type Server } from "./route.ts";
import { subjectNotFound, subjectOf } from "./subjects.ts";

export function maintenanceRoutes(server: Server, app: App): void {
  server.route({
    ...routeOf("maintenance", "list"),
    handler: async ({ params }) => {
      const subject = subjectOf(app, params.id);
      const { windows, allowanceMs, leftMs } = app.maintenance.plan(subject);
      const items = windows.map((window) => presentWindow(window, params.id));
      return { items, allowance_ms: allowanceMs, left_ms: leftMs, as_of: time(app.partition.now()) };
    },
  });
  server.route({
    ...routeOf("maintenance", "announce"),
    handler: async (request, reply) => {
      const { from, to, reason } = request.body;
      const order = {
        reason,
        from: from === undefined ? null : Date.parse(from),
        to: Date.parse(to),
        issuer: issuerOf(request),
      };
      const { id } = request.params;
      const outcome = await app.maintenance.announce(id, order, idempotencyOf(request));
      return reply.code(201).send(presentWindow(windowOf(outcome, id), id));
    },
  });
  server.route({
    ...routeOf("maintenance", "cancel"),
    handler: async (request) => {
      const by = { issuer: issuerOf(request), reason: request.query.reason };
      const window = windowOf(await app.maintenance.cancel(request.params.id, by, isOperator(request)), "");
      return presentWindow(window, app.partition.state.ids.at(window.subject));
    },
  });
}

function windowOf(outcome: MaintenanceOutcome, subject: string): MaintenanceWindow {
  switch (outcome.type) {
    case "done":
      return outcome.window;
    case "subject_not_found":
      throw subjectNotFound(subject);
    case "maintenance_of_another":
      throw new HttpProblem(
        outcome.type,
        `another key announced ${outcome.id}; it or an operator's cancels it`,
      );
    default:
      throw actProblem(outcome);
  }
}
