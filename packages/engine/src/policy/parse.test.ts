import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { policyDocument, valueAt } from "./document.ts";
import { POLICY_FIELDS } from "./fields.ts";
import { flattenDocument, nestDocument } from "./flatten.ts";
import { listPresets, parsePolicy } from "./parse.ts";
import { COMPONENTS, SOURCES, type Policy } from "./policy.ts";
import { STORAGE_PROVIDER } from "./presets.ts";
import { PROBLEMS_MAX, type Problem } from "./problem.ts";

/** The configuration of the provider document, key for key. */
const PROVIDER_BLOCKS = {
  reputation: {
    initial_score: 75.0,
    max_score: 100.0,
    min_score: 0.0,
    decay_rate: 0.1,
    update_interval: "1m",
    history_retention: "720h",
    recovery_enabled: true,
    recovery_rate: 0.5,
    trust_threshold: 80.0,
    performance_threshold: 85.0,
    metric_weights: {
      uptime: 1.0,
      response_time: 0.8,
      throughput: 0.9,
      availability: 1.0,
      data_integrity: 1.2,
      network_latency: 0.7,
      storage_reliability: 1.1,
      service_quality: 0.9,
    },
    penalty_weights: {
      downtime: 1.0,
      slow_response: 0.5,
      data_loss: 2.0,
      unavailability: 1.5,
      contract_breach: 3.0,
      fraud: 5.0,
      malicious_behavior: 4.0,
      poor_performance: 0.8,
    },
    reward_weights: {
      high_uptime: 1.2,
      fast_response: 1.1,
      data_integrity: 1.5,
      long_term_service: 1.3,
      exceptional_performance: 1.4,
      community_contribution: 1.1,
    },
  },
  tracking: {
    metric_retention: "24h",
    aggregate_interval: "1h",
    sample_size: 1000,
    alert_thresholds: {
      uptime: 0.95,
      response_time: 1000,
      availability: 0.98,
      data_integrity: 0.999,
      network_latency: 500,
    },
  },
};

describe("the provider document", () => {
  test("its blocks are the preset", () => {
    expect(parsePolicy(PROVIDER_BLOCKS)).toEqual({ type: "ok", policy: STORAGE_PROVIDER });
  });

  test("every one of its keys arrives in the policy", () => {
    const paths = POLICY_FIELDS.map(({ path }) => path);
    const keys = [...flattenDocument(PROVIDER_BLOCKS, paths).values.keys()];
    expect(keys).toHaveLength(10 + 8 + 8 + 6 + 3 + 5);
    for (const path of keys) {
      const field = POLICY_FIELDS.find((candidate) => candidate.path === path)!;
      const before = valueAt(STORAGE_PROVIDER, field.at);
      const other =
        typeof before === "boolean" ? !before : typeof before === "number" ? nudged(path, before) : null;
      const policy = parsed(nestDocument([[path, other]]));
      expect(valueAt(policy, field.at), path).toBe(other);
    }
  });
});

/** Another valid value of a key of the provider document. */
function nudged(path: string, value: number): number {
  if (path === "tracking.metric_retention") return value * 2;
  if (path === "tracking.aggregate_interval") return value / 2;
  if (path === "reputation.max_score") return value + 20;
  if (path === "reputation.min_score") return 1;
  return path.includes("alert_thresholds") ? value * 0.9 : value + 1;
}

