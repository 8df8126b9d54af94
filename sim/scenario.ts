/** What a scenario is: a seeded run of a world that measures figures, and the figure each must reach. */

export interface Figure {
  readonly name: string;
  /** How the figure must lie to its bound, for the mean over the seeds. */
  readonly must: "at most" | "at least";
  readonly bound: number;
  readonly unit: string;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly figures: readonly Figure[];
  /** Why a figure may be missed. */
  readonly remark?: string;
  /**
   * Values in the order of `figures`. A size below 1 shortens the run to that share of it, which shows that a scenario
   * works, not what it reaches.
   */
  run(seed: number, size: number): readonly number[];
}

/** A number of jobs or of other things at this size. */
export function sized(count: number, size: number): number {
  return Math.ceil(count * size);
}
