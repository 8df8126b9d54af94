/** Conditional requests (RFC 9110, section 13) with strong entity tags. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Partition } from "../app/partition/partition.ts";

const TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\u00ff]*"/gu;

/**
 * Tag of an answer that depends on the log position and on the instant it is for. The hash of the log makes tags
 * of different installations different.
 */
export function positionTag(partition: Partition, asOfMs: number): string {
  const { position, hash } = partition.applied;
  return `"${position}-${asOfMs.toString(36)}-${hash.slice(0, 12)}"`;
}

/** Sets the tag; true when the caller has that version, so the answer is 304 without a body. */
export function isNotModified(request: FastifyRequest, reply: FastifyReply, tag: string): boolean {
  void reply.header("etag", tag).header("cache-control", "private, no-cache");
  const given = request.headers["if-none-match"];
  if (given === undefined) return false;
  // A GET compares weakly: a proxy that recompresses marks our tags as weak.
  return given.trim() === "*" || tagsOf(given).some((one) => one.replace("W/", "") === tag);
}

/** The tags of an `If-Match` or `If-None-Match` header. */
export function tagsOf(header: string): readonly string[] {
  return header.match(TAG) ?? [];
}
