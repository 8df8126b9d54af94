/**
 * The projector with the position of the last batch that it was given. The log may be longer: the record by which an
 * owner claims it is no batch, so the projector never gets there.
 */
import type { Effects, State } from "@staunch/engine";
import type { Follower, NextBatch } from "../partition/partition.ts";
import type { Projector } from "./projector.ts";

export class Followed implements Follower {
  readonly projector: Projector;
  private batchesTo = 0;

  constructor(projector: Projector) {
    this.projector = projector;
  }

  applying(state: State, next: NextBatch): void {
    this.projector.before(state, next);
  }

  applied(state: State, effects: Effects): void {
    this.projector.applied(state, effects);
    this.batchesTo = effects.position;
  }

  /** Stores everything that was given; false when that did not work. */
  settle(): Promise<boolean> {
    return this.projector.settled(this.batchesTo);
  }

  /** Log position behind which the history needs nothing. */
  settledTo(): number {
    const durable = this.projector.projectedTo();
    return durable >= this.batchesTo ? Infinity : durable;
  }
}
