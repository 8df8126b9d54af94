/**
 * Whether a monitor failed in a window, or those it measured did (`scoring.md`, section 4). Reads only; what it finds
 * enters the log as an act, because it depends on many subjects.
 *
 * Operators are the trials: machines of one operator share racks and fail together. The share of a window in which an
 * operator was failing at a monitor has the operator's own failure rate as its expectation, whatever ties the probes
 * of that window together; so the mean over all operators is held against Hoeffding's bound. What only fails as a call
 * is no failure here: it moves no score.
 */
import type { MonitorFault, WindowVoided } from "../event/acts.ts";
import { SAMPLE_METRIC_MASK } from "../event/batch.ts";
import { METRIC_COUNT, METRICS } from "../event/metrics.ts";
import { tailBound } from "../num/tail.ts";
import { newReading, readEvidence } from "../score/evidence.ts";
import { MONITOR_WINDOW_MS, type MonitorWindow } from "../state/monitor-window.ts";
import { rowStart, SLOT_OFFSETS } from "../state/row-table.ts";
import { kindOf, type State } from "../state/state.ts";

/** The issuer of verdicts on monitors. */
const MONITOR_ISSUER = "rule:monitor-fault";
/** Fewer operators are a coincidence: one dead of three is dead. */
const OPERATORS_FAILING_MIN = 5;
/** A coincidence is likelier than this: the window counts. */
const TAIL_MAX = 1e-6;
/** An operator failed at a monitor when it was down there for this share of the window, half a minute. */
const FAILING_SHARE = 0.1;
/** Other monitors that saw this share of the failing operators failing bear the monitor out. */
const CONFIRMED_SHARE = 0.5;
/** Observations that an operator's own rate starts from, at the rate of all who were measured. */
const RATE_PRIOR = 10;
/** What a verdict names. */
const SUBJECTS_LISTED_MAX = 100;
const MONITORS_LISTED_MAX = 20;

/** What a monitor saw of an operator by one metric: sums over the operator's subjects. */
interface Seen {
  subjects: number;
  /** Shares of the window in which they were down. */
  down: number;
  /** What their own records let expect of that. */
  expected: number;
  /** Subjects that failed. */
  readonly failing: number[];
}

/** By operator: its name, or the number of a subject that has none. */
type Sight = ReadonlyMap<string | number, Seen>;

/** Acts that void the window of each monitor that failed in it, by its plainest metric; what is void is left out. */
export function monitorVerdicts(state: State, window: MonitorWindow): WindowVoided[] {
  const views = viewsOf(state, window);
  return window.monitors.flatMap((monitor, code) => {
    if (state.provisional.isVoid(monitor, window.index)) return [];
    const faults = METRICS.map((_, metric) => faultOf(window, views, code, metric));
    const [evidence] = faults.filter((fault) => fault !== null).toSorted((a, b) => a.tail - b.tail);
    return evidence === undefined ? [] : [verdict(monitor, window.index * MONITOR_WINDOW_MS, evidence)];
  });
}

function verdict(monitor: string, from: number, evidence: MonitorFault): WindowVoided {
  const { failing, operators } = evidence;
  const reason = `${failing} of ${operators} operators failed at once, and no other monitor bears it out`;
  const to = from + MONITOR_WINDOW_MS;
  return { type: "window.voided", monitor, from, to, evidence, issuer: MONITOR_ISSUER, reason };
}

function faultOf(window: MonitorWindow, views: Views, code: number, metric: number): MonitorFault | null {
  const view = views[placeOf(code, metric)];
  // Fewer subjects that failed belong to fewer operators still.
  if (view === undefined || view.failing < OPERATORS_FAILING_MIN) return null;
  const sight = view.sight();
  const failing = [...sight].filter(([, seen]) => isFailing(seen));
  if (failing.length < OPERATORS_FAILING_MIN) return null;
  const operators = sight.size;
  let observed = 0;
  let expected = 0;
  for (const seen of sight.values()) {
    observed += seen.down / seen.subjects / operators;
    expected += seen.expected / seen.subjects / operators;
  }
  const tail = tailBound(operators, observed, expected);
  if (tail >= TAIL_MAX) return null;
  const witnesses = witnessesOf(window, views, code, metric);
  const confirmed = failing.filter(([operator]) =>
    witnesses.some(({ sight: other }) => failsIn(other, operator)),
  );
  if (confirmed.length >= CONFIRMED_SHARE * failing.length) return null;
  const others = witnesses
    .map(({ monitor, sight: other }) => ({
      monitor,
      measured: failing.filter(([operator]) => other.has(operator)).length,
      failing: failing.filter(([operator]) => failsIn(other, operator)).length,
    }))
    .filter(({ measured }) => measured > 0);
  return {
    metric: METRICS[metric]!.name,
    operators,
    failing: failing.length,
    observed,
    expected,
    tail,
    subjects: failing.flatMap(([, seen]) => seen.failing).slice(0, SUBJECTS_LISTED_MAX),
    others: others.slice(0, MONITORS_LISTED_MAX),
  };
}

