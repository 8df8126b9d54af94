/**
 * The clients of a service that is killed now and then: each sends one request after the other, and the same one again
 * until it is answered. Their events are numbered, and an event carries its number as a mark, `<client>.<number>`.
 */
import type { Dice } from "./dice.ts";

const SUBJECTS = 200;
const SAMPLES_PER_REQUEST_MAX = 60;
/** Keys are kept for a day and go into every snapshot, so most samples are sent under a producer's sequence. */
const KEYED_SHARE = 1 / 32;
const ACTS_PER_REQUEST_MAX = 4;
/** An act is kept for ever, so its client takes its time. */
const ACT_PAUSE_MAX_MS = 40;
/** Sanctions of the client that are in force at a time; past it the oldest are revoked. */
const STANDING_MAX = 64;
const PENALTIES = ["downtime", "data_loss", "fraud", "ban"];
/** A penalty that ends by itself does so within this time. */
const TERM_MAX_MS = 3_000;

/** One that is sent until it is answered. */
interface Request {
  readonly path: string;
  readonly type: "application/json" | "application/x-ndjson";
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
  /** Number of its last event. */
  readonly lastNumber: number;
}

/** Fields that answers of the routes in use have. */
interface Answer {
  readonly id?: string;
  readonly rejected?: number;
  readonly duplicate?: boolean;
  readonly sanctions?: readonly { readonly index: number; readonly id: string }[];
}

/** What a client sends. */
interface Source {
  readonly name: string;
  /** @param firstNumber number of its first event */
  next(firstNumber: number): Request;
  /** Told of the answer to the newest request. */
  answered(answer: Answer): void;
  /** How long to wait before the next. */
  pauseMs(): number;
}

export class Client {
  readonly name: string;
  /** Numbers of the newest event that was sent, and of the newest that was acknowledged. */
  sent = 0;
  acknowledged = 0;
  requests = 0;
  /** Requests that were under way at a kill, and those of them that had been written all the same. */
  resent = 0;
  duplicates = 0;
  private readonly source: Source;
  private pending: Request | null = null;

  constructor(source: Source) {
    this.source = source;
    this.name = source.name;
  }

  /** Sends until the service is gone. */
  async run(address: string, key: string): Promise<void> {
    if (this.pending !== null) this.resent += 1;
    for (;;) {
      const request = (this.pending ??= this.source.next(this.acknowledged + 1));
      this.sent = request.lastNumber;
      const answer = await answerTo(request, address, key);
      if (answer === null) return;
      if ((answer.rejected ?? 0) > 0)
        throw new Error(`the service rejected events of ${request.body}: ${JSON.stringify(answer)}`);
      if (answer.duplicate === true) this.duplicates += 1;
      this.source.answered(answer);
      this.acknowledged = request.lastNumber;
      this.requests += 1;
      this.pending = null;
      await delay(this.source.pauseMs());
    }
  }
}

/** The answer, or null when the connection broke. An answer that is no success is an error of the service. */
async function answerTo(request: Request, address: string, key: string): Promise<Answer | null> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(address + request.path, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": request.type, ...request.headers },
      body: request.body,
    });
    text = await response.text();
  } catch {
    return null;
  }
  if (!response.ok)
    throw new Error(`the service answered ${response.status} to ${request.path} ${request.body}: ${text}`);
  return JSON.parse(text) as Answer;
}

/** Samples of two metrics, many in a request. */
export class SampleSource implements Source {
  readonly name: string;
  private readonly dice: Dice;
  private sequence = 0;

  constructor(name: string, dice: Dice) {
    this.name = name;
    this.dice = dice;
  }

  next(firstNumber: number): Request {
    const { dice, name } = this;
    const count = 1 + dice.below(SAMPLES_PER_REQUEST_MAX);
    const at = Date.now();
    const lines = Array.from({ length: count }, (_, index) => {
      const metric = dice.pick(["uptime", "availability"]);
      const context = `${name}.${firstNumber + index}`;
      return JSON.stringify({
        type: "metric",
        subject: subject(dice),
        metric,
        value: dice.share(),
        at,
        context,
      });
    });
    this.sequence += 1;
    return {
      path: "/api/events",
      type: "application/x-ndjson",
      headers: dice.chance(KEYED_SHARE)
        ? { "idempotency-key": `${name}-${this.sequence}` }
        : { "staunch-producer": name, "staunch-sequence": String(this.sequence) },
      body: lines.join("\n"),
      lastNumber: firstNumber + count - 1,
    };
  }

  answered(): void {
    // That they were taken is all there is to know.
  }

  pauseMs(): number {
    return 0;
  }
}

type Order =
  | { readonly type: "change"; readonly mark: string; readonly subject: string }
  | { readonly type: "reward"; readonly mark: string; readonly subject: string }
  | {
      readonly type: "penalty";
      readonly mark: string;
      readonly subject: string;
      /** After which it ends by itself; null for one that lasts until it is revoked. */
      readonly termMs: number | null;
    }
  | { readonly type: "revocation"; readonly mark: string; readonly id: string };

