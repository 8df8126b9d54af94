/**
 * `npm run -s scheduler [-- --jobs N] [--run NAME]`: jobs for workers that a running service chooses among, and in
 * the end who got how many. Address and key come from STAUNCH_URL and STAUNCH_KEY, as for the command line.
 */
import { parseArgs } from "node:util";
import { createClient, isStaunchError, StaunchUnreachable } from "@staunch/client";
import { runJobs, type DoneJob, type Plan } from "./scheduler.ts";
import { WORKERS } from "./workers.ts";

const JOBS_MAX = 100_000;

const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: "600" },
    run: { type: "string", default: `run-${Date.now()}` },
  },
});
const plan: Plan = { run: values.run, jobCount: Number(values.jobs), workers: WORKERS };
if (!Number.isInteger(plan.jobCount) || plan.jobCount < 1 || plan.jobCount > JOBS_MAX) {
  console.error(`--jobs must be 1 to ${JOBS_MAX}, not ${values.jobs}`);
  process.exit(2);
}
const { STAUNCH_URL: baseUrl = "http://127.0.0.1:8080", STAUNCH_KEY: apiKey } = process.env;
const client = createClient({ baseUrl, apiKey });
const stop = new AbortController();
// Once: who presses Ctrl-C again does not want to wait for the jobs that run.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());

try {
  await print(await runJobs(client, plan, stop.signal));
} catch (error) {
  if (!isStaunchError(error)) throw error;
  console.error(error.message);
  if (error instanceof StaunchUnreachable) console.error("Start the service with `npm start`.");
  console.error(`To go on with this run: --run ${plan.run}`);
  process.exitCode = 1;
}

async function print(done: readonly DoneJob[]): Promise<void> {
  console.log(`${plan.run}: ${done.length} of ${plan.jobCount} jobs done`);
  const rows = WORKERS.map(async ({ id }) => {
    const jobs = done.filter(({ worker }) => worker === id);
    const good = jobs.filter(({ outcome }) => outcome === "success").length;
    const { condition, state } = await client.workers.get({ id });
    return [
      id,
      { jobs: jobs.length, good, condition: condition.toFixed(2), state, "kept out": keptOut(id, done) },
    ] as const;
  });
  console.table(Object.fromEntries(await Promise.all(rows)));
  const { health, active, healthy, open_selections: out } = await client.network.get({ kind: "worker" });
  console.log(
    `network worker: health ${health?.toFixed(2) ?? "unknown"}, ${active} active, ${healthy} healthy`,
  );
  console.log(`${out} jobs out without an outcome`);
}

/** How often and why a worker's bid took no part: `newcomer 412, slow_start 3`. */
function keptOut(id: string, done: readonly DoneJob[]): string {
  const reasons = done.flatMap(({ excluded }) => excluded.filter((one) => one.id === id));
  const byReason = Map.groupBy(reasons, ({ reason }) => reason);
  return Array.from(byReason, ([reason, times]) => `${reason} ${times.length}`).join(", ");
}
