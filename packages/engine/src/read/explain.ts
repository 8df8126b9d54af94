/**
 * Why the score is what it is: contributions that sum to it exactly, the evidence behind each, what would raise it
 * most, and how far the next threshold is.
 */
import { METRICS, type MetricName } from "../event/metrics.ts";
import type { CompiledPolicy, ComponentRule, Signal } from "../policy/compile.ts";
import type { ComponentName } from "../policy/policy.ts";
import { marginAt, cutsOf } from "../fold/tier.ts";
import { freshWindows } from "../sanction/suspension.ts";
import { newComponentSums, sumComponent } from "../score/component.ts";
import { averageScore, recoveredOf, trustOf } from "../score/trust.ts";
import { newWorkReading, readWork } from "../score/work-component.ts";
import { EVIDENCE_DAYS, IMPACT, rowStart, TIER, WINDOW_COUNT, type Chunk } from "../state/row-table.ts";
import { kindOf, type State } from "../state/state.ts";
import { standing, type ComponentStanding, type Standing } from "./standing.ts";

/** One addend of the score, in points. */
export interface Contribution {
  readonly source: "component" | "reward" | "penalty" | "limit";
  /** Component name, reward or penalty id, `limit`: what the ends of the scale cut off, or `rounding`: its last bits. */
  readonly name: string;
  readonly points: number;
}

/** What a metric says inside a component. */
export interface MetricEvidence {
  readonly metric: MetricName;
  /** Mean utility 0..1, and its share of the component's weight (the prior has the rest). */
  readonly mean: number;
  readonly share: number;
  /** Points of the score that come from it. */
  readonly points: number;
  /** Decayed number of observations. */
  readonly observations: number;
}

/** What jobs or health reports say inside a component. */
export interface SignalEvidence {
  readonly signal: Signal;
  /** Mean 0..1 of the trials alone with its interval, and their share of the component's weight. */
  readonly mean: number;
  readonly lower: number;
  readonly upper: number;
  readonly share: number;
  /** Points of the score that come from it. */
  readonly points: number;
  /** Decayed number of trials. */
  readonly trials: number;
}

export interface ComponentEvidence extends ComponentStanding {
  readonly metrics: readonly MetricEvidence[];
  readonly signals: readonly SignalEvidence[];
  /** What is left of the prior: its share of the weight, and the points of the score that come from it. */
  readonly prior: { readonly share: number; readonly points: number };
  /** Points of the score lost by silence. */
  readonly inactivityPoints: number;
  /** For trust: what it is made of. */
  readonly trust: TrustEvidence | null;
}

export interface TrustEvidence {
  readonly evidenceDays: number;
  readonly averageScore: number;
  readonly impact: number;
  readonly recovered: number;
}

/** Something that would raise the score, largest gain first. */
export interface Improvement {
  readonly action:
    | "improve_metric"
    | "report_metric"
    | "improve_jobs"
    | "penalty_ends"
    | "keep_serving"
    | "resume_reporting";
  readonly name: string;
  /** Points the score would gain at most. */
  readonly gain: number;
  /** When it happens by itself, ms since 1970; null when it is up to the subject. */
  readonly at: number | null;
}

export interface Threshold {
  readonly name: string;
  readonly direction: "above" | "below";
  /** Score at which it takes effect, margin included, and points from here to there. */
  readonly score: number;
  readonly distance: number;
  /** True where a threshold below is passed already. */
  readonly isPast: boolean;
  /** What holds a higher tier back whatever the score, and how much is missing: trust points, or windows of evidence. */
  readonly blockedBy: "trust" | "evidence" | null;
  readonly missing: number;
}

export interface Explanation {
  readonly standing: Standing;
  readonly contributions: readonly Contribution[];
  readonly components: readonly ComponentEvidence[];
  readonly improvements: readonly Improvement[];
  readonly thresholds: readonly Threshold[];
}

export function explain(state: State, subject: number, nowMs: number): Explanation {
  const now = standing(state, subject, nowMs);
  const components = now.components.map((component) => evidenceOf(state, subject, component, nowMs));
  return {
    standing: now,
    contributions: contributionsOf(now),
    components,
    improvements: improvementsOf(state, now, components),
    thresholds: thresholdsOf(state, now),
  };
}

/**
 * Addends in the order of the formula. Added from the first to the last they give the score to the last bit: the
 * limit takes what the ends of the scale cut off, and the rounding.
 */
function contributionsOf(now: Standing): Contribution[] {
  const list: Contribution[] = [];
  for (const { name, weight, score } of now.components)
    list.push({ source: "component", name, points: weight * score });
  for (const { reward, points } of now.rewards) list.push({ source: "reward", name: reward.id, points });
  for (const { penalty, points } of now.penalties)
    list.push({ source: "penalty", name: penalty.id, points: 0 - points });
  const sum = list.reduce((total, { points }) => total + points, 0);
  const limit = now.score - sum;
  list.push({ source: "limit", name: "limit", points: limit });
  // The sum is next to the score by now, so the difference of the two is exact.
  const rounding = now.score - (sum + limit);
  if (rounding !== 0) list.push({ source: "limit", name: "rounding", points: rounding });
  return list;
}

