import * as fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { nodeSecrets } from "../../adapters/node-secrets/node-secrets.ts";
import { testClock } from "../../ports/clock.ts";
import type { KeyRecord, KeyStore, WriteResult } from "../../ports/store.ts";
import type { CreateKeyResult } from "./keys.ts";
import { Keys } from "./keys.ts";
import { newToken, tokenId } from "./token.ts";

describe("the text of a key", () => {
  test("has a prefix, a public id, 160 random bits and a checksum", () => {
    const { id, text } = newToken(nodeSecrets);
    expect(text).toMatch(/^stn_[0-9a-z]{8}_[0-9a-z]{32}_[0-9a-z]{6}$/u);
    expect(tokenId(text)).toBe(id);
  });

  test("every random bit shows", () => {
    const base = newToken(fixed(new Uint8Array(20))).text;
    for (let bit = 0; bit < 160; bit++) {
      const bytes = new Uint8Array(20);
      bytes[bit >>> 3] = 1 << (bit & 7);
      expect(newToken(fixed(bytes)).text).not.toBe(base);
    }
  });

  test("one wrong character is noticed wherever it is", () => {
    const { text } = newToken(nodeSecrets);
    fc.assert(
      fc.property(
        fc.nat(text.length - 1),
        fc.constantFrom(..."0123456789abcdefghjkmnpqrstvwxyzA -".split("")),
        (place, letter) => {
          const typed = text.slice(0, place) + letter + text.slice(place + 1);
          expect(tokenId(typed) === null).toBe(typed !== text);
        },
      ),
    );
  });

  test("anything else is no key", () => {
    for (const text of ["", "stn_", "stn_aaaaaaaa_bbbb_cc", "Bearer x", `${newToken(nodeSecrets).text}x`]) {
      expect(tokenId(text)).toBeNull();
    }
  });
});

describe("keys", () => {
  const clock = testClock(1_000_000);
  let store: MemoryKeyStore;
  let keys: Keys;

  beforeEach(async () => {
    clock.set(1_000_000);
    store = new MemoryKeyStore();
    keys = await Keys.open({ store, secrets: nodeSecrets, clock });
  });

  test("a key that was created tells who asks, also after a restart", async () => {
    const { key, secret } = expectCreated(await keys.create({ name: "gateway", role: "ingest" }));
    const expected = { id: key.id, name: "gateway", role: "ingest" };
    expect(keys.authenticate(secret)).toEqual(expected);
    keys = await Keys.open({ store, secrets: nodeSecrets, clock });
    expect(keys.authenticate(secret)).toEqual(expected);
  });

  test("the store never sees the key", async () => {
    const { secret } = expectCreated(await keys.create({ name: "gateway", role: "ingest" }));
    expect(JSON.stringify(store.records)).not.toContain(secret.split("_")[2]);
  });

  test("a well-formed key with another secret is refused", async () => {
    const { key } = expectCreated(await keys.create({ name: "gateway", role: "admin" }));
    let forged = newToken(nodeSecrets);
    const id = Buffer.from(store.records[0]!.id);
    expect(keys.authenticate(forged.text)).toBeNull();
    // The same id, random secret, right checksum.
    let calls = 0;
    const sameId = {
      ...nodeSecrets,
      randomBytes: (count: number) =>
        calls++ === 0 ? idBytes(id.toString()) : nodeSecrets.randomBytes(count),
    };
    forged = newToken(sameId);
    expect(forged.id).toBe(key.id);
    expect(keys.authenticate(forged.text)).toBeNull();
  });

  test("a revoked key is refused from the moment of the call, and after a restart", async () => {
    const { key, secret } = expectCreated(await keys.create({ name: "gateway", role: "ingest" }));
    const revoking = keys.revoke(key.id);
    expect(keys.authenticate(secret)).toBeNull();
    expect(await revoking).toMatchObject({ type: "revoked", key: { revokedAt: 1_000_000 } });
    keys = await Keys.open({ store, secrets: nodeSecrets, clock });
    expect(keys.authenticate(secret)).toBeNull();
    expect(keys.list()).toMatchObject([{ id: key.id, revokedAt: 1_000_000 }]);
    expect(await keys.revoke("nobody00")).toEqual({ type: "key_not_found" });
  });

  test("a revocation that the store refuses holds here and says so", async () => {
    const { key, secret } = expectCreated(await keys.create({ name: "gateway", role: "ingest" }));
    store.answer = { type: "full" };
    expect(await keys.revoke(key.id)).toEqual({ type: "not_stored", refusal: { type: "full" } });
    expect(keys.authenticate(secret)).toBeNull();
  });

  test("what the store refuses is not a key", async () => {
    store.answer = { type: "full" };
    expect(await keys.create({ name: "gateway", role: "ingest" })).toEqual({ type: "full" });
    expect(keys.list()).toEqual([]);
  });

  test("names are 1 to 100 characters", async () => {
    for (const name of ["", "x".repeat(101), "a\nb"]) {
      expect(await keys.create({ name, role: "viewer" })).toEqual({ type: "name_invalid", max: 100 });
    }
  });

  test("only the first start makes a key by itself", async () => {
    const { secret } = expectCreated((await keys.createFirst())!);
    expect(keys.authenticate(secret)?.role).toBe("admin");
    expect(await keys.createFirst()).toBeNull();
    const again = await Keys.open({ store, secrets: nodeSecrets, clock });
    expect(await again.createFirst()).toBeNull();
  });

  test("the last use is known at once and written at most once a minute", async () => {
    const { key, secret } = expectCreated(await keys.create({ name: "gateway", role: "ingest" }));
    keys.authenticate(secret);
    await store.settled();
    for (let second = 1; second < 60; second++) {
      clock.advance(1_000);
      keys.authenticate(secret);
      await store.settled();
    }
    expect(store.touches).toBe(1);
    expect(keys.list()[0]!.lastUsedAt).toBe(1_059_000);
    clock.advance(1_000);
    keys.authenticate(secret);
    await keys.close();
    expect(store.touches).toBe(2);
    expect(store.records.find(({ id }) => id === key.id)!.lastUsedAt).toBe(1_060_000);
  });

  test("closing writes the uses that are not written yet", async () => {
    const { secret } = expectCreated(await keys.create({ name: "gateway", role: "ingest" }));
    keys.authenticate(secret);
    await store.settled();
    clock.advance(5);
    keys.authenticate(secret);
    await keys.close();
    expect(store.records[0]!.lastUsedAt).toBe(1_000_005);
  });
});