describe("documents", () => {
  test("every leaf of a policy has its key", () => {
    const unwritten = STORAGE_PROVIDER_LEAVES.filter(
      (leaf) => !POLICY_FIELDS.some(({ at }) => leaf === at.join(".") || leaf.startsWith(`${at.join(".")}.`)),
    );
    // A fraction is its own utility: a key for its reference would have no effect.
    const bounded = ["uptime", "availability", "data_integrity", "storage_reliability", "service_quality"];
    expect(unwritten).toEqual(bounded.map((name) => `metrics.${name}.reference`));
  });

  test("no two fields share a key or a place", () => {
    expect(new Set(POLICY_FIELDS.map(({ path }) => path)).size).toBe(POLICY_FIELDS.length);
    expect(new Set(POLICY_FIELDS.map(({ at }) => at.join("."))).size).toBe(POLICY_FIELDS.length);
  });

  test("a document inherits what it does not say", () => {
    expect(parsed({ name: "mine", reputation: { tiers: { mode: "score" } }, tracking: null })).toEqual({
      ...STORAGE_PROVIDER,
      name: "mine",
      tiers: { ...STORAGE_PROVIDER.tiers, mode: "score" },
    });
  });

  test("minus zero is zero, for the two would hash alike and differ", () => {
    expect(parsed({ reputation: { min_score: -0 } }).minScore).toBe(0);
  });

  test("named components are all components", () => {
    const components = { trust: 0.1, reliability: 0.2, uptime: 0.7 };
    expect(parsed({ reputation: { components } }).components).toEqual(components);
  });

  test("the preset is not touched by what is derived from it", () => {
    const before = JSON.stringify(STORAGE_PROVIDER);
    const policy = parsed({
      reputation: { metric_weights: { uptime: 3 }, tiers: { score_cuts: [90, 80, 70, 60] } },
    });
    expect(policy.metrics.uptime.weight).toBe(3);
    expect(JSON.stringify(STORAGE_PROVIDER)).toBe(before);
  });

  test("points scale with max_score where they are not written", () => {
    const policy = parsed({
      reputation: { max_score: 1000, trust_threshold: 700, tiers: { score_cuts: [4, 3, 2, 1] } },
    });
    expect(policy).toMatchObject({
      maxScore: 1000,
      initialScore: 750,
      minScore: 0,
      trustThreshold: 700,
      performanceThreshold: 850,
      lowThreshold: 600,
      recoveryRatePerDay: 5,
      rewardPointsMax: 200,
      decayRatePerDay: 0.1,
      severityMultipliers: [1, 2, 4, 8],
    });
    expect(policy.alerts.pointsMax).toBe(400);
    expect(policy.tiers.scoreCuts).toEqual([4, 3, 2, 1]);
    expect(parsed({ reputation: { max_score: 1000 } }).tiers.scoreCuts).toEqual([950, 850, 750, 650]);
  });
});

describe("sources", () => {
  test("leave out the components that nothing feeds and share their weights out", () => {
    expect(parsed({ reputation: { sources: ["uptime"] } }).components).toEqual({ uptime: 0.5, trust: 0.5 });
    const latency = parsed({ reputation: { sources: ["network_latency"] } }).components;
    expect(latency).toEqual({ response: 0.15 / 0.35, trust: 0.2 / 0.35 });
    // response_time feeds two components, and so both stay.
    const { components } = parsed({ reputation: { sources: ["response_time", "data_integrity"] } });
    expect(Object.keys(components)).toEqual(["reliability", "performance", "response", "trust"]);
  });

  test("change nothing when every component is fed", () => {
    const sources = ["data_integrity", "response_time", "availability"];
    expect(parsed({ reputation: { sources } })).toEqual({
      ...STORAGE_PROVIDER,
      sources: ["response_time", "availability", "data_integrity"],
    });
  });

  test("apply to the components that the document names", () => {
    const components = { reliability: 0.6, uptime: 0.3, response: 0.1 };
    const policy = parsed({ reputation: { sources: ["uptime", "network_latency"], components } });
    expect(policy.components.uptime).toBeCloseTo(0.75, 12);
    expect(policy.components).toEqual({ uptime: expect.any(Number), response: expect.any(Number) });
  });

  test("leave weights that sum to 1, and touch nothing else", () => {
    const metrics = fc.subarray([...SOURCES], { minLength: 1 });
    const weights = fc.record(
      Object.fromEntries(COMPONENTS.map((name) => [name, fc.integer({ min: 1, max: 1000 })])),
    );
    fc.assert(
      fc.property(metrics, weights, (sources, parts) => {
        const total = Object.values(parts).reduce((sum, part) => sum + part, 0);
        const components = Object.fromEntries(
          Object.entries(parts).map(([name, part]) => [name, part / total]),
        );
        const policy = parsed({ reputation: { sources, components } });
        const sum = Object.values(policy.components).reduce((all, weight) => all + weight, 0);
        expect(Math.abs(sum - 1)).toBeLessThan(1e-9);
        const { components: kept, ...rest } = policy;
        expect(Object.keys(kept).length).toBeGreaterThan(0);
        expect({ ...rest, components: STORAGE_PROVIDER.components }).toEqual({
          ...STORAGE_PROVIDER,
          sources,
        });
      }),
    );
  });
});

