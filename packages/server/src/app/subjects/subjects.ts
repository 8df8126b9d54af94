/** Subjects: who they are, how they stand, why, and what is known of them. */
import {
  explain,
  kindNamed,
  kindOf,
  METRIC_COUNT,
  standing,
  type Attributes,
  type Explanation,
  type Kind,
  type MetricCode,
  type Standing,
} from "@staunch/engine";
import { NOT_IDEMPOTENT, submitAct, type ActOutcome } from "../acts.ts";
import { priorOf } from "../facts/operator-prior.ts";
import { KIND_DEFAULT } from "../kind.ts";
import type { Partition } from "../partition/partition.ts";
import { readTime } from "../read-time.ts";
import { listSubjects, type SubjectList, type SubjectQuery } from "./list.ts";

type AggregateStore = NonNullable<Kind["aggregates"]>;
export type Aggregate = NonNullable<ReturnType<AggregateStore["read"]>>;
export type RawSample = ReturnType<AggregateStore["samples"]>[number];

export interface ProfileRequest {
  readonly id: string;
  /** Kind of a new subject; null takes the one it has, or {@link KIND_DEFAULT}. */
  readonly kind: string | null;
  readonly operator: string | null;
  /** All attributes: what is not named is removed. */
  readonly attributes: Attributes;
  readonly issuer: string;
  readonly reason: string;
}

export type ProfileOutcome =
  | Exclude<ActOutcome, { type: "done" }>
  | { readonly type: "written"; readonly subject: number; readonly created: boolean }
  | { readonly type: "kind_not_found"; readonly kind: string }
  | { readonly type: "kind_mismatch"; readonly kind: string };

export class Subjects {
  private readonly partition: Partition;

  constructor(partition: Partition) {
    this.partition = partition;
  }

  /** Number of a registered subject, or null. */
  find(id: string): number | null {
    const { ids, places } = this.partition.state;
    const number = ids.find(id);
    // Numbers beyond belong to requests that are still being logged.
    return number === -1 || number >= places.count ? null : number;
  }

  /** Instant that the reads of a subject are answered for. */
  readTime(subject: number): number {
    return readTime(this.partition, kindOf(this.partition.state, subject));
  }

  standing(subject: number): Standing {
    return standing(this.partition.state, subject, this.readTime(subject));
  }

  explanation(subject: number): Explanation {
    return explain(this.partition.state, subject, this.readTime(subject));
  }

  /** The aggregate of every metric by its code, over the metric retention; null where there are no samples. */
  aggregates(subject: number): (Aggregate | null)[] {
    return Array.from({ length: METRIC_COUNT }, (_, metric) => this.aggregate(subject, metric));
  }

  aggregate(subject: number, metric: MetricCode): Aggregate | null {
    const { store, row, now } = this.series(subject);
    return store?.read(row, metric, now) ?? null;
  }

  /** One aggregate for each interval with samples, oldest first. */
  steps(subject: number, metric: MetricCode): Aggregate[] {
    const { store, row, now } = this.series(subject);
    return store?.steps(row, metric, now) ?? [];
  }

  /** The newest raw samples, newest last. */
  samples(subject: number, metric: MetricCode, limit: number): RawSample[] {
    const { store, row, now } = this.series(subject);
    return store?.samples(row, metric, now, { limit }) ?? [];
  }

  /** A page of a kind's subjects, or null when there is no such kind. */
  async list(kindName: string, query: SubjectQuery): Promise<SubjectList | null> {
    const kind = kindNamed(this.partition.state, kindName);
    return kind === undefined ? null : listSubjects(this.partition, kind, query);
  }

  /** Writes the profile of a subject, registering it when nobody has named it yet. */
  async writeProfile(request: ProfileRequest): Promise<ProfileOutcome> {
    const draft = this.partition.draft();
    const known = draft.find(request.id);
    const kind = request.kind ?? (known === -1 ? KIND_DEFAULT : draft.kindOf(known));
    if (known === -1 && !draft.hasKind(kind)) return { type: "kind_not_found", kind };
    if (known !== -1 && draft.kindOf(known) !== kind)
      return { type: "kind_mismatch", kind: draft.kindOf(known) };
    const subject = known === -1 ? draft.register(request.id, kind) : known;
    const { operator, issuer, reason } = request;
    const attributes = this.replacing(subject, request.attributes);
    const act = { type: "subject.updated", subject, operator, attributes, issuer, reason } as const;
    const { state } = this.partition;
    const prior = priorOf(state, kindNamed(state, kind)!, { subject, operator, isTrusted: true });
    const following = prior === null ? [] : [prior];
    const outcome = await submitAct(this.partition, draft, act, NOT_IDEMPOTENT, following);
    return outcome.type === "done" ? { type: "written", subject, created: known === -1 } : outcome;
  }

  /** The act keeps attributes that it does not name, so those that shall go are named with null. */
  private replacing(subject: number, attributes: Attributes): { [key: string]: Attributes[string] | null } {
    const before = this.partition.state.profiles.get(subject)?.attributes ?? {};
    const removed = Object.keys(before).filter((key) => !Object.hasOwn(attributes, key));
    return { ...Object.fromEntries(removed.map((key) => [key, null])), ...attributes };
  }

  private series(subject: number): { store: AggregateStore | null; row: number; now: number } {
    const { state } = this.partition;
    const { aggregates } = kindOf(state, subject);
    return { store: aggregates, row: state.places.rowOf(subject), now: this.readTime(subject) };
  }
}
