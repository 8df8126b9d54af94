/** docs/scoring.md and docs/scoring-constants.md say what the engine does. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { METRICS, type MetricName } from "./event/metrics.ts";
import { COMPONENT_SOURCES, compilePolicy, utilityOf } from "./policy/compile.ts";
import { commonRate, ownRate } from "./guard/monitor-fault.ts";
import { tailBound } from "./num/tail.ts";
import { formatDuration } from "./policy/duration.ts";
import { COMPONENTS, type Policy } from "./policy/policy.ts";
import { parsePolicy } from "./policy/parse.ts";
import { STORAGE_PROVIDER } from "./policy/presets.ts";
import { PENALTY_TYPES, REWARD_TYPES, SEVERITIES } from "./policy/vocabulary.ts";
import { ALERT_POINTS, ALERT_TO_PENALTY, alertPenaltyType } from "./sanction/alert.ts";
import type { MisbehaviourReport } from "./sanction/misbehaviour.ts";
import { penaltyTerm } from "./sanction/sanction.ts";
import { suspensionMs } from "./sanction/suspension.ts";
import { ends, intervalEnds } from "./score/component.ts";
import { networkStanding } from "./read/network.ts";
import { workStanding } from "./read/work.ts";
import { healthOf, jobsOf } from "./testing/work.ts";
import { selectAmong, type SomeOfBid } from "./testing/bids.ts";
import { MONITOR_GRACE_MS, MONITOR_WINDOW_MS } from "./state/monitor-window.ts";
import {
  DAY_MS,
  HOUR_MS,
  Lab,
  metric,
  MINUTE_MS,
  penalty,
  report,
  policyWith,
  reward,
  T0,
  type Parts,
  type Sample,
} from "./testing/lab.ts";

const DOCS = new URL("../../../docs/", import.meta.url);

/** A lab in which one subject, number 0, has lived through the parts, each at its time. */
function after(policy: Policy, ...steps: readonly (readonly [atMs: number, parts: Parts])[]): Lab {
  const lab = new Lab(policy);
  lab.register("p");
  lab.apply(T0);
  for (const [at, parts] of steps) lab.apply(at, parts);
  return lab;
}

/** A worker after three jobs and a report. */
function worker(): Lab {
  const parsed = parsePolicy({ extends: "compute-worker" });
  if (parsed.type === "invalid") throw new Error("a preset is no policy");
  const job = { subject: 0, at: T0, expectedMs: 1000 };
  const jobs = jobsOf([
    { ...job, outcome: "success", durationMs: 1000, usedShare: 0.5 },
    { ...job, outcome: "success", durationMs: 2000, usedShare: 1 },
    { ...job, outcome: "failure" },
  ]);
  const parts = { memory_usage: 86.5, temperature: 70, cpu_usage: 85 };
  return after(parsed.policy, [T0, { jobs, health: healthOf([{ subject: 0, at: T0, parts }]) }]);
}

function utility(name: MetricName, value: number): number {
  return utilityOf(
    compilePolicy(STORAGE_PROVIDER).metrics.find(({ code }) => METRICS[code]!.name === name)!,
    value,
  );
}

function uptime(lab: Lab): number {
  return lab.component(0, "uptime").score;
}

function firstSample(value: number): number {
  return uptime(after(STORAGE_PROVIDER, [T0, { samples: [metric(0, "uptime", value, T0)] }]));
}

function weighted(): number {
  const samples = [
    metric(0, "data_integrity", 1, T0, { weight: 3 }),
    metric(0, "storage_reliability", 0, T0, { weight: 2 }),
  ];
  return after(policyWith({ priorWeight: 0 }), [T0, { samples }]).component(0, "reliability").score;
}

function halfLife(): number {
  const later = T0 + Math.round((Math.LN2 / 0.1) * DAY_MS);
  const policy = policyWith({ priorWeight: 0, maxGapMs: 30 * DAY_MS, blockMs: 5 * MINUTE_MS });
  const first = { samples: [metric(0, "uptime", 0, T0)] };
  return uptime(after(policy, [T0, first], [later, { samples: [metric(0, "uptime", 1, later)] }]));
}

