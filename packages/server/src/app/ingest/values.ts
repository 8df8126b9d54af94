/** What the values of event fields must be. Each check gives null, or the mistake without the field's name. */
import { ID_BYTES_MAX, parseDuration, show } from "@staunch/engine";
import type { RejectionCode } from "./rejection.ts";

export interface ValueFlaw {
  readonly code: RejectionCode;
  readonly detail: string;
}
export type Check = (value: unknown) => ValueFlaw | null;

/** The end of the year 9999, the last instant that RFC 3339 can write. */
const TIME_MAX_MS = 253_402_300_799_999;
/** A hundred years; what shall last longer is sent without an end. */
const DURATION_MAX_MS = 3_155_760_000_000;
/** Free facts of an act: bytes as JSON, and lists and maps in each other. */
const FACTS_BYTES_MAX = 4096;
const FACTS_DEPTH_MAX = 16;
export const ATTRIBUTES_MAX = 64;
const NAME_MAX = 64;
const ATTRIBUTE_BYTES_MAX = 256;
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);
const KIND_NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/u;
const DURATION = /^(?:\d{1,15}(?:\.\d{1,3})?(?:h|ms|m|s))+$/u;

/** 1 to {@link ID_BYTES_MAX} bytes of UTF-8 without control characters. The loop is for the ids that nearly all are. */
export function isId(value: unknown): value is string {
  if (typeof value !== "string") return false;
  const length = value.length;
  if (length === 0 || length > ID_BYTES_MAX) return false;
  for (let index = 0; index < length; index++) {
    const unit = value.charCodeAt(index);
    if (unit < 0x20 || unit >= 0x7f) return isPlainText(value) && utf8Length(value) <= ID_BYTES_MAX;
  }
  return true;
}

/** Milliseconds since 1970 of a time as sent, NaN when it is none. */
export function timeMs(value: unknown): number {
  if (typeof value === "string") return parseTime(value);
  return typeof value === "number" && value >= 0 && value <= TIME_MAX_MS ? value : Number.NaN;
}

/** Milliseconds of a duration as sent, NaN when it is none: Go's notation up to three decimals, or a number. */
export function durationMs(value: unknown): number {
  if (typeof value === "string" && (value.length > 64 || !DURATION.test(value))) return Number.NaN;
  if (typeof value !== "string" && typeof value !== "number") return Number.NaN;
  const parsed = parseDuration(value);
  return parsed.type === "ok" && parsed.ms > 0 && parsed.ms <= DURATION_MAX_MS ? parsed.ms : Number.NaN;
}

export const checkId: Check = (value) => {
  if (typeof value !== "string") return wrongType("text", value);
  if (isId(value)) return null;
  return flaw("invalid_text", `must have 1 to ${ID_BYTES_MAX} bytes of UTF-8 without control characters`);
};

/** The same, or null. */
export function orNull(check: Check): Check {
  return (value) => (value === null ? null : check(value));
}

/** Well-formed text of limited length; control characters such as line ends are allowed. */
export function checkText(bytesMax: number): Check {
  return (value) => {
    if (typeof value !== "string") return wrongType("text", value);
    if (!value.isWellFormed())
      return flaw("invalid_text", "must be well-formed text, without half characters");
    return utf8Length(value) <= bytesMax
      ? null
      : flaw("invalid_text", `must have at most ${bytesMax} bytes of UTF-8`);
  };
}

export function checkReason(bytesMax: number): Check {
  const check = checkText(bytesMax);
  return (value) =>
    check(value) ??
    ((value as string).trim() === "" ? flaw("invalid_text", "must say why; it is empty") : null);
}

export function checkNumber(takes: string, isInside: (value: number) => boolean): Check {
  return (value) => {
    if (typeof value !== "number") return wrongType("a number", value);
    // 1e999 is JSON and reads as infinity.
    return Number.isFinite(value) && isInside(value)
      ? null
      : flaw("out_of_range", `must be ${takes}, not ${value}`);
  };
}

/**
 * Numbers by name, one to `countMax`. `limitOf` gives null for a number that is right, else what it should be.
 */
