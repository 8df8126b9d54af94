/**
 * Every route of the REST interface, by capability and operation. The server registers its handlers under these
 * rows, the reference is made from them, and the client's methods are their names: a new route is a row here.
 */
import { z } from "zod";
import { NotModified, SubjectPath } from "./common.ts";
import { Events, IngestQuery, IngestResult } from "./events.ts";
import { CreatedKey, KeyList, KeyPath, KeyRecord, KeyRequest } from "./keys.ts";
import { LiveHeaders, LiveQuery } from "./live.ts";
import { MaintenancePlan, MaintenanceRequest, MaintenanceWindow } from "./maintenance.ts";
import {
  DecisionRequest,
  MisbehaviourPage,
  MisbehaviourQuery,
  MisbehaviourReport,
  MisbehaviourRequest,
  PendingQuery,
} from "./misbehaviour.ts";
import { MonitorPage, MonitorsQuery } from "./monitors.ts";
import {
  ActivePolicy,
  PolicyActivation,
  PolicyCheck,
  PolicyCheckRequest,
  PolicyList,
  PolicyPath,
  PolicyRequest,
} from "./policies.ts";
import { Rank, RankingPage, RankingPath, RankingQuery, RankPath } from "./rankings.ts";
import {
  Penalty,
  PenaltyPage,
  PenaltyRequest,
  RevokeQuery,
  Reward,
  RewardPage,
  RewardRequest,
  SanctionPath,
  SanctionsQuery,
} from "./sanctions.ts";
import { Health, Readiness, ReadyQuery, Status } from "./status.ts";
import {
  Explanation,
  History,
  HistoryQuery,
  Metric,
  MetricPath,
  MetricQuery,
  Metrics,
  Standing,
  SubjectPage,
  SubjectRequest,
  SubjectsQuery,
} from "./subjects.ts";
import { Suspension, SuspensionPage, SuspensionRequest } from "./suspensions.ts";
import type { ROLES } from "./vocabulary.ts";
import {
  Eligibility,
  JobClassList,
  Network,
  NetworkPath,
  Selection,
  SelectionPath,
  SelectionRequest,
  Work,
} from "./work.ts";

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Parameters stand as `{name}`; each is in `params`. No two parts of a request share a name. */
  readonly path: `/${string}`;
  /** The least role that may use it; `public` needs no key. */
  readonly role: (typeof ROLES)[number] | "public";
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Bodies of the answers by status; what is not listed is a problem. */
  readonly responses: { readonly [status: number]: z.ZodType };
  /** Of the answer, where it is not JSON. */
  readonly mediaType?: "text/plain" | "text/event-stream";
  /**
   * What another sending of the same request does: `safe` changes nothing, as every GET; `keyed` acts once for each
   * `Idempotency-Key`. Without it another sending acts again.
   */
  readonly repeat?: "safe" | "keyed";
}

