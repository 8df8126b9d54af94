/** Place, percentile and the best hundred of a million subjects, asked between batches of samples. */
import { apply, best, kindNamed } from "@staunch/engine";
import { BATCH_SIZE, entryOf, makeFleet, makeSamples, randomBits, START_MS } from "./fleet.ts";
import { quantile, type Result } from "./result.ts";

const SUBJECTS = 1_000_000;
const ROUNDS = 400;
const BATCHES = 64;
/** A single place takes less than the clock can tell, so a thousand are timed together. */
const PLACES = 1_000;
const TOP = 100;

export function* benchRank(): Generator<Result> {
  const state = makeFleet(SUBJECTS, false);
  const kind = kindNamed(state, "provider")!;
  const random = randomBits(11);
  const placeUs: number[] = [];
  const topUs: number[] = [];
  let checksum = 0;
  // Made beforehand: what making them allocates would be collected while a list is being timed.
  const batches = Array.from({ length: BATCHES }, () => makeSamples(SUBJECTS, BATCH_SIZE, START_MS, random));
  for (let round = 0; round < ROUNDS; round++) {
    const loggedAt = START_MS + (round + 1) * 8;
    const samples = batches[round % BATCHES]!;
    for (let place = 0; place < BATCH_SIZE; place++)
      samples.at[place]! += round < BATCHES ? round * 8 : BATCHES * 8;
    apply(state, { position: state.position + 1, loggedAt, entries: [entryOf(samples)] });
    const rows = Uint32Array.from({ length: PLACES }, () => samples.subject[random() % BATCH_SIZE]!);
    let before = performance.now();
    for (const row of rows) checksum += kind.rank.place(row) + kind.rank.percentile(row);
    placeUs.push(((performance.now() - before) * 1000) / PLACES);
    before = performance.now();
    checksum += best(kind, TOP).length;
    topUs.push((performance.now() - before) * 1000);
  }
  if (!(checksum > 0)) throw new Error("nothing was ranked");
  placeUs.sort((a, b) => a - b);
  topUs.sort((a, b) => a - b);
  const conditions = { subjects: SUBJECTS, ranked: kind.rank.count, between: "batches of 16,384 samples" };
  yield {
    name: "rank-place",
    unit: "us",
    value: quantile(placeUs, 0.99),
    conditions: { ...conditions, asked: "place and percentile", quantile: 0.99 },
  };
  yield {
    name: "rank-top",
    unit: "us",
    value: quantile(topUs, 0.5),
    conditions: { ...conditions, top: TOP, quantile: 0.5 },
  };
  yield {
    name: "rank-top",
    unit: "us",
    value: quantile(topUs, 0.99),
    conditions: { ...conditions, top: TOP, quantile: 0.99 },
  };
}
