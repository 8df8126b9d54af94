import { expect, test } from "vitest";
import { crashTest } from "../tools/crash.ts";

test("twenty kills at random moments lose nothing, double nothing, and leave the state of a replay", async () => {
  const summary = await crashTest({ cycles: 20, seed: 20_261_125 });
  process.stdout.write(`crash: ${JSON.stringify(summary)}\n`);
  // Else nothing was put to the test.
  expect(summary.events).toBeGreaterThan(1_000);
  expect(summary.acts).toBeGreaterThan(50);
  expect(summary.resent).toBeGreaterThan(0);
  expect(summary.fromSnapshot).toBeGreaterThan(0);
}, 600_000);
