import { describe, expect, test } from "vitest";
import { METRIC_NAMES } from "../event/metrics.ts";
import { STORAGE_PROVIDER } from "./presets.ts";
import { PENALTY_TYPES } from "./vocabulary.ts";

// The figures of `scoring.md`, section by section, written out a second time on purpose.
describe("storage-provider", () => {
  test("1: components and bounds", () => {
    expect(STORAGE_PROVIDER.components).toEqual({
      reliability: 0.25,
      performance: 0.2,
      uptime: 0.2,
      response: 0.15,
      trust: 0.2,
    });
    expect(STORAGE_PROVIDER).toMatchObject({
      initialScore: 75,
      maxScore: 100,
      minScore: 0,
      trustThreshold: 80,
      performanceThreshold: 85,
    });
  });

  test("2: estimators", () => {
    expect(STORAGE_PROVIDER).toMatchObject({
      decayRatePerDay: 0.1,
      priorWeight: 10,
      maxGapMs: 3 * 86_400_000,
      effectiveSizeMax: 1000,
      blockMs: 6 * 3_600_000,
      slotMs: 300_000,
      windowMs: 60_000,
    });
    expect(STORAGE_PROVIDER.metrics.response_time.reference).toBe(1000);
    expect(STORAGE_PROVIDER.metrics.network_latency.reference).toBe(1000);
    expect(STORAGE_PROVIDER.metrics.throughput.reference).toBe(12_500_000);
  });

  test("3: trust", () => {
    expect(STORAGE_PROVIDER.recoveryRatePerDay).toBe(0.5);
    expect(STORAGE_PROVIDER.trustImpacts).toEqual({
      fraud: 0.8,
      malicious_behavior: 0.7,
      data_loss: 0.6,
      contract_breach: 0.5,
      unavailability: 0.4,
      downtime: 0.3,
      poor_performance: 0.3,
      slow_response: 0.2,
      job_timeout: 0.1,
      job_failure: 0.1,
      network_issues: 0.1,
      resource_abuse: 0.1,
      invalid_result: 0.1,
      spam: 0.1,
      ban: 0.1,
      rate_limit: 0.1,
    });
  });

  test("4: penalties, rewards and alerts", () => {
    expect(STORAGE_PROVIDER.severityMultipliers).toEqual([1, 2, 4, 8]);
    expect(STORAGE_PROVIDER.rewardPointsMax).toBe(20);
    expect(STORAGE_PROVIDER.lowThreshold).toBe(60);
    expect(STORAGE_PROVIDER.alerts).toEqual({
      mode: "mean",
      opensAfter: 3,
      closesAfter: 3,
      durationMs: 86_400_000,
      pointsMax: 40,
      incidentMs: 3_600_000,
      fade: "linear",
    });
    const later = [
      "job_timeout",
      "job_failure",
      "network_issues",
      "resource_abuse",
      "invalid_result",
      "spam",
    ] as const;
    for (const type of [...later, "ban", "rate_limit"] as const)
      expect(STORAGE_PROVIDER.penaltyWeights[type]).toBe(1);
    // Only a person makes a ban final.
    expect(STORAGE_PROVIDER.penaltyDurationsMs.ban).toBe(30 * 86_400_000);
    for (const name of ["storage_reliability", "service_quality", "throughput"] as const) {
      expect(STORAGE_PROVIDER.metrics[name].alertThreshold).toBeNull();
    }
  });

  test("8: tiers", () => {
    expect(STORAGE_PROVIDER.tiers).toEqual({
      mode: "percentile",
      names: ["platinum", "gold", "silver", "bronze", "basic"],
      scoreCuts: [95, 85, 75, 65],
      percentileCuts: [0.05, 0.2, 0.5, 0.8],
      ratedMin: 20,
      evidenceMin: 10,
    });
  });

  test("every metric and every type of penalty has its rules", () => {
    expect(Object.keys(STORAGE_PROVIDER.metrics)).toEqual([...METRIC_NAMES]);
    expect(Object.keys(STORAGE_PROVIDER.penaltyWeights)).toEqual([...PENALTY_TYPES]);
  });
});