function outage(probes: number): number {
  const good = [metric(0, "uptime", 1, T0), metric(0, "uptime", 1, T0 + HOUR_MS)];
  const bad = Array.from({ length: probes }, (_, probe) => metric(0, "uptime", 0, T0 + 2 * HOUR_MS + probe));
  return uptime(after(STORAGE_PROVIDER, [T0 + 3 * HOUR_MS, { samples: [...good, ...bad] }]));
}

/** Uptime after a window in which the third and the fourth of five probes failed, and so many more between them. */
function windowWith(more: number): number {
  const probe = (at: number, value: number): Sample => metric(0, "uptime", value, at, { monitor: "m" });
  const probes = [1, 1, 0, 0, 1].map((value, minute) => probe(T0 + minute * MINUTE_MS, value));
  const burst = Array.from({ length: more }, (_, place) => probe(T0 + 2 * MINUTE_MS + place * 500, 0));
  const over = T0 + MONITOR_WINDOW_MS + MONITOR_GRACE_MS;
  return uptime(after(STORAGE_PROVIDER, [over, { samples: [...probes, ...burst] }], [over + 1, {}]));
}

function laundering(maxGapMs: number): number {
  const bad = Array.from({ length: 60 }, (_, day): [number, Parts] => {
    const at = T0 + day * DAY_MS;
    return [at, { samples: [metric(0, "availability", 0, at)] }];
  });
  const goodAt = T0 + 119 * DAY_MS;
  return uptime(
    after(policyWith({ maxGapMs }), ...bad, [goodAt, { samples: [metric(0, "availability", 1, goodAt)] }]),
  );
}

/** Ten days without evidence, of which eight hours were announced. */
function maintainedLoss(): number {
  const [from, to] = [T0 + DAY_MS, T0 + DAY_MS + 8 * HOUR_MS];
  const announced = {
    type: "maintenance.announced",
    subject: 0,
    from,
    to,
    issuer: "key:a",
    reason: "away",
  } as const;
  const lab = after(
    STORAGE_PROVIDER,
    [T0, { samples: [metric(0, "uptime", 1, T0)] }],
    [T0, { acts: [announced] }],
  );
  return lab.score(0) - lab.score(0, T0 + 10 * DAY_MS);
}

function wilson(end: "lower" | "upper"): number {
  intervalEnds(0.8, 0, 10);
  return ends[end];
}

function recovery(): number {
  const best = (at: number): Sample[] =>
    METRICS.map(({ name, shape }) =>
      metric(0, name, shape === "bounded" ? 1 : shape === "time" ? 10 : 1e9, at),
    );
  const steps = Array.from({ length: 40 }, (_, day): [number, Parts] => [
    T0 + day * DAY_MS,
    { samples: best(T0 + day * DAY_MS) },
  ]);
  const at = T0 + 39 * DAY_MS;
  const lab = after(STORAGE_PROVIDER, ...steps, [
    at,
    { acts: [penalty(0, { penalty: "spam", points: 20, expiresAt: at })] },
  ]);
  return lab.explain(0, at + 1.5 * DAY_MS).components.at(-1)!.trust!.recovered;
}

function penaltyPoints(act: Parameters<typeof penalty>[1], laterMs = 0): number {
  return after(STORAGE_PROVIDER, [T0, { acts: [penalty(0, act)] }]).standing(0, T0 + laterMs).penalties[0]!
    .points;
}

function reportPoints(laterMs: number): number {
  const parsed = parsePolicy({ extends: "compute-worker" });
  if (parsed.type === "invalid") throw new Error("the preset is no policy");
  const lab = after(parsed.policy, [T0, { acts: [report(0)] }]);
  const [{ id: reportId }] = lab.state.sanctions.of(0)!.reports as [MisbehaviourReport];
  const confirmed = {
    type: "misbehaviour.confirmed",
    reportId,
    issuer: "key:judge",
    reason: "seen",
  } as const;
  lab.apply(T0, { acts: [confirmed] });
  return lab.standing(0, T0 + laterMs).penalties[0]!.points;
}

