/** Cursors as opaque text, and the link to the next page (RFC 8288). */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import { HttpProblem } from "./problem.ts";

/** The cursor that a caller gave, or null; one that is not ours is refused. */
export function readCursor<Cursor>(schema: z.ZodType<Cursor>, text: string | undefined): Cursor | null {
  if (text === undefined) return null;
  const result = schema.safeParse(parsed(text));
  if (result.success) return result.data;
  throw new HttpProblem("cursor_invalid", "the cursor does not belong to this list; start again without one");
}

/** The cursor as text, also set as `Link` with the query as it was. */
export function writeCursor(
  request: FastifyRequest,
  reply: FastifyReply,
  cursor: object | null,
): string | null {
  if (cursor === null) return null;
  const text = Buffer.from(JSON.stringify(cursor)).toString("base64url");
  const [path, query] = request.url.split("?", 2);
  const parameters = new URLSearchParams(query);
  parameters.set("cursor", text);
  void reply.header("link", `<${path}?${parameters.toString()}>; rel="next"`);
  return text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString());
  } catch {
    return null;
  }
}
