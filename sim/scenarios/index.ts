import type { Scenario } from "../scenario.ts";
import { change } from "./change.ts";
import { dead } from "./dead.ts";
import { evidence } from "./evidence.ts";
import { fairness } from "./fairness.ts";

export const SCENARIOS: readonly Scenario[] = [...dead, ...fairness, ...change, ...evidence];
