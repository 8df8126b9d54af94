/**
 * Ranking of the subjects of one kind by score, without sorting the fleet.
 *
 * What ranks is the score rounded to .01: a *bucket*, 0 (worst) to 10,000 (best). Subjects in one bucket share the
 * place. How many are in each bucket gives places and cuts; the best bucket of each block of subjects shows which
 * blocks a list of the best has to look into.
 */
import { nearestRank } from "../sketch/log-buckets.ts";

export const RANK_BUCKET_MAX = 10_000;
/** In place of a bucket: the subject is not ranked. */
export const NOT_RANKED = 0xffff;
/** Dense numbers of subjects are below it. */
export const RANK_SUBJECTS_MAX = 1 << 24;
/** Longest list that can be asked for. */
export const RANK_LIST_MAX = 10_000;
/**
 * If more subjects than these tie for the last places of a list, they are not compared but taken by number: a fleet
 * that starts at one score would otherwise be sorted after all.
 */
export const RANK_TIES_COMPARED_MAX = 256;

/** Lists of up to this many come from the podium; it is given up when it has grown to the larger number. */
const PODIUM_MIN = 256;
const PODIUM_MAX = 2_048;

/** Which of two subjects in one bucket is listed first: negative a, positive b, 0 the lower number. */
export type OrderOfTies = (a: number, b: number) => number;

const CHUNK_BITS = 14;
const CHUNK_SUBJECTS = 1 << CHUNK_BITS;
const BLOCK_BITS = 7;
const BLOCK_SUBJECTS = 1 << BLOCK_BITS;
const BLOCKS_PER_CHUNK = CHUNK_SUBJECTS / BLOCK_SUBJECTS;
const GROUP_BITS = 7;
const GROUP_LEVELS = 1 << GROUP_BITS;

/** Bucket + 1, and 0 for not ranked: fresh memory reads as not ranked, and no ranked subject is below it. */
type Level = number;
const LEVEL_MAX = RANK_BUCKET_MAX + 1;

interface RankChunk {
  readonly levels: Uint16Array;
  /** Highest level of each block. */
  readonly blockMax: Uint16Array;
}

/** The bucket of a score of 0..`maxScore`; scores outside count as the nearer end. */
export function rankBucket(score: number, maxScore = 100): number {
  const bucket = Math.round(score * (RANK_BUCKET_MAX / maxScore));
  return Math.min(RANK_BUCKET_MAX, Math.max(0, bucket));
}

/** The rounded score that a bucket stands for. */
export function rankScore(bucket: number, maxScore = 100): number {
  return bucket / (RANK_BUCKET_MAX / maxScore);
}

/** Order-statistics index over dense subject numbers. Everything is exact, and nothing depends on the history. */
export class RankIndex {
  private readonly chunks: RankChunk[] = [];
  /** Subjects at each level, and in each group of 128 levels. */
  private readonly atLevel = new Uint32Array(LEVEL_MAX + 1);
  private readonly inGroup = new Uint32Array((LEVEL_MAX >>> GROUP_BITS) + 1);
  private ranked = 0;
  private readonly podium = new Podium();

  /** How many subjects are ranked. */
  get count(): number {
    return this.ranked;
  }

  /** Puts a subject into a bucket 0..10,000, or takes it out with {@link NOT_RANKED}. */
  set(subject: number, bucket: number): void {
    const chunk = this.chunks[subject >>> CHUNK_BITS] ?? this.growTo(subject);
    if (bucket !== NOT_RANKED && !isBucket(bucket)) throw new RangeError(`there is no rank bucket ${bucket}`);
    const level = bucket === NOT_RANKED ? 0 : bucket + 1;
    const place = subject & (CHUNK_SUBJECTS - 1);
    const old = chunk.levels[place]!;
    if (old === level) return;
    chunk.levels[place] = level;
    this.recount(old, -1);
    this.recount(level, 1);
    if (level >= this.podium.floor || old >= this.podium.floor) this.podium.moved(subject, level);

    const block = place >>> BLOCK_BITS;
    const max = chunk.blockMax[block]!;
    if (level > max) chunk.blockMax[block] = level;
    else if (old === max) chunk.blockMax[block] = highest(chunk.levels, block << BLOCK_BITS);
  }

