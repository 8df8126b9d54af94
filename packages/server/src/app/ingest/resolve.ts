/**
 * The second pass: ids become numbers, and what depends on the state is checked. It happens without a pause, so the
 * numbers that new ids get are those under which the entry is logged.
 */
import type {
  Act,
  HealthColumns,
  JobColumns,
  Kind,
  Policy,
  SampleColumns,
  State,
  SubjectUpdated,
} from "@staunch/engine";
import { IDS_MAX, kindNamed, REPORTED_PARTS_MAX } from "@staunch/engine";
import { KIND_DEFAULT } from "../kind.ts";
import type { Draft } from "../partition/partition.ts";
import type { Principal } from "../principal.ts";
import { priorOf } from "../facts/operator-prior.ts";
import { actOf, flawOfReports, subjectOf } from "./act-events.ts";
import type { EventColumns } from "./decode.ts";
import { ownIdOf, type CheckedEvent, type PendingEvent } from "./event-fields.ts";
import { refusedJob, type Flaw } from "./rejection.ts";
import { ATTRIBUTES_MAX, timeMs, tooManyAttributes } from "./values.ts";
import {
  flawOfPolicy,
  healthColumns,
  jobColumns,
  partsOf,
  selectionOf,
  type WorkEvent,
} from "./work-events.ts";

/** What is left to write. */
export interface Resolved {
  readonly samples: SampleColumns | null;
  readonly jobs: JobColumns | null;
  readonly health: HealthColumns | null;
  readonly acts: readonly Act[];
  /** Place in the request of the event of each act, and of each job. */
  readonly actIndexes: readonly number[];
  readonly jobIndexes: readonly number[];
  /** Events taken, with those that change nothing. */
  readonly accepted: number;
}

export interface ResolveContext {
  readonly state: State;
  readonly draft: Draft;
  readonly principal: Principal;
  readonly nowMs: number;
}

/** Resolves all that was decoded; what does not hold is added to the rejections. */
export function resolve(columns: EventColumns, context: ResolveContext): Resolved {
  return new Resolver(columns, context).run();
}

class Resolver {
  private readonly columns: EventColumns;
  private readonly context: ResolveContext;
  private readonly acts: Act[] = [];
  private readonly actIndexes: number[] = [];
  private readonly jobs: WorkEvent[] = [];
  private readonly jobIndexes: number[] = [];
  private readonly reports: WorkEvent[] = [];
  /** Of the reports, over all kinds. */
  private readonly partNames = new Set<string>();
  private actsAccepted = 0;

  constructor(columns: EventColumns, context: ResolveContext) {
    this.columns = columns;
    this.context = context;
  }

  run(): Resolved {
    const samples = this.resolveSamples();
    const { acts, actIndexes, jobs, jobIndexes, reports } = this;
    this.columns.rejections.sort((a, b) => a.index - b.index);
    return {
      samples,
      jobs: jobColumns(jobs),
      health: healthColumns(reports),
      acts,
      actIndexes,
      jobIndexes,
      accepted: (samples?.count ?? 0) + jobs.length + reports.length + this.actsAccepted,
    };
  }

  /** Samples and the other events in the order of the request: the first mention of a new id decides its kind. */
  private resolveSamples(): SampleColumns | null {
    const { columns, context } = this;
    const { count, index, pending } = columns;
    const { state, nowMs } = context;
    const numbers = new Int32Array(count);
    state.ids.findAll(columns.subjects, numbers);
    // Subjects that are registered have a kind at hand; those on their way into the log are asked for by name.
    const registered = state.places.count;
    const oldest = state.kinds.map((kind) => oldestAt(kind, nowMs));
    const subject = new Uint32Array(count);
    let next = 0;
    let kept = 0;
    for (let row = 0; row < count; row++) {
      while (next < pending.length && pending[next]!.index < index[row]!) this.resolveEvent(pending[next++]!);
      let number = numbers[row]!;
      const isPlain = number >= 0 && number < registered && columns.kindNames === null;
      if (!isPlain) {
        const found = this.subjectOfSample(row);
        if (typeof found !== "number") {
          columns.reject(index[row]!, found, columns.ownIds?.[row] ?? null);
          continue;
        }
        number = found;
      } else if (columns.at[row]! < oldest[state.places.kindOf(number)]!) {
        columns.reject(
          index[row]!,
          tooOld(state.kinds[state.places.kindOf(number)]!),
          columns.ownIds?.[row] ?? null,
        );
        continue;
      }
      if (kept !== row) this.move(row, kept);
      subject[kept++] = number;
    }
    while (next < pending.length) this.resolveEvent(pending[next++]!);
    return kept === 0 ? null : this.finish(kept, subject);
  }

