/**
 * Requests that a broken or hostile client could send: valid ones for every route of the server, with some of their
 * parts replaced, cut, repeated or filled with what parsers trip over. The same seed gives the same requests.
 */

/** What the requests are made from. */
export interface Target {
  readonly routes: readonly { readonly method: string; readonly url: string }[];
  /** Valid keys of all roles, the most powerful last. */
  readonly tokens: readonly string[];
  /** A valid policy document. */
  readonly policy: object;
  /** Of the server's clock, ms since 1970. */
  readonly now: () => number;
}

export interface HostileRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
  readonly body: Buffer | null;
}

/** Ids, cursors and tags from answers that are remembered, to send them back. */
const LEARNED_MAX = 64;
const SUBJECTS = 200;
/** Large bodies take a hundred times as long as others, so that there are few of them. */
const LARGE_SHARE = 1 / 2000;

export class HostileRequests {
  private readonly target: Target;
  private readonly dice: Dice;
  private readonly learned: string[] = [];

  constructor(target: Target, seed: number) {
    this.target = target;
    this.dice = new Dice(seed);
  }

  next(): HostileRequest {
    const { dice, target } = this;
    const route = dice.chance(0.35)
      ? { method: "POST", url: "/api/events" }
      : dice.pick(target.routes.filter(({ url }) => !isStatic(url) || dice.chance(0.01)));
    const method = dice.chance(0.05) ? dice.pick(METHODS) : route.method;
    const takesBody = ["POST", "PUT", "PATCH"].includes(route.method);
    const { type, text, headers } = takesBody || dice.chance(0.03) ? this.content(route.url) : NO_CONTENT;
    return {
      method,
      url: this.path(route.url) + this.query(),
      headers: this.headers(route.url, type, headers),
      body: text === null ? null : this.bytes(text),
    };
  }

  /** Takes in what an answer may have given away: ids, cursors, tags. */
  learn(value: unknown): void {
    if (typeof value !== "string" || value === "") return;
    this.learned[this.learned.length < LEARNED_MAX ? this.learned.length : this.dice.below(LEARNED_MAX)] =
      value;
  }

  private path(url: string): string {
    const filled = url.replaceAll(/:\w+|\*/gu, (name) => {
      if (name === ":kind" && this.dice.chance(0.7)) return this.dice.pick(KINDS);
      if (name === ":metric" && this.dice.chance(0.7)) return this.dice.pick(METRICS);
      if (this.dice.chance(0.6)) return encodeURIComponent(this.name());
      return this.dice.pick(PATH_JUNK)();
    });
    return this.dice.chance(0.02)
      ? filled + this.dice.pick(["/", "//", "/..", "/%2e%2e", ";x", "%"])
      : filled;
  }

  private query(): string {
    const { dice } = this;
    if (dice.chance(0.4)) return "";
    const parameters = Array.from({ length: 1 + dice.below(3) }, () => {
      const name = dice.chance(0.9) ? dice.pick(PARAMETERS) : dice.pick(["__proto__", "%", "a[]", "", "%00"]);
      return `${name}=${this.parameterValue(name)}`;
    });
    return `?${parameters.join(dice.chance(0.95) ? "&" : "&&=&")}`;
  }

  private parameterValue(name: string): string {
    const { dice } = this;
    const valid = PARAMETER_VALUES[name];
    if (valid !== undefined && dice.chance(0.6)) return dice.pick(valid);
    if (name === "cursor" && dice.chance(0.8)) return this.cursor();
    return dice.chance(0.5) ? encodeURIComponent(this.name()) : dice.pick(PATH_JUNK)();
  }

  /** One that was given with a byte changed, or what one could look like inside. */
  private cursor(): string {
    const { dice } = this;
    const given = this.learned.filter((text) => text.startsWith("eyJ"));
    if (given.length > 0 && dice.chance(0.6))
      return mutated(Buffer.from(dice.pick(given)), dice).toString("latin1");
    const fields = Array.from({ length: 1 + dice.below(3) }, () => {
      return `${JSON.stringify(dice.pick(["key", "place", "id", "score", "at", "sort", "subject"]))}:${this.json()}`;
    });
    return Buffer.from(`{${fields.join(",")}}`).toString("base64url");
  }

