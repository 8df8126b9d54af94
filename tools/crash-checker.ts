/** Holds what a killed service left on the disk against what it had acknowledged, and against an undisturbed replay. */
import {
  apply,
  createState,
  decodeBatch,
  stateHash,
  subjectCount,
  type Act,
  type ActResult,
  type Entry,
  type State,
} from "@staunch/engine";
import { restoreCheck } from "../packages/server/src/offline.ts";
import type { Log } from "../packages/server/src/ports/log.ts";
import type { Storage } from "../packages/server/src/storage.ts";
import type { ActSource, Client } from "./crash-clients.ts";

/** Replays the log as it grows, each record once, so that a check costs what has come since the one before. */
export class Checker {
  readonly state: State = createState({ seed: 1, policies: {}, aggregates: true });
  position = 0;
  fromSnapshot = 0;
  private hash = "";
  /** Number of the newest event of each client that was folded. */
  private readonly folded = new Map<string, number>();

  /** @throws Error that says what was lost, doubled or different */
  async check(storage: Storage, clients: readonly Client[], acts: ActSource): Promise<void> {
    await this.replay(storage.log);
    for (const client of clients) this.compareNumbers(client);
    const { restored, hash } = await restoreCheck(storage, "snapshot");
    if (restored.snapshot !== null) this.fromSnapshot += 1;
    const expected = stateHash(this.state);
    if (hash !== expected) throw new Error(`the restored state is ${hash}, the replay gives ${expected}`);
    compareActs(restored.state, acts);
  }

  /** Once, at the end: what was replayed long ago is still there as it was. */
  async checkWhole({ log }: Storage): Promise<void> {
    const verified = await log.verify();
    if (verified.type === "damaged")
      throw new Error(`the log is damaged: ${JSON.stringify(verified.damage)}`);
    const { position, hash } = verified.tail;
    if (position !== this.position || hash !== this.hash)
      throw new Error(`the log ends with ${position} ${hash}, replayed was ${this.position} ${this.hash}`);
  }

  private async replay(log: Log): Promise<void> {
    for await (const record of log.read(Math.max(1, this.position))) {
      if (record.position === this.position) {
        if (record.hash !== this.hash) throw new Error(`record ${record.position} is not what it was`);
        continue;
      }
      this.position = record.position;
      this.hash = record.hash;
      if (record.kind === "epoch") continue;
      const decoded = decodeBatch(record.position, record.body);
      if (decoded.type === "corrupt") throw new Error(`record ${record.position}: ${decoded.detail}`);
      if (!decoded.complete)
        throw new Error(
          `record ${record.position} was trimmed before it was seen: the service lived too long`,
        );
      const { results } = apply(this.state, decoded.batch);
      for (const [index, entry] of decoded.batch.entries.entries()) {
        const result = results[index]!;
        if (result.type === "applied") this.count(entry, result.acts);
      }
    }
  }

  private count({ samples, acts }: Entry, results: readonly ActResult[]): void {
    for (const mark of samples?.context ?? []) if (mark !== null) this.countMark(mark);
    for (const [index, act] of acts.entries()) {
      const mark = markOf(act);
      if (mark === null) continue;
      this.countMark(mark);
      const { type } = results[index]!;
      if (type !== "done") throw new Error(`act ${mark} came to ${type}`);
    }
  }

  /** A client sends one request after the other, so its events are in the log in order and without a gap. */
  private countMark(mark: string): void {
    const [name = "", number = ""] = mark.split(".");
    const expected = (this.folded.get(name) ?? 0) + 1;
    if (Number(number) !== expected)
      throw new Error(
        `${mark} is in the log where ${name}.${expected} should be: one is missing or there twice`,
      );
    this.folded.set(name, expected);
  }

  private compareNumbers({ name, acknowledged, sent }: Client): void {
    const folded = this.folded.get(name) ?? 0;
    if (folded < acknowledged)
      throw new Error(`${name}.${acknowledged} was acknowledged, and the log ends with ${name}.${folded}`);
    if (folded > sent) throw new Error(`${name}.${folded} is in the log and was never sent`);
  }
}

/** What the client of an act wrote into it, null for acts of the service itself. */
function markOf(act: Act): string | null {
  switch (act.type) {
    case "subject.updated":
      return String(act.attributes?.["change"]);
    case "policy.activated":
    case "tier.cuts":
    case "job_classes.measured":
    case "window.voided":
    case "prior.set":
      return null;
    case "suspension.started":
      return act.isAutomatic ? null : act.reason;
    default:
      return act.reason;
  }
}

/** What was acknowledged to the client of acts is so in the state; what is under way may be. */
function compareActs(state: State, acts: ActSource): void {
  const underWay = new Set(acts.orders.map((order) => (order.type === "revocation" ? order.id : order.mark)));
  for (const [id, mark] of acts.standing) {
    const sanction = sanctionOf(state, id);
    if (sanction?.reason !== mark)
      throw new Error(`${mark} was acknowledged as ${id}, which is not in the state`);
    if (sanction.status !== "active" && !underWay.has(id))
      throw new Error(`${id} is ${sanction.status} and nobody has asked for that`);
  }
  for (const id of acts.revoked) {
    if (sanctionOf(state, id)?.status === "active")
      throw new Error(`the revocation of ${id} was acknowledged, and it is in force`);
  }
  acts.revoked.clear();
  for (const [subject, mark] of acts.changes) {
    const found = String(state.profiles.get(state.ids.find(subject))?.attributes["change"]);
    if (found !== mark && !underWay.has(found))
      throw new Error(`${subject} was changed by ${mark}, and its state is of ${found}`);
  }
  compareSanctions(state, acts.name);
}

function sanctionOf({ sanctions }: State, id: string) {
  return sanctions.penalty(id) ?? sanctions.reward(id);
}

/** No act has given two sanctions. */
function compareSanctions(state: State, name: string): void {
  const seen = new Set<string>();
  for (let subject = 0; subject < subjectCount(state); subject++) {
    const { penalties = [], rewards = [] } = state.sanctions.of(subject) ?? {};
    for (const { id, reason } of [...penalties, ...rewards]) {
      if (!reason.startsWith(`${name}.`)) continue;
      if (seen.has(reason)) throw new Error(`${reason} has given two sanctions, one of them ${id}`);
      seen.add(reason);
    }
  }
}
