import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SELECTION_POLICIES, type SelectionPolicy } from "../event/selection.ts";
import {
  candidatesOf,
  choicesOf,
  requestOf,
  selectAmong,
  type Bid,
  type SomeOfBid,
} from "../testing/bids.ts";
import { T0 } from "../testing/lab.ts";
import {
  BANNED,
  Candidates,
  HEALTH_UNKNOWN,
  LOW_HEALTH,
  MAINTENANCE,
  PROBATION,
  SILENT,
  SUSPENDED,
} from "./candidates.ts";
import { DecisionWindow } from "./decision-window.ts";
import type { SelectionRules } from "./rules.ts";
import { select, verifySelection } from "./select.ts";
import { CONDITION, NEWCOMER, OPERATOR_CAP, rankBids, Selection, SLOW_START } from "./selection.ts";

const DECISIONS = 4_000;
/** So many where each is looked at by itself. */
const FEW = 400;
const policy = fc.constantFrom(...SELECTION_POLICIES);
const share = fc.double({ min: 0, max: 1, noNaN: true });
const bid: fc.Arbitrary<Bid> = fc.record({
  price: fc.oneof(fc.constant(0), fc.constant(1), fc.double({ min: 0, max: 1e12, noNaN: true })),
  timeMs: fc.double({ min: 1e-3, max: 1e10, noNaN: true }),
  reputation: share,
  condition: fc.double({ min: 0, max: 100, noNaN: true }),
  health: fc.oneof(fc.constant(HEALTH_UNKNOWN), share),
  inFlight: fc.nat(50),
  recent: fc.double({ min: 0, max: 100, noNaN: true }),
  operator: fc.nat(6),
  jobs: fc.nat(40),
  completed: fc.nat(10),
  failing: fc.boolean(),
  successes: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1000, noNaN: true })),
  failures: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1000, noNaN: true })),
  flags: fc.oneof(fc.constant(0), fc.nat(0x3f)),
  explorationInFlight: fc.nat(3),
  exploreNotBeforeMs: fc.constantFrom(0, T0, T0 + 1),
});
const bids = fc.array(bid, { maxLength: 30 });
const decided = fc.array(fc.nat(6), { maxLength: 60 });
const seed = fc.nat(0xffffffff);
/** A share of exploration at which it is met in tests. */
const rules: fc.Arbitrary<Partial<SelectionRules>> = fc.record({
  policy,
  relative: fc.constantFrom("median" as const, "cheapest" as const),
  explorationShare: fc.constantFrom(0, 0.02, 1),
});

function windowOf(operators: readonly number[], size = 1000): DecisionWindow {
  const window = new DecisionWindow(size);
  for (const operator of operators) window.add(operator);
  return window;
}

function sharesOf(choices: readonly number[]): number[] {
  const decisions = choices.reduce((sum, count) => sum + count);
  return choices.map((count) => count / decisions);
}

