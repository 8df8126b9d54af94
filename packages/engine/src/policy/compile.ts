/**
 * A policy made ready for the fold: names become codes, decay becomes a table, so that no exponential is taken
 * on the hot path.
 */
import {
  METRIC_NAMES,
  METRICS,
  type MetricCode,
  type MetricName,
  type MetricShape,
} from "../event/metrics.ts";
import { exp } from "../num/exp.ts";
import { COMPONENTS, type ComponentName, type Policy } from "./policy.ts";

export const DAY_MS = 86_400_000;

/** What the fold needs of one metric. */
export interface MetricRule {
  readonly code: MetricCode;
  readonly shape: MetricShape;
  readonly correlated: boolean;
  readonly weight: number;
  readonly reference: number;
  readonly alertThreshold: number | null;
  /** Length of a window: 5-minute slots for correlated metrics, 60 s for others. */
  readonly windowMs: number;
  readonly windowsPerBlock: number;
  /** Length of the unit that counts as one observation, and decays: the block, or the window. */
  readonly unitMs: number;
  /** `decay[k]` is the weight left after k units of time between two pieces of evidence; its last entry is `maxGap`. */
  readonly decay: Float64Array;
  /** Most that counts of a gap between two pieces of evidence. */
  readonly maxGapMs: number;
  readonly decayPerMs: number;
  /** Bit c is set when the metric feeds component c of `COMPONENTS`. */
  readonly componentBits: number;
}

/** What the fold needs of one component. */
export interface ComponentRule {
  readonly name: ComponentName;
  /** Place in `COMPONENTS`. */
  readonly place: number;
  readonly weight: number;
  /** Metrics that feed it; empty for trust. All have the same unit, so that ages compare as whole numbers. */
  readonly metrics: readonly MetricRule[];
}

export interface CompiledPolicy {
  readonly policy: Policy;
  readonly metrics: readonly MetricRule[];
  readonly components: readonly ComponentRule[];
  /** Utility that the prior stands for: initialScore / maxScore. */
  readonly priorUtility: number;
  /** Decay of evidence weight per millisecond. */
  readonly decayPerMs: number;
}

/** Which metrics feed which component (`scoring.md`, section 3). */
export const COMPONENT_METRICS: { readonly [name in ComponentName]: readonly string[] } = {
  reliability: ["data_integrity", "storage_reliability"],
  performance: ["throughput", "response_time", "service_quality"],
  uptime: ["uptime", "availability"],
  response: ["network_latency", "response_time"],
  trust: [],
};

/** All metrics that the components of a policy read, in the order of `METRICS`. */
export function metricsRead(policy: Policy): MetricName[] {
  const components = COMPONENTS.filter((name) => policy.components[name] !== undefined);
  return METRIC_NAMES.filter((metric) => components.some((name) => COMPONENT_METRICS[name].includes(metric)));
}

export function compilePolicy(policy: Policy): CompiledPolicy {
  const metrics = METRICS.map((_, code) => compileMetric(policy, code));
  const components = COMPONENTS.filter((name) => policy.components[name] !== undefined).map((name) => ({
    name,
    place: COMPONENTS.indexOf(name),
    weight: policy.components[name]!,
    metrics: metrics.filter((metric) => COMPONENT_METRICS[name].includes(METRICS[metric.code]!.name)),
  }));
  return {
    policy,
    metrics,
    components,
    priorUtility: policy.initialScore / policy.maxScore,
    decayPerMs: policy.decayRatePerDay / DAY_MS,
  };
}

function compileMetric(policy: Policy, code: MetricCode): MetricRule {
  const { name, shape, correlated } = METRICS[code]!;
  const { weight, reference, alertThreshold } = policy.metrics[name];
  const windowMs = correlated ? policy.slotMs : policy.windowMs;
  const unitMs = correlated ? policy.blockMs : policy.windowMs;
  // Window numbers are 32-bit, so a window of a second or more reaches past the year 2100.
  if (windowMs < 1000 || unitMs % windowMs !== 0)
    throw new RangeError(`policy ${policy.name}: window of ${windowMs} ms`);
  return {
    code,
    shape,
    correlated,
    weight,
    reference,
    alertThreshold,
    windowMs,
    windowsPerBlock: unitMs / windowMs,
    unitMs,
    decay: decayTable(policy.decayRatePerDay, unitMs, policy.maxGapMs),
    maxGapMs: policy.maxGapMs,
    decayPerMs: policy.decayRatePerDay / DAY_MS,
    componentBits: componentBits(name),
  };
}

function componentBits(metric: string): number {
  let bits = 0;
  for (const [place, name] of COMPONENTS.entries())
    if (COMPONENT_METRICS[name].includes(metric)) bits |= 1 << place;
  return bits;
}

function decayTable(ratePerDay: number, unitMs: number, maxGapMs: number): Float64Array {
  const table = new Float64Array(Math.ceil(maxGapMs / unitMs) + 1);
  for (let units = 0; units < table.length; units++) {
    table[units] = exp((-ratePerDay * Math.min(units * unitMs, maxGapMs)) / DAY_MS);
  }
  return table;
}

/** Weight left after `units` of time between two pieces of evidence. */
export function decayAfter(rule: MetricRule, units: number): number {
  const table = rule.decay;
  return table[units < table.length ? units : table.length - 1]!;
}

/** Utility 0..1 of a value in the metric's unit. */
export function utilityOf(rule: MetricRule, value: number): number {
  if (rule.shape === "bounded") return value;
  return rule.shape === "time" ? rule.reference / (rule.reference + value) : value / (value + rule.reference);
}