  private headers(url: string, type: string, others: { readonly [name: string]: string }) {
    const { dice } = this;
    const headers: { [name: string]: string } = { ...others };
    if (type !== "") headers["content-type"] = dice.chance(0.95) ? type : dice.pick(MEDIA_TYPES);
    const authorization = this.authorization();
    if (authorization !== "") headers["authorization"] = authorization;
    if (url === "/api/policies/:kind" && dice.chance(0.8)) {
      if (dice.chance(0.2)) headers["if-none-match"] = "*";
      else headers["if-match"] = dice.chance(0.7) ? "*" : this.headerValue();
    }
    for (let rest = dice.below(3); rest > 0; rest--) {
      if (dice.chance(0.7)) headers[dice.pick(HEADERS)] = this.headerValue();
    }
    return headers;
  }

  private authorization(): string {
    const { dice, target } = this;
    const best = target.tokens.at(-1)!;
    if (dice.chance(0.85)) return `Bearer ${best}`;
    if (dice.chance(0.4)) return `Bearer ${dice.pick(target.tokens)}`;
    return dice.pick([
      "",
      best,
      `Basic ${best}`,
      `Bearer ${best.slice(0, -1)}`,
      `Bearer ${best}x`,
      `Bearer ${mutated(Buffer.from(best), dice).toString("latin1")}`,
      "Bearer",
      `Bearer ${"x".repeat(600)}`,
      `bearer   ${best}`,
      `Bearer ${best}, Bearer ${best}`,
    ]);
  }

  private headerValue(): string {
    const { dice } = this;
    if (dice.chance(0.3)) return String(dice.below(20));
    if (dice.chance(0.3)) return this.name();
    return dice.pick(HEADER_JUNK)();
  }

  private content(url: string): Content {
    const { dice } = this;
    if (url === "/api/events") return this.eventsContent();
    const shape = BODIES[url] ?? EVENTS[dice.below(EVENTS.length)]!;
    const isPolicy = url.startsWith("/api/policies");
    const text = isPolicy ? this.policyBody() : this.object(shape);
    return { type: "application/json", text: dice.chance(0.97) ? text : this.json(), headers: {} };
  }

  private eventsContent(): Content {
    const { dice } = this;
    const events = Array.from({ length: dice.chance(0.5) ? 1 : dice.below(8) }, () => this.event());
    switch (dice.below(8)) {
      case 0:
        return { type: "application/json", text: events[0] ?? "[[]]", headers: {} };
      case 1:
      case 2:
        return {
          type: "application/x-ndjson",
          text: events.join(dice.pick(["\n", "\r\n", "\n\n", ",", " "])),
          headers: {},
        };
      case 3:
        return { type: "application/cloudevents+json", text: this.cloudEvent(), headers: {} };
      case 4: {
        const list = events.map(() => this.cloudEvent());
        return { type: "application/cloudevents-batch+json", text: `[${list.join(",")}]`, headers: {} };
      }
      case 5: {
        const entries = CLOUD_ATTRIBUTES.filter(() => dice.chance(0.9)).map((name) => {
          return [`ce-${name}`, dice.chance(0.8) ? dice.pick(CLOUD_VALUES[name]!) : this.headerValue()];
        });
        return { type: "application/json", text: this.event(), headers: Object.fromEntries(entries) };
      }
      default:
        return {
          type: "application/json",
          text: `[${events.join(dice.chance(0.95) ? "," : ",,")}]`,
          headers: {},
        };
    }
  }

  private cloudEvent(): string {
    const attributes = CLOUD_ATTRIBUTES.map(
      (name): Field => [name, CLOUD_VALUES[name]!.map((text) => JSON.stringify(text))],
    );
    const data: Field = this.dice.chance(0.9)
      ? ["data", [this.event()]]
      : ["data_base64", ['"e30="', '"%%%"', "1"]];
    return this.object([...attributes, data]);
  }

  private event(): string {
    return this.object(this.dice.chance(0.5) ? EVENTS[0]! : this.dice.pick(EVENTS));
  }

  /** The policy as it is with a value replaced somewhere, or one that extends a preset with such a value. */
  private policyBody(): string {
    const { dice } = this;
    const copy = structuredClone(this.target.policy) as Tree;
    let place = copy;
    let key = dice.pick(Object.keys(place));
    for (let inner = place[key]; isTree(inner) && dice.chance(0.9); inner = place[key]) {
      place = inner;
      key = dice.pick(Object.keys(place));
    }
    const before = JSON.stringify(place[key]);
    const mark = "the place of the junk";
    place[key] = mark;
    const number = Number(before);
    const after =
      Number.isFinite(number) && dice.chance(0.6)
        ? String(number * dice.pick([0, 0.5, 0.99, 1.01, 2, 1000, 1e-9, -1]))
        : this.json();
    const policy = JSON.stringify(copy).replace(JSON.stringify(mark), () => after);
    const kinds = KINDS.map((kind) => JSON.stringify(kind));
    const fields: readonly Field[] = [
      ["policy", [policy]],
      ["reason", ['"because"']],
      ["kind", kinds],
    ];
    return this.object(fields.slice(0, dice.chance(0.9) ? 2 : 3));
  }

