/** Policies of older logs: what they did not say decides nothing. */
import { expect, test } from "vitest";
import { completePolicy } from "./complete.ts";
import { DURATION_MAX_MS } from "./duration.ts";
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

test("a log from before maintenance had a horizon lets it begin as far ahead as it did", () => {
  const { horizonMs: _horizon, ...rest } = STORAGE_PROVIDER.maintenance;
  const older = { ...STORAGE_PROVIDER, maintenance: rest } as unknown as Policy;
  expect(completePolicy(older).maintenance).toEqual({ ...rest, horizonMs: DURATION_MAX_MS });
  // What a newer log says stays, whichever of the two is missing.
  const { recentJobs: _jobs, ...runs } = STORAGE_PROVIDER.probation;
  const between = { ...STORAGE_PROVIDER, probation: runs } as unknown as Policy;
  expect(completePolicy(between).maintenance).toEqual(STORAGE_PROVIDER.maintenance);
});

test("a log from before operators lent their record lets nobody start from it, and suspends nobody by rule", () => {
  const { operatorShrinkage: _lent, suspension: _rule, misbehaviour: _reports, ...rest } = STORAGE_PROVIDER;
  const complete = completePolicy(rest as unknown as Policy);
  expect(complete).toEqual({ ...STORAGE_PROVIDER, operatorShrinkage: null });
  expect(complete.suspension.enabled).toBe(false);
});

test("a log from before bans ended by themselves ends those to come", () => {
  const durations = { ...STORAGE_PROVIDER.penaltyDurationsMs, ban: null };
  const complete = completePolicy({ ...STORAGE_PROVIDER, penaltyDurationsMs: durations });
  expect(complete).toEqual(STORAGE_PROVIDER);
});
