/** Workers in the fold: what scoring.md, section 6, promises of jobs, momentum, probation, health and the network. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JOB_OUTCOMES } from "../event/jobs.ts";
import { NOBODY, selectionNumber } from "../event/selection.ts";
import { parsePolicy } from "../policy/parse.ts";
import type { Policy } from "../policy/policy.ts";
import { stateHash } from "../read/digest.ts";
import { networkStanding } from "../read/network.ts";
import { standing } from "../read/standing.ts";
import { workStanding, type WorkStanding } from "../read/work.ts";
import type { Part } from "../snapshot/format.ts";
import { endReplay, restoreParts } from "../snapshot/restore.ts";
import { snapshotParts } from "../snapshot/write.ts";
import { createState, type State } from "../state/state.ts";
import { DAY_MS, Lab, MINUTE_MS, T0 } from "../testing/lab.ts";
import { healthOf, jobsOf, type Job } from "../testing/work.ts";
import { apply } from "./apply.ts";

const SECOND_MS = 1000;
const WORKER = policyOf({});

function policyOf(document: { readonly [key: string]: unknown }): Policy {
  const parsed = parsePolicy({ extends: "compute-worker", ...document });
  if (parsed.type === "invalid") throw new Error(JSON.stringify(parsed.problems));
  return parsed.policy;
}

function labOf(count: number, policy = WORKER): { lab: Lab; workers: number[] } {
  const lab = new Lab(policy, { aggregates: true });
  const workers = Array.from({ length: count }, (_, index) => lab.register(`worker-${index}`));
  lab.apply(T0);
  return { lab, workers };
}

function work(lab: Lab, subject: number, nowMs = lab.state.now): WorkStanding {
  return workStanding(lab.state, subject, nowMs)!;
}

/** One batch for each outcome, a second apart from `at` on. */
function run(lab: Lab, subject: number, outcomes: readonly Job["outcome"][], at = lab.state.now): void {
  for (const [index, outcome] of outcomes.entries()) {
    const end = at + (index + 1) * SECOND_MS;
    lab.apply(end, { jobs: jobsOf([{ subject, at: end, outcome }]) });
  }
}

const times = (count: number, outcome: Job["outcome"]): Job["outcome"][] =>
  Array.from({ length: count }, () => outcome);

