#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { processIo } from "./cli/output.ts";

// Half of a short command's time is compiling what it imports.
enableCompileCache();

// A reader that has seen enough, as `head` does, is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

const { run } = await import("./cli/program.ts");
process.exitCode = await run(process.argv.slice(2), processIo());
