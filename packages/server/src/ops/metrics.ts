/** Measurements of the service for Prometheus: names, units and instruments. Nothing is kept per subject. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** What is measured of a network; null where nothing says it. */
interface NetworkFacts {
  readonly kind: string;
  readonly known: number;
  readonly rated: number;
  readonly active: number;
  readonly healthy: number;
  readonly suspended: number;
  readonly banned: number;
  readonly openSelections: number;
  readonly successRate: number | null;
  readonly averageScore: number | null;
  readonly averageResponseMs: number | null;
  readonly health: number | null;
  readonly parts: readonly { readonly name: string; readonly value: number | null }[];
}

/** What is read when somebody asks for the measurements. */
export interface MetricSources {
  readonly position: () => number;
  readonly events: () => number;
  readonly acts: () => number;
  readonly queuedEvents: () => number;
  readonly subjects: () => readonly {
    readonly kind: string;
    readonly count: number;
    readonly ranked: number;
  }[];
  /** Networks of kinds that run jobs. */
  readonly networks: () => readonly NetworkFacts[];
  readonly writable: () => boolean;
  /** Raw samples given up early or never kept, because their memory was spent. */
  readonly droppedSamples: () => number;
  readonly history: {
    /** Log positions that are not stored in the history yet. */
    readonly lag: () => number;
    /** True while the history cannot be stored. */
    readonly troubled: () => boolean;
  };
}

export class Metrics {
  readonly registry = new Registry();
  /** Batches applied, events in them, and score changes. */
  readonly batches: Counter;
  readonly scoreChanges: Counter;
  readonly appendSeconds: Histogram<"result">;
  readonly requestSeconds: Histogram<"method" | "route" | "status">;

  constructor() {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.batches = new Counter({ name: "staunch_batches_total", help: "Batches applied.", registers });
    this.scoreChanges = new Counter({
      name: "staunch_score_changes_total",
      help: "Scores changed.",
      registers,
    });
    this.appendSeconds = new Histogram({
      name: "staunch_log_append_seconds",
      help: "Time until an append was durable, by its result.",
      labelNames: ["result"],
      buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5],
      registers,
    });
    this.requestSeconds = new Histogram({
      name: "staunch_http_request_seconds",
      help: "Time from a request's headers to the end of its answer.",
      labelNames: ["method", "route", "status"],
      buckets: [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    });
  }

  /** Adds what is read from the service when somebody asks. */
  watch(sources: MetricSources): void {
    this.gauge("staunch_log_position", "Newest log position applied.", sources.position);
    this.counter("staunch_events_total", "Samples and acts folded since the log began.", sources.events);
    this.counter("staunch_acts_total", "Acts folded since the log began.", sources.acts);
    this.gauge("staunch_queued_events", "Events that wait for the log.", sources.queuedEvents);
    this.gauge("staunch_writable", "1 while writes are taken, 0 while the storage refuses.", () =>
      Number(sources.writable()),
    );
    this.counter(
      "staunch_raw_samples_dropped_total",
      "Raw samples given up before the retention ends, or never kept, because their memory was spent.",
      sources.droppedSamples,
    );
    const { history } = sources;
    this.gauge("staunch_history_lag", "Log positions that the history has not stored yet.", history.lag);
    this.gauge("staunch_history_trouble", "1 while the history cannot be stored, else 0.", () =>
      Number(history.troubled()),
    );
    const byKind = (name: string, help: string, read: "count" | "ranked"): void => {
      const gauge: Gauge<"kind"> = new Gauge({
        name,
        help,
        labelNames: ["kind"],
        registers: [this.registry],
        collect: () => {
          for (const one of sources.subjects()) gauge.set({ kind: one.kind }, one[read]);
        },
      });
    };
    byKind("staunch_subjects", "Subjects registered.", "count");
    byKind("staunch_ranked_subjects", "Subjects that are ranked.", "ranked");
    this.watchNetworks(sources.networks);
  }

  /** What is not known of a network has no value, rather than a zero that would look like an answer. */
  private watchNetworks(networks: MetricSources["networks"]): void {
    const gauge = (name: string, help: string, read: (network: NetworkFacts) => number | null): void => {
      const instrument: Gauge<"kind"> = new Gauge({
        name: `staunch_network_${name}`,
        help,
        labelNames: ["kind"],
        registers: [this.registry],
        collect: () => {
          instrument.reset();
          for (const network of networks()) {
            const value = read(network);
            if (value !== null) instrument.set({ kind: network.kind }, value);
          }
        },
      });
    };
    gauge("known", "Workers that are registered.", ({ known }) => known);
    gauge("rated", "Workers heard at some time.", ({ rated }) => rated);
    gauge("active", "Workers heard within three health intervals.", ({ active }) => active);
    gauge("healthy", "Of the active, neither ill nor shut out.", ({ healthy }) => healthy);
    gauge("suspended", "Workers that are suspended.", ({ suspended }) => suspended);
    gauge("banned", "Workers that are banned.", ({ banned }) => banned);
    gauge("open_selections", "Jobs given out without an outcome.", ({ openSelections }) => openSelections);
    gauge("success_ratio", "Decayed share of good jobs, 0 to 1.", ({ successRate }) => successRate);
    gauge("average_score", "Mean score of the active.", ({ averageScore }) => averageScore);
    gauge("response_ms", "Response time of the active.", ({ averageResponseMs }) => averageResponseMs);
    gauge("health", "Health of the network, 0 to 100.", ({ health }) => health);
    const part: Gauge<"kind" | "part"> = new Gauge({
      name: "staunch_network_part",
      help: "Parts of the health of the network, 0 to 1.",
      labelNames: ["kind", "part"],
      registers: [this.registry],
      collect: () => {
        part.reset();
        for (const { kind, parts } of networks())
          for (const { name, value } of parts) if (value !== null) part.set({ kind, part: name }, value);
      },
    });
  }

  /** A count that is kept elsewhere. */
  private counter(name: string, help: string, read: () => number): void {
    const counter: Counter = new Counter({
      name,
      help,
      registers: [this.registry],
      collect: () => {
        counter.reset();
        counter.inc(read());
      },
    });
  }

  private gauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [this.registry],
      collect: () => gauge.set(read()),
    });
  }
}
