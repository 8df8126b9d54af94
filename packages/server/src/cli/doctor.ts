/** `staunch doctor`: checks everything that a data directory rests on. */
import { stateFaults, subjectCount, type State } from "@staunch/engine";
import { statfs } from "node:fs/promises";
import type { Command } from "commander";
import { restoreCheck, withStorage, type RestoreCheck } from "../offline.ts";
import { StorageError, type Storage } from "../storage.ts";
import { addDataOptions, loadSettings, type Flags, type JsonOption } from "./command.ts";
import { EXIT } from "./exit-codes.ts";
import { logVerify } from "./log-lines.ts";
import { count, plural, Progress, seconds, type Io } from "./output.ts";

interface Check {
  readonly name: string;
  readonly result: "ok" | "failed" | "skipped";
  readonly detail: string;
}

export function addDoctor(program: Command, io: Io, exit: (code: number) => void): void {
  addDataOptions(program.command("doctor"))
    .description(
      "verify log, snapshots and configuration, that a restore gives what the log says, and that every row is possible",
    )
    .action(async (flags: JsonOption & Flags) => {
      const { config } = loadSettings(io, flags);
      const { provider, worker } = config.policies;
      const checks: Check[] = [
        { name: "configuration", result: "ok", detail: `policies ${provider.name} and ${worker.name}` },
      ];
      const report = (check: Check): void => {
        checks.push(check);
        if (flags.json !== true) io.out(checkLine(check));
      };
      if (flags.json !== true) io.out(checkLine(checks[0]!));
      const progress = new Progress(io, "checking", flags.json);
      await withStorage(config.storage.directory, async (storage) => {
        report(await checkDisk(storage, config.storage.diskFreeMinBytes));
        report(await checkLog(storage));
        report(await checkSnapshots(storage));
        for (const check of await checkRestore(storage)) report(check);
      });
      progress.end();
      const sound = checks.every(({ result }) => result !== "failed");
      if (flags.json === true) io.out(JSON.stringify({ sound, checks }));
      else
        io.out(
          sound
            ? "Everything is sound."
            : "Something is wrong: see above. `staunch restore` brings back a backup.",
        );
      if (!sound) exit(EXIT.checkFailed);
    });
}

function checkLine({ name, result, detail }: Check): string {
  return `${result.padEnd(7)}  ${name.padEnd(13)}  ${detail}`;
}

async function checkDisk({ directory }: Storage, freeMinBytes: number): Promise<Check> {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  const detail = `${count(free / (1 << 20))} MiB free, writes are refused below ${count(freeMinBytes / (1 << 20))} MiB`;
  return { name: "disk", result: free >= freeMinBytes ? "ok" : "failed", detail };
}

async function checkLog({ log }: Storage): Promise<Check> {
  const { sound, summary } = await logVerify(log);
  return { name: "log", result: sound ? "ok" : "failed", detail: summary };
}

async function checkSnapshots({ snapshots }: Storage): Promise<Check> {
  const names = await snapshots.list();
  if (names.length === 0) return { name: "snapshots", result: "skipped", detail: "there is none yet" };
  const results = await Promise.all(names.map((name) => snapshots.verify(name)));
  const damaged = results.flatMap((one) =>
    one.type === "damaged" ? [`${one.damage.name}: ${one.damage.detail}`] : [],
  );
  const detail = damaged.length === 0 ? `${plural(names.length, "snapshot")} sound` : damaged.join("; ");
  return { name: "snapshots", result: damaged.length === 0 ? "ok" : "failed", detail };
}

/** Restores as a start would, then by the whole log, and compares what came out. */
async function checkRestore(storage: Storage): Promise<Check[]> {
  const start = await attempt(() => restoreCheck(storage, "snapshot"));
  if (start.type === "failed") return [{ name: "restore", result: "failed", detail: start.detail }];
  const { state, snapshot } = start.check.restored;
  const checks: Check[] = [
    { name: "restore", result: "ok", detail: restoredText(start.check) },
    checkState(state),
  ];
  if (snapshot === null) {
    return [
      ...checks,
      { name: "replay", result: "skipped", detail: "the restore was one, there is no snapshot" },
    ];
  }
  const full = await attempt(() => restoreCheck(storage, "log"));
  if (full.type === "failed")
    return [...checks, { name: "replay", result: full.trimmed ? "skipped" : "failed", detail: full.detail }];
  const equal = full.check.hash === start.check.hash;
  const detail = equal
    ? `${restoredText(full.check)}; the state hash is the same`
    : `the state hash is ${full.check.hash}, after the restore from ${snapshot.name} it is ${start.check.hash}`;
  return [...checks, { name: "replay", result: equal ? "ok" : "failed", detail }];
}

function checkState(state: State): Check {
  const faults = stateFaults(state);
  const detail =
    faults.length === 0
      ? `the rows of ${plural(subjectCount(state), "subject")} are possible`
      : faults.join("; ");
  return { name: "state", result: faults.length === 0 ? "ok" : "failed", detail };
}

type Attempt =
  | { readonly type: "done"; readonly check: RestoreCheck }
  | { readonly type: "failed"; readonly trimmed: boolean; readonly detail: string };

async function attempt(work: () => Promise<RestoreCheck>): Promise<Attempt> {
  try {
    return { type: "done", check: await work() };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const trimmed = error instanceof StorageError && error.type === "not_covered";
    const detail = trimmed
      ? "older samples were trimmed, so there is nothing to compare with"
      : error.message;
    return { type: "failed", trimmed, detail };
  }
}

function restoredText({ restored, hash, elapsedMs }: RestoreCheck): string {
  const from = restored.snapshot === null ? "the whole log" : restored.snapshot.name;
  return `${from} and ${plural(restored.replayedRecords, "record")} in ${seconds(elapsedMs)}, state hash ${hash}`;
}