describe("whoever bids", () => {
  test("banned and suspended are never chosen, and somebody is if anybody else bids", () => {
    fc.assert(
      fc.property(bids, rules, decided, seed, (some, ruled, before, from) => {
        const selection = select(
          candidatesOf(some),
          requestOf(from, ruled),
          windowOf(before),
          new Selection(),
        );
        const allowed = some.flatMap(({ flags }, place) =>
          (flags & (BANNED | SUSPENDED)) === 0 ? [place] : [],
        );
        if (allowed.length === 0) {
          expect(selection).toMatchObject({ chosen: -1, mode: "none" });
          expect([...selection.exclusion.subarray(0, some.length)].every((reason) => reason !== 0)).toBe(
            true,
          );
        } else {
          expect(allowed).toContain(selection.chosen);
        }
      }),
    );
  });

  test("who is away or on probation is not drawn while anybody else is there", () => {
    fc.assert(
      fc.property(bids, rules, decided, seed, (some, ruled, before, from) => {
        const { mode, chosen, exclusion } = select(
          candidatesOf(some),
          requestOf(from, ruled),
          windowOf(before),
          new Selection(),
        );
        const isOpen = ({ flags, condition }: Bid): boolean => flags === 0 && condition > 30;
        if (mode === "draw") expect(isOpen(some[chosen]!)).toBe(true);
        if (mode === "degraded") expect(some.some(isOpen)).toBe(false);
        if (mode === "draw" || mode === "degraded") expect(exclusion[chosen]).toBe(0);
        if (mode === "exploration") {
          expect([0, PROBATION]).toContain(some[chosen]!.flags);
          expect(some[chosen]!.explorationInFlight).toBeLessThan(2);
          expect(some[chosen]!.exploreNotBeforeMs).toBeLessThanOrEqual(T0);
        }
      }),
    );
  });

  test("every value is the product of its parts, and between 0 and 1", () => {
    fc.assert(
      fc.property(bids, rules, seed, (some, ruled, from) => {
        const made = select(candidatesOf(some), requestOf(from, ruled), windowOf([]), new Selection());
        for (let place = 0; place < some.length; place++) {
          const sum = made.reputation[place]! + made.health[place]! + made.price[place]! + made.time[place]!;
          expect(made.value[place]).toBe(made.condition[place]! * sum * made.load[place]!);
          expect(made.value[place]! >= 0 && made.value[place]! <= 1 + 1e-12).toBe(true);
        }
      }),
    );
  });

  test("the same seed gives the same decision, whatever the memory was used for before", () => {
    fc.assert(
      fc.property(bids, bids, rules, decided, seed, (some, others, ruled, before, from) => {
        const request = requestOf(from, ruled);
        const candidates = candidatesOf(others);
        const used = select(candidates, requestOf(from + 1, ruled), windowOf(before), new Selection());
        candidatesOf(some, candidates);
        select(candidates, request, windowOf(before), used);
        expect(verifySelection(candidatesOf(some), request, windowOf(before), used)).toBe(true);
      }),
    );
  });

  test.each(SELECTION_POLICIES)("%s: a decision that was tampered with is found out", (named) => {
    const some = Array.from({ length: 5 }, (_, place): SomeOfBid => ({ reputation: 0.7 + place / 20 }));
    const request = requestOf(4, { policy: named });
    const verified = (change: (selection: Selection) => void): boolean => {
      const selection = select(candidatesOf(some), request, windowOf([]), new Selection());
      change(selection);
      return verifySelection(candidatesOf(some), request, windowOf([]), selection);
    };
    expect(verified(() => undefined)).toBe(true);
    expect(verified((selection) => (selection.chosen = (selection.chosen + 1) % 5))).toBe(false);
    expect(verified((selection) => (selection.numbers[0]! += 1e-9))).toBe(false);
    expect(verified((selection) => (selection.value[2]! += 1e-9))).toBe(false);
    expect(verified((selection) => (selection.exclusion[2] = PROBATION))).toBe(false);
    expect(verified((selection) => (selection.mode = "exploration"))).toBe(false);
  });

  test("the unit of the currency does not matter", () => {
    fc.assert(
      fc.property(bids, rules, seed, (some, ruled, from) => {
        const chosen = (unit: number): number =>
          select(
            candidatesOf(some.map((one) => ({ ...one, price: one.price * unit }))),
            requestOf(from, ruled),
            windowOf([]),
            new Selection(),
          ).chosen;
        expect(chosen(1024)).toBe(chosen(1));
      }),
    );
  });

  test("10,000 bids are decided, one more is refused, and none give none", () => {
    const many = Array.from({ length: 10_000 }, (_, place): SomeOfBid => ({ price: place % 97 }));
    expect(selectAmong(many).chosen).toBeGreaterThanOrEqual(0);
    expect(() => new Candidates().reset(10_001)).toThrow(RangeError);
    expect(selectAmong([])).toMatchObject({ chosen: -1, mode: "none", count: 0 });
  });
});

