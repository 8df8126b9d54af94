/** Announced maintenance: inside a window absence says nothing, and how much may be announced is bounded. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Act, MaintenanceAnnounced } from "../event/acts.ts";
import { METRIC_NAMES, type MetricName } from "../event/metrics.ts";
import { parsePolicy } from "../policy/parse.ts";
import { eligibility } from "../read/eligibility.ts";
import { networkStanding } from "../read/network.ts";
import { workStanding } from "../read/work.ts";
import { ALLOWANCE_SPAN_MS, isExcused, WINDOWS_MAX } from "../sanction/maintenance.ts";
import { Candidates } from "../select/candidates.ts";
import { DecisionWindow } from "../select/decision-window.ts";
import { gather } from "../select/gather.ts";
import { select } from "../select/select.ts";
import { Selection } from "../select/selection.ts";
import { DAY_MS, HOUR_MS, Lab, metric, MINUTE_MS, T0 } from "../testing/lab.ts";
import { healthOf, jobsOf } from "../testing/work.ts";
import { dropWithdrawn } from "./deadlines.ts";
import type { ActResult } from "./effects.ts";

const SECOND_MS = 1000;
const FROM = T0 + HOUR_MS;
const TO = FROM + 4 * HOUR_MS;
const signed = { issuer: "key:agent", reason: "new disks" };

function announced(subject: number, from: number, to: number): MaintenanceAnnounced {
  return { type: "maintenance.announced", subject, from, to, ...signed };
}

const cancelled = (windowId: string): Act => ({ type: "maintenance.cancelled", windowId, ...signed });

function act(lab: Lab, one: Act, at = lab.state.now): ActResult {
  const [result] = lab.apply(at, { acts: [one] }).results;
  if (result?.type !== "applied") throw new Error("not applied");
  return result.acts[0]!;
}

function idOf(result: ActResult): string {
  if (result.type !== "done") throw new Error(result.type);
  return result.id!;
}

/** Two subjects, of which the first has announced its maintenance. */
function labOf(preset: "storage-provider" | "compute-worker", maintenance: object = {}) {
  const parsed = parsePolicy({ extends: preset, maintenance });
  if (parsed.type === "invalid") throw new Error(JSON.stringify(parsed.problems));
  const lab = new Lab(parsed.policy, { aggregates: true });
  const [away, twin] = [lab.register("away"), lab.register("twin")];
  lab.apply(T0);
  return { lab, away, twin };
}

