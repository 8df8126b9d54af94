/** Which subjects changed in an hour, and why last: one byte for each, in pages of a range. */
import { RANGE_SIZE } from "../../ports/store.ts";

/** A byte that is not 0 is the reason + 1. */
export type Page = Uint8Array;

const RANGE_SHIFT = 10;

export class HourMarks {
  /** Start of the hour, ms since 1970. */
  hour: number;
  private pages: (Page | undefined)[] = [];
  /** Ranges that have a page. */
  private ranges: number[] = [];

  constructor(hour: number) {
    this.hour = hour;
  }

  get rangeCount(): number {
    return this.ranges.length;
  }

  mark(subject: number, reason: number): void {
    const range = subject >>> RANGE_SHIFT;
    const page = this.pages[range] ?? this.addPage(range);
    page[subject & (RANGE_SIZE - 1)] = reason + 1;
  }

  /** Reason of the newest change of a subject in this hour, or null when it did not change. */
  reasonOf(subject: number): number | null {
    const mark = this.pages[subject >>> RANGE_SHIFT]?.[subject & (RANGE_SIZE - 1)] ?? 0;
    return mark === 0 ? null : mark - 1;
  }

  /** Takes one range out, or null when there is none left. */
  take(): { readonly range: number; readonly page: Page } | null {
    const range = this.ranges.pop();
    if (range === undefined) return null;
    const page = this.pages[range]!;
    this.pages[range] = undefined;
    return { range, page };
  }

  /** Adds what an earlier hour had, where this one has nothing newer. */
  takeOver(earlier: HourMarks): void {
    for (let taken = earlier.take(); taken !== null; taken = earlier.take())
      this.addEarlier(taken.range, taken.page);
  }

  addEarlier(range: number, earlier: Page): void {
    const page = this.pages[range] ?? this.addPage(range);
    for (let index = 0; index < RANGE_SIZE; index++) if (page[index] === 0) page[index] = earlier[index]!;
  }

  clear(): void {
    this.pages = [];
    this.ranges = [];
  }

  *entries(): Generator<{ readonly range: number; readonly page: Page }> {
    for (const range of this.ranges) yield { range, page: this.pages[range]! };
  }

  private addPage(range: number): Page {
    const page = new Uint8Array(RANGE_SIZE);
    this.pages[range] = page;
    this.ranges.push(range);
    return page;
  }
}

const VERSION = 1;
/** Version, two hours, two counts of ranges. */
const HEAD_BYTES = 1 + 8 + 8 + 4 + 4;
const PAGE_BYTES = 4 + RANGE_SIZE;

/** The hour that is open and what is left of the one before, as bytes for the store. */
export function dumpMarks(open: HourMarks, closing: HourMarks): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + (open.rangeCount + closing.rangeCount) * PAGE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setFloat64(1, open.hour, true);
  view.setFloat64(9, closing.hour, true);
  view.setUint32(17, open.rangeCount, true);
  view.setUint32(21, closing.rangeCount, true);
  let at = HEAD_BYTES;
  for (const marks of [open, closing]) {
    for (const { range, page } of marks.entries()) {
      view.setUint32(at, range, true);
      bytes.set(page, at + 4);
      at += PAGE_BYTES;
    }
  }
  return bytes;
}

/** @throws Error when the bytes are not what {@link dumpMarks} wrote */
export function loadMarks(bytes: Uint8Array): { readonly open: HourMarks; readonly closing: HourMarks } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint8(0) !== VERSION)
    throw new Error(`the projector's memory has the format ${view.getUint8(0)}`);
  const open = new HourMarks(view.getFloat64(1, true));
  const closing = new HourMarks(view.getFloat64(9, true));
  const openCount = view.getUint32(17, true);
  const count = openCount + view.getUint32(21, true);
  if (bytes.length !== HEAD_BYTES + count * PAGE_BYTES) throw new Error("the projector's memory is cut off");
  for (let index = 0; index < count; index++) {
    const at = HEAD_BYTES + index * PAGE_BYTES;
    const marks = index < openCount ? open : closing;
    marks.addEarlier(view.getUint32(at, true), bytes.subarray(at + 4, at + PAGE_BYTES));
  }
  return { open, closing };
}
