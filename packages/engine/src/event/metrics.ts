/**
 * The eight performance metrics of provider reputation and how each is read.
 *
 * A metric's *code* is its place in this table; it is what the log stores, so the order never changes and new
 * metrics are added at the end.
 */

/** How a raw value becomes a utility in 0..1 (`scoring.md`, section 2). */
export type MetricShape =
  /** Already a fraction 0..1; the utility is the value. */
  | "bounded"
  /** Milliseconds, lower is better; utility = reference / (reference + value). */
  | "time"
  /** Bytes per second, higher is better; utility = value / (value + reference). */
  | "rate";

/** One metric: its name in the API, its unit and the range a valid sample lies in (both ends included). */
export interface MetricSpec {
  readonly name: string;
  readonly shape: MetricShape;
  readonly unit: "fraction" | "ms" | "bytes/s";
  readonly min: number;
  readonly max: number;
  /**
   * True where several probes of one outage must count once: the samples are averaged over 5-minute slots and
   * the slots over a block (6 h by default), and the block is one observation.
   */
  readonly correlated: boolean;
}

/** A day in milliseconds bounds a time sample: whatever took longer is an outage, not a latency. */
const TIME_MAX_MS = 86_400_000;
/** One terabyte a second bounds a throughput sample. */
const THROUGHPUT_MAX = 1e12;

export const METRICS = [
  { name: "uptime", shape: "bounded", unit: "fraction", min: 0, max: 1, correlated: true },
  { name: "response_time", shape: "time", unit: "ms", min: 0, max: TIME_MAX_MS, correlated: false },
  { name: "throughput", shape: "rate", unit: "bytes/s", min: 0, max: THROUGHPUT_MAX, correlated: false },
  { name: "availability", shape: "bounded", unit: "fraction", min: 0, max: 1, correlated: true },
  { name: "data_integrity", shape: "bounded", unit: "fraction", min: 0, max: 1, correlated: true },
  { name: "network_latency", shape: "time", unit: "ms", min: 0, max: TIME_MAX_MS, correlated: false },
  { name: "storage_reliability", shape: "bounded", unit: "fraction", min: 0, max: 1, correlated: true },
  { name: "service_quality", shape: "bounded", unit: "fraction", min: 0, max: 1, correlated: false },
] as const satisfies readonly MetricSpec[];

export type MetricName = (typeof METRICS)[number]["name"];
/** 0..7, the place of the metric in {@link METRICS}. */
export type MetricCode = number;

export const METRIC_COUNT = METRICS.length;
export const METRIC_NAMES: readonly MetricName[] = METRICS.map((metric) => metric.name);

const codeByName = new Map<string, MetricCode>(METRICS.map((metric, code) => [metric.name, code]));

/** The code of a metric name, or -1 when there is no such metric. */
export function metricCode(name: string): MetricCode | -1 {
  return codeByName.get(name) ?? -1;
}
