/**
 * Looks for a break in the middle of the write-ahead log before SQLite opens it.
 *
 * After a crash the last few MiB of acknowledged records exist only in the WAL. SQLite reads it up to the first
 * frame whose checksum is wrong and forgets the rest without a word: right for the transaction that the crash
 * tore, but a flipped byte further up would take acknowledged records along, and what remains is a sound chain.
 * Only one transaction can be torn, the last. So when two or more transactions of this WAL end at or behind the
 * break, it is damage. (A flip inside the very last transaction looks exactly like a torn one; that is the limit.)
 *
 * Format: sqlite.org/fileformat2.html, section 4. All numbers are big endian.
 */
import { closeSync, openSync, readSync } from "node:fs";

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** Little-endian checksums, or big-endian ones with the last bit set. */
const MAGIC = 0x377f_0682;
const PAGE_BYTES_MAX = 65_536;
const TORN_TRANSACTIONS_MAX = 1;

/** What is wrong with the WAL at `path`, or null when nothing is, it is empty, or there is none. */
export function walFault(path: string): string | null {
  const file = openIfThere(path);
  if (file === null) return null;
  try {
    return fileFault(file);
  } finally {
    closeSync(file);
  }
}

function fileFault(file: number): string | null {
  const header = Buffer.alloc(HEADER_BYTES);
  // Empty or zeros: the crash came before the first transaction was durable.
  if (!fill(file, header, 0) || header.every((byte) => byte === 0)) return null;
  const littleEndian = header.readUInt32BE(0) === MAGIC;
  let sum = addTo({ first: 0, second: 0 }, header.subarray(0, 24), littleEndian);
  const pageBytes = header.readUInt32BE(8);
  if (!sumEquals(sum, header, 24) || pageBytes > PAGE_BYTES_MAX)
    return "the header of the write-ahead log is damaged";
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + pageBytes);
  let brokenAt: number | null = null;
  let endsBehindBreak = 0;
  for (let offset = HEADER_BYTES; fill(file, frame, offset); offset += frame.length) {
    // Frames of an earlier round have other salts.
    const ofThisRound = frame.compare(header, 16, 24, 8, 16) === 0;
    if (brokenAt === null) {
      sum = addTo(
        addTo(sum, frame.subarray(0, 8), littleEndian),
        frame.subarray(FRAME_HEADER_BYTES),
        littleEndian,
      );
      if (!ofThisRound || !sumEquals(sum, frame, 16)) brokenAt = offset;
    }
    // The last frame of a transaction tells the size of the database, the others say 0.
    if (brokenAt !== null && ofThisRound && frame.readUInt32BE(4) !== 0) endsBehindBreak += 1;
  }
  if (endsBehindBreak <= TORN_TRANSACTIONS_MAX) return null;
  return `the write-ahead log is broken at byte ${brokenAt} with ${endsBehindBreak} transactions behind`;
}

function openIfThere(path: string): number | null {
  try {
    return openSync(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

/** False when the file ends before. */
function fill(file: number, into: Buffer, offset: number): boolean {
  return readSync(file, into, 0, into.length, offset) === into.length;
}

interface Sum {
  readonly first: number;
  readonly second: number;
}

/** The running checksum: two sums of 32 bits, each fed with every other word and with the other sum. */
function addTo(sum: Sum, bytes: Buffer, littleEndian: boolean): Sum {
  let { first, second } = sum;
  for (let at = 0; at < bytes.length; at += 8) {
    const even = littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
    const odd = littleEndian ? bytes.readUInt32LE(at + 4) : bytes.readUInt32BE(at + 4);
    first = (first + even + second) >>> 0;
    second = (second + odd + first) >>> 0;
  }
  return { first, second };
}

function sumEquals(sum: Sum, bytes: Buffer, at: number): boolean {
  return sum.first === bytes.readUInt32BE(at) && sum.second === bytes.readUInt32BE(at + 4);
}
