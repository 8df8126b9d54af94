/** A network in fake time: the real engine and the real selection, with workers whose behaviour a scenario decides. */
import {
  apply,
  Candidates,
  createState,
  EMPTY_ENTRY,
  FAILURE,
  gather,
  kindNamed,
  metricCode,
  monitorVerdicts,
  NOBODY,
  operatorPrior,
  parsePolicy,
  select,
  Selection,
  SUCCESS,
  type Act,
  type Bids,
  type Entry,
  type JobColumns,
  type Kind,
  type MetricName,
  type Policy,
  type State,
} from "@staunch/engine";
import { Random } from "@staunch/engine/num";

/** Midnight of 1 January 2026, UTC. */
export const T0 = 1_767_225_600_000;
export const SECOND_MS = 1000;
const KIND = "worker";
const TWO_32 = 4294967296;

export interface Bid {
  readonly subject: number;
  readonly price: number;
  readonly timeMs: number;
}

/** How a job ended and how long it took. */
export interface Outcome {
  readonly code: number;
  readonly durationMs: number;
}

export const good: Outcome = { code: SUCCESS, durationMs: SECOND_MS };
export const bad: Outcome = { code: FAILURE, durationMs: SECOND_MS };

/** What was measured of a subject. */
export interface Probe {
  readonly subject: number;
  readonly metric: MetricName;
  readonly value: number;
  readonly at: number;
}

/** What a choice was: who, and how it came about. */
export interface Choice {
  readonly subject: number;
  readonly number: number;
  readonly mode: Selection["mode"];
}

interface Pending {
  readonly at: number;
  readonly choice: Choice;
  readonly outcome: Outcome;
}

export class World {
  readonly state: State;
  readonly random: Random;
  nowMs = T0;
  /** The newest selection, with the reasons of the bids that it left out. */
  readonly selection = new Selection();
  private readonly candidates = new Candidates();
  private readonly kind: Kind;
  private readonly pending: Pending[] = [];
  private bids: readonly Bid[] = [];
  private columns: Bids = columnsOf([]);

  constructor(seed: number, policy: Policy = workerPolicy()) {
    this.state = createState({ seed: 7, policies: { [KIND]: policy }, aggregates: false });
    this.kind = kindNamed(this.state, KIND)!;
    this.random = new Random(seed);
  }

  register(id: string, operator: string | null = null): number {
    const number = this.state.ids.insert(id);
    const registrations = [{ number, kind: KIND, id }];
    if (operator === null) this.log({ registrations });
    else this.log({ registrations, acts: this.joining(number, operator) });
    return number;
  }

  /** As the service writes it: what is known of the operator goes with the act that names it. */
  private joining(subject: number, operator: string): Act[] {
    const accountable = { issuer: "sim", reason: "joins" };
    const update = { type: "subject.updated", subject, operator, ...accountable } as const;
    const found = operatorPrior(this.state, this.kind, operator);
    if (found === null) return [update];
    const { prior, ...record } = found;
    return [update, { type: "prior.set", subject, prior, evidence: { operator, ...record }, ...accountable }];
  }

  /** Chooses among bids and logs the choice; null when nobody could be chosen. */
  select(bids: readonly Bid[]): Choice | null {
    // Mostly the same bids come again.
    if (bids !== this.bids) {
      this.bids = bids;
      this.columns = columnsOf(bids);
    }
    const { columns } = this;
    const { policy } = this.kind.compiled;
    gather(this.state, this.kind, columns, this.nowMs, this.candidates);
    const request = {
      nowMs: this.nowMs,
      seed: Math.floor(this.random.next() * TWO_32),
      priceReference: null,
      timeReferenceMs: null,
      rules: policy.selection,
    };
    const { window } = this.kind.selections;
    const { chosen, mode } = select(this.candidates, request, window, this.selection);
    const subject = chosen < 0 ? NOBODY : columns.subject[chosen]!;
    const number = this.log({
      selections: [
        {
          kind: KIND,
          chosen: subject,
          operator: chosen < 0 ? 0 : this.candidates.operator[chosen]!,
          exploring: mode === "exploration",
          record: new Uint8Array(0),
        },
      ],
    });
    return chosen < 0 ? null : { subject, number, mode };
  }

