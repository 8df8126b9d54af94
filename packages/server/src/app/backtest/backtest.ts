/**
 * What another policy would have made of the same events: the log is replayed twice side by side, once as it is and
 * once under the candidate, and the two ends are compared.
 */
import {
  apply,
  createState,
  decodeBatch,
  EMPTY_ENTRY,
  kindNamed,
  standing,
  type Act,
  type Batch,
  type Entry,
  type Kind,
  type Policy,
  type State,
} from "@staunch/engine";
import type { Log } from "../../ports/log.ts";
import { movedCuts } from "../facts/tier-cuts.ts";

/** Movers listed in each direction. */
const MOVERS_MAX = 10;
/** Differences below this, in points, are no move. */
const MOVE_MIN = 0.01;
/** Score changes are counted between these steps, in points. */
const CHANGE_STEPS = [-20, -10, -5, -1, -MOVE_MIN, MOVE_MIN, 1, 5, 10, 20];

export interface Mover {
  readonly id: string;
  readonly score: { readonly before: number; readonly after: number };
  readonly tier: { readonly before: string; readonly after: string };
  /** Places in the ranking; null when not ranked. */
  readonly place: { readonly before: number | null; readonly after: number | null };
}

/** How many went from one tier to another. */
interface TierFlow {
  readonly from: string;
  readonly to: string;
  readonly subjects: number;
}

/** How many scores changed by at least `from` and less than `to` points; null is open. */
interface ChangeBin {
  readonly from: number | null;
  readonly to: number | null;
  readonly subjects: number;
}

export interface BacktestReport {
  readonly kind: string;
  readonly subjects: number;
  readonly events: number;
  /** Instant that is compared, milliseconds since 1970: the end of the log. */
  readonly asOf: number;
  /** The samples of records up to here are gone from the log; 0 when all are there. */
  readonly samplesMissingTo: number;
  readonly up: number;
  readonly down: number;
  readonly tierChanged: number;
  /** Names of the tiers of both policies, best first. */
  readonly tiers: readonly string[];
  readonly flows: readonly TierFlow[];
  readonly changes: readonly ChangeBin[];
  /** Largest changes of score first. */
  readonly raised: readonly Mover[];
  readonly lowered: readonly Mover[];
}

export type BacktestResult =
  | { readonly type: "compared"; readonly report: BacktestReport }
  | { readonly type: "unknown_kind"; readonly known: readonly string[] }
  | { readonly type: "corrupt"; readonly position: number; readonly detail: string };

export interface BacktestOptions {
  readonly kind: string;
  readonly policy: Policy;
  /** Called after each record with the events replayed so far. */
  readonly onProgress?: (events: number) => void;
}

/** @throws LogDamagedError when a record is damaged */
export async function backtest(log: Log, options: BacktestOptions): Promise<BacktestResult> {
  const before = createState(REPLAY);
  const after = createState(REPLAY);
  const candidate = new Candidate(after, options);
  let events = 0;
  let samplesMissingTo = 0;
  for await (const record of log.read(1)) {
    if (record.kind === "epoch") continue;
    const decoded = decodeBatch(record.position, record.body);
    if (decoded.type === "corrupt")
      return { type: "corrupt", position: record.position, detail: decoded.detail };
    if (!decoded.complete) samplesMissingTo = record.position;
    apply(before, decoded.batch);
    apply(after, candidate.rewrite(decoded.batch));
    events += record.eventCount;
    options.onProgress?.(events);
  }
  const kinds = { before: kindNamed(before, options.kind), after: kindNamed(after, options.kind) };
  if (kinds.before === undefined || kinds.after === undefined) {
    return { type: "unknown_kind", known: before.kinds.map(({ name }) => name) };
  }
  const head = { kind: options.kind, events, asOf: before.now, samplesMissingTo };
  return {
    type: "compared",
    report: { ...head, ...compare(before, after, kinds.before), tiers: tiersOf(kinds.before, kinds.after) },
  };
}

/** Aggregates do not enter scores, so a comparison of scores does without them; the seed only spreads hashes. */
const REPLAY = { seed: 1, policies: {}, aggregates: false } as const;

/**
 * Exchanges what the log says of the policy for the candidate, and cuts of tiers for those of the candidate's ranking.
 * They are taken where the service took its own, so that the policy in force, as a candidate, changes nothing; only
 * where the log has none, because its policy goes by scores, once in each update interval.
 */
