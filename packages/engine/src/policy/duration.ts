/**
 * Durations as people write them: the notation of Go (`1m`, `720h`, `1h30m`, `1.5s`, `500ms`), or a plain number
 * of milliseconds. Inside, a duration is always a whole number of milliseconds.
 */

export type DurationResult =
  | { readonly type: "ok"; readonly ms: number }
  | { readonly type: "invalid"; readonly message: string };

/** A duration in Go is 63 bits of nanoseconds, 292 years; longer ones are refused here too. */
export const DURATION_MAX_MS = 9_223_372_036_854;

/** Enough for every unit with all its digits. */
const TEXT_LENGTH_MAX = 64;

/** Nanoseconds in each unit of Go's notation; both signs for micro, U+00B5 and U+03BC, are in use. */
const UNIT_NS: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  ["\u00b5s", 1_000n],
  ["\u03bcs", 1_000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);
const NS_PER_MS = 1_000_000n;

const WHOLE = /^([+-]?)(?:0|((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+))$/u;
const PART = /(\d*)\.?(\d*)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/gu;
const MILLISECONDS = /^\d+$/u;

/**
 * Reads a duration. Text follows Go, and a text of digits alone counts milliseconds, as a number does. What does
 * not come out at a whole number of milliseconds, or is longer than {@link DURATION_MAX_MS}, is refused.
 */
export function parseDuration(value: string | number): DurationResult {
  if (typeof value === "number") return checked(value, String(value));
  const text = value.trim();
  if (text.length > TEXT_LENGTH_MAX) return { type: "invalid", message: "is too long for a duration" };
  if (MILLISECONDS.test(text)) return checked(Number(text), text);
  const whole = WHOLE.exec(text);
  if (whole === null) {
    return {
      type: "invalid",
      message: `${JSON.stringify(text)} is not a duration such as 500ms, 1m, 1h30m or 720h`,
    };
  }
  let ns = 0n;
  for (const [, integer, fraction, unit] of (whole[2] ?? "").matchAll(PART)) {
    ns += nanoseconds(integer!, fraction!, UNIT_NS.get(unit!)!);
  }
  if (ns % NS_PER_MS !== 0n)
    return { type: "invalid", message: `${text} is not a whole number of milliseconds` };
  const ms = Number(ns / NS_PER_MS);
  return checked(whole[1] === "-" && ms > 0 ? -ms : ms, text);
}

/** Go drops what is finer than a nanosecond, and so does the division here. */
function nanoseconds(integer: string, fraction: string, unitNs: bigint): bigint {
  const scale = BigInt(`1${"0".repeat(fraction.length)}`);
  return (BigInt(integer + fraction) * unitNs) / scale;
}

function checked(ms: number, text: string): DurationResult {
  if (!Number.isInteger(ms))
    return { type: "invalid", message: `${text} is not a whole number of milliseconds` };
  if (Math.abs(ms) > DURATION_MAX_MS) return { type: "invalid", message: `${text} is longer than 292 years` };
  return { type: "ok", ms: ms === 0 ? 0 : ms };
}

/**
 * Writes a whole number of milliseconds in Go's notation without the parts that are zero: `720h`, `1h30m`,
 * `1m1.5s`, `500ms`, `0s`. {@link parseDuration} reads back the same number.
 */
export function formatDuration(ms: number): string {
  if (!Number.isInteger(ms)) throw new RangeError(`${ms} is not a whole number of milliseconds`);
  if (ms === 0) return "0s";
  const size = Math.abs(ms);
  const sign = ms < 0 ? "-" : "";
  if (size < 1000) return `${sign}${size}ms`;
  const hours = Math.floor(size / 3_600_000);
  const minutes = Math.floor((size % 3_600_000) / 60_000);
  return sign + part(hours, "h") + part(minutes, "m") + part((size % 60_000) / 1000, "s");
}

function part(count: number, unit: string): string {
  return count === 0 ? "" : `${count}${unit}`;
}
