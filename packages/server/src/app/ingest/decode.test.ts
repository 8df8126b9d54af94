import {
  EARNINGS_MAX,
  EVENT_AHEAD_MAX_MS,
  EVENTS_MAX,
  eventSchemaAt,
  HEALTH_PARTS_MAX,
  HEALTH_RANGES,
  HEALTH_VALUE_MAX,
  JOB_DURATION_MAX_MS,
  METRIC_RANGES,
  RESOURCES_MAX,
  type Event,
} from "@staunch/contract";
import * as engine from "@staunch/engine";
import {
  createState,
  HEALTH_PARTS,
  JOB_OUTCOMES,
  METRIC_NAMES,
  METRICS,
  parsePolicy,
  PENALTY_TYPES,
  REWARD_TYPES,
  SAMPLE_FAILED,
  SEVERITIES,
  SLA_MET,
  STORAGE_PROVIDER,
  SUCCESS,
  TIMEOUT,
  type HealthPart,
  type Policy,
} from "@staunch/engine";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Draft } from "../partition/partition.ts";
import * as decoder from "./decode.ts";
import { decode, REQUEST_EVENTS_MAX } from "./ingest.ts";
import { resolve } from "./resolve.ts";

const NOW = Date.UTC(2026, 10, 25, 3, 4, 5);
const RETENTION_MS = STORAGE_PROVIDER.metricRetentionMs;
/** Everybody here reports everything, so that no event is refused for its kind. */
const ALL = policyOf({
  extends: "compute-worker",
  reputation: { sources: [...METRIC_NAMES, "jobs", "health"] },
});
const state = createState({ seed: 1, policies: { provider: ALL }, aggregates: false });
const schema = eventSchemaAt(NOW, RETENTION_MS);
/** Age is judged in the second pass, where the subject's kind is known. */
const ageless = eventSchemaAt(NOW, Infinity);

