/**
 * How a record is checksummed and chained, the same for every driver, so that records can be copied between
 * drivers with their hashes unchanged.
 *
 * hash = SHA-256(prevHash | header | SHA-256(samples) | SHA-256(acts)). Because the parts enter as digests,
 * the samples can go while the record's digest of them stays, and the chain remains provable.
 * The CRC-32 is over header and stored parts: it finds damage at a tenth of the cost and tells damage of the
 * record from damage of the chain.
 */
import { hash as digest } from "node:crypto";
import { crc32 } from "node:zlib";
import type { AppendRequest, AppendResult, Damage, LogRecord, RecordKind, Tail } from "./log.ts";
import { GENESIS_HASH, RECORD_BYTES_MAX, RECORD_EVENTS_MAX } from "./log.ts";

/** What a driver stores of one record. */
export interface StoredRecord extends LogRecord {
  readonly samplesHash: Uint8Array<ArrayBuffer>;
  readonly crc: number;
}

/** What the next record is checked against. */
export type ChainLink = Tail;

export const EMPTY_TAIL: Tail = { position: 0, epoch: 0, hash: GENESIS_HASH, loggedAt: 0 };

const HEADER_BYTES = 40;
const HEADER_MAGIC = 0x31_52_4c_53; // "SLR1"
const KIND_CODES: { readonly [kind in RecordKind]: number } = { data: 0, epoch: 1 };

/** Refuses a record over the limits: the caller closes its batches long before. */
export function assertWithinLimits({ eventCount, body }: AppendRequest): void {
  if (!Number.isInteger(eventCount) || eventCount < 0 || eventCount > RECORD_EVENTS_MAX) {
    throw new RangeError(`a record holds at most ${RECORD_EVENTS_MAX} events, not ${eventCount}`);
  }
  const bytes = body.acts.length + body.samples.length;
  if (bytes > RECORD_BYTES_MAX)
    throw new RangeError(`a record holds at most ${RECORD_BYTES_MAX} bytes, not ${bytes}`);
}

/**
 * The record to write for a request, or the answer when there is nothing to write: the identical record is the
 * tail already (a resend after an unknown outcome), or somebody else's is.
 */
export function planAppend(tail: Tail, request: AppendRequest): StoredRecord | AppendResult {
  const { prevPosition, prevHash, epoch, loggedAt } = request;
  const followsTail = prevPosition === tail.position && prevHash === tail.hash && epoch === tail.epoch;
  if (followsTail && loggedAt < tail.loggedAt) {
    throw new RangeError(`loggedAt ${loggedAt} is before the tail's ${tail.loggedAt}`);
  }
  if (!followsTail && prevPosition + 1 !== tail.position) return { type: "fenced", tail };
  const previous = { position: prevPosition, hash: prevHash, epoch, loggedAt };
  const record = sealRecord(previous, { ...request, kind: "data" });
  if (followsTail) return record;
  if (record.hash !== tail.hash) return { type: "fenced", tail };
  return { type: "appended", position: tail.position, hash: tail.hash };
}

/** Seals a record that follows `previous`: digests, chain hash and checksum. */
export function sealRecord(
  previous: ChainLink,
  record: Pick<LogRecord, "kind" | "epoch" | "loggedAt" | "eventCount"> & {
    readonly body: { readonly acts: Uint8Array<ArrayBuffer>; readonly samples: Uint8Array<ArrayBuffer> };
  },
): StoredRecord {
  const { kind, epoch, loggedAt, eventCount, body } = record;
  const position = previous.position + 1;
  const unsealed = { position, kind, epoch, loggedAt, eventCount, prevHash: previous.hash, body };
  const samplesHash = sha256(body.samples);
  return { ...unsealed, samplesHash, hash: chainHash(unsealed, samplesHash), crc: checksum(unsealed) };
}

/** The same record without its samples; hash and chain do not change. */
export function trimRecord(record: StoredRecord): StoredRecord {
  const trimmed = { ...record, body: { ...record.body, samples: null } };
  return { ...trimmed, crc: checksum(trimmed) };
}

/**
 * What is wrong with a record that should follow `previous`, or null. With `previous` null only the record
 * itself is checked, not what it follows.
 */
export function checkRecord(record: StoredRecord, previous: ChainLink | null): Damage | null {
  const { position, body } = record;
  const crc = checksum(record);
  if (crc !== record.crc)
    return { position, what: "checksum", expected: hex32(record.crc), found: hex32(crc) };
  if (body.samples !== null) {
    const found = sha256(body.samples);
    if (!found.equals(record.samplesHash)) {
      return { position, what: "samples", expected: hexOf(record.samplesHash), found: hexOf(found) };
    }
  }
  const hash = chainHash(record, record.samplesHash);
  if (hash !== record.hash) return { position, what: "hash", expected: record.hash, found: hash };
  return previous === null ? null : checkLink(record, previous);
}

export function linkOf(record: LogRecord): ChainLink {
  const { position, epoch, hash, loggedAt } = record;
  return { position, epoch, hash, loggedAt };
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

/** The acts part of an epoch record. */
export function ownerBody(owner: string): {
  acts: Uint8Array<ArrayBuffer>;
  samples: Uint8Array<ArrayBuffer>;
} {
  return { acts: new TextEncoder().encode(JSON.stringify({ owner })), samples: new Uint8Array(0) };
}

function checkLink(record: StoredRecord, previous: ChainLink): Damage | null {
  const { position } = record;
  if (position !== previous.position + 1) {
    return { position, what: "missing", expected: `${previous.position + 1}`, found: `${position}` };
  }
  if (record.prevHash !== previous.hash) {
    return { position, what: "chain", expected: previous.hash, found: record.prevHash };
  }
  const epoch = record.kind === "epoch" ? previous.epoch + 1 : previous.epoch;
  if (record.epoch !== epoch)
    return { position, what: "epoch", expected: `${epoch}`, found: `${record.epoch}` };
  if (record.loggedAt < previous.loggedAt) {
    return { position, what: "time", expected: `at least ${previous.loggedAt}`, found: `${record.loggedAt}` };
  }
  return null;
}

type Hashed = Omit<LogRecord, "hash">;

function chainHash(record: Hashed, samplesHash: Uint8Array): string {
  const parts = [Buffer.from(record.prevHash, "hex"), header(record), samplesHash, sha256(record.body.acts)];
  return digest("sha256", Buffer.concat(parts), "hex");
}

function checksum(record: Hashed): number {
  const { acts, samples } = record.body;
  const overActs = crc32(acts, crc32(header(record)));
  return samples === null ? overActs : crc32(samples, overActs);
}

function header(record: Hashed): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt32LE(HEADER_MAGIC, 0);
  bytes.writeUInt32LE(KIND_CODES[record.kind], 4);
  bytes.writeDoubleLE(record.position, 8);
  bytes.writeDoubleLE(record.epoch, 16);
  bytes.writeDoubleLE(record.loggedAt, 24);
  bytes.writeUInt32LE(record.eventCount, 32);
  bytes.writeUInt32LE(record.body.acts.length, 36);
  return bytes;
}

function sha256(bytes: Uint8Array): Buffer<ArrayBuffer> {
  return digest("sha256", bytes, "buffer");
}

function hex32(value: number): string {
  return value.toString(16).padStart(8, "0");
}
