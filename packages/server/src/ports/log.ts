/**
 * The log: what happened, in the order in which it counts, and the lock of the partition at the same time.
 *
 * Every append names the position, the hash and the epoch that it follows. Claiming appends an epoch record, so
 * an owner that has lost the partition names an epoch that is no longer the last and is refused by the log
 * itself. For that to hold exactly one append may be in flight; drivers assert it.
 *
 * Drivers pass the suite in `log.contract.ts`.
 */

/** Most events in one record. */
export const RECORD_EVENTS_MAX = 16_384;
/** Most bytes in one record's body; batches are closed long before. */
export const RECORD_BYTES_MAX = 32 * 1024 * 1024;
/** What the first record follows. */
export const GENESIS_HASH = "0".repeat(64);

/**
 * The body in its two parts: `acts` stay for ever, `samples` are null once they were trimmed. Length 0 means
 * that there were none.
 */
export interface RecordBody {
  readonly acts: Uint8Array<ArrayBuffer>;
  readonly samples: Uint8Array<ArrayBuffer> | null;
}

/** `epoch` records mark a new owner; their acts part is the JSON text `{"owner": ...}`. */
export type RecordKind = "data" | "epoch";

/** One record as it is read back, verified. */
export interface LogRecord {
  /** 1, 2, 3 ... without gaps. */
  readonly position: number;
  readonly kind: RecordKind;
  readonly epoch: number;
  /** Milliseconds since 1970, never smaller than the record before. */
  readonly loggedAt: number;
  readonly eventCount: number;
  /** Hash of the record before, 64 hex digits. */
  readonly prevHash: string;
  /** SHA-256 over the record and `prevHash`, 64 hex digits (see `log-record.ts`). */
  readonly hash: string;
  readonly body: RecordBody;
}

/** The last record; position 0, epoch 0 and {@link GENESIS_HASH} when there is none. */
export interface Tail {
  readonly position: number;
  readonly epoch: number;
  readonly hash: string;
  readonly loggedAt: number;
}

export interface AppendRequest {
  readonly prevPosition: number;
  readonly prevHash: string;
  readonly epoch: number;
  /** The owner's clock, but never less than `loggedAt` of the tail: that would be a mistake of the caller. */
  readonly loggedAt: number;
  readonly eventCount: number;
  /** Handed over: the driver may transfer the memory, so the caller must not read it afterwards. */
  readonly body: { readonly acts: Uint8Array<ArrayBuffer>; readonly samples: Uint8Array<ArrayBuffer> };
}

/** Why a write did not happen, or may not have happened. */
export type WriteRefusal =
  /** Another owner has written since; the tail tells who counts now. */
  | { readonly type: "fenced"; readonly tail: Tail }
  /** No answer came. Resend the identical record: if it had landed, it is answered `appended` and not written again. */
  | { readonly type: "unknown" }
  /** No room. Nothing was written; the same append works once there is room. */
  | { readonly type: "full" }
  /**
   * The storage failed. Whether the record landed shows when the log is opened again; until then this log
   * refuses every write, because after a failed fsync nobody knows what the next one would confirm.
   */
  | { readonly type: "failed"; readonly detail: string };

export type AppendResult =
  | { readonly type: "appended"; readonly position: number; readonly hash: string }
  | WriteRefusal;

export interface ClaimRequest {
  /** Who claims, different for every start of a process. */
  readonly owner: string;
  /** The owner's clock; the epoch record carries it, or the tail's `loggedAt` when that is later. */
  readonly loggedAt: number;
}

export type ClaimResult = { readonly type: "claimed"; readonly tail: Tail } | WriteRefusal;

export type TrimResult =
  | { readonly type: "trimmed"; readonly records: number; readonly bytes: number }
  | { readonly type: "full" }
  | { readonly type: "failed"; readonly detail: string };