  /** Number of a sample's subject where the id is new, or a kind is named. */
  private subjectOfSample(row: number): number | Flaw {
    const { columns, context } = this;
    const id = columns.subjects[row]!;
    const kind = this.kindFor(id, columns.kindNames?.[row] ?? null);
    if ("code" in kind) return kind;
    if (columns.at[row]! < oldestAt(kind, context.nowMs)) return tooOld(kind);
    return this.numberOf(id, kind);
  }

  private resolveEvent(pending: PendingEvent): void {
    const { event, index } = pending;
    const isWork = event.type === "job" || event.type === "health";
    const flaw = isWork ? this.takeWork(pending) : this.takeAct(pending);
    if (flaw !== null) this.columns.reject(index, flaw, ownIdOf(event));
  }

  private takeWork({ event, index }: PendingEvent): Flaw | null {
    const { nowMs, draft } = this.context;
    const id = event["subject"] as string;
    const kind = this.kindFor(id, (event["kind"] as string | undefined) ?? null);
    if ("code" in kind) return kind;
    const atMs = event["at"] === undefined ? nowMs : timeMs(event["at"]);
    if (atMs < oldestAt(kind, nowMs)) return tooOld(kind);
    const flaw =
      flawOfPolicy(event, kind.name, kind.compiled.policy) ??
      flawOfSelection(event, kind, draft.find(id)) ??
      this.notePartNames(event);
    if (flaw !== null) return flaw;
    const subject = this.numberOf(id, kind);
    if (typeof subject !== "number") return subject;
    if (event.type === "health") {
      this.reports.push({ event, subject, atMs });
    } else {
      this.jobs.push({ event, subject, atMs });
      this.jobIndexes.push(index);
    }
    return null;
  }

  /** Each part that a report of the request names is a column of them all. */
  private notePartNames(event: CheckedEvent): Flaw | null {
    if (event.type !== "health") return null;
    const added = partsOf(event).filter((name) => !this.partNames.has(name));
    if (this.partNames.size + added.length > REPORTED_PARTS_MAX) {
      const detail = `the reports of one request name at most ${REPORTED_PARTS_MAX} different parts; send those of some kinds in another`;
      return { code: "out_of_range", field: "parts", detail };
    }
    for (const name of added) this.partNames.add(name);
    return null;
  }

  private takeAct({ event, index }: PendingEvent): Flaw | null {
    const { principal, nowMs, state } = this.context;
    const forbidden = flawOfRole(event, principal) ?? flawOfReports(event, state);
    if (forbidden !== null) return forbidden;
    const id = subjectOf(event);
    let number = -1;
    let policy: Policy | null = null;
    if (id === null) {
      const flaw = flawOfRevocation(event, state);
      if (flaw !== null) return flaw;
    } else {
      const kind = this.kindFor(id, (event["kind"] as string | undefined) ?? null);
      if ("code" in kind) return kind;
      const flaw = flawOfPoints(event, kind) ?? flawOfAttributes(event, state, this.context.draft.find(id));
      if (flaw !== null) return flaw;
      const found = this.numberOf(id, kind);
      if (typeof found !== "number") return found;
      number = found;
      policy = kind.compiled.policy;
    }
    const act = actOf(event, number, policy, `key:${principal.id}`, nowMs);
    this.actsAccepted += 1;
    if (act === null) return null;
    this.acts.push(act);
    this.actIndexes.push(index);
    if (act.type === "subject.updated") this.addPrior(act, index);
    return null;
  }

  /** What a subject without a record starts from follows from the record of its operator. */
  private addPrior({ subject, operator }: SubjectUpdated, index: number): void {
    const { state, draft, principal } = this.context;
    const isTrusted = principal.role === "operator" || principal.role === "admin";
    const kind = kindNamed(state, draft.kindOf(subject))!;
    const prior = priorOf(state, kind, { subject, operator, isTrusted });
    if (prior === null) return;
    this.acts.push(prior);
    this.actIndexes.push(index);
  }

  /** The kind a subject has, or gets: it must exist, and be the one that is named. */
  private kindFor(id: string, named: string | null): Kind | Flaw {
    const { draft, state } = this.context;
    const number = draft.find(id);
    const name = number >= 0 ? draft.kindOf(number) : (named ?? KIND_DEFAULT);
    if (named !== null && named !== name) {
      return { code: "kind_mismatch", field: "kind", detail: `the subject is of kind ${name}, not ${named}` };
    }
    const kind = kindNamed(state, name);
    if (kind !== undefined) return kind;
    const known = state.kinds.map((one) => one.name).join(", ");
    return {
      code: "unknown_kind",
      field: "kind",
      detail: `there is no kind ${name}; policies exist for ${known}`,
    };
  }

