/** Rankings of a kind. */
import { z } from "zod";
import type { App } from "../app/app.ts";
import { readCursor, writeCursor } from "./paging.ts";
import { HttpProblem } from "./problem.ts";
import { routeOf, time, type Server } from "./route.ts";
import { kindNotFound, subjectOf } from "./subjects.ts";

const RankCursor = z.strictObject({
  order: z.enum(["best", "worst"]),
  bucket: z.int().min(0).max(10_000),
  row: z.int().min(0),
});

export function rankingRoutes(server: Server, app: App): void {
  server.route({
    ...routeOf("rankings", "list"),
    handler: async (request, reply) => {
      const { kind } = request.params;
      const { order, cursor, limit } = request.query;
      const after = readCursor(RankCursor, cursor);
      if (after !== null && after.order !== order) {
        throw new HttpProblem(
          "cursor_invalid",
          "the cursor belongs to the other order; start again without one",
        );
      }
      const ranking = app.rankings.list(kind, { order, after, limit });
      if (ranking === null) throw kindNotFound(kind);
      const items = ranking.items.map(({ place, id, score, lower, upper, tier }) => {
        return { place, id, score, lower, upper, tier };
      });
      const next = writeCursor(request, reply, ranking.next);
      return { kind, order, items, ranked: ranking.ranked, next, as_of: time(ranking.asOf) };
    },
  });
  server.route({
    ...routeOf("rankings", "place"),
    handler: async ({ params }) => {
      if (app.policies.active(params.kind) === null) throw kindNotFound(params.kind);
      const standing = app.subjects.standing(subjectOf(app, params.id));
      if (standing.kind !== params.kind) {
        throw new HttpProblem("subject_not_found", `${params.id} is of the kind ${standing.kind}`);
      }
      const { kind, id, place, percentile, ranked, score, tier, asOf } = standing;
      return { kind, id, place, percentile, ranked, score, tier, as_of: time(asOf) };
    },
  });
}
