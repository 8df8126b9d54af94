/** The wall clock, in milliseconds since 1970. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Stands where the log does: the times of an import decide, and after it the last one stays. */
export const logClock: Clock = { now: () => 0 };

/** A clock for tests: stands still until it is moved. */
export function testClock(startMs: number): Clock & { advance(ms: number): void; set(ms: number): void } {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    advance: (ms) => {
      nowMs += ms;
    },
    set: (ms) => {
      nowMs = ms;
    },
  };
}
