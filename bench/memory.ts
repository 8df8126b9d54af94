/** Resident memory of a fleet, each in a process of its own: scores only, and with a day of samples a minute. */
import { spawnSync } from "node:child_process";
import { apply, METRICS } from "@staunch/engine";
import { BATCH_SIZE, entryOf, makeFleet, makeSamples, randomBits, START_MS } from "./fleet.ts";
import type { Result } from "./result.ts";

const CASES = [
  { subjects: 1_000_000, aggregates: false, minutes: 2 },
  { subjects: 100_000, aggregates: true, minutes: 1_440 },
] as const;
const MINUTE_MS = 60_000;

export function* benchMemory(): Generator<Result> {
  for (const [index, { subjects, aggregates, minutes }] of CASES.entries()) {
    const child = spawnSync(process.execPath, ["--expose-gc", import.meta.filename, String(index)], {
      encoding: "utf8",
    });
    if (child.status !== 0) throw new Error(child.stderr);
    const { rss, eventCount } = JSON.parse(child.stdout) as { rss: number; eventCount: number };
    const conditions = {
      subjects,
      metrics: METRICS.length,
      aggregates,
      minutes,
      events: eventCount,
      measured: "RSS of the process",
    };
    yield { name: "memory", unit: "GB", value: rss / 1e9, conditions };
  }
}

/** Every subject reports its eight metrics once a minute. */
function fill(index: number): void {
  const { subjects, aggregates, minutes } = CASES[index]!;
  const state = makeFleet(subjects, aggregates);
  const random = randomBits(3);
  for (let minute = 1; minute <= minutes; minute++) {
    const loggedAt = START_MS + minute * MINUTE_MS;
    for (let first = 0; first < subjects * METRICS.length; first += BATCH_SIZE) {
      const count = Math.min(BATCH_SIZE, subjects * METRICS.length - first);
      const samples = makeSamples(subjects, count, loggedAt, random);
      for (let place = 0; place < count; place++)
        samples.subject[place] = Math.floor((first + place) / METRICS.length);
      apply(state, { position: state.position + 1, loggedAt, entries: [entryOf(samples)] });
    }
  }
  globalThis.gc?.();
  console.log(JSON.stringify({ rss: process.memoryUsage.rss(), eventCount: state.eventCount }));
}

if (process.argv[1] === import.meta.filename) fill(Number(process.argv[2]));
