import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Act } from "../event/acts.ts";
import { METRIC_COUNT } from "../event/metrics.ts";
import { apply } from "../fold/apply.ts";
import type { Policy } from "../policy/policy.ts";
import { STORAGE_PROVIDER } from "../policy/presets.ts";
import { stateHash } from "../read/digest.ts";
import { ByteReader, ByteWriter } from "../num/bytes.ts";
import { rowTranslation, type Fields, type RowLayout, type RowTranslation } from "../state/row-layout.ts";
import { ROW_LAYOUT } from "../state/row-table.ts";
import { createState, type State } from "../state/state.ts";
import { History } from "../testing/history.ts";
import {
  activation,
  DAY_MS,
  HOUR_MS,
  Lab,
  metric,
  MINUTE_MS,
  onScale,
  penalty,
  policyWith,
  T0,
} from "../testing/lab.ts";
import { kept, partsOf, partsWhile, restored, whileRowsAreWritten } from "../testing/restart.ts";
import { HEADER, ROWS, type Part } from "./format.ts";
import { restoreParts } from "./restore.ts";
import { snapshotParts, STEP_BYTES } from "./write.ts";

const options = { seed: 99, policies: {}, aggregates: true };

/** The rows backwards, with a field in front that nobody reads any more. */
const OTHER_LAYOUT = otherLayout();

function otherLayout(): RowLayout {
  const fields: Fields = { FORMER: { type: "f64", offset: 0, count: 1 } };
  let size = 8;
  for (const [name, { type, count }] of Object.entries(ROW_LAYOUT.fields).toReversed()) {
    fields[name] = { type, offset: size, count };
    // Eight bytes for every value, so that nothing lies side by side as it did.
    size += 8 * count;
  }
  return { size, fields };
}

/** The part as a version would have written it whose rows lie in the other layout; there are no aggregates. */
function withOtherRows(part: Part): Part {
  if (part.type === HEADER)
    return changed(part, (header) => Object.assign(header.layouts, { row: OTHER_LAYOUT }));
  if (part.type !== ROWS) return part;
  const { writtenSize, translate } = rowTranslation(ROW_LAYOUT, OTHER_LAYOUT) as RowTranslation;
  const reader = new ByteReader(part.bytes);
  const writer = new ByteWriter();
  while (reader.remaining > 0) {
    writer.u8(reader.u8());
    writer.u32(reader.u32());
    const rows = reader.u32();
    writer.u32(rows);
    writer.raw(translate(reader.raw(rows * writtenSize)));
    writer.u8(reader.u8());
    writer.text(reader.text());
    writer.u8(reader.u8());
    writer.u8(reader.u8());
  }
  return { ...part, bytes: writer.finish() };
}

interface HeaderJson {
  readonly metrics: string[];
  readonly layouts: { row: RowLayout };
}

function changed(part: Part, change: (header: HeaderJson) => void): Part {
  const header: HeaderJson = JSON.parse(new ByteReader(part.bytes).text());
  change(header);
  const writer = new ByteWriter();
  writer.text(JSON.stringify(header));
  return { ...part, bytes: writer.finish() };
}

function aggregatesOf(state: State): unknown {
  return state.kinds.map((kind) =>
    Array.from({ length: kind.table.count }, (_, row) =>
      Array.from({ length: METRIC_COUNT }, (__, code) => [
        kind.aggregates!.read(row, code, state.now),
        kind.aggregates!.steps(row, code, state.now),
        kind.aggregates!.samples(row, code, state.now),
      ]),
    ),
  );
}

/** The hash covers rows, ranking, sanctions, profiles and memory; aggregates are read. */
function expectSame(state: State, live: State): void {
  expect(stateHash(state)).toBe(stateHash(live));
  expect(aggregatesOf(state)).toEqual(aggregatesOf(live));
  expect(listsOf(state)).toEqual(listsOf(live));
}

/** What the book knows beside the sanctions of each subject. */
function listsOf({ sanctions }: State): object {
  return {
    pending: sanctions.pendingReports.after(null, Infinity).map(({ id }) => id),
    suspended: [...sanctions.suspended.keys()].toSorted((a, b) => a - b),
    maintained: [...sanctions.maintained].toSorted((a, b) => a - b),
  };
}

