/** Who bids, and what the state says of each bidder, as columns that are filled anew for every selection. */
import { BIDS_MAX } from "../event/selection.ts";

/**
 * What keeps a bid out of the draw. The bits stand in the order in which they are told: of a bid with several, the
 * lowest is its reason.
 */
export const BANNED = 0x01;
export const SUSPENDED = 0x02;
export const MAINTENANCE = 0x04;
/** No health report for too long. */
export const SILENT = 0x08;
export const LOW_HEALTH = 0x10;
/** Out of the ordinary draw, not out of the exploration share. */
export const PROBATION = 0x20;

/** In place of a health that was never reported. */
export const HEALTH_UNKNOWN = -1;

const CAPACITY_MIN = 128;

/** Bids, each of another subject. The columns may be longer than `count`; what lies behind is left over. */
export class Candidates {
  count = 0;
  capacity = 0;
  /** Dense number. */
  subject = new Uint32Array(0);
  /** What the bid asks, in the network's currency, 0 or more. */
  price = new Float64Array(0);
  /** Estimated time to completion, more than 0. */
  timeMs = new Float64Array(0);
  /** Score over the maximum, 0..1. */
  reputation = new Float64Array(0);
  /** Score by the formula x momentum, on the scale 0..100. */
  condition = new Float64Array(0);
  /** 0..1, or {@link HEALTH_UNKNOWN}. */
  health = new Float64Array(0);
  /** Decisions that are open and jobs reported to be running. */
  inFlight = new Float64Array(0);
  /** Decayed count of what it was given of late. */
  recent = new Float64Array(0);
  /** Dense number of the operator; a subject without one has a number of its own. */
  operator = new Uint32Array(0);
  /** Jobs finished so far, and the good ones among them. */
  jobs = new Float64Array(0);
  completed = new Float64Array(0);
  /** 1 where the newest outcome was a failure, a moment ago. */
  failing = new Uint8Array(0);
  /** Decayed job outcomes with the prior. */
  successes = new Float64Array(0);
  failures = new Float64Array(0);
  /** {@link BANNED} and its like. */
  flags = new Uint8Array(0);
  /** Exploration jobs in flight, and the instant before which there shall be no other. */
  explorationInFlight = new Uint8Array(0);
  exploreNotBeforeMs = new Float64Array(0);

  /** Makes room for `count` bids, to be filled in by the caller; more than {@link BIDS_MAX} throw RangeError. */
  reset(count: number): void {
    if (!(count <= BIDS_MAX)) throw new RangeError(`${count} bids are over the limit of ${BIDS_MAX}`);
    this.count = count;
    if (count <= this.capacity) return;
    const capacity = capacityFor(count);
    this.capacity = capacity;
    this.subject = new Uint32Array(capacity);
    this.price = new Float64Array(capacity);
    this.timeMs = new Float64Array(capacity);
    this.reputation = new Float64Array(capacity);
    this.condition = new Float64Array(capacity);
    this.health = new Float64Array(capacity);
    this.inFlight = new Float64Array(capacity);
    this.recent = new Float64Array(capacity);
    this.operator = new Uint32Array(capacity);
    this.jobs = new Float64Array(capacity);
    this.completed = new Float64Array(capacity);
    this.failing = new Uint8Array(capacity);
    this.successes = new Float64Array(capacity);
    this.failures = new Float64Array(capacity);
    this.flags = new Uint8Array(capacity);
    this.explorationInFlight = new Uint8Array(capacity);
    this.exploreNotBeforeMs = new Float64Array(capacity);
  }
}

/** Room for `count` bids, by doubling. */
export function capacityFor(count: number): number {
  let capacity = CAPACITY_MIN;
  while (capacity < count) capacity *= 2;
  return Math.min(capacity, BIDS_MAX);
}
