/**
 * Ten years of failures of 22 systems at Los Alamos as evidence about nodes: one uptime sample per node and day in
 * service. `README.md` says what is assumed.
 */
import { brotliDecompressSync } from "node:zlib";
import { metricCode } from "@staunch/engine";
import type {
  ImportBatch,
  ImportSource,
  ImportSubject,
} from "../../packages/server/src/app/import/import-source.ts";
import { BatchWriter } from "../batch-writer.ts";
import { buildFleet, type Fleet, type LanlNode } from "./nodes.ts";
import { parseRecords } from "./records.ts";

/** The shipped file: the published CSV, compressed with Brotli. */
export const LANL_FILE = new URL("failures.csv.br", import.meta.url);

/** What a subject of this data set is. */
export const LANL_KIND = "node";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** The CSV has 2.9 MB; whatever unpacks to much more is not it. */
const CSV_BYTES_MAX = 4 << 20;

const UPTIME = metricCode("uptime");

/** Reads the bytes of {@link LANL_FILE}; throws when they are not that file. */
export function lanlSource(bytes: Uint8Array): ImportSource {
  const csv = brotliDecompressSync(bytes, { maxOutputLength: CSV_BYTES_MAX }).toString("utf8");
  const fleet = buildFleet(parseRecords(csv));
  return {
    name: "lanl",
    subjectCount: fleet.nodes.length,
    eventCount: fleet.nodes.reduce((days, node) => days + daysInService(node), 0),
    firstAt: fleet.nodes[0]!.serviceFrom + DAY_MS,
    lastAt: fleet.endsAt,
    batches: () => lanlBatches(fleet),
  };
}

/** One batch a day, at its end. Subjects enter with the first day on which they are in service. */
function* lanlBatches({ nodes, endsAt }: Fleet): Generator<ImportBatch, void, undefined> {
  const writer = new BatchWriter();
  const downsByDay = downtimeByDay(nodes);
  let introduced = 0;
  for (let day = nodes[0]!.serviceFrom; day < endsAt; day += DAY_MS) {
    while (introduced < nodes.length && nodes[introduced]!.serviceFrom <= day) {
      writer.introduce(subjectOf(nodes[introduced++]!));
    }
    const dayEnd = Math.min(day + DAY_MS, endsAt);
    const downs = downsByDay.get(day);
    for (let subject = 0; subject < introduced; subject++) {
      if (nodes[subject]!.serviceUntil <= day) continue;
      const down = downs?.get(subject);
      const upShare = down === undefined ? 1 : 1 - down.ms / (dayEnd - day);
      writer.add(subject, UPTIME, upShare, dayEnd, null, down === undefined ? null : contextOf(down));
    }
    if (!writer.isEmpty) yield writer.take(dayEnd);
  }
}

function daysInService(node: LanlNode): number {
  return Math.ceil((node.serviceUntil - node.serviceFrom) / DAY_MS);
}

function subjectOf(node: LanlNode): ImportSubject {
  const { system, number, described } = node;
  return {
    id: `lanl-${system}-${number}`,
    kind: LANL_KIND,
    operator: `lanl-system-${system}`,
    attributes: {
      region: "Los Alamos",
      system,
      machine_type: described.machineType,
      processors: described.processors,
      memory_gb: described.memory,
      purpose: described.purpose,
    },
  };
}

interface Down {
  ms: number;
  /** By cause, in the order of the day. */
  readonly msByCause: Map<string, number>;
}

/** `hardware: Memory Dimm, 352 min`; several causes of one day are separated by semicolons. */
function contextOf({ msByCause }: Down): string {
  return [...msByCause].map(([cause, ms]) => `${cause}, ${ms / MINUTE_MS} min`).join("; ");
}

/** What each node that was down on a day was down for, by the day's first instant and the node's place. */
function downtimeByDay(nodes: readonly LanlNode[]): Map<number, Map<number, Down>> {
  const byDay = new Map<number, Map<number, Down>>();
  for (const [subject, { outages }] of nodes.entries()) {
    for (const { from, until, cause } of outages) {
      // A record that ends in the minute in which it starts is no downtime.
      if (from === until) continue;
      for (let day = Math.floor(from / DAY_MS) * DAY_MS; day < until; day += DAY_MS) {
        const ms = Math.min(until, day + DAY_MS) - Math.max(from, day);
        const downs = byDay.get(day) ?? new Map<number, Down>();
        byDay.set(day, downs);
        const down = downs.get(subject) ?? { ms: 0, msByCause: new Map<string, number>() };
        downs.set(subject, down);
        down.ms += ms;
        down.msByCause.set(cause, (down.msByCause.get(cause) ?? 0) + ms);
      }
    }
  }
  return byDay;
}