describe("inside a window", () => {
  test("the subject is away for selections, says why, and is back at the end, each told once", () => {
    const { lab, away, twin } = labOf("compute-worker");
    const id = idOf(act(lab, announced(away, FROM, TO)));
    expect(eligibility(lab.state, away, T0)).toMatchObject({ eligible: true });
    expect(lab.apply(FROM - 1).list).toEqual([]);
    const begun = lab.apply(FROM).list;
    expect(begun).toMatchObject([{ type: "maintenance.started", subject: away, window: { id } }]);
    expect(eligibility(lab.state, away, FROM).reasons).toEqual([
      { code: "maintenance", windowId: id, until: TO, reason: "new disks" },
    ]);
    expect(chosenAmong(lab, [away, twin], FROM)).toEqual([twin]);
    lab.apply(TO - 1);
    expect(chosenAmong(lab, [away, twin], TO - 1)).toEqual([twin]);
    expect(lab.apply(TO).list).toMatchObject([{ type: "maintenance.ended", subject: away }]);
    expect(chosenAmong(lab, [away, twin], TO)).toEqual([away, twin]);
  });

  test("downtime moves no score and opens no alert, is measured all the same, and counts again afterwards", () => {
    const { lab, away, twin } = labOf("storage-provider");
    act(lab, announced(away, FROM, TO));
    const down = (at: number): void => {
      const names: MetricName[] = ["uptime", "availability", "response_time", "network_latency"];
      const samples = names.map((name) =>
        metric(away, name, name === "uptime" || name === "availability" ? 0 : 9000, at),
      );
      lab.apply(at, { samples });
    };
    for (let at = FROM; at < TO; at += 10 * MINUTE_MS) down(at);
    const now = lab.state.now;
    expect(lab.standing(away, now)).toMatchObject({ lastEvidenceAt: null, penalties: [], eventCount: 0 });
    expect(lab.score(away, now)).toBe(lab.score(twin, FROM));
    const aggregates = lab.state.kinds[0]!.aggregates!;
    expect(aggregates.read(0, 0, now)).toMatchObject({ count: 24, average: 0 });
    for (let at = TO; at < TO + HOUR_MS; at += 10 * MINUTE_MS) down(at);
    expect(lab.standing(away).penalties).not.toEqual([]);
  });

  test("what a subject does with data, and its jobs, count as ever", () => {
    const names = METRIC_NAMES.filter(
      (name) => !["uptime", "availability", "response_time", "network_latency"].includes(name),
    );
    for (const name of names) {
      const { lab, away } = labOf("storage-provider");
      act(lab, announced(away, FROM, TO));
      lab.sample(away, name, name === "throughput" ? 1 : 0, FROM + 1);
      expect(lab.standing(away).eventCount, name).toBe(1);
    }
    const { lab, away, twin } = labOf("compute-worker");
    act(lab, announced(away, FROM, TO));
    lab.apply(FROM + 1, {
      jobs: jobsOf([away, twin].map((subject) => ({ subject, at: FROM + 1, outcome: "failure" }))),
    });
    expect(lab.score(away)).toBe(lab.score(twin));
    expect(lab.score(away)).toBeLessThan(60);
  });

  test("monitors see nothing of it, and what was seen before the announcement counts", () => {
    const { lab, away } = labOf("storage-provider");
    lab.apply(T0 + 1, { samples: [metric(away, "uptime", 0, T0 + 1, { monitor: "probe" })] });
    act(lab, announced(away, T0 + 2, TO), T0 + 2);
    lab.apply(T0 + 3, { samples: [metric(away, "uptime", 0, T0 + 3, { monitor: "probe" })] });
    expect(lab.state.provisional.count).toBe(1);
  });

  test("silence is no silence: none is announced, no report was missed, and nothing is lost by it", () => {
    const { lab, away, twin } = labOf("compute-worker");
    const report = (at: number, subjects: readonly number[]) =>
      lab.apply(at, {
        health: healthOf(subjects.map((subject) => ({ subject, at, parts: { memory_usage: 10 } }))),
      });
    const at = FROM - 30 * SECOND_MS;
    report(at, [away, twin]);
    act(lab, announced(away, FROM, TO));
    const told = [at + 3 * MINUTE_MS, TO - 1, TO].flatMap((now) => lab.apply(now).list);
    expect(told.filter(({ type }) => type === "subject.silent")).toMatchObject([{ subject: twin }]);
    expect(workStanding(lab.state, away, TO)).toMatchObject({ state: "active" });
    expect(networkStanding(lab.state.kinds[0]!)).toMatchObject({ active: 1 });
    // Half a minute before the window and half a minute after it make one interval.
    report(TO + 30 * SECOND_MS, [away, twin]);
    expect(lab.component(away, "reliability").score).toBeGreaterThan(60);
    // Reports are three tenths of it.
    expect(lab.component(twin, "reliability").score).toBeLessThan(0.7 * 60 + 0.3 * 40);
  });

  test("and who does not come back is silent three intervals after it", () => {
    const { lab, away } = labOf("compute-worker");
    const at = FROM - MINUTE_MS;
    lab.apply(at, { health: healthOf([{ subject: away, at, parts: { memory_usage: 10 } }]) });
    act(lab, announced(away, FROM, TO));
    expect(lab.apply(TO + 2 * MINUTE_MS - 1).list).not.toContainEqual(
      expect.objectContaining({ type: "subject.silent" }),
    );
    expect(lab.apply(TO + 2 * MINUTE_MS).list).toContainEqual({
      type: "subject.silent",
      subject: away,
      since: at,
    });
  });

  test("inactivity stands still: so much later the score is what it was so much before", () => {
    for (const preset of ["storage-provider", "compute-worker"] as const) {
      const { lab, away, twin } = labOf(preset);
      const at = T0 + 1000;
      if (preset === "compute-worker")
        lab.apply(at, { jobs: jobsOf([away, twin].map((subject) => ({ subject, at, outcome: "success" }))) });
      else lab.apply(at, { samples: [away, twin].map((subject) => metric(subject, "uptime", 1, at)) });
      act(lab, announced(away, FROM, TO));
      lab.apply(TO + DAY_MS);
      const before = lab.component(
        twin,
        preset === "compute-worker" ? "success" : "uptime",
        TO + DAY_MS - (TO - FROM),
      );
      const after = lab.component(away, preset === "compute-worker" ? "success" : "uptime", TO + DAY_MS);
      expect(after.score).toBe(before.score);
    }
  });
});

