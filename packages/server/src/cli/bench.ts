/** `staunch bench`: the measurements of the repository. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { CliError, EXIT } from "./exit-codes.ts";

const SCRIPT = fileURLToPath(new URL("../../../../bench/run.ts", import.meta.url));

export function addBench(program: Command, exit: (code: number) => void): void {
  program
    .command("bench")
    .argument("[names...]", "which measurements; all unless given")
    .description("measure this machine; one JSON object a line with --json")
    .option("--json", "print JSON")
    .action(async (names: string[], flags: { readonly json?: boolean }) => {
      if (!existsSync(SCRIPT)) {
        throw new CliError(
          "bench_missing",
          EXIT.notFound,
          "The benches are part of the repository, not of this installation.",
        );
      }
      const child = spawn(process.execPath, [SCRIPT, ...names, ...(flags.json === true ? ["--json"] : [])], {
        stdio: "inherit",
      });
      exit(
        await new Promise<number>((resolve) => child.once("exit", (code) => resolve(code ?? EXIT.failure))),
      );
    });
}
