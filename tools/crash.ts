/**
 * Kills the real service with SIGKILL at random moments while it takes in events, starts it again, and proves after
 * each kill that every acknowledged event is in the log once, and that what the service restores is, to the last bit,
 * what an undisturbed replay of the log gives in this process.
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
import { apply, createState, decodeBatch, stateHash, type Entry, type State } from "@staunch/engine";
import { restoreCheck, withStorage } from "../packages/server/src/offline.ts";
import type { Storage } from "../packages/server/src/storage.ts";

const MAIN = fileURLToPath(new URL("../packages/server/src/main.ts", import.meta.url));
const CONNECTIONS = 4;
const SUBJECTS = 200;
const EVENTS_PER_REQUEST_MAX = 60;
/** Lives that end while nothing special goes on last this long at most. */
const LIFE_MAX_MS = 500;
/** A kill that waits for a snapshot to begin comes so much later at most: into its writing, or just behind it. */
const INTO_SNAPSHOT_MAX_MS = 30;
/** No life is longer: the service trims the log behind its second snapshot, and the replay needs every sample. */
const SNAPSHOT_WAIT_MAX_MS = 1_700;
const POLL_MS = 2;
const START_MAX_MS = 30_000;

export interface CrashOptions {
  readonly cycles: number;
  readonly seed: number;
  readonly onCycle?: (summary: CrashSummary) => void;
}

export interface CrashSummary {
  readonly cycles: number;
  /** Requests and events that the service acknowledged. */
  readonly requests: number;
  readonly events: number;
  /** Requests that were under way at a kill and were sent again. */
  readonly resent: number;
  /** Of those: had been written before the kill all the same. */
  readonly duplicates: number;
  readonly records: number;
  /** Starts that used a snapshot. */
  readonly fromSnapshot: number;
  readonly stateHash: string;
}

/** @throws Error that says what was lost, doubled or different */
export async function crashTest({ cycles, seed, onCycle }: CrashOptions): Promise<CrashSummary> {
  const directory = await mkdtemp(join(tmpdir(), "staunch-crash-"));
  const random = newRandom(seed);
  const checker = new Checker();
  let key = "";
  let child: ChildProcess | null = null;
  const senders = Array.from({ length: CONNECTIONS }, (_, index) => new Sender(index, random));
  try {
    for (let cycle = 1; cycle <= cycles; cycle++) {
      const service = await start(directory);
      child = service.child;
      key = service.adminKey ?? key;
      const sending = senders.map((sender) => sender.run(service.address, key));
      await Promise.race([momentToKill(directory, cycle, random), refusedFirst(sending)]);
      service.child.kill("SIGKILL");
      await once(service.child, "exit");
      await Promise.all(sending);
      await withStorage(directory, (storage) => checker.check(storage, senders));
      onCycle?.(summaryOf(cycle, senders, checker));
    }
    return summaryOf(cycles, senders, checker);
  } finally {
    child?.kill("SIGKILL");
    await rm(directory, { recursive: true, force: true });
  }
}

function summaryOf(cycles: number, senders: readonly Sender[], checker: Checker): CrashSummary {
  const sum = (read: (sender: Sender) => number): number =>
    senders.reduce((total, one) => total + read(one), 0);
  return {
    cycles,
    requests: sum(({ requests }) => requests),
    events: sum(({ acknowledged }) => acknowledged.size),
    resent: sum(({ resent }) => resent),
    duplicates: sum(({ duplicates }) => duplicates),
    records: checker.position,
    fromSnapshot: checker.fromSnapshot,
    stateHash: stateHash(checker.state),
  };
}

/** Fails when a sender does; one that merely ends, because the service is gone, decides nothing. */
async function refusedFirst(sending: readonly Promise<void>[]): Promise<void> {
  await Promise.all(sending);
  await new Promise(() => undefined);
}

/** Of four lives one ends inside a snapshot, one when a snapshot is complete, and two anywhere. */
async function momentToKill(directory: string, cycle: number, random: () => number): Promise<void> {
  const folder = join(directory, "snapshots");
  if (cycle % 4 === 0) {
    await until(async () => (await namesIn(folder)).includes("snapshot.tmp"));
    await delay(random() * INTO_SNAPSHOT_MAX_MS);
  } else if (cycle % 4 === 2) {
    const before = (await namesIn(folder)).filter(isComplete);
    await until(async () =>
      (await namesIn(folder)).filter(isComplete).some((name) => !before.includes(name)),
    );
  } else {
    await delay(random() * LIFE_MAX_MS);
  }
}

