/**
 * Kills the real service with SIGKILL at random moments while it takes in samples and acts, starts it again, and proves
 * after each kill that every acknowledged event is in the log once, that every acknowledged act has its effect, and
 * that what the service restores is, to the last bit, what an undisturbed replay of the log gives in this process.
 *
 *     npm run crash -- --cycles 500 [--seed 1] [--json]
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { stateHash } from "@staunch/engine";
import { withStorage } from "../packages/server/src/offline.ts";
import { Checker } from "./crash-checker.ts";
import { ActSource, Client, delay, SampleSource } from "./crash-clients.ts";
import { Dice } from "./dice.ts";
import { RunProgress } from "./progress.ts";

const MAIN = fileURLToPath(new URL("../packages/server/src/main.ts", import.meta.url));
const SAMPLE_CLIENTS = 3;
/** Lives that end while nothing special goes on last this long at most. */
const LIFE_MAX_MS = 500;
/** A kill that waits for a snapshot comes so much later at most: into its writing, or into what is done behind it. */
const INTO_SNAPSHOT_MAX_MS = 30;
/** Where nothing comes to wait for, a life ends all the same. */
const SNAPSHOT_WAIT_MAX_MS = 5_000;
const POLL_MS = 2;
const START_MAX_MS = 30_000;
/** Longer than a cycle takes, so that the service trims no sample that the checker has not seen. */
const SAMPLE_RETENTION = "2m";
/** Cycles between two lines of progress where there is no terminal. */
const CYCLES_PER_LINE = 10;

export interface CrashOptions {
  readonly cycles: number;
  readonly seed: number;
  readonly onCycle?: (summary: CrashSummary) => void;
}

export interface CrashSummary {
  readonly cycles: number;
  /** Requests, events and the acts among them that the service acknowledged. */
  readonly requests: number;
  readonly events: number;
  readonly acts: number;
  /** Requests that were under way at a kill and were sent again. */
  readonly resent: number;
  /** Of those with events: had been written before the kill all the same. */
  readonly duplicates: number;
  readonly records: number;
  /** Starts that used a snapshot. */
  readonly fromSnapshot: number;
  readonly stateHash: string;
  /** Of the newest cycle, from the start of the service to the end of the check. */
  readonly cycleMs: number;
}

/** @throws Error that says what was lost, doubled or different */
export async function crashTest({ cycles, seed, onCycle }: CrashOptions): Promise<CrashSummary> {
  const directory = await mkdtemp(join(tmpdir(), "staunch-crash-"));
  const dice = new Dice(seed);
  const checker = new Checker();
  const acts = new ActSource("act", dice);
  const samples = Array.from({ length: SAMPLE_CLIENTS }, (_, index) => new SampleSource(`s${index}`, dice));
  const clients = [...samples, acts].map((source) => new Client(source));
  let key = "";
  let child: ChildProcess | null = null;
  try {
    for (let cycle = 1; ; cycle++) {
      const startMs = performance.now();
      const service = await start(directory);
      child = service.child;
      key = service.adminKey ?? key;
      const sending = clients.map((client) => client.run(service.address, key));
      await Promise.race([momentToKill(directory, cycle, dice), refusedFirst(sending)]);
      service.child.kill("SIGKILL");
      await once(service.child, "exit");
      await Promise.all(sending);
      await withStorage(directory, (storage) => checker.check(storage, clients, acts));
      const summary = summaryOf(cycle, clients, checker, performance.now() - startMs);
      onCycle?.(summary);
      if (cycle < cycles) continue;
      await withStorage(directory, (storage) => checker.checkWhole(storage));
      return summary;
    }
  } finally {
    child?.kill("SIGKILL");
    await rm(directory, { recursive: true, force: true });
  }
}

