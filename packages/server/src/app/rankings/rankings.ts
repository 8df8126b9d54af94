/** Rankings: the order of a kind, and the place of one subject in it. */
import { indexedRow, kindNamed, standing, type Kind } from "@staunch/engine";
import type { Partition } from "../partition/partition.ts";
import { readTime } from "../read-time.ts";

/** How far down the list of the worst reaches; the index sorts no more at once. */
const WORST_MAX = 10_000;

/** Where the page before ended, in the order of bucket and row. */
interface RankCursor {
  readonly order: "best" | "worst";
  readonly bucket: number;
  readonly row: number;
}

export interface RankingQuery {
  readonly order: "best" | "worst";
  readonly after: RankCursor | null;
  readonly limit: number;
}

export interface RankedSubject {
  readonly place: number;
  readonly id: string;
  /** As last evaluated; what ranks is this rounded to .01. */
  readonly score: number;
  readonly lower: number;
  readonly upper: number;
  readonly tier: string;
}

export interface Ranking {
  readonly items: readonly RankedSubject[];
  readonly ranked: number;
  readonly next: RankCursor | null;
  readonly asOf: number;
}

export class Rankings {
  private readonly partition: Partition;

  constructor(partition: Partition) {
    this.partition = partition;
  }

  /**
   * A page of a kind's ranking, or null when there is no such kind. Pages are cut by bucket and row, so that a
   * cursor holds; inside a page ties are listed by their lower bound.
   */
  list(kindName: string, query: RankingQuery): Ranking | null {
    const kind = kindNamed(this.partition.state, kindName);
    if (kind === undefined) return null;
    const rows = query.order === "best" ? bestRows(kind, query) : worstRows(kind, query);
    const page = rows.slice(0, query.limit);
    const last = page.at(-1);
    const next =
      rows.length > page.length && last !== undefined
        ? { order: query.order, bucket: kind.rank.bucketOf(last), row: last }
        : null;
    const asOf = readTime(this.partition, kind);
    const sign = query.order === "best" ? 1 : -1;
    const items = page
      .map((row) => this.ranked(kind, row, asOf))
      .toSorted((a, b) => sign * (a.place - b.place || b.lower - a.lower));
    return { items, ranked: kind.rank.count, next, asOf };
  }

  private ranked(kind: Kind, row: number, asOf: number): RankedSubject {
    const { subject, score, tier } = indexedRow(kind, row);
    const { id, lower, upper } = standing(this.partition.state, subject, asOf);
    return { place: kind.rank.place(row), id, score, lower, upper, tier };
  }
}

/** One row more than the page, to know whether there is a next one. */
function bestRows(kind: Kind, { after, limit }: RankingQuery): number[] {
  // A bucket above all others starts at the top.
  return kind.rank.page(after?.bucket ?? Infinity, after?.row ?? -1, limit + 1);
}

/** The index lists the worst only from the bottom, so what the pages before showed is listed again and left out. */
function worstRows(kind: Kind, { after, limit }: RankingQuery): number[] {
  const { rank } = kind;
  const inOrder = (length: number): number[] => rank.bottomK(Math.min(WORST_MAX, length), () => 0);
  if (after === null) return inOrder(limit + 1);
  const passedMax = rank.count - rank.countAbove(after.bucket);
  return inOrder(passedMax + limit + 1)
    .filter((row) => isBehind(rank.bucketOf(row), row, after))
    .slice(0, limit + 1);
}

function isBehind(bucket: number, row: number, after: RankCursor): boolean {
  return bucket > after.bucket || (bucket === after.bucket && row > after.row);
}
