/** Little-endian byte writer and reader for snapshots and log records. Grows by doubling up to a named limit. */

/** A single buffer may not pass this; a snapshot is written in parts far below it. */
export const BYTES_MAX = 1 << 30;

export class ByteWriter {
  private bytes: Uint8Array<ArrayBuffer>;
  private view: DataView;
  private used = 0;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  get length(): number {
    return this.used;
  }

  u8(value: number): void {
    this.reserve(1);
    this.view.setUint8(this.used, value);
    this.used += 1;
  }

  u16(value: number): void {
    this.reserve(2);
    this.view.setUint16(this.used, value, true);
    this.used += 2;
  }

  u32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.used, value, true);
    this.used += 4;
  }

  f64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.used, value, true);
    this.used += 8;
  }

  /** Raw bytes without a length. */
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.used);
    this.used += bytes.length;
  }

  /** UTF-8 text behind its length in bytes. Lone surrogates become U+FFFD. */
  text(value: string): void {
    const lengthAt = this.used;
    this.u32(0);
    this.reserve(value.length * 3);
    this.used = writeUtf8(value, this.bytes, this.used);
    this.view.setUint32(lengthAt, this.used - lengthAt - 4, true);
  }

  /** What was written, in the writer's own memory: valid until it writes again. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.used);
  }

  /** A copy of what was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.used);
  }

  /** Starts over with the same memory. */
  clear(): void {
    this.used = 0;
  }

  private reserve(size: number): void {
    const needed = this.used + size;
    if (needed <= this.bytes.length) return;
    if (needed > BYTES_MAX)
      throw new RangeError(`buffer of ${needed} bytes is over the limit of ${BYTES_MAX}`);
    let capacity = this.bytes.length;
    while (capacity < needed) capacity *= 2;
    const grown = new Uint8Array(capacity);
    grown.set(this.bytes.subarray(0, this.used));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

/** Reads what {@link ByteWriter} wrote; running past the end throws RangeError. */
export class ByteReader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.bytes.length - this.at;
  }

  u8(): number {
    return this.view.getUint8(this.take(1));
  }

  u16(): number {
    return this.view.getUint16(this.take(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  f64(): number {
    return this.view.getFloat64(this.take(8), true);
  }

  raw(size: number): Uint8Array {
    const start = this.take(size);
    return this.bytes.subarray(start, start + size);
  }

  text(): string {
    const bytes = this.raw(this.u32());
    return readUtf8(bytes, 0, bytes.length);
  }

  private take(size: number): number {
    const start = this.at;
    if (start + size > this.bytes.length)
      throw new RangeError(`cut off: ${size} bytes wanted at ${start} of ${this.bytes.length}`);
    this.at = start + size;
    return start;
  }
}

/** Writes `value` as UTF-8 at `at` and returns the place behind it; the caller has reserved 3 bytes a unit. */
export function writeUtf8(value: string, into: Uint8Array, at: number): number {
  for (let index = 0; index < value.length; index++) {
    let code = value.charCodeAt(index);
    if (code < 0x80) {
      into[at++] = code;
      continue;
    }
    if (code < 0x800) {
      into[at++] = 0xc0 | (code >> 6);
      into[at++] = 0x80 | (code & 0x3f);
      continue;
    }
    if (code >= 0xd800 && code < 0xe000) {
      const low = code < 0xdc00 ? value.charCodeAt(index + 1) : 0;
      if (low >= 0xdc00 && low < 0xe000) {
        index++;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        into[at++] = 0xf0 | (code >> 18);
        into[at++] = 0x80 | ((code >> 12) & 0x3f);
        into[at++] = 0x80 | ((code >> 6) & 0x3f);
        into[at++] = 0x80 | (code & 0x3f);
        continue;
      }
      code = 0xfffd;
    }
    into[at++] = 0xe0 | (code >> 12);
    into[at++] = 0x80 | ((code >> 6) & 0x3f);
    into[at++] = 0x80 | (code & 0x3f);
  }
  return at;
}

/** Text of bytes that {@link writeUtf8} wrote. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  let at = start;
  while (at < end) {
    const first = bytes[at++]!;
    if (first < 0x80) {
      text += String.fromCharCode(first);
    } else if (first < 0xe0) {
      text += String.fromCharCode(((first & 0x1f) << 6) | (bytes[at++]! & 0x3f));
    } else if (first < 0xf0) {
      text += String.fromCharCode(
        ((first & 0x0f) << 12) | ((bytes[at++]! & 0x3f) << 6) | (bytes[at++]! & 0x3f),
      );
    } else {
      const code =
        ((first & 0x07) << 18) |
        ((bytes[at++]! & 0x3f) << 12) |
        ((bytes[at++]! & 0x3f) << 6) |
        (bytes[at++]! & 0x3f);
      text += String.fromCodePoint(code);
    }
  }
  return text;
}
