/** A block of history as bytes: a small head, the columns one after the other, all of it deflated. */
import { endianness } from "node:os";
import { promisify } from "node:util";
import { constants, deflateRaw, inflateRaw } from "node:zlib";
import { BLOCK_COMPONENTS_MAX, RANGE_SIZE, type SnapshotBlock, type SnapshotRow } from "../../ports/store.ts";

const FORMAT_VERSION = 2;
/** Version, row count, columns of components and nothing, 32 bits each; keeps the doubles behind it aligned. */
const HEAD_BYTES = 16;
/** Version 1 had five columns of components and did not say so. */
const FIRST_HEAD_BYTES = 8;
const FIRST_COLUMNS = 5;
const ROW_BYTES = 8 + 4 + 4 * BLOCK_COMPONENTS_MAX + 4 + 2 + 1;
/** Scores are kept as 32-bit floats; four decimals of them are meant. */
const DECIMALS = 1e4;

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** Runs in the thread pool of zlib. */
export async function packBlock(block: SnapshotBlock): Promise<Uint8Array> {
  assertLittleEndian();
  const { at, score, components, eventCount, offset, reason } = block;
  const head = new Uint32Array([FORMAT_VERSION, offset.length, BLOCK_COMPONENTS_MAX, 0]);
  // Widest first, so that every column is aligned.
  const columns = [head, at, score, components, eventCount, offset, reason];
  const bytes = Buffer.concat(
    columns.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)),
  );
  return deflate(bytes, { level: constants.Z_BEST_SPEED });
}

/**
 * The row of one subject, or null when it did not change in that hour.
 *
 * @throws Error when the bytes are not a block
 */
export async function rowOf(packed: Uint8Array, offset: number): Promise<SnapshotRow | null> {
  const bytes = await inflate(packed, { maxOutputLength: HEAD_BYTES + RANGE_SIZE * ROW_BYTES });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(0, true);
  if (version < 1 || version > FORMAT_VERSION) throw new Error(`a history block of format ${version}`);
  const headBytes = version === 1 ? FIRST_HEAD_BYTES : HEAD_BYTES;
  const columns = version === 1 ? FIRST_COLUMNS : view.getUint32(8, true);
  const count = view.getUint32(4, true);
  const scoreStart = headBytes + count * 8;
  const componentsStart = scoreStart + count * 4;
  const eventCountStart = componentsStart + count * 4 * columns;
  const offsetStart = eventCountStart + count * 4;
  const index = indexOf(view, offsetStart, count, offset);
  if (index === -1) return null;
  const components: (number | null)[] = [];
  for (let column = 0; column < columns; column++) {
    const value = view.getFloat32(componentsStart + (column * count + index) * 4, true);
    components.push(Number.isNaN(value) ? null : round(value));
  }
  return {
    at: view.getFloat64(headBytes + index * 8, true),
    score: round(view.getFloat32(scoreStart + index * 4, true)),
    components,
    eventCount: view.getUint32(eventCountStart + index * 4, true),
    reason: view.getUint8(offsetStart + count * 2 + index),
  };
}

/** Offsets rise, so halving finds one. */
function indexOf(view: DataView, start: number, count: number, offset: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (view.getUint16(start + middle * 2, true) < offset) low = middle + 1;
    else high = middle;
  }
  return low < count && view.getUint16(start + low * 2, true) === offset ? low : -1;
}

function round(value: number): number {
  return Math.round(value * DECIMALS) / DECIMALS;
}

function assertLittleEndian(): void {
  if (endianness() !== "LE") throw new Error("history blocks are written on little-endian machines only");
}
