/** `staunch serve`: the service, until a signal ends it. */
import type { Command } from "commander";
import { createLogger } from "../ops/log.ts";
import { startService, type Service } from "../service.ts";
import { addSettingOptions, clockOption, loadSettings, type Flags } from "./command.ts";
import { EXIT } from "./exit-codes.ts";
import { bold, count, minute, plural, Progress, seconds, type Io } from "./output.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Signals that may come while the service stops; the next one ends it at once. */
const PATIENT_SIGNALS = 2;

export function addServe(program: Command, io: Io): void {
  const command = program.command("serve").description("run the service until Ctrl-C");
  addSettingOptions(command)
    .option("--empty", "do not fill an empty data directory with the example")
    .addOption(clockOption(command))
    .option("--json", "print one JSON object when the service listens")
    .action((flags: Flags) => serve(io, flags));
}

async function serve(io: Io, flags: Flags): Promise<void> {
  const isEmpty = flags["empty"] === true;
  const settings = isEmpty ? { ...flags, exampleLoad: "false" } : flags;
  const { config, provenance } = loadSettings(io, settings);
  // A person at a terminal is told the rest in words.
  const isQuiet = io.isTerminal && provenance.get("log.level")?.source === "default";
  const logger = createLogger(isQuiet ? "warn" : config.log.level, {
    write: (line) => io.err(line.trimEnd()),
  });
  const stop = stopSignals(io);
  const progress = new Progress(io, "loading the example", flags["json"] === true);
  let service: Service;
  try {
    service = await startService(config, {
      logger,
      clock: flags["clock"] === "recorded" ? "log" : "system",
      signal: stop.signal,
      onImport: (_, { events, eventsTotal, atMs }) => progress.show(events, eventsTotal, minute(atMs)),
    });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    progress.end();
    io.err("Stopped before the example was loaded; the next start goes on with it.");
    return;
  }
  progress.end();
  if (flags["json"] === true) io.out(JSON.stringify(startedAsJson(service)));
  else for (const line of startedAsText(io, service)) io.out(line);
  await stop.wanted;
  io.err("stopping ...");
  await service.close();
  io.err("stopped, everything is stored");
}

function startedAsJson({ address, adminKey, restored, imported }: Service): object {
  return {
    address,
    docs: `${address}/docs`,
    admin_key: adminKey,
    pid: process.pid,
    restored: { ...restored, elapsedMs: undefined, elapsed_ms: Math.round(restored.elapsedMs) },
    imported: imported && { ...imported, elapsedMs: undefined, elapsed_ms: Math.round(imported.elapsedMs) },
  };
}

function startedAsText(io: Io, { address, adminKey, restored, imported }: Service): string[] {
  const lines: string[] = [];
  const { snapshot, records, events, subjects, elapsedMs } = restored;
  if (subjects > 0 || records > 0) {
    const from = snapshot === null ? "the log" : `snapshot ${snapshot}`;
    const replayed = `${plural(records, "record")} with ${count(events)} events replayed`;
    lines.push(
      `Restored ${plural(subjects, "subject")} from ${from}, ${replayed}, in ${seconds(elapsedMs)}.`,
    );
  }
  for (const text of restored.passedOver) lines.push(`Passed over a snapshot: ${text}`);
  if (imported !== null) {
    const { known } = imported;
    const rate = count((imported.events - known) / Math.max(0.001, imported.elapsedMs / 1000));
    const rest = known === 0 ? "" : ` (${count(known)} were there from the start before)`;
    lines.push(
      `Loaded ${imported.title}: ${count(imported.events)} events${rest} about ${plural(imported.subjects, "subject")} in ${seconds(imported.elapsedMs)}, ${rate} events/s.`,
    );
  }
  lines.push(`Staunch listens on ${bold(io, address)}`, `API reference: ${address}/docs`);
  if (adminKey !== null) lines.push(`Administrator key, shown this once: ${bold(io, adminKey)}`);
  return lines;
}

/** The first signal asks to stop; while the service stops a second is ignored, and a third ends the process. */
function stopSignals(io: Io): { readonly signal: AbortSignal; readonly wanted: Promise<void> } {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  let received = 0;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      received += 1;
      if (received > PATIENT_SIGNALS) process.exit(EXIT.failure);
      if (received === PATIENT_SIGNALS) io.err("already stopping; once more ends at once");
      controller.abort();
      resolve();
    });
  }
  return { signal: controller.signal, wanted: promise };
}
