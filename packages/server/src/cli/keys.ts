/** `staunch keys create|list|revoke`: by a running service, or in a data directory that is not in use. */
import type { Command } from "commander";
import { ROLES, type Role } from "../app/principal.ts";
import { withKeys } from "../offline.ts";
import { serviceClient } from "./client.ts";
import { addServiceOptions, type ServiceOptions } from "./command.ts";
import { CliError, EXIT } from "./exit-codes.ts";
import { table, type Io } from "./output.ts";

interface KeysFlags extends ServiceOptions {
  /** Set: open this directory instead of asking a service. */
  readonly data?: string;
}

interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly created_at: string;
  readonly revoked_at: string | null;
}

export function addKeys(program: Command, io: Io): void {
  const keys = program.command("keys").description("create, list and revoke API keys");
  const command = (name: string): Command =>
    addServiceOptions(keys.command(name)).option(
      "--data <directory>",
      "open this directory; the service must not run",
    );
  command("create")
    .description("create a key; it is shown once")
    .requiredOption("--name <name>", "who uses it, for people")
    .addOption(
      keys
        .createOption("--role <role>", "what it may do")
        .choices([...ROLES])
        .default("ingest"),
    )
    .action(async (flags: KeysFlags & { name: string; role: Role }) => {
      const { key, row } = await createKey(io, flags, { name: flags.name, role: flags.role });
      if (flags.json === true) io.out(JSON.stringify({ key, record: row }));
      else {
        io.out(key);
        io.err(
          `Key ${row.id} with the role ${row.role} for ${row.name}. It is not shown again: store it now.`,
        );
      }
    });
  command("list")
    .description("all keys, without their secrets")
    .action(async (flags: KeysFlags) => {
      const rows = await listKeys(io, flags);
      if (flags.json === true) io.out(JSON.stringify({ items: rows }));
      else for (const line of keyTable(rows)) io.out(line);
    });
  command("revoke")
    .argument("<id>", "public part of the key, as `keys list` shows it")
    .description("refuse a key from now on")
    .action(async (id: string, flags: KeysFlags) => {
      await revokeKey(io, flags, id);
      if (flags.json === true) io.out(JSON.stringify({ revoked: id }));
      else io.out(`Key ${id} is refused from now on.`);
    });
}

async function createKey(
  io: Io,
  flags: KeysFlags,
  request: { readonly name: string; readonly role: Role },
): Promise<{ key: string; row: KeyRow }> {
  if (flags.data === undefined) {
    const created = await serviceClient(io, flags).keys.create(request);
    return { key: created.key, row: created.record };
  }
  return withKeys(flags.data, async (keys) => {
    const result = await keys.create(request);
    if (result.type === "created") return { key: result.secret, row: rowOf(result.key) };
    throw new CliError(
      result.type,
      EXIT.failure,
      `The key was not created: ${result.type.replaceAll("_", " ")}.`,
    );
  });
}

async function listKeys(io: Io, flags: KeysFlags): Promise<readonly KeyRow[]> {
  if (flags.data === undefined) return (await serviceClient(io, flags).keys.list()).items;
  return withKeys(flags.data, async (keys) => keys.list().map(rowOf));
}

async function revokeKey(io: Io, flags: KeysFlags, id: string): Promise<void> {
  if (flags.data === undefined) {
    await serviceClient(io, flags).keys.revoke({ id });
    return;
  }
  await withKeys(flags.data, async (keys) => {
    const { type } = await keys.revoke(id);
    if (type === "key_not_found")
      throw new CliError(type, EXIT.notFound, `There is no key ${id}; see \`staunch keys list\`.`);
    if (type === "not_stored")
      throw new CliError(type, EXIT.failure, "The key could not be revoked: the disk took no more.");
  });
}

function rowOf(key: {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly createdAt: number;
  readonly revokedAt: number | null;
}): KeyRow {
  const { id, name, role, createdAt, revokedAt } = key;
  const revoked = revokedAt === null ? null : new Date(revokedAt).toISOString();
  return { id, name, role, created_at: new Date(createdAt).toISOString(), revoked_at: revoked };
}

function keyTable(rows: readonly KeyRow[]): string[] {
  const cells = rows.map(({ id, name, role, created_at, revoked_at }) => [
    id,
    role,
    name,
    created_at,
    revoked_at ?? "",
  ]);
  const columns = [
    ["id", "left"],
    ["role", "left"],
    ["name", "left"],
    ["created", "left"],
    ["revoked", "left"],
  ] as const;
  return table(columns, cells);
}
