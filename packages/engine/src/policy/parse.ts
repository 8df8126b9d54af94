/** Policy documents, as people write them, made into complete and valid policies. */
import { HEALTH_PARTS_MAX } from "../event/jobs.ts";
import { COMPONENT_SOURCES } from "./compile.ts";
import { parseDuration } from "./duration.ts";
import { valueAt } from "./document.ts";
import {
  describeRule,
  POLICY_FIELDS,
  TIERS_MAX,
  type DurationRule,
  type FieldRule,
  type NumberRule,
  type PolicyField,
} from "./fields.ts";
import { flattenDocument, isPlainObject } from "./flatten.ts";
import { orderedParts } from "./health-parts.ts";
import { nearest } from "./nearest.ts";
import {
  COMPONENTS,
  SOURCES,
  type ComponentName,
  type HealthPartPolicy,
  type HealthPolicy,
  type Policy,
  type Source,
} from "./policy.ts";
import { PRESET_DOCUMENTS, STORAGE_PROVIDER, type PresetDocument } from "./presets.ts";
import { report, show, type Problem } from "./problem.ts";

export type ParsedPolicy =
  | { readonly type: "ok"; readonly policy: Policy }
  | { readonly type: "invalid"; readonly problems: readonly Problem[] };

/** A preset as it is offered; `reason` says why it is not available, and is null when it is. */
export interface Preset extends PresetDocument {
  readonly available: boolean;
  readonly reason: string | null;
}

/** Weights sum to 1 within this. */
const WEIGHTS_TOLERANCE = 1e-9;
/** The decay table of the fold has one entry per window up to `max_gap`. */
const DECAY_WINDOWS_MAX = 1_000_000;
/** Aggregates are kept per subject, metric and step. */
const AGGREGATE_STEPS_MAX = 1000;
/** Largest limit of a health part. */
const HEALTH_LIMIT_MAX = 1e12;
const PART_KEYS = ["good", "bad", "idle_only"];
const PART_NAME = /^[a-z][a-z0-9_]{0,63}$/u;
const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/u;

/**
 * Reads a policy document (`reputation:` and `tracking:` as the provider document prints them, and what is added
 * beside them). Missing keys take the value of the preset named by `extends` (`storage-provider` unless given);
 * points among them scale with `max_score`. `reputation.sources` names what will be reported and leaves
 * out the components that none of them feeds; the policy has only those that remain. All problems are reported at
 * once, at most a hundred.
 */
export function parsePolicy(document: unknown): ParsedPolicy {
  const flat = flattenDocument(document, ["extends", ...POLICY_FIELDS.map(({ path }) => path)]);
  const problems = [...flat.problems];
  const base = basePolicy(flat.values.get("extends") ?? STORAGE_PROVIDER.name, problems);
  const given = new Map<PolicyField, unknown>();
  for (const field of POLICY_FIELDS) {
    if (!flat.values.has(field.path)) continue;
    const value = readValue(field.rule, flat.values.get(field.path), field.path, problems);
    if (value !== undefined) given.set(field, value);
  }
  // Relations between fields are judged only when each is valid by itself, else one mistake would show as many.
  if (base === null || problems.length > 0) return { type: "invalid", problems };
  const policy = withSources(overlay(base, given), problems);
  checkRelations(policy, problems);
  return problems.length > 0 ? { type: "invalid", problems } : { type: "ok", policy };
}

/** The four presets, those that this build cannot run marked with the reason. */
export function listPresets(): Preset[] {
  return PRESET_DOCUMENTS.map((preset) => {
    const parsed = parsePolicy(preset.document);
    if (parsed.type === "ok") return { ...preset, available: true, reason: null };
    return { ...preset, available: false, reason: parsed.problems.map(({ message }) => message).join("; ") };
  });
}

