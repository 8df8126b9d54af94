/** Kind and row of each subject number, packed into 32 bits, in chunks that are added and never copied. */

const CHUNK_SIZE = 65_536;
/** Four bits of kind, 28 bits of row. */
const ROW_MASK = 0x0fff_ffff;

export class PlaceColumn {
  private readonly chunks: Uint32Array[] = [];
  private used = 0;

  get count(): number {
    return this.used;
  }

  /** Gives the next subject number its kind and row. */
  add(kind: number, row: number): number {
    const subject = this.used++;
    if (subject % CHUNK_SIZE === 0) this.chunks.push(new Uint32Array(CHUNK_SIZE));
    this.chunks[subject >>> 16]![subject & (CHUNK_SIZE - 1)] = ((kind << 28) | row) >>> 0;
    return subject;
  }

  kindOf(subject: number): number {
    return this.packed(subject) >>> 28;
  }

  rowOf(subject: number): number {
    return this.packed(subject) & ROW_MASK;
  }

  private packed(subject: number): number {
    return this.chunks[subject >>> 16]![subject & (CHUNK_SIZE - 1)]!;
  }
}