export const ROUTES = {
  events: {
    ingest: {
      method: "POST",
      path: "/api/events",
      role: "ingest",
      summary: "Send events",
      description: [
        "Takes a list of events, one event, NDJSON (`application/x-ndjson`) or CloudEvents 1.0 (structured, batch, binary).",
        "A rejected event does not keep the others from being taken; `atomic=true` asks for all or nothing.",
        "Within a request samples count first, then acts, each in the order sent.",
        "The answer comes when the events are durable and counted, so the next read knows them.",
        "A repeat under the same `Idempotency-Key` (kept for a day), or the same `Staunch-Producer` with a",
        "`Staunch-Sequence` that is not higher than the last, changes nothing and is answered with `duplicate`.",
        "A CloudEvent is told by `source` and `id`.",
      ].join(" "),
      query: IngestQuery,
      body: Events,
      responses: { 200: IngestResult },
      repeat: "keyed",
    },
  },
  subjects: {
    list: {
      method: "GET",
      path: "/api/subjects",
      role: "viewer",
      summary: "List subjects",
      query: SubjectsQuery,
      responses: { 200: SubjectPage },
    },
    get: {
      method: "GET",
      path: "/api/subjects/{id}",
      role: "viewer",
      summary: "Standing of a subject",
      description: "Score, interval, tier, components and sanctions in force. Takes `If-None-Match`.",
      params: SubjectPath,
      responses: { 200: Standing, 304: NotModified },
    },
    write: {
      method: "PUT",
      path: "/api/subjects/{id}",
      role: "operator",
      summary: "Write a subject's profile",
      description: "Owner and attributes as a whole; registers the subject when it is new. A logged act.",
      params: SubjectPath,
      body: SubjectRequest,
      responses: { 200: Standing, 201: Standing },
    },
    explain: {
      method: "GET",
      path: "/api/subjects/{id}/explanation",
      role: "viewer",
      summary: "Why the score is what it is",
      description:
        "Contributions that sum to the score, evidence, what would raise it, distance to thresholds.",
      params: SubjectPath,
      responses: { 200: Explanation, 304: NotModified },
    },
    history: {
      method: "GET",
      path: "/api/subjects/{id}/history",
      role: "viewer",
      summary: "History of a subject",
      description:
        "Hourly scores, what was crossed, and sanctions, over the history retention. Sanctions that ended long ago are only here.",
      params: SubjectPath,
      query: HistoryQuery,
      responses: { 200: History },
    },
    metrics: {
      method: "GET",
      path: "/api/subjects/{id}/metrics",
      role: "viewer",
      summary: "Aggregates of all metrics",
      params: SubjectPath,
      responses: { 200: Metrics },
    },
    metric: {
      method: "GET",
      path: "/api/subjects/{id}/metrics/{metric}",
      role: "viewer",
      summary: "One metric: aggregate, intervals, raw samples",
      params: MetricPath,
      query: MetricQuery,
      responses: { 200: Metric },
    },
  },
  penalties: {
    list: {
      method: "GET",
      path: "/api/subjects/{id}/penalties",
      role: "viewer",
      summary: "Penalties of a subject",
      description: "Newest first: all in force, and those that ended within the history retention.",
      params: SubjectPath,
      query: SanctionsQuery,
      responses: { 200: PenaltyPage },
    },
    apply: {
      method: "POST",
      path: "/api/subjects/{id}/penalties",
      role: "operator",
      summary: "Penalise a subject",
      description: "A logged act, signed by the key. Takes `Idempotency-Key`.",
      params: SubjectPath,
      body: PenaltyRequest,
      responses: { 201: Penalty },
      repeat: "keyed",
    },
    revoke: {
      method: "DELETE",
      path: "/api/penalties/{id}",
      role: "operator",
      summary: "Revoke a penalty",
      description: "A compensating act: the penalty stays on record as revoked.",
      params: SanctionPath,
      query: RevokeQuery,
      responses: { 200: Penalty },
    },
  },
  rewards: {
    list: {
      method: "GET",
      path: "/api/subjects/{id}/rewards",
      role: "viewer",
      summary: "Rewards of a subject",
      description: "Newest first: all in force, and those that ended within the history retention.",
      params: SubjectPath,
      query: SanctionsQuery,
      responses: { 200: RewardPage },
    },
    grant: {
      method: "POST",
      path: "/api/subjects/{id}/rewards",
      role: "operator",
      summary: "Reward a subject",
      description: "A logged act, signed by the key. Takes `Idempotency-Key`.",
      params: SubjectPath,
      body: RewardRequest,
      responses: { 201: Reward },
      repeat: "keyed",
    },
    revoke: {
      method: "DELETE",
      path: "/api/rewards/{id}",
      role: "operator",
      summary: "Revoke a reward",
      description: "A compensating act: the reward stays on record as revoked.",
      params: SanctionPath,
      query: RevokeQuery,
      responses: { 200: Reward },
    },
  },
  misbehaviour: {
    pending: {
      method: "GET",
      path: "/api/misbehaviour",
      role: "operator",
      summary: "Reports of misbehaviour that nobody has decided",
      description: "Of all subjects, oldest first.",
      query: PendingQuery,
      responses: { 200: MisbehaviourPage },
    },
    list: {
      method: "GET",
      path: "/api/subjects/{id}/misbehaviour",
      role: "viewer",
      summary: "Reports of misbehaviour of a subject",
      description: [
        "Newest first: all undecided, and those that were decided within the history retention. Who reported, and with which",
        "evidence, is shown to operators only.",
      ].join(" "),
      params: SubjectPath,
      query: MisbehaviourQuery,
      responses: { 200: MisbehaviourPage },
    },
    report: {
      method: "POST",
      path: "/api/subjects/{id}/misbehaviour",
      role: "ingest",
      summary: "Report misbehaviour",
      description:
        "A logged act, signed by the key. It changes nothing until somebody else confirms it, unless the policy says `misbehaviour.confirm: none`. Takes `Idempotency-Key`.",
      params: SubjectPath,
      body: MisbehaviourRequest,
      responses: { 201: MisbehaviourReport },
      repeat: "keyed",
    },
    confirm: {
      method: "POST",
      path: "/api/misbehaviour/{id}/confirm",
      role: "operator",
      summary: "Confirm a report of misbehaviour",
      description:
        "With another key than the reporter's. It becomes a `malicious_behavior` penalty, and the third one confirmed bans for thirty days (`misbehaviour` in the policy).",
      params: SanctionPath,
      body: DecisionRequest,
      responses: { 200: MisbehaviourReport },
      repeat: "keyed",
    },
    dismiss: {
      method: "POST",
      path: "/api/misbehaviour/{id}/dismiss",
      role: "operator",
      summary: "Dismiss a report of misbehaviour",
      description:
        "With another key than the reporter's. One that was confirmed is overturned: its penalty is revoked, and a ban that has too few reports left with it.",
      params: SanctionPath,
      body: DecisionRequest,
      responses: { 200: MisbehaviourReport },
      repeat: "keyed",
    },
  },
  suspensions: {
    list: {
      method: "GET",
      path: "/api/subjects/{id}/suspensions",
      role: "viewer",
      summary: "Suspensions of a subject",
      description: "Newest first: the one in force, and those that ended within the history retention.",
      params: SubjectPath,
      query: SanctionsQuery,
      responses: { 200: SuspensionPage },
    },
    start: {
      method: "POST",
      path: "/api/subjects/{id}/suspensions",
      role: "operator",
      summary: "Suspend a subject",
      description:
        "Out of every selection until it ends, and scored all the while. A logged act, signed by the key. Takes `Idempotency-Key`.",
      params: SubjectPath,
      body: SuspensionRequest,
      responses: { 201: Suspension },
      repeat: "keyed",
    },
    lift: {
      method: "DELETE",
      path: "/api/suspensions/{id}",
      role: "operator",
      summary: "Lift a suspension",
      description: "Also one by rule; it then does not lengthen the next.",
      params: SanctionPath,
      query: RevokeQuery,
      responses: { 200: Suspension },
    },
  },
  maintenance: {
    list: {
      method: "GET",
      path: "/api/subjects/{id}/maintenance",
      role: "viewer",
      summary: "Announced maintenance of a subject",
      params: SubjectPath,
      responses: { 200: MaintenancePlan },
    },
    announce: {
      method: "POST",
      path: "/api/subjects/{id}/maintenance",
      role: "ingest",
      summary: "Announce maintenance",
      description: [
        "Inside the window silence is neutral, and so are samples of uptime, availability and times; job outcomes count as",
        "ever. The subject is left out of selections meanwhile. The policy bounds how long, how much in 30 days and how",
        "long before (`maintenance`). Takes `Idempotency-Key`.",
      ].join(" "),
      params: SubjectPath,
      body: MaintenanceRequest,
      responses: { 201: MaintenanceWindow },
      repeat: "keyed",
    },
    cancel: {
      method: "DELETE",
      path: "/api/maintenance/{id}",
      role: "ingest",
      summary: "Cancel maintenance",
      description: [
        "With the key that announced it, or an operator's. One that runs ends now; what it did not use of the allowance is",
        "given back.",
      ].join(" "),
      params: SanctionPath,
      query: RevokeQuery,
      responses: { 200: MaintenanceWindow },
    },
  },
  rankings: {
    list: {
      method: "GET",
      path: "/api/rankings/{kind}",
      role: "viewer",
      summary: "The best or the worst of a kind",
      description: "Ties share the place and are listed by their lower bound.",
      params: RankingPath,
      query: RankingQuery,
      responses: { 200: RankingPage },
    },
    place: {
      method: "GET",
      path: "/api/rankings/{kind}/{id}",
      role: "viewer",
      summary: "Place of one subject",
      params: RankPath,
      responses: { 200: Rank },
    },
  },
  workers: {
    get: {
      method: "GET",
      path: "/api/subjects/{id}/work",
      role: "viewer",
      summary: "Condition, health and jobs of a worker",
      params: SubjectPath,
      responses: { 200: Work },
    },
    eligibility: {
      method: "GET",
      path: "/api/subjects/{id}/eligibility",
      role: "viewer",
      summary: "Whether a subject may be chosen, and why not",
      description:
        "Of every kind of subject. The reasons are those with which a selection leaves out a bid of it.",
      params: SubjectPath,
      responses: { 200: Eligibility },
    },
  },
  selections: {
    make: {
      method: "POST",
      path: "/api/selections",
      role: "ingest",
      summary: "Choose among bids",
      description: [
        "Answers when the choice is durable, with every bid, what it was worth and why it took no part.",
        "Report how the job ended as a `job` event with `selection_id`.",
      ].join(" "),
      body: SelectionRequest,
      responses: { 200: Selection },
      repeat: "keyed",
    },
    get: {
      method: "GET",
      path: "/api/selections/{id}",
      role: "viewer",
      summary: "Why a selection chose as it did",
      description: "With the scores as they were then, and the outcome once it is known.",
      params: SelectionPath,
      responses: { 200: Selection },
    },
  },
  network: {
    get: {
      method: "GET",
      path: "/api/network/{kind}",
      role: "viewer",
      summary: "Health of a network",
      params: NetworkPath,
      responses: { 200: Network },
    },
    jobClasses: {
      method: "GET",
      path: "/api/network/{kind}/job-classes",
      role: "viewer",
      summary: "How long jobs of each class take",
      description:
        "A job that was reported with a class and without an expected duration is measured by the median of its class.",
      params: NetworkPath,
      responses: { 200: JobClassList },
    },
  },
  monitors: {
    list: {
      method: "GET",
      path: "/api/monitors",
      role: "viewer",
      summary: "What monitors measured and does not count yet, or never will",
      description:
        "Samples that name a monitor count half a minute after the end of their five-minute window, unless the monitor itself failed in it: then the window is void. Monitors by name, as long as they have samples waiting or windows voided.",
      query: MonitorsQuery,
      responses: { 200: MonitorPage },
    },
  },
  policies: {
    list: {
      method: "GET",
      path: "/api/policies",
      role: "viewer",
      summary: "Policies in force and presets",
      responses: { 200: PolicyList },
    },
    get: {
      method: "GET",
      path: "/api/policies/{kind}",
      role: "viewer",
      summary: "Policy of a kind",
      description: "The whole document. Its `ETag` is what `PUT` takes as `If-Match`.",
      params: PolicyPath,
      responses: { 200: ActivePolicy, 304: NotModified },
    },
    check: {
      method: "POST",
      path: "/api/policies/validate",
      role: "viewer",
      summary: "Check a policy",
      description: "Changes nothing. All problems at once, and the difference from the policy of a kind.",
      body: PolicyCheckRequest,
      responses: { 200: PolicyCheck },
      repeat: "safe",
    },
    activate: {
      method: "PUT",
      path: "/api/policies/{kind}",
      role: "admin",
      summary: "Activate a policy",
      description:
        "A logged act. Needs `If-Match` with the `ETag` of the policy that it replaces, or `If-None-Match: *` for a new kind. The answer says what changed.",
      params: PolicyPath,
      body: PolicyRequest,
      responses: { 200: PolicyActivation, 201: PolicyActivation },
    },
  },
  live: {
    subscribe: {
      method: "GET",
      path: "/api/live",
      role: "viewer",
      summary: "Changes as they happen",
      description:
        "Server-sent events. A `frame` has the score changes since the last one, the newest of each subject with old score, new score, reason and components, and the crossings and acts; its id is the log position. A `gap` says that something was left out: read the standings again.",
      query: LiveQuery,
      headers: LiveHeaders,
      responses: { 200: z.string().describe("A stream of type `text/event-stream`.") },
      mediaType: "text/event-stream",
    },
  },
  keys: {
    list: {
      method: "GET",
      path: "/api/keys",
      role: "admin",
      summary: "All keys, without their secrets",
      responses: { 200: KeyList },
    },
    create: {
      method: "POST",
      path: "/api/keys",
      role: "admin",
      summary: "Create a key",
      description: "The answer holds the secret, this once.",
      body: KeyRequest,
      responses: { 201: CreatedKey },
    },
    revoke: {
      method: "DELETE",
      path: "/api/keys/{id}",
      role: "admin",
      summary: "Revoke a key",
      description: "It is refused from now on; what it signed stays signed.",
      params: KeyPath,
      responses: { 200: KeyRecord },
    },
  },
  service: {
    status: {
      method: "GET",
      path: "/api/status",
      role: "viewer",
      summary: "What the service knows of itself",
      responses: { 200: Status },
    },
    health: {
      method: "GET",
      path: "/healthz",
      role: "public",
      summary: "Whether the process answers",
      responses: { 200: Health },
    },
    ready: {
      method: "GET",
      path: "/readyz",
      role: "public",
      summary: "Whether the service does its work",
      description: "503 while it restores or stops, and when the storage has stopped until a restart.",
      query: ReadyQuery,
      responses: { 200: Readiness, 503: Readiness },
    },
    measurements: {
      method: "GET",
      path: "/metrics",
      role: "viewer",
      summary: "Measurements for Prometheus",
      responses: { 200: z.string().describe("Prometheus text exposition.") },
      mediaType: "text/plain",
    },
    description: {
      method: "GET",
      path: "/api/openapi.json",
      role: "public",
      summary: "This description, OpenAPI 3.1",
      responses: { 200: z.record(z.string(), z.unknown()) },
    },
  },
} as const satisfies { readonly [group: string]: { readonly [operation: string]: Route } };

export type RouteGroup = keyof typeof ROUTES;
