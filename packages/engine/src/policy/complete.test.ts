/** Policies of older logs: what they did not say decides nothing. */
import { expect, test } from "vitest";
import { completePolicy } from "./complete.ts";
import type { Policy } from "./policy.ts";
import { STORAGE_PROVIDER } from "./presets.ts";

test("a policy that says everything is left as it is", () => {
  expect(completePolicy(STORAGE_PROVIDER)).toBe(STORAGE_PROVIDER);
});

test("a log from before failures in a row were counted puts nobody on probation for them", () => {
  const {
    failuresInRow: _run,
    recentFailedAbove: _share,
    recentJobs: _jobs,
    ...rest
  } = STORAGE_PROVIDER.probation;
  const older = { ...STORAGE_PROVIDER, probation: rest } as unknown as Policy;
  const { probation } = completePolicy(older);
  expect(probation).toMatchObject(rest);
  expect(probation.failuresInRow).toBeGreaterThan(1e6);
  // No share is larger than all of them.
  expect(probation.recentFailedAbove).toBe(1);
  expect(probation.recentJobs).toBeGreaterThan(0);
});
