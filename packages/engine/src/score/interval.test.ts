/** How sure a score is (`scoring.md`, section 2). */
import { describe, expect, test } from "vitest";
import { randomFrom } from "../testing/history.ts";
import { DAY_MS, HOUR_MS, Lab, metric, MINUTE_MS, policyWith, T0 } from "../testing/lab.ts";
import { intervalEnds, ends } from "./component.ts";

describe("the interval", () => {
  test("is Wilson's for trials, and the normal one where that is wider", () => {
    // Wilson for 8 of 10: .4902 to .9433.
    intervalEnds(0.8, 0, 10);
    expect(ends.lower).toBeCloseTo(0.4902, 4);
    expect(ends.upper).toBeCloseTo(0.9433, 4);
    intervalEnds(0.5, 0.25, 1e6);
    expect(ends.upper - ends.lower).toBeCloseTo(2 * 1.959964 * Math.sqrt(0.25 / 1e6), 6);
    intervalEnds(1, 0, 10);
    expect(ends.upper).toBe(1);
    intervalEnds(0.3, 0.1, 0);
    expect(ends).toEqual({ lower: 0, upper: 1 });
  });

  test("narrows at a constant rate until the cap, where 1000 observations are as many as count", () => {
    const lab = new Lab();
    const subject = lab.register("p");
    let width = Infinity;
    let capped = 0;
    for (let minute = 0; minute < 1400; minute++) {
      lab.sample(subject, "service_quality", 0.9, T0 + minute * MINUTE_MS);
      const { lower, upper, effectiveSize, evidenceSize } = lab.component(subject, "performance");
      if (effectiveSize < 1000) expect(upper - lower).toBeLessThan(width);
      else capped++;
      expect(evidenceSize).toBeLessThanOrEqual(1000);
      width = upper - lower;
    }
    expect(capped).toBeGreaterThan(100);
    expect(lab.component(subject, "performance").effectiveSize).toBe(1000);
  });

  test("of the cap is read only: what is summed goes on, so that lowering the cap later loses nothing", () => {
    const lab = new Lab(policyWith({ effectiveSizeMax: 50 }));
    const subject = lab.register("p");
    for (let minute = 0; minute < 300; minute++)
      lab.sample(subject, "service_quality", 1, T0 + minute * MINUTE_MS);
    expect(lab.component(subject, "performance").effectiveSize).toBe(50);
    const { metrics } = lab.explain(subject).components.find(({ name }) => name === "performance")!;
    expect(metrics[0]!.observations).toBeGreaterThan(250);
  });

  test("widens with a surprise, and with silence", () => {
    const lab = new Lab();
    const subject = lab.register("p");
    for (let step = 0; step < 200; step++) lab.sample(subject, "availability", 1, T0 + step * 6 * HOUR_MS);
    const width = (nowMs = lab.state.now): number => {
      const { lower, upper } = lab.component(subject, "uptime", nowMs);
      return upper - lower;
    };
    const calm = width();
    expect(width(lab.state.now + 2 * DAY_MS)).toBeGreaterThan(calm);
    lab.sample(subject, "availability", 0, T0 + 200 * 6 * HOUR_MS);
    expect(width()).toBeGreaterThan(calm * 1.2);
  });

  test("of the score is the weighted sum of the components'", () => {
    const lab = new Lab();
    const subject = lab.register("p");
    lab.apply(T0, {
      samples: [metric(subject, "availability", 0.9, T0), metric(subject, "service_quality", 0.6, T0)],
    });
    const { components, lower, upper } = lab.standing(subject);
    const half = components.reduce(
      (sum, { weight, lower: low, upper: high }) => sum + (weight * (high - low)) / 2,
      0,
    );
    expect((upper - lower) / 2).toBeCloseTo(half, 10);
  });
});

describe("coverage", () => {
  /**
   * Share of providers whose true availability lies in the 95 % interval after 40 days of probes every half hour.
   * Times up and down are exponential with the given means.
   */
  function coverage(upHours: number, downHours: number, blockMs: number): number {
    const providers = 80;
    const random = randomFrom(11);
    const truth = upHours / (upHours + downHours);
    // Nobody waits for the refresh here.
    const lab = new Lab(policyWith({ blockMs, updateIntervalMs: 40 * DAY_MS }));
    const until = T0 + 40 * DAY_MS;
    const subjects = Array.from({ length: providers }, (_, index) => lab.register(`p${index}`));
    const up = subjects.map(() => random() < truth);
    const changesAt = subjects.map((_, index) => T0 + lasting(up[index]!));
    function lasting(isUp: boolean): number {
      return -Math.log(1 - random()) * (isUp ? upHours : downHours) * HOUR_MS;
    }
    for (let at = T0; at < until; at += 30 * MINUTE_MS) {
      const samples = subjects.map((subject) => {
        while (changesAt[subject]! <= at) {
          up[subject] = !up[subject];
          changesAt[subject]! += lasting(up[subject]);
        }
        return metric(subject, "availability", up[subject] ? 1 : 0, at);
      });
      lab.apply(at, { samples });
      lab.log.length = 0;
    }
    const covered = subjects.filter((subject) => {
      const { lower, upper } = lab.component(subject, "uptime");
      return lower <= truth * 100 && truth * 100 <= upper;
    });
    return covered.length / providers;
  }

  test.each([
    [32, 7],
    [200, 6],
    [1760, 6],
  ])("is what it says for outages: up for %d h and down for %d h at a time", (upHours, downHours) => {
    const share = coverage(upHours, downHours, 6 * HOUR_MS);
    // 95 % of eighty providers, give or take twice the standard error of that.
    expect(share).toBeGreaterThanOrEqual(0.9);
    expect(share).toBeLessThanOrEqual(1);
  });

  test("without blocks is far too small: neighbouring hours of one outage are no trials of their own", () => {
    expect(coverage(32, 7, 30 * MINUTE_MS)).toBeLessThan(0.6);
  });
});
