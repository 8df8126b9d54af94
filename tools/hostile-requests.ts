/**
 * Requests that a broken or hostile client could send: valid ones for every route of the server, with some of their
 * parts replaced, cut, repeated or filled with what parsers trip over. The same seed gives the same requests.
 */
import { Dice } from "./dice.ts";
import {
  BYTE_JUNK,
  HEADER_JUNK,
  JSON_JUNK,
  KEY_JUNK,
  LARGE_JUNK,
  MEDIA_TYPES,
  NAME_JUNK,
  PATH_JUNK,
} from "./hostile-junk.ts";
import {
  BID,
  BIDS,
  BODIES,
  CLOUD_ATTRIBUTES,
  CLOUD_VALUES,
  EVENTS,
  HEADERS,
  KINDS,
  LEARNED,
  METHODS,
  METRICS,
  NOW,
  PARAMETERS,
  PARAMETER_VALUES,
  REQUIRED,
  SUBJECT,
  WORKER,
  type Field,
} from "./hostile-shapes.ts";

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
/** Workers that the service knows. */
export const WORKERS = 20;
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
    const { dice } = this;
    const route = this.route();
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

  /** Events and policies, which have the most to say, come more often than the other routes. */
  private route(): Target["routes"][number] {
    const { dice, target } = this;
    const share = dice.below(100);
    if (share < 35) return { method: "POST", url: "/api/events" };
    if (share < 38) return { method: "PUT", url: "/api/policies/:kind" };
    if (share < 41) return { method: "POST", url: "/api/selections" };
    return dice.pick(target.routes.filter(({ url }) => !isStatic(url) || dice.chance(0.01)));
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
    if (value === WORKER) return JSON.stringify(`worker-${dice.below(WORKERS)}`);
    if (value === BIDS)
      return `[${Array.from({ length: 1 + dice.below(6) }, () => this.object(BID)).join(",")}]`;
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

interface Content {
  readonly type: string;
  readonly text: string | null;
  readonly headers: { readonly [name: string]: string };
}

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
