/**
 * The text of an API key: `stn_<id>_<secret>_<checksum>`. The prefix lets scanners of leaked secrets know it, the id
 * is public, the secret has 160 random bits, and the checksum tells a typing mistake from a key that is not known.
 */
import type { Secrets } from "../../ports/secrets.ts";

/** 32 characters without those that are taken for one another. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const ID_BYTES = 5;
const SECRET_BYTES = 20;
/** 30 bits. */
const CHECKSUM_LENGTH = 6;
const PATTERN = /^stn_([0-9a-hjkmnp-tv-z]{8})_[0-9a-hjkmnp-tv-z]{32}_([0-9a-hjkmnp-tv-z]{6})$/u;

export interface Token {
  readonly id: string;
  readonly text: string;
}

export function newToken(secrets: Secrets): Token {
  const id = encode(secrets.randomBytes(ID_BYTES));
  const body = `stn_${id}_${encode(secrets.randomBytes(SECRET_BYTES))}`;
  return { id, text: `${body}_${checksumOf(body)}` };
}

/** Id that the text names, or null when it is not the text of a key. */
export function tokenId(text: string): string | null {
  const parts = PATTERN.exec(text);
  if (parts === null) return null;
  const [, id = "", checksum = ""] = parts;
  return checksumOf(text.slice(0, -checksum.length - 1)) === checksum ? id : null;
}

/** Five bits a character; the bytes' bits are a multiple of five. */
function encode(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >>> bits) & 31]!;
    }
  }
  return text;
}

/**
 * FNV-1a, of which the low 30 bits are written. Modulo 2^30 each step is a bijection of the state for a given
 * character, and different characters lead one state to different ones, so a single wrong character always shows.
 * http://www.isthe.com/chongo/tech/comp/fnv/
 */
function checksumOf(body: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < body.length; index++)
    hash = Math.imul(hash ^ body.charCodeAt(index), 0x01000193);
  let text = "";
  for (let place = 0; place < CHECKSUM_LENGTH; place++) text += ALPHABET[(hash >>> (place * 5)) & 31]!;
  return text;
}
