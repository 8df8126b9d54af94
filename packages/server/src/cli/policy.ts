/** `staunch policy check|diff|activate`, by a running service, or `check` without one. */
import { StaunchProblem, type AnswerOf, type Client, type InputOf } from "@staunch/client";
import type { Command } from "commander";
import { diffPolicies, policyHash, STORAGE_PROVIDER } from "@staunch/engine";
import { KIND_DEFAULT } from "../app/kind.ts";
import { serviceClient } from "./client.ts";
import {
  addServiceOptions,
  readDocument,
  readPolicy,
  type JsonOption,
  type ServiceOptions,
} from "./command.ts";
import { CliError, EXIT } from "./exit-codes.ts";
import { table, type Io } from "./output.ts";

interface KindFlags extends ServiceOptions {
  readonly kind: string;
}

interface ActivateFlags extends KindFlags {
  readonly reason: string;
}

type Change = { readonly path: string; readonly before?: unknown; readonly after?: unknown };

export function addPolicy(program: Command, io: Io): void {
  const policy = program.command("policy").description("check, compare and activate policies");
  policy
    .command("check")
    .argument("<file>", "policy as YAML; - for standard input")
    .description(
      "say whether a policy is valid and what it changes against the standard one; needs no service",
    )
    .option("--json", "print JSON")
    .action((file: string, flags: JsonOption) => {
      const parsed = readPolicy(file);
      const diff = diffPolicies(STORAGE_PROVIDER, parsed);
      const hash = policyHash(parsed);
      if (flags.json === true) io.out(JSON.stringify({ valid: true, name: parsed.name, hash, diff }));
      else
        for (const line of [`${parsed.name} is valid, hash ${hash}`, ...diffLines(diff, "storage-provider")])
          io.out(line);
    });
  addServiceOptions(policy.command("diff").argument("<file>", "policy as YAML; - for standard input"))
    .description("what a policy would change against the one in force")
    .option("--kind <kind>", "kind of subjects", KIND_DEFAULT)
    .action(async (file: string, flags: KindFlags) => {
      const check = await checkWith(io, file, flags);
      if (flags.json === true) io.out(JSON.stringify(check.diff));
      else for (const line of diffLines(check.diff ?? [], `the policy of ${flags.kind}`)) io.out(line);
    });
  addServiceOptions(policy.command("activate").argument("<file>", "policy as YAML; - for standard input"))
    .description("put a policy in force; it is logged as an act with the reason")
    .requiredOption("--reason <text>", "why, kept for ever")
    .option("--kind <kind>", "kind of subjects", KIND_DEFAULT)
    .action((file: string, flags: ActivateFlags) => activate(io, file, flags));
}

async function checkWith(
  io: Io,
  file: string,
  { kind, ...flags }: KindFlags,
): Promise<AnswerOf<"policies", "check">> {
  const check = await serviceClient(io, flags).policies.check({ policy: readPolicyInput(file), kind });
  if (check.valid) return check;
  const lines = check.problems.map(({ message }) => `\n  ${message}`).join("");
  throw new CliError("policy_invalid", EXIT.checkFailed, `${file} is not a valid policy:${lines}`);
}

async function activate(io: Io, file: string, flags: ActivateFlags): Promise<void> {
  const { kind, reason } = flags;
  const client = serviceClient(io, flags);
  const input = { kind, policy: readPolicyInput(file), reason };
  const done = await client.policies.activate(input, { ifMatch: await versionOf(client, kind) });
  if (flags.json === true) {
    io.out(JSON.stringify(done));
    return;
  }
  io.out(`${done.version} scores ${done.kind} from log position ${done.position} on`);
  for (const line of diffLines(done.diff, "the policy before")) io.out(line);
}

/** Whatever the file holds: the service says what is wrong with it. */
function readPolicyInput(file: string): InputOf<"policies", "check">["policy"] {
  return readDocument(file) as InputOf<"policies", "check">["policy"];
}

/** The version that is replaced, so that nobody's change in between is lost; null when there is none. */
async function versionOf(client: Client, kind: string): Promise<string | null> {
  try {
    return (await client.policies.get({ kind })).hash;
  } catch (error) {
    if (error instanceof StaunchProblem && error.code === "kind_not_found") return null;
    throw error;
  }
}

function diffLines(changes: readonly Change[], against: string): string[] {
  if (changes.length === 0) return [`No difference to ${against}.`];
  const show = (value: unknown): string => JSON.stringify(value ?? null);
  const rows = changes.map(({ path, before, after }) => [path, show(before), show(after)]);
  return [
    `Changes against ${against}:`,
    ...table(
      [
        ["key", "left"],
        ["before", "right"],
        ["after", "right"],
      ],
      rows,
    ),
  ];
}
