import * as fc from "fast-check";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { apply, standing, type Batch, type State } from "@staunch/engine";
import { openSqliteStore } from "../../adapters/sqlite-store/sqlite-store.ts";
import { testClock } from "../../ports/clock.ts";
import type { HistoryStore, Projection, SanctionCursor, Store, WriteResult } from "../../ports/store.ts";
import { History } from "../history/history.ts";
import { act, newState, penalty, registration, run, START_MS, uptime } from "./fixtures.ts";
import { dumpMarks, HourMarks, loadMarks } from "./hour-marks.ts";
import { HOUR_MS, Projector } from "./projector.ts";

const ALWAYS = { fromMs: 0, toMs: 8e15, limit: 10_000 };
/** Time moves by hand; flushes are asked for. */
const never = (): void => undefined;

describe("the projector", () => {
  const clock = testClock(START_MS);
  let directory: string;
  let store: Store;
  let projector: Projector;
  let state: State;

  beforeEach(async () => {
    clock.set(START_MS);
    directory = await mkdtemp(join(tmpdir(), "staunch-projector-"));
    store = await open();
    state = newState();
    projector = await Projector.open({ store: store.history, clock, after: never });
  });

  afterEach(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  async function open(): Promise<Store> {
    const opened = await openSqliteStore(directory);
    if (opened.type !== "opened") throw new Error(JSON.stringify(opened));
    return opened.store;
  }

  /** Ends the process without a word: what was not stored is gone. Then replays the whole log. */
  async function crashAndReplay(log: readonly Batch[]): Promise<void> {
    await store.close();
    store = await open();
    projector = await Projector.open({ store: store.history, clock, after: never });
    state = newState();
    for (const batch of log) run(state, projector, batch);
  }

  function history(): History {
    return new History(store.history, projector, state);
  }

  test("an hour that ends leaves the closing score and components of who changed", async () => {
    run(state, projector, registration(1, START_MS, 0, 3));
    run(state, projector, uptime(2, START_MS + 1_000, [0, 1], 0.2));
    run(state, projector, uptime(3, START_MS + 2_000, [0], 0.9));
    const closing = standing(state, 0, START_MS + 2_000);
    run(state, projector, uptime(4, START_MS + HOUR_MS + 5_000, [0], 0.1));
    await projector.flush();
    const rows = await store.history.snapshots(0, ALWAYS, 10);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ at: START_MS + 2_000, eventCount: 2, reason: 0 });
    expect(rows[0]!.score).toBeCloseTo(closing.score, 3);
    expect(rows[0]!.components.filter((value) => value !== null)).toHaveLength(5);
    for (const [column, part] of closing.components.entries())
      expect(rows[0]!.components[column]!).toBeCloseTo(part.score, 3);
    expect(await store.history.snapshots(1, ALWAYS, 10)).toHaveLength(1);
    expect(await store.history.snapshots(2, ALWAYS, 10)).toEqual([]);
  });

  test("an hour is closed by the batch behind it also when nobody said that it was coming", async () => {
    run(state, projector, registration(1, START_MS, 0, 2));
    run(state, projector, uptime(2, START_MS + 1_000, [0, 1], 0.2));
    projector.applied(state, apply(state, uptime(3, START_MS + HOUR_MS, [1], 0.9)));
    await projector.flush();
    expect(await store.history.snapshots(0, ALWAYS, 10)).toHaveLength(1);
    expect(await store.history.snapshots(1, ALWAYS, 10)).toHaveLength(1);
  });

  test("the open hour is served from memory", async () => {
    run(state, projector, registration(1, START_MS, 0, 1));
    run(state, projector, uptime(2, START_MS + 1_000, [0], 0.2));
    run(state, projector, uptime(3, START_MS + HOUR_MS + 5_000, [0], 0.1));
    await projector.flush();
    const { snapshots } = await history().read(0, ALWAYS);
    expect(snapshots.map(({ at }) => at)).toEqual([START_MS + 1_000, START_MS + HOUR_MS + 5_000]);
    expect(snapshots[1]!.score).toBeCloseTo(standing(state, 0, state.now).score, 3);
    expect(snapshots[1]).toMatchObject({ reason: "metric_update", eventCount: 2 });
    expect(Object.keys(snapshots[1]!.components).sort()).toEqual([
      "performance",
      "reliability",
      "response",
      "trust",
      "uptime",
    ]);
  });

  test("sanctions and crossings are readable before and after they are stored, and after they ended", async () => {
    run(state, projector, registration(1, START_MS, 0, 2));
    run(state, projector, act(2, START_MS + 10, penalty(0, START_MS, START_MS + 60_000)));
    const before = await history().read(0, ALWAYS);
    await projector.flush();
    const after = await history().read(0, ALWAYS);
    expect(after).toEqual(before);
    expect(after.crossings[0]).toMatchObject({
      id: "2.0",
      type: "penalty.applied",
      detail: { id: "pen_2_0", severity: "major" },
    });
    const sanction = { id: "pen_2_0", status: "active", endedAt: null };
    expect(after.sanctions).toMatchObject([{ kind: "penalty", sanction }]);
    run(state, projector, uptime(3, START_MS + 70_000, [0], 1));
    await projector.flush();
    expect(await store.history.sanctions(0, ALWAYS, 10)).toMatchObject([
      { id: "pen_2_0", status: "ended", endedAt: START_MS + 60_000 },
    ]);
    const later = await history().read(0, { fromMs: START_MS + 65_000, toMs: START_MS + 80_000, limit: 10 });
    expect(later.sanctions).toEqual([]);
    expect(later.crossings.map(({ type }) => type)).toContain("penalty.ended");
    expect((await history().read(1, ALWAYS)).sanctions).toEqual([]);
  });

  test("penalties are listed page by page, those in memory and those that only the store still has", async () => {
    run(state, projector, registration(1, START_MS, 0, 1));
    for (let position = 2; position <= 60; position++) {
      const at = START_MS + position;
      // Without points they cost no trust, so memory keeps only the newest that ended.
      const given = { ...penalty(0, at, position % 4 === 0 ? null : at + 1), points: 0 };
      run(state, projector, act(position, at, given));
    }
    await projector.flush();
    const listed = async (status: string | null): Promise<string[]> => {
      const ids: string[] = [];
      let after: SanctionCursor | null = null;
      do {
        const query = { kind: "penalty" as const, status, after, limit: 7 };
        const page = await history().sanctionPage(0, query);
        ids.push(...page.items.map(({ sanction }) => sanction.id));
        after = page.next;
      } while (after !== null);
      return ids;
    };
    const all = Array.from({ length: 59 }, (_, index) => `pen_${60 - index}_0`);
    expect(state.sanctions.of(0)!.penalties.length).toBeLessThan(all.length);
    expect(await listed(null)).toEqual(all);
    const isActive = (id: string): boolean => Number(id.split("_")[1]) % 4 === 0;
    expect(await listed("active")).toEqual(all.filter(isActive));
    expect(await listed("ended")).toEqual(all.filter((id) => !isActive(id)));
  });

  test("after a crash anywhere the replay leaves exactly what an undisturbed run leaves", async () => {
    const log = someLog();
    for (const batch of log) run(state, projector, batch);
    await projector.flush();
    const undisturbed = await everything();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(log.length - 1), { minLength: 1, maxLength: 4 }), async (flushes) => {
        await store.close();
        await rm(directory, { recursive: true });
        store = await open();
        projector = await Projector.open({ store: store.history, clock, after: never });
        state = newState();
        for (const [index, batch] of log.slice(0, Math.max(...flushes) + 2).entries()) {
          run(state, projector, batch);
          if (flushes.includes(index)) await projector.flush();
        }
        await crashAndReplay(log);
        await projector.flush();
        expect(await everything()).toEqual(undisturbed);
      }),
      { numRuns: 10 },
    );
  });

  test("what the store drops in the middle is projected once with the next flush", async () => {
    const failing = new FailingStore(store.history);
    projector = await Projector.open({ store: failing, clock, after: never });
    run(state, projector, registration(1, START_MS, 0, 1));
    run(state, projector, act(2, START_MS + 10, penalty(0, START_MS)));
    failing.answer = { type: "full" };
    await projector.flush();
    expect(projector.projectedTo()).toBe(0);
    expect(projector.trouble).toEqual({ stalledAt: null, refusal: { type: "full" } });
    expect(projector.lag).toBe(2);
    run(state, projector, act(3, START_MS + 20, penalty(0, START_MS)));
    failing.answer = null;
    expect(await projector.settled(3)).toBe(true);
    expect(projector.trouble).toBeNull();
    expect(projector.lag).toBe(0);
    const rows = await store.history.crossings(0, ALWAYS, 10);
    expect(rows.filter(({ type }) => type === "penalty.applied").map(({ position }) => position)).toEqual([
      2, 3,
    ]);
    expect(await store.history.sanctions(0, ALWAYS, 10)).toHaveLength(2);
  });

  test("hours outside the retention are passed over", async () => {
    const retentionMs = state.kinds[0]!.compiled.policy.historyRetentionMs;
    clock.set(START_MS + retentionMs + 10 * HOUR_MS);
    run(state, projector, registration(1, START_MS, 0, 1));
    for (let hour = 0; hour < 20; hour++) {
      run(state, projector, uptime(2 + hour, START_MS + hour * HOUR_MS, [0], hour % 2));
    }
    await projector.flush();
    const rows = await store.history.snapshots(0, ALWAYS, 100);
    // Hour 19 is still open.
    expect(rows.map(({ at }) => (at - START_MS) / HOUR_MS)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18]);
  });

  test("rows that grow older than the retention are deleted", async () => {
    run(state, projector, registration(1, START_MS, 0, 1));
    run(state, projector, act(2, START_MS + 10, penalty(0, START_MS)));
    run(state, projector, uptime(3, START_MS + HOUR_MS, [0], 0.5));
    await projector.flush();
    expect(await store.history.snapshots(0, ALWAYS, 10)).toHaveLength(1);
    const later = START_MS + state.kinds[0]!.compiled.policy.historyRetentionMs + 3 * HOUR_MS;
    clock.set(later);
    run(state, projector, uptime(4, later, [0], 0.9));
    await projector.flush();
    expect(
      (await store.history.snapshots(0, ALWAYS, 10)).filter(({ at }) => at < later - HOUR_MS * 800),
    ).toEqual([]);
    expect((await store.history.crossings(0, ALWAYS, 10)).map(({ position }) => position)).not.toContain(2);
  });

  test("hours that end while the last one is still being closed fall together, and nobody is left out", async () => {
    const count = 20 * 1_024;
    const everyone = Array.from({ length: count }, (_, subject) => subject);
    for (let first = 0; first < count; first += 10_240)
      run(state, projector, registration(1 + first / 10_240, START_MS, first, 10_240));
    run(state, projector, uptime(10, START_MS + 1_000, everyone.slice(0, 10_240), 0.1));
    run(state, projector, uptime(11, START_MS + 1_000, everyone.slice(10_240), 0.1));
    for (let hour = 1; hour <= 4; hour++)
      run(state, projector, uptime(11 + hour, START_MS + hour * HOUR_MS, [0], hour % 2));
    await projector.flush();
    for (const subject of [1, 1_024, 10_000, count - 1]) {
      const rows = await store.history.snapshots(subject, ALWAYS, 10);
      expect(rows.length).toBeGreaterThan(0);
      expect(rows.at(-1)!.at).toBeLessThan(START_MS + 4 * HOUR_MS);
    }
  });

  test("past the limit it stops where it is, and the next start catches up", async () => {
    const options = { clock, after: never, pendingRowsMax: 20 };
    const log = [registration(1, START_MS, 0, 1)];
    for (let position = 2; position <= 20; position++)
      log.push(act(position, START_MS + position, penalty(0, START_MS)));
    const failing = new FailingStore(store.history);
    failing.answer = { type: "full" };
    projector = await Projector.open({ ...options, store: failing });
    for (const batch of log) run(state, projector, batch);
    const stalledAt = projector.trouble!.stalledAt!;
    expect(stalledAt).toBeLessThan(20);
    failing.answer = null;
    await projector.flush();
    expect(projector.projectedTo()).toBe(stalledAt - 1);
    expect(projector.lag).toBe(20 - (stalledAt - 1));
    expect(await projector.settled(20)).toBe(false);
    await crashAndReplay(log);
    expect(await projector.settled(20)).toBe(true);
    const rows = await store.history.crossings(0, ALWAYS, 100);
    const applied = rows.filter(({ type }) => type === "penalty.applied");
    expect(applied.map(({ position }) => position)).toEqual(log.slice(1).map(({ position }) => position));
  });

  /** All rows of all subjects, as text. */
  async function everything(): Promise<string> {
    const rows: unknown[] = [];
    for (let subject = 0; subject < 5; subject++) {
      rows.push(await store.history.snapshots(subject, ALWAYS, 1_000));
      rows.push(await store.history.crossings(subject, ALWAYS, 1_000));
      rows.push(await store.history.sanctions(subject, ALWAYS, 1_000));
    }
    return JSON.stringify(rows);
  }
});

