import fc from "fast-check";
import { expect, test } from "vitest";
import type { MisbehaviourReport } from "./misbehaviour.ts";
import { PendingReports, placeOf } from "./pending-reports.ts";

function reportAt(position: number, place: number): MisbehaviourReport {
  return { id: `mis_${position}_${place}`, position } as MisbehaviourReport;
}

test("pages have all that wait, in the order of the log, whatever the order in which they came and went", () => {
  const place = fc.tuple(fc.nat(30), fc.nat(20));
  const places = fc.uniqueArray(place, { selector: String, maxLength: 60 });
  fc.assert(
    fc.property(places, fc.array(fc.nat(59)), fc.integer({ min: 1, max: 7 }), (made, decided, limit) => {
      const pending = new PendingReports();
      const reports = made.map(([position, index]) => reportAt(position, index));
      for (const report of reports) pending.add(report);
      const gone = new Set(decided.flatMap((index) => reports[index] ?? []));
      for (const report of gone) pending.delete(report);
      const listed: MisbehaviourReport[] = [];
      for (let page = pending.after(null, limit); page.length > 0; ) {
        listed.push(...page);
        page = pending.after(placeOf(page.at(-1)!), limit);
      }
      const expected = reports
        .filter((report) => !gone.has(report))
        .toSorted((a, b) => a.position - b.position || placeOf(a).place - placeOf(b).place);
      expect(listed).toEqual(expected);
      expect(pending.size).toBe(expected.length);
    }),
  );
});
