/** The fields of each type of event, what each must be, and the check of one event against them. */
import {
  EARNINGS_MAX,
  HEALTH_PARTS_MAX,
  healthRange,
  JOB_DURATION_MAX_MS,
  JOB_OUTCOMES,
  METRIC_NAMES,
  metricCode,
  nearest,
  PENALTY_TYPES,
  REWARD_TYPES,
  SAMPLE_WEIGHT_MAX,
  SEVERITIES,
  show,
} from "@staunch/engine";
import type { Flaw } from "./rejection.ts";
import {
  checkAttributes,
  checkBoolean,
  checkDuration,
  checkFacts,
  checkId,
  checkKind,
  checkNumber,
  checkNumbers,
  checkOneOf,
  checkReason,
  checkText,
  checkTexts,
  checkTime,
  isMap,
  orNull,
  type Check,
} from "./values.ts";

export const EVENT_TYPES = [
  "metric",
  "job",
  "health",
  "subject",
  "penalty",
  "penalty_revoked",
  "reward",
  "reward_revoked",
  "misbehaviour",
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** An event whose own fields are right, each on its own. */
export type CheckedEvent = { readonly type: EventType; readonly [field: string]: unknown };

/** A checked event that waits for the number of its subject. */
export interface PendingEvent {
  /** Place of the event in the request. */
  readonly index: number;
  readonly event: CheckedEvent;
}

const REASON_BYTES_MAX = 1024;
const CONTEXT_BYTES_MAX = 256;
const EVIDENCE_MAX = 32;
const EVIDENCE_BYTES_MAX = 1024;
const POINTS_MAX = 1_000_000;
/** Resources that one job names. */
const RESOURCES_MAX = 16;
const SELECTION_ID = /^sel_[1-9]\d{0,11}_(?:0|[1-9]\d{0,4})$/u;

interface FieldRule {
  readonly required: boolean;
  readonly check: Check;
}

const required = (check: Check): FieldRule => ({ required: true, check });
const optional = (check: Check): FieldRule => ({ required: false, check });

// `type` has been looked at when the rules are chosen.
const type = required(() => null);
const id = optional(checkId);
const subject = required(checkId);
const kind = optional(checkKind);
const at = optional(checkTime);
const reason = required(checkReason(REASON_BYTES_MAX));
const facts = optional(checkFacts);
const jobDuration = optional(
  checkNumber(
    `more than 0 and at most ${JOB_DURATION_MAX_MS} ms`,
    (value) => value > 0 && value <= JOB_DURATION_MAX_MS,
  ),
);

const RULES: { readonly [type in EventType]: { readonly [field: string]: FieldRule } } = {
  metric: {
    type,
    subject,
    metric: required(checkMetric),
    value: required(checkNumber("a number", () => true)),
    at,
    weight: optional(checkNumber(`more than 0 and at most ${SAMPLE_WEIGHT_MAX}`, isWeight)),
    ok: optional(checkBoolean),
    monitor: optional(checkId),
    context: optional(checkText(CONTEXT_BYTES_MAX)),
    kind,
    id,
  },
  job: {
    type,
    subject,
    outcome: required(checkOneOf(JOB_OUTCOMES)),
    at,
    selection_id: optional(checkSelectionId),
    duration_ms: jobDuration,
    expected_ms: jobDuration,
    reserved: optional(checkNumbers(RESOURCES_MAX, (_, value) => (value > 0 ? null : "more than 0"))),
    used: optional(checkNumbers(RESOURCES_MAX, (_, value) => (value >= 0 ? null : "0 or more"))),
    quality: optional(checkNumber("0 to 1", (value) => value >= 0 && value <= 1)),
    earnings: optional(checkNumber(`0 to ${EARNINGS_MAX}`, (value) => value >= 0 && value <= EARNINGS_MAX)),
    sla_met: optional(checkBoolean),
    job_id: id,
    job_class: id,
    kind,
    id,
  },
  health: {
    type,
    subject,
    at,
    parts: optional(checkNumbers(HEALTH_PARTS_MAX, healthLimit)),
    request_count: optional(checkNumber("a whole number from 1", (value) => isCount(value) && value > 0)),
    error_count: optional(checkNumber("a whole number from 0", isCount)),
    kind,
    id,
  },
  subject: {
    type,
    subject,
    kind,
    operator: optional(orNull(checkId)),
    attributes: optional(checkAttributes),
    id,
  },
  penalty: {
    type,
    subject,
    penalty: required(checkOneOf(PENALTY_TYPES)),
    severity: optional(checkOneOf(SEVERITIES)),
    points: optional(checkNumber(`0 to ${POINTS_MAX}`, (value) => value >= 0 && value <= POINTS_MAX)),
    fraction: optional(checkNumber("0 to 1", (value) => value >= 0 && value <= 1)),
    reason,
    at,
    expires_at: optional(orNull(checkTime)),
    duration: optional(checkDuration),
    fade: optional(checkOneOf(["none", "linear"])),
    evidence: optional(checkTexts(EVIDENCE_MAX, EVIDENCE_BYTES_MAX)),
    context: facts,
    job_id: id,
    kind,
    id,
  },
  penalty_revoked: { type, penalty_id: subject, reason, id },
  reward: {
    type,
    subject,
    reward: required(checkOneOf(REWARD_TYPES)),
    points: required(
      checkNumber(`more than 0 and at most ${POINTS_MAX}`, (value) => value > 0 && value <= POINTS_MAX),
    ),
    reason,
    at,
    context: facts,
    kind,
    id,
  },
  reward_revoked: { type, reward_id: subject, reason, id },
  misbehaviour: {
    type,
    subject,
    reason,
    evidence: required(checkTexts(EVIDENCE_MAX, EVIDENCE_BYTES_MAX, 1)),
    at,
    context: facts,
    job_id: id,
    kind,
    id,
  },
};

interface TypeRules {
  readonly fields: ReadonlyMap<string, FieldRule>;
  readonly required: readonly string[];
}

// Maps, so that a field named `constructor` is as unknown as any other.
const RULES_BY_TYPE: ReadonlyMap<string, TypeRules> = new Map(
  Object.entries(RULES).map(([name, rules]) => {
    const fields = new Map(Object.entries(rules));
    const needed = [...fields].filter(([, rule]) => rule.required).map(([field]) => field);
    return [name, { fields, required: needed }];
  }),
);

/** Whether events of this type have a subject. */
export function hasSubject(eventType: EventType): boolean {
  return "subject" in RULES[eventType];
}

/** The first mistake of an item, looking at each field on its own; an item without one is a {@link CheckedEvent}. */
export function flawOfFields(item: unknown): Flaw | null {
  if (!isMap(item))
    return { code: "not_an_object", field: null, detail: `an event is a map, not ${show(item)}` };
  const rules = typeof item["type"] === "string" ? RULES_BY_TYPE.get(item["type"]) : undefined;
  if (rules === undefined) return flawOfType(item);
  for (const field of Object.keys(item)) {
    const rule = rules.fields.get(field);
    if (rule === undefined) return unknownField(field, rules);
    const found = rule.check(item[field]);
    if (found !== null) return { code: found.code, field, detail: `${field} ${found.detail}` };
  }
  const missing = rules.required.find((field) => !Object.hasOwn(item, field));
  if (missing === undefined) return null;
  return { code: "missing_field", field: missing, detail: `${missing} is missing` };
}

/** The event's own id if it has a good one, for the report of what is wrong with the rest. */
export function ownIdOf(item: unknown): string | null {
  if (!isMap(item) || !Object.hasOwn(item, "id")) return null;
  return checkId(item["id"]) === null ? (item["id"] as string) : null;
}

function flawOfType(item: { readonly [field: string]: unknown }): Flaw {
  const field = "type";
  if (!Object.hasOwn(item, field))
    return { code: "missing_field", field, detail: `type is missing; ${typesHelp()}` };
  const sent = item[field];
  if (typeof sent !== "string")
    return { code: "wrong_type", field, detail: `type must be text; ${typesHelp()}` };
  const guess = nearest(sent, EVENT_TYPES);
  return { code: "unknown_type", field, detail: `there is no type ${show(sent)}; did you mean ${guess}?` };
}

function typesHelp(): string {
  return `it is one of ${EVENT_TYPES.join(", ")}`;
}

function unknownField(field: string, rules: TypeRules): Flaw {
  const guess = nearest(field, [...rules.fields.keys()]);
  const shown = show(field);
  return {
    code: "unknown_field",
    field: shown.slice(1, -1),
    detail: `there is no field ${shown}; did you mean ${guess}?`,
  };
}

function isCount(value: number): boolean {
  return value >= 0 && Number.isSafeInteger(value);
}

/** What a value of a health report should be; null when it is. */
function healthLimit(name: string, value: number): string | null {
  const [min, max] = healthRange(name);
  return value >= min && value <= max ? null : `${min} to ${max}`;
}

function checkSelectionId(value: unknown): ReturnType<Check> {
  if (typeof value !== "string") return { code: "wrong_type", detail: `must be text, not ${show(value)}` };
  if (SELECTION_ID.test(value)) return null;
  return {
    code: "invalid_text",
    detail: `must be the id of a selection, such as sel_4711_0, not ${show(value)}`,
  };
}

function isWeight(value: number): boolean {
  return value > 0 && value <= SAMPLE_WEIGHT_MAX;
}

function checkMetric(value: unknown): ReturnType<Check> {
  if (typeof value !== "string") return { code: "wrong_type", detail: `must be text, not ${show(value)}` };
  if (metricCode(value) >= 0) return null;
  const guess = nearest(value, METRIC_NAMES);
  return { code: "unknown_metric", detail: `names no metric: ${show(value)}; did you mean ${guess}?` };
}