  /** Reads what the next {@link set} of this subject reads, so that memory of several is fetched at once. */
  touch(subject: number): number {
    const chunk = this.chunks[subject >>> CHUNK_BITS];
    if (chunk === undefined) return 0;
    const place = subject & (CHUNK_SUBJECTS - 1);
    return chunk.levels[place]! + chunk.blockMax[place >>> BLOCK_BITS]!;
  }

  /** Takes a subject out of the ranking, if it is in. */
  remove(subject: number): void {
    this.set(subject, NOT_RANKED);
  }

  /** The bucket of a subject, {@link NOT_RANKED} if it has none. */
  bucketOf(subject: number): number {
    const level = this.levelOf(subject);
    return level === 0 ? NOT_RANKED : level - 1;
  }

  /** How many subjects are in buckets better than this one. */
  countAbove(bucket: number): number {
    return bucket >= RANK_BUCKET_MAX ? 0 : this.countAboveLevel(bucket + 1);
  }

  /** 1 + the number of strictly better subjects, so ties share a place; 0 when not ranked. */
  place(subject: number): number {
    const level = this.levelOf(subject);
    return level === 0 ? 0 : 1 + this.countAboveLevel(level);
  }

  /**
   * Share of the ranked subjects that are not better, the subject itself and its ties included: above 0, and 1 for the
   * best; 0 when not ranked.
   */
  percentile(subject: number): number {
    const level = this.levelOf(subject);
    return level === 0 ? 0 : (this.ranked - this.countAboveLevel(level)) / this.ranked;
  }

  /** The bucket in which the subject at a place 1..count is; {@link NOT_RANKED} for other places. */
  bucketAtPlace(place: number): number {
    if (!(place >= 1 && place <= this.ranked)) return NOT_RANKED;
    return this.levelAtPlace(place) - 1;
  }

  /**
   * The best bucket such that a share (0..1) of the ranked subjects or more is in it or above, and at least one subject
   * is: where a tier of the top 5 % starts, ties included. {@link NOT_RANKED} when nobody is ranked.
   */
  bucketOfTopShare(share: number): number {
    return this.bucketAtPlace(nearestRank(share, this.ranked));
  }

  /**
   * The `k` best subjects, best first: by bucket, then `orderOfTies`, then number. Of more than
   * {@link RANK_TIES_COMPARED_MAX} subjects that tie for the last places, the lowest numbers are listed.
   */
  topK(k: number, orderOfTies: OrderOfTies): number[] {
    const wanted = Math.min(checkedLength(k), this.ranked);
    if (wanted === 0 || wanted > PODIUM_MIN) return this.descend(LEVEL_MAX, 0, wanted, orderOfTies);
    const last = this.levelAtPlace(wanted);
    // Too many ties to keep: the scan knows what to do.
    if (this.atLevel[last]! > RANK_TIES_COMPARED_MAX) return this.descend(LEVEL_MAX, 0, wanted, orderOfTies);
    if (last < this.podium.floor) {
      const floor = this.levelAtPlace(Math.min(this.ranked, PODIUM_MIN));
      const lowest = this.atLevel[floor]! > RANK_TIES_COMPARED_MAX ? last : floor;
      this.podium.fill(lowest, this.collect(lowest, LEVEL_MAX, 0, Infinity), (subject) =>
        this.levelOf(subject),
      );
    }
    return this.bestFirst(this.podium.keysFrom(last), orderOfTies).slice(0, wanted);
  }