export function checkNumbers(
  countMax: number,
  limitOf: (name: string, value: number) => string | null,
): Check {
  return (value) => {
    if (!isMap(value)) return wrongType("a map", value);
    const entries = Object.entries(value);
    if (entries.length === 0 || entries.length > countMax)
      return flaw("out_of_range", `must have 1 to ${countMax} numbers by name, not ${entries.length}`);
    for (const [name, number] of entries) {
      const found = flawOfName(name);
      if (found !== null) return found;
      if (typeof number !== "number")
        return flaw("wrong_type", `has ${show(number)} as ${name}, not a number`);
      const limit = Number.isFinite(number) ? limitOf(name, number) : "finite";
      if (limit !== null) return flaw("out_of_range", `has ${number} as ${name}, which must be ${limit}`);
    }
    return null;
  };
}

export const checkBoolean: Check = (value) =>
  typeof value === "boolean" ? null : wrongType("true or false", value);

export const checkTime: Check = (value) => {
  if (typeof value !== "string" && typeof value !== "number") return wrongType("a time", value);
  if (!Number.isNaN(timeMs(value))) return null;
  return flaw(
    "invalid_time",
    `must be like 2026-11-25T03:04:05Z or milliseconds since 1970, not ${show(value)}`,
  );
};

export const checkDuration: Check = (value) => {
  if (typeof value !== "string" && typeof value !== "number") return wrongType("a duration", value);
  if (!Number.isNaN(durationMs(value))) return null;
  return flaw(
    "invalid_duration",
    `must be like 30m, 1h30m or 720h, or whole milliseconds, up to 100 years, not ${show(value)}`,
  );
};

export const checkKind: Check = (value) => {
  if (typeof value !== "string") return wrongType("text", value);
  if (KIND_NAME.test(value)) return null;
  return flaw("invalid_text", "must be a name of lower-case letters, digits, - and _");
};

export function checkOneOf(words: readonly string[]): Check {
  return (value) => {
    if (typeof value !== "string") return wrongType("text", value);
    if (words.includes(value)) return null;
    return flaw("unknown_value", `must be one of ${words.join(", ")}, not ${show(value)}`);
  };
}

export function checkTexts(countMax: number, bytesMax: number, countMin = 0): Check {
  const check = checkText(bytesMax);
  return (value) => {
    if (!Array.isArray(value)) return wrongType("a list of texts", value);
    if (value.length < countMin) return flaw("out_of_range", `must have at least ${countMin} item`);
    if (value.length > countMax) return flaw("out_of_range", `must have at most ${countMax} items`);
    for (const item of value) {
      const found = check(item);
      if (found !== null) return found;
    }
    return null;
  };
}

export const checkAttributes: Check = (value) => {
  if (!isMap(value)) return wrongType("a map", value);
  const entries = Object.entries(value);
  if (entries.length > ATTRIBUTES_MAX) return tooManyAttributes();
  for (const [name, attribute] of entries) {
    const found = flawOfName(name);
    if (found !== null) return found;
    const texts = Array.isArray(attribute) ? attribute : [attribute];
    if (texts.length > ATTRIBUTES_MAX)
      return flaw("out_of_range", `lists must have at most ${ATTRIBUTES_MAX} items`);
    if (!(Array.isArray(attribute) ? texts.every(isShortText) : isAttribute(attribute))) {
      const limit = `texts of at most ${ATTRIBUTE_BYTES_MAX} bytes without control characters`;
      return flaw("wrong_type", `values must be ${limit}, finite numbers, booleans, lists of texts or null`);
    }
  }
  return null;
};

export const checkFacts: Check = (value) => {
  if (!isMap(value)) return wrongType("a map", value);
  const found = flawOfJson(value, FACTS_DEPTH_MAX);
  if (found !== null) return found;
  if (utf8Length(JSON.stringify(value)) <= FACTS_BYTES_MAX) return null;
  return flaw("out_of_range", `must have at most ${FACTS_BYTES_MAX} bytes as JSON`);
};

export function tooManyAttributes(): ValueFlaw {
  return flaw(
    "too_many_attributes",
    `a subject has at most ${ATTRIBUTES_MAX} attributes; remove some with null`,
  );
}

export function isMap(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Bytes of a well-formed text: one to 0x7f, two to 0x7ff, four for a pair of surrogates, else three. */
export function utf8Length(value: string): number {
  let bytes = 0;
  for (let index = 0; index < value.length; index++) {
    const unit = value.charCodeAt(index);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800 || (unit >= 0xd800 && unit < 0xe000)) bytes += 2;
    else bytes += 3;
  }
  return bytes;
}

/** Well-formed and without control characters: C0, DEL and C1. */
function isPlainText(value: string): boolean {
  return value.isWellFormed() && !/\p{Cc}/u.test(value);
}

