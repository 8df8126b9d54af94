/** `staunch log cat|verify`: the log of a data directory that no service has open. */
import type { Command } from "commander";
import { withStorage } from "../offline.ts";
import { addDataOptions, directoryOf, wholeNumber, type Flags, type JsonOption } from "./command.ts";
import { EXIT } from "./exit-codes.ts";
import { logCat, logVerify } from "./log-lines.ts";
import type { Io } from "./output.ts";

interface CatFlags extends JsonOption {
  readonly from: number;
  readonly to: number;
}

export function addLog(program: Command, io: Io, exit: (code: number) => void): void {
  const log = program.command("log").description("look at the log of a data directory");
  const position = wholeNumber("a position", 1, Number.MAX_SAFE_INTEGER);
  addDataOptions(log.command("cat"))
    .description("print records; what was trimmed is marked")
    .option("--from <position>", "first record", position, 1)
    .option("--to <position>", "last record", position, Number.MAX_SAFE_INTEGER)
    .action((flags: CatFlags & Flags) =>
      withStorage(directoryOf(io, flags), async (storage) => {
        const options = { from: flags.from, to: flags.to, json: flags.json === true };
        for await (const line of logCat(storage.log, options)) io.out(line);
      }),
    );
  addDataOptions(log.command("verify"))
    .description("check every record, checksum and hash")
    .action((flags: JsonOption & Flags) =>
      withStorage(directoryOf(io, flags), async (storage) => {
        const { sound, summary, result } = await logVerify(storage.log);
        io.out(flags.json === true ? JSON.stringify(result) : summary);
        if (!sound) exit(EXIT.checkFailed);
      }),
    );
}