function summaryOf(
  cycles: number,
  clients: readonly Client[],
  checker: Checker,
  cycleMs: number,
): CrashSummary {
  const sum = (read: (client: Client) => number): number =>
    clients.reduce((total, one) => total + read(one), 0);
  return {
    cycles,
    requests: sum(({ requests }) => requests),
    events: sum(({ acknowledged }) => acknowledged),
    acts: clients.at(-1)!.acknowledged,
    resent: sum(({ resent }) => resent),
    duplicates: sum(({ duplicates }) => duplicates),
    records: checker.position,
    fromSnapshot: checker.fromSnapshot,
    stateHash: stateHash(checker.state),
    cycleMs: Math.round(cycleMs),
  };
}

/** Fails when a client does; one that merely ends, because the service is gone, decides nothing. */
async function refusedFirst(sending: readonly Promise<void>[]): Promise<void> {
  await Promise.all(sending);
  await new Promise(() => undefined);
}

/**
 * Of eight lives two end inside a snapshot, one when a snapshot is complete, one when a second is, behind which the log
 * is trimmed, and four anywhere.
 */
async function momentToKill(directory: string, cycle: number, dice: Dice): Promise<void> {
  const folder = join(directory, "snapshots");
  if (cycle % 2 === 1) return delay(dice.below(LIFE_MAX_MS));
  if (cycle % 4 === 0) {
    await until(async () => (await namesIn(folder)).includes("snapshot.tmp"));
  } else {
    const before = new Set(await namesIn(folder));
    const wanted = cycle % 8 === 2 ? 1 : 2;
    await until(async () => {
      const complete = (await namesIn(folder)).filter((name) => name.endsWith(".bin") && !before.has(name));
      return complete.length >= wanted;
    });
  }
  await delay(dice.below(INTO_SNAPSHOT_MAX_MS));
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return existsSync(folder) ? readdir(folder) : [];
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const startMs = performance.now();
  while (!(await condition()) && performance.now() - startMs < SNAPSHOT_WAIT_MAX_MS) await delay(POLL_MS);
}

interface Started {
  readonly child: ChildProcess;
  readonly address: string;
  readonly adminKey: string | null;
}

async function start(directory: string): Promise<Started> {
  const flags = ["serve", "--empty", "--json", "--port", "0", "--data", directory];
  const settings = {
    "--storage-snapshot-interval": "1s",
    "--storage-sample-retention": SAMPLE_RETENTION,
    "--storage-disk-free-min": "0",
    "--log-level": "error",
  };
  const child = spawn(process.execPath, [MAIN, ...flags, ...Object.entries(settings).flat()], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  const timer = setTimeout(() => child.kill("SIGKILL"), START_MAX_MS);
  for await (const line of lines) {
    clearTimeout(timer);
    const { address, admin_key: adminKey } = JSON.parse(line) as {
      address: string;
      admin_key: string | null;
    };
    return { child, address, adminKey };
  }
  throw new Error("the service ended before it listened; what it said is above");
}

if (import.meta.main) {
  const options = {
    cycles: { type: "string" },
    seed: { type: "string" },
    json: { type: "boolean" },
  } as const;
  const { values } = parseArgs({ options });
  const progress = new RunProgress(CYCLES_PER_LINE);
  const summary = await crashTest({
    cycles: Number(values.cycles ?? 20),
    seed: Number(values.seed ?? 1),
    onCycle: (soFar) => progress.step(`${summaryLine(soFar)}; ${soFar.cycleMs} ms`),
  });
  progress.end();
  console.log(values.json === true ? JSON.stringify(summary) : `passed: ${summaryLine(summary)}`);
}

function summaryLine(summary: CrashSummary): string {
  const { cycles, requests, events, acts, resent, duplicates, records, fromSnapshot } = summary;
  return (
    `${cycles} kills, ${events} events (${acts} acts) in ${requests} requests acknowledged and there once, ` +
    `${records} records; ${resent} requests sent again, ${duplicates} of them had been written; ` +
    `${fromSnapshot} restores from a snapshot, all equal`
  );
}
