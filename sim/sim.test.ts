/** The simulator itself: every scenario runs, and the same seed gives the same figures. What they reach is in `docs/scenarios.md`. */
import { describe, expect, test } from "vitest";
import { SCENARIOS } from "./scenarios/index.ts";

/** Share of the jobs of a full run. */
const SIZE = 0.01;

describe.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))("%s", (_, scenario) => {
  test("gives each figure, and the same again from the same seed", () => {
    const values = scenario.run(1, SIZE);
    expect(values).toHaveLength(scenario.figures.length);
    for (const value of values) expect(value).toBeTypeOf("number");
    expect(values).not.toContain(Number.NaN);
    expect(scenario.run(1, SIZE)).toEqual(values);
  });
});

test("names are told apart", () => {
  const names = SCENARIOS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});
