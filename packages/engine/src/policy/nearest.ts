/** Longer words are compared by their beginning: a key is never that long, and the cost is quadratic. */
const WORD_LENGTH_MAX = 64;

/** The candidate with the fewest edits to `word`; of equals the first. Throws when there is no candidate. */
export function nearest(word: string, candidates: readonly string[]): string {
  let best: string | null = null;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate);
    if (distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  if (best === null) throw new RangeError("nothing to choose from");
  return best;
}

/**
 * Levenshtein distance: the fewest insertions, deletions and replacements of one UTF-16 unit that turn one word
 * into the other. One row of the classic table is kept; `diagonal` remembers the value it overwrites.
 */
export function editDistance(from: string, to: string): number {
  const source = from.slice(0, WORD_LENGTH_MAX);
  const target = to.slice(0, WORD_LENGTH_MAX);
  const row = Array.from({ length: target.length + 1 }, (_, column) => column);
  for (let line = 1; line <= source.length; line++) {
    let diagonal = row[0]!;
    row[0] = line;
    for (let column = 1; column <= target.length; column++) {
      const above = row[column]!;
      const replaced = diagonal + (source[line - 1] === target[column - 1] ? 0 : 1);
      row[column] = Math.min(above + 1, row[column - 1]! + 1, replaced);
      diagonal = above;
    }
  }
  return row[target.length]!;
}