describe("refusals", () => {
  test.each([
    [
      { reputation: { initial_scor: 1 } },
      "reputation.initial_scor",
      "unknown_key",
      "reputation.initial_score",
    ],
    [{ initial_score: 70 }, "initial_score", "unknown_key", "reputation.initial_score"],
    [
      { "reputation.initial_score": 70 },
      "reputation.initial_score",
      "unknown_key",
      "reputation.initial_score",
    ],
    [
      { reputation: { metric_weights: { uptme: 1 } } },
      "reputation.metric_weights.uptme",
      "unknown_key",
      "metric_weights.uptime",
    ],
    [{ reputaton: {} }, "reputaton", "unknown_key", "reputation"],
    [{ reputation: { constructor: 1 } }, "reputation.constructor", "unknown_key", "nearest"],
    [
      { reputation: { metric_references: { uptime: 1 } } },
      "reputation.metric_references.uptime",
      "unknown_key",
      "nearest",
    ],
    [JSON.parse('{"__proto__":{"max_score":1}}'), "__proto__", "forbidden_key", "__proto__"],
    [
      JSON.parse('{"reputation":{"components":{"__proto__":1}}}'),
      "reputation.components.__proto__",
      "unknown_component",
      "__proto__",
    ],
    [null, "", "not_an_object", "null"],
    [[], "", "not_an_object", "a list"],
    [new Map(), "", "not_an_object", "a map"],
    [{ reputation: 5 }, "reputation", "not_an_object", "5"],
    [{ reputation: { initial_score: "75" } }, "reputation.initial_score", "wrong_type", '"75"'],
    [{ reputation: { initial_score: null } }, "reputation.initial_score", "wrong_type", "null"],
    [{ reputation: { initial_score: NaN } }, "reputation.initial_score", "out_of_range", "NaN"],
    [{ reputation: { decay_rate: -0.1 } }, "reputation.decay_rate", "out_of_range", "-0.1"],
    [{ reputation: { max_score: Infinity } }, "reputation.max_score", "out_of_range", "Infinity"],
    [
      { reputation: { recovery_enabled: "yes" } },
      "reputation.recovery_enabled",
      "wrong_type",
      "true or false",
    ],
    [
      { reputation: { metric_weights: { uptime: 0 } } },
      "reputation.metric_weights.uptime",
      "out_of_range",
      "above 0",
    ],
    [
      { reputation: { penalty_weights: { fraud: 0 } } },
      "reputation.penalty_weights.fraud",
      "out_of_range",
      "above 0",
    ],
    [{ reputation: { update_interval: "1 minute" } }, "reputation.update_interval", "unknown_value", "1m"],
    [{ reputation: { update_interval: "0s" } }, "reputation.update_interval", "out_of_range", "from 1s"],
    [{ reputation: { update_interval: true } }, "reputation.update_interval", "wrong_type", "true"],
    [{ reputation: { initial_score: 100 } }, "reputation.initial_score", "not_monotone", "max_score 100"],
    [{ reputation: { min_score: 75 } }, "reputation.initial_score", "not_monotone", "min_score 75"],
    [{ reputation: { trust_threshold: 101 } }, "reputation.trust_threshold", "out_of_range", "0 to 100"],
    [{ reputation: { block: "7m" } }, "reputation.block", "out_of_range", "slots"],
    [{ reputation: { max_gap: "20000h", slot: "1s" } }, "reputation.max_gap", "out_of_range", "1000000"],
    [{ tracking: { aggregate_interval: "7h" } }, "tracking.metric_retention", "out_of_range", "whole"],
    [{ tracking: { metric_retention: "30m" } }, "tracking.metric_retention", "out_of_range", "whole"],
    [{ tracking: { sample_size: 10.5 } }, "tracking.sample_size", "out_of_range", "whole number"],
    [
      { tracking: { alert_thresholds: { uptime: 95 } } },
      "tracking.alert_thresholds.uptime",
      "out_of_range",
      "up to 1",
    ],
    [{ tracking: { alerts: { mode: "median" } } }, "tracking.alerts.mode", "unknown_value", "mean, document"],
    [
      { reputation: { severity_multipliers: { major: 1 } } },
      "reputation.severity_multipliers",
      "not_monotone",
      "severity",
    ],
    [
      { reputation: { tiers: { score_cuts: [95, 85, 85, 65] } } },
      "reputation.tiers.score_cuts",
      "not_monotone",
      "falling",
    ],
    [
      { reputation: { tiers: { score_cuts: [95, 85] } } },
      "reputation.tiers.score_cuts",
      "wrong_length",
      "4 cuts",
    ],
    [
      { reputation: { tiers: { score_cuts: [120, 85, 75, 65] } } },
      "reputation.tiers.score_cuts",
      "out_of_range",
      "120",
    ],
    [
      { reputation: { tiers: { percentile_cuts: [0.2, 0.1, 0.5, 0.8] } } },
      "reputation.tiers.percentile_cuts",
      "not_monotone",
      "rising",
    ],
    [
      { reputation: { tiers: { percentile_cuts: [] } } },
      "reputation.tiers.percentile_cuts",
      "wrong_length",
      "has 0",
    ],
    [
      { reputation: { tiers: { percentile_cuts: [0.1, 0.2, 0.5, "x"] } } },
      "reputation.tiers.percentile_cuts",
      "out_of_range",
      "numbers",
    ],
    [
      { reputation: { tiers: { names: ["a", "a", "b", "c", "d"] } } },
      "reputation.tiers.names",
      "unknown_value",
      "different",
    ],
    [{ reputation: { tiers: { names: ["only"] } } }, "reputation.tiers.names", "wrong_length", "2 to 16"],
    [{ reputation: { tiers: { names: "gold" } } }, "reputation.tiers.names", "wrong_type", "list"],
    [{ reputation: { components: [] } }, "reputation.components", "wrong_type", "weights"],
    [{ reputation: { components: {} } }, "reputation.components", "weights_sum", "not 0"],
    [
      { reputation: { components: { trust: 0.5, uptime: 0.4 } } },
      "reputation.components",
      "weights_sum",
      "0.9",
    ],
    [
      { reputation: { components: { trust: 1, uptime: 0 } } },
      "reputation.components.uptime",
      "out_of_range",
      "above 0",
    ],
    [{ reputation: { sources: [] } }, "reputation.sources", "wrong_length", "at least one"],
    [
      { reputation: { sources: "uptime" } },
      "reputation.sources",
      "wrong_type",
      "a list of different sources",
    ],
    [{ reputation: { sources: [7] } }, "reputation.sources", "wrong_type", "not 7"],
    [{ reputation: { sources: null } }, "reputation.sources", "wrong_type", "null"],
    [
      { reputation: { sources: ["uptime", "uptme"] } },
      "reputation.sources",
      "unknown_metric",
      "nearest is uptime",
    ],
    [{ reputation: { sources: ["uptime", "uptime"] } }, "reputation.sources", "unknown_value", "different"],
    [
      { reputation: { sources: ["uptime"], components: { response: 0.5, trust: 0.5 } } },
      "reputation.sources",
      "no_component",
      "response, trust",
    ],
    [{ reputation: { surces: ["uptime"] } }, "reputation.surces", "unknown_key", "reputation.sources"],
    [{ name: "My Policy" }, "name", "unknown_value", "lower-case"],
    [{ name: 7 }, "name", "wrong_type", "7"],
    [{ extends: "storage-provder" }, "extends", "unknown_preset", "storage-provider"],
    [{ extends: {} }, "extends", "unknown_preset", "a map"],
    [{ extends: "api-client" }, "extends", "preset_unavailable", "conduct"],
  ] as [unknown, string, Problem["code"], string][])("%j", (document, path, code, words) => {
    const result = parsePolicy(document);
    const problems = result.type === "invalid" ? result.problems : [];
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ path, code });
    expect(problems[0]!.message).toContain(words);
  });

  test("weights that sum to 1 but for rounding are accepted", () => {
    const components = { reliability: 0.7, uptime: 0.1, trust: 0.1, response: 0.1 };
    expect(parsed({ reputation: { components } }).components).toEqual(components);
  });

  test("all mistakes are told at once, but not without end", () => {
    const two = parsePolicy({ reputation: { decay_rate: -1 }, tracking: { sample_size: 0 } });
    expect(two).toMatchObject({
      problems: [{ path: "reputation.decay_rate" }, { path: "tracking.sample_size" }],
    });
    const keys = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`key${index}`, index]));
    const many = parsePolicy({ reputation: keys });
    expect(many.type === "invalid" && many.problems).toHaveLength(PROBLEMS_MAX);
  });

  test("any JSON is answered, never thrown at", () => {
    const paths = fc.constantFrom(...POLICY_FIELDS.map(({ path }) => path));
    const one = fc.tuple(paths, fc.jsonValue()).map(([path, value]) => nestDocument([[path, value]]));
    fc.assert(
      fc.property(fc.oneof(one, fc.jsonValue()), (document) => {
        expect(["ok", "invalid"]).toContain(parsePolicy(document).type);
      }),
    );
  });
});