describe("job outcomes", () => {
  test("success is the decayed rate under the prior of ten jobs at the initial score", () => {
    const { lab, workers } = labOf(1);
    const at = T0 + SECOND_MS;
    const outcomes = [...times(3, "success"), "failure"] as const;
    lab.apply(at, { jobs: jobsOf(outcomes.map((outcome) => ({ subject: workers[0]!, at, outcome }))) });
    expect(lab.component(workers[0]!, "success").score).toBeCloseTo((100 * (10 * 0.6 + 3)) / 14, 9);
  });

  test("a good job is worth its quality", () => {
    const { lab, workers } = labOf(1);
    const at = T0 + SECOND_MS;
    lab.apply(at, { jobs: jobsOf([{ subject: workers[0]!, at, outcome: "success", quality: 0.5 }]) });
    expect(lab.component(workers[0]!, "success").score).toBeCloseTo((100 * 6.5) / 11, 9);
  });

  test("declining and the client's fault change counters and nothing else", () => {
    const { lab, workers } = labOf(1);
    run(lab, workers[0]!, times(3, "success"));
    const before = lab.standing(workers[0]!);
    run(lab, workers[0]!, ["declined", "client_fault"]);
    const after = lab.standing(workers[0]!, before.asOf);
    expect({ ...after, eventCount: 0 }).toEqual({ ...before, eventCount: 0 });
    expect(work(lab, workers[0]!).jobs).toMatchObject({ completed: 3, declined: 1, clientFaults: 1 });
  });

  test("a time-out answers nothing, a plain failure half", () => {
    const { lab, workers } = labOf(2);
    run(lab, workers[0]!, ["failure"]);
    run(lab, workers[1]!, ["timeout"]);
    const reliability = (subject: number): number => lab.component(subject, "reliability").score;
    // Nothing was reported of health, so the answers have the whole component.
    expect(reliability(workers[0]!)).toBeCloseTo((100 * 6.5) / 11, 6);
    expect(reliability(workers[1]!)).toBeCloseTo((100 * 6) / 11, 6);
  });

  test("consistency is 1 - the coefficient of variation of actual over expected", () => {
    const { lab, workers } = labOf(1, policyOf({ reputation: { prior_weight: 0 } }));
    const at = T0 + SECOND_MS;
    const durations = [500, 1000, 1500];
    lab.apply(at, {
      jobs: jobsOf(
        durations.map((durationMs) => ({
          subject: workers[0]!,
          at,
          outcome: "success",
          durationMs,
          expectedMs: 1000,
        })),
      ),
    });
    // Mean 1, variance 1/6.
    expect(lab.component(workers[0]!, "consistency").score).toBeCloseTo(100 * (1 - Math.sqrt(1 / 6)), 9);
    // Faster than expected is as good as in time: the mean of 1, 1 and 2/3.
    expect(lab.component(workers[0]!, "efficiency").score).toBeCloseTo((100 * (1 + 1 + 2 / 3)) / 3, 9);
  });

  test("silence takes one per cent a day of what lies above the initial score, and nothing below it", () => {
    const { lab, workers } = labOf(2);
    run(lab, workers[0]!, times(40, "success"));
    run(lab, workers[1]!, times(40, "failure"));
    const now = lab.state.now;
    const components = (subject: number, nowMs: number) => lab.standing(subject, nowMs).components;
    for (const [place, subject] of workers.entries()) {
      const last = lab.standing(subject).lastEvidenceAt!;
      const before = components(subject, last);
      const after = components(subject, last + 10 * DAY_MS);
      for (const [index, { score }] of before.entries()) {
        const expected = score > 60 ? 60 + (score - 60) * 0.99 ** 10 : score;
        expect(after[index]!.score, `${place}`).toBeCloseTo(expected, 9);
      }
    }
    expect(now).toBeGreaterThan(T0);
  });

  test("more failures never raise a score, whatever came before", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...JOB_OUTCOMES), { maxLength: 40 }), (outcomes) => {
        const { lab, workers } = labOf(1);
        run(lab, workers[0]!, outcomes);
        const before = lab.standing(workers[0]!, lab.state.now + SECOND_MS).score;
        run(lab, workers[0]!, ["failure"]);
        expect(lab.standing(workers[0]!).score).toBeLessThanOrEqual(before + 1e-9);
      }),
      { numRuns: 40 },
    );
  });
});

describe("momentum and probation", () => {
  test("x .9 for a failure, x 1.05 for a success, at most 1", () => {
    const { lab, workers } = labOf(1);
    run(lab, workers[0]!, ["failure"]);
    expect(work(lab, workers[0]!).momentum).toBeCloseTo(0.9, 12);
    run(lab, workers[0]!, ["success"]);
    expect(work(lab, workers[0]!).momentum).toBeCloseTo(0.945, 12);
    run(lab, workers[0]!, times(3, "success"));
    expect(work(lab, workers[0]!).momentum).toBe(1);
  });

  test("failures that end within half a second of each other move it once", () => {
    const { lab, workers } = labOf(1);
    const at = T0 + SECOND_MS;
    const burst = [0, 100, 499].map(
      (late): Job => ({ subject: workers[0]!, at: at + late, outcome: "failure" }),
    );
    lab.apply(at + 499, { jobs: jobsOf(burst) });
    expect(work(lab, workers[0]!).momentum).toBeCloseTo(0.9, 12);
  });

  test("is entered by momentum and left after five good jobs in a row, ten the second time", () => {
    const { lab, workers } = labOf(1);
    run(lab, workers[0]!, times(30, "success"));
    run(lab, workers[0]!, times(2, "failure"));
    expect(work(lab, workers[0]!).probation).toMatchObject({ level: 1, goodInARow: 0, goodNeeded: 5 });
    run(lab, workers[0]!, times(4, "success"));
    expect(work(lab, workers[0]!).probation).not.toBeNull();
    run(lab, workers[0]!, ["success"]);
    expect(work(lab, workers[0]!).probation).toBeNull();
    run(lab, workers[0]!, times(2, "failure"));
    expect(work(lab, workers[0]!).probation).toMatchObject({ level: 2, goodNeeded: 10 });
  });

  test.each([
    ["three failures at the same instant", 1, "run"],
    ["two at a time, half of all jobs", 0, "recent"],
  ])("is entered by what momentum counts once: %s", (_, more, reason) => {
    const { lab, workers } = labOf(1);
    const subject = workers[0]!;
    run(lab, subject, times(100, "success"));
    const together = (outcome: Job["outcome"], count: number): void => {
      const at = lab.state.now + SECOND_MS;
      lab.apply(at, { jobs: jobsOf(Array.from({ length: count }, () => ({ subject, at, outcome }))) });
    };
    let attacks = 0;
    const effects: unknown[] = [];
    for (; attacks < 30 && work(lab, subject).probation === null; attacks++) {
      expect(work(lab, subject).momentum).toBeGreaterThan(0.9);
      together("failure", 2 + more);
      effects.push(...lab.state.effects.list);
      run(lab, subject, times(2, "success"));
    }
    expect(attacks).toBe(more === 1 ? 1 : 7);
    expect(effects).toContainEqual({ type: "probation.started", subject, reason, level: 1 });
  });

  test("a failure or two while many run is no run, and no probation", () => {
    const { lab, workers } = labOf(1);
    const subject = workers[0]!;
    const made = { kind: "provider", chosen: subject, operator: 0, exploring: false };
    const selections = Array.from({ length: 20 }, () => ({ ...made, record: new Uint8Array(0) }));
    lab.apply(T0 + SECOND_MS, { selections });
    const at = T0 + 2 * SECOND_MS;
    const failed = (count: number) =>
      Array.from({ length: count }, () => ({ subject, at, outcome: "failure" as const }));
    lab.apply(at, { jobs: jobsOf(failed(8)) });
    expect(work(lab, subject).probation).toBeNull();
    lab.apply(at, { jobs: jobsOf(failed(12)) });
    expect(work(lab, subject).probation).not.toBeNull();
  });

  test("the crossing is told once, with its reason", () => {
    const { lab, workers } = labOf(1);
    run(lab, workers[0]!, ["failure"]);
    const at = lab.state.now + SECOND_MS;
    const { list } = lab.apply(at, { jobs: jobsOf([{ subject: workers[0]!, at, outcome: "failure" }]) });
    expect(list.filter(({ type }) => type.startsWith("probation"))).toEqual([
      { type: "probation.started", subject: workers[0]!, reason: "momentum", level: 1 },
    ]);
  });
});

