import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  forbiddenImports,
  impurities,
  openProjects,
  packageFlaws,
  type Source,
  strayWords,
  type Violations,
} from "./tidy.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SKIPPED = new Set([".git", "node_modules", "data", "dist", "coverage"]);
const TEXT = /(\.(ts|tsx|mjs|js|json|jsonc|md|ya?ml|toml|proto|html|css|sh|sql)|\/[^./]+|\/\.[a-z]+)$/;

/** Walks the folders rather than asking git, so that it also works where the sources come without it. */
function sourcesIn(folder: string): Source[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry): Source[] => {
    // In a linked work tree .git is a file.
    if (SKIPPED.has(entry.name)) return [];
    const file = join(folder, entry.name);
    if (entry.isDirectory()) return sourcesIn(file);
    if (!entry.isFile() || !TEXT.test(file)) return [];
    return [{ path: relative(ROOT, file).split(sep).join("/"), text: readFileSync(file, "utf8") }];
  });
}

const repository = sourcesIn(ROOT);

/** A rule holds in the repository, and finds each planted violation: one that finds nothing proves nothing. */
function checked(
  name: string,
  rule: (sources: readonly Source[]) => Violations,
  { planted, fine }: { planted: Source[][]; fine: Source[][] },
): void {
  describe(name, () => {
    test("holds in the repository", () => {
      expect(rule(repository)).toEqual([]);
    });
    test.each(planted.map((sources) => [sources.at(-1)?.text, sources] as const))(
      "finds %j",
      (_, sources) => {
        expect(rule(sources)).toHaveLength(1);
      },
    );
    test("leaves what is fine alone", () => {
      expect(fine.flatMap(rule)).toEqual([]);
    });
  });
}

const file = (path: string, text: string): Source[] => [{ path, text }];
const engine = (text: string): Source[] => file("packages/engine/src/score/decay.ts", text);
const server = (path: string, text: string): Source[] => file(`packages/server/src/${path}`, text);

checked("the import table", forbiddenImports, {
  planted: [
    engine('import { readFileSync } from "node:fs";'),
    engine('import { z } from "zod";'),
    engine('import type { Score } from "@staunch/contract";'),
    engine('export * from "@staunch/server";'),
    engine('const late = await import("zod");'),
    engine("const late = await import(name);"),
    engine('type Score = import("@staunch/contract").Score;'),
    engine('import { x } from "../../../contract/src/index.ts";'),
    file("packages/analytics/src/trend.ts", 'import { Engine } from "@staunch/engine";'),
    file("packages/contract/src/score.ts", 'import { Engine } from "@staunch/engine";'),
    file("packages/client/src/index.ts", 'import { Engine } from "@staunch/engine";'),
    file("packages/novelty/src/index.ts", "export const x = 1;"),
    server("app/ingest/ingest.ts", 'import { Score } from "@staunch/contract";'),
    server("app/ingest/ingest.ts", 'import { openLog } from "../../adapters/sqlite/log.ts";'),
    server("app/ingest/ingest.ts", 'import { randomUUID } from "node:crypto";'),
    server("app/ingest/ingest.ts", 'import { wire } from "../../main.ts";'),
    server("ports/log.ts", 'import { Kysely } from "kysely";'),
    server("adapters/sqlite/log.ts", 'import { memoryLog } from "../memory/log.ts";'),
    server("adapters/sqlite/log.ts", 'import { ingest } from "../../app/ingest/ingest.ts";'),
    server("http/routes.ts", 'import { openLog } from "../adapters/sqlite/log.ts";'),
    server("cli/score.ts", 'import { openLog } from "../adapters/sqlite/log.ts";'),
  ],
  fine: [
    engine('import { divFloor } from "../num/index.ts";'),
    file("packages/engine/src/score/decay.test.ts", 'import { readFileSync } from "node:fs";'),
    file("packages/analytics/src/trend.ts", 'import { Sketch } from "@staunch/engine/sketch";'),
    file("packages/contract/src/score.ts", 'import { z } from "zod/mini";'),
    file("packages/client/src/embedded/index.ts", 'import { Engine } from "@staunch/engine";'),
    server(
      "app/ingest/ingest.ts",
      'import type { Log } from "../../ports/log.ts";\nimport "../scores/read.ts";',
    ),
    server("adapters/sqlite/log.ts", 'import { DatabaseSync } from "node:sqlite";\nimport "./pragmas.ts";'),
    server("cli/serve.ts", 'import { serve } from "../service.ts";'),
    server("main.ts", 'import { openLog } from "./adapters/sqlite/log.ts";\nimport { z } from "zod";'),
  ],
});

