import fc from "fast-check";
import { expect, test } from "vitest";
import { JOB_CLASSES_MAX, JobClasses } from "./job-classes.ts";

const DAY_MS = 86_400_000;
const DECAY = 0.1 / DAY_MS;
const T0 = 1_700_000_000_000;

test("the median is within 1 % of the middle one", () => {
  const durations = fc.array(fc.double({ min: 1, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(durations, (all) => {
      const classes = new JobClasses();
      for (const durationMs of all) classes.count("c", durationMs, DECAY, T0);
      const middle = all.toSorted((a, b) => a - b)[Math.ceil(all.length / 2) - 1]!;
      const [observed] = [...classes];
      expect(observed).toMatchObject({ jobClass: "c", jobs: all.length });
      expect(Math.abs(observed!.medianMs / middle - 1)).toBeLessThan(0.01);
    }),
  );
});

test("what is long ago counts less than what is new, and is forgotten in the end", () => {
  const classes = new JobClasses();
  for (let job = 0; job < 30; job++) classes.count("slow", 1000, DECAY, T0);
  for (let job = 0; job < 20; job++) classes.count("slow", 100, DECAY, T0 + 7 * DAY_MS);
  // The thirty weigh e^-.7 each, 14.9 together.
  const [slow] = [...classes];
  expect(slow!.jobs).toBeCloseTo(30 * Math.exp(-0.7) + 20, 9);
  expect(slow!.medianMs / 100 - 1).toBeCloseTo(0, 1);
  classes.count("new", 1, DECAY, T0 + 200 * DAY_MS);
  expect([...classes].map(({ jobClass }) => jobClass)).toEqual(["new"]);
});

test("one class too many takes the place of the one with the least evidence", () => {
  const classes = new JobClasses();
  for (let name = 0; name < JOB_CLASSES_MAX; name++) {
    classes.count(`c${name}`, 1000, DECAY, T0);
    if (name !== 5) classes.count(`c${name}`, 1000, DECAY, T0);
  }
  classes.count("one more", 1000, DECAY, T0);
  expect(classes.has("c5")).toBe(false);
  expect([...classes]).toHaveLength(JOB_CLASSES_MAX);
});

test("what is restored goes on as what was dumped", () => {
  const step = fc.tuple(
    fc.constantFrom("a", "b", "c"),
    fc.double({ min: 1, max: 1e6, noNaN: true }),
    fc.integer({ min: 0, max: 2 * DAY_MS }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.array(step, { maxLength: 30 }), (before, after) => {
      const live = new JobClasses();
      live.medians.set("a", 5);
      let now = T0;
      const count = (classes: readonly JobClasses[], steps: typeof before): void => {
        for (const [name, durationMs, afterMs] of steps) {
          now += afterMs;
          for (const one of classes) one.count(name, durationMs, DECAY, now);
        }
      };
      count([live], before);
      const restored = new JobClasses();
      restored.restoreHead(JSON.parse(JSON.stringify(live.head())));
      restored.restore(JSON.parse(JSON.stringify(live.dump())));
      count([live, restored], after);
      expect([restored.head(), restored.dump()]).toEqual([live.head(), live.dump()]);
    }),
  );
});
