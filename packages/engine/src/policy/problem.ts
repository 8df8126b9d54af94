/** What is wrong with a document that somebody wrote: where, which kind of mistake, and what to do about it. */

export type ProblemCode =
  | "not_an_object"
  | "forbidden_key"
  | "unknown_key"
  | "wrong_type"
  | "out_of_range"
  | "unknown_value"
  | "unknown_component"
  | "unknown_metric"
  | "no_component"
  | "weights_sum"
  | "not_monotone"
  | "wrong_length"
  | "unknown_preset"
  | "preset_unavailable";

export interface Problem {
  /** Keys from the root joined by dots, "" for the document itself. */
  readonly path: string;
  readonly code: ProblemCode;
  /** One sentence for the person who wrote the document. */
  readonly message: string;
}

/** A hostile document may hold any number of mistakes; the first hundred are enough to repair it. */
export const PROBLEMS_MAX = 100;

/** Adds a problem unless the list is full. */
export function report(problems: Problem[], path: string, code: ProblemCode, message: string): void {
  if (problems.length < PROBLEMS_MAX) problems.push({ path, code, message });
}

/** Longest rendering of a refused value in a message. */
const SHOWN_LENGTH_MAX = 60;

/** A refused value as it reads in a message: short, on one line, never throwing. */
export function show(value: unknown): string {
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return JSON.stringify(value.slice(0, SHOWN_LENGTH_MAX));
  if (value === null || value === undefined || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a map" : `a ${typeof value}`;
}