function evidenceOf(
  state: State,
  subject: number,
  component: ComponentStanding,
  nowMs: number,
): ComponentEvidence {
  const { compiled, table } = kindOf(state, subject);
  const rule = compiled.components.find((one) => one.name === component.name)!;
  const row = state.places.rowOf(subject);
  const chunk = table.chunkOf(row);
  const start = rowStart(row);
  if (rule.name === "trust") {
    const trust = {
      evidenceDays: chunk.u32[start * 2 + EVIDENCE_DAYS]!,
      averageScore: averageScore(chunk.f64, start, compiled.policy),
      impact: chunk.f64[start + IMPACT]!,
      recovered: recoveredOf(chunk, start, compiled.policy, nowMs),
    };
    return { ...component, metrics: [], signals: [], prior: NO_PRIOR, inactivityPoints: 0, trust };
  }
  // Where metrics and jobs both feed a component, each says half (`score.ts`).
  const hasSignals = rule.signals.length > 0 && chunk.work !== null;
  const part = rule.metrics.length > 0 && hasSignals ? 0.5 : 1;
  const scale = rule.weight * compiled.policy.maxScore * part;
  const ofMetrics =
    rule.metrics.length > 0 || !hasSignals ? metricEvidence(chunk, start, rule, compiled, scale) : NOTHING;
  const ofJobs = hasSignals ? signalEvidence(chunk, start, rule, compiled, nowMs, scale) : NOTHING;
  const prior = {
    share: part * (ofMetrics.prior.share + ofJobs.prior.share),
    points: ofMetrics.prior.points + ofJobs.prior.points,
  };
  const { metrics } = ofMetrics;
  const { signals } = ofJobs;
  const told = [...metrics, ...signals].reduce((sum, { points }) => sum + points, prior.points);
  const inactivityPoints = Math.max(0, told - rule.weight * component.score);
  return {
    ...component,
    metrics: metrics.map((one) => ({ ...one, share: part * one.share })),
    signals: signals.map((one) => ({ ...one, share: part * one.share })),
    prior,
    inactivityPoints: inactivityPoints < ROUNDING_POINTS ? 0 : inactivityPoints,
    trust: null,
  };
}

/** What one source says of a component: points of the score, shares of the source's own weight. */
interface SourceEvidence {
  readonly metrics: readonly MetricEvidence[];
  readonly signals: readonly SignalEvidence[];
  readonly prior: ComponentEvidence["prior"];
}

const NO_PRIOR = { share: 0, points: 0 };
const NOTHING: SourceEvidence = { metrics: [], signals: [], prior: NO_PRIOR };
/** Sums in another order differ by less. */
const ROUNDING_POINTS = 1e-12;

function metricEvidence(
  chunk: Chunk,
  start: number,
  rule: ComponentRule,
  compiled: CompiledPolicy,
  scale: number,
): SourceEvidence {
  const sums = newComponentSums();
  sumComponent(chunk, start, rule, compiled, sums);
  const total = sums.w + sums.prior;
  const metrics = rule.metrics.flatMap((metric, index): MetricEvidence[] => {
    const reading = sums.readings[index]!;
    if (reading.newestUnit === 0) return [];
    const weight = metric.weight * sums.left[index]! * reading.w;
    // Weights that are tiny or old come to zero, their squares long before themselves.
    const mean = reading.w === 0 ? 0 : reading.wv / reading.w;
    const share = total === 0 ? 0 : weight / total;
    const observations = reading.ww === 0 ? 0 : (reading.w * reading.w) / reading.ww;
    return [{ metric: METRICS[metric.code]!.name, mean, share, points: scale * share * mean, observations }];
  });
  const priorShare = total === 0 ? 1 : sums.prior / total;
  const prior = { share: priorShare, points: scale * priorShare * sums.priorUtility };
  return { metrics, signals: [], prior };
}

function signalEvidence(
  chunk: Chunk,
  start: number,
  rule: ComponentRule,
  compiled: CompiledPolicy,
  nowMs: number,
  scale: number,
): SourceEvidence {
  const reading = newWorkReading();
  readWork(chunk, start, rule, compiled, nowMs, reading);
  const prior = { share: 0, points: 0 };
  const signals = rule.signals.flatMap(({ signal }, place): SignalEvidence[] => {
    const one = reading.signals[place]!;
    const ofPrior = one.share * one.priorShare;
    prior.share += ofPrior;
    prior.points += scale * ofPrior * one.priorUtility;
    if (one.trials === 0) return [];
    const { evidenceMean: mean, lower, upper, trials } = one;
    const share = one.share * (1 - one.priorShare);
    return [{ signal, mean, lower, upper, share, points: scale * share * mean, trials }];
  });
  return { metrics: [], signals, prior };
}

