/** The configuration, laid together from defaults, file, environment and flags. */
import {
  flattenDocument,
  nearest,
  nestDocument,
  parsePolicy,
  show,
  type Json,
  type Policy,
  type Problem,
} from "@staunch/engine";
import { configSchema, printValue, type Config } from "./schema.ts";
import { fieldAt, policyValues, SETTINGS, type Setting } from "./settings.ts";
import { documentValueOf, policyValueOf, WORKER_SETTINGS } from "./worker-settings.ts";
import { missingByKey, missingByVariable, type UnavailableCapability } from "./unavailable.ts";
import { parseYaml } from "./yaml.ts";

export interface ConfigSources {
  /** The text of `staunch.yaml` and the name it goes by in messages; absent or null when there is none. */
  readonly file?: { readonly name: string; readonly text: string } | null;
  /** The environment; of it only `STAUNCH_*` and the variables of the reference page are read. */
  readonly env?: { readonly [variable: string]: string | undefined };
  /** Flags by name, without dashes, in kebab or camel case, each one a setting's; undefined ones are not set. */
  readonly flags?: { readonly [flag: string]: string | number | boolean | undefined };
}

export type Source = "default" | "file" | "environment" | "flag";

/** Where a value comes from, by the setting's path. `name` is the file, variable or flag, "" for defaults. */
export type Provenance = ReadonlyMap<string, { readonly source: Source; readonly name: string }>;

export interface ConfigProblem {
  readonly path: string;
  readonly code: Problem["code"] | "invalid_yaml" | "not_available_yet";
  /** Where the value stands: a file, a variable or a flag. */
  readonly where: string;
  /** One sentence for the person who wrote it. */
  readonly message: string;
}

export type ConfigResult =
  | { readonly type: "ok"; readonly config: Config; readonly provenance: Provenance }
  | { readonly type: "invalid"; readonly problems: readonly ConfigProblem[] };

/** One line of `config print --explain`. */
export interface ExplainedSetting {
  readonly path: string;
  readonly value: Json;
  readonly source: Source;
  readonly name: string;
}

/** Variables with our prefix that the command line reads for itself. */
const OTHER_VARIABLES: readonly string[] = ["STAUNCH_CONFIG", "STAUNCH_KEY", "STAUNCH_URL"];

/**
 * Lays the sources over each other, flags over environment over file over defaults, and checks the result. All
 * problems are told at once. An empty environment variable is one that is not set.
 */
export function loadConfig(sources: ConfigSources): ConfigResult {
  const layers = new Layers();
  if (sources.file) addFile(layers, sources.file);
  addEnvironment(layers, sources.env ?? {});
  addFlags(layers, sources.flags ?? {});
  const fields = readFields(layers);
  const provider = readPolicy(layers, given(layers, policyKey), (path) => path);
  const worker = readWorkerPolicy(layers);
  if (fields === null || provider === null || worker === null || layers.problems.length > 0) {
    return { type: "invalid", problems: layers.problems };
  }
  const config = { ...fields, policies: { provider, worker } };
  return { type: "ok", config, provenance: provenanceOf(layers) };
}

/** Every setting with its value as it would be written in `staunch.yaml`, and where that comes from. */
export function explainConfig(config: Config, provenance: Provenance): ExplainedSetting[] {
  const provider = policyValues(config.policies.provider);
  const worker = policyValues(config.policies.worker);
  const valueOf = ({ path, target }: Setting): Json => {
    if (target.type === "policy") return provider.get(path)!;
    if (target.type === "field") return printValue(target.form, fieldAt(config, target.at));
    return documentValueOf(target.setting, worker.get(target.setting.field)!);
  };
  return SETTINGS.map((setting) => ({
    path: setting.path,
    value: valueOf(setting),
    ...provenance.get(setting.path)!,
  }));
}

/** The values given so far, each with its origin; a later one replaces an earlier one. */
class Layers {
  readonly values = new Map<
    string,
    { readonly value: unknown; readonly source: Source; readonly name: string }
  >();
  readonly problems: ConfigProblem[] = [];

  set(path: string, value: unknown, source: Source, name: string): void {
    this.values.set(path, { value, source, name });
  }

  refuse(path: string, code: ConfigProblem["code"], where: string, message: string): void {
    this.problems.push({ path, code, where, message });
  }

  /** Origin of the setting that a problem's path names or lies in. */
  whereIs(path: string): string {
    const within = [...this.values.keys()].find((known) => known === path || path.startsWith(`${known}.`));
    return within === undefined ? "configuration" : this.values.get(within)!.name;
  }
}

function addFile(layers: Layers, { name, text }: { readonly name: string; readonly text: string }): void {
  const parsed = parseYaml(text);
  if (parsed.type === "invalid") {
    layers.refuse("", "invalid_yaml", name, `${name} ${parsed.message}`);
    return;
  }
  const flat = flattenDocument(
    parsed.value ?? {},
    SETTINGS.map(({ path }) => path),
  );
  for (const [path, value] of flat.values) layers.set(path, value, "file", name);
  for (const { path, code, message } of flat.problems) {
    const missing = code === "unknown_key" ? missingByKey(path) : null;
    if (missing !== null) refuseMissing(layers, path, name, missing);
    else layers.refuse(path, code, name, message);
  }
}

