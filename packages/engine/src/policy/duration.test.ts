import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DURATION_MAX_MS, formatDuration, parseDuration } from "./duration.ts";

describe("durations", () => {
  test.each([
    ["1m", 60_000],
    ["720h", 2_592_000_000],
    ["168h", 604_800_000],
    ["1h30m", 5_400_000],
    ["24h", 86_400_000],
    ["500ms", 500],
    ["1.5s", 1500],
    ["-1.5h", -5_400_000],
    ["+.5m", 30_000],
    ["1000us", 1],
    ["2000µs", 2],
    ["3000μs", 3],
    ["4000000ns", 4],
    ["1h0m0s", 3_600_000],
    ["0", 0],
    ["-0", 0],
    ["250", 250],
    [250, 250],
    [-0, 0],
  ])("%s is %d ms", (value, ms) => {
    expect(parseDuration(value)).toEqual({ type: "ok", ms });
  });

  test.each([
    "",
    "m",
    "1d",
    "1 m",
    "m1",
    "1m30",
    "1..5s",
    ".s",
    "1e3s",
    "0x10s",
    "١s",
    "infinity",
    "1us",
    "3000000h",
    "1s".repeat(40),
    NaN,
    Infinity,
    0.5,
  ])("%s is refused", (value) => {
    expect(parseDuration(value).type).toBe("invalid");
  });

  test.each([
    [0, "0s"],
    [1, "1ms"],
    [999, "999ms"],
    [60_000, "1m"],
    [61_500, "1m1.5s"],
    [5_400_000, "1h30m"],
    [259_200_000, "72h"],
    [-90_000, "-1m30s"],
  ])("%d ms reads %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test("what was written reads back as the same number", () => {
    fc.assert(
      fc.property(fc.integer({ min: -DURATION_MAX_MS, max: DURATION_MAX_MS }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toEqual({ type: "ok", ms });
      }),
    );
  });

  test("any text is answered, never thrown at", () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[-+]?([0-9.]{1,4}(h|m|s|ms|us|ns)){1,4}$/u));
    fc.assert(
      fc.property(text, (value) => {
        expect(["ok", "invalid"]).toContain(parseDuration(value).type);
      }),
    );
  });

  test("only whole milliseconds can be written", () => {
    expect(() => formatDuration(0.5)).toThrow(RangeError);
    expect(() => formatDuration(NaN)).toThrow(RangeError);
  });
});
