/** Requests held to their Zod schemas; every mistake is named with a JSON pointer or the parameter's name. */
import { nearest } from "@staunch/engine";
import type { Problem } from "@staunch/contract";
import type { FastifySchemaCompiler } from "fastify";
import type { z } from "zod";

type ProblemErrors = NonNullable<Problem["errors"]>;
type Issue = z.core.$ZodIssue;

/** Mistakes that are told; a hostile request may have any number. */
const ERRORS_MAX = 100;

export class RequestInvalid extends Error {
  readonly errors: ProblemErrors;

  constructor(errors: ProblemErrors) {
    super(errors.length === 1 ? errors[0]!.detail : `${errors.length} things are wrong; see errors`);
    this.name = "RequestInvalid";
    this.errors = errors;
  }
}

/** Compiles the schema of one part of a request. */
export const validateRequest: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  return (data: unknown) => {
    const result = schema.safeParse(data);
    if (result.success) return { value: result.data };
    const errors = result.error.issues.flatMap((issue) =>
      errorsOf(issue, httpPart === "body", knownKeys(schema)),
    );
    return { error: new RequestInvalid(errors.slice(0, ERRORS_MAX)) };
  };
};

/** RFC 6901. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

function errorsOf(issue: Issue, isBody: boolean, known: readonly string[]): ProblemErrors {
  const at = (path: readonly PropertyKey[], detail: string): ProblemErrors[number] =>
    isBody ? { pointer: jsonPointer(path), detail } : { parameter: path.map(String).join("."), detail };
  if (issue.code !== "unrecognized_keys") {
    const name =
      issue.path.length === 0 ? (isBody ? "the body" : "the request") : issue.path.map(String).join(".");
    return [at(issue.path, `${name}: ${issue.message}`)];
  }
  const hint = (key: string): string =>
    issue.path.length === 0 && known.length > 0 ? `; the nearest known one is ${nearest(key, known)}` : "";
  return issue.keys.map((key) => at([...issue.path, key], `unknown field ${key.slice(0, 64)}${hint(key)}`));
}

function knownKeys(schema: z.ZodType): readonly string[] {
  return "shape" in schema ? Object.keys(schema.shape as object) : [];
}
