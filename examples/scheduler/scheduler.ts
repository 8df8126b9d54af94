/**
 * A job loop over Staunch: ask who shall have the job, have it done there, tell how it ended.
 *
 * What acts goes under a key made of the run and the job. So a request may be sent again, and a run that was
 * interrupted be started again, without anything being chosen or counted twice.
 */
import { setInterval as everyMs } from "node:timers/promises";
import { StaunchProblem, type Client } from "@staunch/client";
import { bidOf, healthOf, profileOf, work, type Result, type Worker } from "./workers.ts";

/** Jobs that run at the same time. */
const LANES = 6;
/** Half of the interval for which a report is fresh, so that one that is late does no harm. */
const HEALTH_EVERY_MS = 30_000;

export interface Plan {
  /** Names the run; under the same name it goes on where it was. */
  readonly run: string;
  readonly jobCount: number;
  readonly workers: readonly Worker[];
}

export interface DoneJob {
  readonly worker: string;
  readonly outcome: Result["outcome"];
  /** Who took no part in the draw, and why. */
  readonly excluded: readonly { readonly id: string; readonly reason: string }[];
}

/** Does the jobs of the plan, or as many as it can until the signal. Every job that was begun is reported. */
export async function runJobs(client: Client, plan: Plan, signal: AbortSignal): Promise<DoneJob[]> {
  const { run, jobCount, workers } = plan;
  const profiles = workers.flatMap((worker) => [profileOf(worker), healthOf(worker)]);
  await client.events.ingest(profiles, { atomic: true, idempotencyKey: `${run}-workers` });
  const end = new AbortController();
  const stop = AbortSignal.any([signal, end.signal]);
  const done: DoneJob[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < jobCount && !stop.aborted) done.push(...(await runJob(client, plan, next++)));
  };
  const loops = [reportHealth(client, workers, stop), ...Array.from({ length: LANES }, lane)];
  // The first loop that ends, as no job is left or one could not be done, ends the others, each after its own job:
  // so every choice gets its outcome.
  const endings = await Promise.allSettled(loops.map((loop) => loop.finally(() => end.abort())));
  for (const ending of endings) if (ending.status === "rejected") throw ending.reason;
  return done;
}

/** The job as it was done; nothing when nobody may have it. */
async function runJob(client: Client, { run, workers }: Plan, job: number): Promise<DoneJob[]> {
  const job_id = `${run}-job-${job}`;
  const request = { kind: "worker", bids: workers.map(bidOf), job_id } as const;
  const selection = await client.selections.make(request, { idempotencyKey: `${job_id}-choice` });
  const worker = workers.find(({ id }) => id === selection.chosen);
  if (worker === undefined) return [];
  const result = await work(worker, job);
  const event = { type: "job", subject: worker.id, selection_id: selection.id, job_id, ...result } as const;
  try {
    await client.events.ingest(event, { idempotencyKey: `${job_id}-outcome` });
  } catch (error) {
    // It took so long that the service has given the job up, and the worker with it: nothing to do about that here.
    const isGivenUp = error instanceof StaunchProblem && error.rejected[0]?.code === "selection_not_open";
    if (!isGivenUp) throw error;
  }
  const excluded = selection.bids.flatMap(({ id, excluded: reason }) =>
    reason === null ? [] : [{ id, reason }],
  );
  return [{ worker: worker.id, outcome: result.outcome, excluded }];
}

/** Without reports a worker that has made some counts as silent after three minutes, and is not chosen any more. */
async function reportHealth(client: Client, workers: readonly Worker[], stop: AbortSignal): Promise<void> {
  try {
    for await (const _ of everyMs(HEALTH_EVERY_MS, undefined, { signal: stop }))
      await client.events.ingest(workers.map(healthOf), { signal: stop });
  } catch (error) {
    if (!stop.aborted) throw error;
  }
}
