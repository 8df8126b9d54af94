/** What the interface tells the people who run it: a line and a measurement for each request. */
import { networkStanding } from "@staunch/engine";
import type { App } from "../app/app.ts";
import type { Ops } from "../ops/ops.ts";
import type { Server } from "./route.ts";

export function observe(server: Server, app: App, { metrics }: Ops): void {
  const { partition } = app;
  partition.follow({
    applied: (_, { changes }) => {
      metrics.batches.inc();
      metrics.scoreChanges.inc(changes.count);
    },
  });
  metrics.watch({
    position: () => partition.state.position,
    events: () => partition.state.eventCount,
    acts: () => partition.state.actCount,
    queuedEvents: () => partition.waitingEvents,
    subjects: () =>
      partition.state.kinds.map(({ name, table, rank }) => ({
        kind: name,
        count: table.count,
        ranked: rank.count,
      })),
    networks: () => partition.state.kinds.map(networkStanding).filter((network) => network !== null),
    writable: () => partition.stopped === null,
    droppedSamples: () =>
      partition.state.kinds.reduce((sum, { aggregates }) => sum + (aggregates?.droppedRawSamples ?? 0), 0),
    history: { lag: () => app.history.lag, troubled: () => app.history.isTroubled },
  });
  server.addHook("onResponse", async (request, reply) => {
    // The pattern, not the path: a subject must not become a label.
    const route = request.is404 ? "none" : (request.routeOptions.url ?? "none");
    const labels = { method: request.method, route, status: String(reply.statusCode) };
    metrics.requestSeconds.observe(labels, reply.elapsedTime / 1000);
    const line = {
      requestId: request.id,
      ...labels,
      ms: reply.elapsedTime,
      key: request.principal?.id ?? null,
    };
    if (reply.statusCode >= 500) request.log.warn(line, "request refused");
    else request.log.debug(line, "request");
  });
}
