import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rankBucket } from "../rank/rank-index.ts";
import { History } from "../testing/history.ts";
import { Lab, T0 } from "../testing/lab.ts";
import { indexedRow } from "./indexed.ts";
import { best, worst } from "./ranking.ts";

describe("a ranking", () => {
  test("is the sorted fleet: by score to the hundredth, ties share the place, the banned and the unheard are not in it", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const history = new History(new Lab(), seed, { subjectsMax: 40, policies: [] });
        for (let step = 0; step < 30; step++) history.step();
        const { lab } = history;
        const { state } = lab;
        const kind = state.kinds[0]!;
        const rated = Array.from({ length: state.places.count }, (_, subject) => lab.standing(subject))
          .filter(({ banned, firstEvidenceAt }) => !banned && firstEvidenceAt !== null)
          .map((standing) => ({ ...standing, indexed: indexedRow(kind, standing.subject).score }));
        const buckets = rated.map(({ indexed }) => rankBucket(indexed));
        const sorted = [...buckets].sort((a, b) => b - a);
        const all = best(kind, 100);
        expect(all.map(({ score }) => rankBucket(score))).toEqual(sorted);
        expect(worst(kind, 100).map(({ score }) => rankBucket(score))).toEqual(sorted.toReversed());
        expect(kind.rank.count).toBe(rated.length);
        for (const [index, { subject, place, percentile }] of rated.entries()) {
          const better = buckets.filter((bucket) => bucket > buckets[index]!).length;
          expect([subject, place]).toEqual([subject, better + 1]);
          expect(percentile).toBeCloseTo((rated.length - better) / rated.length, 12);
        }
      }),
      { numRuns: 20 },
    );
  });

  test("lists ties by their lower bound: who is better known comes first", () => {
    const lab = new Lab();
    const known = lab.register("a");
    const unknown = lab.register("b");
    const initial = 0.75;
    lab.sample(unknown, "service_quality", initial, T0);
    for (let step = 0; step < 60; step++) lab.sample(known, "service_quality", initial, T0 + step * 60_000);
    lab.sample(unknown, "service_quality", initial, lab.state.now);
    const kind = lab.state.kinds[0]!;
    const listed = best(kind, 2);
    expect(listed.map(({ place }) => place)).toEqual([1, 1]);
    expect(listed.map(({ subject }) => subject)).toEqual([known, unknown]);
  });
});