function basePolicy(name: unknown, problems: Problem[]): Policy | null {
  if (name === STORAGE_PROVIDER.name) return STORAGE_PROVIDER;
  const names = PRESET_DOCUMENTS.map((preset) => preset.name);
  const preset = PRESET_DOCUMENTS.find((candidate) => candidate.name === name);
  if (preset === undefined) {
    const hint = typeof name === "string" ? `; the nearest is ${nearest(name, names)}` : "";
    report(problems, "extends", "unknown_preset", `there is no preset ${show(name)}${hint}`);
    return null;
  }
  // The documents of the presets extend storage-provider, so this goes one level deep.
  const parsed = parsePolicy(preset.document);
  if (parsed.type === "ok") return parsed.policy;
  const reasons = parsed.problems.map(({ message }) => message).join("; ");
  report(problems, "extends", "preset_unavailable", `preset ${preset.name} is not available: ${reasons}`);
  return null;
}

function readValue(rule: FieldRule, raw: unknown, path: string, problems: Problem[]): unknown {
  switch (rule.type) {
    case "number":
      return readNumber(rule, raw, path, problems);
    case "duration":
      return readDuration(rule, raw, path, problems);
    case "boolean":
      return typeof raw === "boolean" ? raw : refuse(rule, raw, path, problems);
    case "choice":
      if (typeof raw !== "string") return refuse(rule, raw, path, problems);
      return rule.values.includes(raw) ? raw : refuse(rule, raw, path, problems, "unknown_value");
    case "name":
      if (typeof raw !== "string") return refuse(rule, raw, path, problems);
      return NAME.test(raw) ? raw : refuse(rule, raw, path, problems, "unknown_value");
    case "names":
      return readNames(rule, raw, path, problems);
    case "cuts":
      return readCuts(rule, raw, path, problems);
    case "components":
      return readComponents(raw, path, problems);
    case "weights":
      return readWeights(rule, raw, path, problems);
    case "sources":
      return readSources(rule, raw, path, problems);
    case "healthParts":
      return readHealthParts(rule, raw, path, problems);
  }
}

function readNumber(
  rule: NumberRule,
  raw: unknown,
  path: string,
  problems: Problem[],
): number | null | undefined {
  if (raw === null && rule.nullable === true) return null;
  if (typeof raw !== "number") return refuse(rule, raw, path, problems);
  const low = rule.above === true ? raw > rule.min : raw >= rule.min;
  const whole = rule.integer !== true || Number.isInteger(raw);
  // NaN fails every comparison and Infinity the upper bound.
  if (!(low && raw <= rule.max && whole)) return refuse(rule, raw, path, problems, "out_of_range");
  return raw === 0 ? 0 : raw;
}

function readDuration(
  rule: DurationRule,
  raw: unknown,
  path: string,
  problems: Problem[],
): number | null | undefined {
  if (raw === null && rule.nullMeans !== undefined) return null;
  if (typeof raw !== "number" && typeof raw !== "string") return refuse(rule, raw, path, problems);
  const parsed = parseDuration(raw);
  if (parsed.type === "invalid") return refuse(rule, raw, path, problems, "unknown_value");
  const inside = parsed.ms >= rule.min && parsed.ms <= rule.max;
  return inside ? parsed.ms : refuse(rule, raw, path, problems, "out_of_range");
}

function readNames(rule: FieldRule, raw: unknown, path: string, problems: Problem[]): string[] | undefined {
  if (!Array.isArray(raw)) return refuse(rule, raw, path, problems);
  if (raw.length < 2 || raw.length > TIERS_MAX) return refuse(rule, raw, path, problems, "wrong_length");
  const names = raw.filter((name: unknown) => typeof name === "string" && NAME.test(name)) as string[];
  const valid = names.length === raw.length && new Set(names).size === names.length;
  return valid ? names : refuse(rule, raw, path, problems, "unknown_value");
}

type CutsRule = Extract<FieldRule, { type: "cuts" }>;

function readCuts(rule: CutsRule, raw: unknown, path: string, problems: Problem[]): number[] | undefined {
  if (!Array.isArray(raw)) return refuse(rule, raw, path, problems);
  if (raw.length >= TIERS_MAX) return refuse(rule, raw, path, problems, "wrong_length");
  const cuts = raw.filter(
    (cut: unknown) => typeof cut === "number" && cut > 0 && cut <= rule.max,
  ) as number[];
  if (cuts.length < raw.length) return refuse(rule, raw, path, problems, "out_of_range");
  const sign = rule.order === "rising" ? 1 : -1;
  const monotone = cuts.every((cut, index) => index === 0 || (cut - cuts[index - 1]!) * sign > 0);
  return monotone ? cuts : refuse(rule, raw, path, problems, "not_monotone");
}

