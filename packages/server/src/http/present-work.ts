/** Workers, selections and networks as the interface shows them. */
import type { Eligibility, Selection, Work, JobClassList } from "@staunch/contract";
import type {
  Eligibility as EligibilityStanding,
  IneligibilityReason,
  WorkStanding,
  Kind,
} from "@staunch/engine";
import type { z } from "zod";
import type { RecordedBid } from "../app/selections/record.ts";
import type { MadeSelection } from "../app/selections/selections.ts";
import { presentAggregate } from "./present.ts";
import { time, timeOrNull } from "./route.ts";

export function presentWork(work: WorkStanding): z.output<typeof Work> {
  const { id, kind, condition, momentum, state, isHealthy, probation, health, jobs, asOf } = work;
  return {
    id,
    kind,
    condition,
    momentum,
    state,
    healthy: isHealthy,
    probation: probation && {
      since: time(probation.since),
      level: probation.level,
      good_in_a_row: probation.goodInARow,
      good_needed: probation.goodNeeded,
    },
    probation_limits: [...work.probationLimits],
    health: health && {
      score: health.score,
      lower: health.lower,
      upper: health.upper,
      reported: health.reported,
      reported_at: time(health.reportedAt),
      parts: [...health.parts],
    },
    jobs: {
      completed: jobs.completed,
      failed: jobs.failed,
      timed_out: jobs.timedOut,
      invalid: jobs.invalid,
      declined: jobs.declined,
      client_faults: jobs.clientFaults,
      success_rate: jobs.successRate,
      mean_duration_ms: jobs.meanDurationMs,
      durations: jobs.durations && presentAggregate(jobs.durations),
      earnings: jobs.earnings,
      mean_quality: jobs.meanQuality,
      sla: jobs.sla,
      resource_use: jobs.resourceUse,
      in_flight: jobs.inFlight,
      exploring: jobs.exploring,
    },
    as_of: time(asOf),
  };
}

export function presentEligibility(found: EligibilityStanding): z.output<typeof Eligibility> {
  const { id, kind, eligible, reasons, asOf } = found;
  return { id, kind, eligible, reasons: reasons.map(presentReason), as_of: time(asOf) };
}

function presentReason(reason: IneligibilityReason): z.output<typeof Eligibility>["reasons"][number] {
  switch (reason.code) {
    case "banned": {
      const until = timeOrNull(reason.until);
      const detail = `banned until ${until ?? "it is revoked"}: ${reason.reason}`;
      return { code: reason.code, detail, penalty_id: reason.penaltyId, until };
    }
    case "suspended": {
      const until = timeOrNull(reason.until);
      const detail = `suspended until ${until ?? "it is lifted"}: ${reason.reason}`;
      return { code: reason.code, detail, suspension_id: reason.suspensionId, until };
    }
    case "maintenance": {
      const until = time(reason.until);
      const detail = `in maintenance until ${until}: ${reason.reason}`;
      return { code: reason.code, detail, window_id: reason.windowId, until };
    }
    case "silent": {
      const since = time(reason.since);
      return { code: reason.code, detail: `nothing was heard of it since ${since}`, since };
    }
    case "low_health": {
      const { code, health, floor } = reason;
      return { code, detail: `health ${points(health)} is below the floor of ${floor}`, health, floor };
    }
    case "probation": {
      const { code, goodInARow, goodNeeded } = reason;
      const since = time(reason.since);
      const toGo = Math.max(0, goodNeeded - goodInARow);
      const detail =
        toGo > 0
          ? `on probation since ${since}: ${toGo} good jobs in a row to go`
          : `on probation since ${since}: momentum or the share of recent failures has yet to recover`;
      return { code, detail, since, good_in_a_row: goodInARow, good_needed: goodNeeded };
    }
    case "condition": {
      const { code, condition, floor } = reason;
      const detail = `condition ${points(condition)} is not above ${floor}, so its bids are worth nothing`;
      return { code, detail, condition, floor };
    }
  }
}

function points(value: number): string {
  return value.toFixed(2);
}

export function presentSelection(made: MadeSelection): z.output<typeof Selection> {
  const { id, madeAt, record, outcome, closedAt } = made;
  return {
    id,
    kind: record.kind,
    policy: record.policy,
    // Written from the lists that the contract repeats.
    method: record.method as z.output<typeof Selection>["method"],
    mode: record.mode,
    chosen: record.chosen,
    seed: record.seed,
    draws: [...record.draws],
    pair: [...record.pair],
    pair_margin: record.pairMargin,
    capped: record.capped,
    cap_yielded: record.capYielded,
    price_reference: record.priceReference,
    time_reference_ms: record.timeReferenceMs,
    job_id: record.jobId,
    job_class: record.jobClass,
    bids: record.bids.map(presentBid),
    bids_omitted: record.bidsOmitted,
    made_at: time(madeAt),
    outcome: outcome as z.output<typeof Selection>["outcome"],
    closed_at: timeOrNull(closedAt),
    regret: outcome === null ? null : regretOf(record.bids),
  };
}

/** By name; one that is observed no longer may be in force until the next look. */
export function presentJobClasses(jobClasses: Kind["jobClasses"]): z.output<typeof JobClassList>["items"] {
  const { medians } = jobClasses;
  const observed = new Map([...jobClasses].map((one) => [one.jobClass, one]));
  const names = new Set([...observed.keys(), ...medians.keys()]);
  return [...names].toSorted().map((name) => ({
    job_class: name,
    median_ms: medians.get(name) ?? null,
    observed_ms: observed.get(name)?.medianMs ?? null,
    jobs: observed.get(name)?.jobs ?? 0,
  }));
}

function presentBid(bid: RecordedBid): z.output<typeof Selection>["bids"][number] {
  const { id, price, timeMs, value, parts, conditionFactor, loadFactor } = bid;
  const { reputation, condition, health, inFlight, rate, excluded } = bid;
  return {
    id,
    price,
    time_ms: timeMs,
    value,
    parts,
    condition_factor: conditionFactor,
    load_factor: loadFactor,
    reputation,
    condition,
    health,
    in_flight: inFlight,
    rate,
    excluded,
  };
}

/** Reasons that hold a bid back though its bidder might have been chosen. */
const HELD_BACK: ReadonlySet<string | null> = new Set([null, "operator_cap", "slow_start", "newcomer"]);

/** What the choice gave up: 0 for the best of those that could have been chosen. */
function regretOf(bids: readonly RecordedBid[]): number {
  const chosen = bids[0]?.value ?? 0;
  const best = bids
    .filter(({ excluded }) => HELD_BACK.has(excluded))
    .reduce((most, { value }) => Math.max(most, value), chosen);
  return best - chosen;
}
