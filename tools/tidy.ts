// The house rules that neither the compiler nor the linter can check, as functions over sources.
// tidy.test.ts runs them over the repository, and over planted violations that they must find.

import { parseSync, Visitor } from "oxc-parser";
import { posix } from "node:path";

export interface Source {
  /** Path from the root of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** `where: what is wrong`, one line each. */
export type Violations = string[];

/**
 * Who may import what. A zone is a folder; the longest that fits a file is its own. A zone may always import
 * itself; beside that what its row names: other zones, `node:` for modules of Node, `npm:` for every package
 * and `npm:name` for one. `*` in a folder makes a zone of each of its folders, strangers to each other.
 */
export const IMPORT_TABLE: Readonly<Record<string, readonly string[]>> = {
  // Pure and without dependencies, so that it runs and gives the same bits everywhere.
  "packages/engine/src": [],
  "packages/analytics/src": ["packages/engine/src/sketch", "packages/engine/src/num"],
  "packages/contract/src": ["npm:zod"],

  // Digests and checksums are part of what a log is, whatever stores it.
  "packages/server/src/ports": ["packages/engine/src", "node:crypto", "node:zlib"],
  // Use cases know what they need (ports), never who provides it nor how it looks on the wire.
  "packages/server/src/app": ["packages/server/src/ports", "packages/engine/src", "packages/analytics/src"],
  "packages/server/src/adapters/*": ["packages/server/src/ports", "packages/engine/src", "node:", "npm:"],
  "packages/server/src/http": [
    "packages/server/src/app",
    "packages/server/src/ops",
    "packages/contract/src",
    "packages/engine/src",
    "packages/analytics/src",
    "node:",
    "npm:",
  ],
  "packages/server/src/grpc": [
    "packages/server/src/app",
    "packages/server/src/ops",
    "packages/contract/src",
    "packages/engine/src",
    "packages/analytics/src",
    "node:",
    "npm:",
  ],
  "packages/server/src/config": [
    "packages/engine/src",
    "packages/contract/src",
    "node:",
    "npm:zod",
    "npm:yaml",
  ],
  "packages/server/src/ops": ["packages/server/src/ports", "packages/server/src/config", "node:", "npm:"],
  // The command line starts the service through the composition root, runs use cases on a data directory that it
  // opens through the same, and speaks to a running service as a client.
  "packages/server/src/cli": [
    "packages/server/src",
    "packages/server/src/app",
    "packages/server/src/ports",
    "packages/server/src/config",
    "packages/server/src/ops",
    "packages/contract/src",
    "packages/client/src",
    "packages/engine/src",
    "node:",
    "npm:",
  ],
  // The files directly in src are the composition root: they wire everything.
  "packages/server/src": ["packages/", "node:", "npm:"],

  // Types come from the schemas by inference; no module of Node, so that it runs in browsers.
  "packages/client/src": ["packages/contract/src", "npm:zod", "npm:eventsource-parser"],
  "packages/client/src/embedded": ["packages/client/src", "packages/contract/src", "packages/engine/src"],
  "packages/web/src": ["packages/client/src", "packages/contract/src", "packages/engine/src", "npm:"],
};

/** Imports that break the table, or reach into another package past its exports. */
export function forbiddenImports(sources: readonly Source[]): Violations {
  return sources.filter(isProductCode).flatMap((source) => {
    const zone = zoneOf(source.path);
    if (zone === undefined) return [`${source.path}: has no row in the import table of tools/tidy.ts`];
    return importsOf(source).flatMap(({ specifier, line }) => {
      const where = `${source.path}:${line}`;
      const target = targetOf(source.path, specifier);
      if (specifier.startsWith(".") && packageOf(target) !== packageOf(source.path)) {
        return [`${where}: leaves its package by a relative path (${specifier}); import the package's name`];
      }
      return mayImport(zone, target) ? [] : [`${where}: ${zone} may not import ${specifier}`];
    });
  });
}

function mayImport(zone: Zone, target: string): boolean {
  if (zone === zoneOf(target)) return true;
  const allowed = IMPORT_TABLE[rowOf(zone)] ?? [];
  return allowed.some((entry) => {
    if (entry === "node:" || entry === "npm:" || entry === "packages/") return target.startsWith(entry);
    // `src` of the server means its composition root, not everything below; other zones include their folders.
    if (entry === "packages/server/src") return zoneOf(target) === entry;
    return target === entry || target.startsWith(`${entry}/`);
  });
}

type Zone = string;

/** The zone of a path: the longest row that it lies in, with `*` filled in. */
function zoneOf(path: string): Zone | undefined {
  const zones = Object.keys(IMPORT_TABLE).flatMap((row) => {
    const folder = row.endsWith("/*")
      ? `${row.slice(0, -1)}${path.slice(row.length - 1).split("/", 1)[0]}`
      : row;
    return path === folder || path.startsWith(`${folder}/`) ? [folder] : [];
  });
  return zones.toSorted((a, b) => b.length - a.length)[0];
}

function rowOf(zone: Zone): string {
  return zone in IMPORT_TABLE ? zone : `${posix.dirname(zone)}/*`;
}

/** An import as something to compare with the table: a path in the repository, `node:...` or `npm:package`. */
function targetOf(importer: string, specifier: string): string {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(importer), specifier);
  if (specifier.startsWith("node:")) return specifier;
  const [first = "", second = ""] = specifier.split("/");
  if (first === "@staunch")
    return `packages/${second}/src${specifier.slice(first.length + 1 + second.length)}`;
  return `npm:${first.startsWith("@") ? `${first}/${second}` : first}`;
}

