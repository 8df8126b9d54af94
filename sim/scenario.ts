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
  /** Values in the order of `figures`. */
  run(seed: number): readonly number[];
}
