/** Machines that exist only here. What one does with a job follows from the job's number, so a run can be repeated. */
import { setTimeout as passed } from "node:timers/promises";
import type { EventInput, InputOf } from "@staunch/client";
import { Random } from "@staunch/engine/num";

export interface Worker {
  readonly id: string;
  readonly price: number;
  /** What it says a job takes; the truth lies around it. */
  readonly timeMs: number;
  /** Share of its jobs that it fails. */
  readonly failureRate: number;
}

/** The last one bids lowest and fastest, and fails most of what it gets. */
export const WORKERS: readonly Worker[] = [
  { id: "amber", price: 10, timeMs: 14, failureRate: 0.01 },
  { id: "birch", price: 11, timeMs: 12, failureRate: 0.01 },
  { id: "cedar", price: 12, timeMs: 11, failureRate: 0.02 },
  { id: "dune", price: 13, timeMs: 10, failureRate: 0.02 },
  { id: "elm", price: 12, timeMs: 13, failureRate: 0.01 },
  { id: "flint", price: 7, timeMs: 8, failureRate: 0.7 },
];

type JobEvent = Extract<EventInput, { type: "job" }>;
export type Result = Pick<JobEvent, "outcome" | "duration_ms" | "expected_ms" | "quality" | "earnings">;

/** Who it is, for a service that does not know it yet. */
export function profileOf({ id }: Worker): EventInput {
  return { type: "subject", subject: id, kind: "worker", operator: `${id} hosting` };
}

export function healthOf({ id }: Worker): EventInput {
  const parts = { response_time: 40, memory_usage: 55, disk_usage: 40, temperature: 58 };
  return { type: "health", subject: id, kind: "worker", parts };
}

export function bidOf({ id, price, timeMs }: Worker): InputOf<"selections", "make">["bids"][number] {
  return { id, price, time_ms: timeMs };
}

export async function work({ timeMs, price, failureRate }: Worker, job: number): Promise<Result> {
  const random = new Random(job);
  const times = { expected_ms: timeMs, duration_ms: timeMs * (0.8 + 0.4 * random.next()) };
  await passed(times.duration_ms);
  if (random.next() < failureRate) return { outcome: "failure", ...times };
  return { outcome: "success", quality: 0.9 + 0.1 * random.next(), earnings: price, ...times };
}