function addEnvironment(layers: Layers, env: { readonly [variable: string]: string | undefined }): void {
  const known = new Set(SETTINGS.flatMap(({ variables }) => variables));
  for (const variable of Object.keys(env).toSorted()) {
    if (!env[variable] || known.has(variable) || OTHER_VARIABLES.includes(variable)) continue;
    const missing = missingByVariable(variable);
    if (missing !== null) refuseMissing(layers, variable, variable, missing);
    else if (variable.startsWith("STAUNCH_")) {
      const message = `unknown variable ${variable}; the nearest known one is ${nearest(variable, [...known])}`;
      layers.refuse(variable, "unknown_key", variable, message);
    }
  }
  for (const setting of SETTINGS) {
    const variable = setting.variables.find((name) => env[name]);
    if (variable !== undefined) addText(layers, setting, env[variable]!, "environment", variable);
  }
}

function addFlags(layers: Layers, flags: NonNullable<ConfigSources["flags"]>): void {
  const byFlag = new Map(SETTINGS.map((setting) => [setting.flag, setting]));
  for (const [key, value] of Object.entries(flags)) {
    if (value === undefined) continue;
    const flag = key.replace(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`);
    const setting = byFlag.get(flag);
    if (setting === undefined) {
      const message = `unknown flag --${flag}; the nearest known one is --${nearest(flag, [...byFlag.keys()])}`;
      layers.refuse(flag, "unknown_key", `--${flag}`, message);
    } else if (typeof value === "string") addText(layers, setting, value, "flag", `--${flag}`);
    else layers.set(setting.path, value, "flag", `--${flag}`);
  }
}

/** A text from outside a file means what it would mean in the file. */
function addText(layers: Layers, setting: Setting, text: string, source: Source, name: string): void {
  if (setting.text === "plain") {
    layers.set(setting.path, text, source, name);
    return;
  }
  const parsed = parseYaml(text);
  if (parsed.type === "ok") layers.set(setting.path, parsed.value, source, name);
  else layers.refuse(setting.path, "invalid_yaml", name, `${name} ${parsed.message}`);
}

function refuseMissing(layers: Layers, path: string, where: string, missing: UnavailableCapability): void {
  const message = `${path} belongs to ${missing.name}, which this version does not have yet; remove it`;
  layers.refuse(path, "not_available_yet", where, message);
}

function readFields(layers: Layers): Omit<Config, "policies"> | null {
  const parsed = configSchema.safeParse(nestDocument(given(layers, fieldKey)));
  if (parsed.success) return parsed.data;
  const refused = new Set<Setting>();
  for (const issue of parsed.error.issues) {
    const at = issue.path.join(".");
    const setting = SETTINGS.find((candidate) => fieldKey(candidate) === at);
    if (setting === undefined) throw new Error(`the schema refused ${at}, which is no setting`);
    if (refused.has(setting)) continue;
    refused.add(setting);
    const { path, takes } = setting;
    const value = layers.values.get(path)?.value;
    const message = issue.code === "custom" ? issue.message : `${path} must be ${takes}, not ${show(value)}`;
    layers.refuse(
      path,
      problemCode(issue.code, setting.text === "plain" && typeof value === "string"),
      layers.whereIs(path),
      message,
    );
  }
  return null;
}

/** Ports, sizes and durations may be text: text there is of the right type, but says nothing that is known. */
function problemCode(issue: string, rightType: boolean): ConfigProblem["code"] {
  if (issue === "invalid_type" && !rightType) return "wrong_type";
  return issue === "too_small" || issue === "too_big" || issue === "custom"
    ? "out_of_range"
    : "unknown_value";
}

/** `pathOf` gives the setting that set a field of the policy. */
function readPolicy(
  layers: Layers,
  entries: readonly [string, unknown][],
  pathOf: (field: string) => string,
): Policy | null {
  const parsed = parsePolicy(nestDocument(entries));
  if (parsed.type === "ok") return parsed.policy;
  for (const { path: field, code, message } of parsed.problems) {
    const path = pathOf(field);
    layers.refuse(path, code, layers.whereIs(path), path === field ? message : `${path}: ${message}`);
  }
  return null;
}

function readWorkerPolicy(layers: Layers): Policy | null {
  const entries = WORKER_SETTINGS.flatMap((setting): [string, unknown][] => {
    const layer = layers.values.get(setting.key);
    return layer === undefined ? [] : [[setting.field, policyValueOf(setting, layer.value)]];
  });
  const keyOf = (path: string): string => WORKER_SETTINGS.find(({ field }) => field === path)?.key ?? path;
  return readPolicy(layers, [["extends", "compute-worker"], ...entries], keyOf);
}

/** The values given for those settings that have a key, by that key. */
function given(layers: Layers, keyOf: (setting: Setting) => string | null): [string, unknown][] {
  const entries: [string, unknown][] = [];
  for (const setting of SETTINGS) {
    const key = keyOf(setting);
    const layer = layers.values.get(setting.path);
    if (key !== null && layer !== undefined) entries.push([key, layer.value]);
  }
  return entries;
}

function fieldKey({ target }: Setting): string | null {
  return target.type === "field" ? target.at.join(".") : null;
}

function policyKey({ path, target }: Setting): string | null {
  return target.type === "policy" ? path : null;
}

function provenanceOf(layers: Layers): Provenance {
  return new Map(
    SETTINGS.map(({ path }) => {
      const { source, name } = layers.values.get(path) ?? { source: "default" as const, name: "" };
      return [path, { source, name }];
    }),
  );
}
