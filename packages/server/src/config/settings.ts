/** All settings as one list: path, environment variable, flag, default, and what they mean. */
import {
  describeRule,
  flattenDocument,
  POLICY_FIELDS,
  policyDocument,
  STORAGE_PROVIDER,
  type FieldRule,
  type Json,
} from "@staunch/engine";
import type { z } from "zod";
import { WORKER_SETTINGS, type WorkerSetting } from "./worker-settings.ts";
import { about, configSchema, printValue, type Form } from "./schema.ts";

export interface Setting {
  /** Keys in `staunch.yaml`, outermost first, joined by dots. */
  readonly path: string;
  /** Environment variables that set it; the first that is set counts. */
  readonly variables: readonly [string, ...string[]];
  /** Flag without its dashes. */
  readonly flag: string;
  /** Whether the value of a variable or flag is taken as it is or read as YAML. */
  readonly text: "plain" | "yaml";
  /** What may be written, in words. */
  readonly takes: string;
  readonly description: string;
  /** As it is written in `staunch.yaml`. */
  readonly default: Json;
  /** Where the value goes: a field of the configuration, outermost key first, or the policy of providers or workers. */
  readonly target:
    | { readonly type: "field"; readonly at: readonly string[]; readonly form: Form }
    | { readonly type: "policy" }
    | { readonly type: "worker"; readonly setting: WorkerSetting };
}

const PREFIX = "STAUNCH_";

/** Every setting, in the order of the reference page. */
export const SETTINGS: readonly Setting[] = [
  ...serverSettings(),
  ...policySettings(),
  ...WORKER_SETTINGS.map(workerSetting),
];

/** Value of a setting's field inside an object of the schema's shape. */
export function fieldAt(config: object, at: readonly string[]): unknown {
  return at.reduce<unknown>((node, key) => (node as { readonly [key: string]: unknown })[key], config);
}

/** The values of a policy as they are written in a document, by path. */
export function policyValues(policy: Parameters<typeof policyDocument>[0]): ReadonlyMap<string, Json> {
  const paths = POLICY_FIELDS.map(({ path }) => path);
  return flattenDocument(policyDocument(policy), paths).values as ReadonlyMap<string, Json>;
}

function serverSettings(): Setting[] {
  const defaults = configSchema.parse({});
  return Object.entries(configSchema.shape).flatMap(([groupName, group]) => {
    const fields: { readonly [name: string]: z.ZodType } = group.unwrap().shape;
    return Object.entries(fields).map(([name, schema]) => serverSetting(groupName, name, schema, defaults));
  });
}

function serverSetting(groupName: string, name: string, schema: z.ZodType, defaults: object): Setting {
  const known = about.get(schema);
  if (known === undefined) throw new Error(`${groupName}.${name} says nothing about itself`);
  const path = `${groupName}.${keyOf(name)}`;
  const at = [groupName, name];
  const yaml = known.form === "number" || known.form === "switch";
  return {
    path,
    variables: known.variable === undefined ? [variableOf(path)] : [variableOf(path), known.variable],
    flag: known.flag ?? flagOf(path),
    text: yaml ? "yaml" : "plain",
    takes: known.takes,
    description: known.description,
    default: printValue(known.form, fieldAt(defaults, at)),
    target: { type: "field", at, form: known.form },
  };
}

function policySettings(): Setting[] {
  const defaults = policyValues(STORAGE_PROVIDER);
  const fields = POLICY_FIELDS.filter(({ path }) => path.includes("."));
  return fields.map(({ path, rule, description }) => ({
    path,
    variables: [variableOf(path)],
    flag: flagOf(path),
    text: isPlain(rule) ? "plain" : "yaml",
    takes: describeRule(rule),
    description,
    default: defaults.get(path)!,
    target: { type: "policy" },
  }));
}

function workerSetting(setting: WorkerSetting): Setting {
  const { key, takes, description } = setting;
  return {
    path: key,
    // `reputation_decay_rate` would be called as `reputation.decay_rate` is.
    variables: [variableOf(`worker_${key}`)],
    flag: flagOf(`worker_${key}`),
    text: "yaml",
    takes,
    description,
    default: setting.default,
    target: { type: "worker", setting },
  };
}

function isPlain(rule: FieldRule): boolean {
  if (rule.type === "duration") return rule.nullMeans === undefined;
  return rule.type === "choice" || rule.type === "name";
}

/** `snapshotIntervalMs` is `snapshot_interval`: the unit stands in the value. */
function keyOf(name: string): string {
  return name.replace(/(Ms|Bytes)$/u, "").replace(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`);
}

function variableOf(path: string): string {
  return PREFIX + path.replaceAll(".", "_").toUpperCase();
}

function flagOf(path: string): string {
  return path.replaceAll(/[._]/gu, "-");
}