describe("value", () => {
  test("is the weighted sum times condition and load", () => {
    const made = selectAmong([
      { price: 1, timeMs: 1000, reputation: 0.8, condition: 50, health: 0.6, inFlight: 5 },
      { price: 3, timeMs: 3000, reputation: 0.8, condition: 80, health: 0.6 },
      { price: 1, timeMs: 1000, reputation: 0.8, condition: 80, health: 0.6 },
    ]);
    const sum = 0.35 * 0.8 + 0.25 * 0.6 + 0.25 * 0.5 + 0.15 * 0.5;
    expect(made.priceReference).toBe(1);
    expect(made.timeReferenceMs).toBe(1000);
    expect(made.value[2]).toBeCloseTo(sum, 12);
    expect(made.value[1]).toBeCloseTo(0.35 * 0.8 + 0.25 * 0.6 + 0.25 * 0.25 + 0.15 * 0.25, 12);
    expect(made.value[0]).toBeCloseTo((0.5 * sum) / 1.1, 12);
  });

  test("what no health was reported of is left out, not perfect and not nothing", () => {
    const made = selectAmong([
      { reputation: 0.8 },
      { reputation: 0.8, health: 0 },
      { reputation: 0.8, health: 1 },
    ]);
    expect(made.value[0]).toBeCloseTo((0.35 * 0.8 + 0.25 * 0.5 + 0.15 * 0.5) / 0.75, 12);
    expect(made.health[0]).toBe(0);
    expect(made.value[1]).toBeLessThan(made.value[0]!);
    expect(made.value[2]).toBeGreaterThan(made.value[0]!);
  });

  test("the request's own references count, else the middle of the pool", () => {
    const prices: SomeOfBid[] = [{ price: 1 }, { price: 2 }, { price: 4 }, { price: 900, flags: BANNED }];
    expect(selectAmong(prices).priceReference).toBe(2);
    expect(selectAmong(prices, {}, { priceReference: 4, timeReferenceMs: 5 })).toMatchObject({
      priceReference: 4,
      timeReferenceMs: 5,
    });
  });

  test("a decoy of .01 makes price meaningless beside the cheapest, and hardly moves the median", () => {
    const pool: SomeOfBid[] = [{ price: 0.01 }, { price: 1 }, { price: 2 }, { price: 1.5 }, { price: 1.2 }];
    const gap = (relative: SelectionRules["relative"]): number => {
      const { price } = selectAmong(pool, { relative });
      return price[1]! - price[2]!;
    };
    expect(gap("cheapest")).toBeLessThan(0.002);
    expect(gap("median")).toBeGreaterThan(0.05);
  });

  test("what is free is worth most, all free is worth the same", () => {
    const mixed = selectAmong([{ price: 0 }, { price: 1 }, { price: 2 }]);
    expect(mixed.price[0]).toBeCloseTo(0.25 / 0.75, 12);
    const free = selectAmong([{ price: 0 }, { price: 0 }, { price: 5 }]);
    expect(free.price[0]).toBe(free.price[1]);
    expect(free.price[2]).toBe(0);
  });
});

describe("power of two", () => {
  const pair = (first: SomeOfBid, second: SomeOfBid): { better: number; drawnFirst: number } => {
    const shares = sharesOf(choicesOf(DECISIONS, [first, second], { explorationShare: 0 }));
    return { better: shares[1]!, drawnFirst: shares[0]! };
  };

  test("the better of two is always taken when they are told apart", () => {
    expect(pair({ reputation: 0.8 }, { reputation: 0.95 }).better).toBe(1);
  });

  test("of two as good the one with fewer jobs in flight, then with fewer of late, then by lot", () => {
    const near = { reputation: 0.95, price: 1.01, inFlight: 1 };
    expect(pair(near, { reputation: 0.95, inFlight: 1 }).better).toBeCloseTo(0.5, 1);
    expect(pair({ ...near, recent: 3 }, { reputation: 0.95, inFlight: 1, recent: 2 }).better).toBe(1);
    expect(pair({ ...near, recent: 3 }, { reputation: 0.95, inFlight: 2, recent: 2 }).drawnFirst).toBe(1);
  });

  test("without doubt about anybody 2 % of the value is the margin", () => {
    const sure = { successes: 1e9, failures: 0 };
    const idle = { ...sure, price: 1.05 };
    expect(pair({ ...sure, recent: 1 }, idle).better).toBe(1);
    expect(pair({ ...sure, recent: 1 }, { ...idle, price: 1.2 }).better).toBe(0);
  });

  test("of bids without any evidence the far better is taken", () => {
    const unknown = { successes: 0, failures: 0, jobs: 0, recent: 1 };
    expect(pair({ ...unknown, recent: 0, condition: 35 }, unknown).better).toBe(1);
  });

  test("a newcomer whose jobs all went well counts as good as the old ones, one that failed does not", () => {
    const old = { recent: 5 };
    const spotless = { jobs: 20, reputation: 26 / 30, successes: 26, failures: 4 };
    const failing = { jobs: 20, reputation: 18 / 30, successes: 18, failures: 12, condition: 70 };
    expect(pair(old, spotless).better).toBe(1);
    expect(pair(old, failing).better).toBe(0);
    // Of a long record the same reputation is no accident.
    expect(pair(old, { reputation: 26 / 30 }).better).toBe(0);
  });

  test("each pair is drawn as often", () => {
    const drawn = new Map<string, number>();
    choicesOf(DECISIONS, [{}, {}, {}, {}], { explorationShare: 0 }, undefined, (selection) => {
      const key = `${selection.pairFirst} ${selection.pairSecond}`;
      drawn.set(key, (drawn.get(key) ?? 0) + 1);
    });
    expect(drawn.size).toBe(12);
    for (const count of drawn.values()) expect(count / DECISIONS).toBeCloseTo(1 / 12, 1.5);
  });
});

