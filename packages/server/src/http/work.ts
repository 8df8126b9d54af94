/** Workers, selections among bids, and the health of a network. */
import { eligibility, kindNamed, kindOf, networkStanding, workStanding, type Kind } from "@staunch/engine";
import type { App } from "../app/app.ts";
import { toldNetwork } from "../app/told-network.ts";
import { readTime } from "../app/read-time.ts";
import type { BadBid, MadeSelection, SelectOutcome } from "../app/selections/selections.ts";
import { actProblem, idempotencyOf } from "./acts.ts";
import { HttpProblem } from "./problem.ts";
import { presentEligibility, presentJobClasses, presentSelection, presentWork } from "./present-work.ts";
import { routeOf, time, type Server } from "./route.ts";
import { kindNotFound, subjectOf } from "./subjects.ts";

/** Bad bids that one answer names. */
const BAD_BIDS_MAX = 100;

/** @param bidsMaxBytes largest body of a request with bids */
export function workRoutes(server: Server, app: App, bidsMaxBytes: number): void {
  server.route({
    ...routeOf("workers", "get"),
    handler: async ({ params }) => {
      const { partition } = app;
      const subject = subjectOf(app, params.id);
      const kind = kindOf(partition.state, subject);
      const work = workStanding(partition.state, subject, readTime(partition, kind));
      if (work === null) throw noJobs(kind.name);
      return presentWork(work);
    },
  });
  server.route({
    ...routeOf("workers", "eligibility"),
    handler: async ({ params }) => {
      const { partition } = app;
      const subject = subjectOf(app, params.id);
      const kind = kindOf(partition.state, subject);
      return presentEligibility(eligibility(partition.state, subject, readTime(partition, kind)));
    },
  });
  server.route({
    ...routeOf("selections", "make"),
    bodyLimit: bidsMaxBytes,
    handler: async (request) => {
      const { kind, bids, method, price_reference, time_reference_ms, seed, job_id, job_class } =
        request.body;
      const outcome = await app.selections.make(
        {
          kind,
          bids: bids.map(({ id, price, time_ms }) => ({ id, price, timeMs: time_ms })),
          method: method ?? null,
          seed: seed ?? null,
          priceReference: price_reference ?? null,
          timeReferenceMs: time_reference_ms ?? null,
          jobId: job_id ?? null,
          jobClass: job_class ?? null,
        },
        idempotencyOf(request),
      );
      return presentSelection(selectedOf(outcome, kind));
    },
  });
  server.route({
    ...routeOf("selections", "get"),
    handler: async ({ params }) => {
      const selection = await app.selections.read(params.id);
      if (selection === null)
        throw new HttpProblem("selection_not_found", `there is no selection ${params.id}`);
      return presentSelection(selection);
    },
  });
  server.route({
    ...routeOf("network", "get"),
    handler: async ({ params }) => {
      const network = networkStanding(jobsKindOf(app, params.kind));
      return { ...toldNetwork(network!), as_of: time(app.partition.state.now) };
    },
  });
  server.route({
    ...routeOf("network", "jobClasses"),
    handler: async ({ params }) => {
      const { name, jobClasses } = jobsKindOf(app, params.kind);
      return { kind: name, items: presentJobClasses(jobClasses), as_of: time(app.partition.state.now) };
    },
  });
}

function jobsKindOf(app: App, name: string): Kind {
  const kind = kindNamed(app.partition.state, name);
  if (kind === undefined) throw kindNotFound(name);
  if (!kind.compiled.hasWork) throw noJobs(kind.name);
  return kind;
}

function selectedOf(outcome: SelectOutcome, kind: string): MadeSelection {
  switch (outcome.type) {
    case "selected":
      return outcome.selection;
    case "kind_not_found":
      throw kindNotFound(kind);
    case "no_job_source":
      throw noJobs(kind);
    case "bids_invalid":
      throw bidsProblem(outcome.bids, kind);
    case "key_reused":
    case "refused":
      throw actProblem(outcome);
  }
}

function bidsProblem(bids: readonly BadBid[], kind: string): HttpProblem {
  const errors = bids
    .slice(0, BAD_BIDS_MAX)
    .map((bid) => ({ pointer: `/bids/${bid.index}/id`, detail: bidDetail(bid, kind) }));
  const more = bids.length > 1 ? `, and ${bids.length - 1} more` : "";
  return new HttpProblem("request_invalid", `${errors[0]!.detail}${more}`, { errors });
}

function bidDetail({ code, id }: BadBid, kind: string): string {
  switch (code) {
    case "unknown_subject":
      return `there is no subject ${id}; register it first`;
    case "duplicate_bid":
      return `${id} bids twice; send one bid of each`;
    case "other_kind":
      return `${id} is not of the kind ${kind}`;
  }
}

function noJobs(kind: string): HttpProblem {
  return new HttpProblem("no_job_source", `the policy of ${kind} reads neither jobs nor health`);
}