function isComplete(name: string): boolean {
  return name.endsWith(".bin");
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
  const settings = [
    "--storage-snapshot-interval",
    "1s",
    "--storage-disk-free-min",
    "0",
    "--log-level",
    "error",
  ];
  const child = spawn(process.execPath, [MAIN, ...flags, ...settings], {
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

/** A client with one connection: sends one request after the other, and the same one again until it is answered. */
class Sender {
  readonly acknowledged = new Set<string>();
  requests = 0;
  resent = 0;
  duplicates = 0;
  private readonly index: number;
  private readonly random: () => number;
  private sequence = 0;
  /** The request whose answer is still missing. */
  private pending: { readonly names: readonly string[]; readonly body: string } | null = null;

  constructor(index: number, random: () => number) {
    this.index = index;
    this.random = random;
  }

  /** Sends until the service is gone. */
  async run(address: string, key: string): Promise<void> {
    if (this.pending !== null) this.resent += 1;
    for (;;) {
      const request = (this.pending ??= this.nextRequest());
      const answer = await this.send(address, key, request.body);
      if (answer === null) return;
      if (answer.rejected > 0)
        throw new Error(`the service rejected ${answer.rejected} events of ${request.body}`);
      if (answer.duplicate === true) this.duplicates += 1;
      for (const name of request.names) this.acknowledged.add(name);
      this.requests += 1;
      this.pending = null;
    }
  }

  private nextRequest(): { names: string[]; body: string } {
    this.sequence += 1;
    const count = 1 + Math.floor(this.random() * EVENTS_PER_REQUEST_MAX);
    const names = Array.from({ length: count }, (_, index) => `${this.index}.${this.sequence}.${index}`);
    const at = Date.now();
    const lines = names.map((context) => {
      const subject = `subject-${Math.floor(this.random() * SUBJECTS)}`;
      const metric = this.random() < 0.5 ? "uptime" : "availability";
      return JSON.stringify({ type: "metric", subject, metric, value: this.random(), at, context });
    });
    return { names, body: lines.join("\n") };
  }

  /** The answer, or null when the connection broke. An answer that is no success is an error of the service. */
  private async send(address: string, key: string, body: string): Promise<Answer | null> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${address}/api/events`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${key}`,
          "content-type": "application/x-ndjson",
          ...this.identityHeaders(),
        },
        body,
      });
      text = await response.text();
    } catch {
      return null;
    }
    if (response.status !== 200) throw new Error(`the service answered ${response.status}: ${text}`);
    return JSON.parse(text) as Answer;
  }

  /** Every other sender names its requests by a key, the others by a producer and its sequence. */
  private identityHeaders(): { readonly [name: string]: string } {
    if (this.index % 2 === 0) return { "idempotency-key": `crash-${this.index}-${this.sequence}` };
    return { "staunch-producer": `crash-${this.index}`, "staunch-sequence": String(this.sequence) };
  }
}

interface Answer {
  readonly rejected: number;
  readonly duplicate?: boolean;
}

/** Replays the log as it grows, undisturbed by any crash. */
class Checker {
  readonly state: State = createState({ seed: 1, policies: {}, aggregates: true });
  position = 0;
  fromSnapshot = 0;
  /** How often each event was folded. */
  private readonly folded = new Map<string, number>();

  async check(storage: Storage, senders: readonly Sender[]): Promise<void> {
    await this.replay(storage);
    for (const { acknowledged } of senders) {
      for (const name of acknowledged) {
        const times = this.folded.get(name) ?? 0;
        if (times !== 1) throw new Error(`event ${name} was acknowledged and is in the log ${times} times`);
      }
    }
    const doubled = [...this.folded].find(([, times]) => times > 1);
    if (doubled !== undefined) throw new Error(`event ${doubled[0]} is in the log ${doubled[1]} times`);
    const { restored, hash } = await restoreCheck(storage, "snapshot");
    if (restored.snapshot !== null) this.fromSnapshot += 1;
    const expected = stateHash(this.state);
    if (hash !== expected) throw new Error(`the restored state is ${hash}, the replay gives ${expected}`);
  }

  private async replay({ log }: Storage): Promise<void> {
    for await (const record of log.read(this.position + 1)) {
      this.position = record.position;
      if (record.kind === "epoch") continue;
      const decoded = decodeBatch(record.position, record.body);
      if (decoded.type === "corrupt") throw new Error(`record ${record.position}: ${decoded.detail}`);
      if (!decoded.complete)
        throw new Error(`record ${record.position} was trimmed: the service lived too long`);
      const { results } = apply(this.state, decoded.batch);
      for (const [index, entry] of decoded.batch.entries.entries()) {
        if (results[index]!.type === "applied") this.note(entry);
      }
    }
  }

  private note({ samples }: Entry): void {
    for (const name of samples?.context ?? [])
      if (name !== null) this.folded.set(name, (this.folded.get(name) ?? 0) + 1);
  }
}

function delay(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, ms);
  return promise;
}

/** Numbers in [0, 1) that are the same for the same seed: a linear congruential generator with the constants of Numerical Recipes. */
function newRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

if (import.meta.main) {
  const options = {
    cycles: { type: "string" },
    seed: { type: "string" },
    json: { type: "boolean" },
  } as const;
  const { values } = parseArgs({ options });
  const show = values.json === true ? null : (summary: CrashSummary) => console.error(summaryLine(summary));
  const cycles = Number(values.cycles ?? 20);
  const seed = Number(values.seed ?? 1);
  const summary = await crashTest({ cycles, seed, ...(show !== null && { onCycle: show }) });
  console.log(values.json === true ? JSON.stringify(summary) : `passed: ${summaryLine(summary)}`);
}

function summaryLine({
  cycles,
  requests,
  events,
  resent,
  duplicates,
  records,
  fromSnapshot,
}: CrashSummary): string {
  return (
    `${cycles} kills, ${events} events in ${requests} requests acknowledged and there once, ${records} records; ` +
    `${resent} requests sent again, ${duplicates} of them had been written; ${fromSnapshot} restores from a snapshot, all equal`
  );
}
