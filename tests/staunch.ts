/** Starts the real program as a process, for tests. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../packages/server/src/main.ts", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly address: string;
  readonly started: Started;
  /** Resolves when the process has ended. */
  readonly ended: Promise<Ended>;
}

/** What `serve --json` prints. */
interface Started {
  readonly address: string;
  readonly admin_key: string | null;
  readonly pid: number;
  readonly restored: {
    readonly snapshot: string | null;
    readonly subjects: number;
    readonly records: number;
  };
}

/** Runs a command to its end. */
export function staunch(
  args: readonly string[],
  env: { readonly [name: string]: string } = {},
): Promise<Ended> {
  return endOf(start(args, env));
}

/** Starts the service on a free port and waits until it listens. */
export async function serve(directory: string, ...flags: readonly string[]): Promise<Running> {
  const child = start(["serve", "--empty", "--json", "--port", "0", "--data", directory, ...flags]);
  const ended = endOf(child);
  const { promise, resolve } = Promise.withResolvers<string>();
  let out = "";
  child.stdout!.on("data", (chunk: Buffer) => {
    out += chunk.toString();
    if (out.includes("\n")) resolve(out);
  });
  const line = await Promise.race([
    promise,
    ended.then(({ err }) => Promise.reject(new Error(`the service ended: ${err}`))),
  ]);
  const started = JSON.parse(line) as Started;
  return { child, address: started.address, started, ended };
}

function start(args: readonly string[], env: { readonly [name: string]: string } = {}): ChildProcess {
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("STAUNCH_")),
  );
  return spawn(process.execPath, [MAIN, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...clean, ...env },
  });
}

async function endOf(child: ChildProcess): Promise<Ended> {
  let out = "";
  let err = "";
  child.stdout!.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr!.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out, err };
}