  /** An object of JSON with most of its fields right. */
  private object(shape: readonly Field[]): string {
    const { dice } = this;
    const isClean = dice.chance(0.4);
    const fields = shape
      .filter(([name]) => dice.chance(REQUIRED.has(name) ? 0.98 : 0.5))
      .map(([name, values]) => `${JSON.stringify(name)}:${this.fieldValue(values, isClean)}`);
    if (!isClean && dice.chance(0.1)) fields.push(`${dice.pick(KEY_JUNK)}:${this.json()}`);
    if (fields.length > 0 && dice.chance(0.02)) fields.push(dice.pick(fields));
    if (dice.chance(0.1)) fields.reverse();
    return `{${fields.join(dice.chance(0.99) ? "," : dice.pick([" , ", ";", "\n,"]))}}`;
  }

  private fieldValue(values: readonly string[], isClean: boolean): string {
    const { dice } = this;
    if (!isClean && dice.chance(0.15)) return this.json();
    const value = dice.pick(values);
    if (value === SUBJECT) return JSON.stringify(dice.chance(0.95) ? this.subject() : this.name());
    if (value === LEARNED) return JSON.stringify(this.name());
    if (value === NOW) return String(this.target.now() - dice.below(100_000));
    return value;
  }

  /** Any JSON text, and now and then something that is none. */
  private json(): string {
    const { dice } = this;
    if (dice.chance(LARGE_SHARE)) return dice.pick(LARGE_JUNK)();
    if (dice.chance(0.2)) return JSON.stringify(this.name());
    if (dice.chance(0.1)) return `[${Array.from({ length: dice.below(4) }, () => this.json()).join(",")}]`;
    if (dice.chance(0.1)) return `{${dice.pick(KEY_JUNK)}:${this.json()}}`;
    return dice.pick(JSON_JUNK);
  }

  private name(): string {
    const { dice } = this;
    if (this.learned.length > 0 && dice.chance(0.3)) return dice.pick(this.learned);
    return dice.chance(0.4) ? this.subject() : dice.pick(NAME_JUNK);
  }

  private subject(): string {
    return `node-${this.dice.below(SUBJECTS)}`;
  }

  private bytes(text: string): Buffer {
    const { dice } = this;
    const bytes = Buffer.from(text);
    return dice.chance(0.75) ? bytes : mutated(bytes, dice);
  }
}

/** Numbers that are the same for the same seed: Marsaglia's xorshift with 32 bits, shifts 13, 17, 5. */
export class Dice {
  private state: number;

  constructor(seed: number) {
    // The state must not be zero; the multiplication parts neighbouring seeds.
    this.state = Math.imul(seed + 1, 0x9e37_79b1) | 1;
  }

  /** A whole number from 0 up to, not including, the limit. */
  below(limit: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return Math.floor(((this.state >>> 0) / 2 ** 32) * limit);
  }

  chance(probability: number): boolean {
    return this.below(2 ** 32) < probability * 2 ** 32;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }
}

interface Content {
  readonly type: string;
  readonly text: string | null;
  readonly headers: { readonly [name: string]: string };
}

/** Name of a field and valid values for it, as JSON. */
type Field = readonly [name: string, values: readonly string[]];

const NO_CONTENT: Content = { type: "", text: null, headers: {} };

/** The bytes cut off, with one changed, put in or left out, or a stretch repeated. */
function mutated(bytes: Buffer, dice: Dice): Buffer {
  const at = dice.below(bytes.length + 1);
  const head = bytes.subarray(0, at);
  switch (dice.below(5)) {
    case 0:
      return head;
    case 1:
      return Buffer.concat([head, Buffer.from(dice.pick(BYTE_JUNK)), bytes.subarray(at)]);
    case 2:
      return Buffer.concat([head, bytes.subarray(at + 1 + dice.below(4))]);
    case 3:
      return Buffer.concat([head, bytes.subarray(Math.max(0, at - dice.below(40)))]);
    default: {
      const copy = Buffer.from(bytes);
      if (at < copy.length) copy[at] = copy[at]! ^ (1 << dice.below(8));
      return copy;
    }
  }
}