/** What is wrong with a key of a map whose keys the sender chooses. */
function flawOfName(name: string): ValueFlaw | null {
  if (FORBIDDEN_KEYS.has(name)) return forbiddenKey(name);
  if (name.length > 0 && name.length <= NAME_MAX && isPlainText(name)) return null;
  return flaw("invalid_text", `names must have 1 to ${NAME_MAX} characters, none of control`);
}

function isAttribute(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  return value === null || typeof value === "boolean" || isShortText(value);
}

function isShortText(value: unknown): boolean {
  return typeof value === "string" && isPlainText(value) && utf8Length(value) <= ATTRIBUTE_BYTES_MAX;
}

function flawOfJson(value: unknown, depthLeft: number): ValueFlaw | null {
  if (typeof value === "number" && !Number.isFinite(value))
    return flaw("out_of_range", "has an infinite number");
  if (typeof value === "string" && !value.isWellFormed()) return flaw("invalid_text", "has half characters");
  if (typeof value !== "object" || value === null) return null;
  if (depthLeft === 0) return flaw("out_of_range", `must be nested at most ${FACTS_DEPTH_MAX} deep`);
  for (const [key, inner] of Object.entries(value)) {
    if (FORBIDDEN_KEYS.has(key)) return forbiddenKey(key);
    if (!key.isWellFormed()) return flaw("invalid_text", "has half characters in a key");
    const found = flawOfJson(inner, depthLeft - 1);
    if (found !== null) return found;
  }
  return null;
}

function forbiddenKey(key: string): ValueFlaw {
  return flaw("forbidden_key", `must not have the key ${key}`);
}

function wrongType(takes: string, value: unknown): ValueFlaw {
  return flaw("wrong_type", `must be ${takes}, not ${show(value)}`);
}

function flaw(code: RejectionCode, detail: string): ValueFlaw {
  return { code, detail };
}

const RFC_3339 =
  /^(\d{4})-(\d\d)-(\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/u;

function parseTime(text: string): number {
  const plain = parsePlainTime(text);
  if (!Number.isNaN(plain)) return plain;
  const parts = RFC_3339.exec(text);
  if (parts === null || !isDay(Number(parts[1]), Number(parts[2]), Number(parts[3]))) return Number.NaN;
  const ms = Date.parse(text);
  return ms >= 0 && ms <= TIME_MAX_MS ? ms : Number.NaN;
}

function isDay(year: number, month: number, day: number): boolean {
  // Day 0 of the month after is the last of this one.
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** `2026-11-25T03:04:05Z` and `2026-11-25T03:04:05.678Z`, which nearly all senders write, in a fifth of the time. */
function parsePlainTime(text: string): number {
  const length = text.length;
  if ((length !== 20 && length !== 24) || text.charCodeAt(length - 1) !== 90) return Number.NaN;
  if (text[4] !== "-" || text[7] !== "-" || text[10] !== "T" || text[13] !== ":" || text[16] !== ":")
    return Number.NaN;
  const year = two(text, 0) * 100 + two(text, 2);
  const month = two(text, 5);
  const day = two(text, 8);
  const hour = two(text, 11);
  const minute = two(text, 14);
  const second = two(text, 17);
  let ms = 0;
  if (length === 24) {
    const hundreds = text.charCodeAt(20) - 48;
    if (text[19] !== "." || hundreds < 0 || hundreds > 9) return Number.NaN;
    ms = hundreds * 100 + two(text, 21);
  }
  // The 29th and later are left to the calendar; a digit that is none has made a NaN, which fails here too.
  if (!(year >= 1970 && month >= 1 && month <= 12 && day >= 1 && day <= 28)) return Number.NaN;
  if (!(hour < 24 && minute < 60 && second < 60)) return Number.NaN;
  return (
    daysSince1970(year, month, day) * 86_400_000 + hour * 3_600_000 + minute * 60_000 + second * 1000 + ms
  );
}

function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

/**
 * Days of the proleptic Gregorian calendar. The year starts in March, so that the leap day is its last and the days
 * before month m (March = 0) are floor((153 m + 2) / 5): five months of 31, 30, 31, 30, 31 days have 153.
 */
function daysSince1970(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const marchMonth = (month + 9) % 12;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  // 719,469 is what the formula gives for 1 January 1970.
  return marchYear * 365 + leapDays + Math.floor((153 * marchMonth + 2) / 5) + day - 719_469;
}
