import { diffPolicies, parsePolicy, PROBLEMS_MAX, STORAGE_PROVIDER, type Policy } from "@staunch/engine";
import { describe, expect, test } from "vitest";
import { explainConfig, loadConfig, type ConfigProblem, type ConfigSources } from "./load.ts";
import type { Config } from "./schema.ts";
import { SETTINGS, type Setting } from "./settings.ts";

const COMPUTE_WORKER = presetPolicy("compute-worker");

/** The configuration of the provider document, with its own words. */
const PROVIDER_YAML = `
reputation:
  initial_score: 75.0
  max_score: 100.0
  min_score: 0.0
  decay_rate: 0.1
  update_interval: 1m
  history_retention: 720h
  recovery_enabled: true
  recovery_rate: 0.5
  trust_threshold: 80.0
  performance_threshold: 85.0
  
  metric_weights:
    uptime: 1.0
    response_time: 0.8
    throughput: 0.9
    availability: 1.0
    data_integrity: 1.2
    network_latency: 0.7
    storage_reliability: 1.1
    service_quality: 0.9
    
  penalty_weights:
    downtime: 1.0
    slow_response: 0.5
    data_loss: 2.0
    unavailability: 1.5
    contract_breach: 3.0
    fraud: 5.0
    malicious_behavior: 4.0
    poor_performance: 0.8
    
  reward_weights:
    high_uptime: 1.2
    fast_response: 1.1
    data_integrity: 1.5
    long_term_service: 1.3
    exceptional_performance: 1.4
    community_contribution: 1.1

tracking:
  metric_retention: 24h
  aggregate_interval: 1h
  sample_size: 1000
  
  alert_thresholds:
    uptime: 0.95
    response_time: 1000
    availability: 0.98
    data_integrity: 0.999
    network_latency: 500
`;

/** The configuration of the worker document, with its own words. */
const WORKER_YAML = `
health_check_interval_secs: 60
reputation_decay_rate: 0.01
min_reputation_threshold: 0.3
max_reputation_score: 1.0
failure_penalty_multiplier: 0.9
success_bonus_multiplier: 1.05
timeout_penalty_severity: 0.8
malicious_penalty_severity: 0.5
enable_auto_ban: true
`;