function improvementsOf(
  state: State,
  now: Standing,
  components: readonly ComponentEvidence[],
): Improvement[] {
  const { compiled } = kindOf(state, now.subject);
  const { maxScore } = compiled.policy;
  const list: Improvement[] = [
    ...metricGains(compiled.components, components, maxScore),
    ...signalGains(components, maxScore),
  ];
  for (const { penalty, points } of now.penalties) {
    if (points > 0)
      list.push({ action: "penalty_ends", name: penalty.id, gain: points, at: penalty.expiresAt });
  }
  const trust = components.find(({ name }) => name === "trust");
  if (trust !== undefined) {
    const gain = trust.weight * (maxScore - trust.score);
    if (gain > 0) list.push({ action: "keep_serving", name: "trust", gain, at: null });
  }
  const silent = components.reduce((sum, { inactivityPoints }) => sum + inactivityPoints, 0);
  if (silent > 0) list.push({ action: "resume_reporting", name: "inactivity", gain: silent, at: null });
  return list.sort((a, b) => b.gain - a.gain);
}

/** What each signal of jobs and health would add if it were perfect, over all components it feeds. */
function signalGains(components: readonly ComponentEvidence[], maxScore: number): Improvement[] {
  return components.flatMap(({ weight, signals }) =>
    signals.flatMap(({ signal, share, mean }): Improvement[] => {
      const gain = weight * maxScore * share * (1 - mean);
      return gain > 0 ? [{ action: "improve_jobs", name: signal, gain, at: null }] : [];
    }),
  );
}

/** What each metric would add if it were perfect, over all components it feeds. */
function metricGains(
  rules: readonly ComponentRule[],
  components: readonly ComponentEvidence[],
  maxScore: number,
): Improvement[] {
  const gains = new Map<MetricName, { gain: number; reported: boolean }>();
  for (const component of components) {
    const rule = rules.find(({ name }: { name: ComponentName }) => name === component.name)!;
    for (const { code } of rule.metrics) {
      const metric = METRICS[code]!.name;
      const evidence = component.metrics.find((one) => one.metric === metric);
      const gain =
        evidence === undefined
          ? component.weight * (maxScore - component.score) * component.prior.share
          : component.weight * maxScore * evidence.share * (1 - evidence.mean);
      const before = gains.get(metric);
      gains.set(metric, {
        gain: (before?.gain ?? 0) + gain,
        reported: evidence !== undefined || (before?.reported ?? false),
      });
    }
  }
  return [...gains].flatMap(([name, { gain, reported }]): Improvement[] =>
    gain <= 0 ? [] : [{ action: reported ? "improve_metric" : "report_metric", name, gain, at: null }],
  );
}

/** The tier above and below with their margins, the low threshold, and where a suspension would follow. */
function thresholdsOf(state: State, now: Standing): Threshold[] {
  const kind = kindOf(state, now.subject);
  const row = state.places.rowOf(now.subject);
  const chunk = kind.table.chunkOf(row);
  const ints = rowStart(row) * 2;
  const tier = chunk.u32[ints + TIER]!;
  const cuts = cutsOf(kind);
  const { tiers, lowThreshold, suspension } = kind.compiled.policy;
  const half = (now.upper - now.lower) / 2;
  const list: Threshold[] = [];
  if (tier > 0) {
    const up = threshold(
      tiers.names[tier - 1]!,
      "above",
      cuts[tier - 1]! + marginAt(kind, tier - 1, half),
      now.score,
    );
    const windows = tiers.evidenceMin - chunk.u32[ints + WINDOW_COUNT]!;
    const trust =
      kind.compiled.policy.trustThreshold - trustOf(chunk, rowStart(row), kind.compiled.policy, now.asOf);
    if (windows > 0) list.push({ ...up, blockedBy: "evidence", missing: windows });
    else list.push(trust > 0 ? { ...up, blockedBy: "trust", missing: trust } : up);
  }
  if (tier < cuts.length) {
    list.push(
      threshold(tiers.names[tier + 1]!, "below", cuts[tier]! - marginAt(kind, tier, half), now.score),
    );
  }
  list.push(threshold("reputation_low", "below", lowThreshold, now.score));
  if (suspension.enabled) {
    const { suspensions } = state.sanctions.of(now.subject) ?? {};
    const evidence = suspension.evidenceMin - freshWindows(suspensions, chunk.u32[ints + WINDOW_COUNT]!);
    const down = threshold("suspension", "below", suspension.upperBelow - half, now.score);
    list.push(evidence > 0 ? { ...down, blockedBy: "evidence", missing: evidence } : down);
  }
  return list;
}

function threshold(name: string, direction: "above" | "below", score: number, from: number): Threshold {
  const distance = Math.max(0, direction === "above" ? score - from : from - score);
  return {
    name,
    direction,
    score,
    distance,
    isPast: direction === "below" && from < score,
    blockedBy: null,
    missing: 0,
  };
}
