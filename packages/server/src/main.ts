#!/usr/bin/env node
import { processIo } from "./cli/output.ts";
import { run } from "./cli/program.ts";

// A reader that has seen enough, as `head` does, is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

process.exitCode = await run(process.argv.slice(2), processIo());
