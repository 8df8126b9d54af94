/** Columns of several batches of an import as those of one. */
import type { HealthColumns, JobColumns, SampleColumns } from "@staunch/engine";

export function joinSamples(parts: readonly SampleColumns[]): SampleColumns {
  const isWeighted = parts.some(({ weight }) => weight !== null);
  return {
    count: countOf(parts),
    at: joined(Float64Array, parts, ({ at }) => at),
    value: joined(Float64Array, parts, ({ value }) => value),
    subject: joined(Uint32Array, parts, ({ subject }) => subject),
    kind: joined(Uint8Array, parts, ({ kind }) => kind),
    weight: isWeighted
      ? joined(Float64Array, parts, ({ count, weight }) => weight ?? new Float64Array(count).fill(1))
      : null,
    monitor: joinedTexts(parts, ({ monitor }) => monitor),
    context: joinedTexts(parts, ({ context }) => context),
  };
}

/** Null when no part has any. */
export function joinJobs(batches: readonly { readonly jobs: JobColumns | null }[]): JobColumns | null {
  const parts = batches.flatMap(({ jobs }) => (jobs === null ? [] : [jobs]));
  if (parts.length === 0) return null;
  return {
    count: countOf(parts),
    at: joined(Float64Array, parts, ({ at }) => at),
    subject: joined(Uint32Array, parts, ({ subject }) => subject),
    outcome: joined(Uint8Array, parts, ({ outcome }) => outcome),
    durationMs: joined(Float64Array, parts, ({ durationMs }) => durationMs),
    expectedMs: joined(Float64Array, parts, ({ expectedMs }) => expectedMs),
    usedShare: joined(Float64Array, parts, ({ usedShare }) => usedShare),
    quality: joined(Float64Array, parts, ({ quality }) => quality),
    earnings: joined(Float64Array, parts, ({ earnings }) => earnings),
    selection: joined(Float64Array, parts, ({ selection }) => selection),
    jobClass: joinedTexts(parts, ({ jobClass }) => jobClass),
    jobId: joinedTexts(parts, ({ jobId }) => jobId),
  };
}

/** Null when no part has any. A part of health that some reports do not name is unknown in them. */
export function joinHealth(
  batches: readonly { readonly health: HealthColumns | null }[],
): HealthColumns | null {
  const parts = batches.flatMap(({ health }) => (health === null ? [] : [health]));
  if (parts.length === 0) return null;
  const names = new Set(parts.flatMap((one) => one.parts.map(({ name }) => name)));
  const valuesOf = (name: string, { count, parts: told }: HealthColumns): Float64Array =>
    told.find((one) => one.name === name)?.value ?? new Float64Array(count).fill(Number.NaN);
  return {
    count: countOf(parts),
    at: joined(Float64Array, parts, ({ at }) => at),
    subject: joined(Uint32Array, parts, ({ subject }) => subject),
    parts: Array.from(names, (name) => ({
      name,
      value: joined(Float64Array, parts, (part) => valuesOf(name, part)),
    })),
  };
}

interface Counted {
  readonly count: number;
}

function countOf(parts: readonly Counted[]): number {
  return parts.reduce((sum, { count }) => sum + count, 0);
}

function joined<Part extends Counted, Column extends Float64Array | Uint32Array | Uint8Array>(
  Type: new (length: number) => Column,
  parts: readonly Part[],
  columnOf: (part: Part) => Column,
): Column {
  const column = new Type(countOf(parts));
  let start = 0;
  for (const part of parts) {
    column.set(columnOf(part), start);
    start += part.count;
  }
  return column;
}

/** Null when no part has texts. */
function joinedTexts<Part extends Counted>(
  parts: readonly Part[],
  textsOf: (part: Part) => readonly (string | null)[] | null,
): (string | null)[] | null {
  if (parts.every((part) => textsOf(part) === null)) return null;
  const all: (string | null)[] = [];
  for (const part of parts) {
    const texts = textsOf(part);
    for (let row = 0; row < part.count; row++) all.push(texts === null ? null : texts[row]!);
  }
  return all;
}
