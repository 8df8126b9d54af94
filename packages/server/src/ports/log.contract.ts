/** What every driver of the log promises. A driver's test calls {@link logContract} with a way to open it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { StoredRecord } from "./log-record.ts";
import { EMPTY_TAIL, linkOf, sealRecord, trimRecord } from "./log-record.ts";
import type { AppendRequest, AppendResult, Log, LogRecord, Tail } from "./log.ts";
import { GENESIS_HASH, LogDamagedError, RECORD_BYTES_MAX, RECORD_EVENTS_MAX } from "./log.ts";

/** One store that outlives the logs opened on it. */
export interface LogHarness {
  /** Opens the log; the suite closes it. */
  open(): Promise<Log>;
  /** Makes the next append answer `unknown`; absent when the driver cannot be brought to it. */
  readonly loseNextAnswer?: (fate: "landed" | "lost") => void;
  /** Puts another record in the place of a stored one, as it is given, while the log is closed. */
  replace(record: StoredRecord): Promise<void>;
  /** Removes a stored record while the log is closed. */
  remove(position: number): Promise<void>;
  destroy(): Promise<void>;
}

export function logContract(name: string, createHarness: () => Promise<LogHarness>): void {
  describe(`log contract: ${name}`, () => {
    let harness: LogHarness;
    let opened: Log[] = [];

    beforeEach(async () => {
      harness = await createHarness();
    });

    afterEach(async () => {
      for (const log of opened) await log.close();
      opened = [];
      await harness.destroy();
    });

    async function open(): Promise<Log> {
      const log = await harness.open();
      opened.push(log);
      return log;
    }

    async function reopen(log: Log): Promise<Log> {
      await log.close();
      return open();
    }

    /** A log with one owner and records at positions 2, 3 ... */
    async function filled(count: number): Promise<Log> {
      const log = await open();
      await claim(log, "first");
      for (let index = 0; index < count; index++) await append(log, index);
      return log;
    }

    describe("append and read", () => {
      test("an empty log has nothing to read and follows the genesis hash", async () => {
        const log = await open();
        expect(await log.tail()).toEqual({ position: 0, epoch: 0, hash: GENESIS_HASH, loggedAt: 0 });
        expect(await readAll(log)).toEqual([]);
        expect((await log.verify()).type).toBe("sound");
      });

      test("gives back what was appended, in order, chained", async () => {
        const log = await filled(5);
        const records = await readAll(log);
        expect(records.map((record) => record.position)).toEqual([1, 2, 3, 4, 5, 6]);
        expect(records.map((record) => record.kind)).toEqual([
          "epoch",
          "data",
          "data",
          "data",
          "data",
          "data",
        ]);
        let prevHash = GENESIS_HASH;
        for (const record of records) {
          expect(record.prevHash).toBe(prevHash);
          prevHash = record.hash;
        }
        for (const [index, record] of records.slice(1).entries()) {
          expect(record.loggedAt).toBe(timeOf(index));
          expect(record.eventCount).toBe(index + 1);
          expect(record.epoch).toBe(1);
          expect([...record.body.acts]).toEqual([...actsOf(index)]);
          expect([...record.body.samples!]).toEqual([...samplesOf(index)]);
        }
        expect((await log.tail()).hash).toBe(prevHash);
      });

      test("reads from and to any position", async () => {
        const log = await filled(5);
        expect((await readAll(log, 4)).map((record) => record.position)).toEqual([4, 5, 6]);
        expect((await readAll(log, 2, 3)).map((record) => record.position)).toEqual([2, 3]);
        expect(await readAll(log, 7)).toEqual([]);
      });

      test("reads many and large records completely", async () => {
        const log = await open();
        await claim(log, "first");
        for (let index = 0; index < 12; index++) {
          const large = new Uint8Array(300_000).fill(index);
          await appendAs(log, await log.tail(), { body: { acts: actsOf(index), samples: large } });
        }
        const sizes = (await readAll(log, 2)).map((record) => record.body.samples?.length);
        expect(sizes).toEqual(Array.from({ length: 12 }, () => 300_000));
      });

      test("a reader may stop early", async () => {
        const log = await filled(5);
        for await (const record of log.read(1)) if (record.position === 2) break;
        expect((await readAll(log)).length).toBe(6);
      });

      test("knows its end and its records after it is opened again", async () => {
        const log = await filled(3);
        const before = { tail: await log.tail(), records: await readAll(log) };
        const again = await reopen(log);
        expect({ tail: await again.tail(), records: await readAll(again) }).toEqual(before);
        await append(again, 3);
        expect(await again.verify()).toMatchObject({ type: "sound", records: 5, events: 1 + 2 + 3 + 4 });
      });

      test("an empty record is a tick", async () => {
        const log = await filled(0);
        const body = { acts: new Uint8Array(0), samples: new Uint8Array(0) };
        expect((await appendAs(log, await log.tail(), { body, eventCount: 0 })).type).toBe("appended");
        expect((await readAll(log, 2))[0]?.eventCount).toBe(0);
      });

      test("a closed log throws", async () => {
        const log = await filled(1);
        await log.close();
        await expect(log.tail()).rejects.toThrow();
        await expect(readAll(log)).rejects.toThrow();
      });
    });

    describe("limits", () => {
      test("a record of the largest number of events is taken, one more throws", async () => {
        const log = await filled(0);
        const tail = await log.tail();
        await expect(appendAs(log, tail, { eventCount: RECORD_EVENTS_MAX + 1 })).rejects.toThrow(RangeError);
        expect((await appendAs(log, tail, { eventCount: RECORD_EVENTS_MAX })).type).toBe("appended");
      });

      test("a body over the limit throws", async () => {
        const log = await filled(0);
        const body = { acts: new Uint8Array(0), samples: new Uint8Array(RECORD_BYTES_MAX + 1) };
        await expect(appendAs(log, await log.tail(), { body })).rejects.toThrow(RangeError);
      });

      test("a second append in flight throws and does not harm the first", async () => {
        const log = await filled(0);
        const tail = await log.tail();
        const first = appendAs(log, tail);
        await expect(appendAs(log, tail)).rejects.toThrow("in flight");
        expect((await first).type).toBe("appended");
      });

      test("time does not run backwards", async () => {
        const log = await filled(2);
        const tail = await log.tail();
        await expect(appendAs(log, tail, { loggedAt: tail.loggedAt - 1 })).rejects.toThrow();
        expect((await appendAs(log, tail, { loggedAt: tail.loggedAt })).type).toBe("appended");
      });
    });

    describe("the fence", () => {
      test("refuses an append that follows another position, hash or epoch", async () => {
        const log = await filled(3);
        const tail = await log.tail();
        const wrong: Partial<Tail>[] = [
          { position: tail.position - 1 },
          { position: tail.position + 1 },
          { hash: GENESIS_HASH },
          { epoch: tail.epoch - 1 },
          { epoch: tail.epoch + 1 },
        ];
        for (const change of wrong) {
          expect(await appendAs(log, { ...tail, ...change })).toEqual({ type: "fenced", tail });
        }
        expect(await log.tail()).toEqual(tail);
      });

      test("needs an owner: before a claim there is no epoch to append in", async () => {
        const log = await open();
        const tail = await log.tail();
        expect((await appendAs(log, { ...tail, epoch: 1 })).type).toBe("fenced");
      });

      test("a second claimer fences the first, also at the position where the first would have written", async () => {
        const first = await filled(2);
        const mine = await first.tail();
        const second = first.capabilities.shared ? await open() : first;
        const theirs = await claim(second, "second");
        expect(theirs).toMatchObject({ position: mine.position + 1, epoch: mine.epoch + 1 });
        expect(await appendAs(first, mine)).toEqual({ type: "fenced", tail: theirs });
        // The trap: the next record of the deposed owner names just the position that the epoch record has.
        expect((await appendAs(first, { ...theirs, epoch: mine.epoch })).type).toBe("fenced");
        expect((await appendAs(second, theirs)).type).toBe("appended");
        const owners = (await readAll(second)).filter((record) => record.kind === "epoch");
        expect(owners.map((record) => JSON.parse(new TextDecoder().decode(record.body.acts)))).toEqual([
          { owner: "first" },
          { owner: "second" },
        ]);
      });

      test("a claim with a clock that lags keeps the order of time", async () => {
        const log = await filled(2);
        const before = await log.tail();
        const result = await log.claim({ owner: "slow clock", loggedAt: before.loggedAt - 5000 });
        expect(result).toMatchObject({ type: "claimed", tail: { loggedAt: before.loggedAt } });
        expect((await log.verify()).type).toBe("sound");
      });
    });

    describe("an unknown outcome", () => {
      test("resending what has landed answers appended and writes nothing", async () => {
        const log = await filled(2);
        const tail = await log.tail();
        const first = await appendAs(log, tail);
        expect(await appendAs(log, tail)).toEqual(first);
        expect((await readAll(log)).length).toBe(4);
      });

      test("another record at that place is fenced, not taken for a resend", async () => {
        const log = await filled(2);
        const tail = await log.tail();
        await appendAs(log, tail);
        expect((await appendAs(log, tail, { eventCount: 2 })).type).toBe("fenced");
        const body = { acts: actsOf(77), samples: samplesOf(0) };
        expect((await appendAs(log, tail, { body })).type).toBe("fenced");
      });

      test.each(["landed", "lost"] as const)("when the record %s, a resend settles it", async (fate) => {
        const log = await filled(2);
        if (harness.loseNextAnswer === undefined) return;
        harness.loseNextAnswer(fate);
        const tail = await log.tail();
        expect(await appendAs(log, tail)).toEqual({ type: "unknown" });
        expect((await log.tail()).position).toBe(fate === "landed" ? tail.position + 1 : tail.position);
        expect(await appendAs(log, tail)).toMatchObject({ type: "appended", position: tail.position + 1 });
        expect((await log.verify()).type).toBe("sound");
      });
    });

    describe("the position before a time", () => {
      test("is that of the last record logged earlier, also where several share their time", async () => {
        const log = await filled(4);
        for (let again = 0; again < 3; again++) await appendAs(log, await log.tail());
        const times = (await readAll(log)).map(({ loggedAt }) => loggedAt);
        for (const time of new Set(times.flatMap((at) => [at - 1, at, at + 1]))) {
          expect(await log.positionBefore(time)).toBe(times.filter((at) => at < time).length);
        }
        expect(await log.positionBefore(Infinity)).toBe(8);
      });

      test("is 0 when there is no such record, in an empty log too", async () => {
        const empty = await open();
        expect(await empty.positionBefore(Infinity)).toBe(0);
        await claim(empty, "first");
        expect(await empty.positionBefore(timeOf(0))).toBe(0);
      });

      test("is told by records whose samples were trimmed", async () => {
        const log = await filled(4);
        await log.trim(4);
        expect(await log.positionBefore(timeOf(2))).toBe(3);
      });

      test("is never too high because a record is missing", async () => {
        const log = await filled(5);
        await log.close();
        await harness.remove(3);
        expect(await (await open()).positionBefore(timeOf(3))).toBeLessThanOrEqual(4);
      });
    });

    describe("trim", () => {
      test("drops samples, keeps acts, hashes and the proof", async () => {
        const log = await filled(6);
        const before = await readAll(log);
        expect(await log.trim(4)).toEqual({
          type: "trimmed",
          records: 3,
          bytes: samplesOf(0).length + samplesOf(1).length + samplesOf(2).length,
        });
        const after = await readAll(await reopen(log));
        for (const [index, record] of after.entries()) {
          const then = before[index]!;
          const trimmed = record.position <= 4 && record.kind === "data";
          const samples = trimmed ? null : then.body.samples;
          expect(record).toEqual({ ...then, body: { ...then.body, samples } });
        }
      });

      test("leaves the log sound and ready for more, and may be repeated", async () => {
        const log = await filled(6);
        await log.trim(4);
        expect(await log.trim(4)).toEqual({ type: "trimmed", records: 0, bytes: 0 });
        await append(log, 6);
        expect(await log.verify()).toMatchObject({ type: "sound", records: 8, trimmed: 3 });
        expect(await log.trim(1000)).toMatchObject({ records: 4 });
        expect(await log.verify()).toMatchObject({ type: "sound", records: 8, trimmed: 7 });
      });
    });

    describe("damage", () => {
      test.each(["acts", "samples", "hash"] as const)(
        "in the %s of a record is named and never served",
        async (part) => {
          const stored = await storedRecords(await filled(5));
          await opened.at(-1)!.close();
          await harness.replace(damaged(stored[3]!, part));
          const again = await open();
          expect(await again.verify()).toMatchObject({ type: "damaged", damage: { position: 4 } });
          const served: number[] = [];
          const reading = (async () => {
            for await (const record of again.read(1)) served.push(record.position);
          })();
          await expect(reading).rejects.toThrow(LogDamagedError);
          expect(served).toEqual([1, 2, 3]);
        },
      );

      test("in the acts is found after the samples were trimmed", async () => {
        const log = await filled(5);
        const stored = await storedRecords(log);
        await log.trim(5);
        await log.close();
        await harness.replace(damaged(trimRecord(stored[3]!), "acts"));
        expect(await (await open()).verify()).toMatchObject({ type: "damaged", damage: { position: 4 } });
      });

      test("a record that was rewritten, with digests that fit, breaks the chain behind it", async () => {
        const stored = await storedRecords(await filled(5));
        await opened.at(-1)!.close();
        const { acts } = damaged(stored[3]!, "acts").body;
        const forged = sealRecord(linkOf(stored[2]!), {
          ...stored[3]!,
          body: { acts, samples: samplesOf(2) },
        });
        await harness.replace(forged);
        const damage = { position: 5, what: "chain" };
        expect(await (await open()).verify()).toMatchObject({ type: "damaged", damage });
        await opened.at(-1)!.close();
        await harness.replace({ ...stored[4]!, prevHash: forged.hash });
        expect(await (await open()).verify()).toMatchObject({ damage: { position: 5, what: "hash" } });
      });

      test.each([
        ["epoch", { epoch: 2 }],
        ["time", { loggedAt: 5 }],
      ] as const)(
        "a record with an impossible %s is named although its digests fit",
        async (what, change) => {
          const stored = await storedRecords(await filled(3));
          await opened.at(-1)!.close();
          const body = { acts: actsOf(1), samples: samplesOf(1) };
          await harness.replace(sealRecord(linkOf(stored[1]!), { ...stored[2]!, ...change, body }));
          expect(await (await open()).verify()).toMatchObject({
            type: "damaged",
            damage: { position: 3, what },
          });
        },
      );

      test("a record that is missing is named, not skipped", async () => {
        const log = await filled(5);
        await log.close();
        await harness.remove(4);
        expect(await (await open()).verify()).toMatchObject({ type: "damaged", damage: { what: "missing" } });
        await expect(readAll(opened.at(-1)!)).rejects.toThrow(LogDamagedError);
      });
    });
  });
}

