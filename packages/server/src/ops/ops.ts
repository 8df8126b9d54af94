/** What every transport needs to be watched by the people who run it. */
import type { Logger } from "pino";
import type { Metrics } from "./metrics.ts";

export interface Ops {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Ms since 1970, for rates and durations of the transport itself. */
  readonly now: () => number;
}
