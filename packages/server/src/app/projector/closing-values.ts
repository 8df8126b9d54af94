/** What subjects are, read straight from their rows: as last evaluated, so that the parts belong to the score. */
import {
  CHANGE_REASONS,
  COMPONENTS,
  componentScore,
  EVALUATED_AT,
  EVENT_COUNT,
  kindOf,
  rowStart,
  SCORE,
  silentMs,
  type ChangeReason,
  type ComponentName,
  type State,
} from "@staunch/engine";
import { BLOCK_COMPONENTS_MAX, RANGE_SIZE, type SnapshotBlock } from "../../ports/store.ts";
import type { Page } from "./hour-marks.ts";

/** Components in the order of a block's columns: new ones are added at the end. */
export const BLOCK_COMPONENTS: readonly ComponentName[] = COMPONENTS.slice(0, BLOCK_COMPONENTS_MAX);

if (COMPONENTS.length > BLOCK_COMPONENTS_MAX) throw new Error("a block has no room for all components");

/** The components of a subject at its last evaluation, NaN where its policy has none, written to `into`. */
export function readComponents(
  state: State,
  subject: number,
  into: Float32Array,
  first = 0,
  stride = 1,
): void {
  const { compiled, table } = kindOf(state, subject);
  const row = state.places.rowOf(subject);
  const chunk = table.chunkOf(row);
  const start = rowStart(row);
  const at = chunk.f64[start + EVALUATED_AT]!;
  const silenceMs = silentMs(chunk, start, state.sanctions.of(subject), at);
  for (let column = 0; column < BLOCK_COMPONENTS_MAX; column++) into[first + column * stride] = NaN;
  for (const rule of compiled.components) {
    const column = BLOCK_COMPONENTS.indexOf(rule.name);
    into[first + column * stride] = componentScore(chunk, start, rule, compiled, silenceMs, at);
  }
}

/** Score, instant and number of samples of a subject as last evaluated. */
export function readClosing(
  state: State,
  subject: number,
): { readonly at: number; readonly score: number; readonly eventCount: number } {
  const row = state.places.rowOf(subject);
  const chunk = kindOf(state, subject).table.chunkOf(row);
  const start = rowStart(row);
  const { f64, u32 } = chunk;
  return {
    at: f64[start + EVALUATED_AT]!,
    score: f64[start + SCORE]!,
    eventCount: u32[start * 2 + EVENT_COUNT]!,
  };
}

/** The marked subjects of one range as columns. */
export function blockOf(state: State, hour: number, range: number, page: Page): SnapshotBlock {
  let count = 0;
  for (let index = 0; index < RANGE_SIZE; index++) if (page[index] !== 0) count++;
  const block = {
    hour,
    range,
    offset: new Uint16Array(count),
    at: new Float64Array(count),
    score: new Float32Array(count),
    components: new Float32Array(count * BLOCK_COMPONENTS_MAX),
    eventCount: new Uint32Array(count),
    reason: new Uint8Array(count),
  };
  let row = 0;
  for (let index = 0; index < RANGE_SIZE; index++) {
    if (page[index] === 0) continue;
    const subject = range * RANGE_SIZE + index;
    const { at, score, eventCount } = readClosing(state, subject);
    block.offset[row] = index;
    block.at[row] = at;
    block.score[row] = score;
    block.eventCount[row] = eventCount;
    block.reason[row] = page[index]! - 1;
    readComponents(state, subject, block.components, row, count);
    row++;
  }
  return block;
}

/** What is told and kept of a score: four decimals. */
export function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}

/** Name of a reason as columns have it; null for one that does not exist. */
export function reasonName(reason: number): ChangeReason | null {
  return CHANGE_REASONS[reason] ?? null;
}
