/** What the engine thread and the thread that owns the database say to each other. */
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";

/** First message of the database thread. */
export type OpenReply =
  | { readonly type: "opened" }
  | { readonly type: "full" }
  | { readonly type: "failed"; readonly detail: string };

/** A statement to run; null closes the database. */
export interface QueryMessage {
  readonly id: number;
  readonly query: { readonly sql: string; readonly parameters: readonly SQLInputValue[] } | null;
}

export type QueryReply =
  | {
      readonly id: number;
      readonly type: "rows";
      readonly rows: readonly { [column: string]: SQLOutputValue }[];
      /** Rows inserted, changed or deleted; null for a statement that returns rows. */
      readonly changes: number | null;
    }
  /** `code` is SQLite's primary result code, null when the error came from elsewhere. */
  | { readonly id: number; readonly type: "error"; readonly code: number | null; readonly message: string };
