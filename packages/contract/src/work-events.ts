/** What workers did and how they are: events of the types `job` and `health`. */
import { z } from "zod";
import { at, id, kind, numbersByName, ownId, subject } from "./event-fields.ts";
import { JOB_OUTCOMES, type HEALTH_PARTS } from "./vocabulary.ts";

/** A year bounds a job and its estimate. */
export const JOB_DURATION_MAX_MS = 366 * 86_400_000;
export const EARNINGS_MAX = 1e15;
/** Resources that one job names. */
export const RESOURCES_MAX = 16;
/** Parts of one health report, and the most that a part which a policy adds may be in size. */
export const HEALTH_PARTS_MAX = 16;
export const HEALTH_VALUE_MAX = 1e15;

/** Ranges of the parts that every policy knows, both ends included: times in ms, shares in percent, bytes per second, Celsius. */
export const HEALTH_RANGES = {
  response_time: [0, 86_400_000],
  cpu_usage: [0, 100],
  memory_usage: [0, 100],
  disk_usage: [0, 100],
  network_latency: [0, 86_400_000],
  bandwidth: [0, 1e12],
  temperature: [-100, 250],
  gpu_utilization: [0, 100],
  gpu_temperature: [-100, 250],
  error_rate: [0, 100],
} as const satisfies { readonly [part in (typeof HEALTH_PARTS)[number]]: readonly [number, number] };

const resources = (description: string, isInside: (value: number) => boolean) =>
  numbersByName(RESOURCES_MAX, (_, value) => isInside(value), description);

export const jobEvent = z
  .strictObject({
    type: z.literal("job"),
    subject,
    outcome: z
      .enum(JOB_OUTCOMES)
      .describe("`declined` and `client_fault` say nothing about the worker and are only counted."),
    at,
    selection_id: z
      .string()
      .regex(/^sel_[1-9]\d{0,11}_(?:0|[1-9]\d{0,4})$/u)
      .optional()
      .describe("The selection that gave the worker this job; it is closed by the outcome."),
    duration_ms: duration("How long it took, up to a year."),
    expected_ms: duration("How long it was expected to take."),
    reserved: resources(
      "What was reserved for it: amounts by name, in any unit, more than 0.",
      (value) => value > 0,
    ),
    used: resources("What it used of that: the same names and units.", (value) => value >= 0),
    quality: z.number().min(0).max(1).optional().describe("Quality of the result, 0..1."),
    earnings: z.number().min(0).max(EARNINGS_MAX).optional().describe("In the network's currency."),
    sla_met: z.boolean().optional().describe("Whether the agreed service level was kept."),
    job_id: id("The job's own id, kept with the log.").optional(),
    job_class: id("Jobs of one class take about the same time.").optional(),
    kind,
    id: ownId,
  })
  .refine(({ reserved, used }) => (reserved === undefined) === (used === undefined))
  .refine(({ reserved, used }) => haveSameNames(reserved, used));

export const healthEvent = z
  .strictObject({
    type: z.literal("health"),
    subject,
    at,
    parts: numbersByName(
      HEALTH_PARTS_MAX,
      isHealthValue,
      "Values by part, as the policy of the kind names them: `response_time` and `network_latency` in ms, `cpu_usage`, `memory_usage`, `disk_usage`, `gpu_utilization` and `error_rate` in percent, `bandwidth` in bytes per second, `temperature` and `gpu_temperature` in Celsius.",
    ),
    request_count: z.int().min(1).optional().describe("Requests since the last report ..."),
    error_count: z.int().min(0).optional().describe("... and those that failed: together `error_rate`."),
    kind,
    id: ownId,
  })
  .refine(
    ({ request_count: requests, error_count: errors }) => (requests === undefined) === (errors === undefined),
  )
  .refine(({ request_count: requests, error_count: errors }) => (errors ?? 0) <= (requests ?? 0))
  .refine(({ parts, error_count: errors }) => parts !== undefined || errors !== undefined)
  .refine(
    ({ parts, error_count: errors }) => errors === undefined || !Object.hasOwn(parts ?? {}, "error_rate"),
  );

function duration(description: string) {
  return z.number().gt(0).max(JOB_DURATION_MAX_MS).optional().describe(description);
}

function isHealthValue(name: string, value: number): boolean {
  const [min, max] = Object.hasOwn(HEALTH_RANGES, name)
    ? HEALTH_RANGES[name as keyof typeof HEALTH_RANGES]
    : [-HEALTH_VALUE_MAX, HEALTH_VALUE_MAX];
  return value >= min && value <= max;
}

function haveSameNames(a: unknown, b: unknown): boolean {
  const names = Object.keys(a ?? {});
  return names.length === Object.keys(b ?? {}).length && names.every((name) => Object.hasOwn(b ?? {}, name));
}