/** What is wrong with a stored record. */
export interface Damage {
  /** Null when the storage cannot even say which record it is. */
  readonly position: number | null;
  readonly what:
    | "missing"
    | "unreadable"
    | "checksum"
    | "samples"
    | "hash"
    | "chain"
    | "epoch"
    | "time"
    | "tail";
  readonly expected: string;
  readonly found: string;
}

export type VerifyResult =
  | {
      readonly type: "sound";
      readonly records: number;
      readonly events: number;
      readonly trimmed: number;
      readonly tail: Tail;
    }
  /** The first damaged record; everything before it is sound. */
  | { readonly type: "damaged"; readonly damage: Damage };

/** Thrown by `read` so that no reader can pass over a damaged record by accident. */
export class LogDamagedError extends Error {
  readonly type = "damaged";
  readonly damage: Damage;

  constructor(damage: Damage) {
    super(describeDamage(damage));
    this.name = "LogDamagedError";
    this.damage = damage;
  }
}

export interface LogCapabilities {
  readonly driver: string;
  /** `strict`: an acknowledged record survives the loss of power; `none`: it does not survive the process. */
  readonly durability: "strict" | "none";
  /** Whether another process may claim the partition while this one has it open. */
  readonly shared: boolean;
}

export interface Log {
  readonly capabilities: LogCapabilities;
  tail(): Promise<Tail>;
  /** Becomes the owner by appending an epoch record; whoever owned the partition before is refused from here on. */
  claim(request: ClaimRequest): Promise<ClaimResult>;
  /** Throws when another append or claim is in flight, or the record is over a limit. */
  append(request: AppendRequest): Promise<AppendResult>;
  /**
   * Records from `fromPosition` (at least 1) to `toPosition` or the tail, each verified before it is given out.
   * Throws {@link LogDamagedError} at the first damaged one.
   */
  read(fromPosition: number, toPosition?: number): AsyncIterable<LogRecord>;
  /**
   * The highest position whose `loggedAt` is below, 0 if there is none. A record that cannot be read counts as not
   * below, so what is damaged makes the answer too low, never too high.
   */
  positionBefore(loggedAtMs: number): Promise<number>;
  /**
   * Drops the samples of all records up to and including `upToPosition`. Acts, hashes and the chain stay, and
   * `verify` still proves them. The caller has checked that a verified snapshot covers them.
   */
  trim(upToPosition: number): Promise<TrimResult>;
  /** Walks the whole log. Writes may go on meanwhile. */
  verify(): Promise<VerifyResult>;
  /** Lets go of the storage; whatever is called afterwards throws. */
  close(): Promise<void>;
}

/** The same log with another way to append, for what watches or guards it. */
export function withAppend(log: Log, append: Log["append"]): Log {
  return {
    capabilities: log.capabilities,
    tail: () => log.tail(),
    claim: (request) => log.claim(request),
    append,
    read: (from, to) => log.read(from, to),
    positionBefore: (loggedAtMs) => log.positionBefore(loggedAtMs),
    trim: (upTo) => log.trim(upTo),
    verify: () => log.verify(),
    close: () => log.close(),
  };
}

/** Why a log could not be opened. */
export type OpenRefusal =
  /** Another process has it; `pid` is null when it cannot be told which. */
  | { readonly type: "locked"; readonly pid: number | null }
  /** The storage does not run with the settings that durability rests on. */
  | { readonly type: "refused"; readonly detail: string }
  | { readonly type: "damaged"; readonly damage: Damage }
  | { readonly type: "full" }
  | { readonly type: "failed"; readonly detail: string };

export type OpenLogResult = { readonly type: "opened"; readonly log: Log; readonly tail: Tail } | OpenRefusal;

/** One sentence for people. */
export function describeDamage(damage: Damage): string {
  const place = damage.position === null ? "the log" : `record ${damage.position}`;
  return `${place} is damaged (${damage.what}): expected ${damage.expected}, found ${damage.found}`;
}
