/** Fields that several types of events have, and the checks of their values. */
import { z } from "zod";
import { isPlainText, KindName, utf8Length } from "./common.ts";

/** The end of the year 9999, the last instant that RFC 3339 can write. */
const TIME_MAX_MS = 253_402_300_799_999;
/** A hundred years; what shall last longer is sent without an end. */
const DURATION_MAX_MS = 3_155_760_000_000;
export const POINTS_MAX = 1_000_000;
const FACTS_BYTES_MAX = 4096;
const FACTS_DEPTH_MAX = 16;
const ATTRIBUTES_MAX = 64;
const FORBIDDEN_KEYS: readonly string[] = ["__proto__", "constructor", "prototype"];

export const subject = id("Id of the subject; one that nobody has named before is registered.");
export const kind = KindName.optional().describe(
  "Kind of a new subject, `provider` unless given; else it must fit.",
);
export const ownId = id("Your own name for the event; a rejected event is reported with it.").optional();
export const at = time(
  "When it happened: RFC 3339 text or milliseconds since 1970; now when absent.",
).optional();
export const reason = text(1024)
  .refine((value) => value.trim() !== "")
  .describe("Why, for the people concerned.");
export const facts = z
  .unknown()
  .refine((value) => value === undefined || isFacts(value))
  .optional()
  .meta({ type: "object", description: "Free facts, at most 4 KiB as JSON and 16 levels deep." });
export const attributes = z
  .unknown()
  .refine((value) => value === undefined || isAttributes(value))
  .optional()
  .meta({
    type: "object",
    description: "Region, capabilities, price and the like; null removes an attribute.",
  });

export function id(description: string) {
  return z
    .string()
    .min(1)
    .refine((value) => isPlainText(value) && utf8Length(value) <= 256)
    .describe(`${description} 1 to 256 bytes without control characters.`);
}

export function text(bytesMax: number) {
  return z.string().refine((value) => value.isWellFormed() && utf8Length(value) <= bytesMax);
}

export function time(description: string) {
  const rfc3339 = z.iso.datetime({ offset: true }).refine((value) => isTime(Date.parse(value)));
  return z.union([z.number().min(0).max(TIME_MAX_MS), rfc3339]).describe(description);
}

export function duration(description: string) {
  const milliseconds = z.int().min(1).max(DURATION_MAX_MS);
  const go = z
    .string()
    .max(64)
    .regex(/^(?:\d{1,15}(?:\.\d{1,3})?(?:h|ms|m|s))+$/u)
    .refine(isDuration);
  return z.union([milliseconds, go]).describe(`${description} Such as 30m, 1h30m or 720h, or milliseconds.`);
}

/**
 * Numbers by name, at most `countMax`. The value comes as it was sent: a schema of records would drop `__proto__`.
 */
export function numbersByName(
  countMax: number,
  isInside: (name: string, value: number) => boolean,
  description: string,
) {
  return z
    .unknown()
    .refine((value) => value === undefined || isNumbers(value, countMax, isInside))
    .optional()
    .meta({ type: "object", description });
}

export function toMs(value: string | number): number {
  return typeof value === "number" ? value : Date.parse(value);
}

function isTime(ms: number): boolean {
  return ms >= 0 && ms <= TIME_MAX_MS;
}

/** The value counts thousandths, so that the sum is exact. */
function isDuration(value: string): boolean {
  let thousandths = 0;
  for (const [, whole, fraction = "", unit] of value.matchAll(/(\d+)(?:\.(\d+))?(h|ms|m|s)/gu)) {
    const unitMs = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }[unit as "h" | "m" | "s" | "ms"];
    thousandths += Number(whole + fraction.padEnd(3, "0")) * unitMs;
  }
  return thousandths > 0 && thousandths % 1000 === 0 && thousandths <= DURATION_MAX_MS * 1000;
}

function isNumbers(
  value: unknown,
  countMax: number,
  isInside: (name: string, value: number) => boolean,
): boolean {
  if (!isMap(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length > 0 &&
    entries.length <= countMax &&
    entries.every(
      ([name, number]) =>
        isName(name) && typeof number === "number" && Number.isFinite(number) && isInside(name, number),
    )
  );
}

function isAttributes(value: unknown): boolean {
  if (!isMap(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= ATTRIBUTES_MAX &&
    entries.every(([name, attribute]) => isName(name) && isAttribute(attribute))
  );
}

/** A key that nobody trips over. */
function isName(name: string): boolean {
  return name.length >= 1 && name.length <= 64 && isPlainText(name) && !FORBIDDEN_KEYS.includes(name);
}

function isAttribute(value: unknown): boolean {
  if (Array.isArray(value)) return value.length <= ATTRIBUTES_MAX && value.every(isShortText);
  if (typeof value === "number") return Number.isFinite(value);
  return value === null || typeof value === "boolean" || isShortText(value);
}

function isShortText(value: unknown): boolean {
  return typeof value === "string" && isPlainText(value) && utf8Length(value) <= 256;
}

function isFacts(value: unknown): boolean {
  return (
    isMap(value) &&
    isPlainJson(value, FACTS_DEPTH_MAX) &&
    utf8Length(JSON.stringify(value)) <= FACTS_BYTES_MAX
  );
}

/** JSON without infinities, broken text or the keys that programs trip over. */
function isPlainJson(value: unknown, depthLeft: number): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  if (depthLeft === 0) return false;
  return Object.entries(value).every(
    ([key, inner]) =>
      key.isWellFormed() && !FORBIDDEN_KEYS.includes(key) && isPlainJson(inner, depthLeft - 1),
  );
}

function isMap(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
