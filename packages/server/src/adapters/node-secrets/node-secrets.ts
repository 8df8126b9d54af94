/** Randomness of the operating system and SHA-256 of OpenSSL. */
import { hash, randomBytes } from "node:crypto";
import type { Secrets } from "../../ports/secrets.ts";

export const nodeSecrets: Secrets = {
  randomBytes: (count) => randomBytes(count),
  sha256: (text) => Buffer.from(hash("sha256", text, "hex"), "hex"),
};
