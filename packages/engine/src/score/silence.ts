/** Silence: how long nothing was heard of a subject, but for the maintenance it had announced. */
import type { CompiledPolicy } from "../policy/compile.ts";
import { maintainedMs, reachedOutside } from "../sanction/maintenance.ts";
import type { Sanctions } from "../sanction/sanction.ts";
import { LAST_AT, type Chunk } from "../state/row-table.ts";

/** Time since the newest evidence, without maintenance. */
export function silentMs(
  chunk: Chunk,
  start: number,
  sanctions: Sanctions | undefined,
  nowMs: number,
): number {
  const lastAt = chunk.f64[start + LAST_AT]!;
  const absentMs = Math.max(0, nowMs - lastAt);
  if (absentMs === 0 || sanctions === undefined || sanctions.maintenance.length === 0) return absentMs;
  return absentMs - maintainedMs(sanctions.maintenance, lastAt, nowMs);
}

/** Time after the newest sign of life from which a subject is silent. */
export function silentAfterMs({ policy }: CompiledPolicy): number {
  return policy.health.intervalMs * policy.health.silentAfter;
}

/** When a subject that was last heard at `lastAtMs` falls silent, if it is not heard before. */
export function silentInstant(
  lastAtMs: number,
  compiled: CompiledPolicy,
  sanctions: Sanctions | undefined,
): number {
  return reachedOutside(sanctions?.maintenance ?? [], lastAtMs, silentAfterMs(compiled));
}
