/** What happens when something changes: a worker fails for a while, somebody new comes, an operator floods. */
import { sized, type Scenario } from "../scenario.ts";
import { equalBids, hire, JOB_EVERY_MS, offer } from "../traffic.ts";
import { bad, good, World, type Bid } from "../world.ts";

const PER_SECOND = 1000 / JOB_EVERY_MS;

const WORKERS = 10;
/** All have proven themselves by then. */
const WARM_UP_SECONDS = 120;

/** One of ten fails everything for ten seconds. */
const recovery: Scenario = {
  name: "recovery",
  title: "10 s of total failure of one of ten",
  figures: [
    { name: "share in seconds 5 to 10", must: "at most", bound: 0.1, unit: "x fair" },
    { name: "share 120 to 180 s after", must: "at least", bound: 0.5, unit: "x fair" },
  ],
  run: (seed, size) => {
    const world = new World(seed);
    const subjects = hire(world, WORKERS);
    const warm = sized(WARM_UP_SECONDS, size) * PER_SECOND;
    const victim = subjects[0]!;
    const shares = [0, 0];
    const secondOf = (job: number): number => (job - warm) / PER_SECOND;
    offer(world, {
      jobs: warm + sized(10 + 180, size) * PER_SECOND,
      bids: equalBids(subjects),
      outcomeOf: (subject, job) =>
        subject === victim && secondOf(job) >= 0 && secondOf(job) < 10 ? bad : good,
      onChoice: (subject, job) => {
        const second = secondOf(job);
        if (subject !== victim) return;
        if (second >= 5 && second < 10) shares[0]! += 1;
        if (second >= 130 && second < 190) shares[1]! += 1;
      },
    });
    return [(shares[0]! * WORKERS) / (5 * PER_SECOND), (shares[1]! * WORKERS) / (60 * PER_SECOND)];
  },
};

const NEWCOMER_JOBS = 2000;
const LAST_JOBS = 500;

function newcomer(
  name: string,
  title: string,
  failureRate: number,
  figure: Scenario["figures"][0],
): Scenario {
  return {
    name,
    title,
    figures: [figure],
    run: (seed, size) => {
      const world = new World(seed);
      const old = hire(world, WORKERS);
      const warm = sized(WARM_UP_SECONDS, size) * PER_SECOND;
      const jobs = sized(NEWCOMER_JOBS, size);
      const last = sized(LAST_JOBS, size);
      offer(world, { jobs: warm, bids: equalBids(old), outcomeOf: () => good });
      const fresh = world.register("newcomer");
      let late = 0;
      const counts = offer(world, {
        firstJob: warm,
        jobs,
        bids: equalBids([...old, fresh]),
        outcomeOf: (subject) => (subject === fresh && world.random.next() < failureRate ? bad : good),
        onChoice: (subject, job) => {
          if (subject === fresh && job >= warm + jobs - last) late += 1;
        },
      });
      if (failureRate === 0) return [(late * (WORKERS + 1)) / last];
      return [(100 * (counts.get(fresh) ?? 0)) / jobs];
    },
  };
}

const REGISTRATIONS = 50;
const OF_ONE = 19;

/** One operator stands behind 19 of 50 registrations and bids 20 % less. */
const operator: Scenario = {
  name: "operator",
  title: "an operator with 19 of 50 registrations, 20 % cheaper",
  figures: [{ name: "largest share of 1,000 decisions", must: "at most", bound: 35, unit: "%" }],
  run: (seed, size) => {
    const world = new World(seed);
    const flood = Array.from({ length: OF_ONE }, (_, index) => world.register(`flood-${index}`, "one"));
    const others = hire(world, REGISTRATIONS - OF_ONE);
    const isOfOne = new Set(flood);
    const bids: Bid[] = equalBids([...flood, ...others]).map((bid) =>
      isOfOne.has(bid.subject) ? { ...bid, price: bid.price * 0.8 } : bid,
    );
    const chosen: boolean[] = [];
    offer(world, {
      jobs: sized(6000, size),
      bids,
      outcomeOf: () => good,
      onChoice: (subject) => chosen.push(isOfOne.has(subject)),
    });
    return [(100 * largestWindow(chosen, 1000)) / 1000];
  },
};

/** Most hits in any `length` in a row. */
function largestWindow(hits: readonly boolean[], length: number): number {
  let count = 0;
  let largest = 0;
  for (const [index, hit] of hits.entries()) {
    if (hit) count += 1;
    if (index >= length && hits[index - length] === true) count -= 1;
    largest = Math.max(largest, count);
  }
  return largest;
}

export const change: readonly Scenario[] = [
  recovery,
  newcomer("newcomer-good", "a newcomer that never fails among ten", 0, {
    name: "share of the last 500 of 2,000",
    must: "at least",
    bound: 0.5,
    unit: "x fair",
  }),
  newcomer("newcomer-bad", "a newcomer that fails half its jobs among ten", 0.5, {
    name: "jobs to the newcomer",
    must: "at most",
    bound: 4,
    unit: "%",
  }),
  operator,
];