  /** The `k` worst subjects, worst first: as {@link topK}, but in the reverse order, and equals still by number. */
  bottomK(k: number, orderOfTies: OrderOfTies): number[] {
    const wanted = Math.min(checkedLength(k), this.ranked);
    if (wanted === 0) return [];
    const last = this.levelAtPlace(this.ranked - wanted + 1);
    const worse: OrderOfTies = (a, b) => this.levelOf(a) - this.levelOf(b) || orderOfTies(b, a) || a - b;
    if (this.atLevel[last]! <= RANK_TIES_COMPARED_MAX) {
      return this.collect(1, last, 0, Infinity).toSorted(worse).slice(0, wanted);
    }
    const below = this.collect(1, last - 1, 0, Infinity).toSorted(worse);
    const ties = this.collect(last, last, 0, wanted - below.length);
    return below.concat(ties);
  }

  /**
   * The next `k` subjects behind a cursor, in the order of bucket (best first) and number. The cursor is the bucket and
   * number of the last subject seen; {@link NOT_RANKED} as bucket starts at the top. Subjects that move while somebody
   * turns pages may be met twice or never; all others exactly once.
   */
  page(afterBucket: number, afterNumber: number, k: number): number[] {
    checkedLength(k);
    const afterLevel = Math.min(afterBucket, LEVEL_MAX) + 1;
    const found = afterLevel > LEVEL_MAX ? [] : this.collect(afterLevel, afterLevel, afterNumber + 1, k);
    const passed = this.countAboveLevel(afterLevel - 1);
    const wanted = Math.min(k - found.length, this.ranked - passed);
    if (wanted <= 0) return found;

    return found.concat(this.descend(afterLevel - 1, passed, wanted, byNumber));
  }

  /** The next `wanted` subjects from a level down, when `passed` are above that level. */
  private descend(from: Level, passed: number, wanted: number, orderOfTies: OrderOfTies): number[] {
    if (wanted === 0) return [];
    const last = this.levelAtPlace(passed + wanted);
    if (this.atLevel[last]! <= RANK_TIES_COMPARED_MAX) {
      return this.bestFirst(this.keysOf(this.collect(last, from, 0, Infinity)), orderOfTies).slice(0, wanted);
    }
    const above = this.bestFirst(this.keysOf(this.collect(last + 1, from, 0, Infinity)), orderOfTies);
    return above.concat(this.collect(last, last, 0, wanted - above.length));
  }

  private keysOf(subjects: readonly number[]): number[] {
    return subjects.map((subject) => keyOf(subject, this.levelOf(subject)));
  }

  /** Sorts by level with plain numbers first, and asks about ties only where there are some. */
  private bestFirst(unsorted: readonly number[], orderOfTies: OrderOfTies): number[] {
    const keys = Float64Array.from(unsorted).sort();
    const sorted: number[] = [];
    for (let first = 0; first < keys.length; ) {
      const level = Math.floor(keys[first]! / RANK_SUBJECTS_MAX);
      const ties: number[] = [];
      for (; first < keys.length; first++) {
        const subject = keys[first]! - level * RANK_SUBJECTS_MAX;
        if (subject >= RANK_SUBJECTS_MAX) break;
        ties.push(subject);
      }
      if (ties.length > 1) ties.sort((a, b) => orderOfTies(a, b) || a - b);
      for (let index = 0; index < ties.length; index++) sorted.push(ties[index]!);
    }
    return sorted;
  }

  private levelOf(subject: number): Level {
    return this.chunks[subject >>> CHUNK_BITS]?.levels[subject & (CHUNK_SUBJECTS - 1)] ?? 0;
  }

  private recount(level: Level, by: 1 | -1): void {
    if (level === 0) return;
    this.atLevel[level]! += by;
    this.inGroup[level >>> GROUP_BITS]! += by;
    this.ranked += by;
  }

  private countAboveLevel(level: Level): number {
    const groupEnd = Math.min(LEVEL_MAX, level | (GROUP_LEVELS - 1));
    let count = 0;
    for (let next = level + 1; next <= groupEnd; next++) count += this.atLevel[next]!;
    for (let group = (level >>> GROUP_BITS) + 1; group < this.inGroup.length; group++)
      count += this.inGroup[group]!;
    return count;
  }