  /** Selection, and its outcome when the job is over. */
  run(bids: readonly Bid[], outcomeOf: (subject: number) => Outcome): Choice | null {
    const choice = this.select(bids);
    if (choice === null) return null;
    const outcome = outcomeOf(choice.subject);
    this.schedule({ at: this.nowMs + outcome.durationMs, choice, outcome });
    return choice;
  }

  /** Lets time pass; jobs that end meanwhile are reported when they end. */
  advance(toMs: number): void {
    while (this.pending.length > 0 && this.pending[0]!.at <= toMs) {
      const { at, choice, outcome } = this.pending.shift()!;
      this.nowMs = at;
      this.report(choice.subject, choice.number, outcome);
    }
    this.nowMs = toMs;
  }

  report(subject: number, selection: number, { code, durationMs }: Outcome): void {
    this.log({ jobs: jobColumns(this.nowMs, subject, code, durationMs, selection) });
  }

  ban(subject: number): void {
    const act: Act = {
      type: "penalty.applied",
      subject,
      penalty: "ban",
      severity: "critical",
      points: 0,
      fraction: null,
      at: this.nowMs,
      expiresAt: null,
      fade: "none",
      evidence: [],
      context: {},
      issuer: "sim",
      reason: "banned",
    };
    this.log({ acts: [act] });
  }

  reportMisbehaviour(subject: number): void {
    const act: Act = {
      type: "misbehaviour.reported",
      subject,
      evidence: ["sim"],
      context: {},
      at: this.nowMs,
      jobId: null,
      issuer: "sim",
      reason: "cheats",
    };
    this.log({ acts: [act] });
  }

  /** Logs what was measured, by a monitor if it is named. */
  observe(probes: readonly Probe[], monitor: string | null = null): void {
    const samples = {
      count: probes.length,
      at: Float64Array.from(probes, ({ at }) => at),
      value: Float64Array.from(probes, ({ value }) => value),
      subject: Uint32Array.from(probes, ({ subject }) => subject),
      kind: Uint8Array.from(probes, ({ metric }) => metricCode(metric)),
      weight: null,
      monitor: monitor === null ? null : probes.map(() => monitor),
      context: null,
    };
    this.log({ samples });
  }

  /** Judges the windows of monitors that are over, as the service does before it appends anything else. */
  judge(): void {
    const acts = this.state.provisional
      .over(this.state.now)
      .flatMap((window) => monitorVerdicts(this.state, window));
    if (acts.length > 0) this.log({ acts });
  }

  log(parts: Partial<Entry>): number {
    const batch = {
      position: this.state.position + 1,
      loggedAt: this.nowMs,
      entries: [{ ...EMPTY_ENTRY, ...parts }],
    };
    const result = apply(this.state, batch).results[0]!;
    return result.type === "applied" ? (result.selections[0] ?? 0) : 0;
  }

  /** In order of their end; jobs mostly end in the order in which they began, so the place is near the back. */
  private schedule(job: Pending): void {
    let place = this.pending.length;
    while (place > 0 && this.pending[place - 1]!.at > job.at) place--;
    this.pending.splice(place, 0, job);
  }
}

export function workerPolicy(document: { readonly [key: string]: unknown } = {}): Policy {
  return policyOf({ extends: "compute-worker", ...document });
}

export function policyOf(document: { readonly [key: string]: unknown }): Policy {
  const parsed = parsePolicy(document);
  if (parsed.type === "invalid") throw new Error(parsed.problems.map(({ message }) => message).join("; "));
  return parsed.policy;
}

function columnsOf(bids: readonly Bid[]): Bids {
  return {
    subject: Uint32Array.from(bids, ({ subject }) => subject),
    price: Float64Array.from(bids, ({ price }) => price),
    timeMs: Float64Array.from(bids, ({ timeMs }) => timeMs),
  };
}

function jobColumns(
  at: number,
  subject: number,
  code: number,
  durationMs: number,
  selection: number,
): JobColumns {
  const one = (value: number): Float64Array => Float64Array.of(value);
  return {
    count: 1,
    at: one(at),
    subject: Uint32Array.of(subject),
    outcome: Uint8Array.of(code),
    durationMs: one(durationMs),
    expectedMs: one(SECOND_MS),
    usedShare: one(Number.NaN),
    quality: one(Number.NaN),
    earnings: one(Number.NaN),
    selection: one(selection),
    jobClass: null,
    jobId: null,
  };
}