describe("health", () => {
  const report = (lab: Lab, subject: number, parts: { readonly [name: string]: number }, at: number) =>
    lab.apply(at, { health: healthOf([{ subject, at, parts }]) });

  test("is half the worst part and half the mean of those reported", () => {
    const { lab, workers } = labOf(1);
    // Memory half way from 75 to 98, disk at its good limit.
    report(lab, workers[0]!, { memory_usage: 86.5, disk_usage: 80 }, T0 + SECOND_MS);
    expect(work(lab, workers[0]!).health!.score).toBeCloseTo((50 + 75) / 2, 9);
  });

  test("load counts only while no job is assigned: working is not ill", () => {
    const { lab, workers } = labOf(1);
    report(lab, workers[0]!, { cpu_usage: 100, memory_usage: 10 }, T0 + SECOND_MS);
    expect(work(lab, workers[0]!).health!.score).toBeCloseTo((100 + 50) / 2, 9);
    const made = {
      kind: "provider",
      chosen: workers[0]!,
      operator: 0,
      exploring: false,
      record: new Uint8Array(0),
    };
    lab.apply(T0 + 2 * SECOND_MS, { selections: [made] });
    expect(work(lab, workers[0]!).health!.score).toBe(100);
  });

  test("a report that grows old widens, and after three intervals its subject is silent", () => {
    const { lab, workers } = labOf(1);
    const at = T0 + SECOND_MS;
    report(lab, workers[0]!, { memory_usage: 10 }, at);
    const read = (ageMs: number) => work(lab, workers[0]!, at + ageMs);
    expect(read(MINUTE_MS).health).toMatchObject({ score: 100, lower: 100, upper: 100 });
    expect(read(2 * MINUTE_MS).health).toMatchObject({ reported: 100, lower: 50, upper: 100, score: 75 });
    expect(read(3 * MINUTE_MS)).toMatchObject({
      state: "silent",
      health: { lower: 0, upper: 100, score: 50 },
    });
    expect(networkStanding(lab.state.kinds[0]!)).toMatchObject({ active: 1, healthy: 1 });
    const { list } = lab.apply(at + 3 * MINUTE_MS);
    expect(list).toContainEqual({ type: "subject.silent", subject: workers[0]!, since: at });
    expect(networkStanding(lab.state.kinds[0]!)).toMatchObject({ known: 1, rated: 1, active: 0, healthy: 0 });
  });

  test("reports on time keep reliability up, missed ones take it down", () => {
    const { lab, workers } = labOf(2);
    for (let minute = 1; minute <= 60; minute++) {
      const at = T0 + minute * MINUTE_MS;
      const subjects = minute % 5 === 0 ? workers : [workers[0]!];
      lab.apply(at, {
        health: healthOf(subjects.map((subject) => ({ subject, at, parts: { memory_usage: 10 } }))),
      });
    }
    const reliability = (subject: number): number => lab.component(subject, "reliability").score;
    // Reports are three tenths of it; the answers to jobs are at their prior of 60 until there is one.
    expect(reliability(workers[0]!)).toBeGreaterThan(0.7 * 60 + 0.3 * 90);
    expect(reliability(workers[1]!)).toBeLessThan(0.7 * 60 + 0.3 * 40);
  });
});

