/** JSON bodies: UTF-8, of limited depth, without keys that reach into prototypes. */
import { HttpProblem } from "./problem.ts";
import type { Server } from "./route.ts";

/** Lists and maps in each other. */
const JSON_DEPTH_MAX = 32;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** Makes `application/json` the only media type that the server reads. */
export function readJsonBodies(server: Server): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(
    "application/json",
    { parseAs: "buffer" },
    async (_request: unknown, body: Buffer) => parseJson(body),
  );
}

function parseJson(body: Buffer): unknown {
  if (body.length === 0)
    throw new HttpProblem("malformed_json", "the body is empty although its Content-Type says JSON");
  const text = textOf(body);
  if (text === null) throw new HttpProblem("malformed_json", "the body is not UTF-8");
  if (depthOf(text) > JSON_DEPTH_MAX) {
    throw new HttpProblem("json_too_deep", `the body is nested deeper than ${JSON_DEPTH_MAX} levels`);
  }
  const value = valueOf(text);
  if (!hasForbiddenKey(value)) return value;
  throw new HttpProblem(
    "forbidden_key",
    "the body has the key __proto__ or constructor.prototype; remove it",
  );
}

function textOf(body: Buffer): string | null {
  try {
    return utf8.decode(body);
  } catch {
    return null;
  }
}

/** Deepest nesting of a JSON text, whatever else may be wrong with it. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (inString) {
      if (character === "\\") index += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") deepest = Math.max(deepest, ++depth);
    else if (character === "}" || character === "]") depth -= 1;
  }
  return deepest;
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HttpProblem(
      "malformed_json",
      `the body is not JSON: ${(error as Error).message.slice(0, 200)}`,
    );
  }
}

/** As own properties they do nothing by themselves, but copying such an object into another would. */
function hasForbiddenKey(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Object.hasOwn(value, "__proto__")) return true;
  const made: unknown = Object.hasOwn(value, "constructor") ? value.constructor : null;
  if (typeof made === "object" && made !== null && Object.hasOwn(made, "prototype")) return true;
  return Object.values(value).some(hasForbiddenKey);
}
