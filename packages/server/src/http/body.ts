/** JSON bodies: UTF-8, of limited depth, without keys that reach into prototypes. */
import type { FastifyInstance } from "fastify";
import { HttpProblem } from "./problem.ts";

/** Lists and maps in each other. */
export const JSON_DEPTH_MAX = 32;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** Makes `application/json` the only media type that the server reads. */
export function readJsonBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  const parse = server.getDefaultJsonParser("error", "error");
  server.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body: Buffer, done) => {
    const text = textOf(body);
    if (text === null) {
      done(new HttpProblem("malformed_json", "the body is not UTF-8"));
      return;
    }
    if (depthOf(text) > JSON_DEPTH_MAX) {
      done(new HttpProblem("json_too_deep", `the body is nested deeper than ${JSON_DEPTH_MAX} levels`));
      return;
    }
    void parse(request, text, (error, value?: unknown) => {
      if (error === null) done(null, value);
      else done(jsonProblem(error));
    });
  });
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

function jsonProblem(error: Error): Error {
  if ("code" in error && error.code === "FST_ERR_CTP_EMPTY_JSON_BODY") return error;
  if (error.message.includes("forbidden prototype")) {
    return new HttpProblem("forbidden_key", "the body has the key __proto__ or constructor.prototype; remove it");
  }
  return new HttpProblem("malformed_json", `the body is not JSON: ${error.message.slice(0, 200)}`);
}