describe("the configurations of the documents", () => {
  test("provider reputation loads unchanged, number for number", () => {
    const { provider: policy } = policiesOf({ file: file(PROVIDER_YAML) });
    expect(policy).toEqual(STORAGE_PROVIDER);
    expect(policy).toMatchObject({
      initialScore: 75,
      maxScore: 100,
      minScore: 0,
      decayRatePerDay: 0.1,
      updateIntervalMs: 60_000,
      historyRetentionMs: 2_592_000_000,
      recoveryEnabled: true,
      recoveryRatePerDay: 0.5,
      trustThreshold: 80,
      performanceThreshold: 85,
      metricRetentionMs: 86_400_000,
      aggregateIntervalMs: 3_600_000,
      sampleSize: 1000,
    });
    const metrics = Object.entries(policy.metrics).map(([name, { weight, alertThreshold }]) => [
      name,
      weight,
      alertThreshold,
    ]);
    expect(metrics).toEqual([
      ["uptime", 1, 0.95],
      ["response_time", 0.8, 1000],
      ["throughput", 0.9, null],
      ["availability", 1, 0.98],
      ["data_integrity", 1.2, 0.999],
      ["network_latency", 0.7, 500],
      ["storage_reliability", 1.1, null],
      ["service_quality", 0.9, null],
    ]);
    expect(policy.penaltyWeights).toMatchObject({
      downtime: 1,
      slow_response: 0.5,
      data_loss: 2,
      unavailability: 1.5,
      contract_breach: 3,
      fraud: 5,
      malicious_behavior: 4,
      poor_performance: 0.8,
    });
    expect(policy.rewardMultipliers).toEqual({
      high_uptime: 1.2,
      fast_response: 1.1,
      data_integrity: 1.5,
      long_term_service: 1.3,
      exceptional_performance: 1.4,
      community_contribution: 1.1,
    });
  });

  test("compute workers load unchanged and are the preset, number for number", () => {
    const { worker } = policiesOf({ file: file(WORKER_YAML) });
    expect(worker).toEqual(COMPUTE_WORKER);
    expect(worker).toMatchObject({
      name: "compute-worker",
      maxScore: 100,
      idleDecayPerDay: 0.01,
      health: { intervalMs: 60_000 },
      momentum: { failure: 0.9, success: 1.05 },
      probation: { upperBelow: 30 },
      timeouts: { penaltyFraction: 0.8 },
      misbehaviour: { penaltyFraction: 0.5, autoBan: true },
    });
  });

  test.each([
    ["health_check_interval_secs", 90, { health: { intervalMs: 90_000 } }],
    ["reputation_decay_rate", 0.05, { idleDecayPerDay: 0.05 }],
    ["min_reputation_threshold", 0.29, { probation: { upperBelow: 29 } }],
    ["max_reputation_score", 10, { maxScore: 1000, initialScore: 600 }],
    ["failure_penalty_multiplier", 0.8, { momentum: { failure: 0.8 } }],
    ["success_bonus_multiplier", 1.1, { momentum: { success: 1.1 } }],
    ["timeout_penalty_severity", 0.3, { timeouts: { penaltyFraction: 0.3 } }],
    ["malicious_penalty_severity", 0.9, { misbehaviour: { penaltyFraction: 0.9 } }],
    ["enable_auto_ban", false, { misbehaviour: { autoBan: false } }],
  ])("%s has an effect on workers and none on providers", (key, value, effect) => {
    const sources = { file: file(`${key}: ${value}`) };
    expect(policiesOf(sources).worker).toMatchObject(effect);
    expect(policiesOf(sources).provider).toEqual(STORAGE_PROVIDER);
    const result = loadConfig(sources);
    if (result.type !== "ok") throw new Error("refused");
    const explained = explainConfig(result.config, result.provenance).find(({ path }) => path === key);
    expect(explained).toMatchObject({ value, source: "file" });
  });

  test("a setting of workers that cannot be is refused under its own name", () => {
    const result = loadConfig({ file: file("failure_penalty_multiplier: 1.5") });
    expect(result).toMatchObject({
      type: "invalid",
      problems: [{ path: "failure_penalty_multiplier", code: "out_of_range", where: "staunch.yaml" }],
    });
  });

  test("provider analytics is refused as not available yet", () => {
    const yaml = `
performance_weights:
  completion_rate: 0.25
  efficiency: 0.20
  uptime: 0.20
  response_time: 0.15
  sla_compliance: 0.12
  error_rate: 0.08
ranking_tiers:
  platinum: 95.0
  gold: 85.0
  silver: 75.0
  bronze: 65.0
forecasting:
  horizon_hours: 24
  confidence_threshold: 0.7
  anomaly_detection_std_devs: 2.5
`;
    expectMissing({ file: file(yaml) }, "provider analytics", 3);
  });

  test("its variables: port and level count, the rest is not available yet", () => {
    const env = {
      GRPC_PORT: ":9091",
      ANALYTICS_INTERVAL: "5m",
      MIN_DATA_POINTS: "10",
      TREND_ANALYSIS_WINDOW: "168h",
      FORECAST_HORIZON: "24h",
      LOG_LEVEL: "INFO",
    };
    expectMissing({ env }, "provider analytics", 4);
    const config = loaded({ env: { GRPC_PORT: env.GRPC_PORT, LOG_LEVEL: "WARN" } });
    expect([config.server.grpcPort, config.log.level]).toEqual([9091, "warn"]);
    expect(loaded({ env: { LOG_LEVEL: env.LOG_LEVEL } }).log.level).toBe("info");
  });

  test("throttle thresholds and notification preferences are refused as not available yet", () => {
    const throttle = {
      cpu_thresholds: [50, 70, 85, 95],
      memory_thresholds: [60, 75, 85, 95],
      recovery_cooldown: "30s",
    };
    expectMissing({ file: file(JSON.stringify(throttle)) }, "adaptive rate limits", 3);
    const preferences = `{
  "enable_tier_notifications": true,
  "enable_violation_alerts": true,
  "enable_vip_notifications": true,
  "preferred_channels": ["in_app", "email"],
  "notify_on_violation": false,
  "notify_on_decay": false,
  "aggregate_daily": true
}`;
    expectMissing({ file: file(preferences) }, "notifications", 7);
  });

  test("their keys are refused in the environment as well", () => {
    expectMissing({ env: { STAUNCH_FORECASTING_HORIZON_HOURS: "24" } }, "provider analytics", 1);
    expectMissing({ env: { STAUNCH_NOTIFY_ON_DECAY: "true" } }, "notifications", 1);
  });
});

