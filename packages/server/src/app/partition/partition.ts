/**
 * The owner of a partition: everything that changes the state goes through here. Requests queue, a batch of them is
 * appended to the log, and when it is durable it is applied and everybody in it is answered; while one append is in
 * flight the next batch fills.
 */
import {
  apply,
  BATCH_EVENTS_MAX,
  countEvents,
  EMPTY_ENTRY,
  encodeBatch,
  type Act,
  type Effects,
  type Entry,
  type EntryResult,
  type Registration,
  type State,
} from "@staunch/engine";
import type { Clock } from "../../ports/clock.ts";
import type { AppendResult, Log, Tail } from "../../ports/log.ts";

/** Events that may wait for the log; what comes on top is refused until the queue has drained. */
export const QUEUE_EVENTS_MAX = 262_144;
/** An append without an answer is sent again this often before the log counts as failed. */
const RESENDS_MAX = 5;

/** Why nothing was written. */
export type Refusal =
  /** The disk is full: the same request works once there is room. */
  | { readonly type: "full" }
  /** The log failed or belongs to somebody else: this process writes no more. */
  | { readonly type: "stopped"; readonly detail: string }
  /** Too much is waiting. */
  | { readonly type: "overloaded" }
  | { readonly type: "closing" };

export type Outcome =
  | {
      readonly type: "applied";
      readonly position: number;
      readonly loggedAt: number;
      readonly result: EntryResult;
    }
  | { readonly type: "refused"; readonly refusal: Refusal };

/** A batch that is about to be applied. */
export interface NextBatch {
  readonly position: number;
  readonly loggedAt: number;
}

/** Told of every batch, replayed or live. */
export interface Follower {
  /** The state is still as it was before. */
  applying?(state: State, next: NextBatch): void;
  /** What the batch did, before anybody is answered; the effects are used again for the next. */
  applied(state: State, effects: Effects): void;
}

/** What depends on the state as a whole and must be in the log before it goes on. */
export interface Gate {
  /** Acts to log first; none when there is nothing. The state is as far as the log. */
  facts(state: State): readonly Act[];
  /** Whether applying these entries may call for facts, so that nothing may be appended before. */
  isAwaited(state: State, loggedAt: number, entries: readonly Entry[]): boolean;
}

interface Waiting {
  readonly entry: Entry;
  readonly events: number;
  /** Set for an import, which brings its own time. */
  readonly loggedAt: number | null;
  readonly answer: (outcome: Outcome) => void;
}

export interface PartitionOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly state: State;
  /** Tail of the log as claimed; the state is as far. */
  readonly tail: Tail;
  readonly commitEventsMax: number;
  readonly gate: Gate;
}

export class Partition {
  readonly state: State;
  private readonly log: Log;
  private readonly clock: Clock;
  private readonly commitEventsMax: number;
  private readonly gate: Gate;
  private readonly followers: Follower[] = [];
  private readonly queue: Waiting[] = [];
  private queuedEvents = 0;
  /** Kinds of ids that are named in requests not yet applied. */
  private readonly provisionalKinds = new Map<number, string>();
  private tail: Tail;
  private appliedHash: string;
  private running: Promise<void> | null = null;
  private refusal: Refusal | null = null;
  private closing = false;

  constructor(options: PartitionOptions) {
    this.log = options.log;
    this.clock = options.clock;
    this.state = options.state;
    this.tail = options.tail;
    this.appliedHash = options.tail.hash;
    this.commitEventsMax = options.commitEventsMax;
    this.gate = options.gate;
    this.state.position = options.tail.position;
  }

  /** Now, for readers: never before the newest batch. */
  now(): number {
    return Math.max(this.clock.now(), this.state.now);
  }

  /** Why writes are refused, or null. */
  get stopped(): Refusal | null {
    return this.refusal;
  }

  /** Events that wait for the log. */
  get waitingEvents(): number {
    return this.queuedEvents;
  }

  /** Log position and hash that the state is as of. */
  get applied(): { readonly position: number; readonly hash: string; readonly epoch: number } {
    return { position: this.state.position, hash: this.appliedHash, epoch: this.tail.epoch };
  }

  follow(follower: Follower): void {
    this.followers.push(follower);
  }

  /** Resolves ids for one request; `submit` or `discard` must follow before anything else happens. */
  draft(): Draft {
    return new Draft(this.state, this.provisionalKinds);
  }

