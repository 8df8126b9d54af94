/** Laws that hold for every history: bounds, monotony, what waiting and penalties may do. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { METRICS } from "../event/metrics.ts";
import { STORAGE_PROVIDER } from "../policy/presets.ts";
import { PENALTY_TYPES, SEVERITIES } from "../policy/vocabulary.ts";
import { History } from "../testing/history.ts";
import {
  activation,
  DAY_MS,
  HOUR_MS,
  Lab,
  metric,
  MINUTE_MS,
  penalty,
  policyWith,
  reward,
  T0,
  type Sample,
} from "../testing/lab.ts";

function happened(seed: number, steps = 25, policy = STORAGE_PROVIDER, subjectsMax = 6): Lab {
  const history = new History(new Lab(policy), seed, { subjectsMax, policies: [] });
  for (let step = 0; step < steps; step++) history.step();
  return history.lab;
}

const anySubject = (lab: Lab, pick: number): number => pick % lab.state.places.count;

/** Values from worse to better in utility. */
const value = fc.double({ min: 0, max: 1, noNaN: true });
const sample = fc.record({
  code: fc.nat(METRICS.length - 1),
  minutes: fc.integer({ min: 0, max: 3 * 24 * 60 }),
  utility: value,
  weight: fc.constantFrom(0.1, 1, 1, 10),
});
type Utterance = typeof sample extends fc.Arbitrary<infer Of> ? Of : never;

/** A sample whose utility is the given one, or as near as the metric's range allows. */
function sampleOf({ code, minutes, utility, weight }: Utterance, at = T0 + minutes * MINUTE_MS): Sample {
  const { name, shape } = METRICS[code]!;
  const { reference } = STORAGE_PROVIDER.metrics[name];
  const slow = Math.min(86_400_000, utility === 0 ? Infinity : (reference * (1 - utility)) / utility);
  const fast = Math.min(1e12, utility === 1 ? Infinity : (reference * utility) / (1 - utility));
  return metric(0, name, shape === "bounded" ? utility : shape === "time" ? slow : fast, at, { weight });
}