describe("the schema", () => {
  test("has the defaults of the design", () => {
    expect(loaded({})).toEqual({
      server: { host: "127.0.0.1", port: 8080, grpcPort: 9090, publicRequestsPerSecond: 20 },
      ingest: { bodyMaxBytes: 1_048_576, batchBodyMaxBytes: 4_194_304 },
      live: { connectionsMax: 1000, backlogMaxBytes: 1_048_576, framesPerSecond: 4 },
      storage: {
        directory: "./data",
        commitEventsMax: 16_384,
        snapshotIntervalMs: 300_000,
        sampleRetentionMs: 2_592_000_000,
        diskFreeMinBytes: 536_870_912,
      },
      log: { level: "info" },
      example: { load: true },
      policies: { provider: STORAGE_PROVIDER, worker: COMPUTE_WORKER },
    });
  });

  test("gives each setting a path, a variable and a flag of its own", () => {
    for (const names of [
      SETTINGS.map(({ path }) => path),
      SETTINGS.flatMap(({ variables }) => variables),
      SETTINGS.map(({ flag }) => flag),
    ]) {
      expect(new Set(names).size).toBe(names.length);
    }
    expect(SETTINGS.find(({ path }) => path === "storage.snapshot_interval")).toMatchObject({
      variables: ["STAUNCH_STORAGE_SNAPSHOT_INTERVAL"],
      flag: "storage-snapshot-interval",
      default: "5m",
    });
    expect(SETTINGS.find(({ path }) => path === "log.level")).toMatchObject({
      variables: ["STAUNCH_LOG_LEVEL", "LOG_LEVEL"],
      flag: "log-level",
    });
  });

  test.each(SETTINGS.map((setting) => [setting.path, setting] as const))(
    "%s has an effect from file, environment and flag",
    (path, setting) => {
      const text = otherValue(setting);
      const [standard, ...configs] = [
        {},
        { file: file(nested(path, text)) },
        { env: { [setting.variables[0]]: text } },
        { flags: { [setting.flag]: text } },
      ].map(loaded);
      expect(configs[0]).not.toEqual(standard);
      expect(configs[1]).toEqual(configs[0]);
      expect(configs[2]).toEqual(configs[0]);
    },
  );
});

describe("precedence", () => {
  const sources = {
    file: file("server: {port: 1, host: file}\nreputation: {initial_score: 71, decay_rate: 0.2}"),
    env: {
      STAUNCH_SERVER_PORT: "2",
      STAUNCH_REPUTATION_INITIAL_SCORE: "72",
      STAUNCH_STORAGE_DIRECTORY: "env",
    },
    flags: { port: "3", exampleLoad: false, "reputation-initial-score": 73 },
  };

  test("flags go over environment over file over defaults", () => {
    const config = loaded(sources);
    expect(config.server).toMatchObject({ host: "file", port: 3, grpcPort: 9090 });
    expect(config.storage.directory).toBe("env");
    expect(config.example.load).toBe(false);
    expect(config.policies.provider).toMatchObject({
      initialScore: 73,
      decayRatePerDay: 0.2,
      priorWeight: 10,
    });
    expect(loaded({ file: sources.file, env: sources.env }).server.port).toBe(2);
    expect(loaded({ file: sources.file, env: sources.env }).policies.provider.initialScore).toBe(72);
  });

  test("every value can say where it comes from", () => {
    const result = loadConfig(sources);
    if (result.type === "invalid") throw new Error(JSON.stringify(result.problems));
    const explained = explainConfig(result.config, result.provenance);
    expect(explained).toHaveLength(SETTINGS.length);
    const of = (path: string): unknown => explained.find((row) => row.path === path);
    expect(of("server.host")).toEqual({
      path: "server.host",
      value: "file",
      source: "file",
      name: "staunch.yaml",
    });
    expect(of("server.port")).toEqual({ path: "server.port", value: 3, source: "flag", name: "--port" });
    expect(of("storage.directory")).toMatchObject({ value: "env", name: "STAUNCH_STORAGE_DIRECTORY" });
    expect(of("storage.snapshot_interval")).toMatchObject({ value: "5m", source: "default", name: "" });
    expect(of("live.backlog_max")).toMatchObject({ value: "1MiB", source: "default" });
    expect(of("reputation.initial_score")).toMatchObject({ value: 73, name: "--reputation-initial-score" });
    expect(of("reputation.decay_rate")).toMatchObject({ value: 0.2, source: "file" });
    expect(of("reputation.history_retention")).toMatchObject({ value: "720h", source: "default" });
  });

  test("our own variable goes over the document's, and an empty one is not set", () => {
    expect(loaded({ env: { LOG_LEVEL: "warn", STAUNCH_LOG_LEVEL: "debug" } }).log.level).toBe("debug");
    expect(loaded({ env: { LOG_LEVEL: "warn", STAUNCH_LOG_LEVEL: "" } }).log.level).toBe("warn");
    expect(loaded({ env: { STAUNCH_SERVER_PORT: "", STAUNCH_NONSENSE: "" } }).server.port).toBe(8080);
  });

  test("other programs' variables and the command line's own are left alone", () => {
    expect(loaded({ env: { HOME: "/root", PORT: "1", STAUNCH_KEY: "k", STAUNCH_CONFIG: "c" } })).toEqual(
      loaded({}),
    );
  });

  test("maps and lists are written as YAML", () => {
    const env = {
      STAUNCH_REPUTATION_COMPONENTS: "{uptime: 0.5, trust: 0.5}",
      STAUNCH_REPUTATION_TIERS_SCORE_CUTS: "[90, 80, 70, 60]",
    };
    const { provider: policy } = policiesOf({ env });
    expect(diffPolicies(STORAGE_PROVIDER, policy).map(({ path }) => path)).toContain(
      "reputation.components.uptime",
    );
    expect(policy.components).toEqual({ uptime: 0.5, trust: 0.5 });
    expect(policy.tiers.scoreCuts).toEqual([90, 80, 70, 60]);
  });
});

