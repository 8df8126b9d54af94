import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  apply,
  createState,
  diffPolicies,
  EMPTY_ENTRY,
  kindNamed,
  parsePolicy,
  type Policy,
  STORAGE_PROVIDER,
} from "@staunch/engine";
import { EXAMPLES, type Example } from "./index.ts";

const HOUR_MS = 3_600_000;

describe("the policies of the examples", () => {
  test("lanl differs from the preset in what its README gives reasons for, and in nothing else", () => {
    expect(changedPaths(EXAMPLES.lanl)).toEqual([
      "name",
      "reputation.sources",
      "reputation.components.reliability",
      "reputation.components.performance",
      "reputation.components.uptime",
      "reputation.components.response",
      "reputation.components.trust",
      "reputation.reward_rules.thresholds.high_uptime",
      "reputation.reward_rules.thresholds.fast_response",
      "reputation.reward_rules.thresholds.data_integrity",
      "reputation.reward_rules.thresholds.long_term_service",
      "reputation.reward_rules.thresholds.exceptional_performance",
      "reputation.tiers.mode",
      "reputation.tiers.score_cuts",
      "tracking.metric_retention",
      "tracking.aggregate_interval",
      "tracking.alerts.opens_after",
      "tracking.alerts.closes_after",
      "tracking.alerts.duration",
    ]);
    expect(policyOf(EXAMPLES.lanl).components).toEqual({ uptime: 0.5, trust: 0.5 });
  });

  test("so does seattle", () => {
    expect(changedPaths(EXAMPLES.seattle)).toEqual([
      "name",
      "reputation.sources",
      "reputation.components.reliability",
      "reputation.components.performance",
      "reputation.components.uptime",
      "reputation.components.response",
      "reputation.components.trust",
      "reputation.metric_references.network_latency",
      "reputation.trust_threshold",
      "tracking.alerts.opens_after",
      "tracking.alerts.closes_after",
    ]);
  });
});

describe.each(Object.entries(EXAMPLES))("%s", (_, example) => {
  test("brings subjects of its kind, and samples that rate every one of them", () => {
    const source = example.read(readFileSync(example.file));
    const policy = policyOf(example);
    const state = createState({ seed: 1, policies: { [example.kind]: policy }, aggregates: false });
    const [batch] = source.batches();
    expect(new Set(batch!.subjects.map(({ kind }) => kind))).toEqual(new Set([example.kind]));
    const registrations = batch!.subjects.map(({ id, kind }, number) => ({ number, kind, id }));
    const entry = { ...EMPTY_ENTRY, registrations, samples: batch!.samples };
    apply(state, { position: 1, loggedAt: batch!.loggedAt, entries: [entry] });
    // What monitors saw counts when their windows have closed.
    for (const position of [2, 3])
      apply(state, { position, loggedAt: batch!.loggedAt + position * HOUR_MS, entries: [] });
    expect(kindNamed(state, example.kind)!.rank.count).toBe(batch!.subjects.length);
  });
});

function policyOf(example: Example): Policy {
  const result = parsePolicy(example.policy);
  if (result.type === "invalid") throw new Error(JSON.stringify(result.problems));
  return result.policy;
}

function changedPaths(example: Example): string[] {
  return diffPolicies(STORAGE_PROVIDER, policyOf(example)).map(({ path }) => path);
}
