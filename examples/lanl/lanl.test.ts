import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { shiftTo } from "../import-source.ts";
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

  test("ends now when shifted, a quarter of an hour after the last repair", () => {
    const now = Date.UTC(2030, 0, 1);
    const shifted = shiftTo(source, now);
    checkReplay(shifted);
    expect(source.lastAt).toBe(Date.UTC(2005, 8, 9, 13, 47) + 15 * 60_000);
    expect(shifted.lastAt - shifted.firstAt).toBe(source.lastAt - source.firstAt);
  });

  test("counts 4,747,072 days in service and loses no minute of downtime", () => {
    let days = 0;
    let downMs = 0;
    for (const { samples } of source.batches()) {
      for (let index = 0; index < samples.count; index++) {
        if (samples.kind[index] !== 0) continue;
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
  const uptime = samples.filter((sample) => sample.metric === "uptime");
  const probes = samples.filter((sample) => sample.metric === "availability");

  test("is in service for 139 days and down on three of them", () => {
    expect(uptime).toHaveLength(139);
    expect(uptime[0]!.at).toBe(Date.UTC(2001, 8, 16));
    expect(uptime.at(-1)!.at).toBe(Date.UTC(2002, 1, 1));
    const down = uptime.filter((sample) => sample.value < 1);
    expect(down.map((sample) => new Date(sample.at - 1).toISOString().slice(0, 10))).toEqual([
      "2001-09-29",
      "2001-11-16",
      "2001-12-19",
    ]);
    expect(down.map((sample) => Math.round((1 - sample.value) * 1_440))).toEqual([40, 82, 68]);
  });

  test("is probed while down and after each repair", () => {
    expect(probes.filter((probe) => probe.value === 0)).toHaveLength(4 + 6 + 5 + 4);
    expect(probes.filter((probe) => probe.value === 1)).toHaveLength(4 * 3);
    const start = Date.UTC(2001, 10, 16, 8, 8);
    const ofNovember = probes.filter((probe) => probe.at >= start && probe.at < start + DAY_MS);
    expect(ofNovember.map((probe) => [(probe.at - start) / 60_000, probe.value])).toEqual([
      [0, 0],
      [5, 0],
      [10, 0],
      [15, 0],
      [45, 0],
      [75, 0],
      [87, 1],
      [92, 1],
      [97, 1],
    ]);
    expect(new Set(ofNovember.map((probe) => probe.context))).toEqual(new Set(["hardware: Memory Dimm"]));
    expect(new Set(ofNovember.map((probe) => probe.monitor))).toEqual(new Set(["lanl-operations"]));
  });

  test("carries what the records say about the machine", () => {
    const [subject] = checkReplay(source).subjects.filter(({ id }) => id === "lanl-21-34");
    expect(subject).toEqual({
      id: "lanl-21-34",
      kind: "provider",
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

test("an outage of 4,265 hours is probed 48 times within 22.25 h, then each 6 h", () => {
  const start = Date.UTC(2004, 2, 29, 15);
  const end = Date.UTC(2004, 8, 23, 8);
  const times = [...samplesOf(source, (id) => id === "lanl-14-137")]
    .filter(({ metric, at }) => metric === "availability" && at >= start && at < end)
    .map(({ at }) => (at - start) / 3_600_000);
  expect(times[47]).toBe(22.25);
  expect(times.slice(48).every((hours, index) => hours === 22.25 + 6 * (index + 1))).toBe(true);
  expect(times).toHaveLength(48 + Math.floor((4_265 - 22.25) / 6));
});

test("bytes that are not the shipped file are refused", () => {
  expect(() => lanlSource(Uint8Array.of(1, 2, 3))).toThrow();
});