function packageOf(path: string): string {
  return path.split("/", 2).join("/");
}

/** Tests and conformance suites may import whatever they need to test. */
function isProductCode({ path }: Source): boolean {
  return /^packages\/[^/]+\/src\/.*\.tsx?$/.test(path) && !/\.(test|contract)\.tsx?$/.test(path);
}

function importsOf({ path, text }: Source): { specifier: string; line: number }[] {
  const found: { specifier: string; line: number }[] = [];
  const add = (node: { value: unknown; start: number }): void => {
    found.push({ specifier: String(node.value), line: lineOf(text, node.start) });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source),
    ExportAllDeclaration: (node) => add(node.source),
    ExportNamedDeclaration: (node) => node.source !== null && add(node.source),
    TSImportType: (node) => add(node.source),
    ImportExpression: ({ source }) =>
      add({ value: source.type === "Literal" ? source.value : "(computed)", start: source.start }),
  }).visit(parse(path, text));
  return found;
}

/** Members of Math that give the same bits on every engine; the others are approximations or random. */
const EXACT_MATH = new Set("abs min max floor ceil trunc sign imul clz32 fround round".split(" "));

/**
 * What is impure or differs between machines. The compiler, which gives the engine no Node or browser types,
 * already refuses the names that are not part of the language, such as `performance` and `fetch`.
 */
const IMPURE_NAMES = new Set(
  "Date Intl globalThis console process setTimeout setInterval WeakRef FinalizationRegistry eval Function".split(
    " ",
  ),
);
const IMPURE_MEMBERS = new Set("localeCompare toLocaleString toLocaleLowerCase toLocaleUpperCase".split(" "));

