import { expect, test } from "vitest";
import { badInput } from "../tools/bad-input.ts";

test("ten thousand generated bad requests are each refused properly, and the service goes on", async () => {
  const summary = await badInput({ count: 10_000, seed: 20_261_125 });
  process.stdout.write(`bad input: ${JSON.stringify(summary)}\n`);
  const { inputs, statuses, codes } = summary;
  expect(inputs).toBe(10_000);
  // Else the requests did not get far enough to put anything to the test.
  expect(statuses["200"]).toBeGreaterThan(500);
  for (const code of [
    "malformed_json",
    "request_invalid",
    "events_rejected",
    "key_invalid",
    "policy_invalid",
    "selection_not_found",
  ])
    expect(codes[code], code).toBeGreaterThan(3);
  expect(Object.keys(codes).length).toBeGreaterThan(20);
}, 60_000);
