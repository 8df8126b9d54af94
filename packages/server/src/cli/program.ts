/** The command line: all commands, and how a run ends. */
import { isStaunchError } from "@staunch/client";
import { Command, CommanderError } from "commander";
import { LogDamagedError } from "../ports/log.ts";
import { StorageError, type StorageErrorType } from "../storage.ts";
import { VERSION } from "../version.ts";
import { addBackup } from "./backup.ts";
import { addBacktest } from "./backtest.ts";
import { addBench } from "./bench.ts";
import { serviceError } from "./client.ts";
import { addConfig } from "./config.ts";
import { addDoctor } from "./doctor.ts";
import { CliError, EXIT } from "./exit-codes.ts";
import { addKeys } from "./keys.ts";
import { addLog } from "./log.ts";
import type { Io } from "./output.ts";
import { addPolicy } from "./policy.ts";
import { addReads } from "./read.ts";
import { addReplay } from "./replay.ts";
import { addServe } from "./serve.ts";
import { addReports } from "./reports.ts";
import { addWork } from "./work.ts";

const EXAMPLES = `
Examples:
  staunch serve --empty                  start with an empty data directory
  staunch replay lanl                    ten years of real failures, scored
  staunch explain lanl-20-0              why a score is what it is
  staunch backtest stricter.yaml         who would move under another policy

Exit codes: 0 ok, 1 failure, 2 usage, 3 not found, 4 denied, 5 conflict, 6 limited, 7 unreachable, 8 check failed;
a data directory that cannot be used: 10 in use, 11 damaged, 12 disk full, 13 storage, 14 not covered, 15 corrupt.`;

const STORAGE_EXIT: Readonly<Record<StorageErrorType, number>> = {
  locked: EXIT.locked,
  damaged: EXIT.damaged,
  full: EXIT.full,
  refused: EXIT.storage,
  failed: EXIT.storage,
  not_covered: EXIT.notCovered,
  corrupt: EXIT.corrupt,
  missing: EXIT.notFound,
  address: EXIT.conflict,
};

/** Runs one command; resolves with the exit code. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let exitCode: number = EXIT.ok;
  const setExit = (code: number): void => {
    exitCode = code;
  };
  try {
    await buildProgram(io, setExit).parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    return endWith(error, io, args.includes("--json"));
  }
}

function buildProgram(io: Io, exit: (code: number) => void): Command {
  const program = new Command("staunch");
  program
    .description("Reputation of everyone a network depends on or serves.")
    .version(VERSION)
    .addHelpText("after", EXAMPLES)
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.err(text.trimEnd()),
    })
    .showSuggestionAfterError()
    .exitOverride();
  addServe(program, io);
  addReplay(program, io);
  addReads(program, io);
  addWork(program, io);
  addReports(program, io);
  addPolicy(program, io);
  addBacktest(program, io);
  addKeys(program, io);
  addLog(program, io, exit);
  addBackup(program, io);
  addDoctor(program, io, exit);
  addConfig(program, io);
  addBench(program, exit);
  inherit(program);
  return program;
}

/** Commands of commands end as the program does: with an exception and not with the process. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inherit(child);
  }
}

/** Tells what went wrong, once, and with which code to end. */
function endWith(error: unknown, io: Io, json: boolean): number {
  // Commander has written its message, the help or the version itself.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const known = knownError(error);
  if (known === null) throw error;
  if (json) io.err(JSON.stringify({ error: known.code, message: known.message }));
  else io.err(`staunch: ${known.message}`);
  return known.exitCode;
}

function knownError(error: unknown): { code: string; message: string; exitCode: number } | null {
  if (error instanceof CliError) return error;
  if (isStaunchError(error)) return serviceError(error);
  if (error instanceof StorageError) {
    return { code: error.type, message: error.message, exitCode: STORAGE_EXIT[error.type] };
  }
  if (error instanceof LogDamagedError) {
    const message = `${error.message}. \`staunch log verify\` shows how far the log is sound.`;
    return { code: "damaged", message, exitCode: EXIT.damaged };
  }
  return null;
}
