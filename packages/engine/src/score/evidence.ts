/**
 * Evidence of one metric: decayed sums over windows (`scoring.md`, section 2).
 *
 * A sample falls into a window (60 s). The window's mean is one observation, so a burst of probes counts once. For
 * correlated metrics the windows are 5-minute slots and their means are averaged over a block (6 h), which is the
 * observation: an outage seen by 1 or by 200 probes weighs the same, and neighbouring hours of the same outage are
 * not taken for independent trials.
 *
 * The two newest windows and blocks stay open, so samples that arrive a little out of order change nothing. A
 * sample for a window that is closed already counts alone.
 *
 * Sums are kept as of the newest unit (window or block). When a newer one opens, they are multiplied by the decay
 * of the time between, at most `maxGap`: silence ages evidence no further, so it neither raises a mean nor lets one
 * sample decide afterwards. Where no gap is longer than that, weight(age) = exp(-rate * age) for each observation
 * whatever the order of arrival, which is forward decay (Cormode, Shkapenyuk, Srivastava and Xu, ICDE 2009).
 */
import { exp } from "../num/exp.ts";
import { decayAfter, type MetricRule } from "../policy/compile.ts";
import type { Chunk } from "../state/row-table.ts";
import {
  CURRENT_BLOCK,
  CURRENT_BLOCK_COUNT,
  CURRENT_BLOCK_SUM,
  CURRENT_BLOCK_WEIGHT,
  CURRENT_COUNT,
  CURRENT_INDEX,
  CURRENT_SUM,
  CURRENT_WEIGHT,
  PREVIOUS_BLOCK,
  PREVIOUS_BLOCK_COUNT,
  PREVIOUS_BLOCK_SUM,
  PREVIOUS_BLOCK_WEIGHT,
  PREVIOUS_COUNT,
  PREVIOUS_INDEX,
  PREVIOUS_SUM,
  PREVIOUS_WEIGHT,
  SPAN_MS,
  W,
  WV,
  WVV,
  WW,
} from "../state/row-table.ts";

/**
 * Adds a sample to the slot that starts at double `slot` of the chunk.
 *
 * @param utility 0..1
 * @param weight in (0, 10]
 * @returns how many units of evidence it began: 1 for a sample of a new window or block, else 0.
 */
export function addEvidence(
  chunk: Chunk,
  slot: number,
  rule: MetricRule,
  atMs: number,
  utility: number,
  weight: number,
): number {
  const { u32 } = chunk;
  const ints = slot * 2;
  const index = Math.floor(atMs / rule.windowMs) + 1;
  const current = u32[ints + CURRENT_INDEX]!;
  let begun = 0;
  if (index > current) {
    begun = openWindow(chunk, slot, rule, index);
  } else if (index < current) {
    const previous = u32[ints + PREVIOUS_INDEX]!;
    if (index < previous) return addAlone(chunk, slot, rule, index, utility, weight);
    if (index > previous) begun = openBetween(chunk, slot, rule, index);
    addTo(chunk, slot, PREVIOUS_SUM, PREVIOUS_COUNT, weight * utility, weight);
    return begun;
  }
  addTo(chunk, slot, CURRENT_SUM, CURRENT_COUNT, weight * utility, weight);
  return begun;
}

/** What a metric's slot says: sums as of its newest unit, open windows included. Reused; valid until the next read. */
export interface Reading {
  /** Number of the newest unit + 1; 0 without evidence. */
  newestUnit: number;
  /** Sums of weight, weight x utility, weight x utility squared, weight squared. */
  w: number;
  wv: number;
  wvv: number;
  ww: number;
  /** Evidence time from the first observation to the newest unit. */
  spanMs: number;
}

export function newReading(): Reading {
  return { newestUnit: 0, w: 0, wv: 0, wvv: 0, ww: 0, spanMs: 0 };
}

/** Reads a slot into `into`. */
export function readEvidence(chunk: Chunk, slot: number, rule: MetricRule, into: Reading): void {
  const { f64, u32, u16 } = chunk;
  const ints = slot * 2;
  into.w = f64[slot + W]!;
  into.wv = f64[slot + WV]!;
  into.wvv = f64[slot + WVV]!;
  into.ww = f64[slot + WW]!;
  into.spanMs = f64[slot + SPAN_MS]!;
  if (rule.correlated) {
    readBlocks(chunk, slot, rule, into);
    return;
  }
  const current = u32[ints + CURRENT_INDEX]!;
  const previous = u32[ints + PREVIOUS_INDEX]!;
  into.newestUnit = current;
  const count = u16[slot * 4 + CURRENT_COUNT]!;
  if (count > 0) {
    const weight = f64[slot + CURRENT_WEIGHT]!;
    observe(into, f64[slot + CURRENT_SUM]! / weight, weight / count, 1);
  }
  const previousCount = u16[slot * 4 + PREVIOUS_COUNT]!;
  if (previousCount > 0) {
    const weight = f64[slot + PREVIOUS_WEIGHT]!;
    const left = decayAfter(rule, current - previous);
    observe(into, f64[slot + PREVIOUS_SUM]! / weight, weight / previousCount, left);
  }
}