class MemoryKeyStore implements KeyStore {
  records: KeyRecord[] = [];
  answer: WriteResult = { type: "stored" };
  touches = 0;

  list(): Promise<readonly KeyRecord[]> {
    return Promise.resolve(this.records);
  }

  insert(record: KeyRecord): Promise<WriteResult> {
    if (this.answer.type === "stored") this.records.push(record);
    return Promise.resolve(this.answer);
  }

  revoke(id: string, atMs: number): Promise<WriteResult> {
    if (this.answer.type === "stored") this.change(id, { revokedAt: atMs });
    return Promise.resolve(this.answer);
  }

  touch(uses: readonly { id: string; atMs: number }[]): Promise<WriteResult> {
    this.touches += 1;
    for (const { id, atMs } of uses) this.change(id, { lastUsedAt: atMs });
    return Promise.resolve(this.answer);
  }

  /** Lets promises that are resolved already be acted upon. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  }

  private change(id: string, change: Partial<KeyRecord>): void {
    this.records = this.records.map((record) => (record.id === id ? { ...record, ...change } : record));
  }
}

function expectCreated(result: CreateKeyResult): Extract<CreateKeyResult, { type: "created" }> {
  if (result.type !== "created") throw new Error(result.type);
  return result;
}

/** Randomness that is not: the id all zeros, the secret as given. */
function fixed(secret: Uint8Array): typeof nodeSecrets {
  return { ...nodeSecrets, randomBytes: (count) => (count === 20 ? secret : new Uint8Array(count)) };
}

/** The five bytes that an id of eight characters is written for. */
function idBytes(id: string): Uint8Array {
  const bits = Array.from(id, (letter) =>
    "0123456789abcdefghjkmnpqrstvwxyz".indexOf(letter).toString(2).padStart(5, "0"),
  );
  return Uint8Array.from(bits.join("").match(/.{8}/gu)!, (byte) => Number.parseInt(byte, 2));
}