describe("over many decisions", () => {
  const known = (): SomeOfBid => ({});
  /** What is known of a worker with the initial score as prior, when a share of its jobs goes well. */
  const learnt = (jobs: number, successRate: number): SomeOfBid => {
    const successes = 6 + jobs * successRate;
    const failures = 4 + jobs * (1 - successRate);
    return { jobs, successes, failures, reputation: successes / (successes + failures) };
  };

  test.each([
    ["known for long", known],
    ["all new", (_: number, jobs: number) => learnt(jobs, 0.99)],
  ])("20 equals share alike: %s", (_, bidOf) => {
    const fair = 6_000 / 20;
    const counts = countsOf(20, decide(20, 6_000, bidOf));
    expect(Math.max(...counts) / fair).toBeLessThan(1.3);
    expect(Math.min(...counts) / fair).toBeGreaterThan(0.6);
  });

  test("without room for doubt equals would not: who falls behind at first stays behind", () => {
    const chosen = decide(20, 6_000, (_, jobs) => learnt(jobs, 0.99), { doubtDeviations: 0 });
    expect(Math.min(...countsOf(20, chosen)) / 300).toBeLessThan(0.6);
  });

  test.each([
    ["a good newcomer has over half a fair share", 0.99, 0.5, 2],
    ["one that fails half of its jobs next to nothing", 0.5, 0, 0.44],
  ])("among ten old workers %s after 1,500 decisions", (_, successRate, atLeast, atMost) => {
    const chosen = decide(11, 2_000, (place, jobs) =>
      learnt(place < 10 ? jobs + 500 : jobs, place < 10 ? 0.99 : successRate),
    );
    const ofFair = chosen.slice(-500).filter((place) => place === 10).length / (500 / 11);
    expect(ofFair).toBeGreaterThanOrEqual(atLeast);
    expect(ofFair).toBeLessThan(atMost);
  });
});

/**
 * Decides so often among bids that are as `bidOf` says of a worker and the jobs it has finished; a job takes as long as
 * six decisions. Returns who was chosen.
 */
function decide(
  workers: number,
  decisions: number,
  bidOf: (worker: number, jobs: number) => SomeOfBid,
  ruled: Partial<SelectionRules> = {},
): number[] {
  const inFlight = Array.from({ length: workers }, () => 0);
  const recent = Array.from({ length: workers }, () => 0);
  const jobs = Array.from({ length: workers }, () => 0);
  const chosen: number[] = [];
  const window = new DecisionWindow(1000);
  const selection = new Selection();
  for (let decision = 0; decision < decisions; decision++) {
    const ended = chosen[decision - 6];
    if (ended !== undefined) {
      inFlight[ended]! -= 1;
      jobs[ended]! += 1;
    }
    const some = jobs.map((finished, worker) => ({
      inFlight: inFlight[worker]!,
      recent: recent[worker]!,
      ...bidOf(worker, finished),
    }));
    const candidates = candidatesOf(some);
    const place = select(candidates, requestOf(decision, ruled), window, selection).chosen;
    window.add(candidates.operator[place]!);
    inFlight[place]! += 1;
    for (let worker = 0; worker < workers; worker++) recent[worker]! *= 0.99;
    recent[place]! += 1;
    chosen.push(place);
  }
  return chosen;
}

function countsOf(workers: number, chosen: readonly number[]): number[] {
  const counts = Array.from({ length: workers }, () => 0);
  for (const place of chosen) counts[place]! += 1;
  return counts;
}

