/** `staunch backup` and `staunch restore`: copies of a data directory, verified after copying. */
import type { Command } from "commander";
import { copyDirectory } from "../backup.ts";
import { describeDamage } from "../ports/log.ts";
import { addDataOptions, directoryOf, type Flags, type JsonOption } from "./command.ts";
import { CliError, EXIT } from "./exit-codes.ts";
import { count, plural, type Io } from "./output.ts";

type CopyFlags = JsonOption & Flags;

export function addBackup(program: Command, io: Io): void {
  addDataOptions(program.command("backup").argument("<directory>", "new directory for the copy"))
    .description("copy the data directory and verify the copy; the service must not run")
    .action((to: string, flags: CopyFlags) => copy(io, directoryOf(io, flags), to, flags));
  addDataOptions(program.command("restore").argument("<directory>", "directory of a backup"))
    .description("put a backup into the data directory, which must be empty, and verify it")
    .action((from: string, flags: CopyFlags) => copy(io, from, directoryOf(io, flags), flags));
}

async function copy(io: Io, from: string, to: string, flags: CopyFlags): Promise<void> {
  const { files, bytes, verified } = await copyDirectory(from, to);
  if (verified.type === "damaged") {
    const text = `The copy in ${to} is damaged: ${describeDamage(verified.damage)}. Check ${from} with \`staunch log verify\`.`;
    throw new CliError("damaged", EXIT.damaged, text);
  }
  const { records, events } = verified;
  if (flags.json === true) io.out(JSON.stringify({ from, to, files, bytes, records, events }));
  else
    io.out(
      `Copied ${from} to ${to}: ${plural(files, "file")}, ${count(bytes)} bytes, ${plural(records, "record")} with ${count(events)} events, verified.`,
    );
}
