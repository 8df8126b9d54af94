/** Suspensions taking effect and being lifted; that one runs out is in `ending.ts`. */
import type { SuspensionLifted, SuspensionStarted } from "../event/acts.ts";
import { nextLevel, suspensionMs, type Suspension } from "../sanction/suspension.ts";
import { FLAGS, HAS_SANCTIONS, isFolded, IS_SUSPENDED, rowStart, WINDOW_COUNT } from "../state/row-table.ts";
import { isAheadOfLog, kindOf, type State } from "../state/state.ts";
import { BY_TIME, type ActResult } from "./effects.ts";
import { endSuspension } from "./ending.ts";
import { evaluateSubject } from "./evaluate.ts";
import { nextId } from "./sanctions.ts";

const already: ActResult = { type: "already_suspended" };

export function startSuspension(state: State, act: SuspensionStarted): ActResult {
  const id = nextId(state, "sus");
  const { subject, reason, issuer, evidence, context } = act;
  const { compiled, table } = kindOf(state, subject);
  const row = state.places.rowOf(subject);
  const chunk = table.chunkOf(row);
  if (isFolded(chunk, row, state.position)) {
    // It was refused when it was live, or the restored book would hold it.
    return state.sanctions.suspension(id) === undefined ? already : { type: "done", id };
  }
  const ints = rowStart(row) * 2;
  if ((chunk.u32[ints + FLAGS]! & IS_SUSPENDED) !== 0) return already;
  const before = state.sanctions.of(subject)?.suspensions ?? [];
  const rules = compiled.policy.suspension;
  const level = act.isAutomatic ? nextLevel(before, rules.forgivenAfterMs, state.now) : 0;
  const suspension: Suspension = {
    id,
    subject,
    reason,
    issuer,
    evidence,
    context,
    level,
    startedAt: state.now,
    position: state.position,
    policy: compiled.policy.name,
    expiresAt: act.isAutomatic ? state.now + suspensionMs(rules, level) : act.expiresAt,
    status: "active",
    endedAt: null,
    revocation: null,
    evidenceCount: chunk.u32[ints + WINDOW_COUNT]!,
  };
  state.sanctions.addSuspension(suspension);
  chunk.u32[ints + FLAGS]! |= HAS_SANCTIONS | IS_SUSPENDED;
  if (suspension.expiresAt !== null) state.deadlines.push(suspension.expiresAt, subject);
  state.effects.list.push({ type: "suspension.started", subject, suspension });
  evaluateSubject(state, subject, BY_TIME);
  return { type: "done", id };
}

export function liftSuspension(
  state: State,
  { suspensionId: id, issuer, reason }: SuspensionLifted,
): ActResult {
  const suspension = state.sanctions.suspension(id);
  if (suspension === undefined) return { type: "suspension_not_found", id };
  const { subject, status, revocation } = suspension;
  const isReplayed = isAheadOfLog(state, subject);
  if (isReplayed && revocation?.position === state.position) return { type: "done", id };
  // An end is final, so what a restored one says held before this act.
  if (isReplayed || status !== "active") return { type: "suspension_not_active", id, status };
  suspension.revocation = { issuer, reason, at: state.now, position: state.position };
  endSuspension(state, suspension, "revoked", state.now);
  evaluateSubject(state, subject, BY_TIME);
  return { type: "done", id };
}
