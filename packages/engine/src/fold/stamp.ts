/** Notes when evidence came and on how many days, and lets the trust average run up to now. */
import { DAY_MS } from "../policy/compile.ts";
import { advanceTrust } from "../score/trust.ts";
import { EVIDENCE_DAYS, FIRST_AT, LAST_AT, LAST_DAY, TRUST_AT, type Chunk } from "../state/row-table.ts";
import type { Kind, State } from "../state/state.ts";

export function stampEvidence(state: State, kind: Kind, chunk: Chunk, start: number, at: number): void {
  const { f64, u32 } = chunk;
  if (f64[start + FIRST_AT] === 0) {
    f64[start + FIRST_AT] = at;
    f64[start + LAST_AT] = at;
  } else if (at > f64[start + LAST_AT]!) {
    f64[start + LAST_AT] = at;
  }
  if (f64[start + TRUST_AT] !== state.now) advanceTrust(chunk, start, kind.compiled.policy, state.now);
  const day = Math.floor(at / DAY_MS);
  if (day > u32[start * 2 + LAST_DAY]!) {
    u32[start * 2 + LAST_DAY] = day;
    u32[start * 2 + EVIDENCE_DAYS]! += 1;
  }
}
