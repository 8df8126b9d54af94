/** What keeps a subject out of the ordinary draw: one answer for those who choose and those who ask why. */
import { silentAfterMs, type HealthReading } from "../score/health.ts";
import { FLAGS, IS_BANNED, IS_SUSPENDED, LAST_AT, ON_PROBATION, type Chunk } from "../state/row-table.ts";
import type { Kind } from "../state/state.ts";
import { BANNED, LOW_HEALTH, PROBATION, SILENT, SUSPENDED } from "./candidates.ts";

/** Flags of {@link Candidates} of a row at `nowMs`; `health` is what was read of it for that instant. */
export function flagsOf(
  kind: Kind,
  chunk: Chunk,
  start: number,
  health: Readonly<HealthReading>,
  nowMs: number,
): number {
  const flags = chunk.u32[start * 2 + FLAGS]!;
  let out = 0;
  if ((flags & IS_BANNED) !== 0) out |= BANNED;
  if ((flags & IS_SUSPENDED) !== 0) out |= SUSPENDED;
  if ((flags & ON_PROBATION) !== 0) out |= PROBATION;
  // Only who reports health can fall silent; who never did is known by its jobs alone.
  if (health.at > 0 && nowMs >= chunk.f64[start + LAST_AT]! + silentAfterMs(kind.compiled)) out |= SILENT;
  if (health.known && health.score < kind.compiled.policy.health.floor) out |= LOW_HEALTH;
  return out;
}
