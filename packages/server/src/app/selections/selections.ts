/**
 * Selections among bids: chosen from the state as it is, written down with all that was looked at, and explained from
 * there later.
 */
import {
  Candidates,
  EMPTY_ENTRY,
  gather,
  kindNamed,
  NOBODY,
  parseSelectionId,
  select,
  Selection,
  selectionId,
  subjectCount,
  type Kind,
  type SelectionPolicy,
} from "@staunch/engine";
import type { Secrets } from "../../ports/secrets.ts";
import type { Idempotency } from "../acts.ts";
import type { History } from "../history/history.ts";
import type { Outcome, Partition, Refusal } from "../partition/partition.ts";
import { bidsOf, RECORDED_BIDS_MAX, type SelectionRecord } from "./record.ts";
import { UnderWay } from "./under-way.ts";

const SEED_BYTES = 4;

export interface Bid {
  readonly id: string;
  readonly price: number;
  readonly timeMs: number;
}

export interface SelectionRequest {
  readonly kind: string;
  readonly bids: readonly Bid[];
  /** Null: by the kind's policy, and drawn. */
  readonly method: SelectionPolicy | null;
  readonly seed: number | null;
  readonly priceReference: number | null;
  readonly timeReferenceMs: number | null;
  readonly jobId: string | null;
  readonly jobClass: string | null;
}

export interface MadeSelection {
  readonly id: string;
  readonly madeAt: number;
  readonly record: SelectionRecord;
  readonly outcome: string | null;
  readonly closedAt: number | null;
}

/** A bid that cannot stand, by its place. */
export interface BadBid {
  readonly index: number;
  readonly code: "unknown_subject" | "duplicate_bid" | "other_kind";
  readonly id: string;
}

export type SelectOutcome =
  | { readonly type: "selected"; readonly selection: MadeSelection }
  | { readonly type: "kind_not_found" }
  /** The kind's policy reads no jobs. */
  | { readonly type: "no_job_source" }
  | { readonly type: "bids_invalid"; readonly bids: readonly BadBid[] }
  | { readonly type: "key_reused" }
  | { readonly type: "refused"; readonly refusal: Refusal };

export class Selections {
  private readonly partition: Partition;
  private readonly history: Pick<History, "selection">;
  private readonly secrets: Secrets;
  private readonly candidates = new Candidates();
  private readonly selection = new Selection();
  private readonly underWay = new UnderWay();

  constructor(partition: Partition, history: Pick<History, "selection">, secrets: Secrets) {
    this.partition = partition;
    this.history = history;
    this.secrets = secrets;
  }

  /** Chooses and answers once the choice is durable. A repeat under the same key has the choice of the first. */
  async make(request: SelectionRequest, idempotency: Idempotency): Promise<SelectOutcome> {
    const { state } = this.partition;
    const kind = kindNamed(state, request.kind);
    if (kind === undefined) return { type: "kind_not_found" };
    if (!kind.compiled.hasWork) return { type: "no_job_source" };
    const identity = {
      ...EMPTY_ENTRY,
      idempotencyKey: idempotency.key,
      requestHash: idempotency.requestHash,
    };
    const repeat = state.memory.recall(identity);
    if (repeat?.type === "key_reused") return { type: "key_reused" };
    if (repeat?.type === "repeated") return this.repeated(repeat.selections);
    const subjects = this.subjectsOf(kind, request.bids);
    if (subjects.type === "invalid") return { type: "bids_invalid", bids: subjects.bids };
    const record = this.choose(kind, request, subjects.numbers);
    const { chosen, mode } = this.selection;
    const subject = chosen < 0 ? NOBODY : this.candidates.subject[chosen]!;
    const made = {
      kind: kind.name,
      chosen: subject,
      operator: chosen < 0 ? 0 : this.candidates.operator[chosen]!,
      exploring: mode === "exploration",
      record: new TextEncoder().encode(JSON.stringify(record)),
    };
    const choice = { kind, subject, operator: made.operator, exploring: made.exploring };
    if (subject !== NOBODY) this.underWay.add(choice);
    const outcome = await this.partition.submit({ ...identity, selections: [made] });
    this.underWay.remove(choice);
    return this.answer(outcome, record);
  }

