/** Monitors: windows held back, and windows voided. */
import type { MonitorPage } from "@staunch/contract";
import { monitors, type MonitorStanding, type State } from "@staunch/engine";
import { z } from "zod";
import type { App } from "../app/app.ts";
import { readCursor, writeCursor } from "./paging.ts";
import { routeOf, time, type Server } from "./route.ts";

const MonitorCursor = z.strictObject({ monitor: z.string() });

type Item = z.output<typeof MonitorPage>["items"][number];

export function monitorRoutes(server: Server, app: App): void {
  server.route({
    ...routeOf("monitors", "list"),
    handler: async (request, reply) => {
      const { cursor, limit } = request.query;
      const { state } = app.partition;
      const after = readCursor(MonitorCursor, cursor)?.monitor ?? null;
      const found = monitors(state.provisional, after, limit + 1);
      const items = found.slice(0, limit).map((one) => presentMonitor(state, one));
      const last = items.at(-1);
      const more = found.length > items.length && last !== undefined ? { monitor: last.monitor } : null;
      return {
        items,
        pending_samples: state.provisional.count,
        unguarded_samples: state.provisional.unheld,
        next: writeCursor(request, reply, more),
        as_of: time(app.partition.now()),
      };
    },
  });
}

function presentMonitor(state: State, { monitor, pending, voided }: MonitorStanding): Item {
  return {
    monitor,
    pending: pending.map(({ from, to, countsFrom, samples, isVoid }) => {
      return {
        starts_at: time(from),
        ends_at: time(to),
        counts_from: time(countsFrom),
        samples,
        voided: isVoid,
      };
    }),
    voided: voided.map(({ act, samples, position, loggedAt }) => {
      const { metric, operators, failing, observed, expected, tail, subjects, others } = act.evidence;
      return {
        starts_at: time(act.from),
        ends_at: time(act.to),
        voided_at: time(loggedAt),
        position,
        reason: act.reason,
        samples,
        metric,
        operators,
        failing,
        observed,
        expected,
        tail,
        subjects: subjects.map((subject) => state.ids.at(subject)),
        others: others.map((other) => ({ ...other })),
      };
    }),
  };
}