/**
 * Closes every open window and block because a new policy gives them another length; the newest unit keeps its
 * place in time.
 */
export function closeEvidence(chunk: Chunk, slot: number, rule: MetricRule, next: MetricRule): void {
  const { f64, u32, u16 } = chunk;
  const reading = newReading();
  readEvidence(chunk, slot, rule, reading);
  f64[slot + W] = reading.w;
  f64[slot + WV] = reading.wv;
  f64[slot + WVV] = reading.wvv;
  f64[slot + WW] = reading.ww;
  const ints = slot * 2;
  const current = u32[ints + CURRENT_INDEX]!;
  u32[ints + CURRENT_INDEX] = current === 0 ? 0 : sameTime(current, rule.windowMs, next.windowMs);
  u32[ints + PREVIOUS_INDEX] = 0;
  for (const field of [CURRENT_COUNT, PREVIOUS_COUNT]) u16[slot * 4 + field] = 0;
  f64.fill(0, slot + CURRENT_SUM, slot + PREVIOUS_WEIGHT + 1);
  if (!rule.correlated) return;
  // The block that stays open has to hold the window that stays open.
  const window = u32[ints + CURRENT_INDEX]!;
  u32[ints + CURRENT_BLOCK] = window === 0 ? 0 : blockOf(next, window);
  u32[ints + PREVIOUS_BLOCK] = 0;
  for (const field of [CURRENT_BLOCK_COUNT, PREVIOUS_BLOCK_COUNT]) u16[slot * 4 + field] = 0;
  f64.fill(0, slot + CURRENT_BLOCK_SUM, slot + PREVIOUS_BLOCK_WEIGHT + 1);
}

/** Number of the unit of length `toMs` in which unit `index` of length `fromMs` starts. */
function sameTime(index: number, fromMs: number, toMs: number): number {
  return Math.floor(((index - 1) * fromMs) / toMs) + 1;
}

/** The newest window becomes the previous one and an empty window opens. */
function openWindow(chunk: Chunk, slot: number, rule: MetricRule, index: number): number {
  const { f64, u32, u16 } = chunk;
  const ints = slot * 2;
  const current = u32[ints + CURRENT_INDEX]!;
  closePrevious(chunk, slot, rule);
  u32[ints + PREVIOUS_INDEX] = current;
  u16[slot * 4 + PREVIOUS_COUNT] = u16[slot * 4 + CURRENT_COUNT]!;
  f64[slot + PREVIOUS_SUM] = f64[slot + CURRENT_SUM]!;
  f64[slot + PREVIOUS_WEIGHT] = f64[slot + CURRENT_WEIGHT]!;
  u32[ints + CURRENT_INDEX] = index;
  u16[slot * 4 + CURRENT_COUNT] = 0;
  f64[slot + CURRENT_SUM] = 0;
  f64[slot + CURRENT_WEIGHT] = 0;
  if (rule.correlated) return openBlock(chunk, slot, rule, blockOf(rule, index));
  if (current !== 0) age(f64, slot, rule, index - current);
  return 1;
}

/** A window between the two newest opens: the older of them closes. */
function openBetween(chunk: Chunk, slot: number, rule: MetricRule, index: number): number {
  const { f64, u32, u16 } = chunk;
  const ints = slot * 2;
  closePrevious(chunk, slot, rule);
  u32[ints + PREVIOUS_INDEX] = index;
  u16[slot * 4 + PREVIOUS_COUNT] = 0;
  f64[slot + PREVIOUS_SUM] = 0;
  f64[slot + PREVIOUS_WEIGHT] = 0;
  if (rule.correlated) return openBlock(chunk, slot, rule, blockOf(rule, index));
  spanBack(f64, slot, rule, u32[ints + CURRENT_INDEX]! - index);
  return 1;
}

function closePrevious(chunk: Chunk, slot: number, rule: MetricRule): void {
  const { f64, u32, u16 } = chunk;
  const ints = slot * 2;
  const previous = u32[ints + PREVIOUS_INDEX]!;
  const count = u16[slot * 4 + PREVIOUS_COUNT]!;
  if (count === 0) return;
  const weight = f64[slot + PREVIOUS_WEIGHT]!;
  const mean = f64[slot + PREVIOUS_SUM]! / weight;
  const meanWeight = weight / count;
  if (rule.correlated) {
    collect(chunk, slot, rule, blockOf(rule, previous), mean, meanWeight);
  } else {
    add(f64, slot, mean, meanWeight, decayAfter(rule, u32[ints + CURRENT_INDEX]! - previous));
  }
}

