/** The service about itself: status, health, measurements, and the description of the interface. */
import type { Status } from "@staunch/contract";
import { kindNamed, subjectCount } from "@staunch/engine";
import type { z } from "zod";
import type { App } from "../app/app.ts";
import type { Refusal } from "../app/partition/partition.ts";
import { checkHealth } from "../ops/health.ts";
import type { Ops } from "../ops/ops.ts";
import { routeOf, time, timeOrNull, type Server } from "./route.ts";

export function statusRoutes(server: Server, app: App, ops: Ops): void {
  server.route({
    ...routeOf("service", "status"),
    handler: async () => presentStatus(app, ops.now()),
  });
  healthRoutes(server, app);
  server.route({
    ...routeOf("service", "measurements"),
    handler: async (_request, reply) => {
      const text = await ops.metrics.registry.metrics();
      return reply.type(ops.metrics.registry.contentType).serializer(String).send(text);
    },
  });
  server.route({
    ...routeOf("service", "description"),
    handler: async () => ({ ...server.swagger() }),
  });
}

function healthRoutes(server: Server, app: App): void {
  server.route({
    ...routeOf("service", "health"),
    handler: async () => ({ status: "ok" as const }),
  });
  server.route({
    ...routeOf("service", "ready"),
    handler: async ({ query }, reply) => {
      const checks = checkHealth({ ready: app.service.ready, stopped: () => stoppedForGood(app) });
      const ready = checks.every(({ ok }) => ok);
      const answer = { status: ready ? ("ready" as const) : ("not_ready" as const) };
      return reply
        .code(ready ? 200 : 503)
        .send(
          query.verbose === undefined ? answer : { ...answer, checks: checks.map((check) => ({ ...check })) },
        );
    },
  });
}

function presentStatus(app: App, nowMs: number): z.output<typeof Status> {
  const { partition, service } = app;
  const { state } = partition;
  const snapshot = service.snapshot();
  const stopped = stoppedBy(app);
  return {
    version: service.version,
    started_at: time(service.startedAt),
    uptime_seconds: Math.max(0, nowMs - service.startedAt) / 1000,
    position: state.position,
    logged_at: timeOrNull(state.now === 0 ? null : state.now),
    subjects: subjectCount(state),
    kinds: app.policies.list().map(({ kind, name, subjects }) => {
      return { kind, policy: name, subjects, ranked: kindNamed(state, kind)?.rank.count ?? 0 };
    }),
    events: state.eventCount,
    acts: state.actCount,
    storage: {
      driver: service.storage.driver,
      durability: service.storage.durability,
      writable: stopped === null,
      stopped,
    },
    snapshot: snapshot && { name: snapshot.name, position: snapshot.endPosition, bytes: snapshot.bytes },
  };
}

/** Not a full disk: only a write shows that there is room again, and nobody writes to a service that is not ready. */
function stoppedForGood(app: App): string | null {
  return app.partition.stopped?.type === "full" ? null : stoppedBy(app);
}

/** Why nothing is written, in words; null when writing works. */
function stoppedBy(app: App): string | null {
  const refusal: Refusal | null = app.partition.stopped;
  if (refusal === null) return null;
  return refusal.type === "stopped"
    ? refusal.detail
    : refusal.type === "full"
      ? "the disk is full"
      : refusal.type;
}