checked("the purity of the engine", impurities, {
  planted: [
    engine("export const x = 2 ** 3;"),
    engine("let x = 2; x **= 3;"),
    engine("export const x = Math.exp(1);"),
    engine("export const x = Math.sqrt(2);"),
    engine("export const x = Math.random();"),
    engine("export const x = Math.PI;"),
    engine('export const x = Math["pow"](2, 3);'),
    engine("const { floor } = Math;"),
    engine("export const x = Date.now();"),
    engine("export function f(at: Date) { return at; }"),
    engine("export const x = `${new Date(0)}`;"),
    engine("export const x = new Intl.NumberFormat();"),
    engine("export const x = globalThis.fetch;"),
    engine('export const x = "a".localeCompare("b");'),
    engine("export const x = (5).toLocaleString();"),
    engine("console.log(1);"),
    engine("export const x = process.env;"),
    engine("setTimeout(() => {}, 1);"),
  ],
  fine: [
    engine("export const x = Math.floor(Math.max(1, 2));"),
    engine("export const x = { Date: 1, process: 2 }; export const y = x.Date + x.process;"),
    engine('// Math.exp, Date and ** are banned.\nexport const x = "Date.now() ** 2";'),
    file("packages/engine/src/score/decay.test.ts", "export const x = Math.random() ** 2;"),
    server("app/ingest/ingest.ts", "export const x = Math.sqrt(2) ** 2;"),
  ],
});

checked("stray words", strayWords, {
  planted: [
    engine(`// ${["TO", "DO"].join("")}: later`),
    file("docs/guide.md", `${["FIX", "ME"].join("")} this`),
    file("docs/guide.md", `Run it in ${["", "work", "main"].join("/")}.`),
    file("deploy/unit.conf", ["", "root", "data"].join("/")),
    file("package-lock.json", `"https://${["registry", "example", "org"].join(".")}/zod.tgz"`),
  ],
  fine: [file("docs/guide.md", "Their homework/main and the mastodon are fine; so is registry.ts.")],
});

checked("packages", packageFlaws, {
  planted: [
    [
      ...file("package.json", '{"version":"1.0.0"}'),
      ...file("packages/x/package.json", '{"version":"1.0.0"}'),
    ],
    [
      ...file("package.json", '{"version":"1.0.0"}'),
      ...file("packages/x/README.md", "# x"),
      ...file("packages/x/package.json", '{"version":"1.0.1"}'),
    ],
  ],
  fine: [
    [
      ...file("package.json", '{"version":"1.0.0","license":"Apache-2.0"}'),
      ...file("packages/x/README.md", "# x"),
      ...file("packages/x/package.json", '{"version":"1.0.0","license":"Apache-2.0"}'),
    ],
  ],
});

checked("the compiler projects of the pure packages", openProjects, {
  planted: [
    file("packages/engine/tsconfig.json", '{"compilerOptions": {"types": ["node"], "lib": ["es2025"]}}'),
    file("packages/engine/tsconfig.json", '{"compilerOptions": {"types": []}}'),
  ],
  fine: [file("packages/engine/tsconfig.json", '{"compilerOptions": {"types": [], "lib": ["es2025"]}}')],
});
