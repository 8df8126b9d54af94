/**
 * Where the fields of a row lie, by name: a snapshot says it of its rows, so that a version whose rows lie differently
 * reads them all the same. Fields are matched by name; a name stands for one meaning for ever, so a field whose
 * meaning changes gets another name and starts at 0.
 */

export type FieldType = "f64" | "u32" | "f32" | "u16";

/** Bytes of one value. */
const VALUE_BYTES: { readonly [type in FieldType]: number } = { f64: 8, u32: 4, f32: 4, u16: 2 };

export interface Field {
  readonly type: FieldType;
  /** Bytes from the row's start. */
  readonly offset: number;
  /** Values that lie in a row under this name. */
  readonly count: number;
}

export interface Fields {
  [name: string]: Field;
}

export interface RowLayout {
  /** Bytes of a row. */
  readonly size: number;
  readonly fields: Readonly<Fields>;
}

/** Offsets by name, counted in values of the type; with a count where several values share the name. */
export type FieldOffsets = {
  readonly [type in FieldType]?: {
    readonly [name: string]: number | readonly [offset: number, count: number];
  };
};

/** Fields of a part of a row that starts at double `start`; `prefix` tells apart parts with the same names. */
export function fieldsAt(start: number, offsets: FieldOffsets, prefix = ""): Fields {
  const fields: Fields = {};
  for (const type of ["f64", "u32", "f32", "u16"] as const) {
    for (const [name, at] of Object.entries(offsets[type] ?? {})) {
      const [offset, count] = typeof at === "number" ? [at, 1] : at;
      fields[prefix + name] = { type, offset: start * 8 + offset * VALUE_BYTES[type], count };
    }
  }
  return fields;
}

/** How rows that were written in one layout are read in another. */
export interface RowTranslation {
  /** Bytes of a row as it was written. */
  readonly writtenSize: number;
  /** Rows of the layout to read in; the bytes given, where nothing has to move. */
  readonly translate: (rows: Uint8Array) => Uint8Array;
}

/**
 * Fields that the written rows lack are 0, fields that nobody reads any more are left out. A string says which field
 * of both has another type or count.
 */
export function rowTranslation(written: RowLayout, read: RowLayout): RowTranslation | string {
  for (const [name, field] of Object.entries(written.fields)) {
    const target = read.fields[name];
    if (target !== undefined && typeText(field) !== typeText(target))
      return `field ${name} was written as ${typeText(field)} and is read as ${typeText(target)}`;
  }
  const copies = copiesBetween(written, read);
  const isSame = JSON.stringify(written) === JSON.stringify(read);
  return {
    writtenSize: written.size,
    translate: (rows) => (isSame ? rows : translateRows(rows, written.size, read.size, copies)),
  };
}

function typeText({ type, count }: Field): string {
  return count === 1 ? type : `${count} ${type}`;
}

/** Bytes that keep their order, from their offset in one row to their offset in the other. */
interface Copy {
  readonly from: number;
  readonly to: number;
  size: number;
}

/** One copy for every run of fields that lie side by side in both layouts. */
function copiesBetween(written: RowLayout, read: RowLayout): Copy[] {
  const copies: Copy[] = [];
  const inOrder = Object.entries(written.fields).toSorted(([, a], [, b]) => a.offset - b.offset);
  for (const [name, { type, offset: from, count }] of inOrder) {
    const to = read.fields[name]?.offset;
    if (to === undefined) continue;
    const size = count * VALUE_BYTES[type];
    const last = copies.at(-1);
    if (last !== undefined && last.from + last.size === from && last.to + last.size === to) last.size += size;
    else copies.push({ from, to, size });
  }
  return copies;
}

function translateRows(
  rows: Uint8Array,
  writtenSize: number,
  readSize: number,
  copies: readonly Copy[],
): Uint8Array {
  const count = rows.length / writtenSize;
  const translated = new Uint8Array(count * readSize);
  for (let row = 0; row < count; row++) {
    for (const { from, to, size } of copies) {
      const start = row * writtenSize + from;
      translated.set(rows.subarray(start, start + size), row * readSize + to);
    }
  }
  return translated;
}
