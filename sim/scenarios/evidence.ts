/** What the score says of workers that differ little, and how often its interval holds. */
import { standing } from "@staunch/engine";
import { sized, type Scenario } from "../scenario.ts";
import { hire } from "../traffic.ts";
import { bad, good, T0, World } from "../world.ts";

const RATES = [0.005, 0.01, 0.02, 0.05, 0.1];
const DAY_MS = 86_400_000;

interface Success {
  readonly score: number;
  readonly lower: number;
  readonly upper: number;
}

/** Each worker gets `jobs` within a day and fails at its rate; the success component of each at the end. */
function measured(seed: number, rates: readonly number[], jobs: number): Success[] {
  const world = new World(seed);
  const subjects = hire(world, rates.length);
  for (let job = 0; job < jobs; job++) {
    world.advance(T0 + Math.floor(((job + 1) * DAY_MS) / jobs));
    for (const [place, subject] of subjects.entries())
      world.report(subject, 0, world.random.next() < rates[place]! ? bad : good);
  }
  return subjects.map((subject) => {
    const { components } = standing(world.state, subject, world.nowMs);
    return components.find(({ name }) => name === "success")!;
  });
}

function share(holds: readonly boolean[]): number {
  return holds.filter(Boolean).length / holds.length;
}

const saturation: Scenario = {
  name: "saturation",
  title: "failure rates .5, 1, 2, 5 and 10 %",
  figures: [
    { name: "means in order at 5,000", must: "at least", bound: 1, unit: "of pairs" },
    { name: ".5 from 2, 1 from 5, 5 from 10 at 5,000", must: "at least", bound: 1, unit: "of pairs" },
    { name: "each neighbour at 20,000", must: "at least", bound: 1, unit: "of pairs" },
  ],
  run: (seed, size) => {
    const some = measured(seed, RATES, sized(5000, size));
    const many = measured(seed, RATES, sized(20_000, size));
    const apart = (list: readonly Success[], better: number, worse: number): boolean =>
      list[better]!.lower > list[worse]!.upper;
    const neighbours = [0, 1, 2, 3];
    return [
      share(neighbours.map((place) => some[place]!.score > some[place + 1]!.score)),
      share([apart(some, 0, 2), apart(some, 1, 3), apart(some, 3, 4)]),
      share(neighbours.map((place) => apart(many, place, place + 1))),
    ];
  },
};

/** Workers of one rate, so that a seed counts many intervals. */
const COVERED = 100;

const coverage: readonly Scenario[] = [0.005, 0.05, 0.2].map((rate) => ({
  name: `coverage-${rate * 100}-percent`,
  title: `95 % intervals of success at a failure rate of ${rate * 100} %`,
  figures: [
    { name: "intervals that hold", must: "at least", bound: 94, unit: "%" },
    { name: "and not more", must: "at most", bound: 97, unit: "%" },
  ],
  run: (seed, size) => {
    const rates = Array.from({ length: sized(COVERED, size) }, () => rate);
    const holds = measured(seed, rates, 1000).map(
      ({ lower, upper }) => lower <= 100 * (1 - rate) && 100 * (1 - rate) <= upper,
    );
    return [100 * share(holds), 100 * share(holds)];
  },
}));

export const evidence: readonly Scenario[] = [saturation, ...coverage];
