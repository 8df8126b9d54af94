/**
 * The bytes of a snapshot file: a magic, then blocks, then the SHA-256 of everything before it.
 *
 * The first block is the header and the last one the trailer, both JSON; between them lie the parts. A block is
 * type u16, flags u16 (0), length u32, position f64, CRC-32 u32 over those and the content, 4 bytes of nothing,
 * then the content. Little endian.
 */
import type { FileHandle } from "node:fs/promises";
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { SnapshotEnd, SnapshotHeader, SnapshotInfo, SnapshotPart } from "../../ports/snapshots.ts";
import { SNAPSHOT_PART_BYTES_MAX } from "../../ports/snapshots.ts";

export const MAGIC = Buffer.from("STSNAP01", "latin1");
/** Block types that are not parts. */
export const HEADER_BLOCK = 0x1_0000;
export const TRAILER_BLOCK = 0x1_0001;

const BLOCK_HEADER_BYTES = 24;
const CHECKED_BYTES = 16;
const HASH_BYTES = 32;

/** What lies before a block's content. */
export function blockHeader({ type, position, bytes }: SnapshotPart): Buffer {
  const header = Buffer.alloc(BLOCK_HEADER_BYTES);
  header.writeUInt32LE(type, 0);
  header.writeUInt32LE(bytes.length, 4);
  header.writeDoubleLE(position, 8);
  header.writeUInt32LE(blockChecksum(header, bytes), 16);
  return header;
}

export function jsonBlock(
  type: number,
  value: SnapshotHeader | (SnapshotEnd & { parts: number }),
): SnapshotPart {
  return { type, position: 0, bytes: Buffer.from(JSON.stringify(value)) };
}

/** Reads a file through and checks all of it. A string says what is wrong. */
export async function verifyFile(handle: FileHandle, name: string): Promise<SnapshotInfo | string> {
  const digest = createHash("sha256");
  let header: unknown = null;
  let parts = 0;
  for await (const block of readBlocks(handle, digest)) {
    if (typeof block === "string") return block;
    if (block.type === HEADER_BLOCK) {
      header = parseJson(block.bytes);
    } else if (block.type === TRAILER_BLOCK) {
      const end = parseJson(block.bytes);
      if (!isHeader(header)) return "the header says something else than a header should";
      if (!isEnd(end)) return "the trailer says something else than a trailer should";
      if (end.parts !== parts) return `${parts} parts where the trailer counts ${end.parts}`;
      const bytes = (await handle.stat()).size;
      return { ...header, ...end, name, bytes, contentHash: digest.digest("hex") };
    } else {
      parts += 1;
    }
  }
  return "no trailer";
}

/**
 * All blocks of a file with their checksums checked; a string says what is wrong and is the last item. With a
 * digest the hash at the end is checked as well, before the trailer is given out.
 */
export async function* readBlocks(
  handle: FileHandle,
  digest: ReturnType<typeof createHash> | null,
): AsyncGenerator<SnapshotPart | string> {
  const size = (await handle.stat()).size;
  const magic = await readBytes(handle, 0, MAGIC.length);
  if (magic === null || !MAGIC.equals(magic)) {
    yield "not a snapshot of this format";
    return;
  }
  digest?.update(magic);
  let offset = MAGIC.length;
  for (;;) {
    const block = await readBlock(handle, offset, size - HASH_BYTES);
    if (typeof block === "string") {
      yield block;
      return;
    }
    const isFirst = offset === MAGIC.length;
    if (isFirst !== (block.type === HEADER_BLOCK)) {
      yield `block of type ${block.type} at byte ${offset}`;
      return;
    }
    digest?.update(block.header).update(block.bytes);
    offset += block.header.length + block.bytes.length;
    if (block.type === TRAILER_BLOCK) {
      const fault = digest === null ? null : await endFault(handle, offset, size, digest.copy());
      yield fault ?? block;
      return;
    }
    yield block;
  }
}

async function readBlock(
  handle: FileHandle,
  offset: number,
  end: number,
): Promise<(SnapshotPart & { header: Buffer }) | string> {
  const header =
    offset + BLOCK_HEADER_BYTES > end ? null : await readBytes(handle, offset, BLOCK_HEADER_BYTES);
  if (header === null) return `cut off at byte ${offset}`;
  const type = header.readUInt32LE(0);
  const length = header.readUInt32LE(4);
  const position = header.readDoubleLE(8);
  if (type > TRAILER_BLOCK || length > SNAPSHOT_PART_BYTES_MAX) return `no block at byte ${offset}`;
  const start = offset + BLOCK_HEADER_BYTES;
  const bytes = start + length > end ? null : await readBytes(handle, start, length);
  if (bytes === null) return `cut off at byte ${start}`;
  const crc = blockChecksum(header, bytes);
  if (crc !== header.readUInt32LE(CHECKED_BYTES)) return `checksum of the block at byte ${offset} differs`;
  return { type, position, bytes, header };
}

async function endFault(
  handle: FileHandle,
  offset: number,
  size: number,
  digest: ReturnType<typeof createHash>,
): Promise<string | null> {
  if (size !== offset + HASH_BYTES)
    return `${size - offset} bytes behind the trailer where ${HASH_BYTES} belong`;
  const found = await readBytes(handle, offset, HASH_BYTES);
  return found !== null && digest.digest().equals(found) ? null : "the hash of the content differs";
}

/** Null when the file ends before. The bytes have a buffer of their own, so columns in them are aligned. */
async function readBytes(handle: FileHandle, offset: number, length: number): Promise<Buffer | null> {
  const bytes = Buffer.from(new ArrayBuffer(length));
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) return null;
    filled += bytesRead;
  }
  return bytes;
}

function blockChecksum(header: Buffer, bytes: Uint8Array): number {
  return crc32(bytes, crc32(header.subarray(0, CHECKED_BYTES)));
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    // The checksum has passed, so somebody wrote nonsense; the caller says so.
    return null;
  }
}

function isHeader(value: unknown): value is SnapshotHeader {
  const header = value as Partial<SnapshotHeader> | null;
  return (
    typeof header?.engineVersion === "string" &&
    typeof header.policyHash === "string" &&
    typeof header.startPosition === "number"
  );
}

function isEnd(value: unknown): value is SnapshotEnd & { parts: number } {
  const end = value as Partial<SnapshotEnd & { parts: number }> | null;
  return (
    typeof end?.endPosition === "number" && typeof end.chainHash === "string" && typeof end.parts === "number"
  );
}
