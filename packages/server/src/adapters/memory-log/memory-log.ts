/** A log in memory for the tests of what is built on logs: several owners on one store, and answers that get lost. */
import type {
  AppendRequest,
  AppendResult,
  ClaimRequest,
  ClaimResult,
  Log,
  LogRecord,
} from "../../ports/log.ts";
import type { Tail, TrimResult, VerifyResult } from "../../ports/log.ts";
import { LogDamagedError } from "../../ports/log.ts";
import type { ChainLink, StoredRecord } from "../../ports/log-record.ts";
import {
  assertWithinLimits,
  checkRecord,
  EMPTY_TAIL,
  linkOf,
  ownerBody,
  planAppend,
  sealRecord,
  trimRecord,
} from "../../ports/log-record.ts";

/** What several logs may have open at once; the records can be damaged by whoever tests that. */
export class MemoryLogStore {
  readonly records: StoredRecord[] = [];
  private lostAnswer: "landed" | "lost" | null = null;

  get tail(): Tail {
    const last = this.records.at(-1);
    return last === undefined ? EMPTY_TAIL : linkOf(last);
  }

  /** The next append is answered `unknown`: its record has landed or was lost on the way. */
  loseNextAnswer(fate: "landed" | "lost"): void {
    this.lostAnswer = fate;
  }

  takeLostAnswer(): "landed" | "lost" | null {
    const fate = this.lostAnswer;
    this.lostAnswer = null;
    return fate;
  }
}

export class MemoryLog implements Log {
  readonly capabilities = { driver: "memory", durability: "none", shared: true } as const;
  private readonly store: MemoryLogStore;
  private writing = false;
  private closed = false;

  constructor(store: MemoryLogStore) {
    this.store = store;
  }

  async tail(): Promise<Tail> {
    this.assertOpen();
    return this.store.tail;
  }

  async claim({ owner, loggedAt }: ClaimRequest): Promise<ClaimResult> {
    return this.alone(() => {
      const tail = this.store.tail;
      const epoch = tail.epoch + 1;
      const time = Math.max(loggedAt, tail.loggedAt);
      const body = ownerBody(owner);
      this.store.records.push(
        sealRecord(tail, { kind: "epoch", epoch, loggedAt: time, eventCount: 0, body }),
      );
      return { type: "claimed", tail: this.store.tail };
    });
  }

  async append(request: AppendRequest): Promise<AppendResult> {
    assertWithinLimits(request);
    return this.alone(() => {
      const fate = this.store.takeLostAnswer();
      if (fate === "lost") return { type: "unknown" };
      const plan = planAppend(this.store.tail, request);
      if ("type" in plan) return plan;
      this.store.records.push(plan);
      return fate === "landed"
        ? { type: "unknown" }
        : { type: "appended", position: plan.position, hash: plan.hash };
    });
  }

  async *read(fromPosition: number, toPosition = Infinity): AsyncGenerator<LogRecord> {
    this.assertOpen();
    let previous: ChainLink | null = fromPosition === 1 ? EMPTY_TAIL : null;
    for (
      let position = fromPosition;
      position <= Math.min(toPosition, this.store.records.length);
      position++
    ) {
      const stored = this.store.records[position - 1]!;
      const damage = checkRecord(stored, previous);
      if (damage !== null) throw new LogDamagedError(damage);
      previous = linkOf(stored);
      const { crc: _crc, samplesHash: _samplesHash, ...record } = stored;
      yield record;
    }
  }

  async positionBefore(loggedAtMs: number): Promise<number> {
    this.assertOpen();
    return this.store.records.findLastIndex(({ loggedAt }) => loggedAt < loggedAtMs) + 1;
  }

  async trim(upToPosition: number): Promise<TrimResult> {
    this.assertOpen();
    let records = 0;
    let bytes = 0;
    for (const [index, record] of this.store.records.entries()) {
      const length = record.body.samples?.length ?? 0;
      if (record.position > upToPosition || length === 0) continue;
      this.store.records[index] = trimRecord(record);
      records += 1;
      bytes += length;
    }
    return { type: "trimmed", records, bytes };
  }

  async verify(): Promise<VerifyResult> {
    this.assertOpen();
    let previous: ChainLink = EMPTY_TAIL;
    let events = 0;
    let trimmed = 0;
    for (const record of this.store.records) {
      const damage = checkRecord(record, previous);
      if (damage !== null) return { type: "damaged", damage };
      events += record.eventCount;
      if (record.body.samples === null) trimmed += 1;
      previous = linkOf(record);
    }
    return { type: "sound", records: this.store.records.length, events, trimmed, tail: previous };
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  /** One write at a time; the turn in between lets a caller that forgot to wait be caught. */
  private async alone<T>(write: () => T): Promise<T> {
    this.assertOpen();
    if (this.writing) throw new Error("a write is in flight already");
    this.writing = true;
    try {
      await Promise.resolve();
      return write();
    } finally {
      this.writing = false;
    }
  }

  private assertOpen(): void {
    if (this.closed) throw new Error("the log is closed");
  }
}
