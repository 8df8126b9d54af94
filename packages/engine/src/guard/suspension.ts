/**
 * Whom the rule would suspend: who is surely bad by new evidence, and was told so before (`scoring.md`, sections 4 and
 * 5). Never more at once than a share of the pool, because a fleet that fails together has a cause outside of it.
 */
import type { SuspensionStarted } from "../event/acts.ts";
import { roundHalfUp } from "../num/round.ts";
import { rankBucket } from "../rank/rank-index.ts";
import { freshWindows, SUSPENSION_ISSUER } from "../sanction/suspension.ts";
import { halfWidthOf } from "../score/interval.ts";
import {
  FLAGS,
  IN_MAINTENANCE,
  IS_BANNED,
  IS_LOW,
  IS_SUSPENDED,
  NUMBER,
  rowStart,
  SCORE,
  WINDOW_COUNT,
} from "../state/row-table.ts";
import type { Kind, State } from "../state/state.ts";

/** Subjects that one search looks at; the next one goes on behind them. */
export const SUSPENSION_SEARCH_MAX = 10_000;

/** Where a search goes on: behind this row in this bucket of the ranking. */
export interface SearchCursor {
  readonly bucket: number;
  readonly row: number;
}

export interface SuspensionSearch {
  /** Whom the rule would suspend, were there room, in no order. */
  readonly subjects: readonly number[];
  /** Null when everybody below the bound has been looked at: the next search starts over. */
  readonly next: SearchCursor | null;
}

/**
 * Looks for subjects to suspend among those that rank below the bound, from there down. However many of them cannot be
 * suspended, because they are or have given no new evidence, each is met once in a round of searches.
 */
export function searchSuspensions(state: State, kind: Kind, after: SearchCursor | null): SuspensionSearch {
  const { suspension, maxScore } = kind.compiled.policy;
  if (!suspension.enabled) return { subjects: [], next: null };
  const { bucket, row } = after ?? { bucket: rankBucket(suspension.upperBelow, maxScore), row: -1 };
  const rows = kind.rank.page(bucket, row, SUSPENSION_SEARCH_MAX);
  const subjects = rows
    .map((one) => kind.table.chunkOf(one).u32[rowStart(one) * 2 + NUMBER]!)
    .filter((subject) => suspensionOf(state, kind, subject) !== null);
  const last = rows.at(-1);
  const goesOn = rows.length === SUSPENSION_SEARCH_MAX && last !== undefined;
  return { subjects, next: goesOn ? { bucket: kind.rank.bucketOf(last), row: last } : null };
}

/** The suspensions of those among `subjects` whom the rule suspends, worst first. */
export function suspensionsOf(state: State, kind: Kind, subjects: Iterable<number>): SuspensionStarted[] {
  const scoreOf = ({ subject }: SuspensionStarted): number => {
    const row = state.places.rowOf(subject);
    return kind.table.chunkOf(row).f64[rowStart(row) + SCORE]!;
  };
  return [...subjects]
    .flatMap((subject) => suspensionOf(state, kind, subject) ?? [])
    .sort((a, b) => scoreOf(a) - scoreOf(b) || a.subject - b.subject);
}

/** As many of the suspensions as there is room for among the pool. */
export function dueSuspensions(
  state: State,
  kind: Kind,
  suspensions: readonly SuspensionStarted[],
): readonly SuspensionStarted[] {
  return suspensions.slice(0, Math.max(0, suspensionRoom(state, kind)));
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

function suspensionOf(state: State, kind: Kind, subject: number): SuspensionStarted | null {
  const row = state.places.rowOf(subject);
  const chunk = kind.table.chunkOf(row);
  const start = rowStart(row);
  const ints = start * 2;
  const flags = chunk.u32[ints + FLAGS]!;
  if ((flags & (IS_BANNED | IS_SUSPENDED | IN_MAINTENANCE)) !== 0 || (flags & IS_LOW) === 0) return null;
  const { upperBelow, evidenceMin } = kind.compiled.policy.suspension;
  const observations = freshWindows(
    state.sanctions.of(subject)?.suspensions,
    chunk.u32[ints + WINDOW_COUNT]!,
  );
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
