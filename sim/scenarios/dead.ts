/** One worker that fails every call among healthy ones: how many of the jobs it still gets. */
import { TIMEOUT } from "@staunch/engine";
import { sized, type Scenario } from "../scenario.ts";
import { equalBids, hire, offer } from "../traffic.ts";
import { bad, good, workerPolicy, World, type Outcome } from "../world.ts";

const JOBS = 6000;

interface Case {
  readonly name: string;
  readonly title: string;
  readonly healthy: number;
  readonly policy: "power-of-two" | "proportional";
  readonly bound: number;
  /** The dead one asks and promises a fifth. */
  readonly cheap?: true;
  readonly failure?: Outcome;
  /** Good jobs before it dies. */
  readonly dies?: number;
}

const slow: Outcome = { code: TIMEOUT, durationMs: 10_000 };

const CASES: readonly Case[] = [3, 9].flatMap((healthy) =>
  (["power-of-two", "proportional"] as const).flatMap((policy): Case[] => [
    { name: "dead", title: "fails every call", healthy, policy, bound: 0.1 },
    { name: "dead-cheap", title: "and bids a fifth", healthy, policy, bound: 0.15, cheap: true },
    { name: "dead-slow", title: "by 10 s time-outs", healthy, policy, bound: 0.15, failure: slow },
    { name: "dead-late", title: "after 6,000 good jobs", healthy, policy, bound: 0.15, dies: 6000 },
  ]),
);

export const dead: readonly Scenario[] = CASES.map((one) => ({
  name: `${one.name}-of-${one.healthy + 1}-${one.policy}`,
  title: `one dead among ${one.healthy} healthy, ${one.title}, ${one.policy}`,
  figures: [{ name: "jobs to the dead one", must: "at most", bound: one.bound, unit: "%" }],
  run: (seed, size) => [shareOfDead(seed, size, one)],
}));

function shareOfDead(seed: number, size: number, one: Case): number {
  const { healthy, policy, cheap, failure = bad } = one;
  const world = new World(seed, workerPolicy({ selection: { policy } }));
  const subjects = hire(world, healthy + 1);
  const victim = subjects[0]!;
  const bids = equalBids(subjects).map((bid) =>
    cheap && bid.subject === victim ? { ...bid, price: bid.price / 5, timeMs: bid.timeMs / 5 } : bid,
  );
  const dies = sized(one.dies ?? 0, size);
  if (dies > 0) offer(world, { jobs: dies, bids, outcomeOf: () => good });
  const jobs = sized(JOBS, size);
  const counts = offer(world, {
    firstJob: dies,
    jobs,
    bids,
    outcomeOf: (subject) => (subject === victim ? failure : good),
  });
  return (100 * (counts.get(victim) ?? 0)) / jobs;
}
