/**
 * The example that fills an empty data directory. A note in the directory says that it is not complete yet and by how
 * much its times are shifted, so that a start after an interruption goes on where the log ends.
 */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ImportSource } from "./app/import/import-source.ts";
import { loadExample } from "./examples.ts";
import type { Storage } from "./storage.ts";

const EXAMPLE = "lanl";
const NOTE_FILE = "import.json";

export interface FirstImport {
  readonly title: string;
  readonly source: ImportSource;
  readonly shiftMs: number;
}

/** The import that this start has to do, or null. `nowMs` null keeps the recorded times. */
export async function firstImport(storage: Storage, nowMs: number | null): Promise<FirstImport | null> {
  const path = join(storage.directory, NOTE_FILE);
  if (storage.tail.position > 0) {
    const note = await readNote(path);
    return note === null ? null : importOf(note.source, () => note.shiftMs);
  }
  const planned = await importOf(EXAMPLE, ({ lastAt }) => (nowMs === null ? 0 : Math.floor(nowMs) - lastAt));
  if (planned !== null) await writeFile(path, JSON.stringify({ source: EXAMPLE, shiftMs: planned.shiftMs }));
  return planned;
}

export async function finishImport(storage: Storage): Promise<void> {
  await rm(join(storage.directory, NOTE_FILE), { force: true });
}

async function importOf(
  name: string,
  shiftOf: (source: ImportSource) => number,
): Promise<FirstImport | null> {
  const example = await loadExample(name);
  return example === null ? null : { ...example, shiftMs: shiftOf(example.source) };
}

async function readNote(path: string): Promise<{ source: string; shiftMs: number } | null> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as { source: string; shiftMs: number };
  } catch {
    // No note: nothing was begun, or it was finished.
    return null;
  }
}
