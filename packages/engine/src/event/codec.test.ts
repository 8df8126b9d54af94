import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Act } from "./acts.ts";
import type { HealthColumns, JobColumns } from "./jobs.ts";
import type { SelectionMade } from "./selection.ts";
import { EMPTY_ENTRY, type Entry, type SampleColumns } from "./batch.ts";
import { BATCH_EVENTS_MAX, canonicalJson, countEvents, decodeBatch, encodeBatch } from "./codec.ts";

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
/** What survives JSON unchanged: no -0, no lone surrogates, no `__proto__` (a literal would set the prototype). */
const json = fc
  .jsonValue({ maxDepth: 3, noUnicodeString: false })
  .map((value) => JSON.parse(JSON.stringify(value)));

const samples: fc.Arbitrary<SampleColumns> = fc
  .record({
    rows: fc.array(
      fc.record({
        at: finite,
        value: finite,
        subject: fc.nat(0xffff_ffff),
        kind: fc.nat(255),
        weight: finite,
        monitor: fc.option(text),
        context: fc.option(text),
      }),
      { maxLength: 20 },
    ),
    weighted: fc.boolean(),
    monitored: fc.boolean(),
    contextual: fc.boolean(),
  })
  .map(({ rows, weighted, monitored, contextual }) => ({
    count: rows.length,
    at: Float64Array.from(rows, (row) => row.at),
    value: Float64Array.from(rows, (row) => row.value),
    subject: Uint32Array.from(rows, (row) => row.subject),
    kind: Uint8Array.from(rows, (row) => row.kind),
    weight: weighted ? Float64Array.from(rows, (row) => row.weight) : null,
    monitor: monitored ? rows.map((row) => row.monitor) : null,
    context: contextual ? rows.map((row) => row.context) : null,
  }));

const orNaN = fc.oneof(finite, fc.constant(Number.NaN));

const jobs: fc.Arbitrary<JobColumns> = fc
  .record({
    rows: fc.array(
      fc.record({
        at: finite,
        subject: fc.nat(0xffff_ffff),
        outcome: fc.nat(255),
        numbers: fc.tuple(orNaN, orNaN, orNaN, orNaN, orNaN, fc.nat()),
        jobClass: fc.option(text),
        jobId: fc.option(text),
      }),
      { maxLength: 4 },
    ),
    classed: fc.boolean(),
    named: fc.boolean(),
  })
  .map(({ rows, classed, named }) => {
    const column = (place: number): Float64Array => Float64Array.from(rows, ({ numbers }) => numbers[place]!);
    return {
      count: rows.length,
      at: Float64Array.from(rows, (row) => row.at),
      subject: Uint32Array.from(rows, (row) => row.subject),
      outcome: Uint8Array.from(rows, (row) => row.outcome),
      durationMs: column(0),
      expectedMs: column(1),
      usedShare: column(2),
      quality: column(3),
      earnings: column(4),
      selection: column(5),
      jobClass: classed ? rows.map((row) => row.jobClass) : null,
      jobId: named ? rows.map((row) => row.jobId) : null,
    };
  });

const health: fc.Arbitrary<HealthColumns> = fc
  .record({
    rows: fc.array(fc.record({ at: finite, subject: fc.nat(0xffff_ffff), value: orNaN }), { maxLength: 4 }),
    names: fc.array(text, { maxLength: 4 }),
  })
  .map(({ rows, names }) => ({
    count: rows.length,
    at: Float64Array.from(rows, ({ at }) => at),
    subject: Uint32Array.from(rows, ({ subject }) => subject),
    parts: names.map((name) => ({ name, value: Float64Array.from(rows, ({ value }) => value) })),
  }));

const selection: fc.Arbitrary<SelectionMade> = fc.record({
  kind: text,
  chosen: fc.nat(0xffff_ffff),
  operator: fc.nat(0xffff_ffff),
  exploring: fc.boolean(),
  record: fc.uint8Array({ maxLength: 20 }),
});

const act: fc.Arbitrary<Act> = fc.record({
  type: fc.constant("reward.granted" as const),
  issuer: text,
  reason: text,
  subject: fc.nat(),
  reward: fc.constant("high_uptime" as const),
  points: fc.integer({ min: 1, max: 100 }),
  at: fc.integer(),
  context: fc.dictionary(text, json),
});

const entry: fc.Arbitrary<Entry> = fc.record({
  producer: text,
  sequence: fc.nat(),
  idempotencyKey: text,
  requestHash: text,
  answer: text,
  registrations: fc.array(fc.record({ number: fc.nat(), kind: text, id: text }), { maxLength: 4 }),
  samples: fc.option(samples),
  jobs: fc.option(jobs),
  health: fc.option(health),
  selections: fc.array(selection, { maxLength: 2 }),
  acts: fc.array(act, { maxLength: 3 }),
});

const entries = fc.array(entry, { maxLength: 6 });

