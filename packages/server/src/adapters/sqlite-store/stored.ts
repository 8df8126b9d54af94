/** How a write that may fail becomes a value. */
import type { StoreRefusal, WriteResult } from "../../ports/store.ts";
import { SQLITE_FULL } from "./database.ts";
import { SqliteError } from "./dialect.ts";

/** @throws whatever is not SQLite's fault */
export async function stored(write: () => Promise<unknown>): Promise<WriteResult> {
  try {
    await write();
    return { type: "stored" };
  } catch (error) {
    return refusalFor(error);
  }
}

export function refusalFor(error: unknown): StoreRefusal {
  if (!(error instanceof SqliteError)) throw error;
  return error.code === SQLITE_FULL ? { type: "full" } : { type: "failed", detail: error.message };
}
