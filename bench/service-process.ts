/** The real service in a process of its own, for benchmarks: start it, ask it, stop it. */
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../packages/server/src/config/load.ts";
import { createLogger } from "../packages/server/src/ops/log.ts";
import { startService } from "../packages/server/src/service.ts";

export interface ServiceProcess {
  readonly port: number;
  readonly key: string;
  /** Longest pause of the engine's thread since the last call, in ms. */
  longestPauseMs(): Promise<number>;
  /**
   * Most CPU time that the engine's thread took between two chances for others, since the last call, in ms: its
   * longest pause without what it waited for a core. The first call starts the measurement and answers 0.
   */
  longestTurnMs(): Promise<number>;
  /** Resident memory in bytes. */
  residentBytes(): Promise<number>;
  stop(): Promise<void>;
}

interface Ready {
  readonly port: number;
  readonly key: string;
}

export async function startServiceProcess(
  flags: { readonly [name: string]: string } = {},
): Promise<ServiceProcess> {
  const directory = mkdtempSync(join(tmpdir(), "staunch-bench-"));
  const child = fork(import.meta.filename, [directory, JSON.stringify(flags)], { stdio: "inherit" });
  const ask = <Answer>(question: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      child.once("message", (answer) => resolve(answer as Answer));
      child.once("exit", (code) => reject(new Error(`the service ended with ${code}`)));
      if (question !== "") child.send(question);
    });
  const { port, key } = await ask<Ready>("");
  return {
    port,
    key,
    longestPauseMs: () => ask<number>("pause"),
    longestTurnMs: () => ask<number>("turn"),
    residentBytes: () => ask<number>("memory"),
    stop: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.send("stop");
      await ended;
      rmSync(directory, { recursive: true });
    },
  };
}

async function serve(directory: string, flags: { readonly [name: string]: string }): Promise<void> {
  const loaded = loadConfig({ flags: { data: directory, port: "0", "example-load": "false", ...flags } });
  if (loaded.type !== "ok") throw new Error(JSON.stringify(loaded.problems));
  const service = await startService(loaded.config, { logger: createLogger("silent"), clock: "system" });
  // Resolution 1: the histogram holds how late a timer of 1 ms came.
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  let turns: TurnMeter | null = null;
  process.on("message", (question) => {
    if (question === "pause") {
      process.send!(delay.max / 1e6);
      delay.reset();
    } else if (question === "turn") {
      turns ??= new TurnMeter();
      process.send!(turns.takeLongestMs());
    } else if (question === "memory") {
      process.send!(process.memoryUsage.rss());
    } else if (question === "stop") {
      void service.close().then(() => process.exit(0));
    }
  });
  const ready: Ready = { port: Number(new URL(service.address).port), key: service.adminKey! };
  process.send!(ready);
}

/** A timer that is due in every turn of the event loop and reads how much CPU time its thread has taken since. */
class TurnMeter {
  private lastMs = threadCpuMs();
  private longestMs = 0;

  constructor() {
    setInterval(() => {
      const nowMs = threadCpuMs();
      this.longestMs = Math.max(this.longestMs, nowMs - this.lastMs);
      this.lastMs = nowMs;
    }, 1).unref();
  }

  takeLongestMs(): number {
    const { longestMs } = this;
    this.longestMs = 0;
    return longestMs;
  }
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

if (process.argv[1] === import.meta.filename && process.send !== undefined) {
  await serve(process.argv[2]!, JSON.parse(process.argv[3]!) as { [name: string]: string });
}
