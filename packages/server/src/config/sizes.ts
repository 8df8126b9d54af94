/** Sizes as people write them: `4MiB`, `512KiB`, or a plain number of bytes. */

const UNITS = [
  ["GiB", 1 << 30],
  ["MiB", 1 << 20],
  ["KiB", 1 << 10],
  ["B", 1],
] as const;
/** So many digits of each unit stay below 2^53. */
const SIZE = /^(?:(\d{1,6})(GiB)|(\d{1,9})(MiB)|(\d{1,12})(KiB)|(\d{1,15})B?)$/u;

/** Bytes of a size, or null when it is none. */
export function parseSize(text: string): number | null {
  const match = SIZE.exec(text.trim());
  if (match === null) return null;
  const [number, name = "B"] = match.slice(1).filter((group) => group !== undefined);
  return Number(number) * UNITS.find(([unit]) => unit === name)![1];
}

/** A whole number of bytes in the largest unit that divides it; {@link parseSize} reads back the same number. */
export function formatSize(bytes: number): string {
  const unit = UNITS.find(([, size]) => bytes >= size && bytes % size === 0);
  return unit === undefined ? `${bytes}B` : `${bytes / unit[1]}${unit[0]}`;
}
