/** What monitors see: whether their own fault is told from one of the measured, and what a burst of probes costs. */
import { standing } from "@staunch/engine";
import { sized, type Scenario } from "../scenario.ts";
import { hire } from "../traffic.ts";
import { policyOf, SECOND_MS, T0, World, type Probe } from "../world.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const MONITOR = "probe-fra";
/** A probe that fails for no reason. */
const STRAY_FAILURE_RATE = 0.002;
/** The window of five minutes in which the monitor fails, and how long is watched in all. */
const OUTAGE_FROM_MINUTE = 60;
const OUTAGE_TO_MINUTE = 65;
const WATCHED_MINUTES = 90;

/**
 * Providers that one monitor probes each minute, of which the first `failing` fail in one window; or, where nothing is
 * `seen` of that window, the same without any probe in it.
 */
function watch(seed: number, providers: number, failing: number, isSeen: boolean): World {
  const world = new World(seed, policyOf({ extends: "storage-provider" }));
  const subjects = hire(world, providers, "provider");
  for (let minute = 0; minute < WATCHED_MINUTES; minute++) {
    world.nowMs = T0 + minute * MINUTE_MS;
    const isOutage = minute >= OUTAGE_FROM_MINUTE && minute < OUTAGE_TO_MINUTE;
    const probes = subjects.map((subject, place): Probe => {
      const isStray = world.random.next() < STRAY_FAILURE_RATE;
      const fails = isStray || (isOutage && place < failing);
      return { subject, metric: "uptime", value: fails ? 0 : 1, at: world.nowMs };
    });
    world.observe(isOutage && !isSeen ? [] : probes, MONITOR);
    world.judge();
  }
  return world;
}

function scoresOf(world: World): number[] {
  return Array.from({ length: world.state.places.count }, (_, subject) => scoreOf(world, subject));
}

function scoreOf(world: World, subject: number): number {
  return standing(world.state, subject, world.nowMs).score;
}

const outages: readonly Scenario[] = [40, 200].map((providers) => ({
  name: `monitor-outage-of-${providers}`,
  title: `19 of ${providers} providers fail in one window at their monitor`,
  figures: [{ name: "scores that moved", must: "at most", bound: 0, unit: "scores" }],
  run: (seed, size) => {
    const seen = scoresOf(watch(seed, sized(providers, size), 19, true));
    const unseen = scoresOf(watch(seed, sized(providers, size), 19, false));
    return [seen.filter((score, subject) => score !== unseen[subject]).length];
  },
}));

const oneOfThree: Scenario = {
  name: "monitor-one-dead-of-3",
  title: "one of 3 providers fails in one window",
  figures: [
    { name: "windows voided", must: "at most", bound: 0, unit: "windows" },
    { name: "score it lost to the others", must: "at least", bound: 0.1, unit: "points" },
  ],
  run: (seed) => {
    const world = watch(seed, 3, 1, true);
    const [dead = 0, ...healthy] = scoresOf(world);
    return [world.state.provisional.voids.length, Math.min(...healthy) - dead];
  },
};

const BURST = 200;
/** What one probe sees of an outage depends on when it comes: the drop is the mean over so many outages. */
const OUTAGES = 50;
const WATCHED_HOURS = 12;

interface Steady {
  readonly everyMinutes: number;
  readonly outageMs: number;
}

/** Score after half a day of steady probes, with an outage in its last hour but one during which further ones came. */
function scoreAfter(seed: number, { everyMinutes, outageMs }: Steady, further: number): number {
  const world = new World(seed, policyOf({ extends: "storage-provider" }));
  const [subject] = hire(world, 1, "provider") as [number];
  const downFrom = T0 + 10 * HOUR_MS + Math.floor(world.random.next() * HOUR_MS);
  const isDown = (at: number): boolean => further > 0 && at >= downFrom && at < downFrom + outageMs;
  const steady = Array.from(
    { length: (WATCHED_HOURS * HOUR_MS) / (everyMinutes * MINUTE_MS) },
    (_, probe) => T0 + probe * everyMinutes * MINUTE_MS,
  );
  const burst = Array.from({ length: further }, () => downFrom + Math.floor(world.random.next() * outageMs));
  for (const at of [...steady, ...burst].toSorted((a, b) => a - b)) {
    world.nowMs = at;
    world.observe([{ subject, metric: "uptime", value: isDown(at) ? 0 : 1, at }], MONITOR);
    world.judge();
  }
  world.nowMs = T0 + WATCHED_HOURS * HOUR_MS;
  world.observe([]);
  return scoreOf(world, subject);
}

const bursts = [10, 60].flatMap((seconds) =>
  [1, 15].map((everyMinutes): Scenario => {
    const steady = { everyMinutes, outageMs: seconds * SECOND_MS };
    return {
      name: `probe-burst-of-${seconds}-s-per-${everyMinutes}-min`,
      title: `200 further probes see an outage of ${seconds} s, beside one probe per ${everyMinutes} min`,
      figures: [{ name: "drop", must: "at most", bound: 1.25, unit: "x that by one further probe" }],
      remark: `The further probes show how long the outage was: up to the next steady probe, in the mean a minute and a
half. One further probe shows a minute and a sixth.`,
      run: (seed, size) => {
        let byOne = 0;
        let byBurst = 0;
        for (let outage = 0; outage < sized(OUTAGES, size); outage++) {
          const of = seed * OUTAGES + outage;
          const whole = scoreAfter(of, steady, 0);
          byOne += whole - scoreAfter(of, steady, 1);
          byBurst += whole - scoreAfter(of, steady, BURST);
        }
        return [byBurst / byOne];
      },
    };
  }),
);

export const monitors: readonly Scenario[] = [...outages, oneOfThree, ...bursts];