describe("scores", () => {
  test("and everything about them stay within the scale, finite, with the interval around the score", () => {
    const policies = fc.constantFrom(
      STORAGE_PROVIDER,
      policyWith({ minScore: 20, initialScore: 60 }),
      policyWith({ priorWeight: 0 }),
      policyWith({
        maxScore: 1000,
        initialScore: 750,
        performanceThreshold: 850,
        trustThreshold: 800,
        lowThreshold: 600,
      }),
      policyWith({ decayRatePerDay: 0 }),
    );
    fc.assert(
      fc.property(fc.integer(), policies, fc.nat(5000), (seed, policy, hours) => {
        const lab = happened(seed, 25, policy);
        const { minScore, maxScore } = policy;
        for (let subject = 0; subject < lab.state.places.count; subject++) {
          for (const nowMs of [lab.state.now, lab.state.now + hours * HOUR_MS]) {
            const { score, lower, upper, components } = lab.standing(subject, nowMs);
            for (const one of [{ score, lower, upper }, ...components]) {
              // Trust alone may fall under a minimum above zero.
              const floor = "name" in one && one.name === "trust" ? 0 : minScore;
              expect(one.score).toBeGreaterThanOrEqual(floor);
              expect(one.score).toBeLessThanOrEqual(maxScore);
              expect(one.lower).toBeLessThanOrEqual(one.score);
              expect(one.upper).toBeGreaterThanOrEqual(one.score);
            }
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  test("are never lower with a better sample in the place of a worse one", () => {
    fc.assert(
      fc.property(
        fc.array(sample, { minLength: 1, maxLength: 20 }),
        fc.nat(),
        value,
        (utterances, place, other) => {
          const index = place % utterances.length;
          const changed = utterances[index]!;
          const worse = Math.min(changed.utility, other);
          const better = Math.max(changed.utility, other);
          const standingWith = (utility: number): ReturnType<Lab["standing"]> => {
            const lab = new Lab();
            const subject = lab.register("p");
            for (const [at, utterance] of utterances.entries()) {
              lab.apply(T0 + 3 * DAY_MS + at * MINUTE_MS, {
                samples: [sampleOf(at === index ? { ...changed, utility } : utterance)],
              });
            }
            return lab.standing(subject);
          };
          const low = standingWith(worse);
          const high = standingWith(better);
          expect(high.score).toBeGreaterThanOrEqual(low.score - 1e-9);
          for (const [at, component] of high.components.entries()) {
            expect(component.score).toBeGreaterThanOrEqual(low.components[at]!.score - 1e-9);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test("rise with a perfect sample and fall with a void one where no gap is over max_gap; neither decides", () => {
    fc.assert(
      fc.property(
        fc.array(sample, { maxLength: 12 }),
        fc.nat(METRICS.length - 1),
        fc.boolean(),
        (utterances, code, good) => {
          const lab = new Lab(policyWith({ alerts: { ...STORAGE_PROVIDER.alerts, opensAfter: 60_000 } }));
          const subject = lab.register("p");
          const at = T0 + 3 * DAY_MS;
          lab.apply(at, { samples: utterances.map((utterance) => sampleOf(utterance)) });
          const before = lab.standing(subject);
          // Being heard of again ends what silence took.
          const silent = before.lastEvidenceAt === null ? 0 : (0.1 * (at - before.lastEvidenceAt)) / DAY_MS;
          // A window and a block of its own, at the same instant of the log.
          lab.apply(at, { samples: [sampleOf({ code, minutes: 0, utility: good ? 1 : 0, weight: 1 }, at)] });
          const after = lab.standing(subject);
          for (const [index, component] of after.components.entries()) {
            if (component.name === "trust") continue;
            const moved = component.score - (before.components[index]!.score + silent);
            if (good) expect(moved).toBeGreaterThanOrEqual(-1e-9);
            else expect(moved).toBeLessThanOrEqual(1e-9);
            // Even after three days without evidence 7.4 of the ten prior observations are left.
            expect(Math.abs(moved)).toBeLessThan(100 / 7);
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("a penalty", () => {
  test("always lowers the score, whatever rewards there are, unless it is at the minimum", () => {
    const types = fc.constantFrom(...PENALTY_TYPES);
    const severities = fc.constantFrom(...SEVERITIES);
    fc.assert(
      fc.property(
        fc.integer(),
        fc.nat(),
        types,
        severities,
        fc.double({ min: 0.01, max: 10, noNaN: true }),
        (seed, pick, type, severity, points) => {
          const lab = happened(seed);
          const subject = anySubject(lab, pick);
          lab.apply(lab.state.now, { acts: [reward(subject, { points: 50 })] });
          const before = lab.score(subject);
          lab.apply(lab.state.now, { acts: [penalty(subject, { penalty: type, severity, points })] });
          if (before > 0) expect(lab.score(subject)).toBeLessThan(before);
          else expect(lab.score(subject)).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("that is revoked leaves the score where it was", () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(), fc.integer({ min: 1, max: 9 }), (seed, pick, points) => {
        const lab = happened(seed);
        const subject = anySubject(lab, pick);
        const before = lab.standing(subject);
        lab.apply(lab.state.now, { acts: [penalty(subject, { points })] });
        const { id } = lab.standing(subject).penalties.at(-1)!.penalty;
        lab.apply(lab.state.now, {
          acts: [{ type: "penalty.revoked", penaltyId: id, issuer: "a", reason: "b" }],
        });
        const after = lab.standing(subject);
        // What was recovered of other impacts may not exceed them, so trust can only be lower by rounding.
        expect(after.score).toBeCloseTo(before.score, 9);
        expect(after.penalties.length).toBe(before.penalties.length);
      }),
      { numRuns: 30 },
    );
  });
});

describe("waiting", () => {
  test("raises no component but trust, and trust only by recovery; the score rises only as sanctions fade", () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 6 }),
        (seed, hours) => {
          const lab = happened(seed);
          const { state } = lab;
          // What monitors measured before may still raise it; no more comes after this.
          while (state.provisional.count > 0)
            lab.apply(Math.max(state.now + 1, state.provisional.nextOverAt()));
          for (const step of hours) {
            const before = Array.from({ length: state.places.count }, (_, subject) => lab.explain(subject));
            lab.apply(state.now + step * HOUR_MS);
            for (const [subject, { components }] of before.entries()) {
              const after = lab.explain(subject);
              const recovered =
                after.components.at(-1)!.trust!.recovered - components.at(-1)!.trust!.recovered;
              expect(recovered).toBeLessThanOrEqual((0.5 * step) / 24 + 1e-9);
              for (const [index, component] of after.components.entries()) {
                const gain = component.name === "trust" ? recovered : 0;
                expect(component.score).toBeLessThanOrEqual(components[index]!.score + gain + 1e-9);
              }
            }
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test("reading does not change what a later batch finds", () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(1000), (seed, hours) => {
        const read = happened(seed);
        const unread = happened(seed);
        for (let subject = 0; subject < read.state.places.count; subject++)
          read.explain(subject, read.state.now + hours * HOUR_MS);
        read.apply(read.state.now + HOUR_MS);
        unread.apply(unread.state.now + HOUR_MS);
        for (let subject = 0; subject < read.state.places.count; subject++) {
          expect(read.standing(subject)).toEqual(unread.standing(subject));
        }
      }),
      { numRuns: 10 },
    );
  });
});

describe("what is indexed", () => {
  test("is what a reader computes at the instant of the batch", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const lab = happened(seed, 30);
        // A round of the refresh brings everybody up to now.
        lab.apply(lab.state.now + MINUTE_MS);
        lab.apply(lab.state.now + MINUTE_MS);
        const { changes } = lab.apply(lab.state.now, { acts: [activation(STORAGE_PROVIDER)] });
        expect(changes.count).toBe(0);
        for (let subject = 0; subject < lab.state.places.count; subject++) {
          const { score, tier } = lab.standing(subject);
          const row = lab.state.places.rowOf(subject);
          const { chunks } = lab.state.kinds[0]!.table;
          expect(chunks[0]!.f64[row * (chunks[0]!.f64.length / 16_384) + 2]).toBeCloseTo(score, 2);
          expect(STORAGE_PROVIDER.tiers.names).toContain(tier);
        }
      }),
      { numRuns: 15 },
    );
  });
});
