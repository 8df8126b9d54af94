/** Penalties and rewards of a subject. */
import type { MisbehaviourQuery, SanctionsQuery } from "@staunch/contract";
import type { Context } from "@staunch/engine";
import { z } from "zod";
import type { App } from "../app/app.ts";
import type { SanctionQuery } from "../app/history/history.ts";
import type { Counting, SanctionOutcome } from "../app/sanctions/sanctions.ts";
import { issuerOf } from "./access.ts";
import { actProblem, idempotencyOf } from "./acts.ts";
import { fromStore } from "./history.ts";
import { readCursor, writeCursor } from "./paging.ts";
import { presentPenalty, presentReward } from "./present.ts";
import { HttpProblem } from "./problem.ts";
import { routeOf, time, type Server } from "./route.ts";
import { subjectNotFound, subjectOf } from "./subjects.ts";

export function sanctionRoutes(server: Server, app: App): void {
  penaltyRoutes(server, app);
  rewardRoutes(server, app);
  revokeRoutes(server, app);
}

function penaltyRoutes(server: Server, app: App): void {
  server.route({
    ...routeOf("penalties", "list"),
    handler: async (request, reply) => {
      const { params, query, log } = request;
      const subject = subjectOf(app, params.id);
      const page = await fromStore(log, app.history.sanctionPage(subject, pageOf("penalty", query)));
      const points = pointsById(app.sanctions.penaltiesOf(subject));
      const items = page.items.flatMap(({ kind, sanction }) =>
        kind === "penalty" ? presentPenalty({ sanction, points: points(sanction.id) }, params.id) : [],
      );
      const next = writeCursor(request, reply, page.next);
      return { items, next, as_of: time(app.subjects.readTime(subject)) };
    },
  });
  server.route({
    ...routeOf("penalties", "apply"),
    handler: async (request, reply) => {
      const { points, fraction, at, expires_at, fade, context, job_id, ...rest } = request.body;
      const order = {
        ...rest,
        points: points ?? null,
        fraction: fraction ?? null,
        at: at === undefined ? null : Date.parse(at),
        expiresAt: typeof expires_at === "string" ? Date.parse(expires_at) : expires_at,
        fade,
        context: context as Context,
        jobId: job_id ?? null,
        issuer: issuerOf(request),
      };
      const outcome = await app.sanctions.givePenalty(request.params.id, order, idempotencyOf(request));
      return reply.code(201).send(presentPenalty(givenBy(outcome, request.params.id), request.params.id));
    },
  });
}

function rewardRoutes(server: Server, app: App): void {
  server.route({
    ...routeOf("rewards", "list"),
    handler: async (request, reply) => {
      const { params, query, log } = request;
      const subject = subjectOf(app, params.id);
      const page = await fromStore(log, app.history.sanctionPage(subject, pageOf("reward", query)));
      const points = pointsById(app.sanctions.rewardsOf(subject));
      const items = page.items.flatMap(({ kind, sanction }) =>
        kind === "reward" ? presentReward({ sanction, points: points(sanction.id) }, params.id) : [],
      );
      const next = writeCursor(request, reply, page.next);
      return { items, next, as_of: time(app.subjects.readTime(subject)) };
    },
  });
  server.route({
    ...routeOf("rewards", "grant"),
    handler: async (request, reply) => {
      const { at, context, ...rest } = request.body;
      const order = {
        ...rest,
        at: at === undefined ? null : Date.parse(at),
        context: context as Context,
        issuer: issuerOf(request),
      };
      const outcome = await app.sanctions.giveReward(request.params.id, order, idempotencyOf(request));
      return reply.code(201).send(presentReward(givenBy(outcome, request.params.id), request.params.id));
    },
  });
}

function revokeRoutes(server: Server, app: App): void {
  const nameOf = (subject: number): string => app.partition.state.ids.at(subject);
  server.route({
    ...routeOf("penalties", "revoke"),
    handler: async (request) => {
      const { id } = request.params;
      const by = { issuer: issuerOf(request), reason: request.query.reason };
      const outcome = await app.sanctions.revokePenalty(id, by);
      if (outcome.type !== "done") throw actProblem(outcome);
      const revoked = app.sanctions.penalty(id);
      if (revoked === null) throw actProblem({ type: "penalty_not_found", id });
      return presentPenalty(revoked, nameOf(revoked.sanction.subject));
    },
  });
  server.route({
    ...routeOf("rewards", "revoke"),
    handler: async (request) => {
      const { id } = request.params;
      const by = { issuer: issuerOf(request), reason: request.query.reason };
      const outcome = await app.sanctions.revokeReward(id, by);
      if (outcome.type !== "done") throw actProblem(outcome);
      const revoked = app.sanctions.reward(id);
      if (revoked === null) throw actProblem({ type: "reward_not_found", id });
      return presentReward(revoked, nameOf(revoked.sanction.subject));
    },
  });
}

const Behind = z.strictObject({ appliedAt: z.number(), id: z.string() });

/** What a list of one kind of sanctions asks for. */
export function pageOf(
  kind: SanctionQuery["kind"],
  query: z.output<typeof SanctionsQuery> | z.output<typeof MisbehaviourQuery>,
): SanctionQuery {
  const { status, cursor, limit } = query;
  return { kind, status: status === "all" ? null : status, after: readCursor(Behind, cursor), limit };
}

/** Points that sanctions count now; those of the past count none. */
function pointsById(counting: readonly Counting<{ readonly id: string }>[]): (id: string) => number {
  const points = new Map(counting.map((one) => [one.sanction.id, one.points]));
  return (id) => points.get(id) ?? 0;
}

type Given<Sanction> = Extract<SanctionOutcome<Sanction>, { type: "given" }>["given"];

function givenBy<Sanction>(outcome: SanctionOutcome<Sanction>, id: string): Given<Sanction> {
  switch (outcome.type) {
    case "given":
      return outcome.given;
    case "subject_not_found":
      throw subjectNotFound(id);
    case "time_invalid":
      throw timeProblem(outcome.field);
    case "points_too_high": {
      const detail = `points: at most ${outcome.max}, the policy's maximum score`;
      throw new HttpProblem("request_invalid", detail, { errors: [{ pointer: "/points", detail }] });
    }
    default:
      throw actProblem(outcome);
  }
}

const TIME_DETAILS = {
  at: "at is more than five minutes ahead",
  expires_at: "expires_at is not in the future",
} as const;

export function timeProblem(field: keyof typeof TIME_DETAILS): HttpProblem {
  const detail = TIME_DETAILS[field];
  return new HttpProblem("time_invalid", detail, { errors: [{ pointer: `/${field}`, detail }] });
}
