import { whitewash } from "./whitewash.ts";
import type { Scenario } from "../scenario.ts";
import { availability } from "./availability.ts";
import { change } from "./change.ts";
import { collapse } from "./collapse.ts";
import { dead } from "./dead.ts";
import { evidence } from "./evidence.ts";
import { fairness } from "./fairness.ts";
import { gaming } from "./gaming.ts";
import { monitors } from "./monitors.ts";

export const SCENARIOS: readonly Scenario[] = [
  ...dead,
  ...fairness,
  ...change,
  ...collapse,
  ...gaming,
  ...whitewash,
  ...monitors,
  ...evidence,
  ...availability,
];
