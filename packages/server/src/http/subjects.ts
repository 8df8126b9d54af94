/** Subjects: lists, standing, explanation, metrics, profile. */
import { METRIC_NAMES, metricCode, nearest } from "@staunch/engine";
import { z } from "zod";
import type { App } from "../app/app.ts";
import { issuerOf } from "./access.ts";
import { actProblem } from "./acts.ts";
import { isNotModified, positionTag } from "./conditional.ts";
import { readCursor, writeCursor } from "./paging.ts";
import {
  presentAggregate,
  presentExplanation,
  presentMetric,
  presentSample,
  presentStanding,
  presentSummary,
} from "./present.ts";
import { HttpProblem } from "./problem.ts";
import { routeOf, time, type Server } from "./route.ts";

const SubjectCursor = z.strictObject({
  sort: z.enum(["score", "id", "last_evidence"]),
  key: z.union([z.string(), z.number(), z.null()]),
  row: z.int().min(0),
});

export function subjectRoutes(server: Server, app: App): void {
  listRoute(server, app);
  standingRoutes(server, app);
  metricRoutes(server, app);
  profileRoute(server, app);
}

export function kindNotFound(kind: string): HttpProblem {
  return new HttpProblem(
    "kind_not_found",
    `no policy is active for the kind ${kind}; GET /api/policies lists the kinds`,
  );
}

/** Number of a subject by its id. */
export function subjectOf(app: App, id: string): number {
  const subject = app.subjects.find(id);
  if (subject === null) throw subjectNotFound(id);
  return subject;
}

export function subjectNotFound(id: string): HttpProblem {
  return new HttpProblem("subject_not_found", `there is no subject ${id}`);
}

function listRoute(server: Server, app: App): void {
  server.route({
    ...routeOf("subjects", "list"),
    handler: async (request, reply) => {
      const { kind, operator, tier, q, score_min, score_max, sort, limit, count, cursor } = request.query;
      const after = readCursor(SubjectCursor, cursor);
      const keyType = sort === "id" ? "string" : "number";
      if (after !== null && (after.sort !== sort || (after.key !== null && typeof after.key !== keyType))) {
        throw new HttpProblem(
          "cursor_invalid",
          "the cursor belongs to another order; start again without one",
        );
      }
      const list = await app.subjects.list(kind, {
        operator: operator ?? null,
        tier: tier ?? null,
        idPrefix: q ?? null,
        scoreMin: score_min ?? null,
        scoreMax: score_max ?? null,
        sort,
        after,
        limit,
        count: count === "exact",
      });
      if (list === null) throw kindNotFound(kind);
      const next = writeCursor(request, reply, list.next);
      const total = list.total === null ? {} : { total: list.total };
      return { items: list.items.map(presentSummary), next, ...total, as_of: time(list.asOf) };
    },
  });
}

function standingRoutes(server: Server, app: App): void {
  server.route({
    ...routeOf("subjects", "get"),
    handler: async (request, reply) => {
      const standing = app.subjects.standing(subjectOf(app, request.params.id));
      const tag = positionTag(app.partition, standing.asOf);
      if (isNotModified(request, reply, tag)) return reply.code(304).send();
      return presentStanding(standing, app.partition.state.position);
    },
  });
  server.route({
    ...routeOf("subjects", "explain"),
    handler: async (request, reply) => {
      const explanation = app.subjects.explanation(subjectOf(app, request.params.id));
      const tag = positionTag(app.partition, explanation.standing.asOf);
      if (isNotModified(request, reply, tag)) return reply.code(304).send();
      return presentExplanation(explanation, app.partition.state.position);
    },
  });
}

function metricRoutes(server: Server, app: App): void {
  server.route({
    ...routeOf("subjects", "metrics"),
    handler: async ({ params }) => {
      const subject = subjectOf(app, params.id);
      const metrics = app.subjects
        .aggregates(subject)
        .map((aggregate, code) => presentMetric(code, aggregate));
      return { id: params.id, metrics, as_of: time(app.subjects.readTime(subject)) };
    },
  });
  server.route({
    ...routeOf("subjects", "metric"),
    handler: async ({ params, query }) => {
      const subject = subjectOf(app, params.id);
      const code = metricCode(params.metric);
      if (code === -1) {
        const hint = nearest(params.metric, METRIC_NAMES);
        throw new HttpProblem(
          "metric_not_found",
          `there is no metric ${params.metric}; the nearest is ${hint}`,
        );
      }
      const { steps, samples } = query;
      return {
        id: params.id,
        ...presentMetric(code, app.subjects.aggregate(subject, code)),
        ...(steps === "true" ? { steps: app.subjects.steps(subject, code).map(presentAggregate) } : {}),
        ...(samples > 0 ? { samples: app.subjects.samples(subject, code, samples).map(presentSample) } : {}),
        as_of: time(app.subjects.readTime(subject)),
      };
    },
  });
}

function profileRoute(server: Server, app: App): void {
  server.route({
    ...routeOf("subjects", "write"),
    handler: async (request, reply) => {
      const { kind = null, operator, attributes, reason } = request.body;
      const issuer = issuerOf(request);
      const outcome = await app.subjects.writeProfile({
        id: request.params.id,
        kind,
        operator,
        attributes,
        issuer,
        reason,
      });
      if (outcome.type === "kind_not_found") throw kindNotFound(outcome.kind);
      if (outcome.type === "kind_mismatch") {
        throw new HttpProblem("kind_mismatch", `the subject is registered with the kind ${outcome.kind}`);
      }
      if (outcome.type !== "written") throw actProblem(outcome);
      const standing = presentStanding(app.subjects.standing(outcome.subject), app.partition.state.position);
      return reply.code(outcome.created ? 201 : 200).send(standing);
    },
  });
}