  private numberOf(id: string, kind: Kind): number | Flaw {
    const { draft, state } = this.context;
    const number = draft.find(id);
    if (number >= 0) return number;
    if (state.ids.size < IDS_MAX) return draft.register(id, kind.name);
    return {
      code: "too_many_subjects",
      field: "subject",
      detail: `there is no room for more than ${IDS_MAX} subjects`,
    };
  }

  /** Closes the gap that rejected samples have left. */
  private move(from: number, to: number): void {
    const { at, value, kind, weight, monitor, context } = this.columns;
    at[to] = at[from]!;
    value[to] = value[from]!;
    kind[to] = kind[from]!;
    if (weight !== null) weight[to] = weight[from]!;
    if (monitor !== null) monitor[to] = monitor[from]!;
    if (context !== null) context[to] = context[from]!;
  }

  private finish(count: number, subject: Uint32Array): SampleColumns {
    const { at, value, kind, weight, monitor, context } = this.columns;
    return {
      count,
      at: at.subarray(0, count),
      value: value.subarray(0, count),
      subject: subject.subarray(0, count),
      kind: kind.subarray(0, count),
      weight: weight?.subarray(0, count) ?? null,
      monitor: monitor?.slice(0, count) ?? null,
      context: context?.slice(0, count) ?? null,
    };
  }
}

/** What can be known of a selection before its outcome is applied; a second outcome in the same instant is found then. */
function flawOfSelection(event: CheckedEvent, { selections }: Kind, subject: number): Flaw | null {
  const number = selectionOf(event);
  if (number === 0) return null;
  const open = selections.open.get(number);
  if (open === undefined) return refusedJob("selection_not_open");
  return open.subject === subject ? null : refusedJob("selection_of_another");
}

/** Samples older than this are outside the window of aggregates. */
function oldestAt(kind: Kind, nowMs: number): number {
  return nowMs - kind.compiled.policy.metricRetentionMs;
}

function tooOld(kind: Kind): Flaw {
  const hours = kind.compiled.policy.metricRetentionMs / 3_600_000;
  const detail = `at is older than the metric retention of ${hours} h (numbers are milliseconds since 1970)`;
  return { code: "time_too_old", field: "at", detail };
}

/**
 * Who may send samples may say what is measured, who is there and who misbehaves; what punishes and rewards needs an
 * operator.
 */
function flawOfRole(event: CheckedEvent, { role }: Principal): Flaw | null {
  if (event.type === "subject" || event.type === "misbehaviour" || role === "operator" || role === "admin")
    return null;
  const detail = `events of type ${event.type} need the role operator, the key has ${role}`;
  return { code: "role_not_allowed", field: "type", detail };
}

/**
 * A revocation is decided when it is applied. What can be known before is said before, so that it keeps an atomic
 * request from being written; a second revocation in the same instant is found when it is applied.
 */
function flawOfRevocation(event: CheckedEvent, state: State): Flaw | null {
  const what = event.type === "penalty_revoked" ? "penalty" : "reward";
  const field = `${what}_id`;
  const id = event[field] as string;
  const sanction = what === "penalty" ? state.sanctions.penalty(id) : state.sanctions.reward(id);
  if (sanction === undefined)
    return { code: `${what}_not_found`, field, detail: `there is no ${what} ${id}` };
  // An ended penalty can still be undone: its cost in trust outlives it.
  if (sanction.status === "active" || (what === "penalty" && sanction.status === "ended")) return null;
  return { code: `${what}_not_active`, field, detail: `the ${what} is ${sanction.status} already` };
}

function flawOfPoints(event: CheckedEvent, kind: Kind): Flaw | null {
  const { maxScore } = kind.compiled.policy;
  const points = event["points"];
  if (typeof points !== "number" || points <= maxScore) return null;
  return {
    code: "out_of_range",
    field: "points",
    detail: `points must be at most the maximum score, ${maxScore}`,
  };
}

function flawOfAttributes(event: CheckedEvent, state: State, number: number): Flaw | null {
  const sent = event["attributes"] as { readonly [name: string]: unknown } | undefined;
  if (sent === undefined) return null;
  const names = new Set(Object.keys(state.profiles.get(number)?.attributes ?? {}));
  for (const [name, value] of Object.entries(sent)) {
    if (value === null) names.delete(name);
    else names.add(name);
  }
  return names.size <= ATTRIBUTES_MAX ? null : { field: "attributes", ...tooManyAttributes() };
}
