import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { LANL_FILE } from "./lanl.ts";
import { CAUSE_FAMILIES, monthStart, parseRecords } from "./records.ts";

const csv = brotliDecompressSync(readFileSync(LANL_FILE));
const records = parseRecords(csv.toString("utf8"));

describe("the shipped file", () => {
  test("is the published one, byte for byte", () => {
    expect(createHash("sha256").update(csv).digest("hex")).toBe(
      "516c88f0fa07b9d4c8b0d68974e8569f2ec2c98d6eefba372c12e7350bd2d175",
    );
  });

  test("gives the published figures", () => {
    const downtimes = records.map((record) => record.downtimeMin).sort((a, b) => a - b);
    expect(records).toHaveLength(23_739);
    expect(new Set(records.map((record) => record.system)).size).toBe(23);
    expect(downtimes.reduce((sum, minutes) => sum + minutes, 0) / downtimes.length).toBeCloseTo(352.4, 1);
    expect(downtimes[Math.floor(downtimes.length / 2)]).toBe(59);
  });

  test("counts failures by family of causes", () => {
    const counts = CAUSE_FAMILIES.map(
      (family) => records.filter((record) => record.family === family).length,
    );
    expect(Object.fromEntries(CAUSE_FAMILIES.map((family, index) => [family, counts[index]]))).toEqual({
      facilities: 362,
      hardware: 14_341,
      "human error": 149,
      network: 421,
      undetermined: 2_652,
      software: 5_361,
    });
    expect(records.filter((record) => record.cause === "not recorded")).toHaveLength(453);
  });

  test("has 13.17 h between failures of system 20", () => {
    const starts = records.filter((record) => record.system === 20).map((record) => record.startedAt);
    const spanMs = Math.max(...starts) - Math.min(...starts);
    expect(starts).toHaveLength(2_478);
    expect(spanMs / 3_600_000 / (starts.length - 1)).toBeCloseTo(13.17, 2);
  });

  test("holds the oddities that the README lists", () => {
    const minutes = records.map((record) => (record.fixedAt - record.startedAt) / 60_000);
    const off = records.map((record, index) => Math.abs(minutes[index]! - record.downtimeMin));
    const nodeless = records.filter((record) => record.node === null);
    expect(nodeless).toHaveLength(126);
    expect(new Set(nodeless.map((record) => record.system))).toEqual(new Set([17]));
    expect(Math.min(...minutes)).toBe(0);
    expect(minutes.filter((length) => length === 0)).toHaveLength(122);
    expect(off.filter((difference) => difference === 1)).toHaveLength(399);
    expect(off.filter((difference) => difference === 60)).toHaveLength(24);
    expect(off.filter((difference) => difference !== 0)).toHaveLength(423);
  });
});

describe("parseRecords", () => {
  test("reads a record, quoted commas included", () => {
    const header = csv.toString("utf8").split("\n", 1)[0]!;
    const line =
      "2,cluster,49,6152,80,0,0,5-Apr,5-Jun,current,part,80,1,1,0,graphics.fe,6/21/2005 10:54,6/21/2005 11:00,6," +
      ',,,,,"MPI, PVM, Array services",No';
    expect(parseRecords(`${header}\n${line}\n`)).toEqual([
      {
        system: 2,
        node: 0,
        machineType: "cluster",
        nodesInSystem: 49,
        processors: 80,
        memory: 80,
        purpose: "graphics.fe",
        productionFrom: Date.UTC(2005, 5, 1),
        productionUntil: null,
        startedAt: Date.UTC(2005, 5, 21, 10, 54),
        fixedAt: Date.UTC(2005, 5, 21, 11, 0),
        downtimeMin: 6,
        family: "software",
        cause: "software: MPI, PVM, Array services",
      },
    ]);
  });

  test.each([
    ["another header", "System,machine\n1,2\n"],
    ["a line that is cut off", `${csv.toString("utf8").split("\n", 1)[0]}\n2,cluster,49\n`],
  ])("refuses %s", (_, text) => {
    expect(() => parseRecords(text)).toThrow();
  });
});

describe("monthStart", () => {
  test.each([
    ["Nov-96", 0, "1996-11-01"],
    ["Dec-99", 1, "2000-01-01"],
    ["5-Apr", 0, "2005-04-01"],
    ["4-Dec", 1, "2005-01-01"],
    ["2-Jan", 1, "2002-02-01"],
  ])("reads %s (+%i) as %s", (text, later, date) => {
    expect(monthStart(text, later)).toBe(Date.parse(date));
  });

  test("knows no month where none is given", () => {
    expect(["", "current", "before tracking"].map((text) => monthStart(text, 0))).toEqual([null, null, null]);
    expect(() => monthStart("5-Foo", 0)).toThrow();
  });
});