  /** Null for an id that is none, was never given, or is older than the history. */
  async read(id: string): Promise<MadeSelection | null> {
    const number = parseSelectionId(id);
    if (number === -1) return null;
    const past = await this.history.selection(number);
    if (past === null) return null;
    const { madeAt, outcome, closedAt } = past;
    // Written by `make`.
    const record = JSON.parse(new TextDecoder().decode(past.record)) as SelectionRecord;
    return { id, madeAt, record, outcome, closedAt };
  }

  private async answer(outcome: Outcome, record: SelectionRecord): Promise<SelectOutcome> {
    if (outcome.type === "refused") return outcome;
    const { result, loggedAt } = outcome;
    if (result.type === "key_reused") return { type: "key_reused" };
    if (result.type === "repeated") return this.repeated(result.selections);
    const id = selectionId(result.selections[0]!);
    return { type: "selected", selection: { id, madeAt: loggedAt, record, outcome: null, closedAt: null } };
  }

  private async repeated(numbers: readonly number[]): Promise<SelectOutcome> {
    const first = numbers[0];
    const selection = first === undefined ? null : await this.read(selectionId(first));
    if (selection === null) throw new Error("a selection that was remembered is in no history");
    return { type: "selected", selection };
  }

  private subjectsOf(
    kind: Kind,
    bids: readonly Bid[],
  ):
    | { readonly type: "known"; readonly numbers: Uint32Array }
    | { readonly type: "invalid"; readonly bids: readonly BadBid[] } {
    const { state } = this.partition;
    const numbers = new Uint32Array(bids.length);
    const seen = new Set<number>();
    const bad: BadBid[] = [];
    for (const [index, { id }] of bids.entries()) {
      const number = state.ids.find(id);
      // Ids may be ahead of the state by what is still being logged.
      if (number === -1 || number >= subjectCount(state)) bad.push({ index, code: "unknown_subject", id });
      else if (state.places.kindOf(number) !== kind.index) bad.push({ index, code: "other_kind", id });
      else if (seen.has(number)) bad.push({ index, code: "duplicate_bid", id });
      else numbers[index] = number;
      seen.add(number);
    }
    return bad.length > 0 ? { type: "invalid", bids: bad } : { type: "known", numbers };
  }

  /** Fills {@link candidates} and {@link selection}. */
  private choose(kind: Kind, request: SelectionRequest, subject: Uint32Array): SelectionRecord {
    const { state } = this.partition;
    const nowMs = this.partition.now();
    const bids = {
      subject,
      price: Float64Array.from(request.bids, ({ price }) => price),
      timeMs: Float64Array.from(request.bids, ({ timeMs }) => timeMs),
    };
    const { candidates, selection } = this;
    gather(state, kind, bids, nowMs, candidates);
    this.underWay.countIn(candidates);
    const { policy } = kind.compiled;
    const method = request.method ?? policy.selection.policy;
    const seed = request.seed ?? this.newSeed();
    const { priceReference, timeReferenceMs } = request;
    const rules = { ...policy.selection, policy: method };
    select(
      candidates,
      { nowMs, seed, priceReference, timeReferenceMs, rules },
      this.underWay.windowOf(kind),
      selection,
    );
    const idOf = (bid: number): string | null => (bid < 0 ? null : state.ids.at(subject[bid]!));
    return {
      kind: kind.name,
      policy: policy.name,
      method,
      seed,
      jobId: request.jobId,
      jobClass: request.jobClass,
      mode: selection.mode,
      chosen: idOf(selection.chosen),
      priceReference: finiteOrNull(selection.priceReference),
      timeReferenceMs: finiteOrNull(selection.timeReferenceMs),
      draws: [...selection.numbers.subarray(0, selection.numberCount)],
      pair: [idOf(selection.pairFirst), idOf(selection.pairSecond)].filter((id) => id !== null),
      capped: idOf(selection.capped),
      capYielded: selection.capYielded,
      pairMargin: selection.pairSecond < 0 ? null : selection.pairMargin,
      bids: bidsOf(state, candidates, selection),
      bidsOmitted: Math.max(0, subject.length - RECORDED_BIDS_MAX),
    };
  }

  /** Nobody may know beforehand who will be drawn. */
  private newSeed(): number {
    const { buffer, byteOffset } = this.secrets.randomBytes(SEED_BYTES);
    return new DataView(buffer, byteOffset).getUint32(0);
  }
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
