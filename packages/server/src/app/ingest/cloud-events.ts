/**
 * CloudEvents 1.0 around our events. The type is `staunch.<event type>.v1`, the data are the event's fields; `subject`
 * and `time` of the envelope stand for `subject` and `at` where the data have none. Other attributes are for those who
 * carried the event and are not looked at.
 *
 * `source` and `id` together name an event: one that was taken before under the same API key is not taken again.
 */
import { show } from "@staunch/engine";
import { EVENT_TYPES, hasSubject, type EventType } from "./event-fields.ts";
import type { Flaw } from "./rejection.ts";
import { checkId, isMap, timeMs } from "./values.ts";

export type Unwrapped =
  /** `key` is the same for every delivery of the event. */
  | { readonly type: "event"; readonly event: { readonly [field: string]: unknown }; readonly key: string }
  | { readonly type: "flaw"; readonly flaw: Flaw; readonly id: string | null };

const TYPE = /^staunch\.([a-z_]+)\.v1$/u;
const DATA_TYPE = /^application\/(?:[\w.+-]+\+)?json(?:\s*;.*)?$/iu;

/** The event inside an envelope, still unchecked but for what the envelope says. */
export function unwrapCloudEvent(envelope: unknown): Unwrapped {
  const found = flawOfEnvelope(envelope);
  const map = envelope as { readonly [attribute: string]: unknown };
  const id = isMap(envelope) && checkId(envelope["id"]) === null ? (envelope["id"] as string) : null;
  if (found !== null) return { type: "flaw", flaw: found, id };
  const type = TYPE.exec(map["type"] as string)![1] as EventType;
  const data = map["data"] as { readonly [field: string]: unknown };
  const event: { [field: string]: unknown } = { id: map["id"], ...data, type };
  if (map["time"] !== undefined && !Object.hasOwn(data, "at") && type !== "subject" && hasSubject(type)) {
    event["at"] = map["time"];
  }
  if (map["subject"] !== undefined && hasSubject(type)) event["subject"] = map["subject"];
  return { type: "event", event, key: `${map["source"] as string}\n${map["id"] as string}` };
}

function flawOfEnvelope(envelope: unknown): Flaw | null {
  if (!isMap(envelope)) return flaw(null, `a CloudEvent is a map, not ${show(envelope)}`);
  if (envelope["specversion"] !== "1.0") return flaw("specversion", 'specversion must be "1.0"');
  for (const name of ["id", "source"]) {
    const found = checkId(envelope[name]);
    if (found !== null) return flaw(name, `${name} ${found.detail}`);
  }
  const { type, time, data, datacontenttype, subject } = envelope;
  const name = typeof type === "string" ? TYPE.exec(type)?.[1] : undefined;
  if (!EVENT_TYPES.some((known) => known === name)) {
    const known = EVENT_TYPES.map((one) => `staunch.${one}.v1`).join(", ");
    return { code: "unknown_type", field: "type", detail: `type must be one of ${known}, not ${show(type)}` };
  }
  if (time !== undefined && (typeof time !== "string" || Number.isNaN(timeMs(time)))) {
    return flaw("time", "time must be like 2026-11-25T03:04:05Z");
  }
  if (
    datacontenttype !== undefined &&
    !(typeof datacontenttype === "string" && DATA_TYPE.test(datacontenttype))
  ) {
    return flaw("datacontenttype", "data must be JSON: leave datacontenttype out or send application/json");
  }
  if (!isMap(data)) return flaw("data", "data must be a map with the fields of the event");
  if (Object.hasOwn(data, "type") && data["type"] !== name)
    return conflict("type", "type of data and envelope differ");
  const differs = Object.hasOwn(data, "subject") && subject !== undefined && data["subject"] !== subject;
  return differs ? conflict("subject", "subject of data and envelope differ; send one of them") : null;
}

function flaw(field: string | null, detail: string): Flaw {
  return { code: "cloud_event_invalid", field, detail };
}

function conflict(field: string, detail: string): Flaw {
  return { code: "conflicting_fields", field, detail };
}
