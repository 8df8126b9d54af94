/** Policies as documents: the complete canonical form, its hash, and what two policies differ in. */
import type { Json } from "../event/acts.ts";
import { HEALTH_PARTS } from "../event/jobs.ts";
import { StateDigest } from "../num/hash.ts";
import { formatDuration } from "./duration.ts";
import { POLICY_FIELDS, type FieldRule } from "./fields.ts";
import { flattenDocument, nestDocument } from "./flatten.ts";
import { orderedParts } from "./health-parts.ts";
import { COMPONENTS, type HealthPartPolicy, type Policy } from "./policy.ts";

/** A document as JSON or YAML holds it. */
export type PolicyDocument = { readonly [key: string]: Json };

/** One key in which two policies differ; null where only one of them has it. */
export interface PolicyChange {
  readonly path: string;
  readonly before: Json;
  readonly after: Json;
}

/**
 * The complete document of a policy, every key present, always in the same order. Parsing it gives the policy
 * back, whatever the presets are by then.
 */
export function policyDocument(policy: Policy): PolicyDocument {
  const values = POLICY_FIELDS.map(
    ({ path, at, rule }) => [path, printed(rule, valueAt(policy, at))] as const,
  );
  // Every leaf was printed as JSON, and nesting adds only maps.
  return nestDocument(values) as PolicyDocument;
}

/** 64 bits of the canonical document as 16 hexadecimal digits; equal for equal policies, on every platform. */
export function policyHash(policy: Policy): string {
  const digest = new StateDigest();
  digest.text(JSON.stringify(policyDocument(policy)));
  return digest.hex();
}

/** The keys in which `after` differs from `before`, in the order of the document. */
export function diffPolicies(before: Policy, after: Policy): PolicyChange[] {
  const old = flatComponents(before);
  const current = flatComponents(after);
  const paths = [...new Set([...old.keys(), ...current.keys()])];
  return paths
    .map((path) => ({ path, before: old.get(path) ?? null, after: current.get(path) ?? null }))
    .filter((change) => JSON.stringify(change.before) !== JSON.stringify(change.after));
}

/** Value of a field inside a policy. */
export function valueAt(policy: Policy, at: readonly string[]): unknown {
  // The table of fields names only keys that a policy has; its test holds it to that.
  return at.reduce<unknown>((node, key) => (node as { readonly [key: string]: unknown })[key], policy);
}

function printed(rule: FieldRule, value: unknown): Json {
  if (rule.type === "duration") return value === null ? null : formatDuration(value as number);
  if (rule.type === "healthParts") {
    const parts = value as Policy["health"]["parts"];
    // A known part that was taken away is said to be, or reading the document would bring it back.
    const gone = HEALTH_PARTS.filter((name) => parts[name] === undefined);
    return Object.fromEntries([
      ...orderedParts(parts).map(([name, part]) => [name, printedPart(part)] as const),
      ...gone.map((name) => [name, null] as const),
    ]);
  }
  if (rule.type === "weights") {
    const weights = value as { readonly [name: string]: number };
    return Object.fromEntries(rule.names.map((name) => [name, weights[name]!]));
  }
  if (rule.type !== "components") return value as Json;
  const weights = value as Policy["components"];
  return Object.fromEntries(
    COMPONENTS.flatMap((name) => (weights[name] === undefined ? [] : [[name, weights[name]]])),
  );
}

function printedPart({ good, bad, idleOnly }: HealthPartPolicy): Json {
  return { good, bad, idle_only: idleOnly };
}

/** All values by path, components one by one: a diff says which of them moved. */
function flatComponents(policy: Policy): ReadonlyMap<string, Json> {
  const paths = POLICY_FIELDS.flatMap(({ path, rule }) =>
    rule.type === "components" ? COMPONENTS.map((name) => `${path}.${name}`) : [path],
  );
  return flattenDocument(policyDocument(policy), paths).values as ReadonlyMap<string, Json>;
}