describe("the decoder and the schema", () => {
  test("know the same limits", () => {
    expect(REQUEST_EVENTS_MAX).toBe(EVENTS_MAX);
    expect(decoder.EVENT_AHEAD_MAX_MS).toBe(EVENT_AHEAD_MAX_MS);
    expect([RESOURCES_MAX, HEALTH_PARTS_MAX]).toEqual([16, engine.HEALTH_PARTS_MAX]);
    expect([JOB_DURATION_MAX_MS, EARNINGS_MAX]).toEqual([engine.JOB_DURATION_MAX_MS, engine.EARNINGS_MAX]);
    expect(HEALTH_RANGES).toEqual(
      Object.fromEntries(engine.HEALTH_PARTS.map((part) => [part, engine.healthRange(part)])),
    );
    expect(engine.healthRange("fan_speed")).toEqual([-HEALTH_VALUE_MAX, HEALTH_VALUE_MAX]);
    expect(METRIC_RANGES).toEqual(
      Object.fromEntries(METRICS.map(({ name, min, max }) => [name, [min, max]])),
    );
  });

  test("accept the same items, one at a time", () => {
    const accepted = { yes: 0, no: 0 };
    fc.assert(
      fc.property(fc.oneof(goodEvent, spoiltEvent, fc.json()), (text) => {
        const item: unknown = JSON.parse(text);
        if (Array.isArray(item)) return;
        if (isOverMaxScore(item)) return;
        const isGood = schema.safeParse(item).success;
        accepted[isGood ? "yes" : "no"] += 1;
        expect({ text, isGood: isTaken(text) }).toEqual({ text, isGood });
        // Behind another one: what was read before must not stand in for what is missing.
        expect({ text, isGood: isTaken(`[${metric({ at: NOW, ok: false, weight: 2 })},${text}]`) }).toEqual({
          text,
          isGood,
        });
      }),
      { numRuns: 8000 },
    );
    // Both kinds must be there in numbers, or the property says nothing.
    expect(Math.min(accepted.yes, accepted.no)).toBeGreaterThan(1500);
  });

  test("give the values that were sent, and keep the good items of a mixed list", () => {
    const items = fc.array(fc.oneof({ weight: 3, arbitrary: goodMetric }, spoiltEvent), { maxLength: 30 });
    fc.assert(
      fc.property(items, fc.constantFrom("json", "ndjson"), (texts, format) => {
        const body = format === "json" ? `[${texts.join(",")}]` : texts.join("\n");
        if (body === "") return;
        const parsed = texts.map((text) => JSON.parse(text) as unknown);
        const good = parsed.flatMap((item, index) => {
          const result = ageless.safeParse(item);
          return result.success && result.data.type === "metric" ? [{ event: result.data, index }] : [];
        });
        expect(rowsOf(decodeText(body, format))).toEqual(good.map(({ event, index }) => rowOf(event, index)));
      }),
      { numRuns: 2000 },
    );
  });

  test("give the same columns for a list of plain metric events however it is spaced and ordered", () => {
    const list = fc.array(plainMetric, { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(list, fc.constantFrom("", " ", "\n", "\t \r\n"), (events, space) => {
        const body = spaced(events, space);
        // An escape keeps the scanner away without a change of meaning.
        const escaped = body.replace('"type"', String.raw`"\u0074ype"`);
        expect(columnsOf(decodeText(body))).toEqual(columnsOf(decodeText(escaped)));
        expect(decodeText(body).count).toBe(events.length);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("numbers", () => {
  test("are read as JSON reads them", () => {
    const digits = fc.stringMatching(/^(?:0|[1-9][0-9]{0,18})(?:\.[0-9]{1,19})?(?:[eE][+-]?[0-9]{1,2})?$/);
    fc.assert(
      fc.property(fc.oneof(digits, fc.double({ min: 0, max: 1e12, noNaN: true }).map(String)), (text) => {
        const columns = decodeText(`[{"type":"metric","subject":"a","metric":"throughput","value":${text}}]`);
        const value = JSON.parse(text) as number;
        if (value > 1e12) expect(columns.rejections[0]!.code).toBe("out_of_range");
        else expect(columns.value[0]).toBe(value);
      }),
      { numRuns: 3000 },
    );
  });

  test.each(["01", "1.", ".5", "+1", "-", "1e", "0x10", "NaN", "Infinity", "1_000", "--1", "1.2.3"])(
    "%s is none",
    (text) => {
      const body = `[{"type":"metric","subject":"a","metric":"throughput","value":${text}}]`;
      expect(decodeAny(body)).toMatchObject({ type: "malformed_json" });
    },
  );
});

describe("times", () => {
  test("are read as the calendar has them", () => {
    const time = fc.date({
      min: new Date(NOW - RETENTION_MS),
      max: new Date(NOW + EVENT_AHEAD_MAX_MS),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(time, (date) => {
        const columns = decodeText(`[${metric({ at: date.toISOString() })}]`);
        expect(columns.at[0]).toBe(date.getTime());
      }),
    );
    const longAgo = [
      0, 951_782_400_000, 951_868_799_999, 4_107_542_400_000, 1_709_164_800_000, 68_169_600_000,
    ];
    for (const ms of longAgo) {
      const { at } = decodeAt(`[${metric({ at: new Date(ms).toISOString() })}]`, ms);
      expect(at[0]).toBe(ms);
    }
  });

  test.each([
    ["2026-11-25T04:04:05+01:00", NOW],
    ["2026-11-25T03:04:05.25Z", NOW + 250],
    ["2026-11-25T03:04:05.123456789Z", NOW + 123],
    ["2026-11-24T21:34:05-05:30", NOW],
  ])("%s", (text, ms) => {
    expect(decodeText(`[${metric({ at: text })}]`).at[0]).toBe(ms);
  });

  test.each([
    "2026-02-29T00:00:00Z",
    "2026-11-31T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-11-25T24:00:00Z",
    "2026-11-25T03:60:00Z",
    "2026-11-25T03:04:60Z",
    "2026-11-25 03:04:05Z",
    "2026-11-25T03:04:05",
    "2026-11-25T03:04Z",
    "2026-11-25",
    "25 Nov 2026",
    "2026-11-2aT03:04:05Z",
    "1969-12-31T23:59:59Z",
    "",
  ])("%j is none", (text) => {
    expect(decodeText(`[${metric({ at: text })}]`).rejections[0]!.code).toBe("invalid_time");
  });
});

test.each([
  ["[1]", "not_an_object", null],
  ["[null]", "not_an_object", null],
  ["[[]]", "not_an_object", null],
  ["[{}]", "missing_field", "type"],
  [`[${metric({ type: "metrik" })}]`, "unknown_type", "type"],
  [`[${metric({ type: "constructor" })}]`, "unknown_type", "type"],
  [`[${metric({ weigth: 1 })}]`, "unknown_field", "weigth"],
  [
    '[{"type":"metric","subject":"a","metric":"uptime","value":1,"__proto__":{"x":1}}]',
    "unknown_field",
    "__proto__",
  ],
  [`[${metric({ constructor: {} })}]`, "unknown_field", "constructor"],
  [`[${metric({ metric: "up_time" })}]`, "unknown_metric", "metric"],
  [`[${metric({ metric: "toString" })}]`, "unknown_metric", "metric"],
  [`[${metric({ value: "1" })}]`, "wrong_type", "value"],
  [`[${metric({ value: "NaN" })}]`, "wrong_type", "value"],
  [`[${metric({ value: null })}]`, "wrong_type", "value"],
  [`[${metric({ value: 1.0001 })}]`, "out_of_range", "value"],
  ['[{"type":"metric","subject":"a","metric":"uptime","value":1e999}]', "out_of_range", "value"],
  ['[{"type":"metric","subject":"a","metric":"uptime","value":-0.1}]', "out_of_range", "value"],
  [`[${metric({ subject: "" })}]`, "invalid_text", "subject"],
  [`[${metric({ subject: "é".repeat(129) })}]`, "invalid_text", "subject"],
  [`[${metric({ subject: "a\u0000b" })}]`, "invalid_text", "subject"],
  [`[${metric({ subject: "a\u007fb" })}]`, "invalid_text", "subject"],
  [`[${metric({ subject: "a\u0085b" })}]`, "invalid_text", "subject"],
  [`[${metric({ subject: "\ud800" })}]`, "invalid_text", "subject"],
  [`[${metric({ weight: 0 })}]`, "out_of_range", "weight"],
  [`[${metric({ weight: 10.1 })}]`, "out_of_range", "weight"],
  [`[${metric({ ok: "yes" })}]`, "wrong_type", "ok"],
  [`[${metric({ context: "x".repeat(257) })}]`, "invalid_text", "context"],
  [`[${metric({ at: NOW + EVENT_AHEAD_MAX_MS + 1 })}]`, "time_ahead", "at"],
  [`[${metric({ at: -1 })}]`, "invalid_time", "at"],
  ['[{"type":"penalty","subject":"a","penalty":"fraud","reason":"r"}]', "missing_field", "points"],
  ['[{"type":"penalty","subject":"a","penalty":"fraud","points":1}]', "missing_field", "reason"],
  ['[{"type":"penalty","subject":"a","penalty":"fraud","points":1,"reason":" "}]', "invalid_text", "reason"],
  [
    '[{"type":"penalty","subject":"a","penalty":"fraud","points":1,"fraction":1,"reason":"r"}]',
    "conflicting_fields",
    "fraction",
  ],
  [
    '[{"type":"penalty","subject":"a","penalty":"fraud","points":1,"fade":"linear","reason":"r"}]',
    "conflicting_fields",
    "fade",
  ],
  [
    '[{"type":"penalty","subject":"a","penalty":"ban","expires_at":null,"reason":"r"}]',
    "missing_field",
    "evidence",
  ],
  [
    '[{"type":"penalty","subject":"a","penalty":"fraud","points":1,"duration":"7x","reason":"r"}]',
    "invalid_duration",
    "duration",
  ],
  [
    '[{"type":"penalty","subject":"a","penalty":"fraud","points":1,"expires_at":5,"reason":"r"}]',
    "out_of_range",
    "expires_at",
  ],
  [
    '[{"type":"penalty","subject":"a","penalty":"fraud","points":1,"context":{"__proto__":1},"reason":"r"}]',
    "forbidden_key",
    "context",
  ],
  ['[{"type":"subject","subject":"a","attributes":{"__proto__":1}}]', "forbidden_key", "attributes"],
  ['[{"type":"job","subject":"a"}]', "missing_field", "outcome"],
  ['[{"type":"job","subject":"a","outcome":"done"}]', "unknown_value", "outcome"],
  ['[{"type":"job","subject":"a","outcome":"success","duration_ms":0}]', "out_of_range", "duration_ms"],
  ['[{"type":"job","subject":"a","outcome":"success","duration_ms":1e12}]', "out_of_range", "duration_ms"],
  ['[{"type":"job","subject":"a","outcome":"success","quality":1.1}]', "out_of_range", "quality"],
  ['[{"type":"job","subject":"a","outcome":"success","earnings":-1}]', "out_of_range", "earnings"],
  [
    '[{"type":"job","subject":"a","outcome":"success","selection_id":"4711"}]',
    "invalid_text",
    "selection_id",
  ],
  ['[{"type":"job","subject":"a","outcome":"success","used":{"cpu":1}}]', "missing_field", "reserved"],
  ['[{"type":"job","subject":"a","outcome":"success","reserved":{"cpu":1}}]', "missing_field", "used"],
  [
    '[{"type":"job","subject":"a","outcome":"success","reserved":{"cpu":1},"used":{"gpu":1}}]',
    "conflicting_fields",
    "used",
  ],
  [
    '[{"type":"job","subject":"a","outcome":"success","reserved":{"cpu":0},"used":{"cpu":0}}]',
    "out_of_range",
    "reserved",
  ],
  ['[{"type":"health","subject":"a"}]', "missing_field", "parts"],
  ['[{"type":"health","subject":"a","parts":{}}]', "out_of_range", "parts"],
  ['[{"type":"health","subject":"a","parts":{"memory_usage":100.5}}]', "out_of_range", "parts"],
  ['[{"type":"health","subject":"a","parts":{"temperature":-273.15}}]', "out_of_range", "parts"],
  ['[{"type":"health","subject":"a","parts":{"temperature":"61"}}]', "wrong_type", "parts"],
  ['[{"type":"health","subject":"a","parts":{"__proto__":1}}]', "forbidden_key", "parts"],
  ['[{"type":"health","subject":"a","error_count":1}]', "missing_field", "request_count"],
  ['[{"type":"health","subject":"a","request_count":1}]', "missing_field", "error_count"],
  ['[{"type":"health","subject":"a","request_count":1,"error_count":2}]', "out_of_range", "error_count"],
  [
    '[{"type":"health","subject":"a","request_count":2,"error_count":2,"parts":{"error_rate":100}}]',
    "conflicting_fields",
    "error_count",
  ],
])("%s is rejected as %s", (text, code, field) => {
  expect(decodeText(text).rejections).toMatchObject([{ index: 0, code, field }]);
});

test("a mistake in a name is answered with the nearest name", () => {
  expect(decodeText(`[${metric({ weigth: 1 })}]`).rejections[0]!.detail).toContain("did you mean weight?");
  expect(decodeText(`[${metric({ metric: "upptime" })}]`).rejections[0]!.detail).toContain(
    "did you mean uptime?",
  );
});

test("a rejected event is reported under its own id", () => {
  expect(decodeText(`[${metric({ value: 7, id: "m-1" })}]`).rejections[0]!.id).toBe("m-1");
});

test.each([
  ['[{"type":"metric"', 17, "cut off"],
  ["[1 2]", 3, "line 1, column 4"],
  ["[\n{a:1}]", 3, "line 2, column 2"],
  ["[1,]", 3, "character 3"],
  ['["\u0001"]', 2, "character 2"],
  [String.raw`["\x"]`, 2, "character 2"],
  ["[1]]", 3, "character 3"],
  ['{"a":1,}', 7, "character 7"],
  ['{"a" 1}', 5, "character 5"],
  ["[}", 1, "character 1"],
  ["\u00a0[]", 0, "character 0"],
  ["nul", 0, "character 0"],
])("%j is malformed at %i", (text, position, words) => {
  const found = decodeAny(text);
  expect(found).toMatchObject({ type: "malformed_json", position });
  expect(found).toHaveProperty("detail", expect.stringContaining(words));
});

test("every broken text has a place where it breaks", () => {
  const broken = fc.tuple(fc.json(), fc.nat(), fc.constantFrom("", "}", "]", ",", '"', "\\", "x", ":"));
  fc.assert(
    fc.property(broken, ([json, at, insert]) => {
      const place = at % (json.length + 1);
      const text = `[${json.slice(0, place)}${insert}${json.slice(place + 1)}`;
      const found = decodeAny(text);
      if (isJson(text)) expect(found).not.toHaveProperty("type");
      else expect(found).toHaveProperty("position", expect.any(Number));
    }),
    { numRuns: 3000 },
  );
});

test("a deeply nested body is an error like any other", () => {
  const deep = "[".repeat(200_000);
  expect(decodeAny(deep)).toMatchObject({ type: "malformed_json", position: 200_000 });
  expect(decodeText(`${deep}${"]".repeat(200_000)}`).rejections[0]!.code).toBe("not_an_object");
  const facts = `${'{"a":'.repeat(5000)}1${"}".repeat(5000)}`;
  const penalty = `[{"type":"penalty","subject":"a","penalty":"fraud","points":1,"reason":"r","context":${facts}}]`;
  expect(decodeText(penalty).rejections[0]!.code).toBe("out_of_range");
});

test("a list with too many events is refused as a whole", () => {
  const many = Array.from({ length: REQUEST_EVENTS_MAX + 1 }, () => metric({})).join(",");
  expect(decodeAny(`[${many}]`)).toEqual({ type: "too_many_events", limit: REQUEST_EVENTS_MAX });
  expect(decodeAny(many.replaceAll("},{", "}\n{"), "ndjson")).toMatchObject({ type: "too_many_events" });
});

test("columns of jobs and health say what was sent", () => {
  const columns = decodeText(
    JSON.stringify([
      { type: "job", subject: "w", outcome: "success", at: NOW - 5, duration_ms: 900, sla_met: true },
      { type: "job", subject: "w", outcome: "timeout", reserved: { cpu: 4, gb: 8 }, used: { gb: 2, cpu: 6 } },
      { type: "health", subject: "w", parts: { temperature: 61 }, request_count: 200, error_count: 3 },
      { type: "health", subject: "w", parts: { cpu_usage: 12.5 }, at: NOW - 7 },
    ]),
  );
  const { jobs, health, accepted } = resolved(columns);
  expect(accepted).toBe(4);
  expect(jobs).toMatchObject({
    count: 2,
    at: Float64Array.of(NOW - 5, NOW),
    outcome: Uint8Array.of(SUCCESS | SLA_MET, TIMEOUT),
    durationMs: Float64Array.of(900, Number.NaN),
    // More than was reserved counts as all of it.
    usedShare: Float64Array.of(Number.NaN, (1 + 0.25) / 2),
    jobId: null,
  });
  expect(health).toMatchObject({
    count: 2,
    at: Float64Array.of(NOW, NOW - 7),
    parts: [
      { name: "temperature", value: Float64Array.of(61, Number.NaN) },
      { name: "error_rate", value: Float64Array.of(1.5, Number.NaN) },
      { name: "cpu_usage", value: Float64Array.of(Number.NaN, 12.5) },
    ],
  });
});

// ---- what is sent

const name = fc.oneof(
  fc.string({ minLength: 1, maxLength: 12 }),
  fc.string({ unit: "binary", minLength: 1, maxLength: 8 }),
  fc.stringMatching(/^[a-z0-9-]{1,20}$/),
);
const millis = fc.integer({ min: NOW - RETENTION_MS, max: NOW + EVENT_AHEAD_MAX_MS });
const time = fc.oneof(
  millis,
  millis.map((ms) => new Date(ms).toISOString()),
  millis.map((ms) => `${new Date(ms + 3_600_000).toISOString().slice(0, 19)}+01:00`),
);
const valueOf = (metricName: keyof typeof METRIC_RANGES): fc.Arbitrary<number> => {
  const [min, max] = METRIC_RANGES[metricName];
  return fc.oneof(
    fc.double({ min, max, noNaN: true }),
    fc.constantFrom(min, max, 0.5),
    fc.integer({ min: 0, max: 1000 }).map((thousandths) => thousandths / 1000),
  );
};
const some = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(value, { nil: undefined });
const metricAnd = (others: fc.Arbitrary<object>): fc.Arbitrary<object> =>
  fc.constantFrom(...METRIC_NAMES).chain((metricName) =>
    fc.tuple(name, valueOf(metricName), some(time), others).map(([subject, value, at, rest]) => ({
      type: "metric",
      subject,
      metric: metricName,
      value,
      at,
      ...rest,
    })),
  );
const goodMetricObject = metricAnd(
  fc.record(
    {
      weight: fc.double({ min: 0.001, max: 10, noNaN: true }),
      ok: fc.boolean(),
      monitor: name,
      context: fc.string({ maxLength: 20 }),
      kind: fc.constant("provider"),
      id: name,
    },
    { requiredKeys: [] },
  ),
);
const plainMetric = metricAnd(
  fc.record({ weight: fc.constantFrom(1, 2, 0.5, 10), ok: fc.boolean() }, { requiredKeys: [] }),
).filter(
  (event) => /^[\x20-\x7e]+$/u.test(JSON.stringify(event)) && !/[\\e]\d|\\/u.test(JSON.stringify(event)),
);
const reason = fc.string({ minLength: 1, maxLength: 30 });
const end = fc.oneof(
  fc.record({ duration: fc.constantFrom("30m", "1h30m", "1.5h", "720h", "500ms", 1000, "90s") }),
  fc.record({ expires_at: fc.constantFrom(NOW + 1, "2027-01-01T00:00:00Z", null) }),
);
const penalty = fc
  .tuple(
    fc.record({
      type: fc.constant("penalty"),
      subject: name,
      penalty: fc.constantFrom(...PENALTY_TYPES),
      severity: some(fc.constantFrom(...SEVERITIES)),
      reason,
      at: some(time),
      evidence: some(fc.array(fc.string(), { maxLength: 3 })),
      context: some(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })),
      job_id: some(name),
      fade: some(fc.constantFrom("none", "linear")),
    }),
    fc.oneof(
      fc.record({ points: fc.double({ min: 0, max: 100, noNaN: true }) }),
      fc.record({ fraction: fc.double({ min: 0, max: 1, noNaN: true }) }),
    ),
    fc.oneof(end, fc.constant({})),
  )
  .map((parts) => Object.assign({}, ...parts) as object);
const otherEvent = fc.oneof(
  fc.record({
    type: fc.constant("subject"),
    subject: name,
    operator: fc.option(name),
    attributes: some(
      fc.dictionary(name, fc.oneof(name, fc.boolean(), fc.constant(null), fc.array(name)), { maxKeys: 3 }),
    ),
  }),
  fc.record({ type: fc.constant("penalty_revoked"), penalty_id: name, reason }),
  fc.record({ type: fc.constant("reward_revoked"), reward_id: name, reason }),
  fc.record({
    type: fc.constant("misbehaviour"),
    subject: name,
    reason,
    evidence: fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
    at: some(time),
    job_id: some(name),
  }),
  fc.record({
    type: fc.constant("reward"),
    subject: name,
    reward: fc.constantFrom(...REWARD_TYPES),
    points: fc.integer({ min: 1, max: 100 }),
    reason,
  }),
);
const positive = fc.double({ min: 0.001, max: 1e6, noNaN: true });
const resources = fc
  .dictionary(fc.stringMatching(/^[a-z]{1,4}$/), fc.tuple(positive, positive), { minKeys: 1, maxKeys: 3 })
  .map((amounts) => ({
    reserved: Object.fromEntries(Object.entries(amounts).map(([key, [reserved]]) => [key, reserved])),
    used: Object.fromEntries(Object.entries(amounts).map(([key, [, used]]) => [key, used])),
  }));
const job = fc
  .tuple(
    fc.record({
      type: fc.constant("job"),
      subject: name,
      outcome: fc.constantFrom(...JOB_OUTCOMES),
      at: some(time),
      duration_ms: some(positive),
      expected_ms: some(positive),
      quality: some(fc.double({ min: 0, max: 1, noNaN: true })),
      earnings: some(positive),
      sla_met: some(fc.boolean()),
      selection_id: some(fc.constantFrom("sel_1_0", "sel_4711_16383")),
      job_id: some(name),
      job_class: some(name),
    }),
    fc.oneof(resources, fc.constant({})),
  )
  .map((parts) => Object.assign({}, ...parts) as object);
const partsOf = (names: readonly HealthPart[]): fc.Arbitrary<object> =>
  fc.record(
    Object.fromEntries(
      names.map((part) => {
        const [min, max] = HEALTH_RANGES[part];
        return [part, fc.oneof(fc.constantFrom(min, max), fc.double({ min, max, noNaN: true }))];
      }),
    ),
    { requiredKeys: ["memory_usage"] },
  );
const parts = partsOf(HEALTH_PARTS);
const partsWithoutRate = partsOf(HEALTH_PARTS.filter((part) => part !== "error_rate"));
const counts = fc
  .tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 0, max: 1000 }))
  .map(([requests, errors]) => ({ request_count: requests, error_count: Math.min(requests, errors) }));
const health = fc
  .tuple(
    fc.record({ type: fc.constant("health"), subject: name, at: some(time) }),
    fc.oneof(
      parts.map((told) => ({ parts: told })),
      counts,
      fc.tuple(partsWithoutRate, counts).map(([told, both]) => ({ parts: told, ...both })),
    ),
  )
  .map((both) => Object.assign({}, ...both) as object);
const anyEvent = fc.oneof(
  { weight: 2, arbitrary: goodMetricObject },
  plainMetric,
  penalty,
  otherEvent,
  job,
  health,
);
const goodMetric = goodMetricObject.map((event) => JSON.stringify(event));
const goodEvent = anyEvent.map((event) => JSON.stringify(event));

/** A good event with one field changed, removed, added or taken from another event. */
const nasty = fc.oneof(
  fc.constantFrom<unknown>(
    "",
    "\u0000",
    "\ud800",
    "x".repeat(300),
    -1,
    0,
    11,
    1e13,
    null,
    true,
    [],
    {},
    "NaN",
    "metric",
    "none",
    { cpu_usage: 100.1 },
    { temperature: -273.15 },
    { cpu: 1 },
    "sel_0_1",
  ),
  fc.constantFrom<unknown>(
    NOW + EVENT_AHEAD_MAX_MS,
    NOW + EVENT_AHEAD_MAX_MS + 1,
    NOW - RETENTION_MS - 1,
    1e300,
    "2026-02-30T00:00:00Z",
  ),
  fc.constantFrom<unknown>(
    "0s",
    "-1h",
    "1.0005s",
    "9999999h",
    "1h 30m",
    ["a"],
    { a: "\udc00" },
    { constructor: 1 },
    1.5,
  ),
  fc.jsonValue(),
);
const FIELD_NAMES =
  "type subject metric value at weight ok monitor context kind id penalty severity points fraction reason expires_at duration fade evidence job_id operator attributes penalty_id reward outcome selection_id duration_ms expected_ms reserved used quality earnings sla_met job_class parts request_count error_count constructor toString weigth".split(
    " ",
  );
const spoiltEvent = fc
  .tuple(
    anyEvent,
    fc.nat(),
    fc.constantFrom(...FIELD_NAMES),
    nasty,
    fc.constantFrom("change", "remove", "add", "proto"),
  )
  .filter(([, , field, value]) => field !== "kind" || value === "provider")
  .map(([event, place, field, value, how]) => {
    const keys = Object.keys(event).filter((key) => key !== "kind");
    const key = keys[place % keys.length]!;
    if (how === "remove") return JSON.stringify({ ...event, [key]: undefined });
    if (how === "proto") return JSON.stringify(event).replace("{", '{"__proto__":{"x":1},');
    return JSON.stringify({ ...event, [how === "change" ? key : field]: value });
  });

function metric(fields: object): string {
  return JSON.stringify({ type: "metric", subject: "node-1", metric: "uptime", value: 1, ...fields });
}

function spaced(events: readonly object[], space: string): string {
  const items = events.map((event) => {
    const fields = Object.entries(event)
      .filter(([, value]) => value !== undefined)
      .toReversed();
    return `{${fields.map(([key, value]) => `${space}"${key}"${space}:${space}${JSON.stringify(value)}${space}`).join(",")}}`;
  });
  return `${space}[${space}${items.join(`${space},${space}`)}${space}]${space}`;
}

// ---- what comes out

function decodeAny(text: string, format: "json" | "ndjson" = "json"): ReturnType<typeof decode> {
  return decode(format, new TextEncoder().encode(text), text, NOW);
}

function decodeText(text: string, format: "json" | "ndjson" = "json"): decoder.EventColumns {
  return expectColumns(decodeAny(text, format));
}

function decodeAt(text: string, nowMs: number): decoder.EventColumns {
  return expectColumns(decode("json", new TextEncoder().encode(text), text, nowMs));
}

function expectColumns(decoded: ReturnType<typeof decode>): decoder.EventColumns {
  if (!(decoded instanceof decoder.EventColumns)) throw new Error(decoded.type);
  return decoded;
}

/** What the state decides, which says nothing of an event's form. */
const OF_STATE: ReadonlySet<string> = new Set([
  "penalty_not_found",
  "reward_not_found",
  "selection_not_open",
  "unknown_part",
]);

/** Whether both passes take the one event. */
function isTaken(text: string): boolean {
  const columns = decodeText(text);
  resolved(columns);
  return columns.rejections.every(({ code }) => OF_STATE.has(code));
}

function resolved(columns: decoder.EventColumns): ReturnType<typeof resolve> {
  const draft = new Draft(state, new Map());
  const principal = { id: "a", name: "a", role: "admin" } as const;
  const result = resolve(columns, { state, draft, principal, nowMs: NOW });
  draft.discard();
  return result;
}

function policyOf(document: object): Policy {
  const parsed = parsePolicy(document);
  if (parsed.type === "invalid") throw new Error("not a policy");
  return parsed.policy;
}

/** The policy says how many points there can be at most; the schema does not know it. */
function isOverMaxScore(item: unknown): boolean {
  const points = typeof item === "object" && item !== null && "points" in item ? item.points : 0;
  return typeof points === "number" && points > STORAGE_PROVIDER.maxScore && points <= 1_000_000;
}

function rowsOf(columns: decoder.EventColumns): object[] {
  return Array.from({ length: columns.count }, (_, row) => ({
    index: columns.index[row],
    subject: columns.subjects[row],
    at: columns.at[row],
    value: columns.value[row],
    kind: columns.kind[row],
    weight: columns.weight?.[row] ?? 1,
    monitor: columns.monitor?.[row] ?? null,
    context: columns.context?.[row] ?? null,
    id: columns.ownIds?.[row] ?? null,
  }));
}

function rowOf(event: Extract<Event, { type: "metric" }>, index: number): object {
  const at = event.at ?? NOW;
  return {
    index,
    subject: event.subject,
    at: typeof at === "string" ? Date.parse(at) : at,
    value: event.value,
    kind: METRIC_NAMES.indexOf(event.metric) + (event.ok === false ? SAMPLE_FAILED : 0),
    weight: event.weight ?? 1,
    monitor: event.monitor ?? null,
    context: event.context ?? null,
    id: event.id ?? null,
  };
}

function columnsOf(columns: decoder.EventColumns): object {
  return { rows: rowsOf(columns), rejections: columns.rejections };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
