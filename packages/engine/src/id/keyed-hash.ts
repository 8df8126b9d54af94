/**
 * HalfSipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, and its 32-bit variant): a hash
 * whose collisions cannot be found without the key. One round per word, three at the end.
 *
 * `words` holds the message from `start` on, its last word filled up with zeros; `length` is its length in bytes.
 * Returns an unsigned 32-bit number, which depends on the byte order of the machine: not for storing.
 */
export function keyedHash(
  words: Uint32Array,
  start: number,
  length: number,
  keyLow: number,
  keyHigh: number,
): number {
  let v0 = keyLow;
  let v1 = keyHigh;
  let v2 = keyLow ^ 0x6c796765;
  let v3 = keyHigh ^ 0x74656462;
  const lengthStep = (length + 3) >>> 2;
  const last = lengthStep + 3;
  for (let step = 0; step <= last; step++) {
    // A finishing round is one with an empty word, after a mark that tells it from the message.
    const word = step < lengthStep ? words[start + step]! : step === lengthStep ? length : 0;
    if (step === lengthStep + 1) v2 ^= 0xff;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return (v1 ^ v3) >>> 0;
}
