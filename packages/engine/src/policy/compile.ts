/**
 * A policy made ready for the fold: names become codes, decay becomes a table, so that no exponential is taken
 * on the hot path.
 */
import { METRICS, type MetricCode, type MetricName, type MetricShape } from "../event/metrics.ts";
import { exp, log } from "../num/exp.ts";
import { orderedParts } from "./health-parts.ts";
import { COMPONENTS, type ComponentName, type HealthPartPolicy, type Policy, type Source } from "./policy.ts";

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

/** Running means of what jobs and health reports say. The order is part of the work row's layout. */
export const SIGNALS = [
  "success",
  "answered",
  "speed",
  "use",
  "ratio",
  "completed",
  "sla",
  "flawless",
  "punctual",
] as const;
export type Signal = (typeof SIGNALS)[number];

export interface SignalShare {
  readonly signal: Signal;
  /** Place in {@link SIGNALS}. */
  readonly place: number;
  /** Share of the component; what is never reported leaves its share to the others. */
  readonly share: number;
}

/** A part of a health report as the policy reads it. */
export interface HealthPartRule extends HealthPartPolicy {
  readonly name: string;
}

/** What the fold needs of one component. */
export interface ComponentRule {
  readonly name: ComponentName;
  /** Place in `COMPONENTS`. */
  readonly place: number;
  readonly weight: number;
  /** Metrics that feed it; empty for trust. All have the same unit, so that ages compare as whole numbers. */
  readonly metrics: readonly MetricRule[];
  /** What jobs and health reports add to it. */
  readonly signals: readonly SignalShare[];
}

export interface CompiledPolicy {
  readonly policy: Policy;
  readonly metrics: readonly MetricRule[];
  readonly components: readonly ComponentRule[];
  /** Utility that the prior stands for: initialScore / maxScore. */
  readonly priorUtility: number;
  /** Decay of evidence weight per millisecond. */
  readonly decayPerMs: number;
  /** Rate at which a silent subject nears the initial score, per millisecond; 0 where it loses points instead. */
  readonly idlePerMs: number;
  /** Whether jobs or health reports are evidence, so that rows have a part for them. */
  readonly hasWork: boolean;
  /** In the order of the work row's columns. */
  readonly healthParts: readonly HealthPartRule[];
  /** Place of the response time among them, or -1. */
  readonly responsePart: number;
}

/** What feeds which component (`scoring.md`, sections 3, 6 and 8). */
export const COMPONENT_SOURCES: { readonly [name in ComponentName]: readonly Source[] } = {
  reliability: ["data_integrity", "storage_reliability", "jobs", "health"],
  performance: ["throughput", "response_time", "service_quality"],
  uptime: ["uptime", "availability"],
  response: ["network_latency", "response_time"],
  trust: [],
  success: ["jobs"],
  efficiency: ["jobs"],
  consistency: ["jobs"],
  completion: ["jobs"],
  sla: ["jobs"],
  errors: ["jobs"],
};

/** What jobs and health reports say, each with its share of the component (`scoring.md`, section 6). */
export const COMPONENT_SIGNALS: {
  readonly [name in ComponentName]?: readonly Omit<SignalShare, "place">[];
} = {
  success: [{ signal: "success", share: 1 }],
  reliability: [
    { signal: "answered", share: 0.7 },
    { signal: "punctual", share: 0.3 },
  ],
  efficiency: [
    { signal: "speed", share: 0.5 },
    { signal: "use", share: 0.5 },
  ],
  consistency: [{ signal: "ratio", share: 1 }],
  completion: [{ signal: "completed", share: 1 }],
  sla: [{ signal: "sla", share: 1 }],
  errors: [{ signal: "flawless", share: 1 }],
};

/** All sources that the components of a policy read, in the order of `SOURCES`. */
export function sourcesRead(policy: Policy): Source[] {
  const components = COMPONENTS.filter((name) => policy.components[name] !== undefined);
  return policy.sources.filter((source) =>
    components.some((name) => COMPONENT_SOURCES[name].includes(source)),
  );
}

export function compilePolicy(policy: Policy): CompiledPolicy {
  const metrics = METRICS.map((_, code) => compileMetric(policy, code));
  const hasJobs = policy.sources.includes("jobs");
  const hasHealth = policy.sources.includes("health");
  const healthParts = orderedParts(policy.health.parts).map(([name, part]) => ({ name, ...part }));
  const components = COMPONENTS.filter((name) => policy.components[name] !== undefined).map((name) => ({
    name,
    place: COMPONENTS.indexOf(name),
    weight: policy.components[name]!,
    metrics: metrics.filter((metric) => isRead(policy, name, METRICS[metric.code]!.name)),
    signals: (COMPONENT_SIGNALS[name] ?? [])
      .filter(({ signal }) => (signal === "punctual" ? hasHealth : hasJobs))
      .map((one) => ({ ...one, place: SIGNALS.indexOf(one.signal) })),
  }));
  return {
    policy,
    metrics,
    components,
    priorUtility: policy.initialScore / policy.maxScore,
    decayPerMs: policy.decayRatePerDay / DAY_MS,
    idlePerMs: policy.idleDecayPerDay === null ? 0 : -log(1 - policy.idleDecayPerDay) / DAY_MS,
    hasWork: hasJobs || hasHealth,
    healthParts,
    responsePart: healthParts.findIndex(({ name }) => name === "response_time"),
  };
}

function isRead(policy: Policy, component: ComponentName, metric: MetricName): boolean {
  return COMPONENT_SOURCES[component].includes(metric) && policy.sources.includes(metric);
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
    if (COMPONENT_SOURCES[name].some((source) => source === metric)) bits |= 1 << place;
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