const WIDER: Policy = policyWith({
  name: "wider",
  aggregateIntervalMs: 20 * MINUTE_MS,
  metricRetentionMs: 12 * HOUR_MS,
  blockMs: 12 * HOUR_MS,
  slotMs: 10 * MINUTE_MS,
  windowMs: 5 * MINUTE_MS,
  historyRetentionMs: 10 * DAY_MS,
  tiers: {
    ...STORAGE_PROVIDER.tiers,
    names: ["gold", "silver", "basic"],
    scoreCuts: [85, 70],
    percentileCuts: [0.2, 0.5],
  },
});
const POLICIES = [STORAGE_PROVIDER, WIDER, onScale(WIDER, 1_000)];

describe("a snapshot", () => {
  test("replaying the log gives the bits of the live state", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const history = new History(new Lab(STORAGE_PROVIDER, { aggregates: true }), seed, {
          subjectsMax: 12,
          policies: POLICIES,
        });
        for (let step = 0; step < 40; step++) history.step();
        const { lab } = history;
        const state = createState({ ...options, policies: { provider: STORAGE_PROVIDER } });
        for (const batch of lab.log) apply(state, batch);
        expectSame(state, lab.state);
      }),
      { numRuns: 25 },
    );
  });

  test("written while batches are applied, restored and replayed, continues as the live state does", () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(30), (seed, before) => {
        const history = new History(new Lab(STORAGE_PROVIDER, { aggregates: true }), seed, {
          subjectsMax: 150,
          policies: POLICIES,
        });
        const { lab } = history;
        // More subjects than a unit holds, so that units are written at different positions.
        for (let subject = 0; subject < 70; subject++) lab.register(`early-${subject}`);
        for (let step = 0; step <= before; step++) history.step();
        const parts = partsWhile(lab.state, () => {
          history.step();
          history.step();
        });
        for (let step = 0; step < 5; step++) history.step();
        const state = restored(parts, lab);
        expectSame(state, lab.state);
        const positions = new Set(parts.map(({ position }) => position));
        expect(positions.size).toBeGreaterThan(1);

        // The deadline queue was built anew; whatever is due has to come at the same batches.
        const after = lab.log.length;
        for (let step = 0; step < 15; step++) history.step();
        for (const batch of lab.log.slice(after)) apply(state, batch);
        expectSame(state, lab.state);
      }),
      { numRuns: 30 },
    );
  });

  test("taken when a subject has crossed a threshold does not announce it again", () => {
    const { lab, subject } = fading();
    let crossed = 0;
    for (let minute = 1; minute < 40 * 60 && crossed === 0; minute++) {
      const due = lab.state.deadlines.peekDueAt();
      const loggedAt = Math.min(T0 + HOUR_MS + minute * MINUTE_MS, due);
      const { list } = lab.apply(loggedAt);
      if (list.some(({ type }) => type === "score.recovered")) crossed = loggedAt;
    }
    expect(crossed).toBeGreaterThan(0);
    const state = restored(partsOf(lab.state), lab);
    lab.apply(crossed + 1);
    apply(state, lab.log.at(-1)!);
    expect(stateHash(state)).toBe(stateHash(lab.state));
    expect(lab.standing(subject).score).toBeGreaterThanOrEqual(STORAGE_PROVIDER.lowThreshold);
  });

  /** A subject whose fading penalty keeps it under the low threshold for hours. */
  function fading(): { lab: Lab; subject: number } {
    const lab = new Lab(STORAGE_PROVIDER, { aggregates: true });
    const subject = lab.register("a");
    const acts = [penalty(subject, { points: 30, at: T0, expiresAt: T0 + DAY_MS, fade: "linear" })];
    lab.apply(T0, { samples: [metric(subject, "uptime", 1, T0)], acts });
    lab.apply(T0 + HOUR_MS);
    return { lab, subject };
  }

  test("brings back the deadlines of a subject that was registered while it was written", () => {
    const lab = new Lab(STORAGE_PROVIDER, { aggregates: true });
    lab.register("early");
    lab.apply(T0);
    const parts: Part[] = [];
    for (const part of snapshotParts(lab.state)) {
      parts.push(kept(part));
      if (parts.length > 1) continue;
      const late = lab.register("late");
      lab.apply(T0, { acts: [penalty(late, { expiresAt: T0 + 1000 })] });
    }
    const state = restored(parts, lab);
    // Long before the refresh comes round.
    const live = lab.apply(T0 + 1001).list.map(({ type }) => type);
    expect(live).toContain("penalty.ended");
    expect(apply(state, lab.log.at(-1)!).list.map(({ type }) => type)).toEqual(live);
  });

  test("keeps how time was cut into steps when a policy changes the interval", () => {
    const lab = new Lab(STORAGE_PROVIDER, { aggregates: true });
    const subject = lab.register("a");
    const sampleAt = (minute: number): void => {
      lab.sample(subject, "uptime", 1, T0 + minute * MINUTE_MS);
    };
    sampleAt(30);
    lab.apply(T0 + 30 * MINUTE_MS, { acts: [activation(WIDER)] });
    const state = restored(partsOf(lab.state), lab);
    const from = lab.log.length;
    for (const minute of [45, 65, 85]) sampleAt(minute);
    for (const batch of lab.log.slice(from)) apply(state, batch);
    expect(aggregatesOf(state)).toEqual(aggregatesOf(lab.state));
    expect(lab.state.kinds[0]!.aggregates!.steps(0, 0, lab.state.now).map(({ count }) => count)).toEqual([
      2, 1, 1,
    ]);
  });

  test("written while the scale changes ranks everybody on the new one", () => {
    const lab = new Lab(STORAGE_PROVIDER, { aggregates: true });
    for (let subject = 0; subject < 40; subject++) lab.register(`s-${subject}`);
    const samples = Array.from({ length: 40 }, (_, subject) => metric(subject, "uptime", subject / 40, T0));
    lab.apply(T0, { samples });
    // The first unit is written already, the others come with scores of the new scale.
    const parts = whileRowsAreWritten(lab, () => {
      lab.apply(T0 + 1, { acts: [activation(onScale(STORAGE_PROVIDER, 1_000)), penalty(1), penalty(39)] });
    });
    expectSame(restored(parts, lab), lab.state);
  });

  test("written while a policy begins to read jobs has work rows from there on", () => {
    const lab = new Lab(STORAGE_PROVIDER, { aggregates: true });
    for (let subject = 0; subject < 40; subject++) lab.register(`s-${subject}`);
    const own = (subject: number): Act => {
      const operator = `operator-${subject}`;
      return { type: "subject.updated", subject, operator, issuer: "key:test", reason: "test" };
    };
    lab.apply(T0, { acts: [own(0), own(39)] });
    const parts = whileRowsAreWritten(lab, () => {
      const sources = [...STORAGE_PROVIDER.sources, "jobs"] as const;
      lab.apply(T0 + 1, { acts: [activation(policyWith({ name: "with jobs", sources })), own(1)] });
    });
    expectSame(restored(parts, lab), lab.state);
  });

  test("is written through one piece of memory", () => {
    const lab = new Lab(STORAGE_PROVIDER, { aggregates: true });
    for (let subject = 0; subject < 100; subject++) lab.register(`s-${subject}`);
    lab.apply(T0);
    const rows = Array.from(snapshotParts(lab.state, 1)).filter(({ type }) => type === ROWS);
    expect(rows).toHaveLength(7);
    expect(new Set(rows.map(({ bytes }) => bytes.buffer)).size).toBe(1);
  });

  test("leaves out a kind that is added meanwhile: the log brings it back", () => {
    const lab = new Lab(STORAGE_PROVIDER, { aggregates: true });
    const first = lab.register("a");
    lab.sample(first, "uptime", 1, T0);
    const parts: Part[] = [];
    for (const part of snapshotParts(lab.state)) {
      parts.push(kept(part));
      if (parts.length > 1) continue;
      lab.apply(T0 + 1, { acts: [activation(WIDER, "gateway")] });
      const second = lab.register("b", "gateway");
      lab.sample(second, "availability", 0.5, T0 + 2);
    }
    expectSame(restored(parts, lab), lab.state);
  });

  test("spreads remembered answers over parts by their size", () => {
    const lab = new Lab(STORAGE_PROVIDER, { aggregates: true });
    const answer = "x".repeat(STEP_BYTES / 10);
    for (let index = 0; index < 100; index++) lab.apply(T0 + index, { key: `k${index}`, answer });
    const parts = partsOf(lab.state);
    expect(Math.max(...parts.map(({ bytes }) => bytes.length))).toBeLessThan(2 * STEP_BYTES);
    expectSame(restored(parts, lab), lab.state);
  });

  test("cuts what is larger than a part may be, and puts it together again", () => {
    const lab = new Lab(STORAGE_PROVIDER, { aggregates: true });
    const subject = lab.register("a");
    lab.apply(T0, { samples: [metric(subject, "uptime", 1, T0)], key: "k", answer: "x".repeat(2500) });
    const parts = Array.from(snapshotParts(lab.state, STEP_BYTES, 1000), kept);
    expect(Math.max(...parts.map(({ bytes }) => bytes.length))).toBe(1000);
    expectSame(restored(parts, lab), lab.state);
  });

  test("keeps the order of samples and acts of one batch in the ids it replays", () => {
    const lab = new Lab(policyWith({ alerts: { ...STORAGE_PROVIDER.alerts, mode: "document" } }), {
      aggregates: true,
    });
    for (let subject = 0; subject < 65; subject++) lab.register(`s-${subject}`);
    lab.apply(T0);
    const parts = whileRowsAreWritten(lab, () => {
      // Subject 64 lies in the second unit, which is written after this batch.
      const samples = [metric(0, "uptime", 0.5, T0 + 1), metric(64, "uptime", 0.5, T0 + 1)];
      lab.apply(T0 + 1, { samples, acts: [penalty(0), penalty(64)] });
    });
    const state = restored(parts, lab);
    expect(stateHash(state)).toBe(stateHash(lab.state));
    expect(state.sanctions.of(64)!.penalties.map(({ id }) => id)).toEqual(
      lab.state.sanctions.of(64)!.penalties.map(({ id }) => id),
    );
  });

  test("of rows that lay in another order, with fields that came and went, continues as the live state does", () => {
    const history = new History(new Lab(STORAGE_PROVIDER), 5, { subjectsMax: 40, policies: POLICIES });
    const { lab } = history;
    for (let subject = 0; subject < 40; subject++) lab.register(`early-${subject}`);
    for (let step = 0; step < 30; step++) history.step();
    const parts = partsOf(lab.state).map(withOtherRows);
    for (let step = 0; step < 10; step++) history.step();
    const state = restored(parts, lab, { ...options, aggregates: false });
    expect(stateHash(state)).toBe(stateHash(lab.state));
  });

  test("whose fields or metrics mean something else is refused and says which", () => {
    const [header] = partsOf(new Lab(STORAGE_PROVIDER).state);
    const expectRefused = (change: (header: HeaderJson) => void, detail: string): void =>
      expect(() => restoreParts(options).part(changed(header!, change))).toThrow(detail);
    expectRefused(
      ({ layouts }) => Object.assign(layouts.row.fields["TIER"]!, { type: "u16" }),
      "field TIER was written as u16 and is read as u32",
    );
    expectRefused(
      ({ metrics }) => metrics.unshift(metrics.pop()!),
      "metric 0 is service_quality in it and uptime here",
    );
  });

  test("of another version, of an unknown type, or with aggregates where there are to be none, is refused", () => {
    const lab = new Lab(STORAGE_PROVIDER, { aggregates: true });
    lab.register("a");
    lab.apply(T0);
    const parts = partsOf(lab.state);
    expect(() => restoreParts(options).part({ ...parts[0]!, type: 77 })).toThrow("unknown type 77");
    const without = restoreParts({ ...options, aggregates: false });
    expect(() => parts.forEach((part) => without.part(part))).toThrow("aggregates");
  });
});