function readComponents(raw: unknown, path: string, problems: Problem[]): Policy["components"] | undefined {
  if (!isPlainObject(raw)) return refuse({ type: "components" }, raw, path, problems);
  const known = problems.length;
  const weights: { [name in ComponentName]?: number } = {};
  for (const key of Object.keys(raw)) {
    const name = COMPONENTS.find((component) => component === key);
    if (name === undefined) {
      const message = `component ${show(key)} does not exist in this build, which has ${COMPONENTS.join(", ")}`;
      report(problems, `${path}.${key}`, "unknown_component", message);
      continue;
    }
    const rule: NumberRule = { type: "number", min: 0, above: true, max: 1 };
    const weight = readNumber(rule, raw[name], `${path}.${name}`, problems);
    if (typeof weight === "number") weights[name] = weight;
  }
  if (problems.length > known) return undefined;
  const sum = COMPONENTS.reduce((total, name) => total + (weights[name] ?? 0), 0);
  if (Math.abs(sum - 1) > WEIGHTS_TOLERANCE) {
    report(problems, path, "weights_sum", `the weights of the components must sum to 1, not ${sum}`);
    return undefined;
  }
  return weights;
}

type WeightsRule = Extract<FieldRule, { type: "weights" }>;

function readWeights(
  rule: WeightsRule,
  raw: unknown,
  path: string,
  problems: Problem[],
): { [name: string]: number } | undefined {
  if (!isPlainObject(raw)) return refuse(rule, raw, path, problems);
  const known = problems.length;
  const { values, problems: unknown } = flattenDocument(raw, rule.names);
  problems.push(...unknown.map((problem) => ({ ...problem, path: `${path}.${problem.path}` })));
  const weights: { [name: string]: number } = {};
  for (const name of rule.names) {
    const weight = readNumber(
      { type: "number", min: 0, max: 1 },
      values.get(name),
      `${path}.${name}`,
      problems,
    );
    if (typeof weight === "number") weights[name] = weight;
  }
  if (problems.length > known) return undefined;
  const sum = rule.names.reduce((total, name) => total + weights[name]!, 0);
  if (Math.abs(sum - 1) <= WEIGHTS_TOLERANCE) return weights;
  report(problems, path, "weights_sum", `the weights must sum to 1, not ${sum}`);
  return undefined;
}

function readSources(rule: FieldRule, raw: unknown, path: string, problems: Problem[]): Source[] | undefined {
  if (!Array.isArray(raw)) return refuse(rule, raw, path, problems);
  const known = problems.length;
  if (new Set(raw).size < raw.length) return refuse(rule, raw, path, problems, "unknown_value");
  if (raw.length === 0) report(problems, path, "wrong_length", `${path} must name at least one source`);
  for (const name of raw as readonly unknown[]) {
    if (typeof name !== "string") refuse(rule, name, path, problems);
    else if (!SOURCES.some((source) => source === name)) {
      const message = `there is no source ${show(name)}; the nearest is ${nearest(name, SOURCES)}`;
      report(problems, path, "unknown_metric", message);
    }
  }
  return problems.length > known ? undefined : SOURCES.filter((name) => raw.includes(name));
}

type PartChanges = { readonly [name: string]: HealthPartPolicy | null };