describe("selections in the fold", () => {
  test("an outcome that never comes is forgotten, and its job is no longer in flight", () => {
    const { lab, workers } = labOf(1);
    const made = {
      kind: "provider",
      chosen: workers[0]!,
      operator: 0,
      exploring: true,
      record: new Uint8Array(0),
    };
    lab.apply(T0 + SECOND_MS, { selections: [made] });
    expect(work(lab, workers[0]!).jobs).toMatchObject({ inFlight: 1, exploring: 1 });
    const { closings } = lab.apply(T0 + SECOND_MS + WORKER.selection.outcomeTimeoutMs);
    expect(closings).toEqual([{ number: selectionNumber(lab.log.at(-2)!.position, 0), outcome: null }]);
    expect(work(lab, workers[0]!).jobs).toMatchObject({ inFlight: 0, exploring: 0 });
  });

  test("an outcome of another worker than the chosen is refused and changes nothing", () => {
    const { lab, workers } = labOf(2);
    const made = {
      kind: "provider",
      chosen: workers[0]!,
      operator: 0,
      exploring: false,
      record: new Uint8Array(0),
    };
    const { results } = lab.apply(T0 + SECOND_MS, { selections: [made] });
    const selection = results[0]!.type === "applied" ? results[0]!.selections[0]! : NOBODY;
    const at = T0 + 2 * SECOND_MS;
    const stolen = lab.apply(at, {
      jobs: jobsOf([{ subject: workers[1]!, at, outcome: "success", selection }]),
    });
    expect(stolen.results[0]).toMatchObject({ refusedJobs: [{ row: 0, code: "selection_of_another" }] });
    expect(work(lab, workers[1]!).jobs.completed).toBe(0);
    expect(work(lab, workers[0]!).jobs.inFlight).toBe(1);
  });
});

test("durations and expectations of any size leave a score", () => {
  for (const [durationMs, expectedMs] of [
    [1500, 5e-324],
    [5e-324, 1e10],
    [5e-324, 5e-324],
    [3.1e10, 5e-324],
  ] as const) {
    const { lab, workers } = labOf(1);
    for (const second of [1, 2]) {
      const at = T0 + second * SECOND_MS;
      const job = { subject: workers[0]!, at, outcome: "success", durationMs, expectedMs } as const;
      lab.apply(at, { jobs: jobsOf([{ ...job, usedShare: 0 }]) });
    }
    const { score, lower, upper } = standing(lab.state, workers[0]!, lab.state.now);
    expect(score).toBeGreaterThan(0);
    expect(lower).toBeLessThanOrEqual(score);
    expect(upper).toBeGreaterThanOrEqual(score);
  }
});

