/** Brings a data set into the log, with the times of its records instead of the clock's. */
import {
  EMPTY_ENTRY,
  kindNamed,
  type Entry,
  type Policy,
  type SampleColumns,
  type SubjectUpdated,
} from "@staunch/engine";
import type { Outcome, Partition, Refusal } from "../partition/partition.ts";
import type { Facts } from "../facts/facts.ts";
import { eventsOf, type ImportBatch, type ImportSource, type ImportSubject } from "./import-source.ts";
import { mergeBatches } from "./merge-batches.ts";

/** Entries handed to the partition and not yet applied; well below what its queue takes. */
const IN_FLIGHT_MAX = 8;
/** Log time between two looks at the tier cuts. Each look waits for what is in flight, so that it is repeatable. */
const CUTS_EVERY_MS = 7 * 86_400_000;
/** Looks at least, where the source has as many batches: what monitors measured first counts only later. */
const CUTS_MIN = 100;

export interface ImportProgress {
  /** Events applied so far, and of how many. */
  readonly events: number;
  readonly eventsTotal: number;
  /** Time that the import has reached, milliseconds since 1970. */
  readonly atMs: number;
}

export interface ImportOptions {
  /** Added to every time; 0 keeps the recorded times. */
  readonly shiftMs: number;
  /** Policy of a kind that does not exist yet. */
  readonly policyOf: (kind: string) => Policy;
  /** Called after each step. */
  readonly onProgress?: (progress: ImportProgress) => void;
  /** Nothing follows, and the clock stands where the log does: what monitors saw last is let in as well. */
  readonly endsLog?: boolean;
  /** Waited for now and then, for whoever follows and must not fall behind. */
  readonly settle?: () => Promise<void>;
}

/** `known` of the events were in the log before, from an import that was interrupted. */
export type ImportResult =
  | { readonly type: "imported"; readonly subjects: number; readonly events: number; readonly known: number }
  /** Nothing after `events` was written; the same import again goes on from there. */
  | { readonly type: "refused"; readonly refusal: Refusal; readonly events: number };

/**
 * Submits every batch of a source and waits until all are durable and applied. An import that was interrupted can be
 * run again with the same shift: what the log already has is recognised by its sequence and left out.
 */
export async function importSource(
  partition: Partition,
  facts: Facts,
  source: ImportSource,
  options: ImportOptions,
): Promise<ImportResult> {
  const run = new ImportRun(partition, source, options);
  const cutsEveryMs = Math.min(CUTS_EVERY_MS, (source.lastAt - source.firstAt) / CUTS_MIN);
  let nextCutsAt = -Infinity;
  for (const batch of mergeBatches(source.batches())) {
    const isLook = batch.loggedAt >= nextCutsAt;
    const refusal = (await run.submit(batch)) ?? (isLook ? await run.drain(0) : null);
    if (refusal !== null) return { type: "refused", refusal, events: run.events };
    if (!isLook) continue;
    nextCutsAt = batch.loggedAt + cutsEveryMs;
    await facts.update();
    await options.settle?.();
  }
  const refusal = await run.drain(0);
  if (refusal !== null) return { type: "refused", refusal, events: run.events };
  if (options.endsLog === true) await closeWindows(partition);
  await facts.update();
  return { type: "imported", subjects: run.subjects, events: run.events, known: run.known };
}

/** Lets the log's time pass until no sample is held back any more. */
async function closeWindows(partition: Partition): Promise<void> {
  const { state } = partition;
  while (state.provisional.count > 0) {
    const at = Math.max(state.now + 1, state.provisional.nextOverAt());
    const outcome = await partition.submit(EMPTY_ENTRY, at);
    if (outcome.type === "refused") return;
  }
}

interface InFlight {
  readonly outcome: Promise<Outcome>;
  readonly events: number;
  readonly loggedAt: number;
}

class ImportRun {
  events = 0;
  known = 0;
  private readonly partition: Partition;
  private readonly source: ImportSource;
  private readonly options: ImportOptions;
  /** Engine number of each subject of the source. */
  private readonly numbers: number[] = [];
  private readonly inFlight: InFlight[] = [];
  private readonly kindsSent = new Set<string>();
  private sequence = 0;

