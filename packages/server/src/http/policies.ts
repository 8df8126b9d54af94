/** Policies: read, check, activate. */
import {
  ActivePolicy,
  PolicyActivation,
  PolicyCheck,
  PolicyCheckRequest,
  PolicyList,
  PolicyPath,
  PolicyRequest,
} from "@staunch/contract";
import type { PolicyChange, Problem } from "@staunch/engine";
import type { FastifyRequest } from "fastify";
import type { App } from "../app/app.ts";
import type { ActivationOutcome, ActivePolicy as Active, ExpectedVersion } from "../app/policies/policies.ts";
import { issuerOf } from "./access.ts";
import { actProblem } from "./acts.ts";
import { isNotModified, tagsOf } from "./conditional.ts";
import { HttpProblem } from "./problem.ts";
import { NotModified, type Server } from "./route.ts";
import { kindNotFound } from "./subjects.ts";
import { jsonPointer } from "./validation.ts";

const tags = ["policies"];

export function policyRoutes(server: Server, app: App): void {
  readRoutes(server, app);
  checkRoute(server, app);
  activateRoute(server, app);
}

function readRoutes(server: Server, app: App): void {
  server.route({
    method: "GET",
    url: "/api/policies",
    config: { role: "viewer" },
    schema: { summary: "Policies in force and presets", tags, response: { 200: PolicyList } },
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
    method: "GET",
    url: "/api/policies/:kind",
    config: { role: "viewer" },
    schema: {
      summary: "Policy of a kind",
      description: "The whole document. Its `ETag` is what `PUT` takes as `If-Match`.",
      tags,
      params: PolicyPath,
      response: { 200: ActivePolicy, 304: NotModified },
    },
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
    method: "POST",
    url: "/api/policies/validate",
    config: { role: "viewer" },
    schema: {
      summary: "Check a policy",
      description: "Changes nothing. All problems at once, and the difference from the policy of a kind.",
      tags,
      body: PolicyCheckRequest,
      response: { 200: PolicyCheck },
    },
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
    method: "PUT",
    url: "/api/policies/:kind",
    config: { role: "admin" },
    schema: {
      summary: "Activate a policy",
      description:
        "A logged act. Needs `If-Match` with the `ETag` of the policy that it replaces, or `If-None-Match: *` for a new kind. The answer says what changed.",
      tags,
      params: PolicyPath,
      body: PolicyRequest,
      response: { 200: PolicyActivation, 201: PolicyActivation },
    },
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