describe("other policies", () => {
  const mixed: SomeOfBid[] = [{ reputation: 0.5 }, { reputation: 0.95 }, { reputation: 0.7 }];
  const shares = (some: SomeOfBid[], named: SelectionPolicy): number[] =>
    sharesOf(choicesOf(DECISIONS, some, { policy: named, explorationShare: 0 }));

  test("greedy takes the best, and of equals the least busy", () => {
    expect(shares(mixed, "greedy")[1]).toBe(1);
    expect(shares([{ recent: 2 }, { recent: 1 }, { inFlight: 0, recent: 3 }], "greedy")[1]).toBe(1);
  });

  test("proportional gives each its part of the sum of values", () => {
    const { value } = selectAmong(mixed);
    const total = value[0]! + value[1]! + value[2]!;
    const drawn = shares(mixed, "proportional");
    for (let place = 0; place < 3; place++) expect(drawn[place]).toBeCloseTo(value[place]! / total, 1.5);
  });

  test("Thompson takes the good, and tries at times whom it knows little", () => {
    const known = { reputation: 0.9, successes: 900, failures: 100 };
    const unknown = { reputation: 0.85, successes: 8.5, failures: 1.5 };
    const bad = { reputation: 0.85, successes: 850, failures: 150 };
    const drawn = shares([known, unknown, bad], "thompson");
    expect(drawn[0]).toBeGreaterThan(0.5);
    expect(drawn[1]).toBeGreaterThan(0.1);
    expect(drawn[2]).toBe(0);
  });

  test("Thompson chooses the highest product of value and rate, drawn only for who could win", () => {
    const some = Array.from({ length: 12 }, (_, place) => ({ reputation: 0.5 + place / 25 }));
    choicesOf(300, some, { policy: "thompson", explorationShare: 0 }, undefined, (selection) => {
      const { value, rate, chosen } = selection;
      const most = value[chosen]! * rate[chosen]!;
      for (let place = 0; place < some.length; place++) {
        expect(value[place]! * rate[place]!).toBeLessThanOrEqual(most);
        if (rate[place] === 0) expect(value[place]).toBeLessThanOrEqual(most);
      }
    });
  });
});

describe("the dead", () => {
  test.each(["power-of-two", "greedy", "proportional", "thompson"] as const)(
    "%s: whose condition has gone is not drawn, however cheap and fast",
    (named) => {
      const dead = { condition: 28, reputation: 0.4, price: 0.2, timeMs: 200 };
      const choices = choicesOf(DECISIONS, [{}, {}, {}, dead], { policy: named, explorationShare: 0 });
      expect(choices[3]).toBe(0);
    },
  );

  test("many of them do not win by drawing each other", () => {
    const dead = Array.from({ length: 9 }, (): SomeOfBid => ({ condition: 25, reputation: 0.5 }));
    expect(choicesOf(DECISIONS, [{}, ...dead], { explorationShare: 0 })[0]).toBe(DECISIONS);
  });

  test("one of four that failed twice loses every pair, although it is five times cheaper and faster", () => {
    const dying = { condition: 44, reputation: 0.54, price: 0.2, timeMs: 200, successes: 6, failures: 5 };
    const young = { reputation: 0.75, successes: 10, failures: 4 };
    const choices = choicesOf(DECISIONS, [young, young, young, dying], { explorationShare: 0 });
    expect(choices[3]).toBe(0);
  });

  test("somebody with no condition left is explored, so that nobody is locked out", () => {
    const choices = choicesOf(DECISIONS, [{}, {}, {}, { condition: 20 }]);
    expect(choices[3]).toBeGreaterThan(0.01 * DECISIONS);
    expect(choices[3]).toBeLessThan(0.03 * DECISIONS);
  });
});

