/** Bytes of a request's body into items, each handed on as soon as it is read. */
import { malformedAt } from "./json-position.ts";

export type Read<Value> = { readonly type: "read"; readonly value: Value } | BodyFlaw;

export type BodyFlaw =
  | { readonly type: "empty_body" }
  /** `position` counts characters from 0; null when the bytes are no text at all. */
  | { readonly type: "malformed_json"; readonly position: number | null; readonly detail: string };

const utf8 = new TextDecoder("utf-8", { fatal: true });

export function readText(body: Uint8Array): Read<string> {
  let value: string;
  try {
    value = utf8.decode(body);
  } catch {
    return { type: "malformed_json", position: null, detail: "the body is not UTF-8" };
  }
  return isBlank(value) ? { type: "empty_body" } : { type: "read", value };
}

export function readJson(text: string): Read<unknown> {
  try {
    return { type: "read", value: JSON.parse(text) };
  } catch {
    return malformed(text);
  }
}

/**
 * Reads each line that is not blank; a line that is no JSON comes as a flaw, and the others are read all the same.
 * Stops behind `linesMax` lines with something on them, and says whether that was before the end.
 */
export function readLines(
  text: string,
  linesMax: number,
  each: (line: Read<unknown>, index: number) => void,
): "complete" | "too_many" {
  let count = 0;
  let start = 0;
  for (let index = 0; start < text.length; index++) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, end);
    start = end + 1;
    if (isBlank(line)) continue;
    if (++count > linesMax) return "too_many";
    each(readJson(line), index);
  }
  return "complete";
}

function malformed(text: string): BodyFlaw {
  const position = malformedAt(text);
  if (position < 0) throw new Error("a text that does not parse has no mistake");
  if (position === text.length) return { type: "malformed_json", position, detail: "the JSON is cut off" };
  const line = text.slice(0, position).split("\n");
  const column = line.at(-1)!.length + 1;
  const detail = `not JSON at character ${position} (line ${line.length}, column ${column})`;
  return { type: "malformed_json", position, detail };
}

/** White space of JSON only: another kind of blank is a mistake to be named. */
function isBlank(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return false;
  }
  return true;
}