function rewardPoints(count: number, act: Parameters<typeof reward>[1]): number {
  const lab = after(STORAGE_PROVIDER, [T0, { acts: Array.from({ length: count }, () => reward(0, act)) }]);
  return lab.standing(0).rewards.reduce((sum, { points }) => sum + points, 0);
}

function alertPoints(mode: "mean" | "document", name: MetricName, value: number): number {
  const policy = policyWith({ alerts: { ...STORAGE_PROVIDER.alerts, mode } });
  const samples = [0, 1, 2].map((minute) => metric(0, name, value, T0 + minute * MINUTE_MS));
  return after(policy, [T0 + 2 * MINUTE_MS, { samples }]).standing(0).penalties[0]!.points;
}

/** Score at which a subject of few observations in `tier` moves in a direction. */
function moves(value: number, tier: string, direction: "above" | "below"): number {
  const tiers = { ...STORAGE_PROVIDER.tiers, mode: "score" as const };
  const policy = policyWith({ components: { performance: 1 }, priorWeight: 0, tiers });
  const samples = Array.from({ length: 10 }, (_, minute) =>
    metric(0, "service_quality", value, T0 + minute * MINUTE_MS),
  );
  const lab = after(policy, [T0 + 10 * MINUTE_MS, { samples }]);
  expect(lab.standing(0).tier).toBe(tier);
  return lab.explain(0).thresholds.find((threshold) => threshold.direction === direction)!.score;
}

function bidValue(bid: SomeOfBid): number {
  return selectAmong([bid]).value[0]!;
}

const EXAMPLES: Readonly<Record<string, () => number>> = {
  newcomer: () => after(STORAGE_PROVIDER).score(0),
  "reward-is-no-buffer": () =>
    after(policyWith({ initialScore: 99 }), [
      T0,
      { acts: [reward(0, { points: 10 }), penalty(0, { points: 3 })] },
    ]).score(0),
  second: () => utility("response_time", 1000),
  "three-seconds": () => utility("network_latency", 3000),
  megabytes: () => utility("throughput", 37.5e6),
  "first-good": () => firstSample(1),
  "first-bad": () => firstSample(0),
  weights: weighted,
  "half-life": halfLife,
  "outage-one-probe": () => outage(1),
  "outage-200-probes": () => outage(200),
  "window-mean": () => windowWith(0),
  "window-burst": () => windowWith(200),
  "monitor-common": () => commonRate(0, 160),
  "monitor-rate": () => ownRate(1, 4, commonRate(1, 160)),
  "monitor-tail": () => tailBound(5, 1, 0.05),
  "monitor-tail-chance": () => tailBound(40, 3 / 40, 0.01),
  laundering: () => laundering(STORAGE_PROVIDER.maxGapMs),
  "laundering-plain": () => laundering(1000 * DAY_MS),
  silence: () => {
    const lab = after(STORAGE_PROVIDER, [T0, { samples: [metric(0, "uptime", 1, T0)] }]);
    return lab.score(0) - lab.score(0, T0 + 10 * DAY_MS);
  },
  maintenance: maintainedLoss,
  "wilson-lower": () => wilson("lower"),
  "wilson-upper": () => wilson("upper"),
  "trust-newcomer": () => after(STORAGE_PROVIDER).component(0, "trust").score,
  "trust-first-day": () =>
    after(STORAGE_PROVIDER, [T0, { samples: [metric(0, "uptime", 1, T0)] }]).component(0, "trust").score,
  "trust-fraud": () =>
    after(STORAGE_PROVIDER, [T0, { acts: [penalty(0, { penalty: "fraud", points: 10 })] }]).component(
      0,
      "trust",
    ).score,
  "trust-recovery": recovery,
  penalty: () => penaltyPoints({ severity: "major", points: 20 }),
  "penalty-fraction": () => penaltyPoints({ penalty: "data_loss", points: null, fraction: 0.05 }),
  "penalty-fading": () => penaltyPoints({ points: 8, expiresAt: T0 + DAY_MS, fade: "linear" }, 18 * HOUR_MS),
  "penalty-by-policy": () => {
    const asked = { expiresAt: undefined, fade: undefined };
    const term = penaltyTerm(STORAGE_PROVIDER, "job_timeout", asked, T0);
    return penaltyPoints({ penalty: "job_timeout", points: null, fraction: 0.3, ...term }, 3.5 * DAY_MS);
  },
  misbehaviour: () => reportPoints(3.5 * DAY_MS),
  suspension: () => suspensionMs(STORAGE_PROVIDER.suspension, 4) / HOUR_MS,
  reward: () => rewardPoints(1, { points: 4 }),
  "reward-cap": () => rewardPoints(3, { points: 10 }),
  alert: () => alertPoints("mean", "uptime", 0.7),
  "alert-cap": () => alertPoints("mean", "data_integrity", 0),
  "alert-document": () => alertPoints("document", "uptime", 0),
  "alert-document-data-loss": () => alertPoints("document", "data_integrity", 0),
  "tier-up": () => moves(0.78, "silver", "above"),
  "tier-down": () => moves(0.9, "gold", "below"),
  "worker-success": () => worker().component(0, "success").score,
  "worker-reliability": () => worker().component(0, "reliability").score,
  "worker-efficiency": () => worker().component(0, "efficiency").score,
  "worker-consistency": () => worker().component(0, "consistency").score,
  "worker-score": () => worker().score(0),
  "worker-condition": () => workStanding(worker().state, 0, T0)!.condition,
  "worker-idle": () => worker().score(0, T0 + 30 * DAY_MS),
  "worker-health": () => workStanding(worker().state, 0, T0)!.health!.score,
  "network-health": () => networkStanding(worker().state.kinds[0]!)!.health!,
  value: () => bidValue({ reputation: 0.8, health: 0.6, condition: 50, inFlight: 5 }),
  "value-without-health": () => bidValue({ reputation: 0.8, condition: 80 }),
};

