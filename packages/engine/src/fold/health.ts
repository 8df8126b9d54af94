/** Health reports into rows: the newest value of each part, and whether reports come on time. */
import type { HealthColumns } from "../event/jobs.ts";
import { maintainedMs, type MaintenanceWindow } from "../sanction/maintenance.ts";
import { addTrial, advance, PLACE, REPORTS } from "../score/signal.ts";
import { EVENT_COUNT, FLAGS, HAS_SANCTIONS, isFolded, rowStart, type WorkChunk } from "../state/row-table.ts";
import { kindOf, type Kind, type State } from "../state/state.ts";
import {
  HEALTH_AT,
  HEALTH_PRESENT,
  HEALTH_VALUES,
  PUNCTUAL_AT,
  REPORTS as REPORT_COUNT,
  workStart,
} from "../state/work-row.ts";
import { REASON } from "./effects.ts";
import { evaluate } from "./evaluate.ts";
import { stampEvidence } from "./stamp.ts";
import { RUN_LENGTH, touchWorkRows } from "./touch.ts";

/** A report is on time up to this many intervals after the one before. */
const ON_TIME_INTERVALS = 1.5;
/** Reports that follow each other faster than this count as one. */
const TOO_SOON_INTERVALS = 0.5;
/** One silence counts as at most so many missed reports: it is one incident. */
const MISSED_MAX = 10;

const NO_WINDOWS: readonly MaintenanceWindow[] = [];

/** Column of each part in the row, by place in the frame; -1 for a part that the policy does not know. */
let columnOf: readonly number[] = [];

export function foldHealth(state: State, health: HealthColumns): void {
  state.eventCount += health.count;
  let resolvedFor: Kind | null = null;
  for (let index = 0; index < health.count; index++) {
    if (index % RUN_LENGTH === 0)
      touchWorkRows(state, health.subject, index, Math.min(health.count, index + RUN_LENGTH));
    const subject = health.subject[index]!;
    const kind = kindOf(state, subject);
    const row = state.places.rowOf(subject);
    const chunk = kind.table.chunkOf(row);
    const { work } = chunk;
    if (work === null || isFolded(chunk, row, state.position)) continue;
    if (kind !== resolvedFor) {
      resolveColumns(kind, health);
      resolvedFor = kind;
    }
    const start = rowStart(row);
    const from = workStart(start);
    const at = health.at[index]!;
    chunk.u32[start * 2 + EVENT_COUNT]! += 1;
    work.u32[from * 2 + REPORT_COUNT]! += 1;
    stampEvidence(state, kind, chunk, start, at);
    if (at < work.f64[from + HEALTH_AT]!) continue;
    const hasSanctions = (chunk.u32[start * 2 + FLAGS]! & HAS_SANCTIONS) !== 0;
    const windows = hasSanctions ? state.sanctions.of(subject)!.maintenance : NO_WINDOWS;
    countPunctuality(work, from, kind, at, windows);
    takeValues(work, from, health, index);
    evaluate(state, kind, row, chunk, start, REASON.metric);
  }
}

function resolveColumns(kind: Kind, { parts }: HealthColumns): void {
  columnOf = parts.map(({ name }) => kind.compiled.healthParts.findIndex((part) => part.name === name));
}

/** Each report is a trial: on time, or late; what was missed between two counts as missed, unless it was announced. */
function countPunctuality(
  work: WorkChunk,
  from: number,
  kind: Kind,
  at: number,
  windows: readonly MaintenanceWindow[],
): void {
  const { intervalMs } = kind.compiled.policy.health;
  // Not since the newest report: who reports three times an interval would never be judged.
  const before = work.f64[from + PUNCTUAL_AT]!;
  const intervals = before === 0 ? 1 : (at - before - maintainedMs(windows, before, at)) / intervalMs;
  if (intervals < TOO_SOON_INTERVALS) return;
  const weight = advance(work, from, REPORTS, kind.compiled, at);
  addTrial(work, from, PLACE.punctual, 1, weight);
  if (intervals <= ON_TIME_INTERVALS) return;
  const missed = Math.min(MISSED_MAX, Math.floor(intervals + 0.5) - 1);
  for (let one = 0; one < missed; one++) addTrial(work, from, PLACE.punctual, 0, weight);
}

/** A report replaces the one before whole: a part it does not say is not known any more. */
function takeValues(work: WorkChunk, from: number, { parts, at }: HealthColumns, index: number): void {
  let present = 0;
  for (let place = 0; place < parts.length; place++) {
    const value = parts[place]!.value[index]!;
    const column = columnOf[place]!;
    if (column < 0 || Number.isNaN(value)) continue;
    work.f64[from + HEALTH_VALUES + column] = value;
    present |= 1 << column;
  }
  work.f64[from + HEALTH_AT] = at[index]!;
  work.u32[from * 2 + HEALTH_PRESENT] = present;
}
