/**
 * Live updates. Between two frames changes gather, one a subject; a frame is made once for all subscribers with the
 * same filter. Nobody can slow down anybody: who does not read loses frames and is told so, and what a frame has no
 * room for is left out with a `gap`.
 */
import type { Effects, State } from "@staunch/engine";
import { ChangeRing, noteChange, type Change, type Crossing } from "./change-ring.ts";
import {
  filterKey,
  letsSubject,
  letsType,
  NETWORK_CHANGED,
  SCORE_CHANGED,
  type LiveFilter,
} from "./filter.ts";
import { changeText, crossingText, frameText, gapText, GREETING, HEARTBEAT, networkText } from "./frame.ts";

/** Score changes in a frame; what comes on top is left out, oldest first. */
export const FRAME_CHANGES_MAX = 1_024;
/** Crossings in a frame. */
const FRAME_CROSSINGS_MAX = 1_024;
/** Changes of the fleet that one frame looks at; those of a subject that is watched by its id are never left out. */
const FRAME_LOOKS_MAX = 16_384;
/** Different filters that are not about one subject: each looks at the whole fleet's changes. */
export const FLEET_FILTERS_MAX = 100;
const HEARTBEAT_INTERVAL_MS = 15_000;

/** Where frames go. Never throws. */
export interface Sink {
  send(text: string): void;
  /** Bytes sent that nobody has taken yet. */
  backlogBytes(): number;
  /** Ends the connection. */
  end(): void;
}

export interface LiveLimits {
  readonly connectionsMax: number;
  readonly backlogMaxBytes: number;
  readonly framesPerSecond: number;
}

/** Runs something again and again until the returned function is called. */
export type Every = (intervalMs: number, run: () => void) => () => void;

export type SubscribeResult =
  | { readonly type: "subscribed"; readonly unsubscribe: () => void }
  | { readonly type: "too_many_connections"; readonly limit: number }
  | { readonly type: "too_many_filters"; readonly limit: number }
  | { readonly type: "closing" };

interface Subscriber {
  readonly sink: Sink;
  /** For the first frame: what came after it is still to be told. Null for who has joined. */
  resumeAfter: number | null;
  /** Frames were dropped since the last one that was sent. */
  dropped: boolean;
}

interface Group {
  readonly key: string;
  readonly filter: LiveFilter;
  readonly subscribers: Set<Subscriber>;
  /** Number of the one subject; -1 for the fleet, or while nobody has that id. */
  subject: number;
}

/** What happened since the last frame, with the texts that several groups share. */
interface News {
  readonly position: number;
  readonly at: number;
  readonly changes: readonly Change[];
  readonly crossings: readonly Crossing[];
  /** Whether those are all that there were. */
  readonly changesComplete: boolean;
  readonly crossingsComplete: boolean;
  readonly texts: Map<Change | Crossing, string>;
  /** What the networks that changed have come to, by kind. */
  readonly networks: ReadonlyMap<string, string>;
}

export class LiveHub {
  private readonly state: State;
  private readonly limits: LiveLimits;
  private readonly ring: ChangeRing;
  private readonly groups = new Map<string, Group>();
  private readonly watched = new Map<number, Group[]>();
  /** Changes of watched subjects since the last frame. */
  private watchedChanges = new Map<number, Change>();
  /** What was told of each network last, by kind. */
  private networks: ReadonlyMap<string, string> = new Map();
  private connections = 0;
  /** Position up to which frames were made. */
  private told: number;
  private stops: (() => void)[] = [];
  private closing = false;

  constructor(state: State, limits: LiveLimits) {
    this.state = state;
    this.limits = limits;
    this.told = state.position;
    this.ring = new ChangeRing(state.position);
  }

  start(every: Every): void {
    this.stops = [
      every(1_000 / this.limits.framesPerSecond, () => this.tick()),
      every(HEARTBEAT_INTERVAL_MS, () => this.heartbeat()),
    ];
  }

  get connectionCount(): number {
    return this.connections;
  }

  /** Takes in what a batch did. */
  applied(effects: Effects): void {
    this.ring.push(effects);
    if (this.groups.size > 0 && effects.list.some(({ type }) => type === "subject.registered"))
      this.findSubjects();
    if (this.watched.size === 0) return;
    const { changes, loggedAt } = effects;
    for (let index = 0; index < changes.count; index++) {
      const subject = changes.subject[index]!;
      if (!this.watched.has(subject)) continue;
      const { before, after, reason } = changes;
      noteChange(this.watchedChanges, subject, before[index]!, after[index]!, reason[index]!, loggedAt);
    }
  }

