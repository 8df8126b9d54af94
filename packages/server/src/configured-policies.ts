/** The policies that the configuration names, put in force as logged acts. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EMPTY_ENTRY, kindNamed, policyHash, type Policy } from "@staunch/engine";
import type { Partition } from "./app/partition/partition.ts";
import { writeRefused, type Storage } from "./storage.ts";

/** Holds the hash of the policy that the configuration last put in force, for each kind. */
const NOTE_FILE = "configured-policies.json";

type Hashes = { readonly [kind: string]: string };

/**
 * A configured policy counts when the configuration has changed since it last counted: a policy that was activated
 * over the interface is not undone by the next start.
 *
 * @throws StorageError
 */
export async function configurePolicies(
  storage: Storage,
  policies: { readonly [kind: string]: Policy },
  partition: Partition,
): Promise<void> {
  const path = join(storage.directory, NOTE_FILE);
  const before = await readNote(path);
  const now = Object.fromEntries(
    Object.entries(policies).map(([kind, policy]) => [kind, policyHash(policy)]),
  );
  for (const [kind, policy] of Object.entries(policies)) {
    const known = kindNamed(partition.state, kind);
    if (known !== undefined && before[kind] === now[kind]) continue;
    if (known !== undefined && policyHash(known.compiled.policy) === now[kind]) continue;
    const reason = known === undefined ? "first start" : "the configuration has changed";
    await activatePolicy(storage, kind, policy, partition, reason);
  }
  await writeFile(path, JSON.stringify(now));
}

/** @throws StorageError when it could not be logged */
export async function activatePolicy(
  storage: Storage,
  kind: string,
  policy: Policy,
  partition: Partition,
  reason: string,
): Promise<void> {
  const act = { type: "policy.activated", kind, policy, issuer: "configuration", reason } as const;
  const outcome = await partition.submit({ ...EMPTY_ENTRY, acts: [act] });
  if (outcome.type === "refused") throw writeRefused(storage.directory, outcome.refusal);
}

async function readNote(path: string): Promise<Hashes> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Hashes;
  } catch {
    // Absent before the first start has come this far.
    return {};
  }
}