describe("a record body", () => {
  test("decodes to what was encoded", () => {
    fc.assert(
      fc.property(entries, fc.nat(), (given, loggedAt) => {
        const body = encodeBatch({ loggedAt, entries: given });
        const decoded = decodeBatch(7, body);
        expect(decoded).toEqual({
          type: "decoded",
          batch: { position: 7, loggedAt, entries: given },
          complete: true,
        });
      }),
    );
  });

  test("decodes alike from memory that is not aligned", () => {
    fc.assert(
      fc.property(entries, (given) => {
        const body = encodeBatch({ loggedAt: 1, entries: given });
        const shifted = new Uint8Array(body.samples.length + 3);
        shifted.set(body.samples, 3);
        const decoded = decodeBatch(1, { acts: body.acts, samples: shifted.subarray(3) });
        expect(decoded).toEqual(decodeBatch(1, body));
      }),
    );
  });

  test("without its samples still tells every act and registration", () => {
    fc.assert(
      fc.property(entries, (given) => {
        const { acts } = encodeBatch({ loggedAt: 1, entries: given });
        const decoded = decodeBatch(1, { acts, samples: null });
        const kept = given
          .filter((each) => each.acts.length + each.registrations.length > 0)
          .map((each) => ({ ...each, samples: null, jobs: null, health: null, selections: [] }));
        expect(decoded).toEqual({
          type: "decoded",
          batch: { position: 1, loggedAt: 1, entries: kept },
          complete: false,
        });
      }),
    );
  });

  test("with any one byte changed never raises an exception", () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 2 }), fc.integer({ min: 1, max: 255 }), (given, mask) => {
        const body = encodeBatch({ loggedAt: 1, entries: given });
        for (const part of [body.acts, body.samples]) {
          for (let at = 0; at < part.length; at++) {
            part[at]! ^= mask;
            decodeBatch(1, body);
            part[at]! ^= mask;
          }
        }
      }),
      { numRuns: 8 },
    );
  });

  test("cut off anywhere is refused", () => {
    const full = encodeBatch({ loggedAt: 1, entries: fc.sample(entry, { numRuns: 5, seed: 3 }) });
    for (let length = 0; length < full.acts.length; length++) {
      expect(decodeBatch(1, { ...full, acts: full.acts.subarray(0, length) }).type).toBe("corrupt");
    }
    for (let length = 0; length < full.samples.length; length++) {
      expect(decodeBatch(1, { ...full, samples: full.samples.subarray(0, length) }).type).toBe("corrupt");
    }
  });

  test("takes about 21 bytes a sample and makes views, not copies", () => {
    const given = { ...EMPTY_ENTRY, samples: plainSamples(10_000) };
    const body = encodeBatch({ loggedAt: 1, entries: [given] });
    expect((body.acts.length + body.samples.length) / 10_000).toBeLessThan(21.1);
    const decoded = decodeBatch(1, body);
    const columns = decoded.type === "decoded" ? decoded.batch.entries[0]?.samples : null;
    for (const column of [columns?.at, columns?.value, columns?.subject, columns?.kind]) {
      expect(column?.buffer).toBe(body.samples.buffer);
    }
  });

  test("of a tick has no sample bytes", () => {
    expect(encodeBatch({ loggedAt: 5, entries: [] }).samples.length).toBe(0);
  });

  test("over the limit of events is a mistake of the caller", () => {
    const half = { ...EMPTY_ENTRY, samples: plainSamples(BATCH_EVENTS_MAX / 2) };
    expect(countEvents([half, half])).toBe(BATCH_EVENTS_MAX);
    expect(() => encodeBatch({ loggedAt: 1, entries: [half, half] })).not.toThrow();
    const one = { ...EMPTY_ENTRY, samples: plainSamples(1) };
    expect(() => encodeBatch({ loggedAt: 1, entries: [half, half, one] })).toThrow(RangeError);
  });

  test("with columns of unequal length is a mistake of the caller", () => {
    const crooked = { ...plainSamples(3), value: new Float64Array(2) };
    expect(() => encodeBatch({ loggedAt: 1, entries: [{ ...EMPTY_ENTRY, samples: crooked }] })).toThrow(
      RangeError,
    );
  });
});

describe("canonical JSON", () => {
  test("does not depend on the order in which keys were added", () => {
    expect(canonicalJson({ b: 1, a: { d: [], c: null } })).toBe('{"a":{"c":null,"d":[]},"b":1}');
    expect(canonicalJson({ a: { c: null, d: [] }, b: 1 })).toBe('{"a":{"c":null,"d":[]},"b":1}');
  });

  test("means the same value", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(value);
      }),
    );
  });

  test("leaves out undefined properties and writes -0 as 0", () => {
    expect(canonicalJson({ a: undefined, b: -0 })).toBe('{"b":0}');
  });

  test.each([NaN, Infinity, -Infinity])("refuses %s", (value) => {
    expect(() => canonicalJson({ value: [value] })).toThrow(RangeError);
  });

  test("refuses what JSON cannot say, and endless nesting", () => {
    expect(() => canonicalJson({ a: 1n })).toThrow(TypeError);
    expect(() => canonicalJson([undefined])).toThrow(TypeError);
    const loop: unknown[] = [];
    loop.push(loop);
    expect(() => canonicalJson(loop)).toThrow(RangeError);
  });
});

function plainSamples(count: number): SampleColumns {
  return {
    count,
    at: new Float64Array(count),
    value: new Float64Array(count),
    subject: new Uint32Array(count),
    kind: new Uint8Array(count),
    weight: null,
    monitor: null,
    context: null,
  };
}