describe("docs/scoring.md", () => {
  const page = readFileSync(new URL("scoring.md", DOCS), "utf8");
  const printed = new Map(
    [...page.matchAll(/^- Example `([^`]+)`: .* = \*\*([0-9.]+)\*\*$/gmu)].map(([, name, value]) => [
      name!,
      value!,
    ]),
  );

  test("has the examples that are computed here, no more and no fewer", () => {
    expect([...printed.keys()]).toEqual(Object.keys(EXAMPLES));
    expect(page.match(/^- Example/gmu)).toHaveLength(printed.size);
  });

  test.each(Object.keys(EXAMPLES))("%s is what the engine gives", (name) => {
    const value = printed.get(name)!;
    const digits = value.split(".")[1]?.length ?? 0;
    expect(EXAMPLES[name]!().toFixed(digits)).toBe(value);
  });
});

describe("docs/scoring-constants.md", () => {
  test("lists the figures of the default policy; `vitest -u` writes it anew", async () => {
    const { pathname } = new URL("scoring-constants.md", DOCS);
    await expect(constantsPage(STORAGE_PROVIDER)).toMatchFileSnapshot(pathname);
  });
});

function constantsPage(policy: Policy): string {
  return [
    "# Figures of the default policy\n",
    "<!-- Generated from the preset `storage-provider`; a test compares it. -->\n",
    "Every figure can be changed in a policy. How they are used: [scoring.md](scoring.md).\n",
    "## Scale and time\n",
    table(["figure", "value"], figuresOf(policy)),
    "## Components\n",
    table(
      ["component", "weight", "metrics"],
      COMPONENTS.map((name) => [
        name,
        policy.components[name] ?? 0,
        COMPONENT_SOURCES[name].join(", ") || "the score's history",
      ]),
    ),
    "## Metrics\n",
    table(
      ["metric", "unit", "weight", "half utility at", "one observation", "alert threshold", "penalty"],
      metricRows(policy),
    ),
    "## Penalties\n",
    table(
      ["type", "weight", "trust lost per point", "without an end it lasts, fading"],
      PENALTY_TYPES.map((type) => {
        const durationMs = policy.penaltyDurationsMs[type];
        const length = durationMs === null ? "until revoked" : formatDuration(durationMs);
        const lasts = type === "ban" ? `${length}, not fading` : length;
        return [type, policy.penaltyWeights[type], policy.trustImpacts[type], lasts];
      }),
    ),
    table(
      ["severity", "multiplier"],
      SEVERITIES.map((severity, place) => [severity, policy.severityMultipliers[place]!]),
    ),
    "## Alerts\n",
    table(
      ["alert", "ratio to the threshold", "points", "severity of the penalty"],
      [
        ["low", "up to 1.2", ALERT_POINTS.low, ALERT_TO_PENALTY.low],
        ["medium", "up to 2", ALERT_POINTS.medium, ALERT_TO_PENALTY.medium],
        ["high", "up to 4", ALERT_POINTS.high, ALERT_TO_PENALTY.high],
        ["critical", "above, or a value of 0", ALERT_POINTS.critical, ALERT_TO_PENALTY.critical],
      ],
    ),
    "## Rewards\n",
    table(
      ["type", "multiplier"],
      REWARD_TYPES.map((type) => [type, policy.rewardMultipliers[type]]),
    ),
    "## Tiers\n",
    table(
      ["tier", "from score", "top share"],
      policy.tiers.names.map((name, place) => [
        name,
        policy.tiers.scoreCuts[place] ?? "",
        policy.tiers.percentileCuts[place] ?? "",
      ]),
    ),
  ].join("\n");
}

function figuresOf(policy: Policy): (readonly [string, string | number])[] {
  const { alerts, tiers } = policy;
  return [
    ["initial score", policy.initialScore],
    ["minimum, maximum", `${policy.minScore}, ${policy.maxScore}`],
    ["decay of evidence, and points lost in silence, a day", policy.decayRatePerDay],
    ["prior, observations", policy.priorWeight],
    ["most that counts of a gap between two pieces of evidence", formatDuration(policy.maxGapMs)],
    ["effective observations at most", policy.effectiveSizeMax],
    [
      "slot and block of correlated metrics",
      `${formatDuration(policy.slotMs)}, ${formatDuration(policy.blockMs)}`,
    ],
    ["window of other metrics", formatDuration(policy.windowMs)],
    ["everybody is evaluated again within", formatDuration(policy.updateIntervalMs)],
    ["history retention: trust's average, life of a reward", formatDuration(policy.historyRetentionMs)],
    ["trust recovers, points a day", policy.recoveryEnabled ? policy.recoveryRatePerDay : 0],
    ["trust recovers from a score of", policy.performanceThreshold],
    ["no tier-up below a trust of", policy.trustThreshold],
    ["low score is announced below", policy.lowThreshold],
    ["rewards add at most", policy.rewardPointsMax],
    ["alerts open after breaches, close after good samples", `${alerts.opensAfter}, ${alerts.closesAfter}`],
    ["penalty of an alert lasts", `${formatDuration(alerts.durationMs)}, fade ${alerts.fade}`],
    ["alerts take at most", alerts.pointsMax],
    ["alerts are one incident within", formatDuration(alerts.incidentMs)],
    [
      "tiers: mode, rated subjects needed, windows of evidence needed",
      `${tiers.mode}, ${tiers.ratedMin}, ${tiers.evidenceMin}`,
    ],
    [
      "aggregates: retention, interval, raw samples",
      `${formatDuration(policy.metricRetentionMs)}, ${formatDuration(policy.aggregateIntervalMs)}, ${policy.sampleSize}`,
    ],
  ];
}

function metricRows(policy: Policy): (readonly (string | number)[])[] {
  return METRICS.map(({ name, unit, shape, correlated }) => {
    const { weight, reference, alertThreshold } = policy.metrics[name];
    const half = shape === "bounded" ? "" : reference;
    const side = shape === "time" ? "above" : "below";
    const threshold = alertThreshold === null ? "" : `${side} ${alertThreshold}`;
    const observation = formatDuration(correlated ? policy.blockMs : policy.windowMs);
    return [name, unit, weight, half, observation, threshold, alertPenaltyType(name)];
  });
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
  return `${[head, head.map(() => "---"), ...rows].map(line).join("\n")}\n`;
}
