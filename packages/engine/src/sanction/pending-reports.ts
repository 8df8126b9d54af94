/** Reports of all subjects that nobody has decided, in the order of the log. */
import type { MisbehaviourReport } from "./misbehaviour.ts";

/** Where a report is in the log: the position of its batch, and its place among the ids that the batch gave. */
export interface ReportPlace {
  readonly position: number;
  readonly place: number;
}

export class PendingReports {
  private readonly reports: MisbehaviourReport[] = [];
  /** False after a restore, which adds subject by subject. */
  private sorted = true;

  get size(): number {
    return this.reports.length;
  }

  add(report: MisbehaviourReport): void {
    const last = this.reports.at(-1);
    if (last !== undefined && byPlace(placeOf(last), placeOf(report)) > 0) this.sorted = false;
    this.reports.push(report);
  }

  delete(report: MisbehaviourReport): void {
    const index = this.indexOf(placeOf(report));
    if (this.reports[index] === report) this.reports.splice(index, 1);
  }

  /** The next `limit` behind a place, oldest first; null starts at the oldest. */
  after(place: ReportPlace | null, limit: number): readonly MisbehaviourReport[] {
    const from = place === null ? 0 : this.indexOf({ ...place, place: place.place + 1 });
    this.sort();
    return this.reports.slice(from, from + limit);
  }

  /** The index of the first report at a place or behind it. */
  private indexOf(place: ReportPlace): number {
    this.sort();
    let low = 0;
    let high = this.reports.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (byPlace(placeOf(this.reports[middle]!), place) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private sort(): void {
    if (this.sorted) return;
    this.reports.sort((a, b) => byPlace(placeOf(a), placeOf(b)));
    this.sorted = true;
  }
}

/** The place is the last number of the id. */
export function placeOf({ id, position }: MisbehaviourReport): ReportPlace {
  return { position, place: Number(id.slice(id.lastIndexOf("_") + 1)) };
}

function byPlace(a: ReportPlace, b: ReportPlace): number {
  return a.position - b.position || a.place - b.place;
}