describe("refusals name the place and the way out", () => {
  test.each([
    [{ file: file("server: {prot: 1}") }, "server.prot", "unknown_key", "staunch.yaml", "server.port"],
    [
      { file: file("reputation: {metric_weights: {uptme: 1}}") },
      "reputation.metric_weights.uptme",
      "unknown_key",
      "staunch.yaml",
      "metric_weights.uptime",
    ],
    [{ file: file("__proto__: {port: 1}") }, "__proto__", "forbidden_key", "staunch.yaml", "__proto__"],
    [
      { file: file("server: {constructor: 1}") },
      "server.constructor",
      "unknown_key",
      "staunch.yaml",
      "nearest",
    ],
    [{ file: file("- 1") }, "", "not_an_object", "staunch.yaml", "a list"],
    [{ file: file("a: [") }, "", "invalid_yaml", "staunch.yaml", "line 1"],
    [{ file: file("server: {port: 8080.5}") }, "server.port", "wrong_type", "staunch.yaml", "8080.5"],
    [{ file: file("server: {port: 65536}") }, "server.port", "out_of_range", "staunch.yaml", "65535"],
    [{ file: file("server: {port: .nan}") }, "server.port", "wrong_type", "staunch.yaml", "NaN"],
    [{ file: file("server: {port: eighty}") }, "server.port", "unknown_value", "staunch.yaml", '"eighty"'],
    [{ file: file("server: {port: null}") }, "server.port", "wrong_type", "staunch.yaml", "null"],
    [{ file: file("server: {host: ''}") }, "server.host", "unknown_value", "staunch.yaml", "host name"],
    [{ file: file("server: {port: 9090}") }, "server.grpc_port", "out_of_range", "configuration", "differ"],
    [
      { file: file("ingest: {batch_body_max: 1KiB}") },
      "ingest.batch_body_max",
      "out_of_range",
      "staunch.yaml",
      "smaller",
    ],
    [{ file: file("ingest: {body_max: 1MB}") }, "ingest.body_max", "unknown_value", "staunch.yaml", "a size"],
    [
      { file: file("storage: {snapshot_interval: 5 minutes}") },
      "storage.snapshot_interval",
      "unknown_value",
      "staunch.yaml",
      "a duration",
    ],
    [
      { file: file("storage: {snapshot_interval: 10ms}") },
      "storage.snapshot_interval",
      "out_of_range",
      "staunch.yaml",
      "from 1s",
    ],
    [
      { file: file("reputation: {decay_rate: .inf}") },
      "reputation.decay_rate",
      "out_of_range",
      "staunch.yaml",
      "Infinity",
    ],
    [
      { file: file("reputation: {components: {succes: 1}}") },
      "reputation.components.succes",
      "unknown_component",
      "staunch.yaml",
      "succes",
    ],
    [
      { env: { STAUNCH_SERVER_PROT: "1" } },
      "STAUNCH_SERVER_PROT",
      "unknown_key",
      "STAUNCH_SERVER_PROT",
      "STAUNCH_SERVER_PORT",
    ],
    [{ env: { STAUNCH_SERVER_PORT: "x" } }, "server.port", "unknown_value", "STAUNCH_SERVER_PORT", "a port"],
    [{ env: { LOG_LEVEL: "loud" } }, "log.level", "unknown_value", "LOG_LEVEL", "trace"],
    [
      { env: { STAUNCH_EXAMPLE_LOAD: "[" } },
      "example.load",
      "invalid_yaml",
      "STAUNCH_EXAMPLE_LOAD",
      "STAUNCH_EXAMPLE_LOAD",
    ],
    [
      { env: { STAUNCH_REPUTATION_DECAY_RATE: "-1" } },
      "reputation.decay_rate",
      "out_of_range",
      "STAUNCH_REPUTATION_DECAY_RATE",
      "from 0",
    ],
    [{ flags: { prot: "1" } }, "prot", "unknown_key", "--prot", "--port"],
    [
      { file: file("live: {frames_per_second: many}") },
      "live.frames_per_second",
      "wrong_type",
      "staunch.yaml",
      "many",
    ],
    [{ flags: { port: true } }, "server.port", "wrong_type", "--port", "true"],
  ] as [ConfigSources, string, ConfigProblem["code"], string, string][])(
    "%j",
    (sources, path, code, where, words) => {
      const problems = problemsOf(sources);
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatchObject({ path, code, where });
      expect(problems[0]!.message).toContain(words);
    },
  );

  test("all at once, from all sources, but not without end", () => {
    const sources = {
      file: file("server: {port: -1}\nreputation: {initial_score: x}"),
      env: { STAUNCH_LIVE_FRAMES_PER_SECOND: "0" },
      flags: { "log-level": "loud" },
    };
    const paths = problemsOf(sources).map(({ path }) => path);
    expect(paths).toEqual(["server.port", "live.frames_per_second", "log.level", "reputation.initial_score"]);
    const many = Array.from({ length: 5000 }, (_, index) => `k${index}: 1`).join("\n");
    expect(problemsOf({ file: file(many) })).toHaveLength(PROBLEMS_MAX);
  });
});