  /** `place` lies in 1..count. */
  private levelAtPlace(place: number): Level {
    let left = place;
    let group = LEVEL_MAX >>> GROUP_BITS;
    while (left > this.inGroup[group]!) left -= this.inGroup[group--]!;
    let level = Math.min(LEVEL_MAX, (group << GROUP_BITS) | (GROUP_LEVELS - 1));
    while (left > this.atLevel[level]!) left -= this.atLevel[level--]!;
    return level;
  }

  /** The first `limit` subjects from a number on, by number, whose levels lie between two (both included). */
  private collect(low: Level, high: Level, from: number, limit: number): number[] {
    const found: number[] = [];
    const expected = low > high ? 0 : this.countAboveLevel(low - 1) - this.countAboveLevel(high);
    const enough = Math.min(limit, expected);
    const span = high - low;
    for (let index = from >>> CHUNK_BITS; index < this.chunks.length && found.length < enough; index++) {
      const { levels, blockMax } = this.chunks[index]!;
      const base = index << CHUNK_BITS;
      for (let block = 0; block < BLOCKS_PER_CHUNK && found.length < enough; block++) {
        if (blockMax[block]! < low) continue;
        const end = (block + 1) << BLOCK_BITS;
        for (let place = block << BLOCK_BITS; place < end; place++) {
          // One comparison for both ends: below `low` the difference wraps around to a large number.
          if ((levels[place]! - low) >>> 0 <= span && base + place >= from) found.push(base + place);
        }
      }
    }
    if (found.length > enough) found.length = enough;
    return found;
  }

  private growTo(subject: number): RankChunk {
    if (!(subject >= 0 && subject < RANK_SUBJECTS_MAX))
      throw new RangeError(`no subject has number ${subject}`);
    for (;;) {
      const levels = new Uint16Array(CHUNK_SUBJECTS);
      const chunk = { levels, blockMax: new Uint16Array(BLOCKS_PER_CHUNK) };
      this.chunks.push(chunk);
      if (this.chunks.length > subject >>> CHUNK_BITS) return chunk;
    }
  }
}

/** One number that sorts the best level first and then by subject. */
function keyOf(subject: number, level: Level): number {
  return (LEVEL_MAX - level) * RANK_SUBJECTS_MAX + subject;
}

/**
 * The subjects at the very top, kept by hand as they come and go, so that a short list of the best need not look
 * through the blocks of the whole fleet. A cache: it is filled when a list is asked for and given up when it grows.
 */
class Podium {
  /** Lowest level that is kept; above all levels while nothing is. */
  floor = LEVEL_MAX + 1;
  private readonly levels = new Map<number, Level>();

  moved(subject: number, level: Level): void {
    if (level < this.floor) this.levels.delete(subject);
    else this.levels.set(subject, level);
    if (this.levels.size <= PODIUM_MAX) return;
    this.levels.clear();
    this.floor = LEVEL_MAX + 1;
  }

  fill(floor: Level, subjects: readonly number[], levelOf: (subject: number) => Level): void {
    this.floor = floor;
    this.levels.clear();
    for (const subject of subjects) this.levels.set(subject, levelOf(subject));
  }

  /** Keys of the subjects at `low` or above, in no order; `low` is not below the floor. */
  keysFrom(low: Level): number[] {
    const found: number[] = [];
    for (const [subject, level] of this.levels) if (level >= low) found.push(keyOf(subject, level));
    return found;
  }
}

const byNumber: OrderOfTies = (a, b) => a - b;

function isBucket(bucket: number): boolean {
  return (bucket & 0x3fff) === bucket && bucket <= RANK_BUCKET_MAX;
}

function highest(levels: Uint16Array, start: number): Level {
  let max = 0;
  for (let place = start; place < start + BLOCK_SUBJECTS; place++) max = Math.max(max, levels[place]!);
  return max;
}

function checkedLength(k: number): number {
  if (!(Number.isInteger(k) && k >= 0 && k <= RANK_LIST_MAX))
    throw new RangeError(`a list has 0 to ${RANK_LIST_MAX} subjects, not ${k}`);
  return k;
}
