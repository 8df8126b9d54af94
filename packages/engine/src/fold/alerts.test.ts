/** Alerts in the default mode (`scoring.md`, section 4), through `apply`. */
import { describe, expect, test } from "vitest";
import type { Policy } from "../policy/policy.ts";
import { STORAGE_PROVIDER } from "../policy/presets.ts";
import type { Penalty } from "../sanction/sanction.ts";
import { DAY_MS, HOUR_MS, Lab, metric, MINUTE_MS, policyWith, T0 } from "../testing/lab.ts";

function alertsWith(change: Partial<Policy["alerts"]>): Policy {
  return policyWith({ alerts: { ...STORAGE_PROVIDER.alerts, ...change } });
}

function penaltiesOf(lab: Lab, subject: number): readonly Penalty[] {
  return lab.standing(subject).penalties.map(({ penalty }) => penalty);
}

describe("an alert", () => {
  test("opens at the third breach of the hour's mean and counts severity once", () => {
    const lab = new Lab();
    const subject = lab.register("p");
    lab.sample(subject, "uptime", 0.7, T0);
    lab.sample(subject, "uptime", 0.7, T0 + MINUTE_MS);
    expect(penaltiesOf(lab, subject)).toEqual([]);
    const { list } = lab.sample(subject, "uptime", 0.7, T0 + 2 * MINUTE_MS);
    expect(list.map(({ type }) => type)).toEqual(expect.arrayContaining(["alert.opened", "penalty.applied"]));
    // .95 / .7 = 1.36: medium, 10 points of downtime with the weight 1, a day long, fading.
    expect(penaltiesOf(lab, subject)).toMatchObject([
      { type: "downtime", severity: "moderate", points: 10, deduction: 10, trustImpact: 0, fade: "linear" },
    ]);
    expect(penaltiesOf(lab, subject)[0]!.expiresAt).toBe(lab.state.now + DAY_MS);
    expect(lab.standing(subject, lab.state.now + DAY_MS / 2).penalties[0]!.points).toBeCloseTo(5, 9);
  });

  test("announces the change of score with its reason", () => {
    const lab = new Lab(alertsWith({ mode: "document" }));
    const subject = lab.register("p");
    const { changes } = lab.sample(subject, "uptime", 0.7, T0);
    expect(changes.count).toBe(1);
    expect(changes.reason[0]).toBe(9);
  });

  test("judges the mean of the last hour, so one slow call among good ones is none", () => {
    const lab = new Lab(alertsWith({ opensAfter: 1 }));
    const subject = lab.register("p");
    for (let minute = 0; minute < 30; minute++)
      lab.sample(subject, "response_time", 200, T0 + minute * MINUTE_MS);
    lab.sample(subject, "response_time", 20_000, T0 + 30 * MINUTE_MS);
    // (30 x 200 + 20000) / 31 = 839.
    expect(penaltiesOf(lab, subject)).toEqual([]);
    lab.sample(subject, "response_time", 20_000, T0 + 31 * MINUTE_MS);
    expect(penaltiesOf(lab, subject)).toMatchObject([{ type: "slow_response", severity: "moderate" }]);
    // Two hours later the bad ones are forgotten.
    const { list } = lab.sample(subject, "response_time", 300, T0 + 150 * MINUTE_MS);
    expect(list.some(({ type }) => type === "alert.extended")).toBe(false);
  });

  test("goes on judging after tens of thousands of samples in one hour", () => {
    const lab = new Lab(alertsWith({ opensAfter: 3 }));
    const subject = lab.register("p");
    const flood = (value: number, count: number, at: number): void => {
      for (let sent = 0; sent < count; sent += 10_000) {
        lab.apply(at, {
          samples: Array.from({ length: 10_000 }, () => metric(subject, "uptime", value, at)),
        });
      }
    };
    flood(1, 70_000, T0);
    expect(penaltiesOf(lab, subject)).toEqual([]);
    flood(0, 70_000, T0 + MINUTE_MS);
    expect(penaltiesOf(lab, subject)).toHaveLength(1);
  });

  test("is one per subject and metric: repeats extend and escalate it, and never stack", () => {
    const lab = new Lab(alertsWith({ mode: "document" }));
    const subject = lab.register("p");
    lab.sample(subject, "uptime", 0.9, T0);
    const [first] = penaltiesOf(lab, subject);
    expect(first).toMatchObject({ severity: "minor", deduction: 5 });
    const { list } = lab.sample(subject, "uptime", 0.3, T0 + HOUR_MS);
    expect(list.map(({ type }) => type)).toContain("alert.extended");
    lab.sample(subject, "uptime", 0.9, T0 + 2 * HOUR_MS);
    // Extended by the milder one, but never milder itself.
    expect(penaltiesOf(lab, subject)).toEqual([first]);
    expect(first).toMatchObject({
      severity: "major",
      deduction: 20 * 4,
      expiresAt: T0 + 2 * HOUR_MS + DAY_MS,
    });
    expect(first!.alert).toMatchObject({ value: 0.3, open: true });
    // Another metric has its own.
    lab.sample(subject, "network_latency", 5000, T0 + 2 * HOUR_MS);
    expect(penaltiesOf(lab, subject)).toHaveLength(2);
  });

  test("closes after three good samples; its penalty runs on and fades", () => {
    const lab = new Lab(alertsWith({ mode: "document" }));
    const subject = lab.register("p");
    lab.sample(subject, "uptime", 0.9, T0);
    lab.sample(subject, "uptime", 1, T0 + MINUTE_MS);
    lab.sample(subject, "uptime", 1, T0 + 2 * MINUTE_MS);
    expect(penaltiesOf(lab, subject)[0]!.alert!.open).toBe(true);
    const { list } = lab.sample(subject, "uptime", 1, T0 + 3 * MINUTE_MS);
    expect(list.map(({ type }) => type)).toContain("alert.closed");
    expect(penaltiesOf(lab, subject)).toMatchObject([{ status: "active", alert: { open: false } }]);
    // A breach while the penalty still runs opens the same alert again: flapping does not stack.
    const again = lab.sample(subject, "uptime", 0.9, T0 + 2 * HOUR_MS).list.map(({ type }) => type);
    expect(again).toContain("alert.opened");
    expect(again).not.toContain("penalty.applied");
    expect(penaltiesOf(lab, subject)).toMatchObject([
      { status: "active", alert: { open: true }, expiresAt: T0 + 2 * HOUR_MS + DAY_MS },
    ]);
    const ends = lab.apply(T0 + 3 * DAY_MS).list.map(({ type }) => type);
    expect(ends.filter((type) => type === "penalty.ended")).toHaveLength(1);
    expect(ends).toContain("alert.closed");
    // After its end a breach is a new alert.
    const afresh = lab.sample(subject, "uptime", 0.9, T0 + 4 * DAY_MS).list.map(({ type }) => type);
    expect(afresh).toContain("penalty.applied");
  });

  test("that repeats for days keeps one entry in the deadline queue, and ends a day after the last breach", () => {
    const lab = new Lab(alertsWith({ mode: "document" }));
    const subject = lab.register("p");
    let at = T0;
    for (; at < T0 + 3 * DAY_MS; at += 10 * MINUTE_MS) lab.sample(subject, "uptime", 0.9, at);
    const last = lab.state.now;
    expect(lab.state.deadlines.size).toBeLessThan(10);
    expect(lab.apply(last + DAY_MS - 1).list.map(({ type }) => type)).not.toContain("penalty.ended");
    expect(lab.apply(last + DAY_MS).list.map(({ type }) => type)).toContain("penalty.ended");
  });
});

