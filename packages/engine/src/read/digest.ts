/** Digest of everything that decides a score: equal on every machine that has applied the same log. */
import { canonicalJson } from "../event/codec.ts";
import { StateDigest } from "../num/hash.ts";
import { CHANGE_STAMP, ROW_SIZE, rowStart, type Chunk } from "../state/row-table.ts";
import { WORK_ROW_SIZE, workStart } from "../state/work-row.ts";
import { stored } from "../sanction/sanction.ts";
import type { Provisional } from "../state/provisional.ts";
import type { Kind, State } from "../state/state.ts";
import { policyHash } from "../policy/document.ts";

/** 16 hex digits over all rows, sanctions, profiles, owners, policies, selections, remembered requests and held samples. */
export function stateHash(state: State): string {
  const digest = new StateDigest();
  for (const value of [state.now, state.refreshNext, state.refreshOwed, state.eventCount, state.actCount])
    digest.f64(value);
  for (const operator of state.operators.dump()) digest.text(operator);
  for (const kind of state.kinds) {
    digest.text(kind.name);
    digest.text(policyHash(kind.compiled.policy));
    digest.text(JSON.stringify(kind.cuts));
    digest.f64(kind.policyAt);
    for (let row = 0; row < kind.table.count; row++) {
      const chunk = kind.table.chunkOf(row);
      const start = rowStart(row);
      // The stamp only says where the newest change of the row stood in its batch.
      const words = chunk.u32.subarray(start * 2, (start + ROW_SIZE) * 2);
      for (let word = 0; word < words.length; word++) if (word !== CHANGE_STAMP) digest.u32(words[word]!);
      digest.u32(kind.rank.bucketOf(row));
      digestWork(digest, chunk, start);
    }
    digestKind(digest, kind);
  }
  // Canonical, because the log gives back the keys of what people wrote in another order than they were sent.
  for (let subject = 0; subject < state.places.count; subject++) {
    digest.text(state.ids.at(subject));
    const profile = state.profiles.get(subject);
    if (profile !== undefined) digest.text(canonicalJson(profile));
    const sanctions = state.sanctions.of(subject);
    if (sanctions !== undefined) digest.text(canonicalJson(stored(sanctions)));
  }
  // One by one: together they could be longer than a string may be.
  const { sequences, keys } = state.memory.dump();
  for (const remembered of [sequences, keys]) {
    digest.u32(remembered.length);
    for (const one of remembered) digest.text(JSON.stringify(one));
  }
  digestProvisional(digest, state.provisional);
  return digest.hex();
}

function digestWork(digest: StateDigest, { work }: Chunk, start: number): void {
  if (work === null) return;
  const first = workStart(start) * 2;
  for (const word of work.u32.subarray(first, first + WORK_ROW_SIZE * 2)) digest.u32(word);
}

/** What is kept for a kind as a whole. */
function digestKind(digest: StateDigest, { network, selections, jobClasses }: Kind): void {
  digest.text(JSON.stringify(jobClasses.head()));
  for (const observed of jobClasses.dump()) digest.text(JSON.stringify(observed));
  for (const value of Object.values(network) as number[]) digest.f64(value);
  for (const [number, { subject, madeAt, exploring }] of selections.open) {
    digest.f64(number);
    digest.u32(subject);
    digest.f64(madeAt);
    digest.u32(exploring ? 1 : 0);
  }
  for (const operator of selections.window.dump()) digest.u32(operator);
}

function digestProvisional(digest: StateDigest, provisional: Provisional): void {
  digest.f64(provisional.closedTo);
  for (const window of provisional.sorted()) {
    digest.u32(window.released);
    for (let row = 0; row < window.count; row++) {
      for (const value of [window.at(row), window.value(row), window.weight(row)]) digest.f64(value);
      digest.u32(window.subject(row));
      digest.u32(window.kind(row));
      digest.text(window.monitors[window.monitor(row)]!);
    }
  }
  for (const voided of provisional.voids) digest.text(canonicalJson(voided));
}