  /** Queues a request. Resolves when it is durable and applied, or refused. */
  submit(entry: Entry, loggedAt: number | null = null): Promise<Outcome> {
    const events = countEvents([entry]);
    if (events > BATCH_EVENTS_MAX) {
      takeBack(entry.registrations, this.state, this.provisionalKinds);
      throw new RangeError(`a request of ${events} events is more than a record of the log holds`);
    }
    const refusal = this.refusalOf(events);
    if (refusal !== null) {
      takeBack(entry.registrations, this.state, this.provisionalKinds);
      return Promise.resolve({ type: "refused", refusal });
    }
    return new Promise((answer) => {
      this.queue.push({ entry, events, loggedAt, answer });
      this.queuedEvents += events;
      this.running ??= this.run();
    });
  }

  /** Lets time pass: appends an empty batch when a deadline is due or the refresh is, and nothing else is coming. */
  async tick(): Promise<void> {
    // With a full disk a tick is how the partition learns that there is room again.
    if (this.running !== null || this.closing || this.state.places.count === 0) return;
    if (this.refusal !== null && this.refusal.type !== "full") return;
    const now = this.clock.now();
    const intervalMs = Math.min(...this.state.kinds.map(({ compiled }) => compiled.policy.updateIntervalMs));
    const dueAt = Math.min(this.state.deadlines.peekDueAt(), this.state.provisional.nextOverAt());
    if (dueAt > now && now - this.state.now < intervalMs) return;
    this.running = this.run(true);
    await this.running;
  }

  /** Answers what is queued, then takes nothing more. */
  async close(): Promise<void> {
    this.closing = true;
    while (this.running !== null) await this.running;
  }

  private refusalOf(events: number): Refusal | null {
    if (this.closing) return { type: "closing" };
    if (this.refusal !== null && this.refusal.type !== "full") return this.refusal;
    return this.queuedEvents + events > QUEUE_EVENTS_MAX ? { type: "overloaded" } : null;
  }

  private async run(tick = false): Promise<void> {
    let batch = this.next();
    let appending = tick || batch.length > 0 ? this.append(batch) : null;
    while (appending !== null) {
      const loggedAt = appending.loggedAt;
      const result = await appending.result;
      if (result.type !== "appended") {
        this.refuseAll(batch, refusalFor(result));
        break;
      }
      this.refusal = null;
      this.tail = { position: result.position, hash: result.hash, epoch: this.tail.epoch, loggedAt };
      const durable = batch;
      // The next append runs in the log's thread while this batch is applied here.
      batch = this.gate.isAwaited(this.state, loggedAt, entriesOf(durable)) ? [] : this.take();
      appending = batch.length > 0 ? this.append(batch) : null;
      if (!this.applyBatch(durable, result.position, result.hash, loggedAt)) {
        await appending?.result;
        this.refuseAll(batch, this.refusal!);
        break;
      }
      if (appending === null) {
        batch = this.next();
        appending = batch.length > 0 ? this.append(batch) : null;
      }
    }
    this.running = null;
  }

  /** What must be logged first, or what waits. */
  private next(): Waiting[] {
    const acts = this.gate.facts(this.state);
    if (acts.length === 0) return this.take();
    const entry = { ...EMPTY_ENTRY, acts };
    return [{ entry, events: acts.length, loggedAt: this.tail.loggedAt, answer: () => undefined }];
  }

  /** As many waiting requests as fit one batch; an import's batch is its own. */
  private take(): Waiting[] {
    const batch: Waiting[] = [];
    let events = 0;
    while (batch.length < this.queue.length) {
      const next = this.queue[batch.length]!;
      if (
        batch.length > 0 &&
        (events + next.events > this.commitEventsMax || next.loggedAt !== batch[0]!.loggedAt)
      )
        break;
      events += next.events;
      batch.push(next);
    }
    this.queue.splice(0, batch.length);
    this.queuedEvents -= events;
    return batch;
  }

  private append(batch: readonly Waiting[]): { loggedAt: number; result: Promise<AppendResult> } {
    const entries = entriesOf(batch);
    const own = batch[0]?.loggedAt ?? null;
    const loggedAt = Math.max(own ?? this.clock.now(), this.tail.loggedAt, this.state.now);
    const body = encodeBatch({ loggedAt, entries });
    const { position, hash, epoch } = this.tail;
    const request = {
      prevPosition: position,
      prevHash: hash,
      epoch,
      loggedAt,
      eventCount: countEvents(entries),
      body,
    };
    return { loggedAt, result: this.appendSurely(request, entries) };
  }

