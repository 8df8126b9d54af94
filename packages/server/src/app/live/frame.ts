/** Frames as text: server-sent events, each a named event with the log position as its id. */
import { CHANGE_REASONS, kindOf, networkStanding, type Kind, type State } from "@staunch/engine";
import { BLOCK_COMPONENTS, readComponents, rounded } from "../projector/closing-values.ts";
import { detailOf, toldDetail } from "../projector/effect-rows.ts";
import { toldNetwork } from "../told-network.ts";
import type { Change, Crossing } from "./change-ring.ts";
import { SCORE_CHANGED, tierOf } from "./filter.ts";

/** How often a client that lost its connection tries again. */
const RETRY_MS = 2_000;

/** First words on a connection. */
export const GREETING = `retry: ${RETRY_MS}\n: live\n\n`;
export const HEARTBEAT = ": still here\n\n";

/** Everything that is new up to `position`. */
export function frameText(
  position: number,
  at: number,
  changes: readonly string[],
  events: readonly string[],
  networks: readonly string[],
): string {
  const lists = `"changes":[${changes.join(",")}],"events":[${events.join(",")}],"networks":[${networks.join(",")}]`;
  const data = `{"position":${position},"at":"${time(at)}",${lists}}`;
  return `id: ${position}\nevent: frame\ndata: ${data}\n\n`;
}

/** Something up to `position` was left out: read the standing again to know where things are. */
export function gapText(position: number, reason: "resume" | "backlog" | "too_many"): string {
  return `id: ${position}\nevent: gap\ndata: {"position":${position},"reason":"${reason}"}\n\n`;
}

const components = new Float32Array(BLOCK_COMPONENTS.length);

export function changeText(state: State, change: Change): string {
  const { subject, before, after, reason, at } = change;
  readComponents(state, subject, components);
  const breakdown: { [name: string]: number } = {};
  for (const [column, name] of BLOCK_COMPONENTS.entries()) {
    const value = components[column]!;
    if (!Number.isNaN(value)) breakdown[name] = rounded(value);
  }
  return JSON.stringify({
    type: SCORE_CHANGED,
    subject: state.ids.at(subject),
    kind: kindOf(state, subject).name,
    tier: tierOf(state, subject),
    old_score: rounded(before),
    new_score: rounded(after),
    change: rounded(after - before),
    reason: CHANGE_REASONS[reason],
    breakdown,
    at: time(at),
  });
}

/** Null for a kind whose network says nothing, because nobody in it was heard. */
export function networkText(kind: Kind): string | null {
  const network = networkStanding(kind);
  return network === null || network.rated === 0 ? null : JSON.stringify(toldNetwork(network));
}

export function crossingText(state: State, crossing: Crossing): string {
  const { position, place, at, effect } = crossing;
  const head = { id: `${position}.${place}`, type: effect.type, at: time(at) };
  if (effect.type === "policy.activated") {
    return JSON.stringify({ ...head, subject: null, kind: effect.kind, detail: { policy: effect.policy } });
  }
  if (effect.type === "window.voided") {
    const { monitor, metric, from, to, operators, failing, samples } = effect;
    const detail = { monitor, metric, starts_at: time(from), ends_at: time(to), operators, failing, samples };
    return JSON.stringify({ ...head, subject: null, kind: null, detail });
  }
  const { subject } = effect;
  const detail = effect.type === "subject.registered" ? {} : toldDetail(detailOf(effect));
  return JSON.stringify({
    ...head,
    subject: state.ids.at(subject),
    kind: kindOf(state, subject).name,
    detail,
  });
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
