/** How often the interval of a provider's availability holds when outages last for hours. */
import { standing } from "@staunch/engine";
import { sized, type Scenario } from "../scenario.ts";
import { hire } from "../traffic.ts";
import { policyOf, T0, World, type Probe } from "../world.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const PROBE_EVERY_MS = 5 * MINUTE_MS;
/** Enough for the prior and the first days to have aged away: evidence of 60 days ago counts for 1/400. */
const DAYS = 60;
const PROVIDERS = 50;

/** Mean hours up and down, as nodes of two published traces had them, and one between. */
const PROCESSES = [
  { upHours: 32, downHours: 7 },
  { upHours: 200, downHours: 6 },
  { upHours: 1760, downHours: 6 },
];

/** Whether somebody is up, who stays so, or down, for exponential times. */
class UpDown {
  private isUp: boolean;
  private until: number;
  private readonly world: World;
  private readonly upHours: number;
  private readonly downHours: number;

  constructor(world: World, { upHours, downHours }: (typeof PROCESSES)[0]) {
    this.world = world;
    this.upHours = upHours;
    this.downHours = downHours;
    this.isUp = world.random.next() < upHours / (upHours + downHours);
    this.until = T0 + this.stay();
  }

  isUpAt(at: number): boolean {
    while (this.until <= at) {
      this.isUp = !this.isUp;
      this.until += this.stay();
    }
    return this.isUp;
  }

  /** A gamma of shape 1 is exponential, and does not remember how long it has lasted. */
  private stay(): number {
    return this.world.random.gamma(1) * (this.isUp ? this.upHours : this.downHours) * HOUR_MS;
  }
}

export const availability: readonly Scenario[] = PROCESSES.map((process) => ({
  name: `availability-${process.upHours}-${process.downHours}`,
  title: `95 % intervals of availability, up ${process.upHours} h and down ${process.downHours} h in the mean`,
  figures: [
    { name: "intervals that hold", must: "at least", bound: 94, unit: "%" },
    { name: "and not more", must: "at most", bound: 97, unit: "%" },
  ],
  run: (seed, size) => {
    const world = new World(seed, policyOf({ extends: "storage-provider" }));
    const subjects = hire(world, sized(PROVIDERS, size), "provider");
    const processes = subjects.map(() => new UpDown(world, process));
    for (let step = 0; step < sized((DAYS * 24 * HOUR_MS) / PROBE_EVERY_MS, size); step++) {
      const at = T0 + step * PROBE_EVERY_MS;
      world.nowMs = at;
      world.observe(
        subjects.map((subject, place): Probe => {
          const value = processes[place]!.isUpAt(at) ? 1 : 0;
          return { subject, metric: "availability", value, at };
        }),
      );
    }
    const truth = (100 * process.upHours) / (process.upHours + process.downHours);
    const holds = subjects.filter((subject) => {
      const { components } = standing(world.state, subject, world.nowMs);
      const { lower, upper } = components.find(({ name }) => name === "uptime")!;
      return lower <= truth && truth <= upper;
    });
    const held = (100 * holds.length) / subjects.length;
    return [held, held];
  },
}));
