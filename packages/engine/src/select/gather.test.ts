/** What the state says of the bidders. */
import { expect, test } from "vitest";
import { parsePolicy } from "../policy/parse.ts";
import { kindNamed } from "../state/state.ts";
import { Lab, T0 } from "../testing/lab.ts";
import { jobsOf, type Job } from "../testing/work.ts";
import { Candidates } from "./candidates.ts";
import { gather } from "./gather.ts";

const SECOND_MS = 1000;

test("who has failed counts as failing until a good job, or for a minute: the next outcome may be lost", () => {
  const parsed = parsePolicy({ extends: "compute-worker" });
  if (parsed.type === "invalid") throw new Error("the preset is no policy");
  const lab = new Lab(parsed.policy);
  const subject = lab.register("worker");
  lab.apply(T0);
  const isFailingAt = (nowMs: number): boolean => {
    const bids = { subject: Uint32Array.of(subject), price: Float64Array.of(1), timeMs: Float64Array.of(1) };
    const candidates = new Candidates();
    gather(lab.state, kindNamed(lab.state, "provider")!, bids, nowMs, candidates);
    return candidates.failing[0] === 1;
  };
  const end = (outcome: Job["outcome"], at: number): void => {
    lab.apply(at, { jobs: jobsOf([{ subject, at, outcome }]) });
  };
  expect(isFailingAt(T0)).toBe(false);
  const failedAt = T0 + SECOND_MS;
  end("failure", failedAt);
  expect(isFailingAt(failedAt)).toBe(true);
  expect(isFailingAt(failedAt + 59 * SECOND_MS)).toBe(true);
  expect(isFailingAt(failedAt + 60 * SECOND_MS)).toBe(false);
  end("declined", failedAt + 2 * SECOND_MS);
  expect(isFailingAt(failedAt + 2 * SECOND_MS)).toBe(true);
  end("success", failedAt + 3 * SECOND_MS);
  expect(isFailingAt(failedAt + 3 * SECOND_MS)).toBe(false);
});
