/** Why one event of a request was not taken. The codes are part of the interface and never change their meaning. */
export type RejectionCode =
  /** The line, the item or the envelope is not what it must be at all. */
  | "malformed_json"
  | "not_an_object"
  | "cloud_event_invalid"
  /** One field is wrong. */
  | "unknown_type"
  | "unknown_field"
  | "missing_field"
  | "conflicting_fields"
  | "wrong_type"
  | "out_of_range"
  | "unknown_metric"
  | "unknown_value"
  | "invalid_text"
  | "invalid_time"
  | "invalid_duration"
  | "forbidden_key"
  | "time_ahead"
  | "time_too_old"
  /** It does not fit what is known, or who asks. */
  | "role_not_allowed"
  | "unknown_kind"
  | "source_not_read"
  | "unknown_part"
  | "selection_not_open"
  | "selection_of_another"
  | "kind_mismatch"
  | "too_many_subjects"
  | "too_many_attributes"
  | "penalty_not_found"
  | "penalty_not_active"
  | "reward_not_found"
  | "reward_not_active"
  | "report_not_found"
  | "report_is_own"
  | "report_decided"
  | "too_many_reports"
  | "too_many_own_reports"
  | "too_many_waiting_reports"
  | "maintenance_empty"
  | "maintenance_too_soon"
  | "maintenance_too_far"
  | "maintenance_too_long"
  | "maintenance_overlaps"
  | "maintenance_over_allowance"
  | "maintenance_not_found"
  | "maintenance_not_active"
  | "too_many_windows"
  | "already_suspended"
  | "suspension_not_found"
  | "suspension_not_active"
  | "too_many_sanctions"
  | "too_many_kinds"
  /** Of a CloudEvents batch, whose events are written one by one: the log took no more. */
  | "not_written";

export interface Rejection {
  /** Place in the list, or line of NDJSON, from 0. */
  readonly index: number;
  /** The event's own id, when it has one that can be shown. */
  readonly id: string | null;
  readonly code: RejectionCode;
  /** The field that is wrong; null for the event as a whole. */
  readonly field: string | null;
  /** What is wrong and what would be right. */
  readonly detail: string;
}

/** A mistake before it is known where it stands. */
export interface Flaw {
  readonly code: RejectionCode;
  readonly field: string | null;
  readonly detail: string;
}

/** An outcome whose selection cannot be closed by it. */
export function refusedJob(code: "selection_not_open" | "selection_of_another"): Flaw {
  const detail =
    code === "selection_not_open"
      ? "the selection is unknown, has its outcome already, or none came in time"
      : "the selection chose another subject";
  return { code, field: "selection_id", detail };
}