class Candidate {
  private readonly state: State;
  private readonly kind: string;
  private readonly policy: Policy;
  private hasLoggedCuts = false;
  private cutsAt = -Infinity;

  constructor(state: State, { kind, policy }: BacktestOptions) {
    this.state = state;
    this.kind = kind;
    this.policy = policy;
  }

  rewrite(batch: Batch): Batch {
    const entries = batch.entries.map((entry) => this.rewriteEntry(entry));
    const due = !this.hasLoggedCuts && batch.loggedAt - this.cutsAt >= this.policy.updateIntervalMs;
    if (!due) return { ...batch, entries };
    this.cutsAt = batch.loggedAt;
    return { ...batch, entries: [...entries, { ...EMPTY_ENTRY, acts: this.cuts() }] };
  }

  private rewriteEntry(entry: Entry): Entry {
    return entry.acts.length === 0
      ? entry
      : { ...entry, acts: entry.acts.flatMap((act) => this.rewriteAct(act)) };
  }

  private rewriteAct(act: Act): Act[] {
    if (act.type === "policy.activated" && act.kind === this.kind) {
      this.hasLoggedCuts = act.policy.tiers.mode === "percentile";
      // The candidate takes the place of the first policy; there is no other.
      return kindNamed(this.state, this.kind) === undefined ? [{ ...act, policy: this.policy }] : [];
    }
    return act.type === "tier.cuts" && act.kind === this.kind ? this.cuts() : [act];
  }

  private cuts(): Act[] {
    const kind = kindNamed(this.state, this.kind);
    return kind === undefined ? [] : [movedCuts(kind)].filter((act) => act !== null);
  }
}

type Comparison = Omit<BacktestReport, "tiers" | "kind" | "events" | "asOf" | "samplesMissingTo">;

function compare(before: State, after: State, kind: Kind): Comparison {
  const flows = new Map<string, TierFlow>();
  const bins = newBins();
  const raised = new TopMovers(1);
  const lowered = new TopMovers(-1);
  let subjects = 0;
  let tierChanged = 0;
  for (let subject = 0; subject < before.places.count; subject++) {
    if (before.places.kindOf(subject) !== kind.index) continue;
    subjects += 1;
    const mover = moverOf(before, after, subject);
    const { tier, score } = mover;
    if (tier.before !== tier.after) tierChanged += 1;
    const flow = `${tier.before} ${tier.after}`;
    flows.set(flow, { from: tier.before, to: tier.after, subjects: (flows.get(flow)?.subjects ?? 0) + 1 });
    const change = score.after - score.before;
    bins.find(({ to }) => to === null || change < to)!.subjects += 1;
    raised.add(mover);
    lowered.add(mover);
  }
  return {
    subjects,
    up: raised.count,
    down: lowered.count,
    tierChanged,
    flows: [...flows.values()].toSorted((a, b) => b.subjects - a.subjects),
    changes: bins,
    raised: raised.list,
    lowered: lowered.list,
  };
}

function tiersOf(before: Kind, after: Kind): string[] {
  return [...new Set([before, after].flatMap(({ compiled }) => compiled.policy.tiers.names))];
}

function moverOf(before: State, after: State, subject: number): Mover {
  const old = standing(before, subject, before.now);
  const current = standing(after, subject, after.now);
  return {
    id: old.id,
    score: { before: old.score, after: current.score },
    tier: { before: old.tier, after: current.tier },
    place: { before: old.place, after: current.place },
  };
}

function newBins(): { from: number | null; to: number | null; subjects: number }[] {
  const ends = [null, ...CHANGE_STEPS, null];
  return ends.slice(1).map((to, index) => ({ from: ends[index]!, to, subjects: 0 }));
}

/** Counts all who moved in one direction and keeps those who moved farthest. */
class TopMovers {
  count = 0;
  list: Mover[] = [];
  private readonly sign: 1 | -1;

  constructor(sign: 1 | -1) {
    this.sign = sign;
  }

  add(mover: Mover): void {
    const distance = this.distanceOf(mover);
    if (distance < MOVE_MIN) return;
    this.count += 1;
    if (this.list.length === MOVERS_MAX && distance <= this.distanceOf(this.list.at(-1)!)) return;
    this.list.push(mover);
    this.list.sort((a, b) => this.distanceOf(b) - this.distanceOf(a));
    this.list.length = Math.min(this.list.length, MOVERS_MAX);
  }

  private distanceOf({ score }: Mover): number {
    return (score.after - score.before) * this.sign;
  }
}