describe("exploration", () => {
  const newcomer: SomeOfBid = { jobs: 3, reputation: 0.6, successes: 8, failures: 5 };
  const old = (count: number): SomeOfBid[] => Array.from({ length: count }, () => ({}));
  const onProbation: SomeOfBid = { flags: PROBATION };

  test.each([
    ["a newcomer that loses every pair", newcomer],
    ["one on probation", onProbation],
  ])("gives its share to %s", (_, explored) => {
    const shares = sharesOf(choicesOf(20_000, [...old(9), explored]));
    expect(shares[9]).toBeGreaterThan(0.016);
    expect(shares[9]).toBeLessThan(0.024);
  });

  test("one bid gets at most half a fair share", () => {
    const shares = sharesOf(choicesOf(20_000, [...old(99), onProbation]));
    expect(shares[99]).toBeGreaterThan(0.003);
    expect(shares[99]).toBeLessThan(0.0065);
  });

  test("many identities of one operator bring no more than one", () => {
    const many = Array.from({ length: 30 }, () => ({ ...onProbation, operator: 7 }));
    const shares = sharesOf(choicesOf(20_000, [...old(9), onProbation, ...many]));
    const ofMany = shares.slice(10, 40).reduce((sum, one) => sum + one);
    expect(ofMany / shares[9]!).toBeGreaterThan(0.7);
    expect(ofMany / shares[9]!).toBeLessThan(1.4);
    expect(shares.slice(10, 40).every((one) => one > 0)).toBe(true);
  });

  test.each([
    ["a job that is not finished", { explorationInFlight: 1 }],
    ["a failure not long ago", { exploreNotBeforeMs: T0 + 1 }],
    ["a price of more than twice the usual", { price: 2.01 }],
    ["more than twice the usual time", { timeMs: 2001 }],
    ["silence", { flags: PROBATION | SILENT }],
    ["low health", { flags: PROBATION | LOW_HEALTH }],
    ["maintenance", { flags: PROBATION | MAINTENANCE }],
    ["a suspension", { flags: PROBATION | SUSPENDED }],
  ])("waits after %s", (_, more) => {
    expect(choicesOf(DECISIONS, [...old(3), { ...onProbation, ...more }])[3]).toBe(0);
  });

  test("gives a newcomer two jobs at once, and no third", () => {
    const explored = (explorationInFlight: number): number =>
      choicesOf(DECISIONS, [...old(3), { ...newcomer, explorationInFlight }])[3]!;
    expect(explored(1)).toBeGreaterThan(0.01 * DECISIONS);
    expect(explored(2)).toBe(0);
  });

  test("is all that newcomers get where three have proven themselves, however many they are", () => {
    const flood = Array.from({ length: 30 }, () => ({ ...newcomer, jobs: 19, reputation: 1 }));
    const choices = choicesOf(20_000, [...old(3), ...flood], {}, undefined, ({ mode, exclusion }) => {
      if (mode === "draw") expect(exclusion[3]).toBe(NEWCOMER);
    });
    const ofFlood = sharesOf(choices)
      .slice(3, 33)
      .reduce((sum, one) => sum + one);
    expect(ofFlood).toBeGreaterThan(0.016);
    expect(ofFlood).toBeLessThan(0.024);
  });

  test.each([
    ["where fewer have", [...old(2), newcomer]],
    ["where all begin together", [{ jobs: 99 }, { jobs: 99 }, { jobs: 99 }, newcomer]],
    ["who has finished twenty jobs", [...old(3), { ...newcomer, jobs: 20 }]],
  ])("newcomers are in the draw: %s", (_, some) => {
    choicesOf(FEW, some, { explorationShare: 0 }, undefined, ({ exclusion }) => {
      expect(exclusion[some.length - 1]).toBe(0);
    });
  });

  test("a job that its operator may not have goes to no newcomer", () => {
    const ofOne = windowOf(Array.from({ length: 100 }, () => 7));
    const some = [...old(3).map((one) => ({ ...one, operator: 7 })), { ...newcomer, reputation: 0.95 }];
    const selection = select(candidatesOf(some), requestOf(1), ofOne, new Selection());
    expect(selection).toMatchObject({ capYielded: true, mode: "draw" });
  });

  test("does not break the cap of an operator", () => {
    const decidedFor7 = windowOf(Array.from({ length: 100 }, (_, place) => (place < 50 ? 7 : place)));
    const some = [...old(9), { ...onProbation, operator: 7 }];
    expect(choicesOf(DECISIONS, some, {}, decidedFor7)[9]).toBe(0);
  });

  test("explores nobody whose record is long and good", () => {
    choicesOf(FEW, old(5), {}, undefined, ({ mode }) => expect(mode).toBe("draw"));
  });
});

