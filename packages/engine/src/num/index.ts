/** Numbers with the same bits on every machine. */
export { exp, log } from "./exp.ts";
export { sqrt } from "./sqrt.ts";
export { median } from "./median.ts";
export { Random } from "./random.ts";
export { clamp, roundHalfUp, type Digits } from "./round.ts";
export { StateDigest } from "./hash.ts";