/** Changes of subjects, penalties, rewards, and revocations of those, under idempotency keys. */
export class ActSource implements Source {
  readonly name: string;
  /** Mark of each sanction that was given to last and whose revocation was not acknowledged, by its id, oldest first. */
  readonly standing = new Map<string, string>();
  /** Those whose revocation was acknowledged; the checker takes them out. */
  readonly revoked = new Set<string>();
  /** Mark of the newest acknowledged change of each subject. */
  readonly changes = new Map<string, string>();
  /** What the newest request asks for. */
  orders: readonly Order[] = [];
  private readonly dice: Dice;
  private requests = 0;

  constructor(name: string, dice: Dice) {
    this.name = name;
    this.dice = dice;
  }

  next(firstNumber: number): Request {
    const { dice, name } = this;
    const revocable = [...this.standing.keys()];
    this.orders = Array.from({ length: 1 + dice.below(ACTS_PER_REQUEST_MAX) }, (_, index) =>
      this.order(`${name}.${firstNumber + index}`, revocable),
    );
    this.requests += 1;
    return {
      ...this.routed(),
      type: "application/json",
      headers: { "idempotency-key": `${name}-${this.requests}` },
      lastNumber: firstNumber + this.orders.length - 1,
    };
  }

  answered({ id, sanctions }: Answer): void {
    for (const [index, order] of this.orders.entries()) {
      const sanction = id ?? sanctions?.find((one) => one.index === index)?.id;
      if (order.type === "change") this.changes.set(order.subject, order.mark);
      else if (sanction === undefined) throw new Error(`the answer names no sanction for ${order.mark}`);
      else if (order.type === "revocation") this.revoke(sanction);
      else if (order.type === "reward" || order.termMs === null) this.standing.set(sanction, order.mark);
    }
    this.orders = [];
  }

  pauseMs(): number {
    return this.dice.below(ACT_PAUSE_MAX_MS);
  }

  private revoke(id: string): void {
    this.standing.delete(id);
    this.revoked.add(id);
  }

  /** @param revocable sanctions that no order of this request revokes yet */
  private order(mark: string, revocable: string[]): Order {
    const { dice } = this;
    if (revocable.length > 0 && (this.standing.size >= STANDING_MAX || dice.chance(0.2)))
      return { type: "revocation", mark, id: revocable.shift()! };
    if (dice.chance(0.4)) return { type: "change", mark, subject: subject(dice) };
    if (dice.chance(0.5)) return { type: "reward", mark, subject: subject(dice) };
    const termMs = dice.chance(0.3) ? 1 + dice.below(TERM_MAX_MS) : null;
    return { type: "penalty", mark, subject: subject(dice), termMs };
  }

  /** A sanction alone goes by its own route, if the subject is known and the end need not be counted from its giving. */
  private routed(): { path: string; body: string } {
    const [order, another] = this.orders;
    if (
      another === undefined &&
      order !== undefined &&
      "subject" in order &&
      this.changes.has(order.subject)
    ) {
      const path = `/api/subjects/${order.subject}`;
      if (order.type === "reward")
        return { path: `${path}/rewards`, body: JSON.stringify(this.sanction(order)) };
      if (order.type === "penalty" && order.termMs === null)
        return { path: `${path}/penalties`, body: JSON.stringify(this.sanction(order)) };
    }
    return { path: "/api/events", body: JSON.stringify(this.orders.map((one) => this.event(one))) };
  }

  private event(order: Order): object {
    switch (order.type) {
      case "change":
        return { type: "subject", subject: order.subject, attributes: { change: order.mark } };
      case "revocation": {
        const isPenalty = order.id.startsWith("pen_");
        const named = isPenalty ? { penalty_id: order.id } : { reward_id: order.id };
        return { type: isPenalty ? "penalty_revoked" : "reward_revoked", ...named, reason: order.mark };
      }
      default: {
        const { type, ...rest } = this.sanction(order);
        return { ...rest, type: order.type, [order.type]: type, subject: order.subject };
      }
    }
  }

  private sanction(order: Extract<Order, { type: "penalty" | "reward" }>) {
    const { type, mark: reason } = order;
    if (type === "reward") return { type: "long_term_service", points: 1, reason };
    const term = order.termMs === null ? {} : { duration: `${order.termMs}ms` };
    // Penalties without points cost no trust: they need not be kept for an appeal.
    return { type: this.dice.pick(PENALTIES), points: this.dice.pick([0, 0, 0, 5]), reason, ...term };
  }
}

function subject(dice: Dice): string {
  return `subject-${dice.below(SUBJECTS)}`;
}

export function delay(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, ms);
  return promise;
}
