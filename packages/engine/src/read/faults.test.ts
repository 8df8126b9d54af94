import { beforeEach, describe, expect, test } from "vitest";
import { NUMBER, ROW_SIZE, SCORE, TIER } from "../state/row-table.ts";
import { Lab, T0 } from "../testing/lab.ts";
import { FAULTS_MAX, stateFaults } from "./faults.ts";

describe("faults of a state", () => {
  let lab: Lab;

  beforeEach(() => {
    lab = new Lab();
    for (let subject = 0; subject < 30; subject++) lab.register(`node-${subject}`);
    lab.apply(T0);
    lab.sample(1, "uptime", 0.9, T0 + 1);
  });

  test("are none in what the fold makes", () => {
    expect(stateFaults(lab.state)).toEqual([]);
  });

  test("name the subject and what is impossible about it", () => {
    const { u32, f64 } = lab.state.kinds[0]!.table.chunkOf(0);
    const setInt = (row: number, field: number, value: number): void => {
      u32[row * ROW_SIZE * 2 + field] = value;
    };
    setInt(3, NUMBER, 4);
    setInt(5, TIER, 9);
    f64[ROW_SIZE + SCORE] = 100.5;
    f64[2 * ROW_SIZE + SCORE] = Number.NaN;
    expect(stateFaults(lab.state)).toEqual([
      "node-1: score 100.5 outside 0 to 100",
      "node-2: score NaN outside 0 to 100",
      "node-3: its row is that of subject 4",
      `node-5: tier 9 of ${lab.state.kinds[0]!.compiled.policy.tiers.names.length}`,
    ]);
    lab.state.places.add(0, 30);
    expect(stateFaults(lab.state)).toEqual(["31 subjects have 30 rows"]);
  });

  test("are told up to a limit", () => {
    const { u32 } = lab.state.kinds[0]!.table.chunkOf(0);
    for (let row = 0; row < 30; row++) u32[row * ROW_SIZE * 2 + TIER] = 77;
    expect(stateFaults(lab.state)).toHaveLength(FAULTS_MAX);
  });
});
