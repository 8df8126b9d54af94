/** A pool in which nobody is left whom one would choose. */
import { BANNED } from "@staunch/engine";
import { sized, type Scenario } from "../scenario.ts";
import { equalBids, hire, offer } from "../traffic.ts";
import { bad, World } from "../world.ts";

const WORKERS = 10;
const JOBS = 1000;

const allOnProbation: Scenario = {
  name: "collapse-probation",
  title: "all of ten fail until each is on probation, and go on failing",
  figures: [
    { name: "jobs answered", must: "at least", bound: 100, unit: "%" },
    { name: "of them marked degraded", must: "at least", bound: 100, unit: "%" },
  ],
  run: (seed, size) => {
    const world = new World(seed);
    const subjects = hire(world, WORKERS);
    const bids = equalBids(subjects);
    const outcomeOf = () => bad;
    // Ten seconds are enough for all to fail more than once.
    offer(world, { jobs: 200, bids, outcomeOf });
    const jobs = sized(JOBS, size);
    let answered = 0;
    let degraded = 0;
    offer(world, {
      firstJob: 200,
      jobs,
      bids,
      outcomeOf,
      onChoice: () => {
        answered += 1;
        if (world.selection.mode === "degraded") degraded += 1;
      },
    });
    return [(100 * answered) / jobs, (100 * degraded) / answered];
  },
};

const allBanned: Scenario = {
  name: "collapse-ban",
  title: "all of ten are banned",
  figures: [
    { name: "jobs answered", must: "at most", bound: 0, unit: "%" },
    { name: "bids told that they are banned", must: "at least", bound: 100, unit: "%" },
  ],
  run: (seed, size) => {
    const world = new World(seed);
    const subjects = hire(world, WORKERS);
    for (const subject of subjects) world.ban(subject);
    const jobs = sized(JOBS, size);
    let told = 0;
    let answered = 0;
    for (let job = 0; job < jobs; job++) {
      if (world.select(equalBids(subjects)) !== null) answered += 1;
      const { exclusion, count } = world.selection;
      told += exclusion.subarray(0, count).filter((reason) => reason === BANNED).length;
    }
    return [(100 * answered) / jobs, (100 * told) / (jobs * WORKERS)];
  },
};

export const collapse: readonly Scenario[] = [allOnProbation, allBanned];