  /**
   * @param lastEventId log position of the last frame that was seen, or null to begin now
   */
  subscribe(filter: LiveFilter, lastEventId: number | null, sink: Sink): SubscribeResult {
    const { connectionsMax } = this.limits;
    if (this.closing) return { type: "closing" };
    if (this.connections >= connectionsMax) return { type: "too_many_connections", limit: connectionsMax };
    const group = this.groups.get(filterKey(filter)) ?? this.addGroup(filter);
    if (group === null) return { type: "too_many_filters", limit: FLEET_FILTERS_MAX };
    const subscriber: Subscriber = { sink, resumeAfter: lastEventId ?? this.state.position, dropped: false };
    group.subscribers.add(subscriber);
    this.connections += 1;
    sink.send(GREETING);
    return { type: "subscribed", unsubscribe: () => this.remove(group, subscriber) };
  }

  /** Makes and sends the frames of what happened since the last call. */
  tick(): void {
    const { position } = this.state;
    if (this.connections > 0) {
      const before = this.networks;
      this.networks = networksOf(this.state);
      const changed = [...this.networks].filter(([kind, text]) => before.get(kind) !== text);
      const fleet = { ...this.newsAfter(this.told, FRAME_LOOKS_MAX), networks: new Map(changed) };
      for (const group of this.groups.values()) this.serve(group, fleet);
    }
    this.told = position;
    this.watchedChanges = new Map();
  }

  /** Keeps connections open through what cuts silent ones. */
  heartbeat(): void {
    for (const { sink } of this.subscribers()) {
      if (sink.backlogBytes() <= this.limits.backlogMaxBytes) sink.send(HEARTBEAT);
    }
  }

  /** Sends what is left, ends all connections and takes no more. */
  close(): void {
    if (this.closing) return;
    this.tick();
    this.closing = true;
    for (const stop of this.stops) stop();
    for (const { sink } of this.subscribers()) sink.end();
    this.groups.clear();
    this.watched.clear();
    this.connections = 0;
  }

  private serve(group: Group, fleet: News): void {
    const news = group.filter.subject === null ? fleet : this.newsOfSubject(group, fleet);
    const frame = this.frameOf(group, news);
    for (const subscriber of group.subscribers) {
      if (subscriber.resumeAfter === null) this.deliver(subscriber, frame, news.position);
      else this.greet(group, subscriber, subscriber.resumeAfter);
    }
  }

  /** The first frame of a subscriber: everything since it was here last, as far as that is known. */
  private greet(group: Group, subscriber: Subscriber, resumeAfter: number): void {
    subscriber.resumeAfter = null;
    const news = this.newsAfter(resumeAfter);
    // A position that is not reached yet is of another log.
    const known = news.changesComplete && news.crossingsComplete && resumeAfter <= news.position;
    const text = this.frameOf(group, { ...news, changesComplete: true, crossingsComplete: true });
    this.deliver(subscriber, (known ? "" : gapText(news.position, "resume")) + text, news.position);
  }

  private deliver(subscriber: Subscriber, text: string, position: number): void {
    const { sink } = subscriber;
    if (sink.backlogBytes() > this.limits.backlogMaxBytes) {
      subscriber.dropped ||= text !== "";
      return;
    }
    if (subscriber.dropped) sink.send(gapText(position, "backlog"));
    subscriber.dropped = false;
    if (text !== "") sink.send(text);
  }

  private newsAfter(position: number, changesMax?: number): News {
    const { changes, complete: changesComplete } = this.ring.changesAfter(position, changesMax);
    const { crossings, complete: crossingsComplete } = this.ring.crossingsAfter(position);
    const { position: newest, now: at } = this.state;
    const complete = { changesComplete, crossingsComplete };
    // A state and no happening: who comes in is told what it is.
    const { networks } = this;
    return { position: newest, at, changes, crossings, ...complete, texts: new Map(), networks };
  }

  /** A watched subject's changes were gathered as they came: none is missing however busy the fleet is. */
  private newsOfSubject(group: Group, fleet: News): News {
    const change = this.watchedChanges.get(group.subject);
    return { ...fleet, changes: change === undefined ? [] : [change], changesComplete: true };
  }

