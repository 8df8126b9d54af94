/** Silence: how long nothing was heard of a subject, but for the maintenance it had announced. */
import type { CompiledPolicy } from "../policy/compile.ts";
import { maintainedMs, reachedOutside } from "../sanction/maintenance.ts";
import type { Sanctions } from "../sanction/sanction.ts";
import { LAST_AT, type Chunk, type WorkChunk } from "../state/row-table.ts";
import { IDLE_MS, JOB_AT, workStart } from "../state/work-row.ts";

/** Time since the newest evidence, without maintenance. */
export function silentMs(
  chunk: Chunk,
  start: number,
  sanctions: Sanctions | undefined,
  nowMs: number,
): number {
  return absentMs(chunk.f64[start + LAST_AT]!, sanctions, nowMs);
}

/**
 * What the score loses by: silence, and for a worker under a policy that lets idle ones near their initial score the
 * time without a job, health reports or not. What it was idle before stays until good jobs have worked it off
 * (`workOff`): else a failed job would end the idleness, and raise the score.
 */
export function idleMs(
  chunk: Chunk,
  start: number,
  compiled: CompiledPolicy,
  sanctions: Sanctions | undefined,
  nowMs: number,
): number {
  const { work } = chunk;
  if (compiled.idlePerMs === 0 || work === null) return silentMs(chunk, start, sanctions, nowMs);
  const from = workStart(start);
  const jobAt = work.f64[from + JOB_AT]!;
  if (jobAt === 0) return silentMs(chunk, start, sanctions, nowMs);
  return work.f64[from + IDLE_MS]! + absentMs(jobAt, sanctions, nowMs);
}

/**
 * A job ends at `atMs`: the time without one before it is kept, and a good job works off as much as decay counts
 * between two pieces of evidence. Called before the job is the newest.
 */
export function workOff(
  work: WorkChunk,
  from: number,
  compiled: CompiledPolicy,
  sanctions: Sanctions | undefined,
  atMs: number,
  isGood: boolean,
): void {
  const jobAt = work.f64[from + JOB_AT]!;
  const idle = work.f64[from + IDLE_MS]! + (jobAt === 0 ? 0 : absentMs(jobAt, sanctions, atMs));
  work.f64[from + IDLE_MS] = isGood ? Math.max(0, idle - compiled.policy.maxGapMs) : idle;
}

function absentMs(sinceMs: number, sanctions: Sanctions | undefined, nowMs: number): number {
  const absent = Math.max(0, nowMs - sinceMs);
  if (absent === 0 || sanctions === undefined || sanctions.maintenance.length === 0) return absent;
  return absent - maintainedMs(sanctions.maintenance, sinceMs, nowMs);
}

/** Whether nothing was heard for so long that a subject of this kind counts as silent. */
export function isSilent(
  chunk: Chunk,
  start: number,
  compiled: CompiledPolicy,
  sanctions: Sanctions | undefined,
  nowMs: number,
): boolean {
  return silentMs(chunk, start, sanctions, nowMs) >= silentAfterMs(compiled);
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
