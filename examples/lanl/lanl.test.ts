import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkReplay, samplesOf } from "../replay-checks.ts";
import { LANL_FILE, lanlSource } from "./lanl.ts";

const DAY_MS = 86_400_000;
const source = lanlSource(readFileSync(LANL_FILE));

describe("the import", () => {
  const { subjects, digest } = checkReplay(source);

  test("brings in every node of the 22 systems that name their nodes", () => {
    const sizes = Map.groupBy(subjects, (subject) => subject.operator);
    expect(subjects).toHaveLength(5_006);
    expect(sizes.size).toBe(22);
    expect(sizes.get("lanl-system-18")).toHaveLength(1_024);
    expect(sizes.get("lanl-system-2")).toHaveLength(49);
    const ofSystem14 = sizes.get("lanl-system-14")!.map((subject) => subject.id);
    expect([ofSystem14.length, ofSystem14[0], ofSystem14.at(-1)]).toEqual([
      128,
      "lanl-14-128",
      "lanl-14-255",
    ]);
  });

  test("is the same each time", () => {
    expect(checkReplay(lanlSource(readFileSync(LANL_FILE))).digest).toBe(digest);
  });

  test("ends at the last repair", () => {
    expect(source.lastAt).toBe(Date.UTC(2005, 8, 9, 13, 47));
  });

  test("counts 4,747,072 days in service and loses no minute of downtime", () => {
    let days = 0;
    let downMs = 0;
    for (const { samples } of source.batches()) {
      for (let index = 0; index < samples.count; index++) {
        const at = samples.at[index]!;
        days += 1;
        downMs += (1 - samples.value[index]!) * (at - Math.floor((at - 1) / DAY_MS) * DAY_MS);
      }
    }
    expect(days).toBe(4_747_072);
    // Minutes in the union of each node's outages, computed from the CSV by another program.
    expect(downMs / 60_000).toBeCloseTo(8_264_935, 1);
  });
});

// Four outages of 40, 82, 48 and 20 minutes; service from the first record of system 21 to its decommission in
// January 2002.
describe("node 34 of system 21", () => {
  const samples = [...samplesOf(source, (id) => id === "lanl-21-34")];

  test("is in service for 139 days, a sample at the end of each", () => {
    expect(samples).toHaveLength(139);
    const days = samples.map(({ at }) => (at - Date.UTC(2001, 8, 16)) / DAY_MS);
    expect(days).toEqual(Array.from({ length: 139 }, (_, day) => day));
    expect(new Set(samples.map(({ metric }) => metric))).toEqual(new Set(["uptime"]));
  });

  test("is down on three of them, for what the records say", () => {
    const down = samples.filter(({ value }) => value < 1);
    expect(down.map(({ at, value, context }) => [dayBefore(at), minutesDown(value), context])).toEqual([
      ["2001-09-29", 40, "undetermined, 40 min"],
      ["2001-11-16", 82, "hardware: Memory Dimm, 82 min"],
      ["2001-12-19", 68, "hardware: CPU, 68 min"],
    ]);
    expect(samples.filter(({ context }) => context !== null)).toEqual(down);
  });

  test("carries what the records say about the machine", () => {
    const [subject] = checkReplay(source).subjects.filter(({ id }) => id === "lanl-21-34");
    expect(subject).toEqual({
      id: "lanl-21-34",
      kind: "node",
      operator: "lanl-system-21",
      attributes: {
        region: "Los Alamos",
        system: 21,
        machine_type: "cluster",
        processors: 4,
        memory_gb: 16,
        purpose: "compute",
      },
    });
  });
});

test("an outage of 4,265 hours is down day by day, the first and the last in part", () => {
  const start = Date.UTC(2004, 2, 29, 15);
  const end = Date.UTC(2004, 8, 23, 8);
  const values = [...samplesOf(source, (id) => id === "lanl-14-137")]
    .filter(({ at }) => at > start && at < end + DAY_MS)
    .map(({ value }) => minutesDown(value));
  expect([values[0], values.at(-1)]).toEqual([9 * 60, 8 * 60]);
  expect(new Set(values.slice(1, -1))).toEqual(new Set([1_440]));
  expect(values.reduce((sum, minutes) => sum + minutes, 0)).toBe(4_265 * 60);
});

test("several causes of one day are told in order, with their minutes", () => {
  const contexts = [...samplesOf(source, (id) => id === "lanl-9-97")].map(({ context }) => context);
  expect(contexts).toContain("undetermined, 62 min; software: Parallel File System, 690 min");
});

test("the last day ends with the last repair, and its share is of the part that is known", () => {
  const last = [...samplesOf(source, (id) => id === "lanl-5-40")].at(-1)!;
  expect(last).toMatchObject({ at: Date.UTC(2005, 8, 9, 13, 47), context: "hardware: CPU, 137 min" });
  expect(1 - last.value).toBeCloseTo(137 / (13 * 60 + 47), 12);
});

test("bytes that are not the shipped file are refused", () => {
  expect(() => lanlSource(Uint8Array.of(1, 2, 3))).toThrow();
});

/** Date of the day that a sample at its end speaks of. */
function dayBefore(at: number): string {
  return new Date(at - 1).toISOString().slice(0, 10);
}

function minutesDown(value: number): number {
  return Math.round((1 - value) * 1_440);
}
