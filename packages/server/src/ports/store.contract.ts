/** What every driver of the store promises. A driver's test calls {@link storeContract} with a way to open it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  BLOCK_COMPONENTS_MAX,
  type CrossingRow,
  type KeyRecord,
  type Projection,
  type SanctionRow,
  type SnapshotBlock,
  type Store,
} from "./store.ts";

/** One place that outlives the stores opened on it. */
export interface StoreHarness {
  open(): Promise<Store>;
  destroy(): Promise<void>;
}

const HOUR_MS = 3_600_000;
const ALWAYS = { fromMs: 0, toMs: 1e15 };

const ALL = { kind: "penalty", status: null, after: null, limit: 10 } as const;

export function storeContract(name: string, createHarness: () => Promise<StoreHarness>): void {
  describe(`store contract: ${name}`, () => {
    let harness: StoreHarness;
    let store: Store;

    beforeEach(async () => {
      harness = await createHarness();
      store = await harness.open();
    });

    afterEach(async () => {
      await store.close();
      await harness.destroy();
    });

    async function reopen(): Promise<void> {
      await store.close();
      store = await harness.open();
    }

    describe("keys", () => {
      test("survive a restart with every field, oldest first", async () => {
        const first = keyRecord("aaaaaaaa", 10);
        const second = { ...keyRecord("bbbbbbbb", 20), lastUsedAt: 25, revokedAt: 30 };
        expect(await store.keys.insert(second)).toEqual({ type: "stored" });
        expect(await store.keys.insert(first)).toEqual({ type: "stored" });
        await reopen();
        expect(await store.keys.list()).toEqual([first, second]);
      });

      test("an id is given once", async () => {
        await store.keys.insert(keyRecord("aaaaaaaa", 10));
        expect(await store.keys.insert(keyRecord("aaaaaaaa", 20))).toMatchObject({ type: "failed" });
        expect(await store.keys.list()).toHaveLength(1);
      });

      test("the first revocation counts, and only for its key", async () => {
        await store.keys.insert(keyRecord("aaaaaaaa", 10));
        await store.keys.insert(keyRecord("bbbbbbbb", 20));
        await store.keys.revoke("aaaaaaaa", 100);
        await store.keys.revoke("aaaaaaaa", 200);
        expect((await store.keys.list()).map(({ revokedAt }) => revokedAt)).toEqual([100, null]);
      });

      test("uses are noted", async () => {
        await store.keys.insert(keyRecord("aaaaaaaa", 10));
        await store.keys.insert(keyRecord("bbbbbbbb", 20));
        await store.keys.touch([{ id: "bbbbbbbb", atMs: 77 }]);
        expect((await store.keys.list()).map(({ lastUsedAt }) => lastUsedAt)).toEqual([null, 77]);
      });
    });

    describe("projection", () => {
      test("rows and cursor come back after a restart", async () => {
        expect(await store.history.cursor()).toBeNull();
        const memory = new Uint8Array([1, 2, 3]);
        await store.history.project(
          projection(7, {
            memory,
            blocks: [block(0, 0, [5])],
            crossings: [crossing(7, 0)],
            sanctions: [sanction("pen_7_0")],
          }),
        );
        await reopen();
        const { history } = store;
        expect(await history.cursor()).toEqual({ position: 7, memory });
        expect(await history.snapshots(5, ALWAYS, 10)).toEqual([
          { at: 5, score: 50.25, components: COMPONENTS_OF_BLOCK, eventCount: 15, reason: 2 },
        ]);
        expect(await history.crossings(5, ALWAYS, 10)).toEqual([crossing(7, 0)]);
        expect(await history.sanctions(5, ALWAYS, 10)).toEqual([sanction("pen_7_0")]);
      });

      test("a selection comes back with its record, and with its outcome once that is known", async () => {
        const record = new TextEncoder().encode('{"chosen":"worker-1"}');
        const made = { number: 2 ** 45, madeAt: 7, record };
        expect(await store.history.selection(made.number)).toBeNull();
        await store.history.project(projection(7, { selections: [made] }));
        expect(await store.history.selection(made.number)).toEqual({
          ...made,
          outcome: null,
          closedAt: null,
        });
        const closing = { number: made.number, outcome: "success", closedAt: 9 };
        await store.history.project(projection(9, { closings: [closing] }));
        // Stored again after a crash, it keeps its outcome.
        await store.history.project(projection(9, { selections: [made] }));
        await reopen();
        const { outcome, closedAt } = closing;
        expect(await store.history.selection(made.number)).toEqual({ ...made, outcome, closedAt });
        await store.history.prune(8);
        expect(await store.history.selection(made.number)).toBeNull();
      });

      test("storing the same again changes nothing", async () => {
        const once = projection(7, {
          blocks: [block(0, 0, [5])],
          crossings: [crossing(7, 0)],
          sanctions: [sanction("pen_7_0")],
        });
        await store.history.project(once);
        await store.history.project(once);
        expect(await store.history.snapshots(5, ALWAYS, 10)).toHaveLength(1);
        expect(await store.history.crossings(5, ALWAYS, 10)).toHaveLength(1);
        expect(await store.history.sanctions(5, ALWAYS, 10)).toHaveLength(1);
      });

      test("memory stays as it was when none is given", async () => {
        await store.history.project(projection(7, { memory: new Uint8Array([9]) }));
        await store.history.project(projection(8, {}));
        expect(await store.history.cursor()).toEqual({ position: 8, memory: new Uint8Array([9]) });
      });

      test("takes more rows than one statement would", async () => {
        const crossings = Array.from({ length: 1_001 }, (_, place) => crossing(3, place));
        const sanctions = crossings.map(({ place }) => sanction(`pen_3_${place}`));
        await store.history.project(projection(3, { crossings, sanctions }));
        expect(await store.history.crossings(5, ALWAYS, 2_000)).toHaveLength(1_001);
        expect(await store.history.sanctions(5, ALWAYS, 2_000)).toHaveLength(1_001);
      });

      test("a sanction that ended takes the place of its row", async () => {
        await store.history.project(projection(7, { sanctions: [sanction("pen_7_0")] }));
        const ended = { ...sanction("pen_7_0"), status: "ended", endedAt: 900, facts: '{"status":"ended"}' };
        await store.history.project(projection(8, { sanctions: [ended] }));
        expect(await store.history.sanctions(5, ALWAYS, 10)).toEqual([ended]);
      });
    });

    describe("reading", () => {
      test("snapshots: one subject, inside the span, the newest of them, oldest first", async () => {
        const blocks = Array.from({ length: 150 }, (_, hour) => block(0, hour * HOUR_MS, [5, 6]));
        await store.history.project(projection(1, { blocks: [...blocks, block(1, 0, [5])] }));
        const span = { fromMs: 20 * HOUR_MS, toMs: 120 * HOUR_MS };
        const all = await store.history.snapshots(5, span, 1_000);
        expect(all.map(({ at }) => (at - 5) / HOUR_MS)).toEqual(
          Array.from({ length: 100 }, (_, index) => index + 20),
        );
        const newest = await store.history.snapshots(5, span, 3);
        expect(newest).toEqual(all.slice(-3));
        expect(await store.history.snapshots(7, span, 10)).toEqual([]);
        expect(await store.history.snapshots(1_024 + 5, ALWAYS, 10)).toHaveLength(1);
      });

      test("an instant that two blocks hold is given once", async () => {
        const late = { ...block(0, HOUR_MS, [5]), at: new Float64Array([5]) };
        await store.history.project(projection(1, { blocks: [block(0, 0, [5]), late] }));
        expect(await store.history.snapshots(5, ALWAYS, 10)).toHaveLength(1);
      });

      test("crossings: inside the span, the newest of them, oldest first", async () => {
        const crossings = [1, 2, 3, 4].map((position) => crossing(position, 0));
        await store.history.project(projection(4, { crossings }));
        const found = await store.history.crossings(5, { fromMs: 2, toMs: 4 }, 2);
        expect(found.map(({ position }) => position)).toEqual([3, 4]);
        expect(await store.history.crossings(6, ALWAYS, 10)).toEqual([]);
      });

      test("sanctions: those in force at some time of the span", async () => {
        const early = { ...sanction("early"), appliedAt: 10, endedAt: 20 };
        const long = { ...sanction("long"), appliedAt: 15, endedAt: null };
        const late = { ...sanction("late"), appliedAt: 100, endedAt: null };
        await store.history.project(projection(4, { sanctions: [early, long, late] }));
        const found = await store.history.sanctions(5, { fromMs: 30, toMs: 50 }, 10);
        expect(found.map(({ id }) => id)).toEqual(["long"]);
      });
    });

    test("sanctions page by page: one kind, one status, newest first", async () => {
      const kinds = { d: "reward", e: "misbehaviour" } as const;
      const rows = ["a", "b", "c", "d", "e"].map((id, index) => ({
        ...sanction(id),
        appliedAt: index < 2 ? 10 : 20,
        status: id === "c" ? "revoked" : "ended",
        kind: kinds[id as keyof typeof kinds] ?? ("penalty" as const),
      }));
      await store.history.project(projection(4, { sanctions: rows }));
      const page = async (more: object): Promise<string[]> => {
        const query = { ...ALL, ...more };
        return (await store.history.sanctionPage(5, query)).map(({ id }) => id);
      };
      expect(await page({})).toEqual(["c", "b", "a"]);
      expect(await page({ status: "ended" })).toEqual(["b", "a"]);
      expect(await page({ after: { appliedAt: 20, id: "c" }, limit: 1 })).toEqual(["b"]);
      expect(await page({ after: { appliedAt: 10, id: "b" } })).toEqual(["a"]);
      expect(await page({ kind: "reward" })).toEqual(["d"]);
      expect(await store.history.sanctionPage(5, { ...ALL, kind: "misbehaviour" })).toEqual([rows[4]]);
      expect(
        await store.history.sanctionPage(6, { kind: "penalty", status: null, after: null, limit: 9 }),
      ).toEqual([]);
    });

    test("pruning takes what is older and leaves the rest and what is still in force", async () => {
      const blocks = [block(0, 0, [5]), block(0, HOUR_MS, [5])];
      const crossings = [crossing(1, 0), { ...crossing(2, 0), at: HOUR_MS }];
      const sanctions = [
        { ...sanction("old"), endedAt: 20 },
        { ...sanction("new"), endedAt: HOUR_MS },
        { ...sanction("open"), endedAt: null },
      ];
      await store.history.project(projection(2, { blocks, crossings, sanctions }));
      expect(await store.history.prune(HOUR_MS)).toEqual({ type: "stored" });
      expect((await store.history.snapshots(5, ALWAYS, 10)).map(({ at }) => at)).toEqual([HOUR_MS + 5]);
      expect((await store.history.crossings(5, ALWAYS, 10)).map(({ position }) => position)).toEqual([2]);
      expect((await store.history.sanctions(5, ALWAYS, 10)).map(({ id }) => id).sort()).toEqual([
        "new",
        "open",
      ]);
    });
  });
}