/** What the document says of parts; they are laid over the base's later. */
function readHealthParts(
  rule: FieldRule,
  raw: unknown,
  path: string,
  problems: Problem[],
): PartChanges | undefined {
  if (!isPlainObject(raw)) return refuse(rule, raw, path, problems);
  const known = problems.length;
  const changes: { [name: string]: HealthPartPolicy | null } = {};
  for (const [name, value] of Object.entries(raw)) {
    const at = `${path}.${name}`;
    if (!PART_NAME.test(name)) refuse({ type: "name" }, name, at, problems, "unknown_value");
    else if (value === null) changes[name] = null;
    else if (isPlainObject(value)) {
      const part = readHealthPart(value, at, problems);
      if (part !== undefined) changes[name] = part;
    } else refuse(rule, value, at, problems);
  }
  return problems.length > known ? undefined : changes;
}

function readHealthPart(
  value: { [key: string]: unknown },
  path: string,
  problems: Problem[],
): HealthPartPolicy | undefined {
  const { values, problems: unknown } = flattenDocument(value, PART_KEYS);
  problems.push(...unknown.map((problem) => ({ ...problem, path: `${path}.${problem.path}` })));
  const limit: NumberRule = { type: "number", min: -HEALTH_LIMIT_MAX, max: HEALTH_LIMIT_MAX };
  const good = readNumber(limit, values.get("good"), `${path}.good`, problems);
  const bad = readNumber(limit, values.get("bad"), `${path}.bad`, problems);
  const idleOnly = readValue(
    { type: "boolean" },
    values.get("idle_only") ?? false,
    `${path}.idle_only`,
    problems,
  );
  if (typeof good !== "number" || typeof bad !== "number" || typeof idleOnly !== "boolean") return undefined;
  if (good !== bad) return { good, bad, idleOnly };
  report(problems, path, "not_monotone", `${path}: good and bad are both ${good}, so nothing lies between`);
  return undefined;
}

function refuse(
  rule: FieldRule,
  raw: unknown,
  path: string,
  problems: Problem[],
  code: Problem["code"] = "wrong_type",
): undefined {
  report(problems, path, code, `${path} must be ${describeRule(rule)}, not ${show(raw)}`);
}

type Draft = { [key: string]: unknown };

/** The base with the given values laid over it, its points scaled to the new maximum where none were given. */
function overlay(base: Policy, given: ReadonlyMap<PolicyField, unknown>): Policy {
  const draft = copyOf(base) as Draft;
  const maxField = POLICY_FIELDS.find(({ path }) => path === "reputation.max_score");
  const max = maxField === undefined ? undefined : given.get(maxField);
  const scale = typeof max === "number" ? max / base.maxScore : 1;
  for (const field of POLICY_FIELDS) {
    const inherited = valueAt(base, field.at);
    const value = given.has(field) ? given.get(field) : field.scales ? scaled(inherited, scale) : inherited;
    put(draft, field.at, field.rule.type === "healthParts" ? partsOver(inherited, value) : value);
  }
  // A copy of a whole policy, in which each field was replaced by a value of the same type.
  return draft as unknown as Policy;
}

/**
 * The policy with those of its components that a source feeds. What is left out would stay at its prior for ever, so
 * its weight is shared out: weight / sum of the remaining weights. Trust is fed by the score itself and stays.
 */
function withSources(policy: Policy, problems: Problem[]): Policy {
  const isFed = (name: ComponentName): boolean =>
    policy.sources.some((source) => COMPONENT_SOURCES[name].includes(source));
  const before = COMPONENTS.filter((name) => policy.components[name] !== undefined);
  const kept = before.filter((name) => name === "trust" || isFed(name));
  if (kept.length === before.length) return policy;
  if (!kept.some(isFed)) {
    const message = `${policy.sources.join(", ")} feeds no component of the policy, which has ${before.join(", ")}`;
    report(problems, "reputation.sources", "no_component", message);
    return policy;
  }
  const sum = kept.reduce((total, name) => total + policy.components[name]!, 0);
  const components = Object.fromEntries(kept.map((name) => [name, policy.components[name]! / sum]));
  return { ...policy, components };
}

/** Parts of the base with the changes laid over them. */
function partsOver(inherited: unknown, changes: unknown): HealthPolicy["parts"] {
  const merged: { [name: string]: HealthPartPolicy | null } = {
    ...(inherited as HealthPolicy["parts"]),
    ...(changes as PartChanges),
  };
  const kept = Object.entries(merged).filter((part): part is [string, HealthPartPolicy] => part[1] !== null);
  return Object.fromEntries(orderedParts(Object.fromEntries(kept)));
}

