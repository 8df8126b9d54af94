/**
 * What cheating earns. Honest work costs .7 of its pay; a cheat costs nothing, and half of them are detected. A new
 * identity is free.
 */
import { INVALID_RESULT, SUCCESS } from "@staunch/engine";
import { sized, type Scenario } from "../scenario.ts";
import { equalBids, hire, JOB_EVERY_MS, offer } from "../traffic.ts";
import { good, SECOND_MS, T0, workerPolicy, World, type Bid, type Outcome } from "../world.ts";

/** In pays of a job. */
const COST = 0.7;
const DETECTION_RATE = 0.5;
const undetected: Outcome = { code: SUCCESS, durationMs: SECOND_MS };
const detected: Outcome = { code: INVALID_RESULT, durationMs: SECOND_MS };
/** Jobs for each worker before the first cheat, and while income is counted. */
const WARM_UP_JOBS = 120;
const COUNTED_JOBS = 600;

/** A name under which the cheat works, and what became of it. */
interface Identity {
  readonly subject: number;
  jobs: number;
  caught: number;
}

interface Strategy {
  readonly name: string;
  /** Identities at once. */
  readonly identities?: number;
  /** They are known to be of one operator. */
  readonly isKnown?: true;
  /** What a new identity costs, in pays of a job. */
  readonly deposit?: number;
  /** Share of the jobs that is cheated. */
  readonly cheats: (identity: Identity) => number;
  /** Whether a new identity takes its place. */
  readonly leaves?: (identity: Identity) => boolean;
}

const always = (): number => 1;
const isCaught = ({ caught }: Identity): boolean => caught > 0;
const stays = (name: string, share: number): Strategy => ({ name, cheats: () => share });
const SPARSE = [
  stays("cheats a fifth", 0.2),
  stays("cheats a tenth", 0.1),
  stays("cheats a twentieth", 0.05),
];
const trusted = (jobsMin: number): Strategy => ({
  name: `earns trust by ${jobsMin} jobs`,
  cheats: ({ jobs }) => (jobs < jobsMin ? 0 : 1),
  leaves: isCaught,
});
const OF_ONE: readonly Strategy[] = [
  stays("cheats always", 1),
  stays("cheats half", 0.5),
  ...SPARSE,
  { name: "re-joins when caught", cheats: always, leaves: isCaught },
  { name: "re-joins when caught twice", cheats: always, leaves: ({ caught }) => caught > 1 },
  trusted(20),
  trusted(100),
];
const OF_KNOWN: readonly Strategy[] = [1, 10].map((identities) => ({
  name: `known operator, ${identities} at once`,
  identities,
  isKnown: true,
  cheats: always,
  leaves: isCaught,
}));
const FLOODS: readonly Strategy[] = [10, 50].flatMap((identities) =>
  [0, 1].map((deposit) => ({
    name: `${identities} at once, ${deposit === 0 ? "free" : "deposit of a pay each"}`,
    identities,
    deposit,
    cheats: always,
    leaves: isCaught,
  })),
);

class Cheat {
  /** In pays of a job. */
  income = 0;
  /** All bids, those of the others too. */
  bids: readonly Bid[] = [];
  private readonly world: World;
  private readonly strategy: Strategy;
  private readonly isReported: boolean;
  private readonly others: readonly Bid[];
  private readonly identities = new Map<number, Identity>();
  private joined = 0;

  constructor(world: World, strategy: Strategy, isReported: boolean, others: readonly Bid[]) {
    this.world = world;
    this.others = others;
    this.strategy = strategy;
    this.isReported = isReported;
    this.join();
  }

  /** Gives up names, and takes new ones. */
  move(): void {
    const { leaves, identities = 1 } = this.strategy;
    for (const one of this.identities.values())
      if (leaves?.(one) === true) this.identities.delete(one.subject);
    while (this.identities.size < identities) this.join();
  }

  outcomeOf(subject: number): Outcome {
    const { random } = this.world;
    // One that was given up meanwhile does not bid any more, so it is there.
    const one = this.identities.get(subject)!;
    const isCheat = random.next() < this.strategy.cheats(one);
    one.jobs += 1;
    if (!isCheat) {
      this.income += 1 - COST;
      return good;
    }
    if (random.next() >= DETECTION_RATE) {
      this.income += 1;
      return undetected;
    }
    one.caught += 1;
    if (this.isReported) this.world.reportMisbehaviour(subject);
    return detected;
  }

  private join(): void {
    const { isKnown = false, deposit = 0 } = this.strategy;
    const subject = this.world.register(`cheat-${this.joined++}`, isKnown ? "cheat" : null);
    this.identities.set(subject, { subject, jobs: 0, caught: 0 });
    this.income -= deposit;
    this.bids = [...this.others, ...equalBids([...this.identities.keys()])];
  }
}

/** Income of one among so many workers that follows a strategy once all have been at work for a while. */
function incomeOf(
  seed: number,
  workers: number,
  strategy: Strategy,
  isReported: boolean,
  size: number,
): number {
  // What is reported is proven, so it counts at once.
  const world = new World(seed, workerPolicy({ misbehaviour: { confirm: "none" } }));
  const honest = equalBids(hire(world, workers - 1));
  const cheat = new Cheat(world, strategy, isReported, honest);
  const warm = sized(WARM_UP_JOBS, size) * workers;
  offer(world, { jobs: warm, bids: cheat.bids, outcomeOf: () => good });
  for (let job = warm; job < warm + sized(COUNTED_JOBS, size) * workers; job++) {
    world.advance(T0 + job * JOB_EVERY_MS);
    cheat.move();
    world.run(cheat.bids, (subject) => (subject < workers - 1 ? good : cheat.outcomeOf(subject)));
  }
  return cheat.income;
}

function cheating(
  name: string,
  title: string,
  workers: number,
  strategies: readonly Strategy[],
  { isReported = true, remark }: { isReported?: boolean; remark?: string } = {},
): Scenario {
  const figureOf = ({ name: strategy }: Strategy): Scenario["figures"][0] => ({
    name: strategy,
    must: "at most",
    bound: 1,
    unit: "x staying honest",
  });
  return {
    name: `${name}-of-${workers}`,
    title: `one of ${workers} ${title}`,
    ...(remark === undefined ? {} : { remark }),
    figures: strategies.map(figureOf),
    run: (seed, size) => {
      const honest = incomeOf(seed, workers, stays("stays honest", 0), false, size);
      return strategies.map((strategy) => incomeOf(seed, workers, strategy, isReported, size) / honest);
    },
  };
}

export const whitewash: readonly Scenario[] = [10, 50].flatMap((workers) => [
  cheating("whitewash", "cheats, and leaves when it does not pay any more", workers, OF_ONE),
  cheating("whitewash-known", "cheats under new names of its operator", workers, OF_KNOWN),
  cheating("whitewash-flood", "cheats under many names at once", workers, FLOODS, {
    remark: `Nobody can tell free names apart. Together they get the exploration share, 2 % of the jobs, and half of their
cheats are paid: 1 % of all pay, where an honest one of 50 keeps .6 %. With a deposit of one pay they earn nothing.`,
  }),
  cheating("unreported", "cheats, and what is detected is not paid but not reported", workers, SPARSE, {
    isReported: false,
    remark: `A few failures cost no jobs: bids within 2 % of each other count as equal, or no newcomer would get any. What
is known to be a cheat has to be reported as misbehaviour, see \`whitewash\`.`,
  }),
]);