function keyRecord(id: string, createdAt: number): KeyRecord {
  const hash = new Uint8Array(32).fill(createdAt);
  return { id, name: `key ${id}`, role: "viewer", hash, createdAt, lastUsedAt: null, revokedAt: null };
}

function projection(position: number, change: Partial<Projection>): Projection {
  return {
    position,
    memory: null,
    blocks: [],
    crossings: [],
    sanctions: [],
    selections: [],
    closings: [],
    ...change,
  };
}

/** What `block` puts into each row: one, two ... and none in the fifth column. */
const COMPONENTS_OF_BLOCK = Array.from({ length: BLOCK_COMPONENTS_MAX }, (_, column) =>
  column === 4 ? null : column + 1,
);

/** Rows for the subjects at `offsets`, taken `offset` ms into the hour. */
function block(range: number, hour: number, offsets: readonly number[]): SnapshotBlock {
  const count = offsets.length;
  const components = new Float32Array(count * BLOCK_COMPONENTS_MAX);
  for (let column = 0; column < BLOCK_COMPONENTS_MAX; column++) {
    components.fill(COMPONENTS_OF_BLOCK[column] ?? NaN, column * count, (column + 1) * count);
  }
  return {
    range,
    hour,
    offset: Uint16Array.from(offsets),
    at: Float64Array.from(offsets, (offset) => hour + offset),
    score: new Float32Array(count).fill(50.25),
    components,
    eventCount: Uint32Array.from(offsets, (offset) => offset + 10),
    reason: new Uint8Array(count).fill(2),
  };
}

function crossing(position: number, place: number): CrossingRow {
  return { position, place, subject: 5, at: position, type: "tier.changed", detail: `{"place":${place}}` };
}

function sanction(id: string): SanctionRow {
  return {
    id,
    subject: 5,
    kind: "penalty",
    status: "active",
    appliedAt: 7,
    endedAt: null,
    facts: '{"status":"active"}',
  };
}
