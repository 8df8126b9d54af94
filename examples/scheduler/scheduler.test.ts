import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, type Client } from "@staunch/client";
import {
  faultyFetch,
  restlessClock,
  startTestService,
  type Fault,
} from "../../packages/client/test/service.ts";
import { runJobs } from "./scheduler.ts";
import { WORKERS } from "./workers.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
const NEVER = new AbortController().signal;

let service: Awaited<ReturnType<typeof startTestService>>;
let client: Client;
/** The least that a scheduler needs. */
let ingestKey: string;
beforeAll(async () => {
  service = await startTestService();
  client = createClient({ baseUrl: service.baseUrl, apiKey: service.adminKey });
  ingestKey = (await client.keys.create({ name: "scheduler", role: "ingest" })).key;
});
afterAll(() => service.close());

function start(args: readonly string[], key = ingestKey) {
  const env = { ...process.env, STAUNCH_URL: service.baseUrl, STAUNCH_KEY: key };
  const child = spawn(process.execPath, [MAIN, ...args], { env });
  const ended = Promise.all([once(child, "exit"), text(child.stdout), text(child.stderr)]);
  return { child, ended: ended.then(([[code], out, err]) => ({ code: code as number | null, out, err })) };
}

async function jobsOf(id: string): Promise<number> {
  const { jobs } = await client.workers.get({ id });
  return jobs.completed + jobs.failed;
}

async function jobsOfAll(ids: readonly string[]): Promise<number> {
  const counts = await Promise.all(ids.map(jobsOf));
  return counts.reduce((sum, jobs) => sum + jobs, 0);
}

/** The workers under other names, so that no test finds what another did. */
function named(prefix: string) {
  return WORKERS.map((worker) => ({ ...worker, id: `${prefix}-${worker.id}` }));
}

test("the worker that fails gets next to nothing, though its bids are the best; the others share the jobs", async () => {
  const { code, out, err } = await start(["--jobs", "300", "--run", "first"]).ended;
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toContain("first: 300 of 300 jobs done");
  expect(out).toContain("6 active");
  expect(out).toContain("\n0 jobs out without an outcome");
  const ids = WORKERS.map(({ id }) => id);
  expect(await jobsOfAll(ids)).toBe(300);
  expect(await jobsOf("flint")).toBeLessThan(15);
  for (const id of ids.slice(0, -1)) expect(await jobsOf(id)).toBeGreaterThan(30);

  await start(["--jobs", "300", "--run", "first"]).ended;
  expect(await jobsOfAll(ids)).toBe(300);
});

test("Ctrl-C ends the jobs that run, tells how they ended, and takes no new one", async () => {
  const { child, ended } = start(["--jobs", "100000", "--run", "long"]);
  const before = await jobsOfAll(WORKERS.map(({ id }) => id));
  while ((await jobsOfAll(WORKERS.map(({ id }) => id))) === before);
  child.kill("SIGINT");
  const { code, out, err } = await ended;
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(/^long: \d{1,4} of 100000 jobs done$/mu);
  expect(await client.network.get({ kind: "worker" })).toMatchObject({ open_selections: 0 });
});

test("a choice and an outcome whose answers were lost count once", async () => {
  const workers = named("lossy");
  const answerLost: Fault = async (url, init) => {
    await fetch(url, init);
    throw new TypeError("the cable is cut");
  };
  const passed: Fault = (url, init) => fetch(url, init);
  const faults = Array.from({ length: 40 }, (_, index) => (index % 3 === 0 ? answerLost : passed));
  const { fetch: faulty } = faultyFetch(...faults);
  const { baseUrl, adminKey: apiKey } = service;
  const lossy = createClient({ baseUrl, apiKey, fetch: faulty, clock: restlessClock() });
  expect(await runJobs(lossy, { run: "lossy", jobCount: 24, workers }, NEVER)).toHaveLength(24);
  expect(await jobsOfAll(workers.map(({ id }) => id))).toBe(24);
});

test("a job that nobody may have is left over", async () => {
  const workers = named("banned");
  for (const { id } of workers) {
    await client.subjects.write({ id, kind: "worker" });
    await client.penalties.apply({ id, type: "ban", reason: "test" });
  }
  expect(await runJobs(client, { run: "banned", jobCount: 3, workers }, NEVER)).toEqual([]);
});

test("a refusal is told in the service's words, with the way to go on", async () => {
  const { code, out, err } = await start(["--run", "keyless"], "stn_wrong").ended;
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toMatch(/^key_invalid: .*\nTo go on with this run: --run keyless\n$/u);
  const { code: usage } = await start(["--jobs", "0"]).ended;
  expect(usage).toBe(2);
});
