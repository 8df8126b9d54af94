/**
 * The matrices without their repetitions.
 *
 * Row i of a slice holds what device i measured. A device measures all others in a round of about five slices and
 * its row stays the same between rounds: 81 % of the rows repeat the row of the slice before. Only rows that changed
 * are kept, which loses nothing: a row that is not there is the device's last one.
 *
 * Packed form, before compression: for each slice the number of its rounds (one byte) and their devices (one byte
 * each, rising); then the low bytes of all values, round by round, then the high bytes. A value is the time in
 * hundredths of a second, as precise as the source.
 */

export const DEVICES = 99;
export const SLICES = 688;

/** Every row in every slice, at two bytes a value and one for the device, and a count for each slice. */
export const PACKED_BYTES_MAX = SLICES * (1 + DEVICES * (1 + DEVICES * 2));

/** Rounds in order of slice, then device; all numbers from 0. */
export interface Rounds {
  readonly count: number;
  readonly slice: Uint16Array;
  readonly monitor: Uint8Array;
  /** {@link DEVICES} values a round, hundredths of a second. */
  readonly values: Uint16Array;
}

/** Packs the matrices, one array of 99 x 99 values (row after row) a slice. */
export function packRounds(matrices: readonly Uint16Array[]): Uint8Array {
  if (matrices.length !== SLICES) throw new RangeError(`${matrices.length} slices`);
  const head: number[] = [];
  const values: number[] = [];
  for (const [slice, matrix] of matrices.entries()) {
    const before = matrices[slice - 1];
    const changed: number[] = [];
    for (let device = 0; device < DEVICES; device++) {
      const from = device * DEVICES;
      const row = matrix.subarray(from, from + DEVICES);
      if (before !== undefined && row.every((value, target) => value === before[from + target])) continue;
      changed.push(device);
      values.push(...row);
    }
    head.push(changed.length, ...changed);
  }
  return Uint8Array.from([
    ...head,
    ...values.map((value) => value & 0xff),
    ...values.map((value) => value >> 8),
  ]);
}

/** The reverse of {@link packRounds}; throws when the bytes are not such a pack. */
export function unpackRounds(bytes: Uint8Array): Rounds {
  const slices: number[] = [];
  const monitors: number[] = [];
  let place = 0;
  for (let slice = 0; slice < SLICES; slice++) {
    for (let left = bytes[place++]!; left > 0; left--) {
      slices.push(slice);
      monitors.push(bytes[place++]!);
    }
  }
  const size = monitors.length * DEVICES;
  if (bytes.length !== place + 2 * size)
    throw new Error(`${bytes.length} bytes do not hold ${monitors.length} rounds`);
  const values = new Uint16Array(size);
  for (let index = 0; index < size; index++) {
    values[index] = bytes[place + index]! | (bytes[place + size + index]! << 8);
  }
  return {
    count: monitors.length,
    slice: Uint16Array.from(slices),
    monitor: Uint8Array.from(monitors),
    values,
  };
}