describe("operator cap", () => {
  test("19 of 50 bids, a fifth cheaper, get at most 35 % of any 1,000 decisions", () => {
    const some = Array.from(
      { length: 50 },
      (_, place): SomeOfBid => (place < 19 ? { operator: 7, price: 0.8 } : {}),
    );
    const shares = slidingShares(some, 4_000, 1_000);
    expect(Math.max(...shares)).toBeLessThanOrEqual(350);
    expect(Math.max(...shares)).toBeGreaterThan(300);
  });

  test.each(SELECTION_POLICIES)("%s: never exceeded while others have nearly as good bids", (named) => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(share, fc.nat(6)), { minLength: 1, maxLength: 20 }),
        seed,
        (some, from) => {
          const window = new DecisionWindow(50);
          const selection = new Selection();
          const offers = some.map(([quality, operator]) => ({
            operator,
            reputation: 0.7 + 0.3 * quality,
            price: 1 + quality,
          }));
          const count = new Set(some.map(([, operator]) => operator)).size;
          const cap = Math.max(0.35, 1.5 / count);
          for (let decision = 0; decision < 120; decision++) {
            select(candidatesOf(offers), requestOf(from + decision, { policy: named }), window, selection);
            const { chosen, value } = selection;
            const { operator } = offers[chosen]!;
            const best = Math.max(...value.subarray(0, offers.length));
            const another = offers.some(
              (offer, place) =>
                offer.operator !== operator &&
                value[place]! >= 0.9 * best &&
                window.shareWithNext(offer.operator) <= cap,
            );
            const isOver = window.shareWithNext(operator) > cap;
            expect(isOver && another).toBe(false);
            expect(selection.capYielded).toBe(isOver);
            window.add(operator);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test("yields rather than take a bid under 90 % of the best", () => {
    const ofOne = windowOf(Array.from({ length: 100 }, () => 7));
    const poor = { reputation: 0.75, condition: 60 };
    const some = [{ operator: 7 }, poor, poor, poor, poor, poor];
    choicesOf(FEW, some, { policy: "greedy" }, ofOne, (selection) => {
      expect(selection).toMatchObject({ chosen: 0, capped: 0, capYielded: true });
      expect(selection.exclusion[0]).toBe(0);
    });
  });

  test("what the cap takes from one goes to the nearly best only, and its bids say why", () => {
    const ofOne = windowOf(Array.from({ length: 100 }, () => 7));
    const poor = { reputation: 0.75, condition: 60 };
    const some = [{ operator: 7 }, { operator: 7 }, poor, poor, poor, { reputation: 0.93 }];
    choicesOf(FEW, some, {}, ofOne, (selection) => {
      if (selection.capped < 0) return;
      expect(selection.chosen).toBe(5);
      expect([...selection.exclusion.subarray(0, 6)]).toEqual([OPERATOR_CAP, OPERATOR_CAP, 0, 0, 0, 0]);
    });
  });

  test("of two operators one may have three quarters, of one all", () => {
    const two = [{ operator: 7 }, { operator: 8, reputation: 0.94 }];
    expect(Math.max(...slidingShares(two, 2_000, 1_000, { policy: "greedy" }))).toBe(750);
    const one = [{ operator: 7 }, { operator: 7, reputation: 0.94 }];
    expect(Math.max(...slidingShares(one, 1_000, 1_000, { policy: "greedy" }))).toBe(1_000);
  });
});

/** Decisions for operator 7 among each run of `size` decisions. */
function slidingShares(
  some: readonly SomeOfBid[],
  decisions: number,
  size: number,
  ruled: Partial<SelectionRules> = {},
): number[] {
  const window = new DecisionWindow(size);
  const selection = new Selection();
  const candidates = candidatesOf(some);
  const chosen: number[] = [];
  for (let decision = 0; decision < decisions; decision++) {
    select(candidates, requestOf(decision, ruled), window, selection);
    const operator = candidates.operator[selection.chosen]!;
    chosen.push(operator);
    window.add(operator);
  }
  let count = 0;
  return chosen.flatMap((operator, decision) => {
    count += Number(operator === 7) - Number(decision >= size && chosen[decision - size] === 7);
    return decision >= size - 1 ? [count] : [];
  });
}

describe("slow start", () => {
  const fresh: SomeOfBid = { jobs: 0, reputation: 0.6, successes: 6, failures: 4 };
  const busy: SomeOfBid = { ...fresh, inFlight: 2 };

  test("gives who has done nothing yet two jobs at once, and who has done five well five", () => {
    const five = { ...fresh, jobs: 8, completed: 5 };
    const some = [fresh, busy, { ...five, inFlight: 4 }, { ...five, inFlight: 5 }];
    choicesOf(FEW, some, { explorationShare: 0 }, undefined, ({ chosen, exclusion }) => {
      expect([0, 2]).toContain(chosen);
      expect([...exclusion.subarray(0, 4)]).toEqual([0, SLOW_START, 0, SLOW_START]);
    });
  });

  test("where all are at their limit the least loaded get the job", () => {
    const choices = choicesOf(FEW, [{ ...busy, inFlight: 3 }, busy, { ...busy, inFlight: 4 }], {
      explorationShare: 0,
    });
    expect(choices[1]).toBe(FEW);
  });

  test("least loaded is who is least over its own limit", () => {
    const proven = { ...fresh, jobs: 10, completed: 10, inFlight: 12 };
    expect(choicesOf(FEW, [{ ...busy, inFlight: 3 }, proven], { explorationShare: 0 })[1]).toBe(FEW);
  });

  test("who has only failed so far waits while others are there, and is taken where nobody else is", () => {
    const failed: SomeOfBid = { ...fresh, jobs: 3, completed: 0, exploreNotBeforeMs: T0 + 1 };
    expect(choicesOf(DECISIONS, [{ ...busy, inFlight: 9 }, failed])[1]).toBe(0);
    expect(choicesOf(DECISIONS, [failed, failed])[2]).toBe(0);
  });

  test("whose newest job failed gets none while others of it run, and one when they are over", () => {
    const busier: SomeOfBid = { inFlight: 3 };
    const running: SomeOfBid = { failing: true, inFlight: 1 };
    choicesOf(FEW, [running, busier], {}, undefined, ({ chosen, exclusion }) => {
      expect(chosen).toBe(1);
      expect(exclusion[0]).toBe(SLOW_START);
    });
    expect(choicesOf(FEW, [{ failing: true }, busier])[0]).toBe(FEW);
    expect(choicesOf(FEW, [running, { ...running, inFlight: 9 }])[0]).toBe(FEW);
  });

  test("gives way to the cap of an operator", () => {
    const ofOne = windowOf(Array.from({ length: 100 }, () => 7));
    const some = [{ operator: 7 }, { jobs: 3, inFlight: 3 }, {}];
    const selection = select(candidatesOf(some), requestOf(1, { policy: "greedy" }), ofOne, new Selection());
    expect(selection).toMatchObject({ capped: 0, capYielded: false });
    expect([...selection.exclusion.subarray(0, 3)]).toEqual([OPERATOR_CAP, 0, 0]);
  });
});

describe("an empty pool", () => {
  test.each([
    ["probation", PROBATION],
    ["silence", SILENT],
    ["low health", LOW_HEALTH],
    ["maintenance", MAINTENANCE],
  ])("lets in after all who is out for %s, and says so", (_, flags) => {
    const choices = choicesOf(
      DECISIONS,
      [{ flags }, { flags }, { flags: BANNED }],
      {},
      undefined,
      (selection) => expect(selection.mode).toBe("degraded"),
    );
    expect(choices[0]).toBeGreaterThan(0.4 * DECISIONS);
    expect(choices[1]).toBeGreaterThan(0.4 * DECISIONS);
    expect(choices[2]).toBe(0);
  });

  test("prefers among them whose condition is left, and takes others only where there are none", () => {
    const gone = { condition: 10 };
    expect(choicesOf(DECISIONS, [gone, gone, { flags: PROBATION }])[2]).toBe(DECISIONS);
    const choices = choicesOf(DECISIONS, [gone, { ...gone, inFlight: 1 }]);
    expect(choices).toEqual([DECISIONS, 0, 0]);
    const even = choicesOf(DECISIONS, [gone, gone, gone], { policy: "proportional" });
    for (const count of even.slice(0, 3)) expect(count / DECISIONS).toBeCloseTo(1 / 3, 1.5);
  });

  test("of banned and suspended only gives none, with the reason of each", () => {
    const made = selectAmong([{ flags: BANNED | PROBATION }, { flags: SUSPENDED | SILENT }]);
    expect(made).toMatchObject({ chosen: -1, mode: "none" });
    expect([...made.exclusion.subarray(0, 2)]).toEqual([BANNED, SUSPENDED]);
  });
});

test("every excluded bid tells its gravest reason", () => {
  const made = selectAmong([
    {},
    { flags: BANNED | SUSPENDED },
    { flags: SUSPENDED | LOW_HEALTH },
    { flags: MAINTENANCE | SILENT },
    { flags: SILENT | LOW_HEALTH },
    { flags: LOW_HEALTH | PROBATION },
    { flags: PROBATION, condition: 0 },
    { condition: 30 },
  ]);
  expect([...made.exclusion.subarray(0, 8)]).toEqual([
    0,
    BANNED,
    SUSPENDED,
    MAINTENANCE,
    SILENT,
    LOW_HEALTH,
    PROBATION,
    CONDITION,
  ]);
});

test("bids are listed with the chosen first, then the pool by value, then the excluded", () => {
  const some = [
    { reputation: 0.9 },
    { flags: PROBATION, reputation: 1 },
    { reputation: 0.8 },
    { reputation: 0.99 },
    { flags: SILENT, reputation: 0.7 },
  ];
  const made = selectAmong(some, { policy: "proportional", explorationShare: 0 });
  const rest = [3, 0, 2].filter((place) => place !== made.chosen);
  expect([...rankBids(made)]).toEqual([made.chosen, ...rest, 1, 4]);
});