describe("several alerts", () => {
  /** Opens alerts of three metrics, `apartMs` from each other, and says what each takes at the end. */
  function outage(apartMs: number, fraction: number, ms: number): readonly number[] {
    const lab = new Lab(alertsWith({ opensAfter: 1, fade: "none" }));
    const subject = lab.register("p");
    const metrics = ["uptime", "availability", "response_time"] as const;
    metrics.forEach((name, index) =>
      lab.sample(subject, name, name === "response_time" ? ms : fraction, T0 + index * apartMs),
    );
    return lab.standing(subject).penalties.map(({ points }) => points);
  }

  test("of one incident cost what the largest costs", () => {
    // Medium, 10 points each, half of it for slow response.
    expect(outage(MINUTE_MS, 0.7, 1500)).toEqual([10, 0, 0]);
    expect(outage(0, 0.7, 1500)).toEqual([10, 0, 0]);
    // The largest need not be the first: 5 points, 5 and 20.
    expect(outage(MINUTE_MS, 0.9, 5000)).toEqual([0, 0, 20]);
    expect(outage(2 * HOUR_MS, 0.7, 1500)).toEqual([10, 10, 5]);
  });

  test("take at most 40 points together, however many incidents", () => {
    const points = outage(2 * HOUR_MS, 0, 90_000);
    expect(points).toHaveLength(3);
    expect(points.reduce((sum, one) => sum + one, 0)).toBe(40);
  });

  test("beside penalties given by hand, which know no such cap", () => {
    const lab = new Lab(alertsWith({ opensAfter: 1, fade: "none" }));
    const subject = lab.register("p");
    lab.sample(subject, "data_integrity", 0, T0);
    // 40 points with the weight 2 of data loss, capped at 40.
    expect(lab.standing(subject).penalties.map(({ penalty, points }) => [penalty.deduction, points])).toEqual(
      [[80, 40]],
    );
  });
});
