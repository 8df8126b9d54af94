/** Job and health events: what is wrong between their fields, and their columns once their subjects have numbers. */
import {
  HEALTH_PARTS,
  JOB_OUTCOMES,
  nearest,
  parseSelectionId,
  SLA_MET,
  SLA_MISSED,
  type HealthColumns,
  type JobColumns,
  type JobOutcome,
  type Policy,
} from "@staunch/engine";
import type { CheckedEvent } from "./event-fields.ts";
import type { Flaw } from "./rejection.ts";

/** A job or a health report whose subject is known. */
export interface WorkEvent {
  readonly event: CheckedEvent;
  readonly subject: number;
  readonly atMs: number;
}

type Amounts = { readonly [name: string]: number };

/** What is wrong between the fields of a job or a health event whose fields are right on their own. */
export function flawOfWork(event: CheckedEvent): Flaw | null {
  if (event.type === "job") return flawOfResources(event);
  return event.type === "health" ? flawOfReport(event) : null;
}

/** What is wrong with a job or a health event of a subject of this kind: what its policy cannot take. */
export function flawOfPolicy(event: CheckedEvent, kind: string, policy: Policy): Flaw | null {
  return flawOfSource(event, kind, policy) ?? flawOfParts(event, policy);
}

/** Number of the selection that an outcome closes; 0 for none, -1 for an id that no selection can have. */
export function selectionOf({ selection_id: id }: CheckedEvent): number {
  return id === undefined ? 0 : parseSelectionId(id as string);
}

/** Names of the parts that a report tells. */
export function partsOf(event: CheckedEvent): string[] {
  return Object.keys(valuesOf(event));
}

/** Null when there are none. */
export function jobColumns(jobs: readonly WorkEvent[]): JobColumns | null {
  if (jobs.length === 0) return null;
  const numbers = (field: string): Float64Array =>
    Float64Array.from(jobs, ({ event }) => numberOf(event[field]));
  const texts = (field: string): (string | null)[] | null =>
    jobs.some(({ event }) => event[field] !== undefined)
      ? jobs.map(({ event }) => (event[field] ?? null) as string | null)
      : null;
  return {
    count: jobs.length,
    at: Float64Array.from(jobs, ({ atMs }) => atMs),
    subject: Uint32Array.from(jobs, ({ subject }) => subject),
    outcome: Uint8Array.from(jobs, ({ event }) => outcomeCode(event)),
    durationMs: numbers("duration_ms"),
    expectedMs: numbers("expected_ms"),
    usedShare: Float64Array.from(jobs, ({ event }) => usedShareOf(event)),
    quality: numbers("quality"),
    earnings: numbers("earnings"),
    selection: Float64Array.from(jobs, ({ event }) => selectionOf(event)),
    jobClass: texts("job_class"),
    jobId: texts("job_id"),
  };
}

/** Null when there are none. */
export function healthColumns(reports: readonly WorkEvent[]): HealthColumns | null {
  if (reports.length === 0) return null;
  const told = reports.map(({ event }) => valuesOf(event));
  const names = new Set(told.flatMap((values) => Object.keys(values)));
  return {
    count: reports.length,
    at: Float64Array.from(reports, ({ atMs }) => atMs),
    subject: Uint32Array.from(reports, ({ subject }) => subject),
    parts: Array.from(names, (name) => ({
      name,
      value: Float64Array.from(told, (values) => numberOf(values[name])),
    })),
  };
}

function flawOfResources({ reserved, used }: CheckedEvent): Flaw | null {
  if (reserved === undefined && used === undefined) return null;
  if (reserved === undefined) return missing("reserved", "used says nothing without reserved");
  if (used === undefined) return missing("used", "reserved says nothing without used");
  const names = Object.keys(reserved as Amounts);
  const isSame =
    names.length === Object.keys(used as Amounts).length &&
    names.every((name) => Object.hasOwn(used as Amounts, name));
  if (isSame) return null;
  return {
    code: "conflicting_fields",
    field: "used",
    detail: "used must name the same resources as reserved",
  };
}

function flawOfReport({ parts, request_count: requests, error_count: errors }: CheckedEvent): Flaw | null {
  if (parts === undefined && errors === undefined && requests === undefined)
    return missing("parts", `give parts of the report, such as ${HEALTH_PARTS[0]}`);
  if (errors === undefined && requests === undefined) return null;
  if (errors === undefined) return missing("error_count", "request_count says nothing without error_count");
  if (requests === undefined)
    return missing("request_count", "error_count says nothing without request_count");
  if ((errors as number) > (requests as number))
    return {
      code: "out_of_range",
      field: "error_count",
      detail: "error_count must be at most request_count",
    };
  if (!Object.hasOwn(parts ?? {}, "error_rate")) return null;
  const detail = "give error_rate or the counts it follows from, not both";
  return { code: "conflicting_fields", field: "error_count", detail };
}

/** Evidence that the kind's policy does not read would be taken and never seen again. */
function flawOfSource({ type }: CheckedEvent, kind: string, { name, sources }: Policy): Flaw | null {
  const source = type === "job" ? "jobs" : "health";
  if (sources.includes(source)) return null;
  const detail = `the policy ${name} of the kind ${kind} does not read ${source}; name another kind, or add ${source} to its sources`;
  return { code: "source_not_read", field: "type", detail };
}

function flawOfParts(event: CheckedEvent, { name, health }: Policy): Flaw | null {
  if (event.type !== "health") return null;
  const known = Object.keys(health.parts);
  const unknown = partsOf(event).find((part) => !known.includes(part));
  if (unknown === undefined) return null;
  const detail = `the policy ${name} knows no part ${unknown}; did you mean ${nearest(unknown, known)}?`;
  return { code: "unknown_part", field: "parts", detail };
}

/** Values by part; the counts of errors make one of them, in percent. */
function valuesOf({ parts, request_count: requests, error_count: errors }: CheckedEvent): Amounts {
  const values = (parts ?? {}) as Amounts;
  if (errors === undefined) return values;
  return { ...values, error_rate: (100 * (errors as number)) / (requests as number) };
}

function outcomeCode({ outcome, sla_met: slaMet }: CheckedEvent): number {
  const code = JOB_OUTCOMES.indexOf(outcome as JobOutcome);
  if (slaMet === undefined) return code;
  return code | (slaMet === true ? SLA_MET : SLA_MISSED);
}

/** Mean over the resources of used over reserved; more than was reserved counts as all of it. */
function usedShareOf({ reserved, used }: CheckedEvent): number {
  if (reserved === undefined) return Number.NaN;
  const shares = Object.entries(reserved as Amounts).map(([name, amount]) =>
    Math.min(1, (used as Amounts)[name]! / amount),
  );
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

function numberOf(value: unknown): number {
  return value === undefined ? Number.NaN : (value as number);
}

function missing(field: string, detail: string): Flaw {
  return { code: "missing_field", field, detail };
}
