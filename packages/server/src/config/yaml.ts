/** YAML as far as a configuration needs it: one document of maps, lists and plain values. */
import { parseDocument, visit } from "yaml";

export type YamlResult =
  | { readonly type: "ok"; readonly value: unknown }
  | { readonly type: "invalid"; readonly message: string };

/** A configuration with every key set has about 5 KiB. */
export const YAML_LENGTH_MAX = 256 * 1024;

/**
 * Reads one YAML 1.2 document with the core schema. Anchors and aliases (a few lines of them unfold to
 * gigabytes), tags beyond the schema's and repeated keys are refused. An empty text is null.
 */
export function parseYaml(text: string): YamlResult {
  if (text.length > YAML_LENGTH_MAX) {
    return { type: "invalid", message: `is longer than ${YAML_LENGTH_MAX} characters` };
  }
  try {
    const document = parseDocument(text, {
      schema: "core",
      merge: false,
      uniqueKeys: true,
      resolveKnownTags: false,
      logLevel: "error",
    });
    const [mistake] = [...document.errors, ...document.warnings];
    if (mistake !== undefined) return { type: "invalid", message: mistake.message };
    let aliased = false;
    visit(document, {
      Alias: () => {
        aliased = true;
        return visit.BREAK;
      },
    });
    if (aliased) return { type: "invalid", message: "uses an alias (*name); write the value out" };
    return { type: "ok", value: document.toJS({ maxAliasCount: 0 }) };
  } catch (error) {
    // The parser calls itself for each level, so brackets without end overflow the stack: the writer's mistake.
    if (error instanceof RangeError) return { type: "invalid", message: "is nested too deeply" };
    throw error;
  }
}
