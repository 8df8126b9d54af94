/** How jobs are shared among workers that deserve alike, and around one that does not. */
import { sized, type Scenario } from "../scenario.ts";
import { equalBids, hire, offer } from "../traffic.ts";
import { bad, good, World } from "../world.ts";

const EQUALS = 20;
const JOBS = 6000;

const equals: Scenario = {
  name: "equals",
  title: "20 workers that never fail",
  figures: [
    { name: "largest share", must: "at most", bound: 1.3, unit: "x fair" },
    { name: "smallest share", must: "at least", bound: 0.6, unit: "x fair" },
  ],
  run: (seed, size) => {
    const world = new World(seed);
    const jobs = sized(JOBS, size);
    const subjects = hire(world, EQUALS);
    const counts = offer(world, { jobs, bids: equalBids(subjects), outcomeOf: () => good });
    const shares = subjects.map((subject) => ((counts.get(subject) ?? 0) * EQUALS) / jobs);
    return [Math.max(...shares), Math.min(...shares)];
  },
};

const oneDeadOfTen: Scenario = {
  name: "one-dead-of-ten",
  title: "ten workers, one dead, the others 99 %",
  figures: [
    { name: "success", must: "at least", bound: 0.988, unit: "of jobs" },
    { name: "largest healthy share", must: "at most", bound: 15, unit: "%" },
  ],
  run: (seed, size) => {
    const world = new World(seed);
    const jobs = sized(JOBS, size);
    const subjects = hire(world, 10);
    let succeeded = 0;
    const counts = offer(world, {
      jobs,
      bids: equalBids(subjects),
      outcomeOf: (subject) => {
        const outcome = subject !== subjects[0] && world.random.next() < 0.99 ? good : bad;
        if (outcome === good) succeeded += 1;
        return outcome;
      },
    });
    const largest = Math.max(...subjects.slice(1).map((subject) => counts.get(subject) ?? 0));
    return [succeeded / jobs, (100 * largest) / jobs];
  },
};

export const fairness: readonly Scenario[] = [equals, oneDeadOfTen];