  constructor(partition: Partition, source: ImportSource, options: ImportOptions) {
    this.partition = partition;
    this.source = source;
    this.options = options;
  }

  get subjects(): number {
    return this.numbers.length;
  }

  /** Hands a batch over; waits only when too much is in flight. */
  async submit(batch: ImportBatch): Promise<Refusal | null> {
    const loggedAt = batch.loggedAt + this.options.shiftMs;
    for (const { kind } of batch.subjects) this.sendKind(kind, loggedAt);
    // Two entries, because subjects and events together may be more than one record takes.
    if (batch.subjects.length > 0) this.send(this.introduce(batch.subjects), 0, loggedAt);
    const events = eventsOf(batch);
    if (events > 0) this.send(this.addEvents(batch), events, loggedAt);
    return this.drain(IN_FLIGHT_MAX);
  }

  /** Waits until at most `leave` entries are in flight; why one was refused, or null. */
  async drain(leave: number): Promise<Refusal | null> {
    while (this.inFlight.length > leave) {
      const { outcome, events, loggedAt } = this.inFlight.shift()!;
      const done = await outcome;
      if (done.type === "refused") return done.refusal;
      this.events += events;
      this.options.onProgress?.({
        events: this.events,
        eventsTotal: this.source.eventCount,
        atMs: loggedAt,
      });
    }
    return null;
  }

  private send(entry: Entry, events: number, loggedAt: number): void {
    const isKnown = this.partition.state.memory.recall(entry) !== null;
    if (isKnown) this.known += events;
    const result = { type: "applied", acts: [], refusedJobs: [], selections: [] } as const;
    const known: Outcome = { type: "applied", position: 0, loggedAt, result };
    const outcome = isKnown ? Promise.resolve(known) : this.partition.submit(entry, loggedAt);
    this.inFlight.push({ outcome, events, loggedAt });
  }

  /** A kind exists once it has a policy. */
  private sendKind(kind: string, loggedAt: number): void {
    if (this.kindsSent.has(kind)) return;
    this.kindsSent.add(kind);
    if (kindNamed(this.partition.state, kind) !== undefined) return;
    const reason = `import of ${this.source.name}`;
    const policy = this.options.policyOf(kind);
    const act = { type: "policy.activated", kind, policy, issuer: "import", reason } as const;
    // Without a number in the sequence: an import that goes on finds the kind there and sends none.
    this.send({ ...EMPTY_ENTRY, acts: [act] }, 0, loggedAt);
  }

  private introduce(subjects: readonly ImportSubject[]): Entry {
    const draft = this.partition.draft();
    const acts: SubjectUpdated[] = [];
    for (const { id, kind, operator, attributes } of subjects) {
      const known = draft.find(id);
      const number = known === -1 ? draft.register(id, kind) : known;
      this.numbers.push(number);
      const reason = `import of ${this.source.name}`;
      acts.push({ type: "subject.updated", subject: number, operator, attributes, issuer: "import", reason });
    }
    return { ...this.nextEntry(), registrations: draft.registrations, acts };
  }

  private addEvents({ samples, jobs, health }: ImportBatch): Entry {
    return {
      ...this.nextEntry(),
      samples: samples.count === 0 ? null : this.placed(samples),
      jobs: jobs === null ? null : this.placed(jobs),
      health: health === null ? null : this.placed(health),
    };
  }

  /** The columns at the log's times and subjects. */
  private placed<Columns extends Pick<SampleColumns, "at" | "subject">>(columns: Columns): Columns {
    const { shiftMs } = this.options;
    const at = shiftMs === 0 ? columns.at : columns.at.map((recordedAt) => recordedAt + shiftMs);
    const subject = columns.subject.map((place) => this.numbers[place]!);
    return { ...columns, at, subject };
  }

  private nextEntry(): Entry {
    this.sequence += 1;
    return { ...EMPTY_ENTRY, producer: `import:${this.source.name}`, sequence: this.sequence };
  }
}