function scaled(value: unknown, scale: number): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => scaled(item, scale));
  return typeof value === "number" ? value * scale : value;
}

function put(draft: Draft, at: readonly string[], value: unknown): void {
  const parents = at.slice(0, -1);
  const parent = parents.reduce<Draft>((node, key) => node[key] as Draft, draft);
  parent[at.at(-1)!] = value;
}

function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyOf(item)]));
}

/** What no field can say alone. */
function checkRelations(policy: Policy, problems: Problem[]): void {
  const parts = Object.keys(policy.health.parts).length;
  if (parts > HEALTH_PARTS_MAX) {
    const message = `health.parts has ${parts} parts; at most ${HEALTH_PARTS_MAX} fit`;
    report(problems, "health.parts", "wrong_length", message);
  }
  checkScores(policy, problems);
  checkTiers(policy, problems);
  checkTimes(policy, problems);
  policy.severityMultipliers.forEach((multiplier, index) => {
    if (index === 0 || multiplier >= policy.severityMultipliers[index - 1]!) return;
    const message = "a graver severity cannot multiply by less";
    report(problems, "reputation.severity_multipliers", "not_monotone", message);
  });
}

function checkScores(policy: Policy, problems: Problem[]): void {
  const { minScore, initialScore, maxScore } = policy;
  if (!(minScore < initialScore && initialScore < maxScore)) {
    const message = `scores must rise: min_score ${minScore}, initial_score ${initialScore}, max_score ${maxScore}`;
    report(problems, "reputation.initial_score", "not_monotone", message);
    return;
  }
  const levels = [
    ["reputation.trust_threshold", policy.trustThreshold],
    ["reputation.performance_threshold", policy.performanceThreshold],
    ["reputation.low_threshold", policy.lowThreshold],
    ...policy.tiers.scoreCuts.map((cut) => ["reputation.tiers.score_cuts", cut] as const),
  ] as const;
  for (const [path, level] of levels) {
    if (level >= minScore && level <= maxScore) continue;
    report(
      problems,
      path,
      "out_of_range",
      `${path}: ${level} lies outside the scores ${minScore} to ${maxScore}`,
    );
  }
}

function checkTiers(policy: Policy, problems: Problem[]): void {
  const { mode, names, scoreCuts, percentileCuts } = policy.tiers;
  const wanted = names.length - 1;
  const message = (key: string, found: number): string =>
    `${names.length} tiers need ${wanted} cuts; ${key} has ${found}`;
  if (scoreCuts.length !== wanted) {
    const path = "reputation.tiers.score_cuts";
    report(problems, path, "wrong_length", message("score_cuts", scoreCuts.length));
  }
  // Scores decide in both modes, percentiles only in one; there a list may be empty but not half.
  const unused = mode === "score" && percentileCuts.length === 0;
  if (percentileCuts.length !== wanted && !unused) {
    const path = "reputation.tiers.percentile_cuts";
    report(problems, path, "wrong_length", message("percentile_cuts", percentileCuts.length));
  }
}

function checkTimes(policy: Policy, problems: Problem[]): void {
  if (policy.blockMs % policy.slotMs !== 0) {
    report(problems, "reputation.block", "out_of_range", "a block must be a whole number of slots");
  }
  if (policy.maxGapMs > DECAY_WINDOWS_MAX * Math.min(policy.windowMs, policy.slotMs)) {
    const message = `max_gap may span at most ${DECAY_WINDOWS_MAX} windows or slots`;
    report(problems, "reputation.max_gap", "out_of_range", message);
  }
  const steps = policy.metricRetentionMs / policy.aggregateIntervalMs;
  if (!Number.isInteger(steps) || steps > AGGREGATE_STEPS_MAX) {
    const message = `metric_retention must be 1 to ${AGGREGATE_STEPS_MAX} whole aggregate_intervals`;
    report(problems, "tracking.metric_retention", "out_of_range", message);
  }
}
