/**
 * Lists of subjects, page by page behind a cursor that names the last subject seen: those that stay where they are
 * appear exactly once, whatever happens to the others meanwhile.
 *
 * The best by score come from the ranking; every other order looks through the whole kind. Looking takes turns with
 * everything else: at most {@link ROWS_PER_TURN} rows at a time.
 */
import { indexedRow, standing, type Indexed, type Kind, type Standing, type State } from "@staunch/engine";
import type { Partition } from "../partition/partition.ts";
import { readTime } from "../read-time.ts";

/** Rows that are looked at before other work gets its turn: less than two milliseconds. */
const ROWS_PER_TURN = 4096;
/** Subjects taken from the ranking at once. */
const RANKED_PER_STEP = 512;

type SubjectSort = "score" | "id" | "last_evidence";

/** The last subject of the page before. `key` is its bucket, id or time; null where it has none. */
interface SubjectCursor {
  readonly sort: SubjectSort;
  readonly key: string | number | null;
  readonly row: number;
}

export interface SubjectQuery {
  readonly operator: string | null;
  readonly tier: string | null;
  readonly idPrefix: string | null;
  readonly scoreMin: number | null;
  readonly scoreMax: number | null;
  readonly sort: SubjectSort;
  readonly after: SubjectCursor | null;
  readonly limit: number;
  readonly count: boolean;
}

export interface SubjectList {
  readonly items: readonly Standing[];
  readonly next: SubjectCursor | null;
  /** Subjects that the filter lets through; null unless asked for. */
  readonly total: number | null;
  readonly asOf: number;
}

/** A subject on its way into a page. */
interface Found {
  readonly key: SubjectCursor["key"];
  readonly row: number;
  readonly subject: number;
}

export async function listSubjects(
  partition: Partition,
  kind: Kind,
  query: SubjectQuery,
): Promise<SubjectList> {
  const { state } = partition;
  const total = query.count ? await countMatches(state, kind, query) : null;
  // One more than the page, to know whether there is a next one.
  const found =
    query.sort === "score"
      ? await listByScore(state, kind, query, query.limit + 1)
      : await select(state, kind, query, query.limit + 1);
  const page = found.slice(0, query.limit);
  const last = page.at(-1);
  const asOf = readTime(partition, kind);
  return {
    items: page.map(({ subject }) => standing(state, subject, asOf)),
    next:
      found.length > page.length && last !== undefined
        ? { sort: query.sort, key: last.key, row: last.row }
        : null,
    total,
    asOf,
  };
}

async function countMatches(state: State, kind: Kind, query: SubjectQuery): Promise<number> {
  if (!isFiltered(query)) return kind.table.count;
  let total = 0;
  for (let row = 0; row < kind.table.count; row++) {
    if (row % ROWS_PER_TURN === ROWS_PER_TURN - 1) await turn();
    if (matches(state, indexedRow(kind, row), query)) total += 1;
  }
  return total;
}

/** The ranked by bucket and row, then the unranked by row. */
async function listByScore(state: State, kind: Kind, query: SubjectQuery, wanted: number): Promise<Found[]> {
  const { after } = query;
  const found: Found[] = [];
  // Behind the last ranked one the cursor has no bucket.
  if (after?.key !== null) {
    // A bucket above all others starts at the top.
    let bucket = typeof after?.key === "number" ? after.key : Infinity;
    let from = after?.row ?? -1;
    for (;;) {
      const rows = kind.rank.page(bucket, from, RANKED_PER_STEP);
      for (const row of rows) {
        const indexed = indexedRow(kind, row);
        if (!matches(state, indexed, query)) continue;
        found.push({ key: kind.rank.bucketOf(row), row, subject: indexed.subject });
        if (found.length === wanted) return found;
      }
      if (rows.length < RANKED_PER_STEP) break;
      from = rows.at(-1)!;
      bucket = kind.rank.bucketOf(from);
      await turn();
    }
  }
  for (let row = after?.key === null ? after.row + 1 : 0; row < kind.table.count; row++) {
    if (row % ROWS_PER_TURN === ROWS_PER_TURN - 1) await turn();
    if (kind.rank.place(row) !== 0) continue;
    const indexed = indexedRow(kind, row);
    if (matches(state, indexed, query)) found.push({ key: null, row, subject: indexed.subject });
    if (found.length === wanted) return found;
  }
  return found;
}

/** The first `wanted` behind the cursor in the order of the keys, by looking at everybody. */
async function select(state: State, kind: Kind, query: SubjectQuery, wanted: number): Promise<Found[]> {
  const compare = query.sort === "id" ? byId : byTime;
  const { after } = query;
  let found: Found[] = [];
  for (let row = 0; row < kind.table.count; row++) {
    if (row % ROWS_PER_TURN === ROWS_PER_TURN - 1) await turn();
    const indexed = indexedRow(kind, row);
    if (!matches(state, indexed, query)) continue;
    const key = query.sort === "id" ? state.ids.at(indexed.subject) : indexed.lastEvidenceAt;
    const one = { key, row, subject: indexed.subject };
    if (after !== null && compare(one, { ...after, subject: -1 }) <= 0) continue;
    found.push(one);
    // Sorting when twice as many have come costs a constant per subject.
    if (found.length === 2 * wanted) found = found.toSorted(compare).slice(0, wanted);
  }
  return found.toSorted(compare).slice(0, wanted);
}

function byId(a: Found, b: Found): number {
  return a.key! < b.key! ? -1 : a.key! > b.key! ? 1 : 0;
}

/** Newest first, those without evidence last, equals in the order of registration. */
function byTime(a: Found, b: Found): number {
  return Number(b.key ?? -1) - Number(a.key ?? -1) || a.row - b.row;
}

function isFiltered({ operator, tier, idPrefix, scoreMin, scoreMax }: SubjectQuery): boolean {
  return [operator, tier, idPrefix, scoreMin, scoreMax].some((filter) => filter !== null);
}

function matches(state: State, indexed: Indexed, query: SubjectQuery): boolean {
  const { operator, tier, idPrefix, scoreMin, scoreMax } = query;
  if (tier !== null && indexed.tier !== tier) return false;
  if (scoreMin !== null && indexed.score < scoreMin) return false;
  if (scoreMax !== null && indexed.score > scoreMax) return false;
  if (operator !== null && (state.profiles.get(indexed.subject)?.operator ?? null) !== operator) return false;
  return idPrefix === null || state.ids.at(indexed.subject).startsWith(idPrefix);
}

/** Lets requests and batches that wait go first. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
