import { describe, expect, test } from "vitest";
import { ByteReader, ByteWriter } from "../num/bytes.ts";
import { GRIDS_MAX, StepGrid } from "./step-grid.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe("the grid of steps", () => {
  test("cuts time at whole intervals, the start belonging to the step", () => {
    const grid = new StepGrid(HOUR);
    expect([grid.startOf(0), grid.startOf(HOUR - 1), grid.startOf(HOUR)]).toEqual([0, 0, HOUR]);
    expect([grid.endOf(0), grid.endOf(HOUR - 1), grid.endOf(HOUR)]).toEqual([HOUR, HOUR, 2 * HOUR]);
  });

  test("keeps the open step whole when the interval changes", () => {
    const grid = new StepGrid(HOUR);
    grid.change(15 * MINUTE, 10.5 * HOUR, 0);
    expect([grid.startOf(10.9 * HOUR), grid.endOf(10.9 * HOUR)]).toEqual([10 * HOUR, 11 * HOUR]);
    expect([grid.startOf(11.3 * HOUR), grid.endOf(11.3 * HOUR)]).toEqual([11.25 * HOUR, 11.5 * HOUR]);
  });

  test("gives a step that samples ahead of time may have opened its old end", () => {
    const grid = new StepGrid(HOUR);
    grid.change(15 * MINUTE, 11 * HOUR - MINUTE, 0);
    expect(grid.endOf(11 * HOUR)).toBe(12 * HOUR);
  });

  test("ends the last old step where the first new one starts, off the new interval", () => {
    const grid = new StepGrid(HOUR);
    grid.change(7 * HOUR, 9.5 * HOUR, 0);
    expect([grid.startOf(10 * HOUR), grid.endOf(10 * HOUR)]).toEqual([10 * HOUR, 14 * HOUR]);
    expect(grid.startOf(14 * HOUR)).toBe(14 * HOUR);
  });

  test("forgets a change that was taken back before it began", () => {
    const grid = new StepGrid(HOUR);
    grid.change(MINUTE, 9.5 * HOUR, 0);
    grid.change(HOUR, 9.6 * HOUR, 0);
    expect(grid.endOf(12 * HOUR)).toBe(13 * HOUR);
  });

  test("gives up the oldest steps after too many changes, and says from when on it knows them", () => {
    const grid = new StepGrid(HOUR);
    let knownFromMs = 0;
    for (let change = 0; change <= GRIDS_MAX; change++) {
      knownFromMs = grid.change(change % 2 === 0 ? MINUTE : HOUR, change * 3 * HOUR, 0);
    }
    expect(knownFromMs).toBeGreaterThan(0);
    expect(knownFromMs).toBeLessThan(2 * 3 * HOUR);
  });

  test("survives a snapshot", () => {
    const grid = new StepGrid(HOUR);
    grid.change(15 * MINUTE, 10.5 * HOUR, 0);
    const writer = new ByteWriter();
    grid.encode(writer);
    const restored = new StepGrid(MINUTE);
    restored.decode(new ByteReader(writer.finish()));
    for (const hours of [0.5, 10.7, 11, 11.6]) {
      expect(restored.startOf(hours * HOUR)).toBe(grid.startOf(hours * HOUR));
      expect(restored.endOf(hours * HOUR)).toBe(grid.endOf(hours * HOUR));
    }
  });

  test("refuses intervals that are no whole seconds", () => {
    expect(() => new StepGrid(1500)).toThrow(RangeError);
    expect(() => new StepGrid(0)).toThrow(RangeError);
  });
});
