/** Choosing among bids whose columns are filled, with the decision added to the window. */
import {
  Candidates,
  DecisionWindow,
  HEALTH_UNKNOWN,
  PROBATION,
  select,
  Selection,
  SELECTION_DEFAULTS,
  SELECTION_POLICIES,
  type SelectionPolicy,
} from "@staunch/engine";
import { randomBits, START_MS } from "./fleet.ts";
import { quantile, secondsSince, type Result } from "./result.ts";

/** Sets of bids that take turns, so that no branch is learnt by heart. */
const SETS = 32;
const FEW = 100;
const FEW_DECISIONS = 200_000;
const MANY = 10_000;
const MANY_DECISIONS = 1_000;

export function* benchSelect(): Generator<Result> {
  const few = makeSets(FEW);
  const many = makeSets(MANY);
  for (const policy of SELECTION_POLICIES) {
    decide(policy, few, FEW_DECISIONS / 10);
    const start = performance.now();
    decide(policy, few, FEW_DECISIONS);
    yield {
      name: "select",
      unit: "selections/s",
      value: FEW_DECISIONS / secondsSince(start),
      conditions: { policy, bids: FEW, decisions: FEW_DECISIONS },
    };
    const spentMs = decide(policy, many, MANY_DECISIONS).sort();
    for (const share of [0.5, 0.99]) {
      yield {
        name: "select",
        unit: "ms",
        value: quantile(spentMs, share),
        conditions: { policy, bids: MANY, decisions: MANY_DECISIONS, quantile: share },
      };
    }
  }
}

/** Takes so many decisions and returns how long each took. */
function decide(policy: SelectionPolicy, sets: readonly Candidates[], decisions: number): Float64Array {
  const rules = { ...SELECTION_DEFAULTS, policy };
  const window = new DecisionWindow(rules.operatorWindow);
  const selection = new Selection();
  const random = randomBits(7);
  const spentMs = new Float64Array(decisions);
  for (let decision = 0; decision < decisions; decision++) {
    const candidates = sets[decision % SETS]!;
    const seed = random();
    const before = performance.now();
    select(
      candidates,
      { nowMs: START_MS, seed, priceReference: null, timeReferenceMs: null, rules },
      window,
      selection,
    );
    if (selection.chosen < 0) throw new Error("nobody was chosen");
    window.add(candidates.operator[selection.chosen]!);
    spentMs[decision] = performance.now() - before;
  }
  return spentMs;
}

/** One bidder in ten on probation, one in ten a newcomer, one in five without a health report, three to an operator. */
function makeSets(bids: number): Candidates[] {
  const random = randomBits(3);
  const uniform = (): number => (random() >>> 0) / 4294967296;
  return Array.from({ length: SETS }, () => {
    const candidates = new Candidates();
    candidates.reset(bids);
    for (let bid = 0; bid < bids; bid++) {
      const isNewcomer = uniform() < 0.1;
      candidates.subject[bid] = bid;
      candidates.price[bid] = 0.5 + uniform();
      candidates.timeMs[bid] = 500 + 1000 * uniform();
      candidates.reputation[bid] = isNewcomer ? 0.6 : 0.8 + 0.2 * uniform();
      candidates.condition[bid] = candidates.reputation[bid]! * 100;
      candidates.health[bid] = uniform() < 0.2 ? HEALTH_UNKNOWN : uniform();
      candidates.inFlight[bid] = Math.floor(4 * uniform());
      candidates.recent[bid] = 10 * uniform();
      candidates.operator[bid] = Math.floor((uniform() * bids) / 3);
      candidates.jobs[bid] = isNewcomer ? 0 : 500;
      candidates.completed[bid] = candidates.jobs[bid]!;
      candidates.successes[bid] = candidates.reputation[bid]! * (isNewcomer ? 10 : 510);
      candidates.failures[bid] = (isNewcomer ? 10 : 510) - candidates.successes[bid]!;
      candidates.flags[bid] = uniform() < 0.1 ? PROBATION : 0;
      candidates.explorationInFlight[bid] = 0;
      candidates.exploreNotBeforeMs[bid] = 0;
    }
    return candidates;
  });
}
