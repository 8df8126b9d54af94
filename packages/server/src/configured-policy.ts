/** The policy that the configuration names, put in force as a logged act. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EMPTY_ENTRY, kindNamed, policyHash, type Policy } from "@staunch/engine";
import { KIND_DEFAULT } from "./app/kind.ts";
import type { Partition } from "./app/partition/partition.ts";
import { writeRefused, type Storage } from "./storage.ts";

/** Holds the hash of the policy that the configuration last put in force. */
const NOTE_FILE = "configured-policy";

/**
 * The configured policy counts when the configuration has changed since it last counted: a policy that was activated
 * over the interface is not undone by the next start.
 *
 * @throws StorageError
 */
export async function configurePolicy(storage: Storage, policy: Policy, partition: Partition): Promise<void> {
  const path = join(storage.directory, NOTE_FILE);
  const kind = kindNamed(partition.state, KIND_DEFAULT);
  const hash = policyHash(policy);
  if (kind !== undefined && (await readNote(path)) === hash) return;
  const isInForce = kind !== undefined && policyHash(kind.compiled.policy) === hash;
  const reason = kind === undefined ? "first start" : "the configuration has changed";
  if (!isInForce) await activatePolicy(storage, policy, partition, reason);
  await writeFile(path, hash);
}

/** @throws StorageError when it could not be logged */
export async function activatePolicy(
  storage: Storage,
  policy: Policy,
  partition: Partition,
  reason: string,
): Promise<void> {
  const issuer = "configuration";
  const act = { type: "policy.activated", kind: KIND_DEFAULT, policy, issuer, reason } as const;
  const outcome = await partition.submit({ ...EMPTY_ENTRY, acts: [act] });
  if (outcome.type === "refused") throw writeRefused(storage.directory, outcome.refusal);
}

async function readNote(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch {
    // Absent before the first start has come this far.
    return null;
  }
}
