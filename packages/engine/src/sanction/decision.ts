import type { Accountable } from "../event/acts.ts";

/** What somebody decided about a record that exists already. */
export interface Decision extends Accountable {
  readonly at: number;
  readonly position: number;
}
