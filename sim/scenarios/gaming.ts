/** Who plays with trust: earns it, spends it, and earns it again. */
import { workStanding } from "@staunch/engine";
import { sized, type Scenario } from "../scenario.ts";
import { equalBids, hire, offer } from "../traffic.ts";
import { bad, good, SECOND_MS, World } from "../world.ts";

const WORKERS = 10;
const WARM_UP_JOBS = 2400;
const CYCLES = 8;
/** The eighth cycle takes hundreds of jobs of the exploration share. */
const JOBS_MAX = 200_000;

/** Fails some jobs in a row, then none until it is trusted again: off probation, and its momentum restored. */
class OnOff {
  /** Honest jobs of each cycle; the last one is under way. */
  readonly honest: number[] = [];
  private readonly world: World;
  private readonly subject: number;
  private readonly inRow: number;
  private toFail = 0;
  private failedAt = 0;

  constructor(world: World, subject: number, inRow: number) {
    this.world = world;
    this.subject = subject;
    this.inRow = inRow;
  }

  outcome(): typeof good {
    if (this.toFail === 0 && this.isTrusted()) {
      this.honest.push(0);
      this.toFail = this.inRow;
    }
    if (this.toFail === 0) {
      this.honest[this.honest.length - 1]! += 1;
      return good;
    }
    this.toFail -= 1;
    this.failedAt = this.world.nowMs + SECOND_MS;
    return bad;
  }

  private isTrusted(): boolean {
    if (this.world.nowMs <= this.failedAt) return false;
    const { momentum, probation } = workStanding(this.world.state, this.subject, this.world.nowMs)!;
    return probation === null && momentum >= 0.95;
  }
}

const onOff = [3, 5, 10].map(
  (inRow): Scenario => ({
    name: `on-off-${inRow}`,
    title: `one of ten fails ${inRow} jobs in a row whenever it is trusted again`,
    figures: [
      { name: "loss per honest job, cycle 8", must: "at most", bound: 0.6, unit: "x that of cycle 1" },
    ],
    run: (seed, size) => {
      const world = new World(seed);
      const subjects = hire(world, WORKERS);
      const bids = equalBids(subjects);
      const warm = sized(WARM_UP_JOBS, size);
      offer(world, { jobs: warm, bids, outcomeOf: () => good });
      const attacker = new OnOff(world, subjects[0]!, inRow);
      for (let job = warm; job < warm + sized(JOBS_MAX, size) && attacker.honest.length <= CYCLES; job++)
        offer(world, {
          firstJob: job,
          jobs: 1,
          bids,
          outcomeOf: (subject) => (subject === subjects[0] ? attacker.outcome() : good),
        });
      const [first = 0] = attacker.honest;
      // Who has not come to the eighth cycle by then has lost nothing in it.
      if (attacker.honest.length < CYCLES) return [0];
      return [first / Math.max(1, attacker.honest[CYCLES - 1]!)];
    },
  }),
);

export const gaming: readonly Scenario[] = [...onOff];