/** A sample for a window that is closed: an observation of its own, or a slot of its own in an open block. */
function addAlone(
  chunk: Chunk,
  slot: number,
  rule: MetricRule,
  index: number,
  utility: number,
  weight: number,
): number {
  const { f64, u32 } = chunk;
  if (rule.correlated) {
    const begun = openBlock(chunk, slot, rule, blockOf(rule, index));
    return begun + collect(chunk, slot, rule, blockOf(rule, index), utility, weight);
  }
  addLate(f64, slot, rule, u32[slot * 2 + CURRENT_INDEX]! - index, utility, weight);
  return 1;
}

/** Opens the block of a window unless it is open, or older than both open ones. */
function openBlock(chunk: Chunk, slot: number, rule: MetricRule, block: number): number {
  const { f64, u32, u16 } = chunk;
  const ints = slot * 2;
  const current = u32[ints + CURRENT_BLOCK]!;
  const previous = u32[ints + PREVIOUS_BLOCK]!;
  if (block === current || block <= previous) return 0;
  closePreviousBlock(chunk, slot, rule);
  if (block < current) {
    u32[ints + PREVIOUS_BLOCK] = block;
    u16[slot * 4 + PREVIOUS_BLOCK_COUNT] = 0;
    f64[slot + PREVIOUS_BLOCK_SUM] = 0;
    f64[slot + PREVIOUS_BLOCK_WEIGHT] = 0;
    spanBack(f64, slot, rule, current - block);
    return 1;
  }
  u32[ints + PREVIOUS_BLOCK] = current;
  u16[slot * 4 + PREVIOUS_BLOCK_COUNT] = u16[slot * 4 + CURRENT_BLOCK_COUNT]!;
  f64[slot + PREVIOUS_BLOCK_SUM] = f64[slot + CURRENT_BLOCK_SUM]!;
  f64[slot + PREVIOUS_BLOCK_WEIGHT] = f64[slot + CURRENT_BLOCK_WEIGHT]!;
  u32[ints + CURRENT_BLOCK] = block;
  u16[slot * 4 + CURRENT_BLOCK_COUNT] = 0;
  f64[slot + CURRENT_BLOCK_SUM] = 0;
  f64[slot + CURRENT_BLOCK_WEIGHT] = 0;
  if (current !== 0) age(f64, slot, rule, block - current);
  return 1;
}

function closePreviousBlock(chunk: Chunk, slot: number, rule: MetricRule): void {
  const { f64, u32, u16 } = chunk;
  const ints = slot * 2;
  const count = u16[slot * 4 + PREVIOUS_BLOCK_COUNT]!;
  if (count === 0) return;
  add(
    f64,
    slot,
    f64[slot + PREVIOUS_BLOCK_SUM]! / count,
    f64[slot + PREVIOUS_BLOCK_WEIGHT]! / count,
    decayAfter(rule, u32[ints + CURRENT_BLOCK]! - u32[ints + PREVIOUS_BLOCK]!),
  );
}

/** Adds a window's mean to its block; when the block is closed already it counts alone. Returns 1 in that case. */
function collect(
  chunk: Chunk,
  slot: number,
  rule: MetricRule,
  block: number,
  mean: number,
  meanWeight: number,
): number {
  const { f64, u32 } = chunk;
  const ints = slot * 2;
  const current = u32[ints + CURRENT_BLOCK]!;
  if (block === current) {
    addTo(chunk, slot, CURRENT_BLOCK_SUM, CURRENT_BLOCK_COUNT, mean, meanWeight);
    return 0;
  }
  if (block === u32[ints + PREVIOUS_BLOCK]!) {
    addTo(chunk, slot, PREVIOUS_BLOCK_SUM, PREVIOUS_BLOCK_COUNT, mean, meanWeight);
    return 0;
  }
  addLate(f64, slot, rule, current - block, mean, meanWeight);
  return 1;
}

