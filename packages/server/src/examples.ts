/** The data sets that ship with the repository; an installation without it has none. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { parsePolicy } from "@staunch/engine";
import type { ImportSource } from "./app/import/import-source.ts";

const INDEX = new URL("../../../examples/index.ts", import.meta.url);

/** What `examples/index.ts` exports, as far as it is used here. */
interface ExamplesModule {
  readonly EXAMPLES: {
    readonly [name: string]: {
      readonly title: string;
      readonly file: URL;
      /** Kind of all its subjects, and the document of that kind's policy. */
      readonly kind: string;
      readonly policy: object;
      readonly read: (bytes: Uint8Array) => ImportSource;
    };
  };
}

export interface LoadedExample {
  readonly title: string;
  readonly source: ImportSource;
}

/** Names of the data sets at hand. */
export async function exampleNames(): Promise<readonly string[]> {
  const module = await loadModule();
  return module === null ? [] : Object.keys(module.EXAMPLES);
}

/** Reads a data set, or null when there is none of this name. */
export async function loadExample(name: string): Promise<LoadedExample | null> {
  const module = await loadModule();
  if (module === null || !Object.hasOwn(module.EXAMPLES, name)) return null;
  const { title, file, kind, policy, read } = module.EXAMPLES[name]!;
  const parsed = parsePolicy(policy);
  if (parsed.type !== "ok") throw new Error(`the policy of ${name}: ${parsed.problems[0]!.message}`);
  return { title, source: { ...read(await readFile(file)), policies: { [kind]: parsed.policy } } };
}

/** By address and not by name, because the examples are no part of the package. */
async function loadModule(): Promise<ExamplesModule | null> {
  return existsSync(INDEX) ? ((await import(INDEX.href)) as ExamplesModule) : null;
}
