/** Randomness and digests: what keys are made of and recognised by. */
export interface Secrets {
  /** Bytes that nobody can guess. */
  randomBytes(count: number): Uint8Array;
  /** SHA-256 of the text's UTF-8, 32 bytes. */
  sha256(text: string): Uint8Array;
}