describe("marks of an hour", () => {
  test("come back from their bytes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(5_000), fc.nat(9))),
        fc.array(fc.tuple(fc.nat(5_000), fc.nat(9))),
        (now, earlier) => {
          const open = new HourMarks(2 * HOUR_MS);
          const closing = new HourMarks(HOUR_MS);
          for (const [subject, reason] of now) open.mark(subject, reason);
          for (const [subject, reason] of earlier) closing.mark(subject, reason);
          const loaded = loadMarks(dumpMarks(open, closing));
          expect([loaded.open.hour, loaded.closing.hour]).toEqual([2 * HOUR_MS, HOUR_MS]);
          for (const [subject] of [...now, ...earlier]) {
            expect(loaded.open.reasonOf(subject)).toBe(open.reasonOf(subject));
            expect(loaded.closing.reasonOf(subject)).toBe(closing.reasonOf(subject));
          }
        },
      ),
    );
  });

  test("a newer reason stays when an earlier hour is taken over", () => {
    const earlier = new HourMarks(0);
    const now = new HourMarks(HOUR_MS);
    earlier.mark(1, 3);
    earlier.mark(2, 4);
    now.mark(1, 0);
    now.takeOver(earlier);
    expect([now.reasonOf(1), now.reasonOf(2), earlier.rangeCount]).toEqual([0, 4, 0]);
  });
});

