/** Nested documents as flat lists of values, so that layers can be laid over each other and every key is checked. */
import { editDistance, nearest } from "./nearest.ts";
import { PROBLEMS_MAX, report, show, type Problem } from "./problem.ts";

export interface FlatDocument {
  /** Value by path, only for paths that were known. */
  readonly values: ReadonlyMap<string, unknown>;
  readonly problems: readonly Problem[];
}

/**
 * Takes a nested document apart along the known paths (`reputation.metric_weights.uptime`). A key that leads
 * nowhere is a problem that names the nearest known one; an empty group (`reputation:` and nothing under it) is
 * an absent one. Values are passed on as they are, whatever their type.
 */
export function flattenDocument(document: unknown, knownPaths: readonly string[]): FlatDocument {
  const problems: Problem[] = [];
  const values = new Map<string, unknown>();
  const leaves = new Set(knownPaths);
  const groups = new Set(knownPaths.flatMap(groupsOf));

  function walk(node: unknown, prefix: string): void {
    if (!isPlainObject(node)) {
      report(
        problems,
        prefix,
        "not_an_object",
        `${prefix || "the document"} must be a map of keys, not ${show(node)}`,
      );
      return;
    }
    for (const key of Object.keys(node)) {
      // Finding what was meant costs time, so a document of a million wrong keys is read no further.
      if (problems.length >= PROBLEMS_MAX) return;
      const path = prefix === "" ? key : `${prefix}.${key}`;
      if (key === "__proto__")
        report(problems, path, "forbidden_key", "the key __proto__ is refused everywhere");
      else if (key.includes(".")) reportUnknown(problems, prefix, key, knownPaths);
      else if (leaves.has(path)) values.set(path, node[key]);
      else if (!groups.has(path)) reportUnknown(problems, prefix, key, knownPaths);
      else if (node[key] !== null) walk(node[key], path);
    }
  }
  walk(document, "");
  return { values, problems };
}

/** Nested form of flat values; the opposite of {@link flattenDocument}. */
export function nestDocument(values: Iterable<readonly [string, unknown]>): { [key: string]: unknown } {
  const root: { [key: string]: unknown } = {};
  for (const [path, value] of values) {
    const keys = path.split(".");
    let node = root;
    for (const key of keys.slice(0, -1)) {
      node[key] ??= {};
      node = node[key] as { [key: string]: unknown };
    }
    node[keys.at(-1)!] = value;
  }
  return root;
}

/** The known path that was most likely meant: fewest edits of the last key, of equals fewest of the whole path. */
function nearestPath(path: string, knownPaths: readonly string[]): string {
  const key = lastKey(path);
  const candidates = [...new Set([...knownPaths, ...knownPaths.flatMap(groupsOf)])];
  const edits = candidates.map((candidate) => editDistance(key, lastKey(candidate)));
  const fewest = edits.reduce((least, count) => Math.min(least, count), Infinity);
  return nearest(
    path,
    candidates.filter((_, index) => edits[index] === fewest),
  );
}

function reportUnknown(
  problems: Problem[],
  prefix: string,
  key: string,
  knownPaths: readonly string[],
): void {
  const path = prefix === "" ? key : `${prefix}.${key}`;
  const meant = nearestPath(path, knownPaths);
  report(problems, path, "unknown_key", `unknown key ${show(path)}; the nearest known key is ${meant}`);
}

function groupsOf(path: string): string[] {
  const keys = path.split(".");
  return keys.slice(1).map((_, index) => keys.slice(0, index + 1).join("."));
}

function lastKey(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

/** True for what JSON and YAML call a map; class instances, lists and null are none. */
export function isPlainObject(value: unknown): value is { readonly [key: string]: unknown } {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
