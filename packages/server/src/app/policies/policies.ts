/** Policies: what is in force, what is on offer, checking one, and putting one in force. */
import {
  diffPolicies,
  kindNamed,
  listPresets,
  parsePolicy,
  policyDocument,
  policyHash,
  type Accountable,
  type Kind,
  type Policy,
  type PolicyChange,
  type PolicyDocument,
  type Preset,
  type Problem,
} from "@staunch/engine";
import { NOT_IDEMPOTENT, submitAct, type ActOutcome } from "../acts.ts";
import type { Partition } from "../partition/partition.ts";

export interface ActivePolicy {
  readonly kind: string;
  readonly name: string;
  readonly hash: string;
  readonly document: PolicyDocument;
  readonly subjects: number;
}

export interface CheckedPolicy {
  readonly problems: readonly Problem[];
  /** Null when there are problems. */
  readonly hash: string | null;
  readonly document: PolicyDocument | null;
  /** Against the policy of the kind named; null without one. */
  readonly diff: readonly PolicyChange[] | null;
}

/** Version of the policy that the caller means to replace: its hash, or null where the kind shall be new. */
export type ExpectedVersion = string | null;

export type ActivationOutcome =
  | Exclude<ActOutcome, { type: "done" }>
  | { readonly type: "invalid"; readonly problems: readonly Problem[] }
  /** Another version is in force, or about to be; null: the kind does not exist. */
  | { readonly type: "stale"; readonly current: string | null }
  | {
      readonly type: "activated";
      readonly active: ActivePolicy;
      readonly diff: readonly PolicyChange[];
      readonly position: number;
    };

export class Policies {
  private readonly partition: Partition;
  /** Kinds whose policy is being replaced: what was read of them is out of date already. */
  private readonly changing = new Set<string>();

  constructor(partition: Partition) {
    this.partition = partition;
  }

  list(): ActivePolicy[] {
    return this.partition.state.kinds.map(activePolicy);
  }

  presets(): Preset[] {
    return listPresets();
  }

  /** The policy of a kind, or null when there is no such kind. */
  active(kindName: string): ActivePolicy | null {
    const kind = kindNamed(this.partition.state, kindName);
    return kind === undefined ? null : activePolicy(kind);
  }

  /** @param kindName kind to compare with; null when there is no such kind */
  check(document: unknown, kindName: string | null): CheckedPolicy | null {
    const kind = kindName === null ? undefined : kindNamed(this.partition.state, kindName);
    if (kindName !== null && kind === undefined) return null;
    const parsed = parsePolicy(document);
    if (parsed.type === "invalid")
      return { problems: parsed.problems, hash: null, document: null, diff: null };
    const { policy } = parsed;
    const diff = kind === undefined ? null : diffPolicies(kind.compiled.policy, policy);
    return { problems: [], hash: policyHash(policy), document: policyDocument(policy), diff };
  }

  /** Puts a policy in force for a kind, as a logged act; a kind that does not exist is made. */
  async activate(
    kindName: string,
    document: unknown,
    expected: ExpectedVersion,
    by: Accountable,
  ): Promise<ActivationOutcome> {
    const before = kindNamed(this.partition.state, kindName)?.compiled.policy ?? null;
    const current = before === null ? null : policyHash(before);
    if (current !== expected || this.changing.has(kindName)) return { type: "stale", current };
    const parsed = parsePolicy(document);
    if (parsed.type === "invalid") return parsed;
    this.changing.add(kindName);
    try {
      return await this.submit(kindName, before, parsed.policy, by);
    } finally {
      this.changing.delete(kindName);
    }
  }

  private async submit(
    kindName: string,
    before: Policy | null,
    policy: Policy,
    by: Accountable,
  ): Promise<ActivationOutcome> {
    const act = { type: "policy.activated", kind: kindName, policy, ...by } as const;
    const outcome = await submitAct(this.partition, this.partition.draft(), act, NOT_IDEMPOTENT);
    if (outcome.type !== "done") return outcome;
    const active = activePolicy(kindNamed(this.partition.state, kindName)!);
    const diff = before === null ? [] : diffPolicies(before, policy);
    return { type: "activated", active, diff, position: outcome.position };
  }
}

function activePolicy(kind: Kind): ActivePolicy {
  const { policy } = kind.compiled;
  return {
    kind: kind.name,
    name: policy.name,
    hash: policyHash(policy),
    document: policyDocument(policy),
    subjects: kind.table.count,
  };
}
