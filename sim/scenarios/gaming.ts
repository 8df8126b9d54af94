/** Who plays with trust: earns it, spends it, and earns it again. */
import { FAILURE, workStanding } from "@staunch/engine";
import { sized, type Scenario } from "../scenario.ts";
import { equalBids, hire, offer } from "../traffic.ts";
import { good, SECOND_MS, World, type Outcome } from "../world.ts";

const WORKERS = 10;
const WARM_UP_JOBS = 2400;
const CYCLES = 8;
/** The eighth cycle takes hundreds of jobs of the exploration share: four hours in all. */
const JOBS_MAX = 300_000;
/** Failures are held for so long from the first one on. */
const HELD_MS = 3 * SECOND_MS;

/** Fails some jobs in a row, then none until it is trusted again: off probation, and its momentum restored. */
class OnOff {
  /** Honest jobs of each cycle; the last one is under way. */
  readonly honest: number[] = [];
  private readonly world: World;
  private readonly subject: number;
  private readonly attack: Attack;
  private toFail = 0;
  private failsAt = 0;

  constructor(world: World, subject: number, attack: Attack) {
    this.world = world;
    this.subject = subject;
    this.attack = attack;
  }

  outcome(): Outcome {
    const { nowMs } = this.world;
    if (this.toFail === 0 && this.isTrusted()) {
      this.honest.push(0);
      this.toFail = this.attack.inRow;
      this.failsAt = nowMs + HELD_MS;
    }
    if (this.toFail === 0) {
      this.honest[this.honest.length - 1]! += 1;
      return good;
    }
    this.toFail -= 1;
    if (!this.attack.isHeld || nowMs >= this.failsAt) this.failsAt = nowMs + SECOND_MS;
    return { code: FAILURE, durationMs: this.failsAt - nowMs };
  }

  private isTrusted(): boolean {
    if (this.world.nowMs <= this.failsAt) return false;
    const { momentum, probation } = workStanding(this.world.state, this.subject, this.world.nowMs)!;
    return probation === null && momentum >= 0.95;
  }
}

interface Attack {
  readonly inRow: number;
  /** The jobs that fail are held so that they end together, where as many come in time. */
  readonly isHeld: boolean;
}

const ATTACKS = [false, true].flatMap((isHeld) => [3, 5, 10].map((inRow): Attack => ({ inRow, isHeld })));

export const gaming: readonly Scenario[] = ATTACKS.map((attack) => ({
  name: `on-off-${attack.inRow}${attack.isHeld ? "-held" : ""}`,
  title: `one of ten fails ${attack.inRow} jobs in a row${attack.isHeld ? ", all at once," : ""} whenever it is trusted again`,
  figures: [
    {
      name: "loss per honest job, cycle 8 (0: not in 4 h)",
      must: "at most",
      bound: 0.6,
      unit: "x that of cycle 1",
    },
  ],
  run: (seed, size) => {
    const world = new World(seed);
    const subjects = hire(world, WORKERS);
    const bids = equalBids(subjects);
    const warm = sized(WARM_UP_JOBS, size);
    offer(world, { jobs: warm, bids, outcomeOf: () => good });
    const attacker = new OnOff(world, subjects[0]!, attack);
    for (let job = warm; job < warm + sized(JOBS_MAX, size) && attacker.honest.length <= CYCLES; job++)
      offer(world, {
        firstJob: job,
        jobs: 1,
        bids,
        outcomeOf: (subject) => (subject === subjects[0] ? attacker.outcome() : good),
      });
    // Who is not through with its eighth cycle by then was not trusted for long enough.
    if (attacker.honest.length <= CYCLES) return [0];
    const [first = 0] = attacker.honest;
    return [first / attacker.honest[CYCLES - 1]!];
  },
}));
