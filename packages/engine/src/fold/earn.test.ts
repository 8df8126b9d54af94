/** Earned rewards (`scoring.md`, section 4): a lower bound above its threshold for seven days, one open per type. */
import { describe, expect, test } from "vitest";
import { STORAGE_PROVIDER } from "../policy/presets.ts";
import type { Reward } from "../sanction/sanction.ts";
import { DAY_MS, HOUR_MS, Lab, policyWith, T0 } from "../testing/lab.ts";

/** Only the rule for uptime grants, and trust does not hold it back. */
const POLICY = policyWith({
  trustThreshold: 0,
  rewardRules: {
    ...STORAGE_PROVIDER.rewardRules,
    thresholds: {
      high_uptime: 90,
      fast_response: null,
      data_integrity: null,
      long_term_service: null,
      exceptional_performance: null,
    },
  },
});

/** A sample each hour for some days; afterwards the rewards there are. */
function serve(lab: Lab, days: number, value: number): readonly Reward[] {
  if (lab.state.places.count === 0) lab.register("provider-1");
  const from = Math.max(lab.state.now, T0);
  for (let hour = 1; hour <= days * 24; hour++) {
    lab.sample(0, "uptime", value, from + hour * HOUR_MS);
    lab.sample(0, "availability", value, from + hour * HOUR_MS);
  }
  return lab.state.sanctions.of(0)?.rewards ?? [];
}

describe("an earned reward", () => {
  test("needs the lower bound, not the mean: a perfect newcomer earns nothing for its first days", () => {
    const lab = new Lab(POLICY);
    expect(serve(lab, 8, 1)).toHaveLength(0);
  });

  test("comes after seven days in a row, once while it is open, with points and multiplier", () => {
    const lab = new Lab(POLICY);
    const rewards = serve(lab, 30, 1);
    expect(rewards.map(({ type, status }) => `${type} ${status}`)).toEqual(["high_uptime active"]);
    expect(rewards[0]).toMatchObject({ points: 2, issuer: "rule:rewards" });
    expect(rewards[0]!.value).toBeCloseTo(2.4, 12);
    expect(rewards[0]!.reason).toContain("7 days");
  });

  test("is not earned by silence, however good the past", () => {
    const lab = new Lab(POLICY);
    serve(lab, 40, 1);
    const from = lab.state.now;
    const before = lab.state.sanctions.of(0)!.rewards.length;
    for (let day = 1; day <= 60; day++) lab.apply(from + day * DAY_MS);
    const granted = lab.state.sanctions.of(0)!.rewards.slice(before);
    expect(granted.filter(({ at }) => at > from + 2 * DAY_MS)).toEqual([]);
    expect(lab.state.sanctions.of(0)!.rewards.every(({ status }) => status === "ended")).toBe(true);
  });

  test("is not earned below the threshold", () => {
    const lab = new Lab(POLICY);
    expect(serve(lab, 60, 0.96)).toHaveLength(0);
  });

  test("is held back while trust is below its threshold", () => {
    expect(serve(new Lab(POLICY), 20, 1)).toHaveLength(1);
    expect(serve(new Lab({ ...POLICY, trustThreshold: 100 }), 20, 1)).toHaveLength(0);
  });

  test("comes again when the one before has ended", () => {
    const lab = new Lab(policyWith({ ...POLICY, historyRetentionMs: 10 * DAY_MS }));
    const rewards = serve(lab, 75, 1);
    expect(rewards.length).toBeGreaterThan(1);
    expect(rewards.filter(({ status }) => status === "active").length).toBeLessThanOrEqual(1);
    expect(lab.state.now).toBeGreaterThan(T0);
  });

  test("long service is counted in days with evidence", () => {
    const rules = {
      ...POLICY.rewardRules,
      thresholds: { ...POLICY.rewardRules.thresholds, high_uptime: null, long_term_service: 20 },
    };
    const lab = new Lab({ ...POLICY, rewardRules: rules });
    expect(serve(lab, 24, 0.9)).toHaveLength(0);
    expect(serve(lab, 6, 0.9).map(({ type }) => type)).toEqual(["long_term_service"]);
  });
});
