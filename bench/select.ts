/** Choosing among bids: where their columns are filled, and where what is known of the bidders is read first. */
import {
  apply,
  Candidates,
  DecisionWindow,
  EMPTY_ENTRY,
  gather,
  HEALTH_UNKNOWN,
  PROBATION,
  select,
  Selection,
  SELECTION_DEFAULTS,
  SELECTION_POLICIES,
  type SelectionPolicy,
  type State,
} from "@staunch/engine";
import { BATCH_SIZE, randomBits, START_MS } from "./fleet.ts";
import { quantile, secondsSince, type Result } from "./result.ts";
import { makeJobs, makeWorkers } from "./work.ts";

/** Sets of bids that take turns, so that no branch is learnt by heart. */
const SETS = 32;
const FEW = 100;
const FEW_DECISIONS = 200_000;
const MANY = 10_000;
const MANY_DECISIONS = 1_000;
const STATE_DECISIONS = 50_000;
/** Some jobs for most of the workers. */
const FLEET_BATCHES = 100;

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
  for (const workers of [2_000, 1_000_000]) yield* benchBids(workers);
}

/** With what is known of the bidders read from their rows first: warm ones of a small fleet, cold ones of a large. */
function* benchBids(workers: number): Generator<Result> {
  const fleet = fleetWithJobs(workers);
  const common = { policy: "power-of-two", workers };
  decideFromState(fleet, workers, FEW, STATE_DECISIONS / 10);
  const spentMs = decideFromState(fleet, workers, FEW, STATE_DECISIONS);
  yield {
    name: "bids",
    unit: "selections/s",
    value: (STATE_DECISIONS * 1000) / spentMs.reduce((sum, ms) => sum + ms, 0),
    conditions: { ...common, bids: FEW, decisions: STATE_DECISIONS },
  };
  if (workers < MANY) return;
  const manyMs = decideFromState(fleet, workers, MANY, MANY_DECISIONS).sort();
  for (const share of [0.5, 0.99]) {
    yield {
      name: "bids",
      unit: "ms",
      value: quantile(manyMs, share),
      conditions: { ...common, bids: MANY, decisions: MANY_DECISIONS, quantile: share },
    };
  }
}

/** Returns how long each decision took, in ms. */
function decideFromState(state: State, workers: number, bids: number, decisions: number): Float64Array {
  const rules = { ...SELECTION_DEFAULTS };
  const kind = state.kinds[0]!;
  const window = new DecisionWindow(rules.operatorWindow);
  const selection = new Selection();
  const candidates = new Candidates();
  const random = randomBits(11);
  const price = new Float64Array(bids).fill(1);
  const timeMs = new Float64Array(bids).fill(1000);
  const spentMs = new Float64Array(decisions);
  for (let decision = 0; decision < decisions; decision++) {
    const subject = Uint32Array.from({ length: bids }, () => random() % workers);
    const seed = random();
    const before = performance.now();
    gather(state, kind, { subject, price, timeMs }, state.now, candidates);
    select(
      candidates,
      { nowMs: state.now, seed, priceReference: null, timeReferenceMs: null, rules },
      window,
      selection,
    );
    spentMs[decision] = performance.now() - before;
  }
  return spentMs;
}

function fleetWithJobs(workers: number): State {
  const state = makeWorkers(workers);
  const random = randomBits(5);
  for (let batch = 0; batch < FLEET_BATCHES; batch++) {
    const entries = [{ ...EMPTY_ENTRY, jobs: makeJobs(workers, BATCH_SIZE, state.now, random) }];
    apply(state, { position: state.position + 1, loggedAt: state.now + 1000, entries });
  }
  return state;
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
