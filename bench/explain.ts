/** Explaining one subject of a fleet that has evidence. */
import { apply, explain, standing } from "@staunch/engine";
import { BATCH_SIZE, entryOf, makeFleet, makeSamples, randomBits, START_MS } from "./fleet.ts";
import { quantile, type Result } from "./result.ts";

const SUBJECTS = 100_000;
const ASKED = 20_000;

export function* benchExplain(): Generator<Result> {
  const state = makeFleet(SUBJECTS, false);
  const random = randomBits(5);
  let loggedAt = START_MS;
  for (let round = 0; round < 64; round++) {
    loggedAt += 60_000;
    const samples = makeSamples(SUBJECTS, BATCH_SIZE, loggedAt, random);
    apply(state, { position: state.position + 1, loggedAt, entries: [entryOf(samples)] });
  }
  for (const [name, read] of [
    ["explain", explain],
    ["standing", standing],
  ] as const) {
    const spentUs: number[] = [];
    let checksum = 0;
    for (let asked = 0; asked < ASKED; asked++) {
      const subject = random() % SUBJECTS;
      const before = performance.now();
      checksum += Object.keys(read(state, subject, loggedAt)).length;
      spentUs.push((performance.now() - before) * 1000);
    }
    if (!(checksum > 0)) throw new Error("nothing was explained");
    spentUs.sort((a, b) => a - b);
    for (const share of [0.5, 0.99]) {
      yield {
        name,
        unit: "us",
        value: quantile(spentUs, share),
        conditions: { subjects: SUBJECTS, quantile: share },
      };
    }
  }
}