test("whether a sample is excused is decided as the windows were when it was logged", () => {
  const cancellation = { ...signed, at: 140, position: 9 };
  const facts = { id: "mnt_1_0", subject: 0, ...signed, position: 1, policy: "p" } as const;
  const window = {
    ...facts,
    announcedAt: 100,
    from: 110,
    to: 200,
    status: "cancelled",
    cancellation,
  } as const;
  // Logged with the announcement or before it, by a clock that is ahead.
  expect(isExcused([window], 150, 100)).toBe(false);
  expect(isExcused([window], 150, 101)).toBe(true);
  expect(isExcused([window], 109, 120)).toBe(false);
  expect(isExcused([window], 150, 140)).toBe(true);
  expect(isExcused([window], 150, 141)).toBe(false);
  expect(isExcused([window], 139, 141)).toBe(true);
  expect(isExcused([{ ...window, cancellation: null }], 200, 141)).toBe(false);
});

describe("the bounds", () => {
  test("of length, notice, overlap and allowance refuse, and say which", () => {
    const { lab, away } = labOf("storage-provider", { notice: "2h" });
    const from = T0 + 3 * HOUR_MS;
    expect(act(lab, announced(away, from, from + 8 * HOUR_MS + 1))).toEqual({
      type: "maintenance_too_long",
      limitMs: 8 * HOUR_MS,
    });
    expect(act(lab, announced(away, T0 + HOUR_MS, from))).toEqual({
      type: "maintenance_too_soon",
      noticeMs: 2 * HOUR_MS,
    });
    const id = idOf(act(lab, announced(away, from, from + 8 * HOUR_MS)));
    expect(act(lab, announced(away, from + HOUR_MS, from + 9 * HOUR_MS))).toEqual({
      type: "maintenance_overlaps",
      id,
    });
    for (const day of [2, 4])
      act(lab, announced(away, from + day * DAY_MS, from + day * DAY_MS + 7 * HOUR_MS));
    expect(act(lab, announced(away, from + 6 * DAY_MS, from + 6 * DAY_MS + 3 * HOUR_MS))).toEqual({
      type: "maintenance_over_allowance",
      allowanceMs: 24 * HOUR_MS,
      leftMs: 2 * HOUR_MS,
    });
    expect(act(lab, announced(away, from + 6 * DAY_MS, from + 6 * DAY_MS + 2 * HOUR_MS))).toMatchObject({
      type: "done",
    });
    // The first eight hours leave the thirty days.
    const later = from + ALLOWANCE_SPAN_MS + 8 * HOUR_MS;
    lab.apply(from + 9 * HOUR_MS);
    expect(act(lab, announced(away, later, later + 8 * HOUR_MS))).toMatchObject({ type: "done" });
  });

  test("of the horizon and of an empty window refuse", () => {
    const { lab, away } = labOf("storage-provider", { horizon: "48h" });
    const last = T0 + 2 * DAY_MS;
    expect(act(lab, announced(away, last + 1, last + 2))).toEqual({
      type: "maintenance_too_far",
      horizonMs: 2 * DAY_MS,
    });
    expect(act(lab, announced(away, last, last + HOUR_MS))).toMatchObject({ type: "done" });
    expect(act(lab, announced(away, TO, TO))).toEqual({ type: "maintenance_empty" });
    expect(act(lab, announced(away, T0 - MINUTE_MS, T0))).toEqual({ type: "maintenance_empty" });
  });

  test("of the allowance count thirty days that begin with any window, and end in the middle of the last", () => {
    const { lab, away } = labOf("storage-provider");
    const day = (index: number): number => FROM + index * DAY_MS;
    // Announced from the last to the first, so that nothing that ends later is known of the first.
    for (const index of [30, 20, 10])
      expect(act(lab, announced(away, day(index), day(index) + 8 * HOUR_MS), T0 + 2 * HOUR_MS).type).toBe(
        "done",
      );
    const first = day(0) + 4 * HOUR_MS;
    // The thirty days from its beginning have twenty of the twenty-four hours.
    expect(act(lab, announced(away, first, first + 4 * HOUR_MS + 1))).toMatchObject({
      type: "maintenance_over_allowance",
      leftMs: 4 * HOUR_MS,
    });
    expect(act(lab, announced(away, first, first + 4 * HOUR_MS))).toMatchObject({ type: "done" });
  });

  test("of the queue are one entry for a subject, whatever is announced and cancelled", () => {
    const { lab, away } = labOf("storage-provider");
    const before = lab.state.deadlines.size;
    for (let index = 0; index < WINDOWS_MAX; index++) {
      const from = FROM + index * HOUR_MS;
      act(lab, cancelled(idOf(act(lab, announced(away, from, from + MINUTE_MS)))));
    }
    expect(lab.state.deadlines.size).toBe(before + 1);
  });

  test("of the queue drop entries of windows that were cancelled", () => {
    const { lab, away } = labOf("storage-provider");
    for (let index = WINDOWS_MAX; index > 0; index--) {
      const from = FROM + index * HOUR_MS;
      act(lab, cancelled(idOf(act(lab, announced(away, from, from + MINUTE_MS)))));
    }
    expect(lab.state.deadlines.size).toBeGreaterThanOrEqual(WINDOWS_MAX);
    dropWithdrawn(lab.state);
    expect(lab.state.deadlines.size).toBe(1);
  });

  test("of the queue lose no turn, in whatever order windows are announced and cancelled", () => {
    const step = fc.record({ slot: fc.nat(20), cancels: fc.boolean(), drops: fc.boolean() });
    const steps = fc.array(step, { maxLength: 30 });
    fc.assert(
      fc.property(steps, (made) => {
        const { lab, away } = labOf("storage-provider");
        for (const { slot, cancels, drops } of made) {
          const from = T0 + HOUR_MS + slot * HOUR_MS;
          const result = act(lab, announced(away, from, from + HOUR_MS / 2));
          if (result.type === "done" && cancels) act(lab, cancelled(result.id!));
          if (drops) dropWithdrawn(lab.state);
        }
        const open = lab.state.sanctions.of(away)?.maintenance.filter(({ status }) => status === "announced");
        const told: string[] = [];
        for (let at = T0 + HOUR_MS; at <= T0 + 23 * HOUR_MS; at += HOUR_MS / 2)
          for (const effect of lab.apply(at).list)
            if (effect.type === "maintenance.started" || effect.type === "maintenance.ended")
              told.push(`${effect.type} ${effect.window.id} ${at}`);
        const due = (open ?? [])
          .toSorted((a, b) => a.from - b.from)
          .flatMap(({ id, from, to }) => [
            `maintenance.started ${id} ${from}`,
            `maintenance.ended ${id} ${to}`,
          ]);
        expect(told).toEqual(due);
      }),
      { numRuns: 100 },
    );
  });

  test("nothing that has happened is excused", () => {
    const { lab, away } = labOf("storage-provider");
    lab.apply(T0 + DAY_MS);
    const now = lab.state.now;
    expect(act(lab, announced(away, now - HOUR_MS, now + HOUR_MS))).toMatchObject({
      type: "maintenance_too_soon",
    });
    // A request takes its time: the window then begins with the announcement.
    const id = idOf(act(lab, announced(away, now - MINUTE_MS, now + HOUR_MS)));
    expect(lab.state.sanctions.maintenance(id)).toMatchObject({ from: now, to: now + HOUR_MS });
    lab.apply(now + 1, { samples: [metric(away, "uptime", 0, now - 1)] });
    expect(lab.standing(away).eventCount).toBe(1);
  });

  test("a subject has so many windows at once", () => {
    const { lab, away } = labOf("storage-provider");
    const windows = Array.from({ length: WINDOWS_MAX + 1 }, (_, index) => {
      const from = FROM + index * MINUTE_MS;
      return announced(away, from, from + SECOND_MS);
    });
    const [result] = lab.apply(T0, { acts: windows }).results;
    expect(result).toMatchObject({ type: "applied" });
    const acts = result?.type === "applied" ? result.acts : [];
    expect(acts.at(-2)).toMatchObject({ type: "done" });
    expect(acts.at(-1)).toEqual({ type: "too_many_windows", limit: WINDOWS_MAX });
  });

  test("hold for every order of announcements: no thirty days have more than the allowance", () => {
    const wishes = fc.array(fc.tuple(fc.nat(60 * 24), fc.integer({ min: 1, max: 8 })), { maxLength: 40 });
    fc.assert(
      fc.property(wishes, (asked) => {
        const { lab, away } = labOf("storage-provider", { horizon: "1440h" });
        for (const [hour, length] of asked) {
          const from = FROM + hour * HOUR_MS;
          act(lab, announced(away, from, from + length * HOUR_MS));
        }
        const taken = lab.state.sanctions.of(away)?.maintenance ?? [];
        for (const { from: start } of taken) {
          const end = start + ALLOWANCE_SPAN_MS;
          const inside = taken.map(({ from, to }) => Math.max(0, Math.min(to, end) - Math.max(from, start)));
          expect(inside.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(24 * HOUR_MS);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("cancelling", () => {
  test("before it begins leaves nothing of it, and gives the allowance back", () => {
    const { lab, away } = labOf("storage-provider");
    const ids = [0, 1, 2].map((day) =>
      idOf(act(lab, announced(away, FROM + day * DAY_MS, FROM + day * DAY_MS + 8 * HOUR_MS))),
    );
    expect(act(lab, announced(away, FROM + 3 * DAY_MS, FROM + 3 * DAY_MS + 1))).toMatchObject({ leftMs: 0 });
    expect(act(lab, cancelled(ids[0]!))).toEqual({ type: "done", id: ids[0] });
    expect(act(lab, cancelled(ids[0]!))).toEqual({
      type: "maintenance_not_active",
      id: ids[0],
      status: "cancelled",
    });
    expect(act(lab, cancelled("mnt_0_0"))).toEqual({ type: "maintenance_not_found", id: "mnt_0_0" });
    expect(act(lab, announced(away, FROM + 3 * DAY_MS, FROM + 3 * DAY_MS + 8 * HOUR_MS))).toMatchObject({
      type: "done",
    });
    expect(lab.apply(FROM).list).toEqual([]);
    lab.sample(away, "uptime", 0, FROM + 1);
    expect(lab.standing(away).eventCount).toBe(1);
  });

  test("while it runs ends it then: what comes later counts", () => {
    const { lab, away, twin } = labOf("compute-worker");
    const id = idOf(act(lab, announced(away, FROM, TO)));
    lab.apply(FROM + HOUR_MS);
    const { list } = lab.apply(FROM + HOUR_MS, { acts: [cancelled(id)] });
    expect(list).toMatchObject([{ type: "maintenance.cancelled", subject: away }]);
    expect(eligibility(lab.state, away, lab.state.now)).toMatchObject({ eligible: true });
    expect(chosenAmong(lab, [away, twin], lab.state.now)).toEqual([away, twin]);
    expect(lab.apply(TO).list).toEqual([]);
  });

  test("one that runs lets the subject fall silent when it is, not when the window would have ended", () => {
    const { lab, away } = labOf("compute-worker");
    const at = FROM - MINUTE_MS;
    lab.apply(at, { health: healthOf([{ subject: away, at, parts: { memory_usage: 10 } }]) });
    const id = idOf(act(lab, announced(away, FROM, TO)));
    // The queue learns of the window when silence would have come.
    lab.apply(FROM + 2 * MINUTE_MS);
    act(lab, cancelled(id), FROM + HOUR_MS);
    const silentAt = FROM + HOUR_MS + 2 * MINUTE_MS;
    const silent = { type: "subject.silent", subject: away, since: at };
    expect(lab.apply(silentAt - 1).list).not.toContainEqual(silent);
    expect(lab.apply(silentAt).list).toContainEqual(silent);
  });

  test("of one of two that follow each other leaves the other running", () => {
    const { lab, away } = labOf("compute-worker");
    act(lab, announced(away, FROM + HOUR_MS, TO));
    act(lab, announced(away, FROM, FROM + HOUR_MS));
    lab.apply(FROM);
    lab.apply(FROM + HOUR_MS);
    expect(eligibility(lab.state, away, FROM + HOUR_MS).reasons).toMatchObject([
      { code: "maintenance", until: TO },
    ]);
  });
});

/** Who gets any of 100 jobs when these bid the same. */
function chosenAmong(lab: Lab, bidders: readonly number[], nowMs: number): number[] {
  const kind = lab.state.kinds[0]!;
  const candidates = new Candidates();
  const columns = {
    price: new Float64Array(bidders.length).fill(1),
    timeMs: new Float64Array(bidders.length).fill(1),
  };
  gather(lab.state, kind, { subject: Uint32Array.from(bidders), ...columns }, nowMs, candidates);
  const rules = kind.compiled.policy.selection;
  const chosen = new Set<number>();
  for (let seed = 0; seed < 100; seed++) {
    const request = { nowMs, seed, priceReference: null, timeReferenceMs: null, rules };
    const made = select(candidates, request, new DecisionWindow(10), new Selection());
    chosen.add(bidders[made.chosen]!);
  }
  return [...chosen].toSorted((a, b) => a - b);
}
