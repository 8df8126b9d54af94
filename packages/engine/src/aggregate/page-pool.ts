/** Fixed-size pages in chunks that are added and never copied; freed pages are used again before new ones. */

/** The memory of a chunk under the four widths its pages are read in. */
export interface PageChunk {
  readonly bytes: Uint8Array;
  readonly halves: Uint16Array;
  readonly words: Uint32Array;
  readonly doubles: Float64Array;
}

/** Page numbers stay below it, so that they fit signed 32-bit arithmetic. */
const PAGES_MAX = 0x7fff_ffff;

/**
 * A page is known by its number; 0 is no page. The first word of every page is the number of another page: its
 * owner chains pages by it, and the pool its free ones. A fresh page may hold anything: whoever allocates it fills it.
 *
 * Page `n` is page `n & mask` of chunk `n >>> shift`.
 */
export class PagePool {
  readonly chunks: PageChunk[] = [];
  readonly pageWords: number;
  readonly shift: number;
  readonly mask: number;
  /** Pages handed out and not released. */
  used = 0;
  private firstFree = 0;
  private neverUsed = 1;

  /** `pageWords` is even, so that doubles are aligned; a chunk has 2^`shift` pages. */
  constructor(pageWords: number, shift: number) {
    this.pageWords = pageWords;
    this.shift = shift;
    this.mask = (1 << shift) - 1;
  }

  get bytesUsed(): number {
    return this.chunks.length * (this.mask + 1) * this.pageWords * 4;
  }

  allocate(): number {
    this.used += 1;
    const free = this.firstFree;
    if (free !== 0) {
      this.firstFree = this.next(free);
      return free;
    }
    const page = this.neverUsed;
    if (page >= PAGES_MAX) throw new RangeError(`a pool has at most ${PAGES_MAX} pages`);
    if (page >>> this.shift >= this.chunks.length) this.addChunk();
    this.neverUsed = page + 1;
    return page;
  }

  release(page: number): void {
    this.setNext(page, this.firstFree);
    this.firstFree = page;
    this.used -= 1;
  }

  next(page: number): number {
    return this.chunks[page >>> this.shift]!.words[(page & this.mask) * this.pageWords]!;
  }

  setNext(page: number, next: number): void {
    this.chunks[page >>> this.shift]!.words[(page & this.mask) * this.pageWords] = next;
  }

  private addChunk(): void {
    this.chunks.push(newChunk((this.mask + 1) * this.pageWords));
  }
}

/** A chunk of zeroes; `words` is even. */
export function newChunk(words: number): PageChunk {
  const memory = new ArrayBuffer(words * 4);
  return {
    bytes: new Uint8Array(memory),
    halves: new Uint16Array(memory),
    words: new Uint32Array(memory),
    doubles: new Float64Array(memory),
  };
}
