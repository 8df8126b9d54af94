/** Policies: read, check, activate. */
import type { PolicyChange, Problem } from "@staunch/engine";
import type { FastifyRequest } from "fastify";
import type { App } from "../app/app.ts";
import type { ActivationOutcome, ActivePolicy as Active, ExpectedVersion } from "../app/policies/policies.ts";
import { issuerOf } from "./access.ts";
import { actProblem } from "./acts.ts";
import { isNotModified, tagsOf } from "./conditional.ts";
import { HttpProblem } from "./problem.ts";
import { routeOf, type Server } from "./route.ts";
import { kindNotFound } from "./subjects.ts";
import { jsonPointer } from "./validation.ts";

export function policyRoutes(server: Server, app: App): void {
  readRoutes(server, app);
  checkRoute(server, app);
  activateRoute(server, app);
}

function readRoutes(server: Server, app: App): void {
  server.route({
    ...routeOf("policies", "list"),
    handler: async () => ({
      kinds: app.policies
        .list()
        .map(({ kind, name, hash, subjects }) => ({ kind, policy: name, hash, subjects })),
      presets: app.policies
        .presets()
        .map(({ name, title, available, reason }) => ({ name, title, available, reason })),
    }),
  });
  server.route({
    ...routeOf("policies", "get"),
    handler: async (request, reply) => {
      const active = app.policies.active(request.params.kind);
      if (active === null) throw kindNotFound(request.params.kind);
      if (isNotModified(request, reply, tagOf(active.hash))) return reply.code(304).send();
      return present(active);
    },
  });
}

function checkRoute(server: Server, app: App): void {
  server.route({
    ...routeOf("policies", "check"),
    handler: async ({ body }) => {
      const checked = app.policies.check(body.policy, body.kind ?? null);
      if (checked === null) throw kindNotFound(body.kind ?? "");
      const { problems, hash, document, diff } = checked;
      return {
        valid: problems.length === 0,
        problems: problems.map(({ path, code, message }) => ({
          path,
          pointer: pointerOf(path),
          code,
          message,
        })),
        hash,
        document: document === null ? null : { ...document },
        diff: diff === null ? null : presentDiff(diff),
      };
    },
  });
}

function activateRoute(server: Server, app: App): void {
  server.route({
    ...routeOf("policies", "activate"),
    handler: async (request, reply) => {
      const { kind } = request.params;
      const expected = expectedVersion(request, app.policies.active(kind));
      const by = { issuer: issuerOf(request), reason: request.body.reason };
      const outcome = await app.policies.activate(kind, request.body.policy, expected, by);
      if (outcome.type !== "activated") throw activationProblem(outcome);
      const { active, diff, position } = outcome;
      void reply.header("etag", tagOf(active.hash)).code(expected === null ? 201 : 200);
      return reply.send({ ...present(active), diff: presentDiff(diff), position });
    },
  });
}

/** The version that the caller means to replace; null: none, the kind shall be new. */
function expectedVersion(request: FastifyRequest, active: Active | null): ExpectedVersion {
  const { "if-match": ifMatch, "if-none-match": ifNoneMatch } = request.headers;
  if (ifNoneMatch?.trim() === "*") return null;
  if (ifMatch === undefined) {
    throw new HttpProblem(
      "precondition_required",
      "send If-Match with the ETag of GET, or If-None-Match: * to create",
    );
  }
  const current = active?.hash ?? "";
  const matches = ifMatch.trim() === "*" ? active !== null : tagsOf(ifMatch).includes(tagOf(current));
  // A tag that is not in force is one that the use case refuses as well, so it need not be told apart here.
  return matches ? current : "";
}

function activationProblem(outcome: Exclude<ActivationOutcome, { type: "activated" }>): HttpProblem {
  switch (outcome.type) {
    case "stale": {
      const now =
        outcome.current === null ? "the kind does not exist" : `the version in force is ${outcome.current}`;
      return new HttpProblem("precondition_failed", `${now}; read it, decide again and send its ETag`);
    }
    case "invalid": {
      const errors = outcome.problems.map(({ path, code, message }) => {
        return { pointer: `/policy${pointerOf(path)}`, detail: message, code };
      });
      return new HttpProblem("policy_invalid", errors[0]?.detail ?? "the policy is not valid", { errors });
    }
    default:
      return actProblem(outcome);
  }
}

function present({ kind, name, hash, document }: Active) {
  return { kind, name, hash, version: `${name}@${hash}`, document: { ...document } };
}

function presentDiff(diff: readonly PolicyChange[]) {
  return diff.map(({ path, before, after }) => ({ path, before, after }));
}

function tagOf(hash: string): string {
  return `"${hash}"`;
}

function pointerOf(path: Problem["path"]): string {
  return path === "" ? "" : jsonPointer(path.split("."));
}
