/**
 * Whom the rule would suspend: who is surely bad by new evidence, and was told so before (`scoring.md`, sections 4 and
 * 5). Never more at once than a share of the pool, because a fleet that fails together has a cause outside of it.
 */
import { halfWidthOf } from "../score/interval.ts";
import { SUSPENSION_ISSUER } from "../sanction/suspension.ts";
import { roundHalfUp } from "../num/round.ts";
import type { SuspensionStarted } from "../event/acts.ts";
import {
  FLAGS,
  IN_MAINTENANCE,
  IS_LOW,
  IS_SUSPENDED,
  NUMBER,
  rowStart,
  SCORE,
  WINDOW_COUNT,
} from "../state/row-table.ts";
import type { Kind, State } from "../state/state.ts";

/** Of the worst so many are looked at. */
const LOOKED_AT_MAX = 1_000;

/** Everybody whom the rule would suspend, were there room, worst first. */
export function suspensionCandidates(state: State, kind: Kind): SuspensionStarted[] {
  const { enabled, upperBelow } = kind.compiled.policy.suspension;
  if (!enabled) return [];
  const due: SuspensionStarted[] = [];
  for (const row of kind.rank.bottomK(LOOKED_AT_MAX, () => 0)) {
    const start = rowStart(row);
    if (kind.table.chunkOf(row).f64[start + SCORE]! >= upperBelow) break;
    const act = suspensionOf(state, kind, row);
    if (act !== null) due.push(act);
  }
  return due;
}

/** As many of the candidates, worst first, as there is room for among the pool. */
export function dueSuspensions(
  state: State,
  kind: Kind,
  candidates: readonly SuspensionStarted[],
): readonly SuspensionStarted[] {
  return candidates.slice(0, Math.max(0, suspensionRoom(state, kind)));
}

/** How many more may be suspended by the rule now: at least one of a pool may always be. */
function suspensionRoom(state: State, kind: Kind): number {
  const { poolShare } = kind.compiled.policy.suspension;
  // Where nothing is known of who is active, everybody who is rated counts.
  const pool = kind.compiled.hasWork ? kind.network.active : kind.rank.count;
  let taken = 0;
  for (const { issuer, subject } of state.sanctions.suspended.values())
    if (issuer === SUSPENSION_ISSUER && state.places.kindOf(subject) === kind.index) taken += 1;
  return Math.max(1, Math.floor(poolShare * pool)) - taken;
}

function suspensionOf(state: State, kind: Kind, row: number): SuspensionStarted | null {
  const chunk = kind.table.chunkOf(row);
  const start = rowStart(row);
  const ints = start * 2;
  const flags = chunk.u32[ints + FLAGS]!;
  if ((flags & (IS_SUSPENDED | IN_MAINTENANCE)) !== 0 || (flags & IS_LOW) === 0) return null;
  const { upperBelow, evidenceMin } = kind.compiled.policy.suspension;
  const subject = chunk.u32[ints + NUMBER]!;
  const before = state.sanctions.of(subject)?.suspensions.at(-1)?.evidenceCount ?? 0;
  const observations = chunk.u32[ints + WINDOW_COUNT]! - before;
  if (observations < evidenceMin) return null;
  const upper = chunk.f64[start + SCORE]! + halfWidthOf(chunk, start, kind.compiled, state.now);
  if (upper >= upperBelow) return null;
  const bound = roundHalfUp(upper, 2);
  return {
    type: "suspension.started",
    subject,
    isAutomatic: true,
    expiresAt: null,
    evidence: [`upper bound of the score ${bound}`, `${observations} observations`],
    context: { upper_bound: bound, upper_below: upperBelow, observations },
    issuer: SUSPENSION_ISSUER,
    reason: `the score is surely below ${upperBelow}`,
  };
}
