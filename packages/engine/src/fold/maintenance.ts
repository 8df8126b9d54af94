/** Announced maintenance taking effect: its bounds, its samples, and being cancelled; that it begins and ends by itself is in `ending.ts`. */
import type { MaintenanceAnnounced, MaintenanceCancelled } from "../event/acts.ts";
import { SAMPLE_METRIC_MASK, type SampleColumns } from "../event/batch.ts";
import { METRICS } from "../event/metrics.ts";
import type { CompiledPolicy } from "../policy/compile.ts";
import {
  allowanceLeftMs,
  ALLOWANCE_SPAN_MS,
  endOf,
  isExcused,
  WINDOWS_MAX,
  type MaintenanceWindow,
} from "../sanction/maintenance.ts";
import { FLAGS, HAS_SANCTIONS, isFolded, rowStart } from "../state/row-table.ts";
import { kindOf, type State } from "../state/state.ts";
import { BY_TIME, type ActResult } from "./effects.ts";
import { endMaintenance, queueMaintenance } from "./ending.ts";
import { evaluateSubject } from "./evaluate.ts";
import { advanceSilence } from "./network.ts";
import { nextId } from "./sanctions.ts";

/** A window may begin this long before it is logged: clocks differ, and a request takes its time. */
const LATE_MAX_MS = 300_000;
/** Metrics that say whether a subject can be reached; what it does with data is its duty at any time. */
const EXCUSED = METRICS.map(
  ({ name, shape }) => shape === "time" || name === "uptime" || name === "availability",
);

/** A window begins with its announcement at the earliest: nobody excuses what has happened. */
export function announceMaintenance(state: State, act: MaintenanceAnnounced): ActResult {
  const id = nextId(state, "mnt");
  const { subject, reason, issuer, to } = act;
  const { compiled, table } = kindOf(state, subject);
  const row = state.places.rowOf(subject);
  const chunk = table.chunkOf(row);
  const from = Math.max(act.from, state.now);
  const known = knownBefore(state.sanctions.of(subject)?.maintenance ?? [], id, state.position);
  if (state.sanctions.maintenance(id) !== undefined) return { type: "done", id };
  const refusal = refusalOf(state, compiled, known, { asked: act.from, from, to });
  if (refusal !== null) return refusal;
  // Announced, over and forgotten by now.
  if (isFolded(chunk, row, state.position)) return { type: "done", id };
  const retentionMs = Math.max(ALLOWANCE_SPAN_MS, compiled.policy.metricRetentionMs);
  state.sanctions.addMaintenance(
    {
      id,
      subject,
      reason,
      issuer,
      announcedAt: state.now,
      position: state.position,
      policy: compiled.policy.name,
      from,
      to,
      status: "announced",
      cancellation: null,
    },
    state.now - retentionMs,
  );
  chunk.u32[rowStart(row) * 2 + FLAGS]! |= HAS_SANCTIONS;
  queueMaintenance(state, subject);
  const window = state.sanctions.maintenance(id)!;
  state.effects.list.push({ type: "maintenance.announced", subject, window });
  evaluateSubject(state, subject, BY_TIME);
  return { type: "done", id };
}

export function cancelMaintenance(state: State, act: MaintenanceCancelled): ActResult {
  const { windowId: id, issuer, reason } = act;
  const window = state.sanctions.maintenance(id);
  if (window === undefined) return { type: "maintenance_not_found", id };
  const { subject } = window;
  const kind = kindOf(state, subject);
  const row = state.places.rowOf(subject);
  const chunk = kind.table.chunkOf(row);
  const isReplayed = isFolded(chunk, row, state.position);
  if (isReplayed && window.cancellation?.position === state.position) return { type: "done", id };
  const status = isReplayed ? statusAt(window, state) : window.status;
  if (isReplayed || status === "ended" || status === "cancelled")
    return { type: "maintenance_not_active", id, status };
  window.cancellation = { issuer, reason, at: state.now, position: state.position };
  endMaintenance(state, window, "cancelled");
  if (chunk.work !== null) advanceSilence(state, kind, chunk, rowStart(row));
  evaluateSubject(state, subject, BY_TIME);
  return { type: "done", id };
}

/** Which samples say nothing because their subject had announced to be away; null where all count. */
export function excusedRows(state: State, samples: SampleColumns): ReadonlySet<number> | null {
  const { maintained } = state.sanctions;
  if (maintained.size === 0) return null;
  const rows = new Set<number>();
  for (let row = 0; row < samples.count; row++) {
    const subject = samples.subject[row]!;
    if (!maintained.has(subject) || EXCUSED[samples.kind[row]! & SAMPLE_METRIC_MASK] !== true) continue;
    const windows = state.sanctions.of(subject)!.maintenance;
    if (isExcused(windows, samples.at[row]!, state.now)) rows.add(row);
  }
  return rows.size === 0 ? null : rows;
}

/** Windows as they were when the log was there: a restored row may know what came later. */
function knownBefore(
  windows: readonly MaintenanceWindow[],
  id: string,
  position: number,
): MaintenanceWindow[] {
  return windows
    .filter((window) => window.position <= position && window.id !== id)
    .map((window) =>
      (window.cancellation?.position ?? 0) > position ? { ...window, cancellation: null } : window,
    );
}

/** Status as it was when the log was there. */
function statusAt({ from, to, cancellation }: MaintenanceWindow, { now, position }: State): string {
  if (cancellation !== null && cancellation.position <= position) return "cancelled";
  if (to <= now) return "ended";
  return from <= now ? "running" : "announced";
}

/** The first bound that a window breaks. */
function refusalOf(
  { now }: State,
  { policy }: CompiledPolicy,
  known: readonly MaintenanceWindow[],
  { asked, from, to }: { readonly asked: number; readonly from: number; readonly to: number },
): ActResult | null {
  const { longestMs, allowanceMs, noticeMs, horizonMs } = policy.maintenance;
  if (to <= from) return { type: "maintenance_empty" };
  if (asked < now + noticeMs - LATE_MAX_MS) return { type: "maintenance_too_soon", noticeMs };
  if (from > now + horizonMs) return { type: "maintenance_too_far", horizonMs };
  if (to - from > longestMs) return { type: "maintenance_too_long", limitMs: longestMs };
  const other = known.find((window) => window.from < to && from < endOf(window));
  if (other !== undefined) return { type: "maintenance_overlaps", id: other.id };
  const leftMs = allowanceLeftMs(known, from, allowanceMs);
  if (to - from > leftMs) return { type: "maintenance_over_allowance", allowanceMs, leftMs };
  if (known.length >= WINDOWS_MAX) return { type: "too_many_windows", limit: WINDOWS_MAX };
  return null;
}