test("a job without an expectation is measured by the median of its class, once that is a fact", () => {
  const { lab, workers } = labOf(2);
  const job = (subject: number, at: number) =>
    ({ subject, at, outcome: "success", durationMs: 2000, jobClass: "transcode" }) as const;
  lab.apply(T0 + SECOND_MS, { jobs: jobsOf([job(workers[0]!, T0 + SECOND_MS)]) });
  const efficiencyOf = (subject: number): number | undefined =>
    standing(lab.state, subject, lab.state.now).components.find(({ name }) => name === "efficiency")?.score;
  const before = efficiencyOf(workers[1]!);
  expect(efficiencyOf(workers[0]!)).toBe(before);
  const medians = [{ jobClass: "transcode", medianMs: 1000, jobs: 20 }];
  const fact = {
    type: "job_classes.measured",
    kind: "provider",
    medians,
    issuer: "staunch",
    reason: "",
  } as const;
  lab.apply(T0 + 2 * SECOND_MS, { acts: [fact] });
  lab.apply(T0 + 3 * SECOND_MS, { jobs: jobsOf([job(workers[1]!, T0 + 3 * SECOND_MS)]) });
  // Twice as long as the median: a trial of .5 beside the prior of ten.
  expect(efficiencyOf(workers[1]!)).toBeCloseTo((10 * 60 + 50) / 11, 9);
  const forgotten = { ...fact, medians: [{ jobClass: "transcode", medianMs: null, jobs: 0 }] };
  lab.apply(T0 + 4 * SECOND_MS, { acts: [forgotten] });
  lab.apply(T0 + 5 * SECOND_MS, { jobs: jobsOf([job(workers[0]!, T0 + 5 * SECOND_MS)]) });
  expect(efficiencyOf(workers[0]!)).toBe(before);
});

test("a snapshot written between batches, and the log behind it, give the same bits as the live state", () => {
  fc.assert(
    fc.property(fc.array(step(), { minLength: 5, maxLength: 40 }), fc.nat(39), (steps, begin) => {
      const { lab, workers } = labOf(40);
      const parts: Part[] = [];
      let writer: Generator<Part, void, void> | null = null;
      for (const [index, one] of steps.entries()) {
        if (index === begin % steps.length) writer = snapshotParts(lab.state, 1);
        const next = writer?.next();
        if (next !== undefined && next.done !== true) parts.push(copyOf(next.value));
        happen(lab, workers, one);
      }
      for (const part of writer ?? []) parts.push(copyOf(part));
      expect(stateHash(restored(parts, lab))).toBe(stateHash(lab.state));
      const network = networkStanding(restored(parts, lab).kinds[0]!);
      expect(network).toEqual(networkStanding(lab.state.kinds[0]!));
      expect(durationsOf(restored(parts, lab))).toEqual(durationsOf(lab.state));
    }),
    { numRuns: 40 },
  );
});

function durationsOf(state: State): unknown {
  const { durations, table } = state.kinds[0]!;
  return Array.from({ length: table.count }, (_, row) => durations!.read(row, 0, state.now));
}

/** Parts share one piece of memory, which the next one takes. */
function copyOf(part: Part): Part {
  return { ...part, bytes: part.bytes.slice() };
}

interface Step {
  readonly afterMs: number;
  readonly subject: number;
  readonly act: "job" | "health" | "select";
  readonly outcome: Job["outcome"];
}

function step(): fc.Arbitrary<Step> {
  return fc.record({
    afterMs: fc.constantFrom(0, 300, 1000, 70_000, 3_700_000),
    subject: fc.nat(39),
    act: fc.constantFrom("job", "health", "select"),
    outcome: fc.constantFrom(...JOB_OUTCOMES),
  });
}

function happen(lab: Lab, workers: readonly number[], { afterMs, subject: place, act, outcome }: Step): void {
  const at = lab.state.now + afterMs;
  const subject = workers[place]!;
  if (act === "health") {
    lab.apply(at, {
      health: healthOf([{ subject, at, parts: { memory_usage: place, response_time: 10 * place } }]),
    });
  } else if (act === "select") {
    const made = { kind: "provider", chosen: subject, operator: place % 3, exploring: place % 2 === 0 };
    lab.apply(at, { selections: [{ ...made, record: new Uint8Array(0) }] });
  } else {
    const [open] = lab.state.kinds[0]!.selections.open;
    const selection = open === undefined ? 0 : open[0];
    const who = open === undefined ? subject : open[1].subject;
    lab.apply(at, {
      jobs: jobsOf([
        {
          subject: who,
          at,
          outcome,
          durationMs: 900 + place,
          expectedMs: 1000,
          selection,
          jobClass: `c${place % 3}`,
        },
      ]),
    });
  }
}

function restored(parts: readonly Part[], lab: Lab): State {
  const restore = restoreParts({ seed: 99, policies: {}, aggregates: true });
  if (parts.length === 0) {
    const state = createState({ seed: 7, policies: { provider: WORKER }, aggregates: true });
    for (const batch of lab.log) apply(state, batch);
    return state;
  }
  for (const part of parts) restore.part(part);
  restore.finish();
  for (const batch of lab.log) if (batch.position > restore.state.position) apply(restore.state, batch);
  endReplay(restore.state);
  return restore.state;
}