function isFailing({ down, subjects }: Seen): boolean {
  return down >= FAILING_SHARE * subjects;
}

function failsIn(sight: Sight, operator: string | number): boolean {
  const seen = sight.get(operator);
  return seen !== undefined && isFailing(seen);
}

/** The other monitors that measured by the same metric. */
function witnessesOf(
  window: MonitorWindow,
  views: Views,
  code: number,
  metric: number,
): { readonly monitor: string; readonly sight: Sight }[] {
  return window.monitors.flatMap((monitor, other) => {
    const view = views[placeOf(other, metric)];
    return other === code || view === undefined ? [] : [{ monitor, sight: view.sight() }];
  });
}

/** Subjects that a monitor measured by a metric. */
interface View {
  failing: number;
  readonly series: number[];
  /** By operator; made when it is first asked for. */
  readonly sight: () => Sight;
}

/** By {@link placeOf}. */
type Views = readonly (View | undefined)[];

function viewsOf(state: State, window: MonitorWindow): Views {
  const views: (View | undefined)[] = [];
  for (const [series, row] of window.newest.entries()) {
    const metric = window.kind(row) & SAMPLE_METRIC_MASK;
    const view = (views[placeOf(window.monitor(row), metric)] ??= newView(state, window, metric));
    view.series.push(series);
    if (1 - window.meanOf(series) >= FAILING_SHARE) view.failing += 1;
  }
  return views;
}

function newView(state: State, window: MonitorWindow, metric: number): View {
  const series: number[] = [];
  let sight: Sight | null = null;
  const look = (): Sight =>
    (sight ??= sightOf(
      state,
      series.map((one) => measurementOf(state, window, one, metric)),
    ));
  return { failing: 0, series, sight: look };
}

function placeOf(code: number, metric: number): number {
  return code * METRIC_COUNT + metric;
}

/** What a monitor saw of a subject by one metric, and the subject's own record of it. */
interface Measured {
  readonly subject: number;
  readonly down: number;
  /** Weight of the evidence, and the part of it that was failure. */
  readonly weight: number;
  readonly lost: number;
}

const reading = newReading();

function measurementOf(state: State, window: MonitorWindow, series: number, metric: number): Measured {
  const subject = window.subject(window.newest[series]!);
  const { table, compiled } = kindOf(state, subject);
  const row = state.places.rowOf(subject);
  readEvidence(table.chunkOf(row), rowStart(row) + SLOT_OFFSETS[metric]!, compiled.metrics[metric]!, reading);
  const lost = Math.max(0, reading.w - reading.wv);
  return { subject, down: 1 - window.meanOf(series), weight: reading.w, lost };
}

/** Rate of failure of all who were measured: where nobody ever failed it is low, where nothing is known yet one half. */
export function commonRate(failures: number, observations: number): number {
  return (failures + 0.5) / (observations + 1);
}

/** Rate of failure of one of them by its own record, which starts from the common rate. */
export function ownRate(failures: number, observations: number, common: number): number {
  return (failures + RATE_PRIOR * common) / (observations + RATE_PRIOR);
}

/** Puts subjects together by operator. */
function sightOf(state: State, records: readonly Measured[]): Sight {
  let weight = 0;
  let lost = 0;
  for (const record of records) {
    weight += record.weight;
    lost += record.lost;
  }
  const common = commonRate(lost, weight);
  const sight = new Map<string | number, Seen>();
  for (const record of records) {
    const operator = state.profiles.get(record.subject)?.operator ?? record.subject;
    const seen = sight.get(operator) ?? { subjects: 0, down: 0, expected: 0, failing: [] };
    seen.subjects += 1;
    seen.down += record.down;
    seen.expected += ownRate(record.lost, record.weight, common);
    if (record.down >= FAILING_SHARE) seen.failing.push(record.subject);
    sight.set(operator, seen);
  }
  return sight;
}
