import { describe, expect, test } from "vitest";
import { monitorVerdicts } from "../guard/monitor-fault.ts";
import { STORAGE_PROVIDER } from "../policy/presets.ts";
import { monitors } from "../read/monitors.ts";
import { MONITOR_GRACE_MS, MONITOR_WINDOW_MS } from "../state/monitor-window.ts";
import { PROVISIONAL_MAX } from "../state/provisional.ts";
import {
  DAY_MS,
  HOUR_MS,
  Lab,
  metric,
  MINUTE_MS,
  policyWith,
  T0,
  verdict,
  type Sample,
} from "../testing/lab.ts";

const monitor = "probe-fra";
/** The window that begins at T0 is over. */
const OVER = T0 + MONITOR_WINDOW_MS + MONITOR_GRACE_MS;
const raw = (lab: Lab, subject: number): number =>
  lab.state.kinds[0]!.aggregates!.read(subject, 0, lab.state.now)?.count ?? 0;

function newLab(subjects = 1): Lab {
  const lab = new Lab(STORAGE_PROVIDER, { aggregates: true });
  for (let subject = 0; subject < subjects; subject++) lab.register(`s-${subject}`);
  lab.apply(T0);
  return lab;
}

const down = (subject: number, at: number, more: Partial<Sample> = {}): Sample =>
  metric(subject, "uptime", 0, at, { monitor, ...more });

describe("a sample that names its monitor", () => {
  test("is measured at once and counts when its window has closed", () => {
    const lab = newLab();
    lab.apply(T0, { samples: [down(0, T0)] });
    expect(raw(lab, 0)).toBe(1);
    lab.apply(OVER - 1);
    lab.apply(OVER);
    // The window is over: this is when it is judged.
    expect(lab.component(0, "uptime").score).toBeCloseTo(75, 2);
    const { changes } = lab.apply(OVER + 1);
    expect(changes.count).toBe(1);
    expect(lab.component(0, "uptime").score).toBeCloseTo(68.18, 2);
    expect(lab.standing(0)).toMatchObject({ eventCount: 1, lastEvidenceAt: T0 });
    expect(raw(lab, 0)).toBe(1);
  });

  test("counts as it would have counted at once, beside samples that name none", () => {
    const named = newLab();
    const unnamed = newLab();
    const samples = (more: Partial<Sample>): Sample[] => [
      metric(0, "uptime", 0.5, T0, { ...more, weight: 2 }),
      metric(0, "response_time", 300, T0 + 1, more),
      metric(0, "response_time", 5, T0 + 2, { ...more, failed: true }),
      metric(0, "availability", 1, T0 + 3, more),
    ];
    named.apply(T0 + 4, { samples: [...samples({ monitor }), metric(0, "throughput", 1e7, T0 + 4)] });
    unnamed.apply(T0 + 4, { samples: [...samples({}), metric(0, "throughput", 1e7, T0 + 4)] });
    expect(named.standing(0).eventCount).toBe(1);
    for (const lab of [named, unnamed]) for (const at of [OVER, OVER + 1]) lab.apply(at);
    // Trust averages over the log's time, so it knows when a sample counted.
    for (const name of ["reliability", "performance", "uptime", "response"])
      expect(named.component(0, name)).toEqual(unnamed.component(0, name));
    expect(named.standing(0).eventCount).toBe(5);
  });

  test("counts at once when it comes after its window has closed", () => {
    const lab = newLab();
    lab.apply(T0, { samples: [metric(0, "uptime", 1, T0, { monitor })] });
    for (const at of [OVER, OVER + 1]) lab.apply(at);
    lab.apply(OVER + 2, { samples: [down(0, T0 + 1)] });
    expect(lab.state.provisional.count).toBe(0);
    expect(lab.standing(0).eventCount).toBe(2);
  });

  test("waits for a window of its own time, whatever was logged meanwhile", () => {
    const lab = newLab();
    // Logged hours later in one go, as an import does it: there is a time to judge it all the same.
    lab.apply(T0 + 5 * HOUR_MS, { samples: [down(0, T0)] });
    expect(lab.state.provisional.over(lab.state.now)).toHaveLength(1);
    expect(lab.standing(0).eventCount).toBe(0);
    lab.apply(T0 + 5 * HOUR_MS + 1);
    expect(lab.standing(0).eventCount).toBe(1);
  });

  test("is one with the others of its monitor, subject, metric and window: their mean over the time", () => {
    const lab = newLab();
    const at = (minute: number, value: number): Sample =>
      metric(0, "uptime", value, T0 + minute * MINUTE_MS, { monitor });
    // Up from the first to the second minute, down to the fourth, then up: in any order of arrival.
    lab.apply(T0 + 4 * MINUTE_MS, { samples: [at(4, 1), at(1, 1), at(3, 0), at(2, 0)] });
    for (const next of [OVER, OVER + 1]) lab.apply(next);
    expect(lab.standing(0).eventCount).toBe(4);
    expect(lab.component(0, "uptime").score).toBeCloseTo((100 * (2 / 4 + 7.5)) / 11, 2);
  });

  test("has a voice beside another monitor's, however many samples each has", () => {
    const lab = newLab();
    const burst = Array.from({ length: 50 }, (_, probe) => down(0, T0 + probe));
    lab.apply(T0 + 50, { samples: [...burst, metric(0, "uptime", 1, T0, { monitor: "probe-nyc" })] });
    for (const next of [OVER, OVER + 1]) lab.apply(next);
    expect(lab.component(0, "uptime").score).toBeCloseTo((100 * (1 / 2 + 7.5)) / 11, 2);
  });

  test("gives each alert an id of its own, though a window opens several at once", () => {
    const alerts = { ...STORAGE_PROVIDER.alerts, mode: "document" as const };
    const lab = new Lab(policyWith({ alerts }));
    lab.register("a");
    lab.apply(T0, { samples: [down(0, T0), metric(0, "availability", 0, T0, { monitor })] });
    for (const at of [OVER, OVER + 1]) lab.apply(at);
    const ids = lab.standing(0).penalties.map(({ penalty }) => penalty.id);
    expect(new Set(ids).size).toBe(2);
  });

  test("is released in slices, and counts at once when no more can be held", () => {
    const lab = new Lab();
    lab.register("a");
    lab.apply(T0);
    const slice = Array.from({ length: 16_384 }, () => metric(0, "response_time", 100, T0, { monitor }));
    const batches = PROVISIONAL_MAX / slice.length;
    for (let batch = 0; batch < batches; batch++) lab.apply(T0 + 1, { samples: slice });
    expect(lab.standing(0).eventCount).toBe(0);
    lab.apply(T0 + 1, { samples: slice });
    expect(lab.state.provisional).toMatchObject({ count: PROVISIONAL_MAX, unheld: slice.length });
    expect(lab.standing(0).eventCount).toBe(slice.length);
    lab.apply(OVER);
    for (let batch = 1; batch <= batches; batch++) {
      lab.apply(OVER + batch);
      expect(lab.standing(0).eventCount).toBe((batch + 1) * slice.length);
    }
    expect(lab.state.provisional).toMatchObject({ count: 0, closedTo: T0 / MONITOR_WINDOW_MS });
    expect(lab.state.provisional.windows.size).toBe(0);
  });
});

