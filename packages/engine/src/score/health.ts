/**
 * Health 0..100: half the worst part, half the mean of the parts reported (`scoring.md`, section 6). What is missing
 * is left out, never perfect; a report that grows old says less and less.
 */
import type { CompiledPolicy, HealthPartRule } from "../policy/compile.ts";
import type { WorkChunk } from "../state/row-table.ts";
import { HEALTH_AT, HEALTH_PRESENT, HEALTH_VALUES, IN_FLIGHT } from "../state/work-row.ts";

export const HEALTH_MAX = 100;

/** Reused; valid until the next read. */
export interface HealthReading {
  /** True when at least one part counts. */
  known: boolean;
  /** What the newest report says, and the middle of the interval that its age leaves, but no more than that. */
  reported: number;
  score: number;
  lower: number;
  upper: number;
  /** When it was taken, ms since 1970. */
  at: number;
}

export function newHealthReading(): HealthReading {
  return { known: false, reported: 0, score: 0, lower: 0, upper: HEALTH_MAX, at: 0 };
}

/**
 * Reads the health of a work row at `nowMs`. Within one interval a report counts as it is; from there on its interval
 * opens in proportion to its age, and at the age of silence it is 0..100: nothing is known any more.
 */
export function readHealth(
  work: WorkChunk,
  from: number,
  compiled: CompiledPolicy,
  nowMs: number,
  into: HealthReading,
): void {
  into.at = work.f64[from + HEALTH_AT]!;
  into.known = false;
  into.reported = 0;
  into.lower = 0;
  into.upper = HEALTH_MAX;
  into.score = HEALTH_MAX / 2;
  const present = work.u32[from * 2 + HEALTH_PRESENT]!;
  if (present === 0) return;
  const busy = work.u32[from * 2 + IN_FLIGHT]! > 0;
  let worst = HEALTH_MAX;
  let sum = 0;
  let count = 0;
  for (let place = 0; place < compiled.healthParts.length; place++) {
    if ((present & (1 << place)) === 0) continue;
    const part = compiled.healthParts[place]!;
    if (part.idleOnly && busy) continue;
    const score = partScore(part, work.f64[from + HEALTH_VALUES + place]!);
    sum += score;
    count += 1;
    if (!part.idleOnly && score < worst) worst = score;
  }
  if (count === 0) return;
  into.known = true;
  into.reported = (worst + sum / count) / 2;
  const width = HEALTH_MAX * staleness(compiled, nowMs - into.at);
  into.lower = Math.max(0, into.reported - width);
  into.upper = Math.min(HEALTH_MAX, into.reported + width);
  // Time says less and less, but nothing good: an ill one does not get well by falling silent.
  into.score = Math.min(into.reported, (into.lower + into.upper) / 2);
}

/** 100 up to `good`, 0 from `bad` on, linear between, whichever of the two is larger. */
export function partScore({ good, bad }: HealthPartRule, value: number): number {
  return HEALTH_MAX * Math.max(0, Math.min(1, (value - bad) / (good - bad)));
}

/** 0 while a report is fresh, 1 when its subject is silent. */
function staleness(compiled: CompiledPolicy, ageMs: number): number {
  const { intervalMs, silentAfter } = compiled.policy.health;
  if (ageMs <= intervalMs) return 0;
  const spanMs = intervalMs * (silentAfter - 1);
  return spanMs === 0 ? 1 : Math.min(1, (ageMs - intervalMs) / spanMs);
}
