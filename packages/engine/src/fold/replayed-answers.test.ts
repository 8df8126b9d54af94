/** Acts that are replayed over rows which know what came later are answered as they were when they were live. */
import { expect, test } from "vitest";
import type { Act } from "../event/acts.ts";
import { STORAGE_PROVIDER } from "../policy/presets.ts";
import type { Part } from "../snapshot/format.ts";
import { endReplay, restoreParts } from "../snapshot/restore.ts";
import { snapshotParts } from "../snapshot/write.ts";
import { HOUR_MS, Lab, report, suspended, T0 } from "../testing/lab.ts";
import { apply } from "./apply.ts";
import type { ActResult, Effects } from "./effects.ts";

const judge = { issuer: "key:judge", reason: "seen" };

test("decisions about one report", () => {
  expectSameAnswers(([reportId]) => {
    const confirmed: Act = { type: "misbehaviour.confirmed", reportId: reportId!, ...judge };
    const dismissed: Act = { type: "misbehaviour.dismissed", reportId: reportId!, ...judge };
    return [confirmed, confirmed, dismissed, confirmed, dismissed];
  });
});

test("reports beyond what one reporter may have", () => {
  expectSameAnswers(([reportId]) => {
    const confirmed: Act = { type: "misbehaviour.confirmed", reportId: reportId!, ...judge };
    return [...Array.from({ length: 11 }, () => report(0)), confirmed, report(0), report(0)];
  });
});

test("cancelling one window, and lifting one suspension, twice within a millisecond", () => {
  expectSameAnswers(([, suspensionId, windowId]) => {
    const lifted: Act = { type: "suspension.lifted", suspensionId: suspensionId!, ...judge };
    const cancelled: Act = { type: "maintenance.cancelled", windowId: windowId!, ...judge };
    return [lifted, lifted, cancelled, cancelled];
  });
});

/** The acts in a batch each, while a snapshot is written whose header is older than they are and whose rows are not. */
function expectSameAnswers(actsOn: (ids: readonly string[]) => readonly Act[]): void {
  const lab = new Lab(STORAGE_PROVIDER);
  const subject = lab.register("worker");
  const from = T0 + HOUR_MS;
  const made = answersOf(lab, [
    report(subject),
    suspended(subject),
    { type: "maintenance.announced", subject, from, to: from + HOUR_MS, ...judge },
  ]);
  const acts = actsOn(made.map((one) => (one.type === "done" ? one.id! : "")));
  const live: ActResult[] = [];
  const parts: Part[] = [];
  for (const part of snapshotParts(lab.state)) {
    parts.push({ ...part, bytes: part.bytes.slice() });
    if (parts.length === 1) for (const act of acts) live.push(...answersOf(lab, [act]));
  }
  const restore = restoreParts({ seed: 99, policies: {}, aggregates: false });
  for (const part of parts) restore.part(part);
  restore.finish();
  const replayed: ActResult[] = [];
  for (const batch of lab.log.filter(({ position }) => position > restore.state.position)) {
    replayed.push(...answersIn(apply(restore.state, batch)));
  }
  endReplay(restore.state);
  expect(live.map(({ type }) => type)).toContain("done");
  expect(replayed).toEqual(live);
}

function answersOf(lab: Lab, acts: readonly Act[]): readonly ActResult[] {
  return answersIn(lab.apply(T0, { acts }));
}

function answersIn({ results }: Effects): readonly ActResult[] {
  const result = results.at(-1);
  if (result?.type !== "applied") throw new Error("not applied");
  return result.acts;
}