/** The reference page and the files it is made of. */
function isStatic(url: string): boolean {
  return url.startsWith("/docs") || url === "/api/openapi.json" || url === "/metrics";
}

interface Tree {
  [key: string]: unknown;
}

function isTree(value: unknown): value is Tree {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
  );
}

function texts(...values: readonly string[]): readonly string[] {
  return values.map((value) => JSON.stringify(value));
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "PURGE"];
const KINDS = ["provider", "provider", "provider", "validator", "a", "constructor", "x-1", "toString"];
const METRICS = [
  "uptime",
  "response_time",
  "throughput",
  "availability",
  "data_integrity",
  "network_latency",
];

/** Values that stand for one that is made anew each time. */
const SUBJECT = "a subject";
const LEARNED = "a name from an answer";
const NOW = "about now";

const REQUIRED = new Set([
  "type",
  "subject",
  "metric",
  "value",
  "penalty",
  "reward",
  "points",
  "reason",
  "policy",
  "name",
  "role",
]);
const COMMON: readonly Field[] = [
  ["id", texts("own-1")],
  ["kind", texts("provider", "provider", "provider", "validator")],
  ["at", [NOW, '"2026-11-25T03:00:00Z"', '"2026-11-25T03:00:00.123456+01:00"', "0", "1e15"]],
];
const FACTS: Field = ["context", ['{"a":1}', '{"a":{"b":[1,2,{}]}}']];
const PENALTY: readonly Field[] = [
  ["severity", texts("minor", "moderate", "major", "critical")],
  ["points", ["0", "1", "0.1", "99.9", "1e6"]],
  ["fraction", ["0", "0.5", "1"]],
  ["reason", texts("why", "\u00e4\u{1f600}")],
  ["expires_at", ['"2027-01-01T00:00:00Z"', "1795575845678", '"2026-11-25T03:04:05.679Z"']],
  ["duration", ['"1h"', '"30d"', "1", '"1ms"']],
  ["fade", texts("none", "linear")],
  ["evidence", ["[]", '["a","b"]']],
  FACTS,
];
const REWARD: readonly Field[] = [["points", ["1", "0.001", "50"]], ["reason", texts("why")], FACTS];
const REVOKED: readonly Field[] = [["reason", texts("why")]];
const MISBEHAVIOUR: readonly Field[] = [
  ["reason", texts("why")],
  ["evidence", ['["a"]', '["a","b"]', "[]"]],
  ["job_id", texts("job-1")],
  FACTS,
];
const EVENTS: readonly (readonly Field[])[] = [
  [
    ["type", texts("metric")],
    ["subject", [SUBJECT]],
    ["metric", texts(...METRICS)],
    ["value", ["0", "1", "0.5", "0.999999", "5e-324", "12.5"]],
    ["weight", ["1", "10", "0.1", "5e-324"]],
    ["ok", ["true", "false"]],
    ["monitor", texts("probe")],
    ["context", texts("raw", "")],
    ...COMMON,
  ],
  [
    ["type", texts("subject")],
    ["subject", [SUBJECT]],
    ["operator", ['"acme"', "null"]],
    ["attributes", ["{}", '{"a":1,"b":"c","d":null,"e":[1]}']],
    ...COMMON,
  ],
  [
    ["type", texts("penalty")],
    ["subject", [SUBJECT]],
    ["penalty", texts("fraud", "ban", "spam")],
    ...PENALTY,
    ...COMMON,
  ],
  [["type", texts("reward")], ["subject", [SUBJECT]], ["reward", texts("high_uptime")], ...REWARD, ...COMMON],
  [["type", texts("penalty_revoked")], ["penalty_id", [LEARNED]], ...REVOKED],
  [["type", texts("reward_revoked")], ["reward_id", [LEARNED]], ...REVOKED],
  [["type", texts("misbehaviour")], ["subject", [SUBJECT]], ...MISBEHAVIOUR, ...COMMON],
];
const BODIES: { readonly [url: string]: readonly Field[] } = {
  "/api/keys": [
    ["name", texts("probe")],
    ["role", texts("viewer", "admin")],
  ],
  "/api/subjects/:id": [
    ["kind", texts("provider")],
    ["operator", ['"acme"', "null"]],
    ["attributes", ["{}", '{"a":"b","c":[]}']],
    ["reason", texts("why")],
  ],
  "/api/subjects/:id/penalties": [
    ["type", texts("fraud", "ban")],
    ...PENALTY,
    ["at", ['"2026-11-25T03:00:00Z"']],
  ],
  "/api/subjects/:id/misbehaviour": [...MISBEHAVIOUR, ["at", ['"2026-11-25T03:00:00Z"']]],
  "/api/misbehaviour/:id/confirm": REVOKED,
  "/api/misbehaviour/:id/dismiss": REVOKED,
  "/api/subjects/:id/rewards": [
    ["type", texts("high_uptime")],
    ...REWARD,
    ["at", ['"2026-11-25T03:00:00Z"']],
  ],
};