/** Sums of both open blocks, with the two open windows put where they belong. */
function readBlocks(chunk: Chunk, slot: number, rule: MetricRule, into: Reading): void {
  const { f64, u32, u16 } = chunk;
  const ints = slot * 2;
  const current = u32[ints + CURRENT_BLOCK]!;
  const previous = u32[ints + PREVIOUS_BLOCK]!;
  into.newestUnit = current;
  if (current === 0) return;
  let sum = f64[slot + CURRENT_BLOCK_SUM]!;
  let weight = f64[slot + CURRENT_BLOCK_WEIGHT]!;
  let count = u16[slot * 4 + CURRENT_BLOCK_COUNT]!;
  let previousSum = f64[slot + PREVIOUS_BLOCK_SUM]!;
  let previousWeight = f64[slot + PREVIOUS_BLOCK_WEIGHT]!;
  let previousCount = u16[slot * 4 + PREVIOUS_BLOCK_COUNT]!;
  for (let open = 0; open < 2; open++) {
    const index = u32[ints + CURRENT_INDEX + open]!;
    const samples = u16[slot * 4 + CURRENT_COUNT + open]!;
    if (samples === 0) continue;
    const windowWeight = f64[slot + CURRENT_WEIGHT + 2 * open]!;
    const mean = f64[slot + CURRENT_SUM + 2 * open]! / windowWeight;
    const meanWeight = windowWeight / samples;
    if (blockOf(rule, index) === current) {
      sum += mean;
      weight += meanWeight;
      count += 1;
    } else {
      previousSum += mean;
      previousWeight += meanWeight;
      previousCount += 1;
    }
  }
  if (count > 0) observe(into, sum / count, weight / count, 1);
  if (previousCount === 0) return;
  observe(
    into,
    previousSum / previousCount,
    previousWeight / previousCount,
    decayAfter(rule, current - previous),
  );
}

function blockOf(rule: MetricRule, windowIndex: number): number {
  return Math.floor((windowIndex - 1) / rule.windowsPerBlock) + 1;
}

/** Multiplies the sums by the decay of `units` that passed before the next evidence. */
function age(f64: Float64Array, slot: number, rule: MetricRule, units: number): void {
  const left = decayAfter(rule, units);
  f64[slot + W]! *= left;
  f64[slot + WV]! *= left;
  f64[slot + WVV]! *= left;
  f64[slot + WW]! *= left;
  f64[slot + SPAN_MS]! += Math.min(units * rule.unitMs, rule.maxGapMs);
}

/** Evidence older than all before it stretches the span backwards. */
function spanBack(f64: Float64Array, slot: number, rule: MetricRule, units: number): void {
  const spanMs = lateAgeMs(f64, slot, rule, units);
  if (spanMs > f64[slot + SPAN_MS]!) f64[slot + SPAN_MS] = spanMs;
}

/** An observation `units` before the newest, behind others: it has aged as if it had come in time. */
function addLate(
  f64: Float64Array,
  slot: number,
  rule: MetricRule,
  units: number,
  mean: number,
  weight: number,
): void {
  const inTable = units < rule.decay.length - 1;
  const left = inTable ? rule.decay[units]! : exp(-rule.decayPerMs * lateAgeMs(f64, slot, rule, units));
  add(f64, slot, mean, weight, left);
  spanBack(f64, slot, rule, units);
}

/** Time since then, as far as evidence fills it; of the time before the first observation at most `maxGap` counts. */
function lateAgeMs(f64: Float64Array, slot: number, rule: MetricRule, units: number): number {
  return Math.min(units * rule.unitMs, f64[slot + SPAN_MS]! + rule.maxGapMs);
}

function add(f64: Float64Array, slot: number, mean: number, weight: number, left: number): void {
  const decayed = weight * left;
  f64[slot + W]! += decayed;
  f64[slot + WV]! += decayed * mean;
  f64[slot + WVV]! += decayed * mean * mean;
  f64[slot + WW]! += decayed * weight;
}

function observe(into: Reading, mean: number, weight: number, left: number): void {
  const decayed = weight * left;
  into.w += decayed;
  into.wv += decayed * mean;
  into.wvv += decayed * mean * mean;
  into.ww += decayed * weight;
}

/** Counts are 16 bits wide; at this even number sum, weight and count are halved together, which keeps their ratios. */
const COUNT_MAX = 0xfffe;

/** Adds to an open window or block: the sum at `sumAt`, the weight behind it, and its count. */
function addTo(
  chunk: Chunk,
  slot: number,
  sumAt: number,
  countAt: number,
  sum: number,
  weight: number,
): void {
  const { f64, u16 } = chunk;
  if (u16[slot * 4 + countAt] === COUNT_MAX) {
    f64[slot + sumAt]! /= 2;
    f64[slot + sumAt + 1]! /= 2;
    u16[slot * 4 + countAt] = COUNT_MAX / 2;
  }
  f64[slot + sumAt]! += sum;
  f64[slot + sumAt + 1]! += weight;
  u16[slot * 4 + countAt]! += 1;
}