describe("a voided window", () => {
  test("counts for nobody whom the monitor measured, and is told to the operators and to those who failed", () => {
    const lab = newLab(2);
    lab.apply(T0, { samples: [down(0, T0), metric(1, "uptime", 1, T0, { monitor })] });
    lab.apply(T0, { samples: [metric(0, "uptime", 1, T0, { monitor: "probe-nyc" })] });
    lab.apply(OVER);
    const { list } = lab.apply(OVER, { acts: [verdict(monitor, T0, [0])] });
    const head = { monitor, from: T0, to: T0 + MONITOR_WINDOW_MS, metric: "uptime" };
    expect(list).toEqual([
      { type: "window.voided", ...head, operators: 40, failing: 19, samples: 2 },
      { type: "evidence.voided", ...head, subject: 0 },
    ]);
    lab.apply(OVER + 1);
    expect(lab.standing(1)).toMatchObject({ eventCount: 0, firstEvidenceAt: null });
    // What the other monitor saw counts.
    expect(lab.standing(0).eventCount).toBe(1);
    expect(lab.component(0, "uptime").score).toBeCloseTo(77.27, 2);
    expect(raw(lab, 0)).toBe(2);
  });

  test("takes no late samples either", () => {
    const lab = newLab();
    lab.apply(T0, { samples: [down(0, T0)] });
    lab.apply(OVER, { acts: [verdict(monitor, T0)] });
    for (const at of [OVER + 1, OVER + 2]) lab.apply(at, { samples: [down(0, T0 + 1)] });
    expect(lab.standing(0).eventCount).toBe(0);
    lab.apply(OVER + 3, { samples: [down(0, T0 - 1)] });
    expect(lab.state.provisional.count + lab.standing(0).eventCount).toBe(1);
  });

  test("is void in time although the clock has moved on when the verdict is logged", () => {
    const lab = newLab();
    lab.apply(T0, { samples: [down(0, T0)] });
    lab.apply(OVER);
    lab.apply(OVER + DAY_MS, { acts: [verdict(monitor, T0)] });
    lab.apply(OVER + DAY_MS + 1);
    expect(lab.standing(0).eventCount).toBe(0);
    expect(lab.state.provisional.count).toBe(0);
  });

  test("that has been released already is not undone", () => {
    const lab = newLab();
    lab.apply(T0, { samples: [down(0, T0)] });
    for (const at of [OVER, OVER + 1]) lab.apply(at);
    const score = lab.score(0);
    expect(lab.apply(OVER + 1, { acts: [verdict(monitor, T0)] }).list).toEqual([]);
    expect(lab.score(0)).toBe(score);
    expect(lab.state.provisional.voids).toEqual([]);
  });

  test("is listed under its monitor with what it is waiting for", () => {
    const lab = newLab();
    lab.apply(T0, { samples: [down(0, T0), down(0, T0 + 1), down(0, T0 + 6 * MINUTE_MS)] });
    lab.apply(OVER, { acts: [verdict(monitor, T0)] });
    const [one, ...more] = monitors(lab.state.provisional, null, 10);
    expect(more).toEqual([]);
    const next = T0 + MONITOR_WINDOW_MS;
    expect(one!.pending).toEqual([
      { from: T0, to: next, countsFrom: OVER, samples: 2, isVoid: true },
      {
        from: next,
        to: next + MONITOR_WINDOW_MS,
        countsFrom: OVER + MONITOR_WINDOW_MS,
        samples: 1,
        isVoid: false,
      },
    ]);
    expect(one!.voided).toMatchObject([{ samples: 2, loggedAt: OVER }]);
    expect(monitors(lab.state.provisional, monitor, 10)).toEqual([]);
  });
});

