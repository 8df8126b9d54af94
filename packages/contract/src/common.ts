/** Parts that several requests and answers share. */
import { z } from "zod";

const SUBJECT_ID_BYTES_MAX = 256;
const REASON_BYTES_MAX = 1024;
const CONTEXT_BYTES_MAX = 4096;
/** Largest time that a JavaScript date can show. */
const TIME_MAX_MS = 8.64e15;

/** An id as a subject may have one: 1 to 256 bytes of UTF-8 without control characters. */
export const SubjectId = z
  .string()
  .min(1)
  .refine(isPlainText, "must be well-formed text without control characters")
  .refine(
    (id) => utf8Length(id) <= SUBJECT_ID_BYTES_MAX,
    `must be at most ${SUBJECT_ID_BYTES_MAX} bytes of UTF-8`,
  )
  .meta({ description: "1 to 256 bytes of UTF-8 without control characters.", examples: ["node-17"] });

/** An id of a job, as whoever gives out the jobs names it. */
export const JobId = SubjectId.meta({ description: "Id of a job, 1 to 256 bytes.", examples: ["job-4711"] });

/** An instant in an answer: ISO 8601 in UTC with milliseconds. */
export const Time = z.iso.datetime({ precision: 3 }).meta({ examples: ["2026-11-25T03:04:05.678Z"] });

/** An instant in a request: ISO 8601 with any offset. */
export const TimeInput = z.iso
  .datetime({ offset: true })
  .refine(
    (text) => Math.abs(Date.parse(text)) <= TIME_MAX_MS && Date.parse(text) >= 0,
    "must not lie before 1970",
  )
  .meta({ examples: ["2026-11-25T03:04:05Z"] });

/** A kind of subject, and a name of a policy. */
export const KindName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/u, "must be a name of lower-case letters, digits, - and _")
  .meta({ examples: ["provider"] });

/** Why somebody did something. */
export const Reason = z
  .string()
  .trim()
  .min(1)
  .refine((text) => text.isWellFormed(), "must be well-formed text")
  .refine(
    (text) => utf8Length(text) <= REASON_BYTES_MAX,
    `must be at most ${REASON_BYTES_MAX} bytes of UTF-8`,
  )
  .meta({
    description: "Why; kept with the act for ever.",
    examples: ["confirmed by the audit of 24 November"],
  });

/** Free facts of an act. */
export const Context = z
  .record(z.string(), z.unknown())
  .refine(isFinite, "must not hold numbers beyond the range of a double")
  .refine((facts) => utf8Length(JSON.stringify(facts)) <= CONTEXT_BYTES_MAX, {
    message: `must be at most ${CONTEXT_BYTES_MAX} bytes as JSON`,
  })
  .meta({ description: "Free facts, at most 4 KiB as JSON.", examples: [{ ticket: "OPS-1204" }] });

export const Attributes = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]))
  .meta({ examples: [{ region: "eu-west", price: 4.2, capabilities: ["ssd", "ipv6"] }] });

/** Where the next page starts; the same is in the `Link` header. */
export const NextCursor = z
  .string()
  .nullable()
  .describe("Cursor of the next page, null on the last; opaque.");

export const Cursor = z.string().min(1).max(1024).optional().describe("`next` of the page before.");
export const Limit = z.coerce
  .number<number>()
  .pipe(z.int().min(1).max(500))
  .default(50)
  .describe("Most items of a page.");

/** The answer 304 of routes that take `If-None-Match`. */
export const NotModified = z.undefined().describe("The caller has this version.");

/** A path with a subject's id; slashes and other reserved characters are percent-encoded. */
export const SubjectPath = z.strictObject({ id: SubjectId });

/** Well-formed and without control characters: C0, DEL and C1. */
export function isPlainText(text: string): boolean {
  return text.isWellFormed() && !/\p{Cc}/u.test(text);
}

/** JSON may write 1e999, which reads as infinity and could not be written again. */
function isFinite(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  return typeof value !== "object" || value === null || Object.values(value).every(isFinite);
}

/** Bytes of a well-formed text in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
