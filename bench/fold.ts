/** Events a second through `apply`: eight metrics, scores only and with aggregates, and how the fleet's size costs. */
import { apply, type State } from "@staunch/engine";
import { BATCH_SIZE, entryOf, makeFleet, makeSamples, randomBits, START_MS } from "./fleet.ts";
import { secondsSince, type Result } from "./result.ts";

/** Batches made beforehand and folded again and again with the time moved on. */
const BATCHES = 64;
const SECONDS = 8;
/** A batch each 8 ms is two million events a second. */
const STEP_MS = 8;

export function* benchFold(): Generator<Result> {
  for (const aggregates of [false, true]) {
    const perSubjects = new Map<number, number>();
    for (const subjects of [100_000, 1_000_000]) {
      const eventsPerSecond = measure(makeFleet(subjects, aggregates), subjects);
      perSubjects.set(subjects, eventsPerSecond);
      yield {
        name: "fold",
        unit: "events/s",
        value: Math.round(eventsPerSecond),
        conditions: { subjects, metrics: 8, aggregates, batch: BATCH_SIZE },
      };
    }
    const growth = perSubjects.get(100_000)! / perSubjects.get(1_000_000)!;
    yield {
      name: "growth",
      unit: "times slower",
      value: growth,
      conditions: { from: 100_000, to: 1_000_000, aggregates },
    };
  }
}

function measure(state: State, subjects: number): number {
  const random = randomBits(7);
  const batches = Array.from({ length: BATCHES }, () => makeSamples(subjects, BATCH_SIZE, START_MS, random));
  let now = START_MS;
  const step = (index: number): number => {
    now += STEP_MS;
    const samples = batches[index % BATCHES]!;
    for (let place = 0; place < samples.count; place++)
      samples.at[place]! += index < BATCHES ? now - START_MS : BATCHES * STEP_MS;
    const began = performance.now();
    apply(state, { position: state.position + 1, loggedAt: now, entries: [entryOf(samples)] });
    return performance.now() - began;
  };
  let index = 0;
  // The first pass meets every subject for the first time and warms the compiler.
  for (; index < BATCHES; index++) step(index);
  let spent = 0;
  let events = 0;
  const began = performance.now();
  while (secondsSince(began) < SECONDS) {
    spent += step(index++);
    events += BATCH_SIZE;
  }
  return events / (spent / 1000);
}