const CLOUD_VALUES: { readonly [name: string]: readonly string[] } = {
  specversion: ["1.0", "1.0", "0.3"],
  type: ["staunch.metric", "metric", "penalty", "com.example"],
  source: ["/probe", "urn:x", ""],
  id: ["1", "2", "a%20b", "%zz"],
  time: ["2026-11-25T03:00:00Z", "yesterday"],
  subject: ["node-1", "node%2D1", ""],
  datacontenttype: ["application/json", "text/xml"],
};
const CLOUD_ATTRIBUTES = Object.keys(CLOUD_VALUES);

const MEDIA_TYPES = [
  "text/plain",
  "application/json; charset=utf-16",
  "application/x-ndjson; charset=latin1",
  "multipart/form-data; boundary=x",
  "application/x-www-form-urlencoded",
  "application/json;;;=",
  "/",
  "application/",
  "application/JSON ",
  "application/json, text/plain",
  `application/${"x".repeat(300)}`,
  "application/cloudevents",
  "application/cloudevents-batch+json",
];

const HEADERS = [
  "idempotency-key",
  "staunch-producer",
  "staunch-sequence",
  "if-match",
  "if-none-match",
  "last-event-id",
  "content-encoding",
  "content-type",
  "accept",
  "accept-encoding",
  "accept-version",
  "range",
  "expect",
  "cookie",
  "origin",
  "access-control-request-method",
  "x-forwarded-for",
  "x-request-id",
  "traceparent",
  "x-http-method-override",
  "ce-specversion",
  "ce-id",
  "__proto__",
  "constructor",
];
const HEADER_JUNK: readonly (() => string)[] = [
  () => "",
  () => "*",
  () => '"',
  () => 'W/"0123456789abcdef", "x"',
  () => ",,,,",
  () => "gzip",
  () => "9007199254740993",
  () => "-1",
  () => "1e3",
  () => "\u00ff\u0080",
  () => "a".repeat(257),
  () => "a".repeat(5000),
  () => "bytes=0-1,5-",
  () => "__proto__",
  () => "%ff%00%",
];

const PARAMETERS = [
  "kind",
  "operator",
  "tier",
  "q",
  "score_min",
  "score_max",
  "sort",
  "cursor",
  "limit",
  "count",
  "steps",
  "samples",
  "from",
  "to",
  "reason",
  "status",
  "atomic",
  "type",
  "subject",
  "order",
  "around",
  "verbose",
  "percentile",
];
const PARAMETER_VALUES: { readonly [name: string]: readonly string[] } = {
  kind: KINDS,
  score_min: ["0", "-1", "1e308", "Infinity", "NaN", "", "0x10"],
  score_max: ["100", "1e309", "-0"],
  sort: ["score", "id", "last_evidence"],
  limit: ["1", "2", "1000", "0", "-1", "1.5", "1e3", "99999999999999999999"],
  count: ["exact"],
  steps: ["true", "false"],
  samples: ["0", "5", "10000", "10001"],
  from: ["2026-11-25T00:00:00Z", "0", "+275760-09-13T00:00:00Z", "2026-02-30T00:00:00Z"],
  to: ["2026-11-26T00:00:00Z", "9999-12-31T23:59:59.999Z", "1969-12-31T00:00:00Z"],
  reason: ["why"],
  status: ["active", "all"],
  atomic: ["true", "false"],
  type: ["score.changed", "score.changed,,", "policy.activated"],
  order: ["best", "worst", "asc"],
};

