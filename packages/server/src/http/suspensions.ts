/** Suspensions of a subject. */
import type { Context, Suspension } from "@staunch/engine";
import type { App } from "../app/app.ts";
import type { SuspensionOutcome } from "../app/suspensions/suspensions.ts";
import { issuerOf } from "./access.ts";
import { actProblem, idempotencyOf } from "./acts.ts";
import { fromStore } from "./history.ts";
import { writeCursor } from "./paging.ts";
import { presentSuspension } from "./present.ts";
import { routeOf, time, type Server } from "./route.ts";
import { pageOf, timeProblem } from "./sanctions.ts";
import { subjectNotFound, subjectOf } from "./subjects.ts";

export function suspensionRoutes(server: Server, app: App): void {
  server.route({
    ...routeOf("suspensions", "list"),
    handler: async (request, reply) => {
      const { params, query, log } = request;
      const subject = subjectOf(app, params.id);
      const page = await fromStore(log, app.history.sanctionPage(subject, pageOf("suspension", query)));
      const items = page.items.flatMap(({ kind, sanction }) =>
        kind === "suspension" ? presentSuspension(sanction, params.id) : [],
      );
      const next = writeCursor(request, reply, page.next);
      return { items, next, as_of: time(app.subjects.readTime(subject)) };
    },
  });
  server.route({
    ...routeOf("suspensions", "start"),
    handler: async (request, reply) => {
      const { expires_at, evidence, context, reason } = request.body;
      const expiresAt = expires_at === null ? null : Date.parse(expires_at);
      const order = { reason, evidence, context: context as Context, expiresAt, issuer: issuerOf(request) };
      const { id } = request.params;
      const outcome = await app.suspensions.start(id, order, idempotencyOf(request));
      return reply.code(201).send(presentSuspension(suspensionOf(outcome, id), id));
    },
  });
  server.route({
    ...routeOf("suspensions", "lift"),
    handler: async (request) => {
      const by = { issuer: issuerOf(request), reason: request.query.reason };
      const lifted = suspensionOf(await app.suspensions.lift(request.params.id, by), "");
      return presentSuspension(lifted, app.partition.state.ids.at(lifted.subject));
    },
  });
}

function suspensionOf(outcome: SuspensionOutcome, subject: string): Suspension {
  switch (outcome.type) {
    case "done":
      return outcome.suspension;
    case "subject_not_found":
      throw subjectNotFound(subject);
    case "time_invalid":
      throw timeProblem(outcome.field);
    default:
      throw actProblem(outcome);
  }
}
