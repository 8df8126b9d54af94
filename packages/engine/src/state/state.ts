/** Everything the fold knows: one independent state machine for one partition of subjects. */
import {
  AggregateStore,
  DURATION_SERIES,
  METRIC_SERIES,
  type AggregateOptions,
} from "../aggregate/aggregate-store.ts";
import { RAW_SAMPLES_MAX } from "../aggregate/raw-samples.ts";
import { DeadlineQueue } from "../deadline/deadline-queue.ts";
import { newNetwork, type Network } from "../fold/network.ts";
import type { OpenSelection } from "../fold/selections.ts";
import { newEffects, type Effects } from "../fold/effects.ts";
import { IdTable } from "../id/id-table.ts";
import { compilePolicy, type CompiledPolicy } from "../policy/compile.ts";
import { completePolicy } from "../policy/complete.ts";
import type { Policy } from "../policy/policy.ts";
import { RankIndex } from "../rank/rank-index.ts";
import { SanctionBook } from "../sanction/sanction.ts";
import { DecisionWindow } from "../select/decision-window.ts";
import { JobClasses } from "./job-classes.ts";
import { Operators } from "./operators.ts";
import { PlaceColumn } from "./place-column.ts";
import { Memory } from "./memory.ts";
import { Profiles } from "./profiles.ts";
import { Provisional } from "./provisional.ts";
import { isFolded, RowTable } from "./row-table.ts";
import { WORK_ROW_SIZE } from "./work-row.ts";

/** Kinds of subjects a partition can hold. */
export const KINDS_MAX = 16;

export interface StateOptions {
  /** Seed of the id table's hash: a secret of the installation, so that ids cannot be made to collide. */
  readonly seed: number;
  /** Policy of each kind that exists from the start. */
  readonly policies: { readonly [kind: string]: Policy };
  /** Keep aggregates and raw samples; without them only scores are kept. */
  readonly aggregates: boolean;
  /** Raw samples kept in all, see `AggregateStore`. */
  readonly rawSamplesMax?: number;
}

/** One kind of subject: its policy, rows, ranking and aggregates, all by row number. */
export interface Kind {
  readonly name: string;
  readonly index: number;
  compiled: CompiledPolicy;
  readonly table: RowTable;
  readonly rank: RankIndex;
  readonly aggregates: AggregateStore | null;
  /** How long jobs took, of kinds with work rows. */
  durations: AggregateStore | null;
  /** Totals over the kind's rows; only kinds with work rows are counted. */
  readonly network: Network;
  readonly selections: Selections;
  readonly jobClasses: JobClasses;
  /** Cuts of the tiers as last logged, with the number of subjects they were taken from; null before. */
  cuts: { readonly scores: readonly number[]; readonly rated: number } | null;
  /** When the policy in force was activated: whoever was last evaluated before is told that it moved the score. */
  policyAt: number;
}

/** Selections of a kind: those whose outcome is open, oldest first, and whom the newest went to. */
export interface Selections {
  readonly open: Map<number, OpenSelection>;
  window: DecisionWindow;
}

export interface State {
  readonly options: StateOptions;
  readonly ids: IdTable;
  readonly kinds: Kind[];
  /** Kind and row of each subject number. */
  readonly places: PlaceColumn;
  readonly profiles: Profiles;
  readonly operators: Operators;
  readonly sanctions: SanctionBook;
  readonly deadlines: DeadlineQueue;
  readonly memory: Memory;
  readonly provisional: Provisional;
  readonly effects: Effects;
  /** Log position and time of the newest batch applied. */
  position: number;
  now: number;
  /** Rolling refresh: next subject number, and subjects owed to the interval. */
  refreshNext: number;
  refreshOwed: number;
  /** Ids given in the current batch. */
  idsGiven: number;
  /** Samples and acts folded since the log began. */
  eventCount: number;
  actCount: number;
}

export function createState(options: StateOptions): State {
  const state: State = {
    options,
    ids: new IdTable(options.seed),
    kinds: [],
    places: new PlaceColumn(),
    profiles: new Profiles(),
    operators: new Operators(),
    sanctions: new SanctionBook(),
    deadlines: new DeadlineQueue(),
    memory: new Memory(),
    provisional: new Provisional(),
    effects: newEffects(),
    position: 0,
    now: 0,
    refreshNext: 0,
    refreshOwed: 0,
    idsGiven: 0,
    eventCount: 0,
    actCount: 0,
  };
  for (const [kind, policy] of Object.entries(options.policies)) addKind(state, kind, policy);
  return state;
}

/** Adds a kind under its policy; the caller has checked that there is room. */
export function addKind(state: State, name: string, given: Policy): Kind {
  const policy = completePolicy(given);
  const { options } = state;
  const kind: Kind = {
    name,
    index: state.kinds.length,
    compiled: compilePolicy(policy),
    table: new RowTable(),
    rank: new RankIndex(),
    aggregates: options.aggregates ? new AggregateStore(aggregateOptions(options, policy)) : null,
    durations: null,
    network: newNetwork(),
    selections: { open: new Map(), window: new DecisionWindow(policy.selection.operatorWindow) },
    jobClasses: new JobClasses(),
    cuts: null,
    policyAt: 0,
  };
  if (kind.compiled.hasWork) addWorkRows(state, kind);
  state.kinds.push(kind);
  return kind;
}

/** Gives the kind's rows the part that jobs and health reports need; once it is there it stays. */
export function addWorkRows(state: State, kind: Kind): void {
  kind.table.addWork(WORK_ROW_SIZE);
  addDurations(state, kind);
}

export function addDurations({ options }: State, kind: Kind): void {
  if (!options.aggregates || kind.durations !== null) return;
  kind.durations = new AggregateStore(durationOptions(options, kind.compiled.policy), DURATION_SERIES);
  kind.durations.ensureRows(kind.table.count);
}

/** What the policy asks of a kind's aggregates, within the memory that the installation gives them. */
export function aggregateOptions({ rawSamplesMax }: StateOptions, policy: Policy): AggregateOptions {
  const { metricRetentionMs, aggregateIntervalMs, sampleSize } = policy;
  const limits = { metricRetentionMs, aggregateIntervalMs, sampleSize };
  return rawSamplesMax === undefined ? limits : { ...limits, rawSamplesMax };
}

/** Durations are one series beside the eight of metrics, and share memory with them in that proportion. */
export function durationOptions(options: StateOptions, policy: Policy): AggregateOptions {
  const rawSamplesMax = Math.ceil((options.rawSamplesMax ?? RAW_SAMPLES_MAX) / METRIC_SERIES.length);
  const rawTextMax = 0;
  return { ...aggregateOptions(options, policy), rawSamplesMax, rawTextMax };
}

export function kindNamed(state: State, name: string): Kind | undefined {
  return state.kinds.find((kind) => kind.name === name);
}

/** Number of subjects whose registration has been applied; `ids` may be ahead by what is still being logged. */
export function subjectCount(state: State): number {
  return state.places.count;
}

export function kindOf(state: State, subject: number): Kind {
  return state.kinds[state.places.kindOf(subject)]!;
}

/** While a log tail is replayed over restored rows: the subject is as it was after this batch or a later one. */
export function isAheadOfLog(state: State, subject: number): boolean {
  const row = state.places.rowOf(subject);
  return isFolded(kindOf(state, subject).table.chunkOf(row), row, state.position);
}
