/**
 * Reads plain metric events from the bytes of a body without making objects: a list of events with `type`, `subject`,
 * `metric`, `value`, and perhaps `at`, `weight` and `ok`, in ASCII. It takes a half to a third of the time of
 * `JSON.parse`.
 *
 * It knows one answer to everything that is not exactly so, mistakes included: give up, and let the parser look. So
 * it can be strict where JSON is rich (escapes, exponents, other letters), and never reports anything itself. A
 * property test holds what it accepts to what the parser gives.
 */
import { ID_BYTES_MAX, METRIC_NAMES, SAMPLE_FAILED, SAMPLE_WEIGHT_MAX } from "@staunch/engine";
import type { EventColumns } from "./decode.ts";
import { timeMs } from "./values.ts";

/** The shortest event: every body of so many bytes has at most one event in each of them. */
const EVENT_BYTES_MIN = '{"type":"metric","subject":"a","metric":"uptime","value":0}'.length;

const QUOTE = 0x22;
const COMMA = 0x2c;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const CAPITAL_E = 0x45;
const LIST_START = 0x5b;
const BACKSLASH = 0x5c;
const LIST_END = 0x5d;
const LETTER_E = 0x65;
const MAP_START = 0x7b;
const MAP_END = 0x7d;
const DELETE = 0x7f;

// Fields seen, as bits.
const TYPE = 1;
const SUBJECT = 2;
const METRIC = 4;
const VALUE = 8;
const REQUIRED = TYPE | SUBJECT | METRIC | VALUE;

/** A word to compare four bytes at a time; the last four overlap those before. */
interface Word {
  readonly length: number;
  readonly quads: readonly number[];
  readonly lastQuad: number;
}

const METRIC_WORD = wordOf('"metric"');
const TRUE = wordOf("true");
const FALSE = wordOf("false");
/** Fields by their first letter: all differ in it. */
const FIELDS = byLetter(["type", "subject", "metric", "value", "at", "weight", "ok"]).map(
  (found) => found[0]?.word,
);
/** Metrics by their first letter. */
const METRICS_BY_LETTER = byLetter(METRIC_NAMES);

/**
 * With at most 15 digits a decimal is a whole number below 2^53 divided by a power of ten up to 10^22, both exact,
 * so that one division rounds as the parser does (W. D. Clinger, How to read floating point numbers accurately, 1990).
 */
const EXACT_DIGITS_MAX = 15;
const POWERS_OF_TEN = Float64Array.from({ length: EXACT_DIGITS_MAX + 1 }, (_, power) => Number(`1e${power}`));

/** How many events a body of plain metric events can have. */
export function eventsAtMost(bodyBytes: number): number {
  return Math.floor(bodyBytes / EVENT_BYTES_MIN) + 1;
}

export class MetricScanner {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly text: string;
  private readonly columns: EventColumns;
  /** Where the list's closing bracket is: no place in front of it needs a check that there is a byte. */
  private readonly end: number;
  // The event in hand.
  private seen = 0;
  private subject = "";
  private code = 0;
  private value = 0;
  private atMs = 0;
  private weight = 1;
  private ok = true;
  /** What {@link scanNumber} has read. */
  private number = 0;