  /** Sends an append again while nobody knows whether it landed; the log takes it once. */
  private async appendSurely(
    request: Parameters<Log["append"]>[0],
    entries: readonly Entry[],
  ): Promise<AppendResult> {
    for (let resends = 0; ; resends++) {
      // The first sending gave its memory away, so a further one encodes anew.
      const body = resends === 0 ? request.body : encodeBatch({ loggedAt: request.loggedAt, entries });
      const result = await this.log.append({ ...request, body });
      if (result.type !== "unknown" || resends === RESENDS_MAX) return result;
    }
  }

  /**
   * Applies what is durable and answers. An assertion that fails in here means that state and log no longer agree:
   * the partition writes no more, and a restart folds the log anew.
   */
  private applyBatch(batch: readonly Waiting[], position: number, hash: string, loggedAt: number): boolean {
    try {
      this.fold(batch, position, hash, loggedAt);
      return true;
    } catch (error) {
      const refusal: Refusal = {
        type: "stopped",
        detail: `batch ${position} could not be applied: ${String(error)}`,
      };
      this.refusal = refusal;
      for (const { answer } of batch) answer({ type: "refused", refusal });
      return false;
    }
  }

  private fold(batch: readonly Waiting[], position: number, hash: string, loggedAt: number): void {
    for (const follower of this.followers) follower.applying?.(this.state, { position, loggedAt });
    const effects = apply(this.state, { position, loggedAt, entries: entriesOf(batch) });
    this.appliedHash = hash;
    for (const { entry } of batch)
      for (const { number } of entry.registrations) this.provisionalKinds.delete(number);
    for (const follower of this.followers) follower.applied(this.state, effects);
    for (const [index, waiting] of batch.entries()) {
      waiting.answer({ type: "applied", position, loggedAt, result: effects.results[index]! });
    }
  }

  private refuseAll(batch: readonly Waiting[], refusal: Refusal): void {
    this.refusal = refusal;
    const refused = [...batch, ...this.queue.splice(0)];
    this.queuedEvents = 0;
    this.withdraw();
    for (const { answer } of refused) answer({ type: "refused", refusal });
  }

  /** Ids that were numbered for requests which are not in the log. */
  private withdraw(): void {
    this.state.ids.truncate(this.state.places.count);
    this.provisionalKinds.clear();
  }
}

/** Numbers for the ids of one request; ids that nobody has named before get the next numbers. */
export class Draft {
  readonly registrations: Registration[] = [];
  private readonly state: State;
  private readonly provisionalKinds: Map<number, string>;

  constructor(state: State, provisionalKinds: Map<number, string>) {
    this.state = state;
    this.provisionalKinds = provisionalKinds;
  }

  /** Number of an id, or -1 when nobody has named it. */
  find(id: string): number {
    return this.state.ids.find(id);
  }

  /** Kind of a subject that is registered, or about to be. */
  kindOf(subject: number): string {
    const { places, kinds } = this.state;
    return subject < places.count ? kinds[places.kindOf(subject)]!.name : this.provisionalKinds.get(subject)!;
  }

  hasKind(kind: string): boolean {
    return this.state.kinds.some(({ name }) => name === kind);
  }

  /** Gives a new id its number; the caller has checked the id, that it is new, and that the kind exists. */
  register(id: string, kind: string): number {
    const number = this.state.ids.insert(id);
    this.registrations.push({ number, kind, id });
    this.provisionalKinds.set(number, kind);
    return number;
  }

  /** Takes back the numbers: the request will not be submitted. */
  discard(): void {
    takeBack(this.registrations, this.state, this.provisionalKinds);
    this.registrations.length = 0;
  }
}

/** The ids of a draft, or of a request that is refused at once, are the newest: nothing else has happened since. */
function takeBack(
  registrations: readonly Registration[],
  { ids }: State,
  provisionalKinds: Map<number, string>,
): void {
  const first = registrations[0];
  if (first === undefined) return;
  ids.truncate(first.number);
  for (const { number } of registrations) provisionalKinds.delete(number);
}

function entriesOf(batch: readonly Waiting[]): Entry[] {
  return batch.map(({ entry }) => entry);
}

function refusalFor(result: Exclude<AppendResult, { type: "appended" }>): Refusal {
  switch (result.type) {
    case "full":
      return { type: "full" };
    case "fenced":
      return {
        type: "stopped",
        detail: `another owner has written since, at position ${result.tail.position}`,
      };
    case "unknown":
      return { type: "stopped", detail: "the log gave no answer" };
    case "failed":
      return { type: "stopped", detail: result.detail };
  }
}
