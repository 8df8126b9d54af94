import { readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { LANL_FILE } from "./lanl.ts";
import { buildFleet } from "./nodes.ts";
import { type FailureRecord, parseRecords } from "./records.ts";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const START = Date.UTC(2004, 0, 10, 8);

describe("the published records", () => {
  const fleet = buildFleet(parseRecords(brotliDecompressSync(readFileSync(LANL_FILE)).toString("utf8")));

  test("become outages or are counted", () => {
    const outages = fleet.nodes.reduce((count, node) => count + node.outages.length, 0);
    expect(fleet.recordsWithoutNode).toBe(126);
    expect(fleet.recordsCovered).toBe(136);
    expect(outages).toBe(23_739 - 126 - 136);
  });

  test("lie within the service of their nodes", () => {
    const outside = fleet.nodes.flatMap((node) =>
      node.outages.filter(({ from, until }) => from < node.serviceFrom || until > node.serviceUntil),
    );
    expect(outside).toEqual([]);
  });

  test("show 3,576 nodes that failed among 5,006", () => {
    expect(fleet.nodes.filter((node) => node.outages.length > 0)).toHaveLength(3_576);
    expect(fleet.nodes).toHaveLength(5_006);
  });
});

describe("service", () => {
  test("starts with production, but not before the day of the system's first record", () => {
    const [early] = buildFleet([recordOf({ productionFrom: Date.UTC(2003, 0, 1) })]).nodes;
    const [late] = buildFleet([
      recordOf({ productionFrom: START - 2 * DAY_MS, startedAt: START - 5 * DAY_MS }),
    ]).nodes;
    const [unknown] = buildFleet([recordOf({ productionFrom: null })]).nodes;
    expect(early!.serviceFrom).toBe(Date.UTC(2004, 0, 10));
    expect(late!.serviceFrom).toBe(START - 2 * DAY_MS);
    expect(unknown!.serviceFrom).toBe(Date.UTC(2004, 0, 10));
  });

  test("ends with the decommission or with the records", () => {
    const [current] = buildFleet([recordOf({})]).nodes;
    const [gone] = buildFleet([
      recordOf({}),
      recordOf({ system: 2, startedAt: START, fixedAt: START + 90 * DAY_MS }),
    ]).nodes;
    const [decommissioned] = buildFleet([
      recordOf({ productionUntil: START + DAY_MS }),
      recordOf({ system: 2, fixedAt: START + 90 * DAY_MS }),
    ]).nodes;
    expect(current!.serviceUntil).toBe(START + 10 * MINUTE_MS);
    expect(gone!.serviceUntil).toBe(START + 90 * DAY_MS);
    expect(decommissioned!.serviceUntil).toBe(START + DAY_MS);
  });
});

describe("silent nodes", () => {
  test("fill the free numbers and take after the nearest node below that failed", () => {
    const { nodes } = buildFleet([
      recordOf({ node: 1, nodesInSystem: 6, memory: 8 }),
      recordOf({ node: 3, nodesInSystem: 6, memory: 16 }),
    ]);
    expect(nodes.map((node) => [node.number, node.described.memory])).toEqual([
      [0, 8],
      [1, 8],
      [2, 8],
      [3, 16],
      [4, 16],
      [5, 16],
    ]);
  });

  test("start where the system's numbers start", () => {
    const { nodes } = buildFleet([
      recordOf({ node: 5, nodesInSystem: 4 }),
      recordOf({ node: 7, nodesInSystem: 4 }),
    ]);
    expect(nodes.map((node) => node.number)).toEqual([4, 5, 6, 7]);
  });
});

describe("outages", () => {
  test("of one node do not overlap: the later starts when the earlier ends", () => {
    expect(outagesOf([0, 60], [30, 90])).toEqual([
      [0, 60],
      [60, 90],
    ]);
  });

  test("inside another one are dropped", () => {
    expect(outagesOf([0, 60], [10, 20], [30, 60], [40, 40])).toEqual([[0, 60]]);
  });

  test("of no length stand", () => {
    expect(outagesOf([0, 60], [60, 60], [70, 70])).toEqual([
      [0, 60],
      [60, 60],
      [70, 70],
    ]);
  });

  test("that end before they start are refused", () => {
    expect(() => outagesOf([10, 5])).toThrow();
  });

  /** Minutes from the start, in and out. */
  function outagesOf(...spans: readonly [number, number][]): number[][] {
    const records = spans.map(([from, until]) =>
      recordOf({ startedAt: START + from * MINUTE_MS, fixedAt: START + until * MINUTE_MS }),
    );
    const [node] = buildFleet(records).nodes;
    return node!.outages.map((outage) => [
      (outage.from - START) / MINUTE_MS,
      (outage.until - START) / MINUTE_MS,
    ]);
  }
});

function recordOf(changes: Partial<FailureRecord>): FailureRecord {
  return {
    system: 1,
    node: 0,
    machineType: "cluster",
    nodesInSystem: 1,
    processors: 4,
    memory: 4,
    purpose: "compute",
    productionFrom: null,
    productionUntil: null,
    startedAt: START,
    fixedAt: START + 10 * MINUTE_MS,
    downtimeMin: 10,
    family: null,
    cause: "not recorded",
    ...changes,
  };
}
