/** What keeps a subject out of the ordinary draw: one answer for those who choose and those who ask why. */
import type { Sanctions } from "../sanction/sanction.ts";
import type { HealthReading } from "../score/health.ts";
import { isSilent } from "../score/silence.ts";
import {
  FLAGS,
  IN_MAINTENANCE,
  IS_BANNED,
  IS_SUSPENDED,
  ON_PROBATION,
  type Chunk,
} from "../state/row-table.ts";
import type { Kind } from "../state/state.ts";
import { BANNED, LOW_HEALTH, MAINTENANCE, PROBATION, SILENT, SUSPENDED } from "./candidates.ts";

/** Flags of {@link Candidates} of a row at `nowMs`; `health` is what was read of it for that instant. */
export function flagsOf(
  kind: Kind,
  chunk: Chunk,
  start: number,
  health: Readonly<HealthReading>,
  sanctions: Sanctions | undefined,
  nowMs: number,
): number {
  const flags = chunk.u32[start * 2 + FLAGS]!;
  let out = 0;
  if ((flags & IS_BANNED) !== 0) out |= BANNED;
  if ((flags & IS_SUSPENDED) !== 0) out |= SUSPENDED;
  if ((flags & IN_MAINTENANCE) !== 0) out |= MAINTENANCE;
  if ((flags & ON_PROBATION) !== 0) out |= PROBATION;
  // Only who reports health can fall silent; who never did is known by its jobs alone.
  if (health.at > 0 && isSilent(chunk, start, kind.compiled, sanctions, nowMs)) out |= SILENT;
  if (health.known && health.score < kind.compiled.policy.health.floor) out |= LOW_HEALTH;
  return out;
}
