/** The engine: deterministic scoring. `apply(state, batch)` changes the state; everything else reads it. */
export { apply } from "./fold/apply.ts";
export {
  CHANGES_MAX,
  type ActResult,
  type Changes,
  type Effect,
  type Effects,
  type EntryResult,
  type ProbationReason,
  type RefusedJob,
  type Decided,
} from "./fold/effects.ts";
export {
  createState,
  kindNamed,
  kindOf,
  KINDS_MAX,
  subjectCount,
  type Kind,
  type State,
  type StateOptions,
} from "./state/state.ts";
export {
  standing,
  type ComponentStanding,
  type PenaltyInForce,
  type RewardInForce,
  type Standing,
} from "./read/standing.ts";
export {
  explain,
  type ComponentEvidence,
  type Contribution,
  type Explanation,
  type Improvement,
  type MetricEvidence,
  type Threshold,
  type TrustEvidence,
} from "./read/explain.ts";
export { indexedRow, type Indexed } from "./read/indexed.ts";
export { best, percentileCuts, worst, type Ranked } from "./read/ranking.ts";
export {
  dueSuspensions,
  searchSuspensions,
  suspensionsOf,
  SUSPENSION_SEARCH_MAX,
  type SearchCursor,
} from "./guard/suspension.ts";
export { monitorVerdicts } from "./guard/monitor-fault.ts";
export {
  lastOver,
  MONITOR_GRACE_MS,
  MONITOR_WINDOW_MS,
  windowOf,
  type MonitorWindow,
} from "./state/monitor-window.ts";
export { monitors, type MonitorStanding, type PendingWindow } from "./read/monitors.ts";
export { stateHash } from "./read/digest.ts";
export { stateFaults } from "./read/faults.ts";
export { SNAPSHOT_VERSION, type Part } from "./snapshot/format.ts";
export { endReplay, restoreParts, SnapshotRefusedError } from "./snapshot/restore.ts";
export { snapshotParts } from "./snapshot/write.ts";
export {
  METRIC_COUNT,
  metricCode,
  METRIC_NAMES,
  METRICS,
  type MetricCode,
  type MetricName,
  type MetricSpec,
} from "./event/metrics.ts";
export {
  EMPTY_ENTRY,
  SAMPLE_FAILED,
  SAMPLE_METRIC_MASK,
  SAMPLE_WEIGHT_MAX,
  type Batch,
  type Entry,
  type Registration,
  type SampleColumns,
} from "./event/batch.ts";
export {
  CLIENT_FAULT,
  DECLINED,
  EARNINGS_MAX,
  FAILURE,
  HEALTH_PARTS,
  HEALTH_PARTS_MAX,
  HEALTH_VALUE_MAX,
  type HealthColumns,
  type HealthPart,
  healthRange,
  INVALID_RESULT,
  JOB_DURATION_MAX_MS,
  JOB_OUTCOMES,
  type JobColumns,
  type JobOutcome,
  OUTCOME_MASK,
  REPORTED_PARTS_MAX,
  SLA_MET,
  SLA_MISSED,
  SUCCESS,
  TIMEOUT,
} from "./event/jobs.ts";
export {
  BIDS_MAX,
  NOBODY,
  parseSelectionId,
  SELECTION_POLICIES,
  selectionId,
  selectionNumber,
  type SelectionPolicy,
  type SelectionMade,
} from "./event/selection.ts";
export {
  BANNED,
  Candidates,
  HEALTH_UNKNOWN,
  LOW_HEALTH,
  MAINTENANCE,
  PROBATION,
  SILENT,
  SUSPENDED,
} from "./select/candidates.ts";
export { DecisionWindow } from "./select/decision-window.ts";
export { SELECTION_DEFAULTS, type SelectionRequest, type SelectionRules } from "./select/rules.ts";
export { select, verifySelection } from "./select/select.ts";
export {
  CONDITION,
  EXCLUSIONS,
  OPERATOR_CAP,
  rankBids,
  Selection,
  SLOW_START,
  type SelectionMode,
} from "./select/selection.ts";
export type {
  Accountable,
  Act,
  Attributes,
  Context,
  Json,
  MaintenanceAnnounced,
  MaintenanceCancelled,
  MisbehaviourConfirmed,
  MisbehaviourDismissed,
  MisbehaviourReported,
  MonitorFault,
  PenaltyApplied,
  PenaltyRevoked,
  PolicyActivated,
  RewardGranted,
  RewardRevoked,
  SubjectUpdated,
  JobClassesMeasured,
  PriorSet,
  SuspensionLifted,
  SuspensionStarted,
  TierCuts,
  WindowVoided,
} from "./event/acts.ts";
export {
  BATCH_EVENTS_MAX,
  canonicalJson,
  countEvents,
  decodeBatch,
  encodeBatch,
  type DecodeBatchResult,
  type EncodedBatch,
} from "./event/codec.ts";
export {
  CHANGE_REASONS,
  PENALTY_TYPES,
  REWARD_TYPES,
  SEVERITIES,
  type ChangeReason,
  type PenaltyType,
  type RewardType,
  type Severity,
} from "./policy/vocabulary.ts";
export { COMPONENTS, type ComponentName, type Policy } from "./policy/policy.ts";
export { parsePolicy, listPresets, type ParsedPolicy, type Preset } from "./policy/parse.ts";
export {
  diffPolicies,
  policyDocument,
  policyHash,
  type PolicyChange,
  type PolicyDocument,
} from "./policy/document.ts";
export { type Profile } from "./state/profiles.ts";
export { hasRecord, operatorPrior, rowPrior, type OperatorPrior } from "./read/operator-prior.ts";
export { SIGNALS, sourcesRead } from "./policy/compile.ts";
export { STORAGE_PROVIDER } from "./policy/presets.ts";
export { describeRule, POLICY_FIELDS, type FieldRule } from "./policy/fields.ts";
export { flattenDocument, nestDocument } from "./policy/flatten.ts";
export { nearest } from "./policy/nearest.ts";
export { PROBLEMS_MAX, show, type Problem } from "./policy/problem.ts";
export { formatDuration, parseDuration } from "./policy/duration.ts";
export { ID_BYTES_MAX, IDS_MAX } from "./id/id-table.ts";
export {
  penaltyTerm,
  type Penalty,
  type Reward,
  type Sanctions,
  type AlertFacts,
} from "./sanction/sanction.ts";
export { SUSPENSION_ISSUER, type Suspension } from "./sanction/suspension.ts";
export { penaltyIdOf, REPORTS_PENDING_TOTAL_MAX, type MisbehaviourReport } from "./sanction/misbehaviour.ts";
export { placeOf, type ReportPlace } from "./sanction/pending-reports.ts";
export type { Decision } from "./sanction/decision.ts";
export { allowanceLeftMs, endOf, type MaintenanceWindow } from "./sanction/maintenance.ts";
export {
  workStanding,
  type HealthPartStanding,
  type HealthStanding,
  type JobStatistics,
  type WorkStanding,
} from "./read/work.ts";
export { eligibility, type Eligibility, type IneligibilityReason } from "./read/eligibility.ts";
export { networkStanding, type NetworkPart, type NetworkStanding } from "./read/network.ts";
export { gather, type Bids } from "./select/gather.ts";
export { ownOperator } from "./state/operators.ts";
export { componentScore } from "./score/score.ts";
export { silentMs } from "./score/silence.ts";
export { EVALUATED_AT, EVENT_COUNT, rowStart, SCORE, TIER } from "./state/row-table.ts";
