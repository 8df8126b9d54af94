import type { Scenario } from "../scenario.ts";
import { dead } from "./dead.ts";
import { fairness } from "./fairness.ts";

export const SCENARIOS: readonly Scenario[] = [...dead, ...fairness];