  /** `text` is the same as `bytes`, which are ASCII; `columns` must be empty. */
  constructor(bytes: Uint8Array, text: string, columns: EventColumns) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.text = text;
    this.columns = columns;
    let end = bytes.length - 1;
    while (end > 0 && isSpace(bytes[end]!)) end -= 1;
    this.end = end;
  }

  /** Fills the columns from a list of plain metric events; false when it is anything else: start over without them. */
  scanList(): boolean {
    const { bytes, end, columns } = this;
    if (end < 1 || bytes[end] !== LIST_END) return false;
    let at = skipSpace(bytes, 0);
    if (bytes[at] !== LIST_START) return false;
    for (let index = 0; index < columns.capacity; index++) {
      at = this.scanEvent(skipSpace(bytes, at + 1));
      if (at < 0 || !this.take(index)) return false;
      at = skipSpace(bytes, at);
      if (at === end) return true;
      if (bytes[at] !== COMMA) return false;
    }
    return false;
  }

  /** The event in hand into the columns, which have the last word on ranges and times. */
  private take(index: number): boolean {
    const kind = this.ok ? this.code : this.code | SAMPLE_FAILED;
    if (!this.columns.push(index, this.subject, kind, this.value, this.atMs)) return false;
    if (this.weight !== 1) this.columns.setWeight(this.weight);
    return true;
  }

  // Each of the following reads what starts at `at` and gives the place behind it, or -1.

  private scanEvent(start: number): number {
    const { bytes } = this;
    if (bytes[start] !== MAP_START) return -1;
    this.seen = 0;
    this.atMs = this.columns.nowMs;
    this.weight = 1;
    this.ok = true;
    let at = start;
    for (;;) {
      at = this.scanField(skipSpace(bytes, at + 1));
      if (at < 0) return -1;
      at = skipSpace(bytes, at);
      if (bytes[at] === MAP_END) return (this.seen & REQUIRED) === REQUIRED ? at + 1 : -1;
      if (bytes[at] !== COMMA) return -1;
    }
  }

  private scanField(start: number): number {
    const { bytes } = this;
    if (bytes[start] !== QUOTE) return -1;
    const letter = bytes[start + 1]!;
    const name = FIELDS[letter];
    if (name === undefined) return -1;
    let at = this.passWord(start, name);
    if (at < 0) return -1;
    at = skipSpace(bytes, at);
    if (bytes[at] !== COLON) return -1;
    at = skipSpace(bytes, at + 1);
    switch (letter) {
      case 0x74: // type
        this.seen |= TYPE;
        return this.passWord(at, METRIC_WORD);
      case 0x73: // subject
        this.seen |= SUBJECT;
        return this.scanSubject(at);
      case 0x6d: // metric
        this.seen |= METRIC;
        return this.scanMetric(at);
      case 0x76: // value
        this.seen |= VALUE;
        at = this.scanNumber(at);
        this.value = this.number;
        return at;
      case 0x61: // at
        return this.scanTime(at);
      case 0x77: // weight
        at = this.scanNumber(at);
        this.weight = this.number;
        return this.weight > 0 && this.weight <= SAMPLE_WEIGHT_MAX ? at : -1;
      default: // ok
        this.ok = bytes[at] === 0x74;
        return this.passWord(at, this.ok ? TRUE : FALSE);
    }
  }

  private scanSubject(start: number): number {
    const at = this.passText(start);
    const length = at - start - 2;
    if (length < 1 || length > ID_BYTES_MAX) return -1;
    this.subject = this.text.slice(start + 1, at - 1);
    return at;
  }

  private scanMetric(start: number): number {
    if (this.bytes[start] !== QUOTE) return -1;
    for (const { word, place } of METRICS_BY_LETTER[this.bytes[start + 1]!]!) {
      const at = this.passWord(start, word);
      if (at < 0) continue;
      this.code = place;
      return at;
    }
    return -1;
  }

  private scanTime(start: number): number {
    if (this.bytes[start] === QUOTE) {
      const at = this.passText(start);
      this.atMs = at < 0 ? Number.NaN : timeMs(this.text.slice(start + 1, at - 1));
      return at;
    }
    const at = this.scanNumber(start);
    this.atMs = timeMs(this.number);
    return at;
  }

  /** A decimal without sign and exponent. */
  private scanNumber(start: number): number {
    const { bytes } = this;
    let mantissa = 0;
    let at = start;
    let byte = bytes[at]!;
    while (byte >= ZERO && byte <= NINE) {
      mantissa = mantissa * 10 + (byte - ZERO);
      byte = bytes[++at]!;
    }
    const whole = at - start;
    // JSON has a digit in front of the point, and a zero there stands alone.
    if (whole === 0 || (whole > 1 && bytes[start] === ZERO)) return -1;
    let decimals = 0;
    if (byte === POINT) {
      byte = bytes[++at]!;
      const point = at;
      while (byte >= ZERO && byte <= NINE) {
        mantissa = mantissa * 10 + (byte - ZERO);
        byte = bytes[++at]!;
      }
      decimals = at - point;
      if (decimals === 0) return -1;
    }
    if (byte === LETTER_E || byte === CAPITAL_E) return -1;
    if (whole + decimals > EXACT_DIGITS_MAX) this.number = Number(this.text.slice(start, at));
    else this.number = decimals === 0 ? mantissa : mantissa / POWERS_OF_TEN[decimals]!;
    return at;
  }

  /** A text in quotes without escapes and control characters. */
  private passText(start: number): number {
    const { bytes, end } = this;
    if (bytes[start] !== QUOTE) return -1;
    for (let at = start + 1; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === QUOTE) return at + 1;
      if (byte < 0x20 || byte === BACKSLASH || byte >= DELETE) return -1;
    }
    return -1;
  }

  private passWord(start: number, { length, quads, lastQuad }: Word): number {
    if (start + length > this.end || this.view.getUint32(start + length - 4) !== lastQuad) return -1;
    for (let quad = 0; quad < quads.length; quad++) {
      if (this.view.getUint32(start + quad * 4) !== quads[quad]) return -1;
    }
    return start + length;
  }
}

function skipSpace(bytes: Uint8Array, start: number): number {
  let at = start;
  while (isSpace(bytes[at]!)) at += 1;
  return at;
}

function isSpace(byte: number): boolean {
  return byte <= 0x20 && (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}

/** Names in quotes by the code of their first letter, with their place in the list. */
function byLetter(names: readonly string[]): { readonly word: Word; readonly place: number }[][] {
  const table = Array.from({ length: 256 }, () => new Array<{ word: Word; place: number }>());
  for (const [place, name] of names.entries())
    table[name.charCodeAt(0)]!.push({ word: wordOf(`"${name}"`), place });
  return table;
}

/** @param text at least four letters of ASCII */
function wordOf(text: string): Word {
  const quadAt = (at: number): number => {
    let quad = 0;
    for (let offset = 0; offset < 4; offset++) quad = quad * 256 + text.charCodeAt(at + offset);
    return quad;
  };
  const quads = Array.from({ length: Math.floor(text.length / 4) }, (_, index) => quadAt(index * 4));
  return { length: text.length, quads, lastQuad: quadAt(text.length - 4) };
}
