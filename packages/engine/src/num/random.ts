/** Draws that follow from a seed, with the same bits on every machine. */
import { exp, log } from "./exp.ts";
import { sqrt } from "./sqrt.ts";

const TWO_32 = 4294967296;
/** Rounds after which every bit of the seed has reached every bit of the state. */
const WARM_UP_ROUNDS = 15;

/**
 * A stream of draws. The generator is sfc32 (C. Doty-Humphrey, PractRand): three words that are added and rotated
 * beside a counter, so that no seed leads into a short cycle.
 */
export class Random {
  private a = 0;
  private b = 0;
  private c = 0;
  private counter = 0;
  /** The second of a pair of normals, NaN when there is none. */
  private keptNormal = NaN;

  constructor(seed: number) {
    this.reseed(seed);
  }

  /** Starts the stream of a seed 0..2^32 - 1. */
  reseed(seed: number): void {
    this.a = seed | 0;
    this.b = Math.imul(seed, 0x9e3779b1);
    this.c = 0x6a09e667;
    this.counter = 1;
    this.keptNormal = NaN;
    for (let round = 0; round < WARM_UP_ROUNDS; round++) this.word();
  }

  /** Uniform in the open interval from 0 to 1, one of 2^32 values. */
  next(): number {
    return (this.word() + 0.5) / TWO_32;
  }

  /** Standard normal, by Marsaglia's polar method, which gives two at a time. */
  normal(): number {
    const kept = this.keptNormal;
    this.keptNormal = NaN;
    if (!Number.isNaN(kept)) return kept;
    for (;;) {
      const x = 2 * this.next() - 1;
      const y = 2 * this.next() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const stretch = sqrt((-2 * log(square)) / square);
      this.keptNormal = y * stretch;
      return x * stretch;
    }
  }

  /**
   * Gamma with a shape of 0 or more and the scale 1.
   *
   * G. Marsaglia and W. W. Tsang, A simple method for generating gamma variables (2000): with d = shape - 1/3 the cube
   * d (1 + x / sqrt(9 d))^3 of a normal x is nearly gamma; the test by u makes it exactly so. Below shape 1 a draw for
   * shape + 1 times u^(1/shape) is one for shape.
   */
  gamma(shape: number): number {
    if (shape === 0) return 0;
    if (shape < 1) return this.gamma(shape + 1) * exp(log(this.next()) / shape);
    const d = shape - 1 / 3;
    const c = 1 / sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const root = 1 + c * x;
      if (root <= 0) continue;
      const cube = root * root * root;
      const u = this.next();
      // The first test says yes to most without a logarithm, and never where the second would say no.
      if (u < 1 - 0.0331 * x * x * x * x) return d * cube;
      if (log(u) < 0.5 * x * x + d * (1 - cube + log(cube))) return d * cube;
    }
  }

  /** Beta, 0..1, of two shapes of 0 or more; uniform when both are 0, where nothing is known. */
  beta(successes: number, failures: number): number {
    const x = this.gamma(successes);
    const sum = x + this.gamma(failures);
    return sum > 0 ? x / sum : this.next();
  }

  private word(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}
