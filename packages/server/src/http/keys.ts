/** API keys, for administrators. */
import type { App } from "../app/app.ts";
import type { Key } from "../app/keys/keys.ts";
import { HttpProblem } from "./problem.ts";
import { routeOf, time, timeOrNull, type Server } from "./route.ts";

export function keyRoutes(server: Server, app: App): void {
  server.route({
    ...routeOf("keys", "list"),
    handler: async () => ({ items: app.keys.list().map(present) }),
  });
  server.route({
    ...routeOf("keys", "create"),
    handler: async ({ body }, reply) => {
      const result = await app.keys.create(body);
      switch (result.type) {
        case "created":
          return reply.code(201).send({ key: result.secret, record: present(result.key) });
        case "too_many_keys":
          throw new HttpProblem("too_many_keys", `there can be ${result.limit} keys, revoked ones included`);
        case "name_invalid":
          throw new HttpProblem(
            "request_invalid",
            `name: at most ${result.max} characters, none a control character`,
          );
        default:
          throw databaseProblem(result);
      }
    },
  });
  server.route({
    ...routeOf("keys", "revoke"),
    handler: async ({ params }) => {
      const result = await app.keys.revoke(params.id);
      if (result.type === "key_not_found")
        throw new HttpProblem("key_not_found", `there is no key ${params.id}`);
      if (result.type === "not_stored") throw databaseProblem(result.refusal);
      return present(result.key);
    },
  });
}

function present({ id, name, role, createdAt, lastUsedAt, revokedAt }: Key) {
  const times = {
    created_at: time(createdAt),
    last_used_at: timeOrNull(lastUsedAt),
    revoked_at: timeOrNull(revokedAt),
  };
  return { id, name, role, ...times };
}

function databaseProblem(
  refusal: { readonly type: "full" } | { readonly type: "failed"; readonly detail: string },
) {
  return refusal.type === "full"
    ? new HttpProblem("storage_full", "the disk is full; make room and send the same request again")
    : new HttpProblem("database_failed", "the database of keys failed; see the service's log");
}