describe("presets", () => {
  test("all four are listed, and the one without its component says so", () => {
    const presets = listPresets();
    expect(presets.map(({ name, available }) => [name, available])).toEqual([
      ["storage-provider", true],
      ["compute-worker", true],
      ["marketplace-provider", true],
      ["api-client", false],
    ]);
    expect(presets[0]!.reason).toBeNull();
    expect(presets[3]!.reason).toContain('component "conduct" does not exist in this build');
    expect(presets[3]!.reason).toContain("reliability, performance, uptime, response, trust");
  });

  test.each(["compute-worker", "marketplace-provider", "api-client"])(
    "%s carries the weights of its document",
    (name) => {
      const preset = listPresets().find((candidate) => candidate.name === name)!;
      const { components } = preset.document["reputation"] as { components: { [name: string]: number } };
      const weights = {
        "compute-worker": [0.4, 0.25, 0.2, 0.15],
        "marketplace-provider": [0.25, 0.2, 0.2, 0.15, 0.12, 0.08],
        "api-client": [1],
      };
      expect(Object.values(components)).toEqual(weights[name as keyof typeof weights]);
    },
  );
});

const STORAGE_PROVIDER_LEAVES = leavesOf(policyAsTree(STORAGE_PROVIDER));

function policyAsTree(policy: Policy): unknown {
  return JSON.parse(JSON.stringify(policy));
}

function leavesOf(node: unknown, prefix = ""): string[] {
  if (typeof node !== "object" || node === null) return [prefix];
  return Object.entries(node).flatMap(([key, value]) =>
    leavesOf(value, prefix === "" ? key : `${prefix}.${key}`),
  );
}

function parsed(document: unknown): Policy {
  const result = parsePolicy(document);
  if (result.type === "invalid") throw new Error(JSON.stringify(result.problems));
  // What is printed reads back as the same policy, whichever it is.
  expect(parsePolicy(policyDocument(result.policy))).toEqual(result);
  return result.policy;
}
