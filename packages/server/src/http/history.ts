/** History of a subject. */
import type { Crossing, History, PastSanction as PastSanctionShape } from "@staunch/contract";
import type { FastifyBaseLogger } from "fastify";
import type { z } from "zod";
import type { App } from "../app/app.ts";
import type { PastSanction, SubjectHistory } from "../app/history/history.ts";
import { toldDetail } from "../app/projector/effect-rows.ts";
import { isOperator } from "./access.ts";
import { presentPenalty, presentReport, presentReward, presentSuspension } from "./present.ts";
import { HttpProblem } from "./problem.ts";
import { routeOf, time, type Server } from "./route.ts";
import { subjectOf } from "./subjects.ts";

export function historyRoutes(server: Server, app: App): void {
  server.route({
    ...routeOf("subjects", "history"),
    handler: async (request) => {
      const { params, query, log } = request;
      const subject = subjectOf(app, params.id);
      const fromMs = query.from === undefined ? 0 : Date.parse(query.from);
      const toMs = query.to === undefined ? app.partition.now() : Date.parse(query.to);
      const read = await fromStore(log, app.history.read(subject, { fromMs, toMs, limit: query.limit }));
      const points = pointsById(app, subject);
      return present(params.id, read, points, isOperator(request));
    },
  });
}

/** What was read of the history; a store that fails is a problem of the answer. */
export async function fromStore<Read>(log: FastifyBaseLogger, reading: Promise<Read>): Promise<Read> {
  try {
    return await reading;
  } catch (error) {
    log.error({ err: error }, "history cannot be read");
    throw new HttpProblem("database_failed", "the history cannot be read now; see the service's log");
  }
}

/** What penalties and rewards count now. */
function pointsById(app: App, subject: number): ReadonlyMap<string, number> {
  const counting = [...app.sanctions.penaltiesOf(subject), ...app.sanctions.rewardsOf(subject)];
  return new Map(counting.map((one) => [one.sanction.id, one.points]));
}

function present(
  id: string,
  history: SubjectHistory,
  points: ReadonlyMap<string, number>,
  showsReporter: boolean,
): z.output<typeof History> {
  return {
    id,
    snapshots: history.snapshots.map(({ at, score, components, eventCount, reason }) => {
      return { at: time(at), score, components: { ...components }, event_count: eventCount, reason };
    }),
    crossings: history.crossings.map((one) => presentCrossing(one, id)),
    sanctions: history.sanctions.map((one) =>
      presentSanction(one, id, points.get(one.sanction.id) ?? 0, showsReporter),
    ),
  };
}

function presentCrossing(
  one: SubjectHistory["crossings"][number],
  subject: string,
): z.output<typeof Crossing> {
  const told = { id: one.id, at: time(one.at), subject, type: one.type, detail: toldDetail(one.detail) };
  // Which detail belongs to which type is said in the contract; the schema of the answer holds it to that.
  return told as unknown as z.output<typeof Crossing>;
}

function presentSanction(
  one: PastSanction,
  subject: string,
  points: number,
  showsReporter: boolean,
): z.output<typeof PastSanctionShape> {
  switch (one.kind) {
    case "penalty":
      return { kind: one.kind, ...presentPenalty({ sanction: one.sanction, points }, subject) };
    case "reward":
      return { kind: one.kind, ...presentReward({ sanction: one.sanction, points }, subject) };
    case "misbehaviour":
      return { kind: one.kind, ...presentReport(one.sanction, subject, showsReporter) };
    case "suspension":
      return { kind: one.kind, ...presentSuspension(one.sanction, subject) };
  }
}