async function claim(log: Log, owner: string): Promise<Tail> {
  const result = await log.claim({ owner, loggedAt: timeOf(0) });
  if (result.type !== "claimed") throw new Error(`claim: ${result.type}`);
  return result.tail;
}

async function append(log: Log, index: number): Promise<void> {
  const body = { acts: actsOf(index), samples: samplesOf(index) };
  const change = { body, eventCount: index + 1, loggedAt: timeOf(index) };
  const result = await appendAs(log, await log.tail(), change);
  if (result.type !== "appended") throw new Error(`append: ${result.type}`);
}

/** Appends behind `tail` what {@link append} would append first, with changes. The body is made anew each time. */
function appendAs(log: Log, tail: Tail, change: Partial<AppendRequest> = {}): Promise<AppendResult> {
  return log.append({
    prevPosition: tail.position,
    prevHash: tail.hash,
    epoch: tail.epoch,
    loggedAt: Math.max(timeOf(0), tail.loggedAt),
    eventCount: 1,
    body: { acts: actsOf(0), samples: samplesOf(0) },
    ...change,
  });
}

async function readAll(log: Log, from = 1, to = Infinity): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const record of log.read(from, to)) records.push(record);
  return records;
}

/** The records as a driver stores them: sealing them again gives the same digests. */
async function storedRecords(log: Log): Promise<StoredRecord[]> {
  let previous: Tail = EMPTY_TAIL;
  return (await readAll(log)).map((record) => {
    const body = { acts: record.body.acts, samples: record.body.samples! };
    const stored = sealRecord(previous, { ...record, body });
    expect(stored.hash).toBe(record.hash);
    previous = linkOf(stored);
    return stored;
  });
}

/** The record with its first byte, or first digit, changed and everything else as it was. */
function damaged(record: StoredRecord, part: "acts" | "samples" | "hash"): StoredRecord {
  if (part === "hash")
    return { ...record, hash: (record.hash.startsWith("0") ? "1" : "0") + record.hash.slice(1) };
  const bytes = record.body[part]!.slice();
  bytes[0]! ^= 1;
  return { ...record, body: { ...record.body, [part]: bytes } };
}

function timeOf(index: number): number {
  return 1_700_000_000_000 + index * 10;
}

function actsOf(index: number): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`acts of record ${index}`);
}

function samplesOf(index: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(100 + index).fill(index + 1);
}
