/** The traffic most scenarios share: a job every 50 ms, offered to all workers alike. */
import type { Bid, Outcome, World } from "./world.ts";
import { T0 } from "./world.ts";

/** 20 jobs a second. */
export const JOB_EVERY_MS = 50;

export interface Traffic {
  readonly jobs: number;
  readonly bids: readonly Bid[];
  outcomeOf(subject: number, job: number): Outcome;
  /** Told of each choice. */
  onChoice?(subject: number, job: number): void;
  /** Job from which on this is offered; times follow from it. */
  readonly firstJob?: number;
}

/** Jobs each subject got, by its number. */
export function offer(world: World, traffic: Traffic): Map<number, number> {
  const counts = new Map<number, number>();
  const first = traffic.firstJob ?? 0;
  for (let job = first; job < first + traffic.jobs; job++) {
    world.advance(T0 + job * JOB_EVERY_MS);
    const choice = world.run(traffic.bids, (subject) => traffic.outcomeOf(subject, job));
    if (choice === null) continue;
    counts.set(choice.subject, (counts.get(choice.subject) ?? 0) + 1);
    traffic.onChoice?.(choice.subject, job);
  }
  return counts;
}

export function equalBids(subjects: readonly number[]): Bid[] {
  return subjects.map((subject) => ({ subject, price: 100, timeMs: 1000 }));
}

/** Numbers of `count` new workers, each its own operator. */
export function hire(world: World, count: number, prefix = "worker"): number[] {
  return Array.from({ length: count }, (_, index) => world.register(`${prefix}-${index}`));
}