  /** Empty when there is nothing to tell. */
  private frameOf(group: Group, news: News): string {
    const { filter } = group;
    const changes = letsType(filter, SCORE_CHANGED)
      ? news.changes.filter(({ subject }) => this.lets(group, subject))
      : [];
    const crossings = news.crossings.filter(({ effect }) => {
      if (!letsType(filter, effect.type)) return false;
      if (effect.type === "window.voided") return letsFleet(filter);
      if (effect.type === "policy.activated") return letsFleet(filter, effect.kind);
      return this.lets(group, effect.subject);
    });
    const fits = changes.length <= FRAME_CHANGES_MAX && crossings.length <= FRAME_CROSSINGS_MAX;
    const gap = fits && isComplete(filter, news) ? "" : gapText(news.position, "too_many");
    const networks = letsType(filter, NETWORK_CHANGED)
      ? [...news.networks].filter(([kind]) => letsFleet(filter, kind)).map(([, text]) => text)
      : [];
    if (changes.length + crossings.length + networks.length === 0) return gap;
    const text = <Item extends Change | Crossing>(
      item: Item,
      write: (state: State, item: Item) => string,
    ): string => {
      const known = news.texts.get(item) ?? write(this.state, item);
      news.texts.set(item, known);
      return known;
    };
    const changeTexts = changes.slice(-FRAME_CHANGES_MAX).map((change) => text(change, changeText));
    const crossingTexts = crossings
      .slice(-FRAME_CROSSINGS_MAX)
      .map((crossing) => text(crossing, crossingText));
    return gap + frameText(news.position, news.at, changeTexts, crossingTexts, networks);
  }

  private lets(group: Group, subject: number): boolean {
    if (group.filter.subject !== null && group.subject !== subject) return false;
    return letsSubject(group.filter, this.state, subject);
  }

  private addGroup(filter: LiveFilter): Group | null {
    const fleetFilters = [...this.groups.values()].filter((group) => group.filter.subject === null).length;
    if (filter.subject === null && fleetFilters >= FLEET_FILTERS_MAX) return null;
    const group: Group = { key: filterKey(filter), filter, subscribers: new Set(), subject: -1 };
    this.groups.set(group.key, group);
    this.watch(group);
    return group;
  }

  /** Ids that nobody had when their subscriber came may have been registered since. */
  private findSubjects(): void {
    for (const group of this.groups.values()) if (group.subject === -1) this.watch(group);
  }

  private watch(group: Group): void {
    if (group.filter.subject === null) return;
    const subject = this.state.ids.find(group.filter.subject);
    // The table of ids is ahead of the log by what is being written.
    if (subject === -1 || subject >= this.state.places.count) return;
    group.subject = subject;
    this.watched.set(subject, [...(this.watched.get(subject) ?? []), group]);
  }

  private remove(group: Group, subscriber: Subscriber): void {
    if (!group.subscribers.delete(subscriber)) return;
    if (this.closing) return;
    this.connections -= 1;
    if (group.subscribers.size > 0) return;
    this.groups.delete(group.key);
    const left = (this.watched.get(group.subject) ?? []).filter((other) => other !== group);
    if (left.length > 0) this.watched.set(group.subject, left);
    else this.watched.delete(group.subject);
  }

  private *subscribers(): Generator<Subscriber> {
    for (const { subscribers } of this.groups.values()) yield* subscribers;
  }
}

function networksOf({ kinds }: State): Map<string, string> {
  const networks = new Map<string, string>();
  for (const kind of kinds) {
    const text = networkText(kind);
    if (text !== null) networks.set(kind.name, text);
  }
  return networks;
}

/** Whether nothing is missing of what the filter is about. */
function isComplete(filter: LiveFilter, news: News): boolean {
  const changesWanted = letsType(filter, SCORE_CHANGED);
  const crossingsWanted =
    filter.types === null || filter.types.some((type) => type !== SCORE_CHANGED && type !== NETWORK_CHANGED);
  return (news.changesComplete || !changesWanted) && (news.crossingsComplete || !crossingsWanted);
}

/** A policy belongs to a kind, a monitor to nothing that can be chosen: neither to a subject, an operator or a tier. */
function letsFleet(filter: LiveFilter, kind: string | null = null): boolean {
  if (filter.subject !== null || filter.operator !== null || filter.tier !== null) return false;
  return filter.kind === null || filter.kind === kind;
}