function file(text: string): { name: string; text: string } {
  return { name: "staunch.yaml", text };
}

function loaded(sources: ConfigSources): Config {
  const result = loadConfig(sources);
  if (result.type === "invalid") throw new Error(JSON.stringify(result.problems));
  return result.config;
}

function presetPolicy(preset: string): Policy {
  const parsed = parsePolicy({ extends: preset });
  if (parsed.type === "invalid") throw new Error("a preset is no policy");
  return parsed.policy;
}

function policiesOf(sources: ConfigSources): Config["policies"] {
  return loaded(sources).policies;
}

function problemsOf(sources: ConfigSources): readonly ConfigProblem[] {
  const result = loadConfig(sources);
  return result.type === "invalid" ? result.problems : [];
}

function expectMissing(sources: ConfigSources, capability: string, count: number): void {
  const problems = problemsOf(sources);
  expect(problems.map(({ code }) => code)).toEqual(Array.from({ length: count }, () => "not_available_yet"));
  for (const { message } of problems) expect(message).toContain(`belongs to ${capability}`);
}

function nested(path: string, text: string): string {
  return path
    .split(".")
    .map((key, depth) => `${"  ".repeat(depth)}${key}:`)
    .join("\n")
    .concat(` ${text}`);
}

/** Another valid value of a setting, as text. */
function otherValue({ path, default: standard, takes }: Setting): string {
  const special: { readonly [path: string]: string } = {
    "log.level": "warn",
    "reputation.components": "{uptime: 1}",
    "reputation.sources": "[uptime, network_latency]",
    "reputation.min_score": "1",
    "reputation.max_score": "120",
    "reputation.slot": "1m",
    "reputation.severity_multipliers.minor": "0.5",
    "reputation.tiers.mode": "score",
    "reputation.tiers.names": "[a, b, c, d, e]",
    "reputation.tiers.score_cuts": "[90, 80, 70, 60]",
    "reputation.tiers.percentile_cuts": "[0.1, 0.2, 0.5, 0.8]",
    "tracking.alerts.mode": "document",
    "tracking.alerts.fade": "none",
    "jobs.momentum.failure": "0.8",
    "jobs.momentum.floor": "0.5",
    "misbehaviour.confirm": "none",
    "health.parts": "{queue: {good: 10, bad: 100}}",
    "selection.policy": "greedy",
    "selection.weights": "{reputation: 1, health: 0, price: 0, time: 0}",
    "selection.relative": "cheapest",
  };
  if (special[path] !== undefined) return special[path];
  if (typeof standard === "boolean") return String(!standard);
  if (takes.startsWith("a duration")) return "12h";
  if (standard === null) return "0.5";
  if (takes.startsWith("a size")) return "2MiB";
  if (typeof standard !== "number") return "other";
  // Where values end at 1 another one lies below.
  const isShare = path.startsWith("tracking.alert_thresholds") || takes.endsWith("to 1");
  return String(isShare ? standard * 0.9 : standard + 1);
}