const NAME_JUNK = [
  "",
  " ",
  ".",
  "..",
  "../../etc/passwd",
  "\0",
  "\n",
  "\u007f",
  "\u0085",
  "\u2028",
  "\ufeff",
  "\ufffd",
  "\u202e\u05d0",
  "e\u0301",
  "\u{1f469}\u200d\u{1f4bb}",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "null",
  "NaN",
  "-0",
  "1e999",
  "'; DROP TABLE subjects; --",
  "<script>alert(1)</script>",
  "%s%n%x",
  "${x}",
  "a".repeat(256),
  "a".repeat(257),
  "\u00e4".repeat(128),
  "\u{1f600}".repeat(65),
];
const PATH_JUNK: readonly (() => string)[] = [
  () => "%",
  () => "%2",
  () => "%zz",
  () => "%00",
  () => "%0a",
  () => "%ff%fe",
  () => "%c0%80",
  () => "%ed%a0%80",
  () => "%2f..%2f",
  () => "%25",
  () => "%f0%9f%98%80",
  () => "a%2520b",
  () => "+",
  () => "a".repeat(769),
  () => "%61".repeat(256),
  () => "x".repeat(8200),
  () => "\u00e4",
  () => "[]",
  () => "a:b@c",
  () => "*",
];

const KEY_JUNK = [
  '"__proto__"',
  '"constructor"',
  '"prototype"',
  '"toString"',
  '""',
  '"\\u0000"',
  '"\\ud800"',
  '"type"',
  '"subject"',
  '"value"',
  '"metric"',
  '"at"',
  '"sub\\u006aect"',
  '"a/b~c"',
  "type",
  "1",
  "null",
];
const JSON_JUNK = [
  "null",
  "true",
  "false",
  "0",
  "-0",
  "1",
  "-1",
  "1.5",
  "0.1",
  "1e308",
  "1e309",
  "-1e309",
  "1e-400",
  "5e-324",
  "9007199254740993",
  "253402300799999",
  "253402300800000",
  "8640000000000001",
  `1${"0".repeat(400)}`,
  `0.${"1".repeat(400)}`,
  "1e99999999999",
  "NaN",
  "Infinity",
  "-Infinity",
  "undefined",
  "0x10",
  "01",
  "+1",
  ".5",
  "1.",
  "1e",
  "-",
  "--1",
  "1_000",
  "",
  '""',
  '" "',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u0000"',
  '"\\x41"',
  '"\\u12"',
  '"\u0001"',
  '"a\nb"',
  '"\u2028"',
  '"2026-11-25T03:04:05Z"',
  '"2026-11-25T24:00:00Z"',
  '"2026-02-30T00:00:00Z"',
  '"2026-11-25"',
  '"99999-01-01T00:00:00Z"',
  '"-000001-01-01T00:00:00Z"',
  '"PT1H"',
  '"1h"',
  '"-1h"',
  '"1e99d"',
  "[]",
  "{}",
  "[null]",
  "[[],[[]],{}]",
  "[".repeat(40) + "]".repeat(40),
  '{"a":'.repeat(17) + "1" + "}".repeat(17),
  '{"__proto__":{"x":1}}',
  '{"constructor":{"prototype":{"x":1}}}',
  '{"then":1,"toJSON":1}',
  '{"length":-1}',
  '{"a":1,"a":2}',
  "'a'",
  '"',
  "{",
  "]",
  "/* */ 1",
  "1 // x",
];
const LARGE_JUNK: readonly (() => string)[] = [
  () => "[".repeat(50_000),
  () => "[".repeat(20_000) + "]".repeat(20_000),
  () => '{"a":'.repeat(10_000) + "1" + "}".repeat(10_000),
  () => `"${"a".repeat(1_100_000)}"`,
  () => `"${"\\u0041".repeat(20_000)}"`,
  () => `[${"1,".repeat(20_000)}1]`,
  () => `{${Array.from({ length: 5000 }, (_, index) => `"k${index}":1`).join(",")}}`,
  () => "9".repeat(100_000),
  () => " ".repeat(200_000),
];
const BYTE_JUNK: readonly (readonly number[])[] = [
  [0x00],
  [0x0a],
  [0x22],
  [0x5c],
  [0x7b],
  [0x5d],
  [0x2c],
  [0x80],
  [0xc0, 0x80],
  [0xc3],
  [0xed, 0xa0, 0x80],
  [0xef, 0xbb, 0xbf],
  [0xf4, 0x90, 0x80, 0x80],
  [0xff, 0xfe],
  [0xe2, 0x80, 0xa8],
];