/** Five subjects over four hours, with sanctions that come, end and are revoked. */
function someLog(): Batch[] {
  const all = [0, 1, 2, 3, 4];
  const log = [registration(1, START_MS, 0, 5)];
  for (let step = 0; step < 24; step++) {
    const position = log.length + 1;
    const loggedAt = START_MS + step * (HOUR_MS / 6) + 5;
    if (step % 5 === 2) log.push(act(position, loggedAt, penalty(step % 3, loggedAt, loggedAt + HOUR_MS)));
    else log.push(uptime(position, loggedAt, all.slice(step % 4), (step % 7) / 7));
  }
  return log;
}

/** Passes everything on until it is told to refuse. */
class FailingStore implements HistoryStore {
  answer: WriteResult | null = null;
  private readonly store: HistoryStore;

  constructor(store: HistoryStore) {
    this.store = store;
  }

  cursor(): ReturnType<HistoryStore["cursor"]> {
    return this.store.cursor();
  }

  project(projection: Projection): Promise<WriteResult> {
    return this.answer === null ? this.store.project(projection) : Promise.resolve(this.answer);
  }

  prune(beforeMs: number): Promise<WriteResult> {
    return this.store.prune(beforeMs);
  }

  snapshots(...request: Parameters<HistoryStore["snapshots"]>): ReturnType<HistoryStore["snapshots"]> {
    return this.store.snapshots(...request);
  }

  crossings(...request: Parameters<HistoryStore["crossings"]>): ReturnType<HistoryStore["crossings"]> {
    return this.store.crossings(...request);
  }

  sanctions(...request: Parameters<HistoryStore["sanctions"]>): ReturnType<HistoryStore["sanctions"]> {
    return this.store.sanctions(...request);
  }

  selection(number: number): ReturnType<HistoryStore["selection"]> {
    return this.store.selection(number);
  }

  sanctionPage(
    ...request: Parameters<HistoryStore["sanctionPage"]>
  ): ReturnType<HistoryStore["sanctionPage"]> {
    return this.store.sanctionPage(...request);
  }
}