describe("an outage of a monitor", () => {
  test.each([40, 200])("in which it sees 19 of %i failing moves no score and opens no alert", (count) => {
    const lab = new Lab();
    for (let subject = 0; subject < count; subject++) lab.register(`s-${subject}`);
    lab.apply(T0 - 3 * DAY_MS);
    const minutes = (from: number, to: number, isDown: (subject: number) => boolean): void => {
      for (let at = from; at < to; at += MINUTE_MS) {
        judge(lab);
        const samples = Array.from({ length: count }, (_, subject) =>
          metric(subject, "uptime", isDown(subject) ? 0 : 1, at, { monitor }),
        );
        lab.apply(at, { samples });
      }
    };
    for (let block = 12; block > 0; block--)
      minutes(T0 - block * 6 * HOUR_MS, T0 - block * 6 * HOUR_MS + 5 * MINUTE_MS, () => false);
    minutes(T0 - HOUR_MS, T0, () => false);
    const before = Array.from({ length: count }, (_, subject) => lab.component(subject, "uptime").score);
    // An hour and a half, beginning and ending in the midst of a window.
    minutes(T0, T0 + 3 * MINUTE_MS, () => false);
    minutes(T0 + 3 * MINUTE_MS, T0 + 92 * MINUTE_MS, (subject) => subject < 19);
    minutes(T0 + 92 * MINUTE_MS, T0 + 110 * MINUTE_MS, () => false);
    for (const [subject, score] of before.entries()) {
      expect(lab.component(subject, "uptime").score).toBeGreaterThanOrEqual(score);
      expect(lab.standing(subject).penalties).toEqual([]);
    }
    expect(lab.state.provisional.voids).toHaveLength(19);
  });

  /** What the service does before the log goes on: verdicts on what is over, at the log's own time. */
  function judge(lab: Lab): void {
    const { state } = lab;
    const acts = state.provisional
      .over(state.now)
      .filter(({ index }) => index > state.provisional.closedTo)
      .flatMap((window) => monitorVerdicts(state, window));
    if (acts.length > 0) lab.apply(state.now, { acts });
  }
});

describe("a burst of probes", () => {
  const backgrounds = [
    ["a minute", MINUTE_MS],
    ["a quarter of an hour", 15 * MINUTE_MS],
  ] as const;
  const bursts = backgrounds.flatMap(([name, everyMs]) =>
    ["background", "alarm"].map((prober) => [prober, name, everyMs] as const),
  );

  /** Points of uptime lost by so many probes in the half minute of an outage, half a day after the first sample. */
  function dropBy(probes: number, prober: string, everyMs: number): number {
    const lab = newLab();
    const outage = T0 + DAY_MS / 2 + 7 * MINUTE_MS + 20_000;
    const samples = Array.from({ length: probes }, (_, probe) =>
      down(0, outage + (probe * 30_000) / probes, { monitor: prober }),
    );
    for (let at = T0; at < outage + 2 * HOUR_MS; at += everyMs) {
      const isNext = at >= outage && at - everyMs < outage;
      const up = metric(0, "uptime", 1, at, { monitor: "background" });
      lab.apply(at, { samples: isNext ? [...samples, up] : [up] });
    }
    return 100 - lab.component(0, "uptime").score;
  }

  test.each(bursts)("by the %s monitor costs what one costs, over a probe %s", (prober, _, everyMs) => {
    const without = dropBy(0, prober, everyMs);
    const one = dropBy(1, prober, everyMs) - without;
    expect(one).toBeGreaterThan(0);
    expect(dropBy(200, prober, everyMs) - without).toBeLessThanOrEqual(1.25 * one);
  });
});
