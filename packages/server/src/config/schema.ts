/**
 * The one schema of the configuration. Names, defaults, ranges, environment variables, flags, the reference page
 * and the lock file of defaults all come from here (and, for `reputation` and `tracking`, from the engine's table
 * of policy fields).
 *
 * A field is named as the code wants it, with its unit. Its key in `staunch.yaml` is the same in snake case and
 * without the unit, which stands in the value there: `snapshotIntervalMs` is `snapshot_interval: 5m`.
 */
import { formatDuration, parseDuration, type Policy } from "@staunch/engine";
import { z } from "zod";
import { formatSize, parseSize } from "./sizes.ts";

/** How the text of an environment variable or flag becomes a value, and how a value is printed. */
export type Form = "text" | "port" | "number" | "switch" | "size" | "duration";

/** What the schema knows of a setting beside its type. */
export interface About {
  readonly form: Form;
  /** What may be written, in words: for messages and for the reference page. */
  readonly takes: string;
  readonly description: string;
  /** A shorter flag than the one made from the path. */
  readonly flag?: string;
  /** A variable that is read too, without our prefix, when ours is not set. */
  readonly variable?: string;
}

export const about = z.registry<About>();

const KIB = 1 << 10;
const MIB = 1 << 20;
const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

export const configSchema = z
  .strictObject({
    server: group({
      host: text(/^[\w.:-]{1,253}$/u, "127.0.0.1", "a host name or address", {
        description: "Address the service listens on; `0.0.0.0` for all interfaces.",
        flag: "host",
      }),
      port: port(8080, { description: "Port of the REST interface; 0 takes a free one.", flag: "port" }),
      grpcPort: port(9090, {
        description:
          "Port kept for gRPC, which arrives with provider analytics; until then it is only checked to differ from `server.port`.",
        variable: "GRPC_PORT",
      }),
      publicRequestsPerSecond: count(1, 1_000_000, 20, {
        description: "Requests a second that one address may make without a key.",
      }),
    }),
    ingest: group({
      bodyMaxBytes: size(KIB, 64 * MIB, MIB, { description: "Largest body of a request with one item." }),
      batchBodyMaxBytes: size(KIB, 64 * MIB, 4 * MIB, {
        description: "Largest body of a request with a batch of events.",
      }),
    }),
    live: group({
      connectionsMax: count(0, 100_000, 1000, { description: "Live subscriptions at one time." }),
      backlogMaxBytes: size(KIB, 64 * MIB, MIB, {
        description: "Unsent bytes at which a subscriber loses frames and is told of the gap.",
      }),
      framesPerSecond: count(1, 100, 4, { description: "Most frames a second that a subscriber gets." }),
    }),
    storage: group({
      directory: text(/^[^\0]{1,4096}$/u, "./data", "a path", {
        description: "Directory of the log, the snapshots and the database.",
        flag: "data",
      }),
      commitEventsMax: count(1, 1_000_000, 16_384, {
        description: "Most events that are made durable together.",
      }),
      snapshotIntervalMs: duration(1000, 86_400_000, 300_000, {
        description: "Time between two snapshots of the state.",
      }),
      sampleRetentionMs: duration(1000, 10 * 365 * 86_400_000, 30 * 86_400_000, {
        description:
          "How long samples stay in the log for replay and backtest; they are dropped only behind a verified snapshot.",
      }),
      diskFreeMinBytes: size(0, 1024 * 1024 * MIB, 512 * MIB, {
        description: "Writes are refused while the disk has less than this left.",
      }),
    }),
    log: group({ level: level() }),
    example: group({
      load: toggle(true, {
        description: "Whether an empty data directory is filled with the example records.",
      }),
    }),
  })
  .superRefine((config, context) => {
    const { server, ingest } = config;
    if (server.port !== 0 && server.port === server.grpcPort) {
      const message = "server.grpc_port must differ from server.port";
      context.addIssue({ code: "custom", path: ["server", "grpcPort"], message });
    }
    if (ingest.batchBodyMaxBytes < ingest.bodyMaxBytes) {
      const message = "ingest.batch_body_max must not be smaller than ingest.body_max";
      context.addIssue({ code: "custom", path: ["ingest", "batchBodyMaxBytes"], message });
    }
  });

/** The whole configuration, every field present, durations in milliseconds and sizes in bytes. */
export interface Config extends z.output<typeof configSchema> {
  /** Policies by kind: of providers from `reputation`, `tracking` and what stands beside them, and of workers. */
  readonly policies: { readonly provider: Policy; readonly worker: Policy };
}

/** A value as it is written in `staunch.yaml`. */
export function printValue(form: Form, value: unknown): string | number | boolean {
  if (form === "size") return formatSize(value as number);
  if (form === "duration") return formatDuration(value as number);
  return value as string | number | boolean;
}

/** What a helper is told about a setting; the rest follows from its kind. */
type Words = Omit<About, "form" | "takes">;

function group<Shape extends z.ZodRawShape>(shape: Shape) {
  const schema = z.strictObject(shape);
  // Every setting has a default, so an absent group is an empty one.
  return schema.prefault({} as z.input<typeof schema>);
}

function text(pattern: RegExp, standard: string, takes: string, words: Words) {
  return z
    .string()
    .regex(pattern)
    .default(standard)
    .register(about, { form: "text", takes, ...words });
}

function port(standard: number, words: Words) {
  return z
    .preprocess(readPort, z.int().min(0).max(65_535))
    .default(standard)
    .register(about, { form: "port", takes: "a port from 0 to 65535, also as :8080", ...words });
}

function count(min: number, max: number, standard: number, words: Words) {
  const takes = `a whole number from ${min} to ${max}`;
  return z
    .int()
    .min(min)
    .max(max)
    .default(standard)
    .register(about, { form: "number", takes, ...words });
}

function size(min: number, max: number, standard: number, words: Words) {
  const takes = `a size from ${formatSize(min)} to ${formatSize(max)}`;
  return z
    .preprocess(readSize, z.int().min(min).max(max))
    .default(standard)
    .register(about, { form: "size", takes, ...words });
}

function duration(min: number, max: number, standard: number, words: Words) {
  const takes = `a duration from ${formatDuration(min)} to ${formatDuration(max)}`;
  return z
    .preprocess(readDuration, z.int().min(min).max(max))
    .default(standard)
    .register(about, { form: "duration", takes, ...words });
}

function toggle(standard: boolean, words: Words) {
  return z
    .boolean()
    .default(standard)
    .register(about, { form: "switch", takes: "true or false", ...words });
}

function level() {
  return z
    .preprocess((raw) => (typeof raw === "string" ? raw.toLowerCase() : raw), z.enum(LOG_LEVELS))
    .default("info")
    .register(about, {
      form: "text",
      takes: `one of ${LOG_LEVELS.join(", ")}, in any case`,
      description: "Least level of what the service writes about itself.",
      variable: "LOG_LEVEL",
    });
}

// The readers below pass on what they cannot read; the schema behind them refuses it.

function readPort(raw: unknown): unknown {
  return typeof raw === "string" && /^:?\d{1,5}$/u.test(raw) ? Number(raw.replace(":", "")) : raw;
}

function readSize(raw: unknown): unknown {
  return typeof raw === "string" ? (parseSize(raw) ?? raw) : raw;
}

function readDuration(raw: unknown): unknown {
  if (typeof raw !== "string") return raw;
  const parsed = parseDuration(raw);
  return parsed.type === "ok" ? parsed.ms : raw;
}
