import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { diffPolicies, policyDocument, policyHash } from "./document.ts";
import { POLICY_FIELDS, type FieldRule } from "./fields.ts";
import { nestDocument } from "./flatten.ts";
import { parsePolicy } from "./parse.ts";
import { SOURCES, type Policy } from "./policy.ts";
import { STORAGE_PROVIDER } from "./presets.ts";

describe("policyDocument", () => {
  test("writes the provider's policy as its document does", () => {
    expect(policyDocument(STORAGE_PROVIDER)).toMatchObject({
      name: "storage-provider",
      reputation: {
        components: { reliability: 0.25, performance: 0.2, uptime: 0.2, response: 0.15, trust: 0.2 },
        update_interval: "1m",
        history_retention: "720h",
        max_gap: "72h",
        block: "6h",
        severity_multipliers: { minor: 1, moderate: 2, major: 4, critical: 8 },
      },
      tracking: { metric_retention: "24h", aggregate_interval: "1h", alert_thresholds: { throughput: null } },
    });
  });

  test("reads back as the same policy", () => {
    fc.assert(
      fc.property(anyPolicy(), (policy) => {
        const text = JSON.stringify(policyDocument(policy));
        expect(parsePolicy(JSON.parse(text))).toEqual({ type: "ok", policy });
      }),
    );
  });
});

describe("policyHash", () => {
  test("is stable: what is in a log written yesterday still fits", () => {
    expect(policyHash(STORAGE_PROVIDER)).toBe(GOLDEN_HASH);
  });

  test("does not depend on the order in which keys were written", () => {
    const { response, ...rest } = STORAGE_PROVIDER.components;
    const reordered = { ...STORAGE_PROVIDER, components: { response: response!, ...rest } };
    expect(policyHash(reordered)).toBe(policyHash(STORAGE_PROVIDER));
  });

  test("differs exactly when the policies differ", () => {
    fc.assert(
      fc.property(anyPolicy(), anyPolicy(), (a, b) => {
        expect(policyHash(a) === policyHash(b)).toBe(diffPolicies(a, b).length === 0);
      }),
    );
  });
});

describe("diffPolicies", () => {
  test("names each changed key with its old and new value", () => {
    const after = {
      reputation: {
        components: { reliability: 0.5, performance: 0.3, uptime: 0.2 },
        history_retention: "24h",
        tiers: { percentile_cuts: [0.1, 0.2, 0.5, 0.8] },
      },
      tracking: { alert_thresholds: { throughput: 1e6 } },
    };
    expect(diffPolicies(STORAGE_PROVIDER, policyOf(after))).toEqual([
      { path: "reputation.components.reliability", before: 0.25, after: 0.5 },
      { path: "reputation.components.performance", before: 0.2, after: 0.3 },
      { path: "reputation.components.response", before: 0.15, after: null },
      { path: "reputation.components.trust", before: 0.2, after: null },
      { path: "reputation.history_retention", before: "720h", after: "24h" },
      {
        path: "reputation.tiers.percentile_cuts",
        before: [0.05, 0.2, 0.5, 0.8],
        after: [0.1, 0.2, 0.5, 0.8],
      },
      { path: "tracking.alert_thresholds.throughput", before: null, after: 1e6 },
    ]);
  });

  test("finds nothing between a policy and itself", () => {
    expect(diffPolicies(STORAGE_PROVIDER, STORAGE_PROVIDER)).toEqual([]);
  });
});

const GOLDEN_HASH = "0c34a1d3bceee5f6";

function policyOf(document: unknown): Policy {
  const result = parsePolicy(document);
  if (result.type === "invalid") throw new Error(JSON.stringify(result.problems));
  return result.policy;
}

/** Policies in which a few fields have other valid values. */
function anyPolicy(): fc.Arbitrary<Policy> {
  const free = POLICY_FIELDS.filter(
    ({ rule, path }) => rule.type !== "cuts" && path !== "reputation.tiers.names",
  );
  const values = free.map(({ path, rule }) => valueOf(rule).map((value) => [path, value] as const));
  return fc
    .subarray(values, { maxLength: 6 })
    .chain((chosen) => fc.tuple(...chosen))
    .map((entries) => parsePolicy(nestDocument(entries)))
    .filter((result) => result.type === "ok")
    .map(({ policy }) => policy);
}

function valueOf(rule: FieldRule): fc.Arbitrary<unknown> {
  switch (rule.type) {
    case "number": {
      const number = rule.integer
        ? fc.integer({ min: rule.min, max: Math.min(rule.max, 1e6) })
        : fc.double({ min: rule.min, max: rule.max, minExcluded: rule.above === true, noNaN: true });
      return rule.nullable ? fc.option(number) : number;
    }
    case "duration":
      return fc.integer({ min: 1, max: 720 }).map((hours) => `${hours}h`);
    case "boolean":
      return fc.boolean();
    case "choice":
      return fc.constantFrom(...rule.values);
    case "name":
      return fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/u);
    case "components":
      return fc.constantFrom(
        { uptime: 1 },
        { trust: 0.5, response: 0.5 },
        { reliability: 0.9, performance: 0.1 },
      );
    case "sources":
      return fc.constantFrom(["uptime", "jobs"], ["response_time", "data_integrity", "health"], [...SOURCES]);
    case "healthParts":
      return fc.constantFrom(
        { disk_usage: null },
        { queue: { good: 10, bad: 100 }, temperature: { good: 60, bad: 90, idle_only: true } },
      );
    case "weights":
      return fc.constantFrom({ reputation: 1, health: 0, price: 0, time: 0 });
    case "names":
    case "cuts":
      throw new Error("lists are varied by hand");
  }
}
