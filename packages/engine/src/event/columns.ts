/** Columns of a log record's body: how they are laid out, and what makes them corrupt. */
import type { ByteReader, ByteWriter } from "../num/bytes.ts";

/** Most events in one batch, and most entries. */
export const BATCH_EVENTS_MAX = 16_384;
/** Columns lie at multiples of this, so that decoding makes views and copies nothing. */
export const ALIGNMENT = 8;
/** In an index of texts: no text. */
const NO_TEXT = 0;

/** Columns of unequal length are a mistake of the caller. */
export function expectLengths(count: number, columns: readonly ({ readonly length: number } | null)[]): void {
  for (const column of columns) {
    if (column !== null && column.length !== count)
      throw new RangeError(`a column of ${column.length} in ${count} samples`);
  }
}

/** Different texts once, then a 16-bit index for each row: probes come from few monitors. */
export function writeTexts(writer: ByteWriter, texts: readonly (string | null)[]): void {
  const codes = new Map<string, number>();
  const index = new Uint16Array(texts.length);
  for (const [row, text] of texts.entries()) {
    if (text === null) continue;
    const code = codes.get(text) ?? codes.size + 1;
    codes.set(text, code);
    index[row] = code;
  }
  writer.u16(codes.size);
  for (const text of codes.keys()) writer.text(text);
  pad(writer);
  writer.raw(bytesOf(index));
}

export function pad(writer: ByteWriter): void {
  while (writer.length % ALIGNMENT !== 0) writer.u8(0);
}

export function bytesOf(column: Float64Array | Uint32Array | Uint16Array): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}

export class Corrupt extends Error {}

export function expectEqual(what: string, found: number, expected: number): void {
  if (found !== expected) throw new Corrupt(`${what}: ${found} where ${expected} is expected`);
}

export function expectAtMost(what: string, found: number, limit: number): number {
  if (found > limit) throw new Corrupt(`${what}: ${found} is over the limit of ${limit}`);
  return found;
}

export function readF64(reader: ByteReader, count: number): Float64Array {
  const bytes = reader.raw(count * 8);
  return new Float64Array(bytes.buffer, bytes.byteOffset, count);
}

export function readTexts(reader: ByteReader, count: number, length: number): (string | null)[] {
  const table: (string | null)[] = [null];
  for (let left = reader.u16(); left > 0; left--) table.push(reader.text());
  skipPadding(reader, length);
  const bytes = reader.raw(count * 2);
  const index = new Uint16Array(bytes.buffer, bytes.byteOffset, count);
  const texts: (string | null)[] = [];
  for (const code of index) {
    const text = code === NO_TEXT ? null : table[code];
    if (text === undefined) throw new Corrupt(`text ${code} of ${table.length - 1}`);
    texts.push(text);
  }
  return texts;
}

export function skipPadding(reader: ByteReader, length: number): void {
  const offset = length - reader.remaining;
  reader.raw((ALIGNMENT - (offset % ALIGNMENT)) % ALIGNMENT);
}

export function readU32(reader: ByteReader, count: number): Uint32Array {
  const bytes = reader.raw(count * 4);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, count);
}
