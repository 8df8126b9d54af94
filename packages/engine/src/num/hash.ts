/** 64-bit digest of state, to compare replicas and replays. It finds differences, it does not resist forgers. */
import { highWord, lowWord } from "./bits.ts";

/**
 * Takes numbers, bytes and text one after the other; the order counts, and so does where one text ends and the
 * next begins.
 *
 * The state is two 32-bit lanes. A word is mixed into the first lane, the first into the second and the sum back, by
 * steps that can each be undone (xor, odd multiplication, rotation, addition): for a given word no two states fall
 * together, and one changed word always changes the digest.
 */
export class StateDigest {
  private a = 0x6a09e667;
  private b = 0xbb67ae85 | 0;
  private words = 0;

  /** A whole number 0..2^32 - 1. */
  u32(word: number): void {
    const mixed = Math.imul(this.a ^ word, 0x9e3779b1);
    const a = (mixed << 13) | (mixed >>> 19);
    const other = Math.imul(this.b ^ a, 0x85ebca77);
    const b = (other << 17) | (other >>> 15);
    this.a = (a + b) | 0;
    this.b = b;
    this.words = (this.words + 1) | 0;
  }

  /** The bits of a double: -0 and 0 differ, all NaN are one. */
  f64(value: number): void {
    if (Number.isNaN(value)) {
      this.u32(0);
      this.u32(0x7ff80000);
      return;
    }
    this.u32(lowWord(value));
    this.u32(highWord(value));
  }

  /** The doubles `start` to `end` (exclusive) of a column, without their count. */
  f64s(values: Float64Array, start = 0, end: number = values.length): void {
    for (let index = start; index < end; index++) this.f64(values[index]!);
  }

  /** Bytes behind their count. */
  bytes(bytes: Uint8Array): void {
    this.u32(bytes.length);
    let at = 0;
    for (; at + 4 <= bytes.length; at += 4) {
      this.u32(bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    }
    if (at < bytes.length) this.u32(bytes[at]! | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16));
  }

  /** UTF-16 code units behind their count. */
  text(text: string): void {
    this.u32(text.length);
    let at = 0;
    for (; at + 2 <= text.length; at += 2) this.u32(text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16));
    if (at < text.length) this.u32(text.charCodeAt(at));
  }

  /** The digest of what was taken in so far, as two unsigned 32-bit words; more may follow. */
  value(): readonly [high: number, low: number] {
    const low = avalanche(this.b ^ this.words);
    return [avalanche(this.a ^ low), low];
  }

  /** The digest as 16 lower-case hexadecimal digits. */
  hex(): string {
    const [high, low] = this.value();
    return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
  }
}

/** Lets every bit of a word reach every other, and can be undone. */
function avalanche(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
