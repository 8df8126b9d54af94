/**
 * API keys. They live in memory, so that telling who asks costs one digest and no waiting; the store keeps them over
 * a restart, and only their digest.
 */
import type { Clock } from "../../ports/clock.ts";
import type { Secrets } from "../../ports/secrets.ts";
import {
  KEY_NAME_MAX,
  type KeyRecord,
  type KeyStore,
  type StoreRefusal,
  type WriteResult,
} from "../../ports/store.ts";
import { ROLES, type Principal, type Role } from "../principal.ts";
import { newToken, tokenId } from "./token.ts";

/** Keys there may be, revoked ones included. */
const KEYS_MAX = 10_000;
/** A key's last use is written at most this often. */
const USE_WRITE_INTERVAL_MS = 60_000;
const FIRST_KEY_NAME = "first administrator";

/** What may be told about a key. */
export interface Key {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
}

export type CreateKeyResult =
  /** `secret` is the whole key, to be shown once: it cannot be had again. */
  | { readonly type: "created"; readonly key: Key; readonly secret: string }
  | { readonly type: "name_invalid"; readonly max: number }
  | { readonly type: "too_many_keys"; readonly limit: number }
  | StoreRefusal;

export type RevokeKeyResult =
  | { readonly type: "revoked"; readonly key: Key }
  | { readonly type: "key_not_found" }
  /** It is refused from now on, but a restart would let it in again: revoke it once more. */
  | { readonly type: "not_stored"; readonly refusal: StoreRefusal };

export interface KeysOptions {
  readonly store: KeyStore;
  readonly secrets: Secrets;
  readonly clock: Clock;
}

interface Held {
  readonly hash: Uint8Array;
  key: Key;
  readonly principal: Principal;
}

export class Keys {
  private readonly store: KeyStore;
  private readonly secrets: Secrets;
  private readonly clock: Clock;
  private readonly byId = new Map<string, Held>();
  /** Keys used since their last use was written. */
  private readonly used = new Set<string>();
  private usesWrittenAt = 0;
  private writingUses: Promise<void> | null = null;

  private constructor({ store, secrets, clock }: KeysOptions) {
    this.store = store;
    this.secrets = secrets;
    this.clock = clock;
  }

  /** Loads all keys. */
  static async open(options: KeysOptions): Promise<Keys> {
    const keys = new Keys(options);
    for (const record of await options.store.list()) keys.hold(record);
    return keys;
  }

  /** On the first start: the key of the first administrator, to be shown once. Null when there are keys. */
  async createFirst(): Promise<CreateKeyResult | null> {
    return this.byId.size > 0 ? null : this.create({ name: FIRST_KEY_NAME, role: "admin" });
  }

  /** @param request `name`: 1 to 100 characters, none of them a control character */
  async create(request: { readonly name: string; readonly role: Role }): Promise<CreateKeyResult> {
    const { name, role } = request;
    if (!isName(name)) return { type: "name_invalid", max: KEY_NAME_MAX };
    if (this.byId.size >= KEYS_MAX) return { type: "too_many_keys", limit: KEYS_MAX };
    const { id, text } = this.unusedToken();
    const hash = this.secrets.sha256(text);
    const record = { id, name, role, hash, createdAt: this.clock.now(), lastUsedAt: null, revokedAt: null };
    const result = await this.store.insert(record);
    if (result.type !== "stored") return result;
    return { type: "created", key: this.hold(record).key, secret: text };
  }

  /** All keys, revoked ones too, oldest first. */
  list(): readonly Key[] {
    return [...this.byId.values()].map(({ key }) => key);
  }

  /** From the moment of the call the key is refused. */
  async revoke(id: string): Promise<RevokeKeyResult> {
    const held = this.byId.get(id);
    if (held === undefined) return { type: "key_not_found" };
    const revokedAt = held.key.revokedAt ?? this.clock.now();
    held.key = { ...held.key, revokedAt };
    const result = await this.store.revoke(id, revokedAt);
    if (result.type !== "stored") return { type: "not_stored", refusal: result };
    return { type: "revoked", key: held.key };
  }

  /** Who holds the key, or null when it is none of ours or was revoked. */
  authenticate(text: string): Principal | null {
    const id = tokenId(text);
    if (id === null) return null;
    const held = this.byId.get(id);
    if (held === undefined || !isEqual(held.hash, this.secrets.sha256(text)) || held.key.revokedAt !== null)
      return null;
    this.noteUse(held);
    return held.principal;
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    await this.writingUses;
    if (this.used.size > 0) await this.writeUses();
  }

  private hold(record: KeyRecord): Held {
    const { id, name, role: stored, hash, createdAt, lastUsedAt, revokedAt } = record;
    const role = ROLES.find((one) => one === stored);
    if (role === undefined) throw new Error(`key ${id} has the role ${stored}, which does not exist`);
    const key: Key = { id, name, role, createdAt, lastUsedAt, revokedAt };
    const held = { hash, key, principal: { id, name, role } };
    this.byId.set(id, held);
    return held;
  }

  private unusedToken(): ReturnType<typeof newToken> {
    for (;;) {
      const token = newToken(this.secrets);
      if (!this.byId.has(token.id)) return token;
    }
  }

  private noteUse(held: Held): void {
    const now = this.clock.now();
    held.key = { ...held.key, lastUsedAt: now };
    this.used.add(held.key.id);
    if (this.writingUses !== null || now - this.usesWrittenAt < USE_WRITE_INTERVAL_MS) return;
    this.usesWrittenAt = now;
    this.writingUses = this.writeUses().finally(() => {
      this.writingUses = null;
    });
  }

  private async writeUses(): Promise<void> {
    const ids = [...this.used];
    this.used.clear();
    const result: WriteResult = await this.store.touch(
      ids.map((id) => ({ id, atMs: this.byId.get(id)!.key.lastUsedAt! })),
    );
    // When a key was last used is worth no alarm; it is tried again with the next write.
    if (result.type !== "stored") for (const id of ids) this.used.add(id);
  }
}

function isName(name: string): boolean {
  return name.length > 0 && name.length <= KEY_NAME_MAX && !/\p{Cc}/u.test(name);
}

/** Takes as long for hashes that differ early as for those that differ late. */
function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let index = 0; index < a.length; index++) difference |= a[index]! ^ b[index]!;
  return difference === 0;
}