/** Uses of things that would let the engine give other bits on another day or machine. */
export function impurities(sources: readonly Source[]): Violations {
  return sources
    .filter((source) => isProductCode(source) && /^packages\/(engine|analytics)\//.test(source.path))
    .flatMap(({ path, text }) => {
      const found: Violations = [];
      const add = (node: { start: number }, what: string): void => {
        found.push(
          `${path}:${lineOf(text, node.start)}: ${what} is not deterministic enough for this package`,
        );
      };
      // Names of properties are not uses of the global of that name.
      const propertyNames = new Set<number>();
      new Visitor({
        BinaryExpression: (node) => node.operator === "**" && add(node, "**"),
        AssignmentExpression: (node) => node.operator === "**=" && add(node, "**="),
        MemberExpression: ({ object, property, computed }) => {
          if (!computed) propertyNames.add(property.start);
          const name = !computed && property.type === "Identifier" ? property.name : undefined;
          const isMath = object.type === "Identifier" && object.name === "Math";
          if (isMath && !EXACT_MATH.has(name ?? "")) add(property, `Math.${name ?? "[...]"}`);
          if (name !== undefined && IMPURE_MEMBERS.has(name)) add(property, name);
        },
        VariableDeclarator: ({ init }) =>
          init?.type === "Identifier" && init.name === "Math" && add(init, "taking Math apart"),
        Property: ({ key, computed, shorthand }) => !computed && !shorthand && propertyNames.add(key.start),
        PropertyDefinition: ({ key, computed }) => !computed && propertyNames.add(key.start),
        MethodDefinition: ({ key, computed }) => !computed && propertyNames.add(key.start),
        TSPropertySignature: ({ key, computed }) => !computed && propertyNames.add(key.start),
        TSMethodSignature: ({ key, computed }) => !computed && propertyNames.add(key.start),
        Identifier: (node) =>
          IMPURE_NAMES.has(node.name) && !propertyNames.has(node.start) && add(node, node.name),
      }).visit(parse(path, text));
      return found;
    });
}

// The letters in brackets keep this file from finding itself.
const LEFTOVERS = /\b(TO[D]O|FIX[M]E|XX[X])\b/;
const MACHINE_PATHS = /(?<![\w.*-])\/([w]ork|[r]oot)\//;
const REGISTRY_HOSTS = /\b(registry\.[a-z0-9-]+\.[a-z]{2,}|npm\.pkg\.[a-z]+\.[a-z]{2,})\b/;

/** Words that have no place in the repository: notes to oneself, paths of one machine, hosts of registries. */
export function strayWords(sources: readonly Source[]): Violations {
  const rules: [RegExp, string][] = [
    [LEFTOVERS, "is a note to oneself: do it, or open an issue"],
    [MACHINE_PATHS, "is a path of one machine"],
    [REGISTRY_HOSTS, "names a registry, which is the choice of whoever installs"],
  ];
  return sources.flatMap(({ path, text }) =>
    rules
      .filter(([pattern]) => pattern.test(text))
      .flatMap(([pattern, why]) =>
        text.split("\n").flatMap((line, index) => {
          const word = pattern.exec(line)?.[0];
          return word === undefined ? [] : [`${path}:${index + 1}: ${word} ${why}`];
        }),
      ),
  );
}

/** Packages without a README, or with another version or licence than the whole. */
export function packageFlaws(sources: readonly Source[]): Violations {
  const byPath = new Map(sources.map(({ path, text }) => [path, text]));
  const manifest = (path: string): Record<string, unknown> => JSON.parse(byPath.get(path) ?? "{}");
  const whole = manifest("package.json");
  return [...byPath.keys()]
    .filter((path) => /^packages\/[^/]+\/package\.json$/.test(path))
    .flatMap((path) => {
      const found: Violations = [];
      if (!byPath.has(`${packageOf(path)}/README.md`)) found.push(`${packageOf(path)}: has no README.md`);
      for (const field of ["version", "license", "type"]) {
        if (manifest(path)[field] !== whole[field]) found.push(`${path}: ${field} differs from package.json`);
      }
      return found;
    });
}

/** A pure package whose compiler project lets I/O in. */
export function openProjects(sources: readonly Source[]): Violations {
  return sources
    .filter(({ path }) => /^packages\/(engine|analytics)\/tsconfig\.json$/.test(path))
    .filter(({ text }) => !/"types": \[\]/.test(text) || !/"lib": \["es2025"\]/.test(text))
    .map(({ path }) => `${path}: must say "types": [] and "lib": ["es2025"], which keeps I/O out`);
}

function parse(path: string, text: string) {
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]?.message}`);
  return program;
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
